package contact_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

func list(t *testing.T, db *postgres.DB, company id.ID) map[string]contact.Contact {
	t.Helper()
	found := map[string]contact.Contact{}
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		before := contact.First
		for {
			page, next, err := contact.List(t.Context(), tx, company, contact.Query{}, before, 200)
			for _, c := range page {
				found[c.Phone] = c
			}
			if err != nil || next == nil {
				return err
			}
			before = *next
		}
	}))
	return found
}

func tagNames(c contact.Contact) (names []string) {
	for _, tag := range c.Tags {
		names = append(names, tag.Name)
	}
	return names
}

func TestAnImportKeepsGoodRowsAndReportsBadOnes(t *testing.T) {
	db := pgtest.New(t)
	company := pgtest.Company(t, db)
	file := "Phone;Name;Zone;Tags;Cidade\r\n" +
		"'+5511990000100;Ana;America/Manaus;vip;Manaus\r\n" + // 2
		"(11) 99000-0101;João;;vip|b;\r\n" + // 3
		"12;Too short;;;\r\n" + // 4
		"+5511990000102;Zoe;Mars/Olympus;;\r\n" + // 5
		"+5511990000103;\"open;;;\r\n" + // 6
		"+5511990000104;Bia;;;;;extra\r\n" + // 7
		";Nobody;;;\r\n" + // 8
		"+5511990000100;Ana Maria;;new;\r\n" + // 9: again
		"+5511990000105;Last\x00;;;\r\n" // 10
	report, err := contact.Import(t.Context(), db, company, strings.NewReader(file), contact.ImportOptions{Region: "BR", Tag: "june"})
	require.NoError(t, err)
	reasons := map[int]string{}
	for _, bad := range report.BadRows {
		reasons[bad.Line] = bad.Column + ": " + bad.Reason
	}
	require.Equal(t, map[int]string{
		4:  "Phone: The phone is not a phone number that can exist.",
		5:  "Zone: The zone is not an IANA name such as America/Sao_Paulo.",
		6:  ": A quote opens here and is not closed as it should be; reading went on with the next line.",
		7:  ": The row has more cells than the first line has titles.",
		8:  "Phone: The phone is empty.",
		10: "Name: The name is not valid text.",
	}, reasons)
	require.Equal(t, contact.Report{Read: 9, Added: 2, Duplicates: 1, Rejected: 6, BadRows: report.BadRows}, report)
	for _, reason := range reasons {
		require.NotContains(t, reason, "Too short")
	}

	found := list(t, db, company)
	require.Len(t, found, 2)
	ana := found["+5511990000100"]
	require.Equal(t, "Ana Maria", ana.Name, "the last row of a phone counts")
	require.Nil(t, ana.Zone)
	require.Equal(t, []string{"june", "new"}, tagNames(ana))
	require.Equal(t, "João", found["+5511990000101"].Name)
}

func TestASecondImportChangesOnlyWhatTheFileSays(t *testing.T) {
	db := pgtest.New(t)
	company := pgtest.Company(t, db)
	load := func(file string) contact.Report {
		report, err := contact.Import(t.Context(), db, company, strings.NewReader(file), contact.ImportOptions{})
		require.NoError(t, err)
		return report
	}
	first := load("phone,first_name,zone,city,tags\n+5511990000100,Ana,America/Manaus,Manaus,vip\n+5511990000101,Bia,,,\n+5511990000102,Caio,,,\n")
	require.Equal(t, 3, first.Added)
	second := load("phone,name,city,tags\n+5511990000100,,Recife,\n+5511990000101,Bia,,vip\n+5511990000102,,,\n+5511990000103,Duda,,\n")
	require.Equal(t, contact.Report{Read: 4, Added: 1, Updated: 2, Unchanged: 1, BadRows: second.BadRows}, second)

	ana := list(t, db, company)["+5511990000100"]
	require.Equal(t, "Ana", ana.Name)
	require.Equal(t, "America/Manaus", *ana.Zone)
	require.Equal(t, map[string]string{"first_name": "Ana", "city": "Recife"}, ana.Attributes)
	require.Equal(t, []string{"vip"}, tagNames(ana))
}

func TestFilesThatCannotBeImportedSayWhy(t *testing.T) {
	db := pgtest.New(t)
	company := pgtest.Company(t, db)
	for name, c := range map[string]struct{ file, says string }{
		"empty":       {"", "empty"},
		"no phone":    {"name,city\nAna,Recife\n", `no column "phone"`},
		"twice":       {"phone,City,city\n", "same title"},
		"open header": {"phone,\"name\n+5511990000100,Ana\n", "first line"},
		"wide":        {"phone" + titles(51) + "\n", "at most 50"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := contact.Import(t.Context(), db, company, strings.NewReader(c.file), contact.ImportOptions{})
			var file contact.FileError
			require.ErrorAs(t, err, &file)
			require.Contains(t, file.Reason, c.says)
		})
	}
	require.Empty(t, list(t, db, company))
}

func titles(n int) (titles string) {
	for i := range n {
		titles += fmt.Sprintf(",c%d", i)
	}
	return titles
}

type broken struct{ reader io.Reader }

func (b broken) Read(buffer []byte) (int, error) {
	n, err := b.reader.Read(buffer)
	if errors.Is(err, io.EOF) {
		err = errors.New("the connection broke")
	}
	return n, err
}

func TestManyBatchesAndABrokenUpload(t *testing.T) {
	db := pgtest.New(t)
	company := pgtest.Company(t, db)
	var file strings.Builder
	file.WriteString("phone,name\n")
	for i := range 2500 {
		fmt.Fprintf(&file, "+55119900%05d,Contact %d\n", i, i)
	}
	file.WriteString("+5511990000000,Again\n")
	for i := range contact.MostBadRows + 5 {
		fmt.Fprintf(&file, "%d,bad\n", i)
	}
	report, err := contact.Import(t.Context(), db, company, broken{strings.NewReader(file.String())}, contact.ImportOptions{})
	require.ErrorContains(t, err, "the connection broke")
	require.Equal(t, 2000, report.Added, "whole batches before the break are kept")

	report, err = contact.Import(t.Context(), db, company, strings.NewReader(file.String()), contact.ImportOptions{})
	require.NoError(t, err)
	require.Equal(t, 500, report.Added)
	require.Equal(t, 2000, report.Unchanged)
	require.Equal(t, 1, report.Duplicates)
	require.Equal(t, contact.MostBadRows+5, report.Rejected)
	require.Len(t, report.BadRows, contact.MostBadRows)
	require.Equal(t, "Again", list(t, db, company)["+5511990000000"].Name)
}

func TestContactsOfAnotherCompanyAreOutOfReach(t *testing.T) {
	ctx, db := context.Background(), pgtest.New(t)
	mine, theirs := pgtest.Company(t, db), pgtest.Company(t, db)
	var made contact.Contact
	require.NoError(t, db.InCompany(ctx, mine, func(tx postgres.Tx) (err error) {
		made, err = contact.Create(ctx, tx, mine, contact.Draft{Name: "Ana", Phone: "+5511990000100", Tags: []string{"vip"}})
		return err
	}))
	err := db.InCompany(ctx, theirs, func(tx postgres.Tx) error {
		_, err := contact.Get(ctx, tx, theirs, made.ID)
		require.ErrorIs(t, err, contact.ErrNotFound)
		_, err = contact.Update(ctx, tx, theirs, made.ID, contact.Change{}, time.Now())
		require.ErrorIs(t, err, contact.ErrNotFound)
		_, _, err = contact.List(ctx, tx, theirs, contact.Query{Tag: &made.Tags[0].ID}, contact.First, 10)
		require.ErrorIs(t, err, contact.ErrNoTag)
		known, _, err := contact.OpenWindow(ctx, tx, theirs, id.New(), channel.Address{Kind: "phone", Value: made.Phone}, time.Now())
		require.False(t, known)
		return err
	})
	require.NoError(t, err)
}
