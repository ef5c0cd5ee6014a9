package connection

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

// every returns n instants with one pause between, the newest first.
func every(pause time.Duration, n int, newest time.Time) (heard []time.Time) {
	for i := range n {
		heard = append(heard, newest.Add(-time.Duration(i)*pause))
	}
	return heard
}

func TestUsualIsLearnedWithinBounds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	require.Equal(t, unknownUsual, usual(nil))
	require.Equal(t, unknownUsual, usual(every(time.Second, fewestPauses, now)))
	require.Equal(t, shortestUsual, usual(every(time.Second, 100, now)))
	require.Equal(t, 80*time.Minute, usual(every(20*time.Minute, 100, now)))
	require.Equal(t, longestUsual, usual(every(5*time.Hour, 30, now)))
	night := append(every(10*time.Minute, 100, now), now.Add(-40*time.Hour)) // one pause of many
	require.Equal(t, 40*time.Minute, usual(night))
}

func TestSilentWhileItSends(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		ago  time.Duration
		sent int
		want bool
	}{
		"as usual": {40 * time.Minute, 500, false}, "too long": {41 * time.Minute, 500, true},
		"nothing is sent": {5 * time.Hour, 0, false}, "hardly anything is": {5 * time.Hour, mostUnanswered - 1, false},
	} {
		last := now.Add(-c.ago)
		require.Equal(t, c.want, silent(last, every(10*time.Minute, 100, last), c.sent, now), name)
	}
}

func TestSilenceIsNotedOnceAndEndsWhenSomethingIsHeard(t *testing.T) {
	db := pgtest.New(t)
	company, owner := pgtest.Company(t, db), pgtest.Owner(t, db)
	connection, now := id.New(), time.Now()
	exec := func(sql string, args ...any) {
		_, err := owner.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	exec(`INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug, sealed_app_secret, sealed_token, sealed_verify_token)
		VALUES ($1, $2, 'whatsapp_cloud', 'C', '1', '2', '3', $3, '', '', '')`, company, connection, connection.String())
	exec(`INSERT INTO webhook_routes (company_id, connection_id, slug, number_id) VALUES ($1, $2, $3, '3')`, company, connection, connection.String())
	hear := func(ago time.Duration) {
		exec(`INSERT INTO raw_events (company_id, id, connection_id, kind, state, sealed) VALUES ($1, $2, $3, 'statuses', 0, '')`, company, id.At(now.Add(-ago), 0), connection)
	}
	state := func() (since *time.Time, notices int) {
		t.Helper()
		require.NoError(t, Listen(t.Context(), db, now))
		require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT silent_since, (SELECT count(*) FROM notices WHERE kind = 'connection_silent') FROM connections`).Scan(&since, &notices)
		}))
		return since, notices
	}
	sent := func(ago time.Duration, n int) {
		exec(`INSERT INTO traffic (company_id, connection_id, at, sent, delivered, read, failed, uncertain, replies) VALUES ($1, $2, $3, $4, 0, 0, 0, 0, 0)`, company, connection, now.Add(-ago), n)
	}
	since, _ := state()
	require.Nil(t, since, "it sends nothing")
	exec(`INSERT INTO traffic (company_id, connection_id, at, sent, delivered, read, failed, uncertain, replies) VALUES ($1, $2, $3, 90, 80, 0, 0, 0, 0)`, company, connection, now.Add(-5*time.Hour))
	since, _ = state()
	require.Nil(t, since, "what came back before events were kept counts")
	sent(2*time.Hour, 30)
	since, notices := state()
	require.WithinDuration(t, now.Add(-2*time.Hour), *since, time.Second, "never heard, since it began to send")
	require.Equal(t, 1, notices)
	_, notices = state()
	require.Equal(t, 1, notices)

	hear(time.Hour)
	since, _ = state()
	require.Nil(t, since, "heard after the last send")
	sent(50*time.Minute, 19)
	since, _ = state()
	require.Nil(t, since)
	sent(35*time.Minute, 1)
	since, notices = state()
	require.WithinDuration(t, now.Add(-time.Hour), *since, time.Second)
	require.Equal(t, 1, notices, "the same again within the hour is counted")
	hear(0)
	since, _ = state()
	require.Nil(t, since)
}
