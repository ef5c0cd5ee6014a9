package sheet

import (
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"
)

// MostRows of one worksheet, its heading included; a longer table goes on in the next worksheet of the same file.
const MostRows = excelize.TotalRows

// xlsxFile streams rows to a temporary file, which becomes a worksheet of the archive at the end.
type xlsxFile struct {
	to      io.Writer
	book    *excelize.File
	stream  *excelize.StreamWriter
	heading []string
	sheets  int
	rows    int // of the present worksheet
	most    int
}

func newXLSX(to io.Writer) (*xlsxFile, error) {
	x := &xlsxFile{to: to, book: excelize.NewFile(), most: MostRows}
	return x, x.next()
}

// next begins a worksheet. The heading stays in view when one scrolls.
func (x *xlsxFile) next() (err error) {
	if x.stream != nil {
		if err = x.stream.Flush(); err != nil {
			return fmt.Errorf("ending a worksheet: %w", err)
		}
	}
	x.sheets, x.rows = x.sheets+1, 0
	name := fmt.Sprintf("Sheet%d", x.sheets)
	if _, err = x.book.NewSheet(name); err != nil { // the first one is there already, which is no error
		return fmt.Errorf("beginning a worksheet: %w", err)
	}
	if x.stream, err = x.book.NewStreamWriter(name); err != nil {
		return fmt.Errorf("beginning a worksheet: %w", err)
	}
	top := excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}
	if err = x.stream.SetPanes(&top); err != nil {
		return fmt.Errorf("beginning a worksheet: %w", err)
	}
	return nil
}

func (x *xlsxFile) Row(cells ...string) error {
	if x.heading == nil {
		x.heading = append([]string{}, cells...)
	}
	if x.rows == x.most {
		if err := x.next(); err != nil {
			return err
		}
		if err := x.put(x.heading); err != nil {
			return err
		}
	}
	return x.put(cells)
}

func (x *xlsxFile) put(cells []string) error {
	row := make([]any, len(cells))
	for i, cell := range cells {
		row[i] = cell // a string is written as text, never as a formula
	}
	x.rows++
	if err := x.stream.SetRow(fmt.Sprintf("A%d", x.rows), row); err != nil {
		return fmt.Errorf("writing row %d of worksheet %d: %w", x.rows, x.sheets, err)
	}
	return nil
}

func (x *xlsxFile) Close() error {
	defer func() { _ = x.book.Close() }() // removes the temporary files
	if err := x.stream.Flush(); err != nil {
		return fmt.Errorf("ending a worksheet: %w", err)
	}
	if err := x.book.Write(x.to); err != nil {
		return fmt.Errorf("writing the workbook: %w", err)
	}
	return nil
}
