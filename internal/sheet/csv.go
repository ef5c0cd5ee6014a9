package sheet

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"
)

// What a spreadsheet takes for the beginning of a formula, and what hides it: Excel passes over tabs and line ends.
// The wide forms count in East Asian editions.
const dangerous = "=+-@\t\r\n\x00＝＋－＠"

// Guard returns a cell that no spreadsheet takes for a formula: one that begins like a formula gets an apostrophe, and
// so does one that begins with apostrophes before such a beginning, so that Unguard gives back each cell as it was.
func Guard(cell string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, "'"))
	if first != utf8.RuneError && strings.ContainsRune(dangerous, first) {
		return "'" + cell
	}
	return cell
}

// Unguard takes off the apostrophe that Guard puts on: for reading a file that was exported here.
func Unguard(cell string) string {
	if rest, quoted := strings.CutPrefix(cell, "'"); quoted && Guard(rest) == cell {
		return rest
	}
	return cell
}

// csvFile writes RFC 4180: commas, CRLF, UTF-8 without a byte order mark. encoding/csv leaves a lone carriage return
// and a leading space unquoted, which spreadsheets read differently; here every cell that is not plain is quoted.
type csvFile struct{ to *bufio.Writer }

func newCSV(to io.Writer) *csvFile { return &csvFile{bufio.NewWriterSize(to, 64<<10)} }

// Row writes one row. The buffer keeps the first error, so that one look at the end is enough.
func (c *csvFile) Row(cells ...string) error {
	for i, cell := range cells {
		if i > 0 {
			_ = c.to.WriteByte(',')
		}
		c.cell(Guard(cell), len(cells) == 1)
	}
	_, err := c.to.WriteString("\r\n")
	return err
}

// cell quotes what is not plain. The only cell of a row is quoted when empty: a blank line is no row.
func (c *csvFile) cell(text string, alone bool) {
	if !strings.ContainsAny(text, ",;\"\r\n\t\x00") && strings.TrimSpace(text) == text && (!alone || text != "") {
		_, _ = c.to.WriteString(text)
		return
	}
	_ = c.to.WriteByte('"')
	_, _ = c.to.WriteString(strings.ReplaceAll(text, `"`, `""`))
	_ = c.to.WriteByte('"')
}

func (c *csvFile) Close() error { return c.to.Flush() }
