package campaign_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/campaign"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

func (w *town) samples(fields campaign.Fields, after id.ID, limit int) (found []campaign.Sample) {
	w.Helper()
	w.tx(func(tx postgres.Tx) (err error) {
		found, err = campaign.Samples(w.Context(), tx, w.company, fields, time.Now(), after, limit)
		return err
	})
	return found
}

func (w *town) create422(fields campaign.Fields) error {
	return w.in(func(tx postgres.Tx) error {
		_, err := campaign.Create(w.Context(), tx, w.company, fields)
		return err
	})
}

// imported writes what an import of three contacts leaves behind; the third was undone.
func (w *town) imported() id.ID {
	w.Helper()
	made := id.New()
	w.exec(`INSERT INTO imports (company_id, id, file_name) VALUES ($1, $2, 'people.csv')`, w.company, made)
	w.exec(`INSERT INTO import_rows (company_id, import_id, row, contact_id, outcome, changed_at, undone)
		SELECT company_id, $2, row_number() OVER (ORDER BY id), id, 'added', now(), CASE WHEN row_number() OVER (ORDER BY id) = 3 THEN 'restored' END
		FROM contacts WHERE company_id = $1 AND opted_out_at IS NULL ORDER BY id LIMIT 3`, w.company, made)
	return made
}

// What a check counts, a freeze plans and the samples show are the same people, whatever the audience.
func TestEachAudienceReachesTheSamePeopleEverywhere(t *testing.T) {
	w := newTown(t)
	w.exec(`UPDATE contacts SET attributes = '{"city":"Natal"}' WHERE company_id = $1 AND zone = 'Asia/Jakarta'`, w.company)
	imported := w.imported()
	for name, c := range map[string]struct {
		audience campaign.Audience
		want     int
	}{
		"everyone": {campaign.Audience{All: true}, reachable},
		"tags":     {campaign.Audience{TagIDs: []id.ID{w.tag}}, inUTC},
		"filter":   {campaign.Audience{Filter: `city = natal or tag:utc`}, inJakarta + inUTC},
		"import":   {campaign.Audience{ImportID: &imported}, 2},
		"nobody":   {campaign.Audience{Filter: `city = "Porto Velho"`}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			fields := w.fields()
			fields.Audience = c.audience
			result := w.check(fields)
			require.Equal(t, c.want, result.Recipients)
			require.Equal(t, min(c.want, 3), len(result.Samples))
			seen := map[id.ID]bool{}
			for after := id.Nil; ; {
				page := w.samples(fields, after, 2)
				for _, one := range page {
					seen[one.Contact] = true
					after = one.Contact
				}
				if len(page) < 2 {
					break
				}
			}
			require.Len(t, seen, c.want)
			if c.want == 0 {
				require.Equal(t, "audience", result.Problems[0].Field)
				return
			}
			require.Empty(t, result.Problems)
			frozen := w.running(fields)
			require.Equal(t, c.want, frozen.Recipients)
			require.Equal(t, result.Skipped, frozen.Skipped)
			for contact := range seen {
				require.Equal(t, 1, w.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1 AND contact_id = $2`, frozen.ID, contact))
			}
		})
	}
}

func TestASegmentIsTakenAsItIsAtTheFreeze(t *testing.T) {
	w := newTown(t)
	segment := id.New()
	w.exec(`INSERT INTO segments (company_id, id, name, filter) VALUES ($1, $2, 'UTC', 'tag:utc')`, w.company, segment)
	fields := w.fields()
	fields.Audience = campaign.Audience{SegmentID: &segment}
	c := w.create(fields)
	w.start(c.ID)
	require.Equal(t, "tag:utc", w.get(c.ID).Audience.Filter, "kept from the start on")
	w.exec(`UPDATE segments SET filter = 'zone = "Asia/Jakarta"' WHERE id = $1`, segment)
	w.freeze(c.ID)
	require.Equal(t, inJakarta, w.get(c.ID).Recipients)
	require.Equal(t, `zone = "Asia/Jakarta"`, w.get(c.ID).Audience.Filter)

	// Deleted between start and freeze: what it said at the start counts.
	orphan, draft := w.create(fields), w.create(fields)
	w.start(orphan.ID)
	w.exec(`DELETE FROM segments WHERE id = $1`, segment)
	w.freeze(orphan.ID)
	require.Equal(t, inJakarta, w.get(orphan.ID).Recipients)
	// Deleted before the start: the form is told.
	require.Equal(t, "audience.segment_id", w.check(fields).Problems[0].Field)
	var refused *campaign.ProblemsError
	require.ErrorAs(t, w.in(func(tx postgres.Tx) error { return campaign.Start(t.Context(), tx, w.company, draft.ID, time.Now()) }), &refused)
	require.ErrorIs(t, w.create422(fields), campaign.ErrSegment)
}

func TestAnAudienceNamesWhatThereIs(t *testing.T) {
	w := newTown(t)
	unknown := id.New()
	fields := w.fields()
	fields.Audience = campaign.Audience{TagIDs: []id.ID{w.tag, unknown}}
	require.ErrorIs(t, w.create422(fields), campaign.ErrTag)
	fields.Audience = campaign.Audience{ImportID: &unknown}
	require.ErrorIs(t, w.create422(fields), campaign.ErrImport)
	fields.Audience = campaign.Audience{Filter: "city ="}
	var wrong *campaign.FilterError
	require.ErrorAs(t, w.create422(fields), &wrong)
}

func TestACheckWarnsOfGapsAndOfTheTier(t *testing.T) {
	w := newTown(t)
	w.exec(`UPDATE contacts SET attributes = '{}' WHERE company_id = $1 AND zone = 'UTC'`, w.company)
	w.exec(`INSERT INTO portfolios (company_id, id, contacts_24h) VALUES ($1, '8001', 6)`, w.company)
	w.exec(`INSERT INTO scopes (company_id, connection_id, portfolio_id) VALUES ($1, $2, '8001')`, w.company, w.connection)
	fields := w.fields()
	fields.Audience = campaign.Audience{TagIDs: []id.ID{w.tag}}
	result := w.check(fields)
	require.Empty(t, result.Problems)
	require.Len(t, result.Warnings, 1)
	require.Equal(t, inUTC, result.Warnings[0].Count)
	require.Equal(t, "content.template.parameters[1]", result.Warnings[0].Field)
	require.Equal(t, `(tag:"utc") and not has "city"`, result.Warnings[0].Filter)
	require.Contains(t, result.Warnings[0].Message, "refuses a parameter that is empty")
	require.Equal(t, []string{"city"}, result.Samples[0].Lacking)
	// The filter finds those who were counted.
	fields.Audience = campaign.Audience{Filter: result.Warnings[0].Filter}
	require.Equal(t, inUTC, w.check(fields).Recipients)

	fields = w.fields()
	fields.Content.Template.Parameters = []string{"{{first_name}} {{zone}} {{name}} {{phone}}", "{{city|here}}"}
	result = w.check(fields)
	require.Len(t, result.Warnings, 2)
	require.Equal(t, inSaoPaulo, result.Warnings[0].Count)
	require.Equal(t, "not has zone", result.Warnings[0].Filter)
	// Contacts with an open window don't count for the tier.
	require.Equal(t, reachable-windows, result.Outside)
	require.Equal(t, campaign.Warning{Field: "audience", Count: reachable - windows - 5, Message: result.Warnings[1].Message}, result.Warnings[1])
	require.Contains(t, result.Warnings[1].Message, "6 contacts outside an open window")
	require.Contains(t, result.Warnings[1].Message, "0 are used")
	// Nor do those whom a number of the portfolio has written to already.
	contacted := func(contact id.ID, ago string) {
		w.exec(`INSERT INTO portfolio_contacts (company_id, portfolio_id, contact_id, at) VALUES ($1, '8001', $2, now() - $3::interval)`, w.company, contact, ago)
	}
	contacted(w.contact("", true, false), "1 hour")
	contacted(w.contact("", true, false), "25 hours")
	fields.Audience = campaign.Audience{TagIDs: []id.ID{w.tag}} // three of its five are outside a window
	w.exec(`UPDATE portfolios SET contacts_24h = 4`)
	require.Empty(t, w.check(fields).Warnings)
	w.exec(`UPDATE portfolios SET contacts_24h = 3`)
	result = w.check(fields)
	require.Len(t, result.Warnings, 1)
	require.Equal(t, 1, result.Warnings[0].Count)
	require.Contains(t, result.Warnings[0].Message, "3 contacts outside an open window in 24 hours, campaigns to 3 of them, and 1 are used")
	var one id.ID
	require.NoError(t, w.owner.QueryRow(t.Context(), `SELECT t.contact_id FROM contact_tags t WHERE t.tag_id = $1
		AND NOT EXISTS (SELECT FROM service_windows s WHERE s.contact_id = t.contact_id) LIMIT 1`, w.tag).Scan(&one))
	contacted(one, "1 minute")
	require.Equal(t, 1, w.check(fields).Warnings[0].Count, "one more is used, by one of them")
	w.exec(`UPDATE scopes SET portfolio_id = NULL`)
	require.Empty(t, w.check(fields).Warnings)
}

func TestACheckHoldsATemplateAgainstTheLastSync(t *testing.T) {
	w := newTown(t)
	require.Empty(t, w.check(w.fields()).Problems, "nothing is known without a sync")
	w.exec(`INSERT INTO template_syncs (company_id, connection_id, synced_at) VALUES ($1, $2, now())`, w.company, w.connection)
	problem := func() campaign.Problem {
		problems := w.check(w.fields()).Problems
		require.Len(t, problems, 1)
		return problems[0]
	}
	require.Contains(t, problem().Message, "no template of this name")
	w.exec(`INSERT INTO templates (company_id, connection_id, name, language, components, body, parameters, unfit, synced_at)
		VALUES ($1, $2, 'order_update', 'en_US', '[]', 'Hi {{1}}, {{ 2 }} and {{1}} {{3}}', 3, 'Meta paused it.', now())`, w.company, w.connection)
	require.Equal(t, campaign.Problem{Field: "content.template", Message: "Meta paused it."}, problem())
	w.exec(`UPDATE templates SET unfit = ''`)
	require.Equal(t, "content.template.parameters", problem().Field)
	w.exec(`UPDATE templates SET parameters = 2`)
	result := w.check(w.fields())
	require.Empty(t, result.Problems)
	require.Equal(t, "Hi Person, Recife and Person {{3}}", result.Samples[0].Text)
}

func TestADraftKnowsItsLastWriter(t *testing.T) {
	w := newTown(t)
	ana := id.New()
	w.exec(`INSERT INTO users (id, company_id, email, name, role, password_hash) VALUES ($1, $2, 'ana@example.com', 'Ana', 'admin', '')`, ana, w.company)
	fields := w.fields()
	c := w.create(fields)
	require.Empty(t, c.ChangedBy)
	fields.By = ana
	w.tx(func(tx postgres.Tx) error {
		_, err := campaign.Update(t.Context(), tx, w.company, c.ID, c.Version, fields)
		return err
	})
	require.Equal(t, "Ana", w.get(c.ID).ChangedBy)
	require.NotNil(t, w.get(c.ID).ChangedAt)
	require.ErrorIs(t, w.in(func(tx postgres.Tx) error {
		_, err := campaign.Update(t.Context(), tx, w.company, c.ID, c.Version, fields)
		return err
	}), campaign.ErrStale)
	require.Equal(t, fmt.Sprint(ana), w.text(`SELECT changed_by FROM campaigns WHERE id = $1`, c.ID))
}

func (w *town) text(sql string, args ...any) (found string) {
	w.Helper()
	require.NoError(w, w.owner.QueryRow(w.Context(), sql, args...).Scan(&found))
	return found
}
