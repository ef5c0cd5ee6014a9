// Package sheet writes tables that people open in a spreadsheet: row by row, in flat memory, and so that no cell can
// run as a formula.
package sheet

import (
	"fmt"
	"io"
)

// Format is the kind of a file.
type Format string

// The formats. A CSV cell that a spreadsheet could take for a formula carries an apostrophe; XLSX cells are text and
// stay as they are, which makes it the cleaner form for phone numbers.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// Writer takes a table row by row; the first row is its heading. Close ends the file, removes what was put on disk and
// leaves the stream under it open; it must be called after an error, too, which leaves the file not whole.
type Writer interface {
	Row(cells ...string) error
	Close() error
}

// New returns a Writer for a format. CSV reaches the stream as rows are written; XLSX is put on disk first and reaches
// it with Close.
func New(format Format, to io.Writer) (Writer, error) {
	switch format {
	case CSV:
		return newCSV(to), nil
	case XLSX:
		return newXLSX(to)
	}
	return nil, fmt.Errorf("sheet format %q: want csv or xlsx", format)
}

// MediaType is for the header Content-Type.
func (f Format) MediaType() string {
	if f == XLSX {
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return "text/csv; charset=utf-8; header=present"
}
