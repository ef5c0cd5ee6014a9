package send_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

func total(buckets []send.Bucket) (sum send.Traffic) {
	for _, b := range buckets {
		sum.Sent += b.Sent
		sum.Delivered += b.Delivered
		sum.Read += b.Read
		sum.Failed += b.Failed
		sum.Uncertain += b.Uncertain
		sum.Replies += b.Replies
	}
	return sum
}

// traffic of the company and of the campaign, over all time.
func (r *running) traffic() (company, campaign send.Traffic) {
	r.Helper()
	r.tx(func(tx postgres.Tx) error {
		all, err := send.TrafficOf(r.Context(), tx, r.company, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "hour", "Asia/Kathmandu")
		if err != nil {
			return err
		}
		own, err := send.CampaignTraffic(r.Context(), tx, r.company, r.campaign, time.Hour)
		company, campaign = total(all), total(own)
		return err
	})
	return company, campaign
}

// requireTrue holds every sum against the rows themselves.
func (r *running) requireTrue(replies int) {
	r.Helper()
	var of send.Traffic
	var single int
	r.tx(func(tx postgres.Tx) error {
		return tx.QueryRow(r.Context(), `SELECT count(*) FILTER (WHERE state IN (2, 4, 5)), count(*) FILTER (WHERE state IN (4, 5)), count(*) FILTER (WHERE state = 5),
			count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 6), count(*) FILTER (WHERE state IN (2, 4, 5) AND campaign_id IS NULL) FROM messages`).
			Scan(&of.Sent, &of.Delivered, &of.Read, &of.Failed, &of.Uncertain, &single)
	})
	of.Replies = replies
	company, campaign := r.traffic()
	require.Equal(r, of, company)
	require.Equal(r, of.Sent-single, campaign.Sent)
	require.Equal(r, r.campaignRows(), r.counts())
}

func (r *running) campaignRows() (counts send.Counts) {
	r.Helper()
	r.tx(func(tx postgres.Tx) error {
		return tx.QueryRow(r.Context(), `SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2),
			count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 4), count(*) FILTER (WHERE state = 5), count(*) FILTER (WHERE state = 6)
			FROM messages WHERE campaign_id = $1`, r.campaign).
			Scan(&counts.Queued, &counts.Sending, &counts.Sent, &counts.Failed, &counts.Delivered, &counts.Read, &counts.Uncertain)
	})
	return counts
}

// singles are messages without a campaign, on the wire.
func (r *running) singles(n int) (ids []id.ID) {
	r.Helper()
	for range n {
		ids = append(ids, id.New())
	}
	_, err := pgOwner(r).Exec(r.Context(), `INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, lane, state)
		SELECT $1, unnest($2::uuid[]), $3, gen_random_uuid(), gen_random_uuid(), 1, 1`, r.company, ids, r.connection)
	require.NoError(r, err)
	return ids
}

func (r *running) rollUp() {
	r.Helper()
	require.NoError(r, send.RollUp(r.Context(), r.db))
}

// Model: whatever happens in whatever order, the sums are those of the rows, before and after each roll-up.
func TestSumsAreThoseOfTheRows(t *testing.T) {
	r := newRunning(t, 60)
	provider := newScript(func(out channel.Outgoing, nth int) channel.Outcome {
		if nth%7 == 0 {
			return channel.Outcome{Class: channel.Refused, Code: 131026}
		}
		return accept(out, nth)
	})
	r.page(provider)
	messages := append(r.singles(20), provider.order...)
	replies := 0
	steps := []func(){
		r.rollUp,
		func() {
			var all []channel.Status
			for range 1 + rand.IntN(20) {
				all = append(all, channel.Status{MessageID: messages[rand.IntN(len(messages))], At: time.Now(),
					Kind: []channel.StatusKind{channel.StatusSent, channel.StatusDelivered, channel.StatusRead, channel.StatusFailed}[rand.IntN(4)]})
			}
			r.statuses(all...)
		},
		func() {
			replies += 3
			r.tx(func(tx postgres.Tx) error {
				return send.CountReplies(r.Context(), tx, r.company, r.connection, 3, time.Now())
			})
		},
		func() {
			var both sync.WaitGroup
			for range 3 {
				both.Go(func() {
					if err := send.RollUp(r.Context(), r.db); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
		},
		func() { require.NoError(t, send.MergeMinutes(r.Context(), r.db, time.Now().Add(50*time.Hour))) },
	}
	for range 60 {
		steps[rand.IntN(len(steps))]()
		r.requireTrue(replies)
	}
	r.rollUp()
	r.requireTrue(replies)
	var left int
	require.NoError(t, pgOwner(r).QueryRow(t.Context(), `SELECT count(*) FROM message_counts`).Scan(&left))
	require.Zero(t, left)
}

// The roll-up is killed after it has deleted the changes and before it has added them.
func TestARollUpKilledHalfwayLosesNothing(t *testing.T) {
	r := newRunning(t, 10)
	r.page(newScript(accept))
	r.rollUp()
	r.statuses(channel.Status{MessageID: r.singles(1)[0], Kind: channel.StatusDelivered, At: time.Now()})
	killer, blocker := pgOwner(r), pgOwner(r)
	blocked, err := blocker.Begin(t.Context())
	require.NoError(t, err)
	_, err = blocked.Exec(t.Context(), `INSERT INTO traffic SELECT $1, $2, date_bin('15 minutes', now(), 'epoch') + later, 0, 0, 0, 0, 0, 0
		FROM unnest('{0,15 min}'::interval[]) later ON CONFLICT (company_id, at, connection_id) DO UPDATE SET sent = traffic.sent`, r.company, r.connection)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- send.RollUp(context.WithoutCancel(t.Context()), r.db) }()
	require.Eventually(t, func() bool {
		var killed bool
		err := killer.QueryRow(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%RollUp%'`).Scan(&killed)
		return err == nil && killed
	}, 20*time.Second, 20*time.Millisecond)
	require.Error(t, <-ended)
	require.NoError(t, blocked.Rollback(t.Context()))
	r.requireTrue(0)
	r.rollUp()
	r.requireTrue(0)
	company, _ := r.traffic()
	require.Equal(t, send.Traffic{Sent: 11, Delivered: 1}, company)
}

func TestMinutesBecomeHoursAfterTwoDays(t *testing.T) {
	r := newRunning(t, 1)
	now := time.Date(2026, 5, 10, 12, 30, 0, 0, time.UTC)
	old := now.Add(-50 * time.Hour).Truncate(time.Hour)
	for _, at := range []time.Time{old, old.Add(7 * time.Minute), old.Add(59 * time.Minute), now.Add(-47 * time.Hour), now} {
		_, err := pgOwner(r).Exec(t.Context(), `INSERT INTO campaign_traffic VALUES ($1, $2, $3, 3, 2, 1, 4, 5)`, r.company, r.campaign, at)
		require.NoError(t, err)
	}
	want := []send.Bucket{{At: old, Traffic: send.Traffic{Sent: 9, Delivered: 6, Read: 3, Failed: 12, Uncertain: 15}}}
	for _, at := range []time.Time{now.Add(-47 * time.Hour), now} {
		want = append(want, send.Bucket{At: at, Traffic: send.Traffic{Sent: 3, Delivered: 2, Read: 1, Failed: 4, Uncertain: 5}})
	}
	for range 2 {
		require.NoError(t, send.MergeMinutes(t.Context(), r.db, now))
		r.tx(func(tx postgres.Tx) error {
			buckets, err := send.CampaignTraffic(t.Context(), tx, r.company, r.campaign, time.Minute)
			for i := range buckets {
				buckets[i].At = buckets[i].At.UTC()
			}
			require.Equal(t, want, buckets[:3])
			return err
		})
	}
}

func TestBucketsBeginInTheZone(t *testing.T) {
	r := newRunning(t, 1)
	kathmandu := time.FixedZone("", 5*3600+45*60)
	midnight := time.Date(2026, 5, 10, 0, 0, 0, 0, kathmandu)
	for _, at := range []time.Time{midnight.Add(-15 * time.Minute), midnight, midnight.Add(23*time.Hour + 45*time.Minute), midnight.Add(24 * time.Hour)} {
		_, err := pgOwner(r).Exec(t.Context(), `INSERT INTO traffic VALUES ($1, $2, $3, 1, 0, 0, 0, 0, 0)`, r.company, r.connection, at)
		require.NoError(t, err)
	}
	r.tx(func(tx postgres.Tx) error {
		buckets, err := send.TrafficOf(t.Context(), tx, r.company, midnight, midnight.Add(24*time.Hour), "day", "Asia/Kathmandu")
		require.Len(t, buckets, 1)
		require.True(t, midnight.Equal(buckets[0].At))
		require.Equal(t, 2, buckets[0].Sent)
		return err
	})
}

// Uncertain messages make one notice per campaign and hour, however many there are and however often they are counted.
func TestUncertainMessagesAreToldOnce(t *testing.T) {
	r := newRunning(t, 40)
	for range 2 {
		r.page(newScript(func(out channel.Outgoing, nth int) channel.Outcome {
			if nth%2 == 0 {
				return channel.Outcome{Class: channel.Unknown}
			}
			return accept(out, nth)
		}))
		r.rollUp()
	}
	uncertain := r.rows().Uncertain
	require.Positive(t, uncertain)
	told := slices.DeleteFunc(r.notices(), func(n notice.Notice) bool { return n.Kind != notice.MessagesUncertain })
	require.Len(t, told, 1)
	require.Equal(t, notice.Campaign(r.campaign), told[0].About)
	require.Equal(t, uncertain, told[0].Count)
}
