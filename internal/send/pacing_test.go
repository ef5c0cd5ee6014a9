package send_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"omnidesk/internal/channel"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// Evenings before clocks change, all to come: ids are of today.
var evenings = map[string]string{
	"America/New_York": "2027-03-13T23:00:00Z", "Europe/London": "2027-10-30T20:00:00Z", "Australia/Lord_Howe": "2027-04-03T09:00:00Z",
	"America/Sao_Paulo": "2027-05-01T22:00:00Z", "Asia/Kathmandu": "2027-05-01T15:00:00Z",
}

// ledger is the plainest model of what a connection's limits allow: every message that was taken, asked one by one.
type ledger struct {
	limits  pace.Limits
	zone    *time.Location
	taken   []time.Time
	gapEnds time.Time
}

func (l *ledger) allows(lane pace.Lane, n int, at time.Time) bool {
	fits := func(limit int, counts func(time.Time) bool) bool {
		if limit == 0 {
			return true
		}
		if lane == pace.Campaign {
			limit -= limit / 5
		}
		used := n
		for _, take := range l.taken {
			if counts(take) {
				used++
			}
		}
		return used <= limit
	}
	within := func(window time.Duration) func(time.Time) bool {
		return func(take time.Time) bool { return at.Sub(take) < window }
	}
	if !fits(l.limits.PerSecond, within(time.Second)) {
		return false
	}
	if lane == pace.Agent {
		return true
	}
	if lane == pace.Campaign && l.limits.GapUntil > 0 && (n > 1 || at.Before(l.gapEnds)) {
		return false
	}
	today := func(take time.Time) bool {
		return take.In(l.zone).Format(time.DateOnly) == at.In(l.zone).Format(time.DateOnly)
	}
	return fits(l.limits.PerMinute, within(time.Minute)) && fits(l.limits.PerHour, within(time.Hour)) && fits(l.limits.PerDay, today)
}

// TestStoredLimitsAgainstAModel takes turns of a page and an urgent run, which share nothing but the rows, around nights in
// which clocks change: never over a limit, all the room there is, never a needless wait.
func TestStoredLimitsAgainstAModel(t *testing.T) {
	const each = 60
	r := newRunning(t, each)
	for lane := send.LaneReply; lane <= send.LaneQueue; lane++ {
		for nth := 1; nth <= each; nth++ {
			r.queue(r.single(nth, lane, greeting))
		}
	}
	owner := pgOwner(r)
	var zoneSet int32
	require.NoError(t, owner.QueryRow(t.Context(), `SELECT id FROM zone_sets`).Scan(&zoneSet))
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu"}).Draw(t, "zone")
		now, err := time.Parse(time.RFC3339, evenings[name])
		require.NoError(t, err)
		m := &ledger{limits: drawLimits(t)}
		m.zone, err = pace.Zone(name)
		require.NoError(t, err)
		r.afresh(owner, name, m.limits)
		page, urgent := r.stand(false, now), r.stand(true, now)
		for range rapid.IntRange(2, 9).Draw(t, "steps") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, 3 * time.Millisecond, time.Second, 20 * time.Second, 7 * time.Minute, 50 * time.Minute, 3 * time.Hour}).Draw(t, "pause"))
			lane := pace.Lane(rapid.IntRange(1, 5).Draw(t, "lane"))
			most := rapid.IntRange(1, 5).Draw(t, "most")
			run := page
			if send.Lane(lane).Urgent() {
				run = urgent
			}
			claims, wait, err := run.Take(r.Context(), lane, r.campaign, zoneSet, most, now)
			require.NoError(t, err)
			if len(claims) == 0 {
				require.False(t, m.allows(lane, 1, now), "lane %d takes nothing at %s", lane, now)
				require.True(t, wait.At.After(now))
				require.False(t, m.allows(lane, 1, wait.At.Add(-time.Microsecond)), "lane %d waits until %s", lane, wait.At)
				now = wait.At
				claims, _, err = run.Take(r.Context(), lane, r.campaign, zoneSet, most, now)
				require.NoError(t, err)
				require.NotEmpty(t, claims, "the wait ends in another one")
			}
			require.True(t, m.allows(lane, len(claims), now), "%d of lane %d at %s", len(claims), lane, now)
			require.True(t, len(claims) == most || !m.allows(lane, len(claims)+1, now), "only %d of lane %d at %s", len(claims), lane, now)
			for range claims {
				m.taken = append(m.taken, now)
			}
			if lane == pace.Campaign && m.limits.GapUntil > 0 {
				require.NoError(t, owner.QueryRow(r.Context(), `SELECT next_campaign_at FROM scopes`).Scan(&m.gapEnds))
				gap := m.gapEnds.Sub(now)
				require.True(t, m.limits.GapFrom-time.Microsecond <= gap && gap <= m.limits.GapUntil, "a gap of %s", gap)
			}
		}
	})
}

func drawLimits(t *rapid.T) (l pace.Limits) {
	limit := func(name string, most int) int {
		return rapid.OneOf(rapid.Just(0), rapid.IntRange(1, most)).Draw(t, name)
	}
	l = pace.Limits{PerSecond: limit("second", 6), PerMinute: limit("minute", 8), PerHour: limit("hour", 10), PerDay: limit("day", 12)}
	if l.None() || rapid.IntRange(0, 3).Draw(t, "gapped") == 0 {
		l.GapFrom, l.GapUntil = 10*time.Second, 30*time.Minute
	}
	return l
}

// afresh puts everything back into the queue and forgets what was taken.
func (r *running) afresh(owner *pgx.Conn, zone string, limits pace.Limits) {
	r.Helper()
	for _, sql := range []string{
		`UPDATE messages SET state = 0, attempts = 0, attempt_id = NULL, claimed_at = NULL, retry_at = NULL`,
		`UPDATE scopes SET last_instant = 'epoch', taken_at = '{}', taken = '{}', taken_day = '', taken_today = 0, next_campaign_at = NULL, taken_for = NULL`,
		fmt.Sprintf(`UPDATE companies SET zone = '%s'`, zone),
	} {
		_, err := owner.Exec(r.Context(), sql)
		require.NoError(r, err)
	}
	r.limit(limits)
}

func (r *running) stand(urgent bool, at time.Time) *send.Stand {
	r.Helper()
	options := r.options(newScript(accept))
	options.Urgent = urgent
	stand, err := send.NewStand(r.Context(), r.db, options, at)
	require.NoError(r, err)
	return stand
}

// TestAClaimFindsAContactsLastMessagesByItsOwn explains the look-up as the application does it: no scan of the ledger.
func TestAClaimFindsAContactsLastMessagesByItsOwn(t *testing.T) {
	r := newRunning(t, 2000)
	_, err := pgOwner(r).Exec(t.Context(), `ANALYZE`)
	require.NoError(t, err)
	r.tx(func(tx postgres.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL plan_cache_mode = force_generic_plan`); err != nil {
			return err
		}
		rows, err := tx.Query(t.Context(), `EXPLAIN SELECT o.claimed_at FROM (SELECT x.message_id FROM contact_messages x
			WHERE x.company_id = $1 AND x.contact_id = $2 ORDER BY x.message_id DESC LIMIT 40) x JOIN messages o ON o.company_id = $1 AND o.id = x.message_id
			WHERE o.connection_id = $3 AND o.state BETWEEN 1 AND 6 AND o.claimed_at > $4::timestamptz - interval '144 s'`,
			r.company, r.single(1, send.LaneQueue, channel.Content{}).Contact, r.connection, time.Now())
		if err != nil {
			return err
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		text := fmt.Sprint(plan)
		require.Contains(t, text, "contact_messages_pkey")
		require.NotContains(t, text, "Seq Scan on messages_"+time.Now().UTC().Format("2006_01"))
		return err
	})
}
