package contact

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"omnidesk/internal/sheet"
)

// Bounds of one row.
const (
	longestField = 64 << 10 // bytes
	mostColumns  = 200
)

const unclosed = "A quote opens here and is not closed as it should be; reading went on with the next line."

// row is one record of a CSV file, or why it could not be read.
type row struct {
	line   int // where it begins, or where the trouble begins
	fields []string
	column int    // of the trouble, from 0; -1: the whole row
	reason string // empty for a good row
}

// rows reads CSV in bounded memory. Unlike encoding/csv it goes on after trouble: a quote that is never closed
// costs the line it opens on and no other.
type rows struct {
	lines     *lines
	again     []line // read already, to be read once more
	delimiter byte
}

func newRows(file io.Reader) *rows { return &rows{lines: newLines(file), delimiter: ','} }

func (r *rows) line() (line, error) {
	if len(r.again) > 0 {
		next := r.again[0]
		r.again = r.again[1:]
		return next, nil
	}
	return r.lines.next()
}

// header reads the first row that is not blank and finds the delimiter in it. Excel's line "sep=;" is obeyed.
func (r *rows) header() (row, error) {
	for {
		first, err := r.line()
		if err != nil {
			return row{}, err
		}
		text := bytes.TrimSpace(first.text)
		if len(text) == 0 {
			continue
		}
		if len(text) == 5 && bytes.EqualFold(text[:4], []byte("sep=")) && bytes.IndexByte([]byte(",;|\t"), text[4]) >= 0 {
			r.delimiter = text[4]
			return r.next()
		}
		r.delimiter = delimiterOf(first.text)
		r.again = append([]line{first}, r.again...)
		return r.next()
	}
}

// delimiterOf takes the one of comma, semicolon and tab that is most frequent outside quotes.
func delimiterOf(text []byte) byte {
	counts := map[byte]int{}
	quoted := false
	for _, b := range text {
		if b == '"' {
			quoted = !quoted
		} else if !quoted {
			counts[b]++
		}
	}
	best := byte(',')
	for _, candidate := range []byte{';', '\t'} {
		if counts[candidate] > counts[best] {
			best = candidate
		}
	}
	return best
}

// next returns the next row that is not blank, good or bad, or io.EOF.
func (r *rows) next() (row, error) {
	first, err := r.line()
	for err == nil && !first.tooLong && len(bytes.TrimSpace(first.text)) == 0 {
		first, err = r.line()
	}
	if err != nil {
		return row{}, err
	}
	p := parser{delimiter: r.delimiter}
	for held := []line{first}; ; {
		current := held[len(held)-1]
		if current.tooLong {
			if len(held) > 1 {
				return r.reopen(held, p.openedAt), nil
			}
			return row{line: current.number, column: -1, reason: "The line is longer than 1 MiB."}, nil
		}
		switch reason := p.feed(current.text, len(held)-1); {
		case reason != "" && len(held) > 1:
			return r.reopen(held, p.openedAt), nil
		case reason != "":
			return row{line: current.number, column: len(p.fields), reason: reason}, nil
		case !p.inQuote:
			return row{line: first.number, fields: p.fields, column: -1}, nil
		}
		following, err := r.line()
		if errors.Is(err, io.EOF) {
			return r.reopen(held, p.openedAt), nil
		}
		if err != nil {
			return row{}, err
		}
		held = append(held, following)
	}
}

// reopen gives up the line on which a quote opened and reads those after it once more, as rows of their own.
// No line is read more than a few times: whichever holds another quote would have closed the first.
func (r *rows) reopen(held []line, openedAt int) row {
	rest := held[openedAt+1:]
	r.again = append(rest[:len(rest):len(rest)], r.again...)
	return row{line: held[openedAt].number, column: -1, reason: unclosed}
}

// parser splits one record, which may go over several lines.
type parser struct {
	delimiter byte
	fields    []string
	field     []byte
	inQuote   bool
	closed    bool // a quoted field has ended; only a delimiter may follow
	openedAt  int  // which of the lines fed has the last opening quote
}

// feed takes the line with the given place in the record. It returns a reason when the record is bad; else
// inQuote tells whether the record goes on in the next line.
func (p *parser) feed(text []byte, place int) (reason string) {
	if p.inQuote {
		p.field = append(p.field, '\n')
	}
	for len(text) > 0 || p.inQuote {
		switch {
		case len(p.field) > longestField:
			return "A field is longer than 64 KiB."
		case len(p.fields) >= mostColumns:
			return "The row has more than 200 columns."
		case p.inQuote:
			end := bytes.IndexByte(text, '"')
			if end < 0 {
				p.field = append(p.field, text...)
				if len(p.field) > longestField {
					return "A field is longer than 64 KiB."
				}
				return ""
			}
			p.field = append(p.field, text[:end]...)
			text = text[end+1:]
			if len(text) > 0 && text[0] == '"' {
				p.field, text = append(p.field, '"'), text[1:]
			} else {
				p.inQuote, p.closed = false, true
			}
		case text[0] == p.delimiter:
			p.end()
			text = text[1:]
		case p.closed && (text[0] == ' ' || text[0] == '\t'):
			text = text[1:]
		case p.closed:
			return "Text follows a closing quote."
		default:
			text = p.plain(text, place)
		}
	}
	if len(p.fields) >= mostColumns {
		return "The row has more than 200 columns."
	}
	if len(p.field) > longestField {
		return "A field is longer than 64 KiB."
	}
	p.end()
	return ""
}

// plain takes text up to the next delimiter, or the quote that opens a quoted one.
func (p *parser) plain(text []byte, place int) []byte {
	if trimmed := bytes.TrimLeft(text, " "); len(p.field) == 0 && len(trimmed) > 0 && trimmed[0] == '"' {
		p.inQuote, p.openedAt = true, place
		return trimmed[1:]
	}
	end := bytes.IndexByte(text, p.delimiter)
	if end < 0 {
		end = len(text)
	}
	p.field = append(p.field, text[:end]...)
	return text[end:]
}

func (p *parser) end() {
	p.fields = append(p.fields, string(p.field))
	p.field, p.closed = p.field[:0], false
}

// cell is a field as a person meant it: trimmed, and without the quote that exports put before what a spreadsheet would
// take for a formula.
func cell(field string) string {
	return strings.TrimSpace(sheet.Unguard(strings.TrimSpace(field)))
}
