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
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

func TestCreatedCampaignReadsBack(t *testing.T) {
	w := newTown(t)
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	later := at.Add(time.Hour)
	fields := w.fields()
	fields.Audience = campaign.Audience{TagIDs: []id.ID{w.tag}}
	fields.StartsAt, fields.ExpiresAt = &at, &later
	c := w.create(fields)
	require.Equal(t, campaign.Draft, c.State)
	require.Equal(t, "Main", c.ConnectionName)
	require.Equal(t, 1, c.Version)
	require.True(t, at.Equal(*c.StartsAt))
	require.True(t, later.Equal(*c.ExpiresAt))
	c.StartsAt, c.ExpiresAt, fields.StartsAt, fields.ExpiresAt = nil, nil, nil, nil
	require.Equal(t, fields, c.Fields)
}

func TestFieldsMustReferToWhatExists(t *testing.T) {
	w := newTown(t)
	other := pgtest.Company(t, w.db)
	foreign := id.New()
	w.exec(`INSERT INTO tags (company_id, id, name) VALUES ($1, $2, 'theirs')`, other, foreign)
	for name, c := range map[string]struct {
		change func(*campaign.Fields)
		want   error
	}{
		"unknown connection":           {func(f *campaign.Fields) { f.Connection = id.New() }, campaign.ErrConnection},
		"unknown tag":                  {func(f *campaign.Fields) { f.Audience = campaign.Audience{TagIDs: []id.ID{w.tag, id.New()}} }, campaign.ErrTag},
		"tag of another company":       {func(f *campaign.Fields) { f.Audience = campaign.Audience{TagIDs: []id.ID{foreign}} }, campaign.ErrTag},
		"nothing is wrong (a control)": {func(*campaign.Fields) {}, nil},
	} {
		fields := w.fields()
		c.change(&fields)
		require.ErrorIs(t, w.in(func(tx postgres.Tx) error {
			_, err := campaign.Create(t.Context(), tx, w.company, fields)
			return err
		}), c.want, name)
	}
}

func TestListIsNewestFirstByPagesAndState(t *testing.T) {
	w := newTown(t)
	var made []id.ID
	for range 5 {
		made = append([]id.ID{w.create(w.fields()).ID}, made...)
	}
	w.start(made[1])
	list := func(before id.ID, state campaign.State, limit int) (ids []id.ID) {
		w.tx(func(tx postgres.Tx) error {
			found, err := campaign.List(t.Context(), tx, w.company, before, state, limit)
			for _, c := range found {
				ids = append(ids, c.ID)
			}
			return err
		})
		return ids
	}
	last := id.Floor(time.Now().Add(time.Hour))
	require.Equal(t, made, list(last, "", 10))
	require.Equal(t, made[:2], list(last, "", 2))
	require.Equal(t, made[2:4], list(made[1], "", 2))
	require.Equal(t, made[1:2], list(last, campaign.Starting, 10))
}

func TestUpdateTakesOnlyTheVersionTheWriterSaw(t *testing.T) {
	w := newTown(t)
	c := w.create(w.fields())
	update := func(version int, name string) (campaign.Campaign, error) {
		fields := w.fields()
		fields.Name = name
		var now campaign.Campaign
		err := w.in(func(tx postgres.Tx) (err error) {
			now, err = campaign.Update(t.Context(), tx, w.company, c.ID, version, fields)
			return err
		})
		return now, err
	}
	now, err := update(c.Version, "Second")
	require.NoError(t, err)
	require.Equal(t, "Second", now.Name)
	require.Greater(t, now.Version, c.Version)
	_, err = update(c.Version, "Third")
	require.ErrorIs(t, err, campaign.ErrStale)
	require.Equal(t, "Second", w.get(c.ID).Name)
	w.start(c.ID)
	_, err = update(w.get(c.ID).Version, "Fourth")
	var state *campaign.StateError
	require.ErrorAs(t, err, &state)
	require.Equal(t, "a campaign that is starting can't be edited; only one that is a draft can", err.Error())
}

// Two editors who saw the same version: one of them is told.
func TestOfTwoEditorsOneWins(t *testing.T) {
	w := newTown(t)
	c := w.create(w.fields())
	results := make([]error, 8)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() {
			results[i] = w.in(func(tx postgres.Tx) error {
				_, err := campaign.Update(t.Context(), tx, w.company, c.ID, c.Version, w.fields())
				return err
			})
		})
	}
	group.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
			continue
		}
		require.ErrorIs(t, err, campaign.ErrStale)
	}
	require.Equal(t, 1, won)
}

// commands as the server calls them.
func (w *town) commands() map[string]func(postgres.Tx, id.ID) error {
	now := time.Now()
	return map[string]func(postgres.Tx, id.ID) error{
		"start":  func(tx postgres.Tx, c id.ID) error { return campaign.Start(w.Context(), tx, w.company, c, now) },
		"pause":  func(tx postgres.Tx, c id.ID) error { return campaign.Pause(w.Context(), tx, w.company, c, now) },
		"resume": func(tx postgres.Tx, c id.ID) error { return campaign.Resume(w.Context(), tx, w.company, c, now) },
		"cancel": func(tx postgres.Tx, c id.ID) error { return campaign.Cancel(w.Context(), tx, w.company, c, now) },
		"delete": func(tx postgres.Tx, c id.ID) error { return campaign.Delete(w.Context(), tx, w.company, c) },
	}
}

func TestEachStateTakesItsCommandsOnly(t *testing.T) {
	w := newTown(t)
	c := w.create(w.fields())
	allowed := map[campaign.State]map[string]campaign.State{
		campaign.Draft:     {"start": campaign.Starting, "delete": ""},
		campaign.Starting:  {"cancel": campaign.Canceled},
		campaign.Scheduled: {"cancel": campaign.Canceled},
		campaign.Running:   {"pause": campaign.Paused, "cancel": campaign.Canceled},
		campaign.Paused:    {"resume": campaign.Running, "cancel": campaign.Canceled},
		campaign.Finished:  {},
		campaign.Canceled:  {},
	}
	undo := errors.New("undo")
	for from, takes := range allowed {
		w.exec(`UPDATE campaigns SET state = $3 WHERE company_id = $1 AND id = $2`, w.company, c.ID, string(from))
		for name, do := range w.commands() {
			err := w.in(func(tx postgres.Tx) error {
				if err := do(tx, c.ID); err != nil {
					return err
				}
				to, ok := takes[name]
				require.True(t, ok, "%s took %s", from, name)
				if to != "" {
					now, err := campaign.Get(t.Context(), tx, w.company, c.ID)
					require.NoError(t, err)
					require.Equal(t, to, now.State)
					require.Equal(t, to == campaign.Canceled, now.FinishedAt != nil)
				}
				return undo
			})
			if _, ok := takes[name]; ok {
				require.ErrorIs(t, err, undo, "%s: %s", from, name)
				continue
			}
			var state *campaign.StateError
			require.ErrorAs(t, err, &state, "%s: %s", from, name)
			require.Equal(t, from, state.State)
			require.NotEmpty(t, state.Allowed)
		}
	}
	for name, do := range w.commands() {
		require.ErrorIs(t, w.in(func(tx postgres.Tx) error { return do(tx, id.New()) }), campaign.ErrNotFound, name)
	}
}

func TestDeletedDraftIsGone(t *testing.T) {
	w := newTown(t)
	c := w.create(w.fields())
	w.tx(func(tx postgres.Tx) error { return campaign.Delete(t.Context(), tx, w.company, c.ID) })
	require.ErrorIs(t, w.in(func(tx postgres.Tx) error {
		_, err := campaign.Get(t.Context(), tx, w.company, c.ID)
		return err
	}), campaign.ErrNotFound)
}

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
		"unknown field":    {func(f *campaign.Fields) { f.Content.Template.Parameters = []string{"{{shoe}}"} }, "content.template.parameters"},
		"unknown in text":  {func(f *campaign.Fields) { f.Content = campaign.Content{Kind: "text", Text: "{{shoe}}"} }, "content.text"},
		"no template":      {func(f *campaign.Fields) { f.Content.Template = nil }, "content.template"},
		"unclosed":         {func(f *campaign.Fields) { f.Content.Template.Parameters = []string{"{{city"} }, "content.template.parameters"},
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
			_, slices, err := campaign.TakeUnfed(t.Context(), tx, w.company, c.ID, limit)
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
		_, slices, err := campaign.TakeUnfed(t.Context(), tx, w.company, c.ID, 4)
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
		_, slices, err := campaign.TakeUnfed(t.Context(), tx, w.company, c.ID, 4)
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
		_, _, err := campaign.TakeUnfed(t.Context(), tx, w.company, c.ID, reachable)
		return err
	})
	require.Equal(t, campaign.Running, finish(true))
	require.Equal(t, campaign.Finished, finish(false))
	require.Equal(t, 2, asked)
	require.NotNil(t, w.get(c.ID).FinishedAt)
	require.Equal(t, campaign.Finished, finish(true)) // ended already: nobody is asked
	require.Equal(t, 2, asked)
}
