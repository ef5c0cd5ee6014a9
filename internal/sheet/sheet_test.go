package sheet_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"omnidesk/internal/sheet"
)

func written(t require.TestingT, format sheet.Format, rows ...[]string) []byte {
	var file bytes.Buffer
	w, err := sheet.New(format, &file)
	require.NoError(t, err)
	for _, row := range rows {
		require.NoError(t, w.Row(row...))
	}
	require.NoError(t, w.Close())
	return file.Bytes()
}

func TestCSVIsWrittenByTheBook(t *testing.T) {
	file := written(t, sheet.CSV, []string{"name", "phone", "note"}, []string{"Ana, \"Aninha\"", "+5511987650001", "two\nlines"},
		[]string{" space", "a;b", ""})
	require.Equal(t, "name,phone,note\r\n\"Ana, \"\"Aninha\"\"\",'+5511987650001,\"two\nlines\"\r\n\" space\",\"a;b\",\r\n", string(file))
}

func TestNoCellCanRun(t *testing.T) {
	for _, cell := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1"} {
		require.Equal(t, "'"+cell, sheet.Guard(cell))
		require.Equal(t, cell, sheet.Unguard(sheet.Guard(cell)))
	}
	for _, cell := range []string{"", "Ana", "5511", "'quoted'", "'", "a=b", "\xff="} {
		require.Equal(t, cell, sheet.Guard(cell))
		require.Equal(t, cell, sheet.Unguard(cell))
	}
}

func TestEveryCellComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 4).Draw(t, "width")
		cell := rapid.StringMatching(`[-=+@' ,;"a\x{e9}\n\t]{0,6}`)
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, width, width), 1, 4).Draw(t, "rows")
		read, err := csv.NewReader(bytes.NewReader(written(t, sheet.CSV, rows...))).ReadAll()
		require.NoError(t, err)
		for _, row := range read {
			for i := range row {
				require.NotContains(t, "=+-@\t\n", firstOf(row[i]))
				row[i] = sheet.Unguard(row[i])
			}
		}
		require.Equal(t, rows, read)
	})
}

func firstOf(cell string) string { return (cell + "x")[:1] }

func TestXLSXKeepsCellsAsText(t *testing.T) {
	rows := [][]string{{"phone", "note"}, {"+5511987650001", "=1+1"}, {"0012", "two\nlines & <tags>"}, {"", "\x01"}}
	book, err := excelize.OpenReader(bytes.NewReader(written(t, sheet.XLSX, rows...)))
	require.NoError(t, err)
	defer func() { require.NoError(t, book.Close()) }()
	rows[3][1] = "\uFFFD" // XML has no control characters
	read, err := book.GetRows("Sheet1")
	require.NoError(t, err)
	require.Equal(t, rows, read)
	formula, err := book.GetCellFormula("Sheet1", "B2")
	require.NoError(t, err)
	require.Empty(t, formula)
}

func TestABrokenStreamIsTold(t *testing.T) {
	for _, format := range []sheet.Format{sheet.CSV, sheet.XLSX} {
		w, err := sheet.New(format, broken{})
		require.NoError(t, err)
		for range 3 {
			_ = w.Row(strings.Repeat("x", 30<<10), strings.Repeat("y", 30<<10))
		}
		require.ErrorIs(t, w.Close(), errBroken)
	}
	_, err := sheet.New("pdf", broken{})
	require.ErrorContains(t, err, "want csv or xlsx")
}

var errBroken = errors.New("the reader went away")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }
