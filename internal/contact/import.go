package contact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// MostBadRows is how many bad rows a report lists; all of them are counted.
const MostBadRows = 1000

// BadRow is one row of a file that was left out.
type BadRow struct {
	Line   int    // where it begins, from 1
	Column string // the title of the column, or empty when the row as a whole is unfit
	Reason string // one sentence, without the value
}

// Report tells what an import did. Read = Added + Updated + Unchanged + Duplicates + Rejected.
type Report struct {
	Read, Added, Updated, Unchanged int
	Duplicates                      int // rows whose phone came before in the same file; the last one counts
	Rejected                        int
	BadRows                         []BadRow
}

// FileError says why a file as a whole can't be imported.
type FileError struct{ Reason string }

func (e FileError) Error() string { return e.Reason }

// ImportOptions of one file.
type ImportOptions struct {
	Tag    string // added to every contact of the file
	Region string // of numbers without a country code, such as BR
}

// Import reads a CSV file and adds or updates a contact for each row, found by its phone. Good rows are kept in
// batches, each a transaction of its own; bad ones are reported. Empty cells change nothing. Memory does not
// grow with the file. A FileError says that nothing could be read; after any other error the report tells what
// was kept before it.
func Import(ctx context.Context, db *postgres.DB, company id.ID, file io.Reader, options ImportOptions) (Report, error) {
	tag, err := cleanText("tag", options.Tag, longestName)
	if err != nil {
		return Report{}, FileError{"The tag is unfit: " + err.Error() + "."}
	}
	i := &importer{db: db, company: company, tag: tag, region: options.Region, rows: newRows(file), batch: map[string]*entry{},
		zones: map[string]bool{}, tags: map[string]bool{}}
	if tag != "" {
		i.tags[tag] = true
	}
	if err := i.readHeader(); err != nil {
		return Report{}, err
	}
	for {
		read, err := i.rows.next()
		if errors.Is(err, io.EOF) {
			return i.report, i.flush(ctx)
		}
		if err != nil {
			return i.report, fmt.Errorf("reading the file: %w", err)
		}
		i.take(read)
		if len(i.batch) >= batchRows || i.bytes >= batchBytes {
			if err := i.flush(ctx); err != nil {
				return i.report, err
			}
		}
	}
}

// Bounds of an import.
const (
	batchRows   = 1000
	batchBytes  = 2 << 20
	mostNewTags = 1000
	mostZones   = 1000 // different values of the zone column that are remembered
)

type importer struct {
	db      *postgres.DB
	company id.ID
	tag     string
	region  string
	rows    *rows
	titles  []string // as written
	columns []string // phone, name, zone, tags, an attribute's name, or empty for a column to pass over
	report  Report
	batch   map[string]*entry // by phone
	order   []string
	bytes   int
	seen    seen
	zones   map[string]bool
	tags    map[string]bool
}

// entry is what the rows of one phone in this batch say.
type entry struct {
	phone, name, zone string
	tags              []string
	attributes        map[string]string
	repeated          bool // its phone came in an earlier batch
}

func (i *importer) readHeader() error {
	header, err := i.rows.header()
	switch {
	case errors.Is(err, io.EOF):
		return FileError{"It is empty."}
	case err != nil:
		return fmt.Errorf("reading the file: %w", err)
	case header.reason != "":
		return FileError{"Its first line, which must name the columns, can't be read. " + header.reason}
	}
	known := map[string]bool{}
	attributes := 0
	for _, title := range header.fields {
		title = cell(title)
		column := AttributeName(title)
		if column != "" && known[column] {
			return FileError{"Two columns have the same title: " + column + "."}
		}
		known[column] = true
		if column != "" && !builtin[column] {
			attributes++
		}
		i.titles, i.columns = append(i.titles, title), append(i.columns, column)
	}
	if !known["phone"] {
		return FileError{`Its first line has no column "phone". The first line must name the columns, for example: phone,name,tags`}
	}
	if attributes > MostAttributes {
		return FileError{fmt.Sprintf("It has %d columns of its own; at most %d are kept with a contact.", attributes, MostAttributes)}
	}
	return nil
}

// take reads one row into the batch.
func (i *importer) take(read row) {
	i.report.Read++
	if read.reason != "" {
		i.reject(read.line, read.column, read.reason)
		return
	}
	e, column, reason := i.entry(read.fields)
	if reason != "" {
		i.reject(read.line, column, reason)
		return
	}
	for _, field := range read.fields {
		i.bytes += len(field)
	}
	if earlier := i.batch[e.phone]; earlier != nil {
		i.report.Duplicates++
		e.repeated = earlier.repeated
		*earlier = *e
		return
	}
	e.repeated = i.seen.add(e.phone)
	i.batch[e.phone] = e
	i.order = append(i.order, e.phone)
}

func (i *importer) reject(line, column int, reason string) {
	i.report.Rejected++
	if len(i.report.BadRows) >= MostBadRows {
		return
	}
	bad := BadRow{Line: line, Reason: reason}
	if column >= 0 && column < len(i.titles) {
		bad.Column = i.titles[column]
	}
	i.report.BadRows = append(i.report.BadRows, bad)
}

// entry reads the cells of a row; the reason is empty for a good one.
func (i *importer) entry(fields []string) (e *entry, column int, reason string) {
	e = &entry{attributes: map[string]string{}}
	for at, field := range fields {
		value := cell(field)
		if at >= len(i.columns) {
			if value != "" {
				return nil, -1, "The row has more cells than the first line has titles."
			}
			continue
		}
		if reason := i.read(e, i.columns[at], value); reason != "" {
			return nil, at, reason
		}
	}
	if e.phone == "" {
		return nil, slices.Index(i.columns, "phone"), "The phone is empty."
	}
	if e.name == "" {
		e.name = e.attributes["first_name"]
	}
	if i.tag != "" && !slices.Contains(e.tags, i.tag) {
		e.tags = append(e.tags, i.tag)
	}
	return e, -1, ""
}

func (i *importer) read(e *entry, column, value string) (reason string) {
	if column == "" || value == "" {
		return ""
	}
	var err error
	switch column {
	case "phone":
		if e.phone, err = Phone(value, i.region); err != nil {
			return "The phone " + err.Error() + "."
		}
	case "name":
		e.name, err = cleanText("The name", value, longestName)
	case "zone":
		if !i.validZone(value) {
			return "The zone is not an IANA name such as America/Sao_Paulo."
		}
		e.zone = value
	case "tags":
		if e.tags, err = cleanTags(strings.Split(value, ";")); err == nil {
			return i.newTags(e.tags)
		}
	default:
		e.attributes[column], err = cleanText("The value", value, longestAttr)
	}
	var invalid InvalidError
	if errors.As(err, &invalid) {
		return invalid.Field + " " + invalid.Reason + "."
	}
	return ""
}

// validZone remembers: to look up a zone reads a file.
func (i *importer) validZone(name string) bool {
	valid, known := i.zones[name]
	if !known {
		valid = len(name) <= 64 && ValidZone(name)
		if len(i.zones) < mostZones {
			i.zones[name] = valid
		}
	}
	return valid
}

// newTags keeps a column that is no list of tags (an address, a comment) from becoming a million of them.
func (i *importer) newTags(tags []string) (reason string) {
	for _, tag := range tags {
		if !i.tags[tag] && len(i.tags) >= mostNewTags {
			return "The file has more than 1,000 different tags."
		}
		i.tags[tag] = true
	}
	return ""
}
