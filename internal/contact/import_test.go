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

// house is a company and what a person would do with its imports.
type house struct {
	*testing.T
	db      *postgres.DB
	company id.ID
}

func newHouse(t *testing.T) *house {
	db := pgtest.New(t)
	return &house{t, db, pgtest.Company(t, db)}
}

func (h *house) tx(do func(postgres.Tx) error) error {
	return h.db.InCompany(context.Background(), h.company, do)
}

func (h *house) upload(file string) id.ID {
	h.Helper()
	made, err := contact.Upload(h.Context(), h.db, h.company, nil, "people.csv", strings.NewReader(file))
	require.NoError(h, err)
	return made
}

func (h *house) get(of id.ID) (i contact.Import) {
	h.Helper()
	require.NoError(h, h.tx(func(tx postgres.Tx) (err error) {
		i, err = contact.GetImport(h.Context(), tx, h.company, of)
		return err
	}))
	return i
}

// ready uploads a file and has it read; change may choose columns and options.
func (h *house) ready(file string, change func(*contact.Import)) contact.Import {
	h.Helper()
	i := h.get(h.upload(file))
	if change != nil {
		change(&i)
		require.NoError(h, h.tx(func(tx postgres.Tx) error {
			return contact.Remap(h.Context(), tx, h.company, i.ID, i.Version, i.Mapping, i.Options)
		}))
	}
	require.NoError(h, contact.CheckImport(h.Context(), h.db, h.company, i.ID))
	return h.get(i.ID)
}

func (h *house) start(i contact.Import) {
	h.Helper()
	require.NoError(h, h.tx(func(tx postgres.Tx) error {
		return contact.StartImport(h.Context(), tx, h.company, i.ID, i.Version, time.Now())
	}))
}

func always() bool { return true }

// load takes a file from the upload to its end.
func (h *house) load(file string, change func(*contact.Import)) contact.Import {
	h.Helper()
	i := h.ready(file, change)
	h.start(i)
	require.NoError(h, contact.RunImport(h.Context(), h.db, h.company, i.ID, always))
	return h.get(i.ID)
}

func (h *house) undo(of id.ID) contact.UndoCounts {
	h.Helper()
	require.NoError(h, h.tx(func(tx postgres.Tx) error {
		return contact.StartUndo(h.Context(), tx, h.company, of, time.Now())
	}))
	require.NoError(h, contact.UndoImport(h.Context(), h.db, h.company, of, always))
	i := h.get(of)
	require.Equal(h, contact.ImportUndone, i.State)
	return *i.Counts.Undo
}

func (h *house) forecast(of id.ID) (counts contact.UndoCounts) {
	h.Helper()
	require.NoError(h, h.tx(func(tx postgres.Tx) (err error) {
		counts, err = contact.ForecastUndo(h.Context(), tx, h.company, of)
		return err
	}))
	return counts
}

func (h *house) refused(of id.ID) (rows []contact.Refused) {
	h.Helper()
	require.NoError(h, h.tx(func(tx postgres.Tx) (err error) {
		rows, err = contact.RefusedRows(h.Context(), tx, h.company, of, 0, 100)
		return err
	}))
	return rows
}

// people are all contacts by phone.
func (h *house) people() map[string]contact.Contact {
	h.Helper()
	found := map[string]contact.Contact{}
	require.NoError(h, h.tx(func(tx postgres.Tx) error {
		before := contact.First
		for {
			page, next, err := contact.List(h.Context(), tx, h.company, contact.Query{}, before, 200)
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

func (h *house) exec(sql string, args ...any) {
	h.Helper()
	_, err := pgtest.Owner(h.T, h.db).Exec(h.Context(), sql, args...)
	require.NoError(h, err)
}

func (h *house) number(sql string, args ...any) (n int) {
	h.Helper()
	require.NoError(h, pgtest.Owner(h.T, h.db).QueryRow(h.Context(), sql, args...).Scan(&n))
	return n
}

func tagNames(c contact.Contact) (names []string) {
	for _, tag := range c.Tags {
		names = append(names, tag.Name)
	}
	return names
}

func inBrazil(i *contact.Import) {
	i.Options.Region, i.Options.Tags = "br", []string{"june"}
}

const mixed = "Telefone;Nome;Zone;Tags;Cidade\r\n" +
	"'+5511990000100;Ana;America/Manaus;vip;Manaus\r\n" + // 2
	"(11) 99000-0101;João;;vip, old|b;\r\n" + // 3
	"12;Too short;;;\r\n" + // 4
	"+5511990000102;Zoe;Mars/Olympus;;\r\n" + // 5
	"+5511990000103;\"open;;;\r\n" + // 6
	"+5511990000104;Bia;;;;;extra\r\n" + // 7
	";Nobody;;;\r\n" + // 8
	"+5511990000100;Ana Maria;;new;\r\n" + // 9: again
	"+5511990000105;Last\x00;;;\r\n" + // 10
	"+5592990000106;Rui;;;\r\n" // 11

func TestAnImportKeepsGoodRowsAndListsTheOthers(t *testing.T) {
	h := newHouse(t)
	i := h.load(mixed, inBrazil)
	require.Equal(t, contact.ImportFinished, i.State)
	require.Equal(t, contact.ImportCounts{Read: 10, Added: 3, Duplicates: 1, Refused: 6}, i.Counts)
	reasons, cells := map[int]string{}, map[int][]string{}
	for _, bad := range h.refused(i.ID) {
		reasons[bad.Row], cells[bad.Row] = bad.Title+": "+bad.Reason, bad.Cells
	}
	require.Equal(t, map[int]string{
		4:  "Telefone: The phone is not a phone number that can exist.",
		5:  "Zone: The zone is not an IANA name such as America/Sao_Paulo.",
		6:  ": A quote opens here and is not closed as it should be; reading went on with the next line.",
		7:  ": The row has more cells than the first line.",
		8:  "Telefone: The phone is empty.",
		9:  "Telefone: The number is that of line 2, which counts.",
		10: "Nome: The name is not valid text.",
	}, reasons)
	require.Equal(t, []string{"+5511990000105", "Last", "", "", ""}, cells[10], "the cells come along, to be mended")

	found := h.people()
	require.Len(t, found, 3)
	ana := found["+5511990000100"]
	require.Equal(t, "Ana", ana.Name, "the first row of a number counts")
	require.Equal(t, "America/Manaus", *ana.Zone)
	require.Equal(t, map[string]string{"cidade": "Manaus"}, ana.Attributes)
	require.Equal(t, []string{"june", "vip"}, tagNames(ana))
	require.Equal(t, []string{"b", "june", "old", "vip"}, tagNames(found["+5511990000101"]))
	require.Zero(t, h.number(`SELECT count(*) FROM import_chunks`), "the file is gone")
	require.Zero(t, h.number(`SELECT count(*) FROM imports WHERE columns::text LIKE '%Ana%'`), "so are its samples")
	require.Equal(t, 3, h.number(`SELECT count(*) FROM import_rows WHERE import_id = $1 AND outcome = 'added' AND before IS NULL`, i.ID))
}

func TestThePreviewSaysWhatTheRunThenDoes(t *testing.T) {
	h := newHouse(t)
	h.load("phone,name\n+5511990000101,João\n", nil)
	i := h.ready(mixed, inBrazil)
	require.Equal(t, contact.ImportReady, i.State)
	p := i.Preview
	require.Equal(t, []int{10, 2, 1, 1, 6}, []int{p.Rows, p.New, p.Known, p.Duplicates, p.Refused})
	require.Equal(t, []contact.Share{{Name: "America/Manaus", Rows: 2}, {Name: "America/Sao_Paulo", Rows: 1}}, p.Zones, "by the file's column, else by the number")
	require.Len(t, p.Bad, 6)
	require.Equal(t, contact.Bad{Row: 4, Title: "Telefone", Reason: "The phone is not a phone number that can exist."}, p.Bad[0])
	require.Len(t, p.Reasons, 6)
	require.Len(t, h.people(), 1, "nothing is changed before the start")
	h.start(i)
	require.NoError(t, contact.RunImport(t.Context(), h.db, h.company, i.ID, always))
	require.Equal(t, contact.ImportCounts{Read: 10, Added: 2, Updated: 1, Duplicates: 1, Refused: 6}, h.get(i.ID).Counts)
}

func TestAnImportChangesOnlyWhatTheFileSays(t *testing.T) {
	h := newHouse(t)
	first := h.load("phone,first_name,zone,city,tags\n+5511990000100,Ana,America/Manaus,Manaus,vip\n+5511990000101,Bia,,,\n+5511990000102,Caio,,,\n", nil)
	require.Equal(t, 3, first.Counts.Added)
	second := "phone,name,city,tags\n+5511990000100,,Recife,\n+5511990000101,Bia,,vip\n+5511990000102,,,\n+5511990000103,Duda,,\n"
	kept := h.load(second, func(i *contact.Import) { i.Options.KeepExisting, i.Options.Tags = true, []string{"second"} })
	require.Equal(t, contact.ImportCounts{Read: 4, Added: 1, Unchanged: 3}, kept.Counts)
	require.Equal(t, []string{"vip"}, tagNames(h.people()["+5511990000100"]))

	again := h.load(second, nil)
	require.Equal(t, contact.ImportCounts{Read: 4, Updated: 2, Unchanged: 2}, again.Counts)
	ana := h.people()["+5511990000100"]
	require.Equal(t, "Ana", ana.Name)
	require.Equal(t, "America/Manaus", *ana.Zone)
	require.Equal(t, map[string]string{"first_name": "Ana", "city": "Recife"}, ana.Attributes)
	require.Equal(t, 4, h.number(`SELECT count(*) FROM import_rows WHERE import_id = $1`, again.ID), "every contact of the file is known by it, changed or not")
}

func TestFilesThatAreNoContactsSayWhatToDo(t *testing.T) {
	h := newHouse(t)
	for name, c := range map[string]struct{ file, says string }{
		"empty":       {"", "empty"},
		"blank":       {" \n\n", "empty"},
		"xlsx":        {"PK\x03\x04\x14\x00", "CSV UTF-8"},
		"xls":         {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"},
		"pdf":         {"%PDF-1.7", "PDF"},
		"gzip":        {"\x1f\x8b\x08", "Unpack"},
		"vcard":       {"\xef\xbb\xbfBEGIN:VCARD\r\n", "vCard"},
		"html":        {"<!doctype html>", "web page"},
		"open header": {"phone,\"name\n+5511990000100,Ana\n", "first line"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := contact.Upload(t.Context(), h.db, h.company, nil, "x.csv", strings.NewReader(c.file))
			var file contact.FileError
			require.ErrorAs(t, err, &file)
			require.Contains(t, file.Reason, c.says)
		})
	}
	_, err := contact.Upload(t.Context(), h.db, h.company, nil, "x.csv", &broken{strings.NewReader("phone\n" + strings.Repeat("+5511990000100\n", 40_000))})
	require.ErrorContains(t, err, "the connection broke")
	require.Zero(t, h.number(`SELECT count(*) FROM imports`)+h.number(`SELECT count(*) FROM import_chunks`), "nothing of them is kept")
}

type broken struct{ reader io.Reader }

func (b broken) Read(buffer []byte) (int, error) {
	n, err := b.reader.Read(buffer)
	if errors.Is(err, io.EOF) {
		err = errors.New("the connection broke")
	}
	return n, err
}

func TestColumnsAreGuessed(t *testing.T) {
	h := newHouse(t)
	fields := func(i contact.Import) (names []string) {
		for _, target := range i.Mapping {
			names = append(names, strings.TrimSuffix(target.Field+":"+target.Attribute, ":"))
		}
		return names
	}
	i := h.get(h.upload("Nome Completo;WhatsApp;Etiquetas;Fuso horário;Endereço (casa);;Nome\nAna;+5511990000100;vip;America/Manaus;Rua 1;x;y\n"))
	require.Equal(t, []string{"name", "phone", "tags", "zone", "attribute:endereço_casa", "skip", "attribute:nome"}, fields(i))
	require.Equal(t, contact.Column{Title: "WhatsApp", Samples: []string{"+5511990000100"}}, i.Columns[1])

	i = h.get(h.upload("who\tline\nAna\t+55 11 99000-0100\nBia\t+55 11 99000-0101\n"))
	require.Equal(t, []string{"attribute:who", "phone"}, fields(i), "a phone is known by its cells, too")

	headless := "+5511990000100,Ana\n+5511990000101,Bia\n"
	i = h.get(h.upload(headless))
	require.True(t, i.Options.NoHeader)
	require.Equal(t, []string{"phone", "skip"}, fields(i))
	i = h.load(headless, func(i *contact.Import) { i.Mapping[1].Field = contact.FieldName })
	require.Equal(t, 2, i.Counts.Added)
	require.Equal(t, "Ana", h.people()["+5511990000100"].Name)
}

func TestAMappingIsRefusedByItsColumn(t *testing.T) {
	h := newHouse(t)
	i := h.get(h.upload("phone,mobile,name\n+5511990000100,,Ana\n"))
	skip := contact.Target{Field: contact.FieldSkip}
	for field, mapping := range map[string][]contact.Target{
		"mapping":              {skip},
		"mapping[1]":           {{Field: "phone"}, {Field: "phone"}, skip},
		"mapping[1].field":     {skip, {Field: "age"}, skip},
		"mapping[2].attribute": {skip, skip, {Field: "attribute", Attribute: "Not A Name"}},
	} {
		err := h.tx(func(tx postgres.Tx) error {
			return contact.Remap(t.Context(), tx, h.company, i.ID, i.Version, mapping, i.Options)
		})
		var invalid contact.InvalidError
		require.ErrorAs(t, err, &invalid)
		require.Equal(t, field, invalid.Field)
	}
	remap := func(version int, change func(*contact.Import)) error {
		changed := i
		change(&changed)
		return h.tx(func(tx postgres.Tx) error {
			return contact.Remap(t.Context(), tx, h.company, i.ID, version, changed.Mapping, changed.Options)
		})
	}
	require.ErrorContains(t, remap(1, func(i *contact.Import) { i.Options.Region = "XX" }), "options.region")
	require.ErrorContains(t, remap(1, func(i *contact.Import) { i.Options.Tags = []string{strings.Repeat("x", 201)} }), "options.tags")
	require.ErrorIs(t, remap(7, func(*contact.Import) {}), contact.ErrImportStale)
	require.NoError(t, remap(1, func(i *contact.Import) { i.Mapping = []contact.Target{skip, skip, skip} }))
	require.NoError(t, contact.CheckImport(t.Context(), h.db, h.company, i.ID))
	start := func(version int) error {
		return h.tx(func(tx postgres.Tx) error {
			return contact.StartImport(t.Context(), tx, h.company, i.ID, version, time.Now())
		})
	}
	require.ErrorContains(t, start(2), "choose the column that holds the phone")
	require.ErrorIs(t, start(1), contact.ErrImportStale, "somebody else chose other columns")
}

// many is a file of several batches; every tenth row is bad, the last repeats the first.
func many(n int) string {
	var file strings.Builder
	file.WriteString("phone,name\n")
	for i := range n {
		if i%10 == 9 {
			fmt.Fprintf(&file, "%d,bad\n", i)
			continue
		}
		fmt.Fprintf(&file, "+55119900%05d,Contact %d\n", i, i)
	}
	file.WriteString("+5511990000000,Again\n")
	return file.String()
}

// A process may die between any two batches, and inside one. The next goes on where the last commit was.
func TestAnImportThatIsCutOffGoesOnWithoutDoubling(t *testing.T) {
	h := newHouse(t)
	i := h.ready(many(9000), nil)
	h.start(i)
	cuts := 0
	for h.get(i.ID).State == contact.ImportRunning {
		require.NoError(t, contact.RunImport(t.Context(), h.db, h.company, i.ID, func() bool { cuts++; return false }))
	}
	require.Equal(t, 5, cuts)
	done := h.get(i.ID)
	require.Equal(t, contact.ImportCounts{Read: 9001, Added: 8100, Duplicates: 1, Refused: 900}, done.Counts)
	require.Equal(t, 8100, h.number(`SELECT count(*) FROM contacts`))
	require.Equal(t, 8100, h.number(`SELECT count(DISTINCT contact_id) FROM import_rows`))
	require.Equal(t, 901, h.number(`SELECT count(*) FROM import_refused`))
	require.Equal(t, "Contact 0", h.people()["+5511990000000"].Name)
}

// Two workers at one import: the row lock and the cursor let each batch in once, whoever brings it.
func TestTwoWorkersAtOneImportDoItOnce(t *testing.T) {
	h := newHouse(t)
	i := h.ready(many(9000), nil)
	h.start(i)
	ended := make(chan error, 2)
	for range 2 {
		go func() { ended <- contact.RunImport(t.Context(), h.db, h.company, i.ID, always) }()
	}
	require.NoError(t, errors.Join(<-ended, <-ended))
	require.NoError(t, contact.RunImport(t.Context(), h.db, h.company, i.ID, always)) // one of them gave way; if both had, this ends it
	require.Equal(t, contact.ImportCounts{Read: 9001, Added: 8100, Duplicates: 1, Refused: 900}, h.get(i.ID).Counts)
	require.Equal(t, 8100, h.number(`SELECT count(*) FROM contacts`))
}

func TestAStoppedImportKeepsWhatItDidAndCanBeUndone(t *testing.T) {
	h := newHouse(t)
	i := h.ready(many(9000), nil)
	h.start(i)
	require.NoError(t, contact.RunImport(t.Context(), h.db, h.company, i.ID, func() bool { return false }))
	require.NoError(t, h.tx(func(tx postgres.Tx) error { return contact.StopImport(t.Context(), tx, h.company, i.ID, time.Now()) }))
	require.NoError(t, contact.RunImport(t.Context(), h.db, h.company, i.ID, always))
	stopped := h.get(i.ID)
	require.Equal(t, contact.ImportStopped, stopped.State)
	require.Equal(t, "stopped after line 2001 of the file", stopped.Detail)
	require.Equal(t, contact.ImportCounts{Read: 2000, Added: 1800, Refused: 200}, stopped.Counts)
	require.Equal(t, contact.UndoCounts{Deleted: 1800}, h.undo(i.ID))
	require.Empty(t, h.people())
}

func TestAnUndoRestoresWhatWasAndKeepsWhatIsInUse(t *testing.T) {
	h := newHouse(t)
	h.load("phone,name,zone,city,tags\n+5511990000001,Ana,America/Manaus,Manaus,vip\n+5511990000002,Bia,,,\n+5511990000003,Caio,,Recife,\n+5511990000004,Dora,,,\n", nil)
	before := h.people()
	i := h.load("phone,name,zone,city,tags\n+5511990000001,Ana Maria,UTC,Recife,vip;new\n+5511990000002,Beatriz,,,\n+5511990000003,,,,new\n+5511990000004,,,,\n"+
		"+5511990000011,Eva,,,\n+5511990000012,Fabio,,,\n+5511990000013,Gil,,,\n+5511990000014,Hugo,,,\n+5511990000015,Ivo,,,\n+5511990000016,Jo,,,\n+5511990000017,Kim,,,\n", nil)
	require.Equal(t, contact.ImportCounts{Read: 11, Added: 7, Updated: 3, Unchanged: 1}, i.Counts)
	who := func(n int) id.ID { return h.people()[fmt.Sprintf("+55119900000%02d", n)].ID }

	// Meanwhile: Bia is edited, Eva gets a message, Fabio is in a running campaign, Gil in a finished one, Hugo opts out,
	// Ivo writes to us, Jo is deleted. Kim is left alone.
	edit := func(of id.ID, change contact.Change) {
		require.NoError(t, h.tx(func(tx postgres.Tx) error {
			_, err := contact.Update(t.Context(), tx, h.company, of, change, time.Now())
			return err
		}))
	}
	edited, yes := "Bia by hand", true
	edit(who(2), contact.Change{Name: &edited})
	connection := id.New()
	h.exec(`INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug, sealed_app_secret, sealed_token, sealed_verify_token)
		VALUES ($1, $2, 'whatsapp_cloud', 'Main', 'app', 'waba', 'number', repeat('s', 22), '', '', '')`, h.company, connection)
	h.exec(`INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, lane) VALUES ($1, $2, $3, $4, $4, 5)`, h.company, id.New(), connection, who(11))
	for n, state := range map[int]string{12: "running", 13: "finished"} {
		campaign := id.New()
		h.exec(`INSERT INTO campaigns (company_id, id, connection_id, name, state, content, audience, frozen_at) VALUES ($1, $2, $3, 'x', $4, '{}', '{}', now())`, h.company, campaign, connection, state)
		h.exec(`INSERT INTO recipients (company_id, campaign_id, zone_set_id, sequence, contact_id, identity_id, text_version) VALUES ($1, $2, 1, 1, $3, $3, 1)`, h.company, campaign, who(n))
	}
	edit(who(14), contact.Change{OptedOut: &yes})
	require.NoError(t, h.tx(func(tx postgres.Tx) error {
		return contact.OpenWindows(t.Context(), tx, h.company, connection, []contact.Wrote{{Contact: who(15), At: time.Now()}})
	}))
	h.exec(`DELETE FROM contacts WHERE id = $1`, who(16))

	want := contact.UndoCounts{Deleted: 2, Restored: 2, Used: 3, Edited: 2, Gone: 1}
	require.Equal(t, want, h.forecast(i.ID))
	require.Equal(t, want, h.undo(i.ID))
	after := h.people()
	require.Len(t, after, 4+4)
	for _, phone := range []string{"+5511990000001", "+5511990000003", "+5511990000004"} {
		was, is := before[phone], after[phone]
		was.Version, is.Version = "", "" // of whom the import had touched it is a new one
		require.Equal(t, was, is)
	}
	require.Equal(t, "Bia by hand", after["+5511990000002"].Name)
	for _, n := range []int{11, 12, 14, 15} {
		require.Contains(t, after, fmt.Sprintf("+55119900000%02d", n))
	}
	var state *contact.ImportStateError
	require.ErrorAs(t, h.tx(func(tx postgres.Tx) error { return contact.StartUndo(t.Context(), tx, h.company, i.ID, time.Now()) }), &state)
}

func TestAnUndoThatIsCutOffGoesOn(t *testing.T) {
	h := newHouse(t)
	i := h.load(many(7000), nil)
	require.NoError(t, h.tx(func(tx postgres.Tx) error { return contact.StartUndo(t.Context(), tx, h.company, i.ID, time.Now()) }))
	for h.get(i.ID).State == contact.ImportUndoing {
		require.NoError(t, contact.UndoImport(t.Context(), h.db, h.company, i.ID, func() bool { return false }))
	}
	require.Equal(t, contact.UndoCounts{Deleted: 6300}, *h.get(i.ID).Counts.Undo)
	require.Zero(t, h.number(`SELECT count(*) FROM contacts`)+h.number(`SELECT count(*) FROM identities`))
}

// A check that read the old columns must not keep what it counted by them.
func TestChoosingOtherColumnsMakesACheckGiveWay(t *testing.T) {
	h := newHouse(t)
	i := h.get(h.upload("phone,name\n+5511990000100,Ana\n"))
	owner, checked := pgtest.Owner(t, h.db), make(chan error, 1)
	require.NoError(t, h.tx(func(tx postgres.Tx) error {
		if err := contact.Remap(t.Context(), tx, h.company, i.ID, i.Version, i.Mapping, contact.ImportOptions{Tags: []string{"x"}}); err != nil {
			return err
		}
		go func() { checked <- contact.CheckImport(t.Context(), h.db, h.company, i.ID) }()
		for waiting := 0; waiting == 0; { // until the check, done with the file, wants the row that this transaction holds
			require.NoError(t, owner.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting))
		}
		return nil
	}))
	require.NoError(t, <-checked)
	require.Nil(t, h.get(i.ID).Preview)
	require.NoError(t, contact.CheckImport(t.Context(), h.db, h.company, i.ID))
	require.Equal(t, 1, h.get(i.ID).Preview.New)
	require.NoError(t, h.tx(func(tx postgres.Tx) error { return contact.DiscardImport(t.Context(), tx, h.company, i.ID) }))
	require.NoError(t, contact.CheckImport(t.Context(), h.db, h.company, i.ID), "one that was discarded has nothing to check")
}

func TestContactsOfAnotherCompanyAreOutOfReach(t *testing.T) {
	ctx, db := context.Background(), pgtest.New(t)
	mine, theirs := pgtest.Company(t, db), pgtest.Company(t, db)
	var made contact.Contact
	require.NoError(t, db.InCompany(ctx, mine, func(tx postgres.Tx) (err error) {
		made, err = contact.Create(ctx, tx, mine, contact.Draft{Name: "Ana", Phone: "+5511990000100", Tags: []string{"vip"}})
		return err
	}))
	file, err := contact.Upload(ctx, db, mine, nil, "people.csv", strings.NewReader("phone\n+5511990000101\n"))
	require.NoError(t, err)
	require.NoError(t, contact.CheckImport(ctx, db, theirs, file))
	require.ErrorIs(t, contact.RunImport(ctx, db, theirs, file, always), contact.ErrNoImport)
	err = db.InCompany(ctx, theirs, func(tx postgres.Tx) error {
		_, err := contact.Get(ctx, tx, theirs, made.ID)
		require.ErrorIs(t, err, contact.ErrNotFound)
		_, err = contact.Update(ctx, tx, theirs, made.ID, contact.Change{}, time.Now())
		require.ErrorIs(t, err, contact.ErrNotFound)
		_, _, err = contact.List(ctx, tx, theirs, contact.Query{Tag: &made.Tags[0].ID}, contact.First, 10)
		require.ErrorIs(t, err, contact.ErrNoTag)
		for _, do := range []error{contact.DiscardImport(ctx, tx, theirs, file), contact.StartImport(ctx, tx, theirs, file, 1, time.Now()),
			contact.StartUndo(ctx, tx, theirs, file, time.Now()), contact.StopImport(ctx, tx, theirs, file, time.Now())} {
			require.ErrorIs(t, do, contact.ErrNoImport)
		}
		met, err := contact.Meet(ctx, tx, theirs, []contact.Person{{From: channel.Address{Kind: "phone", Value: made.Phone}}})
		require.NotEqual(t, made.ID, met[0].Contact, "somebody else's contact stays theirs")
		return err
	})
	require.NoError(t, err)
}

func (h *house) met(of id.ID, outcome string) (names []string) {
	h.Helper()
	query := contact.Query{Import: &of, Outcome: outcome}
	require.NoError(h, h.tx(func(tx postgres.Tx) error {
		found, _, err := contact.List(h.Context(), tx, h.company, query, contact.First, 100)
		for _, c := range found {
			names = append(names, c.Name)
		}
		size, counted := contact.Count(h.Context(), tx, h.company, query, contact.First)
		require.Equal(h, contact.Size{Contacts: int64(len(names))}, size)
		return errors.Join(err, counted)
	}))
	return names
}

func TestTheContactsBehindAnImportsNumbers(t *testing.T) {
	h := newHouse(t)
	h.load("phone,name\n+5511981230001,Ana\n+5511981230002,Bia\n", nil)
	second := h.load("phone,name\n+5511981230001,Ana\n+5511981230002,Beatriz\n+5511981230003,Caio\nnone,Nobody\n", nil)
	require.Equal(t, []string{"Caio"}, h.met(second.ID, "added"))
	require.Equal(t, []string{"Beatriz"}, h.met(second.ID, "updated"))
	require.Equal(t, []string{"Ana"}, h.met(second.ID, "unchanged"))
	require.ElementsMatch(t, []string{"Ana", "Beatriz", "Caio"}, h.met(second.ID, ""))
	require.Empty(t, h.met(id.New(), ""))

	// What is done to all of a choice reaches those alone.
	require.NoError(t, h.tx(func(tx postgres.Tx) error {
		n, err := contact.AddTags(t.Context(), tx, h.company, contact.Selection{Query: contact.Query{Import: &second.ID, Outcome: "added"}}, []string{"new"})
		require.EqualValues(t, 1, n)
		return err
	}))
}

func TestAnUndoKeepsContactsThatWereTaggedSince(t *testing.T) {
	h := newHouse(t)
	done := h.load("phone,name,tags\n+5511981230001,Ana,\n+5511981230002,Bia,old\n+5511981230003,Caio,\n", nil)
	people := h.people()
	require.NoError(t, h.tx(func(tx postgres.Tx) error {
		_, err := contact.AddTags(t.Context(), tx, h.company, contact.Selection{IDs: []id.ID{people["+5511981230001"].ID}}, []string{"vip"})
		require.NoError(t, err)
		all := contact.Selection{} // Bia alone has it
		_, err = contact.RemoveTags(t.Context(), tx, h.company, all, []string{"old"})
		return err
	}))
	require.Equal(t, contact.UndoCounts{Deleted: 1, Edited: 2}, h.forecast(done.ID))
	require.Equal(t, contact.UndoCounts{Deleted: 1, Edited: 2}, h.undo(done.ID))
	require.Len(t, h.people(), 2)
}

func TestWhatAnImportDidIsForgottenAfterAMonth(t *testing.T) {
	h := newHouse(t)
	done := h.load("phone,name\n+5511981230001,Ana\nnone,Nobody\n", nil)
	ended := *done.FinishedAt
	require.NoError(t, contact.ForgetImports(t.Context(), h.db, ended.Add(contact.ImportMemory-time.Minute)))
	require.Equal(t, []string{"Ana"}, h.met(done.ID, "added"))
	require.Len(t, h.refused(done.ID), 1)

	later := ended.Add(contact.ImportMemory + time.Minute)
	require.NoError(t, contact.ForgetImports(t.Context(), h.db, later))
	require.Empty(t, h.met(done.ID, ""))
	require.Empty(t, h.refused(done.ID))
	again := h.get(done.ID)
	require.Equal(t, 1, again.Counts.Added, "its numbers stay")
	require.NotNil(t, again.ForgottenAt)
	var state *contact.ImportStateError
	require.ErrorAs(t, h.tx(func(tx postgres.Tx) error {
		_, err := contact.ForecastUndo(t.Context(), tx, h.company, done.ID)
		return err
	}), &state)
	require.ErrorContains(t, h.tx(func(tx postgres.Tx) error { return contact.StartUndo(t.Context(), tx, h.company, done.ID, later) }), "30 days")
	require.Len(t, h.people(), 1)
}
