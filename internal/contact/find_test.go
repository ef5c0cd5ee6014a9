package contact_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/contact"
	"omnidesk/internal/filter"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

// found lists all pages of a query by name.
func found(t *testing.T, db *postgres.DB, company id.ID, query contact.Query, limit int) (names []string) {
	t.Helper()
	before := contact.First
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		for {
			page, next, err := contact.List(t.Context(), tx, company, query, before, limit)
			require.LessOrEqual(t, len(page), limit)
			for _, c := range page {
				names = append(names, c.Name)
			}
			if err != nil || next == nil {
				return err
			}
			before = *next
		}
	}))
	return names
}

func make3(t *testing.T, db *postgres.DB, company id.ID) {
	t.Helper()
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		for _, draft := range []contact.Draft{
			{Name: "José da Silva", Phone: "+5511990000001", Tags: []string{"vip", "old"}, Attributes: map[string]string{"city": "Recife"}},
			{Name: "Ana 100%_off", Phone: "+5521980001234", Tags: []string{"vip"}},
			{Name: "Mariana Souza", Phone: "+14155550123"},
		} {
			if _, err := contact.Create(t.Context(), tx, company, draft); err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestSearchFindsNamesAndNumbers(t *testing.T) {
	db := pgtest.New(t)
	company, other := pgtest.Company(t, db), pgtest.Company(t, db)
	make3(t, db, company)
	make3(t, db, other)
	const jose, ana, mariana = "José da Silva", "Ana 100%_off", "Mariana Souza"
	for typed, want := range map[string][]string{
		"":  {mariana, ana, jose},
		" ": {mariana, ana, jose},
		// names: without accents and case, in any order, within words from three letters on
		"jose": {jose}, "JOSÉ": {jose}, "silva jo": {jose}, "ana": {mariana, ana}, "an": {ana}, "s": {mariana, jose}, "da": {jose}, "va": nil, "iana": {mariana},
		"%": nil, "100%": {ana}, "0%_o": {ana}, "1__": nil, `\`: nil, "' OR true": nil, "nobody": nil,
		// numbers: anywhere from three digits on, with or without country code, as people write them
		"990000001": {jose}, "+55 (11) 99000-0001": {jose}, "+55": {ana, jose}, "55": {ana, jose}, "55 11": {jose}, "1234": {ana}, "50123": {mariana}, "00155": nil,
		"001 415": {mariana}, "+1": {mariana}, "-": {mariana, ana, jose}, "999999": nil,
	} {
		for _, limit := range []int{1, 2, 50} {
			require.Equal(t, want, found(t, db, company, contact.Query{Search: typed}, limit), "%q by %d", typed, limit)
		}
	}
}

func TestSearchTagAndFilterNarrowEachOther(t *testing.T) {
	db := pgtest.New(t)
	company := pgtest.Company(t, db)
	make3(t, db, company)
	var vip id.ID
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		tags, err := contact.Tags(t.Context(), tx, company)
		require.Equal(t, []contact.TagCount{{Tag: contact.Tag{ID: tags[0].ID, Name: "old"}, Contacts: 1}, {Tag: contact.Tag{ID: tags[1].ID, Name: "vip"}, Contacts: 2}}, tags)
		vip = tags[1].ID
		return err
	}))
	city, err := filter.Parse(`city = recife`)
	require.NoError(t, err)
	for _, c := range []struct {
		query contact.Query
		want  int
	}{
		{contact.Query{}, 3}, {contact.Query{Tag: &vip}, 2}, {contact.Query{Filter: city}, 1}, {contact.Query{Tag: &vip, Filter: city}, 1},
		{contact.Query{Search: "ana"}, 2}, {contact.Query{Search: "ana", Tag: &vip}, 1}, {contact.Query{Search: "ana", Filter: city}, 0}, {contact.Query{Search: "99", Tag: &vip, Filter: city}, 0},
	} {
		require.Len(t, found(t, db, company, c.query, 1), c.want)
		require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
			size, err := contact.Count(t.Context(), tx, company, c.query, contact.First)
			require.Equal(t, contact.Size{Contacts: int64(c.want)}, size)
			return err
		}))
	}
}

// Of very many contacts, a page and a count look at some at a time, and say that there are more.
func TestAFilterLooksAtSomeThousandContactsAtATime(t *testing.T) {
	db := pgtest.New(t)
	company := pgtest.Company(t, db)
	rare, err := filter.Parse(`city = Olinda`)
	require.NoError(t, err)
	_, err = pgtest.Owner(t, db).Exec(t.Context(), `INSERT INTO contacts (company_id, id, name, attributes)
		SELECT $1, ('00000000-0000-7000-8000-' || lpad(g::text, 12, '0'))::uuid, 'Person' || CASE WHEN g % 3 = 0 THEN ' third' ELSE '' END || CASE WHEN g % 6 = 0 THEN ' sixth' ELSE '' END, jsonb_build_object('city', CASE WHEN g IN (2, 5003, 5004, 9998) THEN 'Olinda' ELSE 'Recife' END)
		FROM generate_series(1, 10003) g`, company)
	require.NoError(t, err)
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		var sizes, marks []int
		for before := &contact.First; before != nil; {
			contacts, next, err := contact.List(t.Context(), tx, company, contact.Query{Filter: rare}, *before, 10)
			require.NoError(t, err)
			sizes = append(sizes, len(contacts))
			for _, c := range contacts {
				at, err := strconv.Atoi(c.ID.String()[24:])
				require.NoError(t, err)
				marks = append(marks, at)
			}
			before = next
		}
		require.Equal(t, []int{1, 2, 1}, sizes)
		require.Equal(t, []int{9998, 5004, 5003, 2}, marks)
		require.Equal(t, []int64{1, 2, 1}, countParts(t, tx, company, contact.Query{Filter: rare}))
		require.Equal(t, []int64{667, 666, 667, 667, 666, 1}, countParts(t, tx, company, contact.Query{Search: "third"}), "more than are counted at once")
		require.Equal(t, []int64{1667}, countParts(t, tx, company, contact.Query{Search: "sixth"}))
		require.Equal(t, []int64{0, 0, 1, 0, 0, 0}, countParts(t, tx, company, contact.Query{Search: "third", Filter: rare}))
		return nil
	}))
}

func countParts(t *testing.T, tx postgres.Tx, company id.ID, query contact.Query) (parts []int64) {
	t.Helper()
	for before := &contact.First; before != nil; {
		size, err := contact.Count(t.Context(), tx, company, query, *before)
		require.NoError(t, err)
		parts, before = append(parts, size.Contacts), size.Next
	}
	return parts
}

// Counts are kept by triggers, through every way a contact and its tags come and go.
func TestCountsFollowContactsAndTags(t *testing.T) {
	db := pgtest.New(t)
	company := pgtest.Company(t, db)
	make3(t, db, company)
	owner := pgtest.Owner(t, db)
	counts := func() (all int64, tags map[string]int64) {
		tags = map[string]int64{}
		require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
			size, err := contact.Count(t.Context(), tx, company, contact.Query{}, contact.First)
			require.NoError(t, err)
			all = size.Contacts
			list, err := contact.Tags(t.Context(), tx, company)
			for _, tag := range list {
				tags[tag.Name] = tag.Contacts
			}
			return err
		}))
		return all, tags
	}
	_, err := owner.Exec(t.Context(), `DELETE FROM contacts WHERE company_id = $1 AND name LIKE 'José%'`, company)
	require.NoError(t, err)
	all, tags := counts()
	require.EqualValues(t, 2, all)
	require.Equal(t, map[string]int64{"old": 0, "vip": 1}, tags)
	// Many changes are summed up by a reader, and the sums stay.
	_, err = owner.Exec(t.Context(), `INSERT INTO contact_counts (company_id, tag_id, contacts) SELECT $1, id, d FROM tags, generate_series(1, 1500) n, (VALUES (1), (-1)) d (d) WHERE company_id = $1`, company)
	require.NoError(t, err)
	all, tags = counts()
	require.Equal(t, map[string]int64{"old": 0, "vip": 1}, tags)
	var left int
	require.NoError(t, owner.QueryRow(t.Context(), `SELECT count(*) FROM contact_counts`).Scan(&left))
	require.Equal(t, 3, left)
	again, same := counts()
	require.Equal(t, all, again)
	require.Equal(t, tags, same)
}

func TestSegments(t *testing.T) {
	db := pgtest.New(t)
	company, other := pgtest.Company(t, db), pgtest.Company(t, db)
	ctx := t.Context()
	in := func(company id.ID, do func(tx postgres.Tx) error) error { return db.InCompany(ctx, company, do) }
	create := func(company id.ID, name, text string) (made contact.Segment, err error) {
		err = in(company, func(tx postgres.Tx) error {
			made, err = contact.CreateSegment(ctx, tx, company, name, text)
			return err
		})
		return made, err
	}
	made, err := create(company, " VIPs ", `tag:vip`)
	require.NoError(t, err)
	require.Equal(t, "VIPs", made.Name)
	_, err = create(company, "vips", `tag:vip`)
	require.ErrorIs(t, err, contact.ErrSegmentName)
	_, err = create(other, "VIPs", `tag:vip`)
	require.NoError(t, err)
	var wrong *filter.Error
	_, err = create(company, "Bad", `tag:`)
	require.ErrorAs(t, err, &wrong)
	_, err = create(company, "Everyone", ` `)
	require.ErrorAs(t, err, &wrong)
	var invalid contact.InvalidError
	_, err = create(company, " ", `tag:vip`)
	require.ErrorAs(t, err, &invalid)

	update := func(company id.ID, version int, name, text *string) (changed contact.Segment, err error) {
		err = in(company, func(tx postgres.Tx) error {
			changed, err = contact.UpdateSegment(ctx, tx, company, made.ID, version, name, text)
			return err
		})
		return changed, err
	}
	text := `tag:"vip" and not opted_out`
	changed, err := update(company, 1, nil, &text)
	require.NoError(t, err)
	require.Equal(t, []any{"VIPs", text, 2}, []any{changed.Name, changed.Filter, changed.Version})
	_, err = update(company, 1, &text, nil)
	require.ErrorIs(t, err, contact.ErrSegmentStale)
	_, err = update(other, 2, &text, nil)
	require.ErrorIs(t, err, contact.ErrNoSegment)

	owner := pgtest.Owner(t, db)
	connection, campaign := id.New(), id.New()
	_, err = owner.Exec(ctx, `INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug, sealed_app_secret, sealed_token, sealed_verify_token)
		VALUES ($1, $2, 'whatsapp_cloud', 'n', 'a', 'a', 'n', 'xxxxxxxxxxxxxxxxxxxxxxx', '', '', '')`, company, connection)
	require.NoError(t, err)
	_, err = owner.Exec(ctx, `INSERT INTO campaigns (company_id, id, connection_id, name, content, audience) VALUES ($1, $2, $3, 'Spring', '{}', jsonb_build_object('segment_id', $4::text))`,
		company, campaign, connection, made.ID.String())
	require.NoError(t, err)
	remove := func(company id.ID) error {
		return in(company, func(tx postgres.Tx) error { return contact.DeleteSegment(ctx, tx, company, made.ID) })
	}
	var inUse *contact.SegmentInUseError
	require.ErrorAs(t, remove(company), &inUse)
	require.Equal(t, []string{"Spring"}, inUse.Campaigns)
	require.ErrorIs(t, remove(other), contact.ErrNoSegment)
	_, err = owner.Exec(ctx, `UPDATE campaigns SET state = 'running', frozen_at = now()`)
	require.NoError(t, err)
	require.NoError(t, remove(company))
	require.ErrorIs(t, remove(company), contact.ErrNoSegment)
}
