package campaign_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
)

func TestCheckCountsWhoGetsIt(t *testing.T) {
	w := newTown(t)
	result := w.check(w.fields())
	require.Empty(t, result.Problems)
	require.Equal(t, reachable, result.Recipients)
	require.Equal(t, campaign.Skipped{OptedOut: optedOut, NoPhone: noPhone}, result.Skipped)
	require.Len(t, result.Samples, 3)
	require.Equal(t, "order_update: Person · Recife", result.Samples[0].Text)

	tagged := w.fields()
	tagged.Audience = campaign.Audience{TagIDs: []id.ID{w.tag}}
	require.Equal(t, inUTC, w.check(tagged).Recipients)

	// Free text goes only where the contact's window is open.
	text := w.fields()
	text.Content = campaign.Content{Kind: campaign.KindText, Text: "Hi {{city}}"}
	result = w.check(text)
	require.Equal(t, windows, result.Recipients)
	require.Equal(t, campaign.Skipped{OptedOut: optedOut, NoPhone: noPhone, WindowShut: reachable - windows}, result.Skipped)
}

func TestCheckTellsWhenTheFirstMessageGoes(t *testing.T) {
	w := newTown(t)
	w.exec(`UPDATE companies SET window_from = '07:00', window_until = '21:00'`)
	night := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC) // 10:00 in Jakarta, midnight in São Paulo
	check := func(fields campaign.Fields) (result campaign.CheckResult) {
		w.tx(func(tx postgres.Tx) (err error) {
			result, err = campaign.Check(t.Context(), tx, w.company, fields, night)
			return err
		})
		return result
	}
	all := check(w.fields())
	require.Equal(t, night, all.FirstAt)
	require.Equal(t, inSaoPaulo+inUTC, all.Asleep)

	tagged := w.fields()
	tagged.Audience = campaign.Audience{TagIDs: []id.ID{w.tag}}
	require.Equal(t, night.Add(4*time.Hour), check(tagged).FirstAt)
	require.Zero(t, check(tagged).Asleep)
	evening := night.Add(19 * time.Hour)
	tagged.StartsAt = &evening
	require.Equal(t, night.Add(28*time.Hour), check(tagged).FirstAt)

	w.exec(`UPDATE companies SET window_from = '00:00', window_until = '24:00'`)
	require.Equal(t, evening, check(tagged).FirstAt)
	require.Zero(t, check(w.fields()).Asleep)
	w.exec(`UPDATE contacts SET opted_out_at = now()`)
	require.Zero(t, check(w.fields()).FirstAt)
}

func TestCheckNamesTheFieldToMend(t *testing.T) {
	w := newTown(t)
	past, soon := time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	empty := id.New()
	w.exec(`INSERT INTO tags (company_id, id, name) VALUES ($1, $2, 'empty')`, w.company, empty)
	for name, c := range map[string]struct {
		change func(*campaign.Fields)
		field  string
	}{
		"nobody":           {func(f *campaign.Fields) { f.Audience = campaign.Audience{TagIDs: []id.ID{empty}} }, "audience"},
		"no audience":      {func(f *campaign.Fields) { f.Audience = campaign.Audience{} }, "audience"},
		"expired":          {func(f *campaign.Fields) { f.ExpiresAt = &past }, "expires_at"},
		"ends before":      {func(f *campaign.Fields) { f.StartsAt, f.ExpiresAt = &soon, &soon }, "expires_at"},
		"unknown field":    {func(f *campaign.Fields) { f.Content.Template.Parameters = []string{"{{shoe}}"} }, "content.template.parameters[0]"},
		"unknown in text":  {func(f *campaign.Fields) { f.Content = campaign.Content{Kind: "text", Text: "{{shoe}}"} }, "content.text"},
		"no template":      {func(f *campaign.Fields) { f.Content.Template = nil }, "content.template"},
		"unclosed":         {func(f *campaign.Fields) { f.Content.Template.Parameters = []string{"{{city"} }, "content.template.parameters[0]"},
		"empty parameter":  {func(f *campaign.Fields) { f.Content.Template.Parameters = []string{"x", " "} }, "content.template.parameters[1]"},
		"unnamed template": {func(f *campaign.Fields) { f.Content.Template = &channel.Template{} }, "content.template"},
	} {
		fields := w.fields()
		c.change(&fields)
		problems := w.check(fields).Problems
		require.Len(t, problems, 1, name)
		require.Equal(t, c.field, problems[0].Field, name)
		draft := w.create(fields)
		var refused *campaign.ProblemsError
		require.ErrorAs(t, w.in(func(tx postgres.Tx) error { return campaign.Start(t.Context(), tx, w.company, draft.ID, time.Now()) }), &refused, name)
		require.Equal(t, campaign.Draft, w.get(draft.ID).State)
	}
	w.exec(`UPDATE connections SET state = 'failing', state_detail = 'The token is no longer valid.'`)
	problems := w.check(w.fields()).Problems
	require.Len(t, problems, 1)
	require.Equal(t, "connection_id", problems[0].Field)
	require.Contains(t, problems[0].Message, "no longer valid")
}

func TestFreezePlansEachContactOnce(t *testing.T) {
	w := newTown(t)
	double := w.contact("UTC", true, false) // a contact with two phones is one recipient, by the older phone
	w.exec(`INSERT INTO identities (company_id, id, contact_id, kind, value) VALUES ($1, $2, $3, 'phone', '+551190000')`, w.company, id.New(), double)
	checked := w.check(w.fields())
	c := w.running(w.fields())
	require.Equal(t, campaign.Running, c.State)
	require.Equal(t, reachable+1, c.Recipients)
	require.Equal(t, checked.Recipients, c.Recipients)
	require.Equal(t, checked.Skipped, c.Skipped)
	require.NotNil(t, c.FrozenAt)
	require.NotNil(t, c.StartedAt)
	require.Equal(t, reachable+1, w.count(`SELECT count(DISTINCT contact_id) FROM recipients WHERE campaign_id = $1`, c.ID))
	require.Equal(t, reachable+1, w.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1`, c.ID))
	require.Equal(t, 1, w.count(`SELECT count(*) FROM recipients r JOIN identities i ON i.id = r.identity_id WHERE r.contact_id = $1 AND i.value <> '+551190000'`, double))
	// The sequence of each zone set is 1, 2, 3… without a gap, and its size is known.
	for zones, n := range map[string]int{"America/Sao_Paulo": inSaoPaulo, "UTC": inUTC + 1, "Asia/Jakarta": inJakarta} {
		require.Equal(t, n, w.count(`SELECT recipients FROM campaign_zones z JOIN zone_sets s ON s.id = z.zone_set_id WHERE campaign_id = $1 AND zones = $2`, c.ID, zones))
		require.Equal(t, n*(n+1)/2, w.count(`SELECT sum(sequence) FROM recipients r JOIN zone_sets s ON s.id = r.zone_set_id WHERE campaign_id = $1 AND zones = $2`, c.ID, zones))
	}
}

func TestFreezingAgainChangesNothing(t *testing.T) {
	w := newTown(t)
	c := w.running(w.fields())
	w.contact("UTC", true, false) // came too late for the plan
	w.freeze(c.ID)
	require.Equal(t, c, w.get(c.ID))
	require.Equal(t, reachable, w.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1`, c.ID))
	// Several at once, as when an activity is repeated while the first try still runs.
	second := w.create(w.fields())
	w.start(second.ID)
	errs := make([]error, 4)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() {
			errs[i] = w.in(func(tx postgres.Tx) error { return campaign.Freeze(t.Context(), tx, w.company, second.ID, time.Now()) })
		})
	}
	group.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, reachable+1, w.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1`, second.ID))
	// A canceled one is not frozen any more.
	third := w.create(w.fields())
	w.start(third.ID)
	w.tx(func(tx postgres.Tx) error { return campaign.Cancel(t.Context(), tx, w.company, third.ID, time.Now()) })
	w.freeze(third.ID)
	require.Equal(t, campaign.Canceled, w.get(third.ID).State)
	require.Zero(t, w.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1`, third.ID))
}

func TestScheduledCampaignBeginsAtItsTimeAndNotBefore(t *testing.T) {
	w := newTown(t)
	at := time.Now().Add(time.Hour)
	fields := w.fields()
	fields.StartsAt = &at
	c := w.running(fields)
	require.Equal(t, campaign.Scheduled, c.State)
	require.Nil(t, c.StartedAt)
	begin := func(now time.Time) campaign.State {
		w.tx(func(tx postgres.Tx) error { return campaign.Begin(t.Context(), tx, w.company, c.ID, now) })
		return w.get(c.ID).State
	}
	require.Equal(t, campaign.Scheduled, begin(at.Add(-time.Second)))
	require.Equal(t, campaign.Running, begin(at.Add(time.Second)))
	require.Equal(t, campaign.Running, begin(at.Add(time.Second)))
}

func TestFeedTakesEachRecipientOnce(t *testing.T) {
	w := newTown(t)
	c := w.running(w.fields())
	type place struct {
		zone     int32
		sequence int32
	}
	taken := map[place]int{}
	var mu sync.Mutex
	take := func(limit int) (n int, err error) {
		err = w.in(func(tx postgres.Tx) error {
			_, slices, err := campaign.TakeUnfed(t.Context(), tx, w.company, c.ID, limit, time.Now())
			mu.Lock()
			defer mu.Unlock()
			for _, s := range slices {
				for q := s.After + 1; q <= s.Through; q++ {
					taken[place{s.ZoneSet, q}]++
					n++
				}
			}
			return err
		})
		return n, err
	}
	errs := make([]error, 6)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() {
			for {
				n, err := take(2)
				if n > 2 {
					err = errors.New("took more than the limit")
				}
				if err != nil || n == 0 {
					errs[i] = err
					return
				}
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Len(t, taken, reachable)
	for at, times := range taken {
		require.Equal(t, 1, times, at)
		require.Equal(t, 1, w.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1 AND zone_set_id = $2 AND sequence = $3`, c.ID, at.zone, at.sequence))
	}
	w.tx(func(tx postgres.Tx) error {
		unfed, err := campaign.Unfed(t.Context(), tx, w.company, c.ID)
		require.False(t, unfed)
		return err
	})
}

// What a transaction took and did not commit can be taken again; what is paused or canceled gives nothing.
func TestFeedStopsWithTheCampaign(t *testing.T) {
	w := newTown(t)
	c := w.running(w.fields())
	take := func(tx postgres.Tx) []campaign.Slice {
		_, slices, err := campaign.TakeUnfed(t.Context(), tx, w.company, c.ID, 4, time.Now())
		require.NoError(t, err)
		return slices
	}
	undo := errors.New("undo")
	var first []campaign.Slice
	require.ErrorIs(t, w.in(func(tx postgres.Tx) error { first = take(tx); return undo }), undo)
	require.NotEmpty(t, first)
	w.tx(func(tx postgres.Tx) error { require.Equal(t, first, take(tx)); return nil })
	w.tx(func(tx postgres.Tx) error { return campaign.Pause(t.Context(), tx, w.company, c.ID, time.Now()) })
	w.tx(func(tx postgres.Tx) error { require.Empty(t, take(tx)); return nil })
	w.tx(func(tx postgres.Tx) error { return campaign.Resume(t.Context(), tx, w.company, c.ID, time.Now()) })
	w.tx(func(tx postgres.Tx) error { require.NotEmpty(t, take(tx)); return nil })
	w.tx(func(tx postgres.Tx) error { return campaign.Cancel(t.Context(), tx, w.company, c.ID, time.Now()) })
	w.tx(func(tx postgres.Tx) error {
		require.Empty(t, take(tx))
		unfed, err := campaign.Unfed(t.Context(), tx, w.company, c.ID)
		require.False(t, unfed, "a canceled plan is closed")
		return err
	})
}

// A pause that is answered comes before or after a feed, never in its middle.
func TestPauseWaitsForAFeedUnderWay(t *testing.T) {
	w := newTown(t)
	c := w.running(w.fields())
	paused := make(chan error, 1)
	w.tx(func(tx postgres.Tx) error {
		_, slices, err := campaign.TakeUnfed(t.Context(), tx, w.company, c.ID, 4, time.Now())
		require.NotEmpty(t, slices)
		go func() {
			paused <- w.in(func(tx postgres.Tx) error { return campaign.Pause(t.Context(), tx, w.company, c.ID, time.Now()) })
		}()
		require.Eventually(t, func() bool {
			return w.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 1
		}, 5*time.Second, 5*time.Millisecond, "the pause waits for the feed's lock")
		require.Empty(t, paused)
		return err
	})
	require.NoError(t, <-paused)
	require.Equal(t, campaign.Paused, w.get(c.ID).State)
}

func TestCampaignFinishesOnlyWhenAllIsFedAndEnded(t *testing.T) {
	w := newTown(t)
	c := w.running(w.fields())
	asked := 0
	finish := func(open bool) campaign.State {
		w.tx(func(tx postgres.Tx) error {
			return campaign.Finish(t.Context(), tx, w.company, c.ID, time.Now(), func() (bool, error) { asked++; return open, nil })
		})
		return w.get(c.ID).State
	}
	require.Equal(t, campaign.Running, finish(false), "its plan is not fed")
	w.tx(func(tx postgres.Tx) error {
		_, _, err := campaign.TakeUnfed(t.Context(), tx, w.company, c.ID, reachable, time.Now())
		return err
	})
	require.Equal(t, campaign.Running, finish(true))
	require.Equal(t, campaign.Finished, finish(false))
	require.Equal(t, 2, asked)
	require.NotNil(t, w.get(c.ID).FinishedAt)
	w.tx(func(tx postgres.Tx) error {
		told, err := notice.List(t.Context(), tx, w.company, notice.Reader{User: id.New()}, id.Floor(time.Now().Add(time.Hour)), 10, time.Now())
		require.Len(t, told, 1)
		require.Equal(t, notice.CampaignFinished, told[0].Kind)
		require.Equal(t, c.ID, told[0].About.ID)
		return err
	})
	require.Equal(t, campaign.Finished, finish(true)) // ended already: nobody is asked
	require.Equal(t, 2, asked)
}

// Windows are kept by the time of the recipient: the contact's zone, else what the number says, else the company's.
func TestARecipientsZoneIsTheContactsThenTheNumbersThenTheCompanys(t *testing.T) {
	w := newTown(t)
	w.exec(`DELETE FROM contact_tags WHERE tag_id = $1`, w.tag)
	for _, c := range []struct {
		zone  string
		phone any
	}{{"Asia/Tokyo", "America/Manaus"}, {"", "America/Manaus"}, {"", "Atlantic/Azores,Europe/Lisbon"}, {"", ""}, {"", nil}} {
		made := w.contact(c.zone, true, false)
		w.exec(`UPDATE identities SET zones = $3 WHERE company_id = $1 AND contact_id = $2`, w.company, made, c.phone)
		w.exec(`INSERT INTO contact_tags (company_id, tag_id, contact_id) VALUES ($1, $2, $3)`, w.company, w.tag, made)
	}
	fields := w.fields()
	fields.Audience = campaign.Audience{TagIDs: []id.ID{w.tag}}
	c := w.running(fields)
	rows, err := w.owner.Query(t.Context(), `SELECT z.zones, cz.recipients FROM campaign_zones cz JOIN zone_sets z ON z.id = cz.zone_set_id WHERE cz.campaign_id = $1`, c.ID)
	require.NoError(t, err)
	found := map[string]int{}
	for rows.Next() {
		var zones string
		var n int
		require.NoError(t, rows.Scan(&zones, &n))
		found[zones] = n
	}
	require.NoError(t, rows.Err())
	require.Equal(t, map[string]int{"Asia/Tokyo": 1, "America/Manaus": 1, "Atlantic/Azores,Europe/Lisbon": 1, "America/Sao_Paulo": 2}, found)
}
