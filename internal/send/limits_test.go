package send_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
	"omnidesk/internal/wait"
)

func (r *running) limit(limits pace.Limits) {
	r.Helper()
	r.tx(func(tx postgres.Tx) error {
		return send.SetLimits(context.Background(), tx, r.company, r.connection, limits, time.Now())
	})
}

// takes are the instants at which messages were claimed, oldest first.
func (r *running) takes() (at []time.Time) {
	r.Helper()
	rows, err := pgOwner(r).Query(r.Context(), `SELECT claimed_at FROM messages WHERE state BETWEEN 1 AND 6 ORDER BY claimed_at`)
	require.NoError(r, err)
	defer rows.Close()
	for rows.Next() {
		var one time.Time
		require.NoError(r, rows.Scan(&one))
		at = append(at, one)
	}
	return at
}

// most is the largest number of takes within any stretch of time.
func most(at []time.Time, within time.Duration) (n int) {
	for first := range at {
		last := first
		for last < len(at) && at[last].Sub(at[first]) < within {
			last++
		}
		n = max(n, last-first)
	}
	return n
}

func TestACampaignLeavesTheLastFifthOfALimit(t *testing.T) {
	r := newRunning(t, 40)
	r.limit(pace.Limits{PerHour: 20})
	provider := newScript(accept)
	r.page(provider)
	require.Equal(t, send.Counts{Sent: 16, Queued: 24}, r.rows())
	o := r.outlook()
	require.False(t, o.Claimable)
	require.Regexp(t, `^waits until \d\d:\d\d in São Paulo: 16 of 20 messages an hour are used, the rest is kept for answers$`, o.Wait.Words(time.Now()))
	require.WithinDuration(t, r.takes()[0].Add(time.Hour), o.Wait.At, 5*time.Second)
	r.page(provider)
	require.Equal(t, 16, provider.sends(), "another page has the same log")

	code := r.queue(r.single(1, send.LaneUrgent, greeting))[0]
	r.urgent(provider)
	require.Equal(t, 1, provider.seen[code], "a code may use what a campaign may not")
	for nth := 2; nth <= 5; nth++ {
		r.queue(r.single(nth, send.LaneUrgent, greeting))
	}
	answer := r.queue(r.single(6, send.LaneReply, greeting))[0]
	r.urgent(provider)
	require.Equal(t, 20, provider.sends(), "the answer, which no hour limits but which counts, and two codes more")
	require.Equal(t, 1, provider.seen[answer])
	o = r.outlook()
	require.False(t, o.Urgent)
	require.Equal(t, pace.TooFast, o.UrgentWait.Reason.Kind)

	r.limit(pace.Limits{})
	require.True(t, r.outlook().Urgent)
	r.page(provider)
	r.urgent(provider)
	require.Equal(t, send.Counts{Sent: 46}, r.rows())
}

func TestAPageSitsThroughTheSecondsOfARate(t *testing.T) {
	r := newRunning(t, 45)
	r.limit(pace.Limits{PerSecond: 10, PerMinute: 1000})
	r.page(newScript(accept))
	require.Equal(t, send.Counts{Sent: 45}, r.rows())
	require.Equal(t, 8, most(r.takes(), time.Second), "of ten a campaign takes eight")
}

func TestUrgentRunAndPageShareALimit(t *testing.T) {
	r := newRunning(t, 60)
	r.limit(pace.Limits{PerSecond: 10})
	for nth := 1; nth <= 20; nth++ {
		r.queue(r.single(nth, send.LaneUrgent, greeting))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.urgent(newScript(accept))
	}()
	r.page(newScript(accept))
	<-done
	require.Equal(t, send.Counts{Sent: 80}, r.rows())
	require.LessOrEqual(t, most(r.takes(), time.Second), 10)
}

func TestLimitsThatComeWhileAPageRunsHoldAtOnce(t *testing.T) {
	r := newRunning(t, 400)
	provider := newScript(nil)
	before := 0
	provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 40 {
			r.limit(pace.Limits{PerHour: 10})
			before = len(r.takes())
		}
		return accept(out, nth)
	}
	r.page(provider)
	require.LessOrEqual(t, provider.sends(), before+8)
	require.Equal(t, send.Counts{Sent: provider.sends(), Queued: 400 - provider.sends()}, r.rows())
}

func TestAGapLetsOneCampaignMessageGoAtATimeAndCampaignsTakeTurns(t *testing.T) {
	r := newRunning(t, 5)
	r.limit(pace.Limits{GapFrom: 10 * time.Minute, GapUntil: 30 * time.Minute})
	provider := newScript(accept)
	r.page(provider)
	require.Equal(t, send.Counts{Sent: 1, Queued: 4}, r.rows())
	o := r.outlook()
	require.Equal(t, pace.CampaignGap, o.Wait.Reason.Kind)
	gap := o.Wait.At.Sub(r.takes()[0])
	require.GreaterOrEqual(t, gap, 10*time.Minute)
	require.Less(t, gap, 30*time.Minute)
	require.Equal(t, o.Wait, r.outlook().Wait, "it is drawn once")

	other := r.another(5)
	r.pass(gap)
	r.page(provider)
	r.pass(30 * time.Minute)
	r.page(provider)
	var of []id.ID
	for _, message := range provider.order {
		r.tx(func(tx postgres.Tx) error {
			m, err := send.Get(t.Context(), tx, r.company, message, nil)
			of = append(of, *m.CampaignID)
			return err
		})
	}
	require.Equal(t, []id.ID{r.campaign, other, r.campaign}, of)

	r.limit(pace.Limits{GapFrom: time.Minute, GapUntil: time.Minute})
	require.Equal(t, r.takes()[2].Add(time.Minute), r.outlook().Wait.At.Local(), "a shorter gap holds at once")
}

// another starts a second campaign to the same contacts.
func (r *running) another(n int) (campaign id.ID) {
	r.Helper()
	campaign = id.New()
	for _, sql := range []string{
		`INSERT INTO campaigns (company_id, id, connection_id, name, state, content, audience, recipients, frozen_at)
			SELECT company_id, $2, connection_id, 'Another', state, content, audience, recipients, frozen_at FROM campaigns WHERE id = $1`,
		`INSERT INTO campaign_zones (company_id, campaign_id, zone_set_id, recipients) SELECT company_id, $2, zone_set_id, recipients FROM campaign_zones WHERE campaign_id = $1`,
		`INSERT INTO recipients (company_id, campaign_id, zone_set_id, sequence, contact_id, identity_id, text_version)
			SELECT company_id, $2, zone_set_id, sequence, contact_id, identity_id, text_version FROM recipients WHERE campaign_id = $1`,
	} {
		_, err := pgOwner(r).Exec(r.Context(), sql, r.campaign, campaign)
		require.NoError(r, err)
	}
	var zoneSet int32
	require.NoError(r, pgOwner(r).QueryRow(r.Context(), `SELECT id FROM zone_sets`).Scan(&zoneSet))
	r.tx(func(tx postgres.Tx) error {
		_, err := send.QueueRecipients(r.Context(), tx, r.company, r.connection, campaign, zoneSet, 0, int32(n), nil)
		return err
	})
	return campaign
}

// pass makes everything that was written down that much older.
func (r *running) pass(d time.Duration) {
	r.Helper()
	for _, sql := range []string{
		`UPDATE scopes SET last_instant = last_instant - $1::interval, taken_at = (SELECT coalesce(array_agg(at - $1::interval ORDER BY at), '{}') FROM unnest(taken_at) at),
			next_campaign_at = next_campaign_at - $1::interval, others_at = others_at - $1::interval`,
		`UPDATE messages SET claimed_at = claimed_at - $1::interval, retry_at = retry_at - $1::interval`,
		`UPDATE portfolio_contacts SET at = at - $1::interval`,
	} {
		_, err := pgOwner(r).Exec(r.Context(), sql, d)
		require.NoError(r, err)
	}
}

func TestAContactsMessagesKeepTheirGap(t *testing.T) {
	r := newRunning(t, 3)
	r.limit(pace.Limits{ContactGap: 6 * time.Second})
	provider := newScript(accept)
	queued := r.queue(r.single(1, send.LaneQueue, greeting), r.single(1, send.LaneQueue, greeting), r.single(2, send.LaneQueue, greeting))
	r.page(provider)
	require.Equal(t, 1, provider.seen[queued[0]])
	require.Equal(t, 1, provider.seen[queued[2]])
	require.Equal(t, 3, provider.sends(), "the second message to the first contact waits, and the campaign's to both; the third contact gets its own")
	retries := map[id.ID]time.Duration{}
	rows, err := pgOwner(r).Query(t.Context(), `SELECT m.id, m.retry_at - (SELECT min(claimed_at) FROM messages) FROM messages m WHERE m.state = 0`)
	require.NoError(t, err)
	for rows.Next() {
		var message id.ID
		var after time.Duration
		require.NoError(t, rows.Scan(&message, &after))
		retries[message] = after
	}
	require.Len(t, retries, 3)
	require.Equal(t, 6*time.Second, retries[queued[1]])
	for _, after := range retries {
		require.InDelta(t, 6, after.Seconds(), 1, "each is postponed until its contact is free")
	}
	require.False(t, r.outlook().Claimable)

	r.pass(6 * time.Second)
	r.page(provider)
	require.Equal(t, 1, provider.seen[queued[1]])
	r.pass(7 * time.Second)
	r.page(provider)
	require.Equal(t, send.Counts{Sent: 6}, r.rows())
}

func TestAnAnswerInSeveralBubblesBorrowsTenGaps(t *testing.T) {
	r := newRunning(t, 1)
	r.limit(pace.Limits{ContactGap: 6 * time.Second})
	_, err := pgOwner(r).Exec(t.Context(), `UPDATE campaigns SET state = 'paused'`)
	require.NoError(t, err)
	for range 13 {
		r.queue(r.single(1, send.LaneReply, greeting))
	}
	provider := newScript(accept)
	r.urgent(provider)
	require.Equal(t, 11, provider.sends())
	r.pass(6 * time.Second)
	r.urgent(provider)
	require.Equal(t, 12, provider.sends())
	require.False(t, r.outlook().Urgent)
	require.WithinDuration(t, r.takes()[0].Add(12*time.Second), *r.outlook().UrgentRetry, time.Second)
}

func TestASecondCampaignKeepsTheGapToTheContactsOfTheFirst(t *testing.T) {
	r := newRunning(t, 30)
	r.limit(pace.Limits{ContactGap: 6 * time.Second, PerHour: 100_000})
	r.page(newScript(accept))
	r.another(30)
	provider := newScript(accept)
	r.page(provider)
	require.Zero(t, provider.sends())
	require.Equal(t, send.Counts{Sent: 30, Queued: 30}, r.rows())
}

// look is what the sender's workflow does between pages.
func (r *running) look() (o send.Outlook) {
	r.Helper()
	r.tx(func(tx postgres.Tx) (err error) {
		if o, err = send.OutlookOf(r.Context(), tx, r.company, r.connection, time.Now()); err != nil {
			return err
		}
		return o.Note(r.Context(), tx, r.company, time.Now())
	})
	return o
}

// kept are the reasons of the waits that were noted, with whether they go on.
func (r *running) kept(subject id.ID) (waits map[string]bool) {
	r.Helper()
	waits = map[string]bool{}
	rows, err := pgOwner(r).Query(r.Context(), `SELECT reason, ended_at IS NULL FROM waits WHERE subject_id = $1`, subject)
	require.NoError(r, err)
	defer rows.Close()
	for rows.Next() {
		var reason string
		var open bool
		require.NoError(r, rows.Scan(&reason, &open))
		waits[reason] = open
	}
	return waits
}

func TestWhatWaitsIsKeptWithItsReason(t *testing.T) {
	r := newRunning(t, 3)
	r.limit(pace.Limits{PerHour: 2, GapFrom: 10 * time.Minute, GapUntil: 10 * time.Minute})
	r.page(newScript(accept))
	r.look()
	const gap = "the gap between campaign messages"
	require.Equal(t, map[string]bool{gap: true}, r.kept(r.campaign))
	for nth := 1; nth <= 2; nth++ {
		r.queue(r.single(nth, send.LaneUrgent, greeting))
	}
	r.urgent(newScript(accept))
	r.look()
	const used = "2 of 2 messages an hour are used"
	require.Equal(t, map[string]bool{used: true}, r.kept(r.connection))
	require.Equal(t, map[string]bool{gap: false, used: true}, r.kept(r.campaign))
	r.limit(pace.Limits{})
	require.True(t, r.look().Claimable)
	require.Equal(t, map[string]bool{used: false}, r.kept(r.connection))
	require.Equal(t, map[string]bool{gap: false, used: false}, r.kept(r.campaign))
}

func TestAnAnswerIsSentWhileCodesWaitForALimit(t *testing.T) {
	r := newRunning(t, 3)
	r.limit(pace.Limits{PerHour: 1})
	r.queue(r.single(1, send.LaneUrgent, greeting), r.single(2, send.LaneUrgent, greeting))
	provider := newScript(nil)
	queued := make(chan struct{})
	provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 1 { // by then the run knows that the second code has to wait
			time.AfterFunc(300*time.Millisecond, func() {
				defer close(queued)
				r.queue(r.single(3, send.LaneReply, greeting))
			})
		}
		return accept(out, nth)
	}
	options := r.options(provider)
	options.Urgent, options.Linger = true, 4*time.Second
	_, err := send.RunPage(t.Context(), r.db, options)
	require.NoError(t, err)
	<-queued
	require.Equal(t, 2, provider.sends(), "the first code and the answer")
}

// A look takes a moment; a pause that is committed meanwhile keeps its reason.
func TestAPauseIsNotOverwrittenByALook(t *testing.T) {
	r := newRunning(t, 40)
	r.limit(pace.Limits{PerHour: 20})
	r.page(newScript(accept))
	reasons := func() (open []string) {
		rows, err := pgOwner(r).Query(t.Context(), `SELECT reason FROM waits WHERE subject_id = $1 AND ended_at IS NULL`, r.campaign)
		require.NoError(t, err)
		open, err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		return open
	}
	look := func(meanwhile func()) {
		r.tx(func(tx postgres.Tx) error {
			o, err := send.OutlookOf(t.Context(), tx, r.company, r.connection, time.Now())
			require.NoError(t, err)
			meanwhile()
			return o.Note(t.Context(), tx, r.company, time.Now())
		})
	}
	look(func() {})
	require.Len(t, reasons(), 1)
	require.Contains(t, reasons()[0], "16 of 20")
	look(func() {
		r.tx(func(tx postgres.Tx) error {
			if _, err := tx.Exec(t.Context(), `UPDATE campaigns SET state = 'paused' WHERE company_id = $1 AND id = $2`, r.company, r.campaign); err != nil {
				return err
			}
			return wait.Note(t.Context(), tx, r.company, r.campaign, "Paused by an admin.", nil, time.Now())
		})
	})
	require.Equal(t, []string{"Paused by an admin."}, reasons())
}
