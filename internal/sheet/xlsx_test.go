package sheet

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
)

func TestALongTableGoesOnInTheNextWorksheet(t *testing.T) {
	var file bytes.Buffer
	x, err := newXLSX(&file)
	require.NoError(t, err)
	x.most = 3
	for _, cell := range []string{"heading", "1", "2", "3"} {
		require.NoError(t, x.Row(cell))
	}
	require.NoError(t, x.Close())
	book, err := excelize.OpenReader(&file)
	require.NoError(t, err)
	defer func() { require.NoError(t, book.Close()) }()
	first, err := book.GetRows("Sheet1")
	require.NoError(t, err)
	second, err := book.GetRows("Sheet2")
	require.NoError(t, err)
	require.Equal(t, [][]string{{"heading"}, {"1"}, {"2"}}, first)
	require.Equal(t, [][]string{{"heading"}, {"3"}}, second)
}
