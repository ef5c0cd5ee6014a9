package send_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/send"
)

func (r *running) failures() (found []send.Failure) {
	r.Helper()
	r.tx(func(tx postgres.Tx) (err error) {
		found, err = send.FailuresOf(r.Context(), tx, r.company, r.campaign)
		return err
	})
	return found
}

// inLedger are the failures as a look at every row tells them.
func (r *running) failuresInLedger() (found []send.Failure) {
	r.Helper()
	rows, err := pgtest.Owner(r.T, r.db).Query(r.Context(), `SELECT coalesce(error_code, 0), count(*) FROM messages WHERE state = 3 GROUP BY 1 ORDER BY 2 DESC, 1`)
	require.NoError(r, err)
	defer rows.Close()
	for rows.Next() {
		var f send.Failure
		require.NoError(r, rows.Scan(&f.Code, &f.Count))
		found = append(found, f)
	}
	return found
}

// Failures come by refusals of the provider and by its statuses, and go when a status proves that a message arrived.
func TestFailuresAreCountedByCode(t *testing.T) {
	r := newRunning(t, 60)
	codes := []int{131026, 131026, 132001, 0}
	provider := newScript(func(out channel.Outgoing, nth int) channel.Outcome {
		if nth%3 == 0 {
			return channel.Outcome{Class: channel.Refused, Code: codes[nth/3%len(codes)], Detail: "Refused."}
		}
		return accept(out, nth)
	})
	r.page(provider)
	require.Len(t, r.failures(), 3)
	require.Equal(t, r.failuresInLedger(), r.failures())
	var statuses []channel.Status
	for i, message := range provider.order {
		s := channel.Status{MessageID: message, ProviderID: "wamid." + message.String(), At: time.Now(), Kind: channel.StatusDelivered}
		if i%4 == 0 {
			s.Kind, s.Code = channel.StatusFailed, 131049
		}
		statuses = append(statuses, s)
	}
	for range 2 { // again changes nothing
		r.tx(func(tx postgres.Tx) error {
			_, err := send.ApplyStatuses(t.Context(), tx, r.company, r.connection, statuses, time.Now())
			return err
		})
		require.Equal(t, r.failuresInLedger(), r.failures())
		require.Contains(t, r.failures(), send.Failure{Code: 131049, Count: 10})
	}
	for _, f := range r.failures() {
		r.tx(func(tx postgres.Tx) error {
			listed, err := send.ListFailed(t.Context(), tx, r.company, r.campaign, id.Nil, f.Code, 100)
			require.Len(t, listed, f.Count)
			return err
		})
	}
}

func TestFailuresAreCompactedAndStayTheSame(t *testing.T) {
	r := newRunning(t, 1)
	_, err := pgtest.Owner(t, r.db).Exec(t.Context(), `INSERT INTO failure_counts (company_id, campaign_id, error_code, count)
		SELECT $1, $2, g % 3, CASE WHEN g % 3 = 2 THEN (-1) ^ g ELSE 1 END FROM generate_series(1, 600) g`, r.company, r.campaign)
	require.NoError(t, err)
	want := []send.Failure{{Code: 0, Count: 200}, {Code: 1, Count: 200}}
	require.Equal(t, want, r.failures())
	require.Equal(t, want, r.failures())
	var rows int
	require.NoError(t, pgtest.Owner(t, r.db).QueryRow(t.Context(), `SELECT count(*) FROM failure_counts`).Scan(&rows))
	require.Equal(t, 2, rows)
}

// A course adds up to the counts, however long its buckets are.
func TestACampaignsCourse(t *testing.T) {
	for _, c := range []struct {
		over    time.Duration
		length  time.Duration
		buckets int
	}{{0, time.Minute, 1}, {90 * time.Minute, time.Minute, 91}, {2 * time.Hour, 5 * time.Minute, 25}, {47 * time.Hour, time.Hour, 48}, {60 * time.Hour, time.Hour, 61}, {40 * 24 * time.Hour, 24 * time.Hour, 41}} {
		t.Run(c.over.String(), func(t *testing.T) {
			r := newRunning(t, 1)
			start := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
			owner := pgtest.Owner(t, r.db)
			_, err := owner.Exec(t.Context(), `DELETE FROM message_counts`)
			require.NoError(t, err)
			for _, change := range []struct {
				at                      time.Time
				queued, sent, delivered int
			}{{start.Add(-time.Hour), 20, 0, 0}, {start, -10, 10, 0}, {start.Add(c.over / 2), -10, 10, 0}, {start.Add(c.over), 0, -10, 10}, {start.Add(c.over + time.Hour), 1, 0, 0}} {
				_, err := owner.Exec(t.Context(), `INSERT INTO message_counts (company_id, campaign_id, at, queued, sent, delivered) VALUES ($1, $2, $3, $4, $5, $6)`,
					r.company, r.campaign, change.at, change.queued, change.sent, change.delivered)
				require.NoError(t, err)
			}
			r.tx(func(tx postgres.Tx) error {
				course, err := send.CourseOf(t.Context(), tx, r.company, r.campaign)
				require.Equal(t, c.length, course.Length)
				require.Len(t, course.Buckets, c.buckets)
				var sent, delivered int
				for i, b := range course.Buckets {
					require.Equal(t, course.Buckets[0].At.Add(time.Duration(i)*course.Length), b.At)
					sent, delivered = sent+b.Sent, delivered+b.Delivered
				}
				require.Equal(t, 20, sent)
				require.Equal(t, 10, delivered)
				return err
			})
		})
	}
}
