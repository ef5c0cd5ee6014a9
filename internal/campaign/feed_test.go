package campaign_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/campaign"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
)

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at
}

// feed takes what may be fed at an instant and returns how many of each zone set.
func (w *town) feed(campaignID id.ID, limit int, now time.Time) map[string]int {
	w.Helper()
	fed := map[string]int{}
	w.tx(func(tx postgres.Tx) error {
		_, slices, err := campaign.TakeUnfed(w.Context(), tx, w.company, campaignID, limit, now)
		for _, s := range slices {
			var zones string
			require.NoError(w, tx.QueryRow(w.Context(), `SELECT zones FROM zone_sets WHERE id = $1`, s.ZoneSet).Scan(&zones))
			fed[zones] += int(s.Through - s.After)
		}
		return err
	})
	return fed
}

func (w *town) clocks(campaignID id.ID, now time.Time) (c campaign.Clocks) {
	w.Helper()
	w.tx(func(tx postgres.Tx) (err error) {
		c, err = campaign.ClocksOf(w.Context(), tx, w.company, campaignID, now)
		return err
	})
	return c
}

func (w *town) window(from, until string) {
	w.Helper()
	w.exec(`UPDATE companies SET window_from = $2::text::time, window_until = $3::text::time WHERE company_id = $1`, w.company, from, until)
}

func TestOnlyZonesThatAreAwakeAreFed(t *testing.T) {
	w := newTown(t)
	w.window("07:00", "21:00")
	c := w.running(w.fields())

	// At 04:00 in UTC it is 01:00 in São Paulo and 11:00 in Jakarta.
	night := instant(t, "2026-11-23T04:00:00Z")
	require.Equal(t, map[string]int{"Asia/Jakarta": 2}, w.feed(c.ID, 2, night))
	require.Equal(t, map[string]int{"Asia/Jakarta": 1}, w.feed(c.ID, 100, night))
	require.Empty(t, w.feed(c.ID, 100, night))
	asleep := w.clocks(c.ID, night)
	require.True(t, asleep.Unfed)
	require.False(t, asleep.Feedable)
	require.False(t, asleep.Sendable)
	require.Equal(t, "waits until 07:00 in UTC: outside the sending window 07:00–21:00", asleep.Wait.Words(night))
	require.Equal(t, instant(t, "2026-11-23T06:50:00Z"), asleep.LookAt.UTC(), "ten minutes before the next window opens")

	// Ten minutes before, its recipients are fed; they can't be sent to yet.
	early := instant(t, "2026-11-23T06:50:00Z")
	require.True(t, w.clocks(c.ID, early).Feedable)
	require.Equal(t, map[string]int{"UTC": 4}, w.feed(c.ID, 4, early))
	w.exec(`INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, campaign_id, zone_set_id, sequence, lane)
		SELECT $1, $2, $3, contact_id, identity_id, campaign_id, zone_set_id, sequence, 5 FROM recipients r JOIN zone_sets z ON z.id = r.zone_set_id WHERE zones = 'UTC' AND sequence = 1`,
		w.company, id.New(), w.connection)
	soon := w.clocks(c.ID, early)
	require.False(t, soon.Sendable)
	require.Len(t, soon.Shut, 1)
	require.True(t, w.clocks(c.ID, instant(t, "2026-11-23T07:00:00Z")).Sendable)

	// Zones that are awake share the feed; those that wake soon come after them.
	w.window("06:50", "21:00")
	both := instant(t, "2026-11-23T09:45:00Z") // 06:45 in São Paulo
	require.Equal(t, map[string]int{"UTC": 1}, w.feed(c.ID, 100, both))
	require.Equal(t, map[string]int{"America/Sao_Paulo": 3}, w.feed(c.ID, 3, both))
	require.Equal(t, map[string]int{"America/Sao_Paulo": inSaoPaulo - 3}, w.feed(c.ID, 100, both))
	done := w.clocks(c.ID, both)
	require.False(t, done.Unfed)
	require.True(t, done.Sendable)
}

func TestZonesThatAreAwakeShareTheFeed(t *testing.T) {
	w := newTown(t)
	c := w.running(w.fields())
	require.Equal(t, map[string]int{"America/Sao_Paulo": 2, "UTC": 2, "Asia/Jakarta": 2}, w.feed(c.ID, 6, time.Now()))
}

func TestAWindowThatNeverOpensFeedsNobodyAndSaysSo(t *testing.T) {
	w := newTown(t)
	c := w.running(w.fields())
	w.exec(`UPDATE zone_sets SET zones = 'America/Sao_Paulo,Asia/Tokyo' WHERE id = (SELECT min(id) FROM zone_sets)`)
	w.exec(`DELETE FROM campaign_zones WHERE zone_set_id <> (SELECT min(id) FROM zone_sets)`)
	w.window("10:00", "12:00")
	now := time.Now()
	require.Empty(t, w.feed(c.ID, 100, now))
	clocks := w.clocks(c.ID, now)
	require.True(t, clocks.LookAt.IsZero())
	require.Equal(t, pace.Never, clocks.Wait.Reason.Kind)
}
