package contact

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	mostNewTags = 1000 // different tags in one file
	mostZones   = 1000 // different values of the zone column that are remembered
)

// entry is one row of a file, read as a contact.
type entry struct {
	line                     int
	phone, name, zone, zones string // zones: what the number tells
	tags                     []string
	attributes               map[string]string
	bytes                    int
	cells                    []string
}

// Refused is a row that could not be used.
type Refused struct {
	Row    int    // the line where it begins, from 1
	Title  string // of the column, or empty when the row as a whole is unfit
	Reason string // one sentence, without the value
	Cells  []string
}

// intake reads a file with a mapping, one row after the other, in bounded memory.
type intake struct {
	rows    *rows
	columns []Column
	mapping []Target
	options ImportOptions
	first   *row // without a header the first line is a row
	zones   map[string]bool
	tags    map[string]bool
}

func newIntake(file io.Reader, i Import) (*intake, error) {
	in := &intake{rows: newRows(file), columns: i.Columns, mapping: i.Mapping, options: i.Options, zones: map[string]bool{}, tags: map[string]bool{}}
	for _, tag := range i.Options.Tags {
		in.tags[tag] = true
	}
	header, err := in.rows.header()
	if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	if i.Options.NoHeader {
		in.first = &header
	}
	return in, nil
}

// skip passes over rows up to a line without reading what they say.
func (in *intake) skip(through int) (row, error) {
	for {
		read, err := in.raw()
		if err != nil || read.line > through {
			return read, err
		}
	}
}

func (in *intake) raw() (row, error) {
	if in.first != nil {
		read := *in.first
		in.first = nil
		return read, nil
	}
	return in.rows.next()
}

// read understands one row: either an entry or why it is refused.
func (in *intake) read(read row) (*entry, *Refused) {
	if read.reason != "" {
		return nil, in.refuse(read, read.column, read.reason)
	}
	e := &entry{line: read.line, attributes: map[string]string{}}
	for at, field := range read.fields {
		value := cell(field)
		e.bytes += len(field)
		if at >= len(in.mapping) {
			if value != "" {
				return nil, in.refuse(read, -1, "The row has more cells than the first line.")
			}
			continue
		}
		if reason := in.fill(e, in.mapping[at], value); reason != "" {
			return nil, in.refuse(read, at, reason)
		}
	}
	if e.phone == "" {
		at := slices.IndexFunc(in.mapping, func(t Target) bool { return t.Field == FieldPhone })
		return nil, in.refuse(read, at, "The phone is empty.")
	}
	e.zones = PhoneZones(e.phone)
	if e.name == "" {
		e.name = e.attributes["first_name"]
	}
	for _, tag := range in.options.Tags {
		if !slices.Contains(e.tags, tag) {
			e.tags = append(e.tags, tag)
		}
	}
	return e, nil
}

func (in *intake) refuse(read row, column int, reason string) *Refused {
	refused := &Refused{Row: read.line, Reason: reason, Cells: read.fields}
	if column >= 0 && column < len(in.columns) {
		refused.Title = in.columns[column].Title
	}
	return refused
}

func (in *intake) fill(e *entry, target Target, value string) (reason string) {
	if value == "" {
		return ""
	}
	var err error
	switch target.Field {
	case FieldPhone:
		if e.phone, err = Phone(value, in.options.Region); err != nil {
			return "The phone " + err.Error() + "."
		}
	case FieldName:
		e.name, err = cleanText("The name", value, longestName)
	case FieldZone:
		if !in.validZone(value) {
			return "The zone is not an IANA name such as America/Sao_Paulo."
		}
		e.zone = value
	case FieldTags:
		if e.tags, err = cleanTags(strings.FieldsFunc(value, func(r rune) bool { return r == ';' || r == ',' || r == '|' })); err == nil {
			return in.newTags(e.tags)
		}
	case FieldAttribute:
		e.attributes[target.Attribute], err = cleanText("The value", value, longestAttr)
	}
	var invalid InvalidError
	if errors.As(err, &invalid) {
		return invalid.Field + " " + invalid.Reason + "."
	}
	return ""
}

// validZone remembers: to look up a zone reads a file.
func (in *intake) validZone(name string) bool {
	valid, known := in.zones[name]
	if !known {
		valid = len(name) <= 64 && ValidZone(name)
		if len(in.zones) < mostZones {
			in.zones[name] = valid
		}
	}
	return valid
}

// newTags keeps a column that is no list of tags (an address, a comment) from becoming a million of them.
func (in *intake) newTags(tags []string) (reason string) {
	for _, tag := range tags {
		if !in.tags[tag] && len(in.tags) >= mostNewTags {
			return "The file has more than 1,000 different tags."
		}
		in.tags[tag] = true
	}
	return ""
}
