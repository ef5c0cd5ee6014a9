package campaign_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/campaign"
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
