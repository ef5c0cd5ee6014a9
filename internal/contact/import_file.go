package contact

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

const (
	chunkBytes  = 256 << 10
	sampleRows  = 5
	longestCell = 100 // characters of a sample
)

// Upload keeps a file for an import of its own, chunk by chunk, and returns it in the state uploaded, with a mapping
// suggested. A FileError says that it is no file of contacts; then, and when reading breaks off, nothing is kept.
func Upload(ctx context.Context, db *postgres.DB, company id.ID, by *id.ID, name string, file io.Reader) (made id.ID, err error) {
	made = id.New()
	if err := db.InCompany(ctx, company, func(tx postgres.Tx) error {
		if err := New(tx).deleteBrokenUploads(ctx, company); err != nil {
			return fmt.Errorf("removing broken uploads: %w", err)
		}
		if err := New(tx).insertImport(ctx, company, made, cleanFileName(name), by); err != nil {
			return fmt.Errorf("adding an import: %w", err)
		}
		return nil
	}); err != nil {
		return id.Nil, err
	}
	if err = upload(ctx, db, company, made, file); err == nil {
		return made, nil
	}
	// The request may be gone; what it left behind must go, too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	discarded := db.InCompany(ctx, company, func(tx postgres.Tx) error { return DiscardImport(ctx, tx, company, made) })
	return id.Nil, errors.Join(err, discarded)
}

func upload(ctx context.Context, db *postgres.DB, company, made id.ID, file io.Reader) error {
	size, buffer := int64(0), make([]byte, chunkBytes)
	for number := int32(0); ; number++ {
		n, err := io.ReadFull(file, buffer)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("reading the file: %w", err)
		}
		if number == 0 {
			if reason := notCSV(buffer[:n]); reason != "" {
				return FileError{reason}
			}
		}
		if n > 0 {
			if err := db.InCompany(ctx, company, func(tx postgres.Tx) error {
				return New(tx).insertChunk(ctx, company, made, number, buffer[:n])
			}); err != nil {
				return fmt.Errorf("keeping a part of the file: %w", err)
			}
			size += int64(n)
		}
		if err != nil {
			break
		}
	}
	columns, options, err := survey(&chunks{ctx: ctx, db: db, company: company, of: made})
	if err != nil {
		return err
	}
	mapping := suggest(columns, options.NoHeader)
	return db.InCompany(ctx, company, func(tx postgres.Tx) error {
		_, err := New(tx).uploadedImport(ctx, uploadedImportParams{CompanyID: company, ID: made, Bytes: size,
			Columns: asJSON(columns), Mapping: asJSON(mapping), Options: asJSON(options)})
		if err != nil {
			return fmt.Errorf("keeping what the file holds: %w", err)
		}
		return nil
	})
}

// notCSV recognises what people upload by mistake by its first bytes.
func notCSV(start []byte) (reason string) {
	for magic, reason := range map[string]string{
		"PK\x03\x04":       "It is an Excel or other zipped file. Open it in your spreadsheet, choose “Save as” → “CSV UTF-8”, and upload that.",
		"\xd0\xcf\x11\xe0": "It is an old Excel file. Open it in your spreadsheet, choose “Save as” → “CSV UTF-8”, and upload that.",
		"%PDF":             "It is a PDF. Export the contacts as CSV from where they come from, and upload that.",
		"\x1f\x8b":         "It is compressed. Unpack it and upload the CSV file inside.",
		"BEGIN:VCARD":      "It is a file of address cards (vCard). Export the contacts as CSV instead.",
		"{\\rtf":           "It is a text document. Save the table as CSV and upload that.",
		"<":                "It is a web page or XML. Export the contacts as CSV from where they come from.",
	} {
		if bytes.HasPrefix(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")), []byte(magic)) {
			return reason
		}
	}
	if len(bytes.TrimSpace(start)) == 0 {
		return "It is empty."
	}
	return ""
}

// survey reads the head of a file: its columns with their first cells, and whether the first line names them.
func survey(file io.Reader) ([]Column, ImportOptions, error) {
	var options ImportOptions
	r := newRows(file)
	header, err := r.header()
	switch {
	case errors.Is(err, io.EOF):
		return nil, options, FileError{"It is empty."}
	case err != nil:
		return nil, options, fmt.Errorf("reading the file: %w", err)
	case header.reason != "":
		return nil, options, FileError{"Its first line, which should name the columns, can't be read. " + header.reason}
	}
	options.NoHeader = slices.ContainsFunc(header.fields, isPhone)
	columns := make([]Column, len(header.fields))
	for i, title := range header.fields {
		columns[i] = Column{Title: cut(cell(title), longestCell), Samples: []string{}}
		if options.NoHeader {
			columns[i] = Column{Title: fmt.Sprintf("Column %d", i+1), Samples: []string{cut(cell(title), longestCell)}}
		}
	}
	for range sampleRows {
		read, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, options, fmt.Errorf("reading the file: %w", err)
		}
		for i := range min(len(columns), len(read.fields)) {
			columns[i].Samples = append(columns[i].Samples, cut(cell(read.fields[i]), longestCell))
		}
	}
	return columns, options, nil
}

// isPhone tells whether a cell can be nothing but a number with its country code.
func isPhone(field string) bool {
	field = cell(field)
	if len(field) < 9 || strings.Trim(field, "+0123456789 ()-./") != "" {
		return false
	}
	_, err := Phone(field, "")
	return err == nil
}

// cut makes of a cell what Postgres can keep, of at most so many characters.
func cut(text string, most int) string {
	text = strings.ReplaceAll(text, "\x00", "")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// chunks reads an import's file back.
type chunks struct {
	ctx     context.Context
	db      *postgres.DB
	company id.ID
	of      id.ID
	next    int32
	left    []byte
}

func (c *chunks) Read(into []byte) (int, error) {
	if len(c.left) == 0 {
		err := c.db.InCompany(c.ctx, c.company, func(tx postgres.Tx) (err error) {
			c.left, err = New(tx).readChunk(c.ctx, c.company, c.of, c.next)
			return err
		})
		if err := importError("reading an import's file", err); errors.Is(err, ErrNoImport) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, fmt.Errorf("reading an import's file: %w", err)
		}
		c.next++
	}
	n := copy(into, c.left)
	c.left = c.left[n:]
	return n, nil
}
