package send_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

const business = "8001"

// newTiered is two numbers of one portfolio, each with a campaign to some of the same n contacts: first to last by number.
func newTiered(t *testing.T, n, tier int, mine, theirs [2]int) (one, other *running) {
	t.Helper()
	one = newRunning(t, n)
	second := *one
	other = &second
	other.connection, other.campaign = id.New(), id.New()
	one.exec(`UPDATE messages SET state = 7 WHERE sequence NOT BETWEEN $1 AND $2`, mine[0], mine[1])
	one.exec(`INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug, sealed_app_secret, sealed_token, sealed_verify_token)
		VALUES ($1, $2, 'whatsapp_cloud', 'Other', 'app', 'waba', $2::uuid::text, repeat('o', 22), '', '', '')`, one.company, other.connection)
	one.exec(`INSERT INTO campaigns (company_id, id, connection_id, name, state, content, audience, recipients, frozen_at)
		SELECT company_id, $2, $3, 'Other', state, content, audience, recipients, frozen_at FROM campaigns WHERE id = $1`, one.campaign, other.campaign, other.connection)
	one.exec(`INSERT INTO campaign_zones (company_id, campaign_id, zone_set_id, recipients) SELECT company_id, $2, zone_set_id, recipients FROM campaign_zones WHERE campaign_id = $1`,
		one.campaign, other.campaign)
	one.exec(`INSERT INTO recipients (company_id, campaign_id, zone_set_id, sequence, contact_id, identity_id, text_version)
		SELECT company_id, $2, zone_set_id, sequence, contact_id, identity_id, text_version FROM recipients WHERE campaign_id = $1`, one.campaign, other.campaign)
	one.tx(func(tx postgres.Tx) error {
		_, err := send.QueueRecipients(t.Context(), tx, one.company, other.connection, other.campaign, one.zoneSet(), int32(theirs[0]-1), int32(theirs[1]), nil)
		return err
	})
	one.tier(tier)
	other.tier(tier)
	return one, other
}

func (r *running) exec(sql string, args ...any) {
	r.Helper()
	_, err := pgOwner(r).Exec(r.Context(), sql, args...)
	require.NoError(r, err)
}

func (r *running) zoneSet() (zoneSet int32) {
	r.Helper()
	require.NoError(r, pgOwner(r).QueryRow(r.Context(), `SELECT id FROM zone_sets`).Scan(&zoneSet))
	return zoneSet
}

func (r *running) tier(limit int) {
	r.Helper()
	r.tx(func(tx postgres.Tx) error {
		return send.SetTier(r.Context(), tx, r.company, r.connection, business, limit, time.Now())
	})
}

// reached counts the contacts that were written to outside an open window, as the messages tell, and as the portfolio does.
func (r *running) reached() (contacts int) {
	r.Helper()
	var counted, kept int
	require.NoError(r, pgOwner(r).QueryRow(r.Context(), `SELECT (SELECT count(DISTINCT contact_id) FROM messages m WHERE state BETWEEN 1 AND 6 AND claimed_at > now() - interval '24 hours'
			AND NOT EXISTS (SELECT FROM service_windows w WHERE w.contact_id = m.contact_id AND w.connection_id = m.connection_id)),
		(SELECT counted FROM portfolios), (SELECT count(*) FROM portfolio_contacts)`).Scan(&contacts, &counted, &kept))
	require.Equal(r, kept, counted)
	return contacts
}

// sentOn counts the messages of a number that went out.
func (r *running) sentOn() (n int) {
	r.Helper()
	require.NoError(r, pgOwner(r).QueryRow(r.Context(), `SELECT count(*) FROM messages WHERE connection_id = $1 AND state BETWEEN 1 AND 6`, r.connection).Scan(&n))
	return n
}

func (r *running) openWindow(nth int) {
	r.Helper()
	r.exec(`INSERT INTO service_windows (company_id, connection_id, contact_id, open_until) VALUES ($1, $2, $3, now() + interval '23 hours')`,
		r.company, r.connection, r.single(nth, send.LaneReply, greeting).Contact)
}

func TestTheTierIsSharedByTheNumbersOfAPortfolio(t *testing.T) {
	one, other := newTiered(t, 120, 50, [2]int{1, 60}, [2]int{61, 120})
	var both sync.WaitGroup
	for _, r := range []*running{one, other} {
		both.Go(func() { r.page(newScript(accept)) })
	}
	both.Wait()
	require.Equal(t, 40, one.reached(), "campaigns leave the last fifth")
	require.Positive(t, one.sentOn())
	require.Positive(t, other.sentOn())
	for _, r := range []*running{one, other} {
		o := r.look()
		require.False(t, o.Claimable)
		require.Regexp(t, `: 40 of 50 different contacts within 24 hours are used, the rest is kept for answers$`, o.Wait.Words(time.Now()))
		require.WithinDuration(t, one.takes()[0].Add(24*time.Hour), o.Wait.At, 5*time.Second)
		require.Equal(t, map[string]bool{"40 of 50 different contacts within 24 hours are used, the rest is kept for answers": true}, r.kept(r.campaign))
	}
	// Codes to others may use what a campaign may not, from either number, and no more than the tier.
	var left []int
	rows, err := pgOwner(one).Query(t.Context(), `SELECT sequence FROM messages WHERE state = 0`)
	require.NoError(t, err)
	left, err = pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(t, err)
	for i, nth := range left[:14] {
		from := []*running{one, other}[i%2]
		from.queue(from.single(nth, send.LaneUrgent, greeting))
	}
	for _, r := range []*running{one, other} {
		both.Go(func() { r.urgent(newScript(accept)) })
	}
	both.Wait()
	require.Equal(t, 50, one.reached())
	require.False(t, one.outlook().Urgent && other.outlook().Urgent)
	require.Equal(t, pace.TierUsedUp, one.outlook().UrgentWait.Sooner(other.outlook().UrgentWait).Reason.Kind)
	one.exec(`DELETE FROM wakes`)
	one.tier(100)
	var woken []id.ID
	rows, err = pgOwner(one).Query(t.Context(), `SELECT subject_id FROM wakes WHERE workflow = 'sender'`)
	require.NoError(t, err)
	woken, err = pgx.CollectRows(rows, pgx.RowTo[id.ID])
	require.NoError(t, err)
	require.ElementsMatch(t, []id.ID{one.connection, other.connection}, woken)
	require.True(t, one.outlook().Claimable, "a larger tier counts at once")
	require.True(t, other.outlook().Claimable)
}

func TestTheTierMovesWithTheDay(t *testing.T) {
	r, _ := newTiered(t, 30, 10, [2]int{1, 30}, [2]int{1, 1})
	r.page(newScript(accept))
	require.Equal(t, 8, r.sentOn())
	r.pass(24*time.Hour - 10*time.Second)
	require.False(t, r.outlook().Claimable)
	r.pass(20 * time.Second)
	require.True(t, r.outlook().Claimable)
	r.page(newScript(accept))
	require.Equal(t, 16, r.sentOn())
	require.Equal(t, 8, r.reached())
}

func TestTheTierDoesNotCountWhomItNeedNot(t *testing.T) {
	one, other := newTiered(t, 40, 10, [2]int{1, 40}, [2]int{1, 40})
	for nth := 30; nth <= 34; nth++ {
		one.openWindow(nth)
	}
	one.page(newScript(accept))
	require.Equal(t, 8+5, one.sentOn(), "five have an open window on this number, and went although the tier is used up")
	require.Equal(t, 8, one.reached())
	other.page(newScript(accept))
	require.Equal(t, 8, other.sentOn(), "those that are counted already go from another number, too")
	require.Equal(t, 8, one.reached())

	other.queue(other.single(20, send.LaneUrgent, greeting), other.single(21, send.LaneUrgent, greeting))
	other.urgent(newScript(accept))
	require.Equal(t, 10, one.reached())
	waits := other.queue(other.single(22, send.LaneUrgent, greeting))[0]
	other.openWindow(23)
	answer := other.queue(other.single(23, send.LaneReply, channel.Content{Text: "Yes"}))[0]
	again := other.queue(other.single(20, send.LaneUrgent, greeting))[0]
	require.True(t, other.outlook().Urgent)
	provider := newScript(accept)
	other.urgent(provider)
	require.Equal(t, map[id.ID]int{answer: 1, again: 1}, provider.seen)
	require.False(t, other.outlook().Urgent)
	require.NotContains(t, provider.seen, waits)
	require.Equal(t, map[string]bool{"10 of 10 different contacts within 24 hours are used": true}, func() map[string]bool { other.look(); return other.kept(other.connection) }())
}

// A claim that another number's claim is ahead of waits for it, and then sees what it took.
func TestTheTierIsLockedByAClaim(t *testing.T) {
	one, other := newTiered(t, 40, 10, [2]int{1, 20}, [2]int{21, 40})
	ahead, err := pgOwner(one).Begin(t.Context())
	require.NoError(t, err)
	for _, sql := range []string{
		`UPDATE portfolios SET counted = 8`,
		`INSERT INTO portfolio_contacts SELECT company_id, '` + business + `', contact_id, now() FROM recipients WHERE campaign_id = '` + one.campaign.String() + `' AND sequence <= 8`,
	} {
		_, err := ahead.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		other.page(newScript(accept))
	}()
	watcher := pgOwner(one)
	require.Eventually(t, func() bool {
		var waits bool
		return watcher.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%lockPortfolio%')`).Scan(&waits) == nil && waits
	}, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, ahead.Commit(t.Context()))
	<-done
	require.Zero(t, other.sentOn())
}

func TestWhatANumberHasSentCountsWhenItsTierBecomesKnown(t *testing.T) {
	r := newRunning(t, 30)
	r.openWindow(1)
	r.exec(`UPDATE messages SET state = 7 WHERE sequence > 9`)
	r.page(newScript(accept))
	r.exec(`UPDATE messages SET state = 0 WHERE sequence > 9`)
	r.tier(20)
	require.Equal(t, 8, r.reached())
	r.page(newScript(accept))
	require.Equal(t, 16, r.reached())
	r.tier(0)
	require.False(t, r.outlook().Claimable, "a check that says nothing changes nothing")
	r.tier(-1)
	r.page(newScript(accept))
	require.Equal(t, send.Counts{Sent: 30}, r.rows())
}

// TestTheTierAgainstAModel takes turns on two numbers, hours apart: never more contacts within 24 hours than the tier, or
// than campaigns may have; and what waits could not have gone.
func TestTheTierAgainstAModel(t *testing.T) {
	const people, tier = 40, 10
	one, other := newTiered(t, people, tier, [2]int{1, people}, [2]int{1, people})
	for _, r := range []*running{one, other} {
		for nth := 1; nth <= people; nth++ {
			r.queue(r.single(nth, send.LaneUrgent, greeting), r.single(nth, send.LaneQueue, greeting))
		}
	}
	owner, zoneSet := pgOwner(one), one.zoneSet()
	contacts := contactsOf(one)
	rapid.Check(t, func(t *rapid.T) {
		now := time.Now().Add(time.Minute).Truncate(time.Second)
		for _, sql := range []string{
			`UPDATE messages SET state = 0, attempts = 0, attempt_id = NULL, claimed_at = NULL, retry_at = NULL`,
			`UPDATE scopes SET last_instant = 'epoch', taken_at = '{}', taken = '{}', taken_for = NULL`, `DELETE FROM portfolio_contacts`, `UPDATE portfolios SET counted = 0`, `DELETE FROM service_windows`,
		} {
			_, err := owner.Exec(one.Context(), sql)
			require.NoError(t, err)
		}
		open := map[id.ID]bool{}
		for nth := rapid.IntRange(0, 3).Draw(t, "windows"); nth > 0; nth-- {
			one.openWindow(nth)
			_, err := owner.Exec(one.Context(), `UPDATE service_windows SET open_until = 'infinity'`)
			require.NoError(t, err)
			open[one.single(nth, send.LaneReply, greeting).Contact] = true
		}
		lasts := map[id.ID]time.Time{}
		within := func(at time.Time) (n int) {
			for _, last := range lasts {
				if at.Sub(last) < 24*time.Hour {
					n++
				}
			}
			return n
		}
		left := map[string]map[id.ID]bool{} // by number and lane: contacts with a message in the queue
		stands := map[*running]map[bool]*send.Stand{}
		for _, r := range []*running{one, other} {
			stands[r] = map[bool]*send.Stand{false: r.stand(false, now), true: r.stand(true, now)}
			for _, lane := range []pace.Lane{pace.Urgent, pace.Queue, pace.Campaign} {
				all := map[id.ID]bool{}
				for _, contact := range contacts {
					all[contact] = true
				}
				left[fmt.Sprint(r.connection, lane)] = all
			}
		}
		for range rapid.IntRange(2, 14).Draw(t, "steps") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour, 7 * time.Hour, 24 * time.Hour}).Draw(t, "pause"))
			r := rapid.SampledFrom([]*running{one, other}).Draw(t, "number")
			lane := rapid.SampledFrom([]pace.Lane{pace.Urgent, pace.Queue, pace.Campaign}).Draw(t, "lane")
			claims, _, err := stands[r][lane == pace.Urgent].Take(r.Context(), lane, r.campaign, zoneSet, rapid.IntRange(1, 6).Draw(t, "most"), now)
			if err != nil {
				require.ErrorContains(t, err, "nothing to claim")
			}
			most, waiting := tier, left[fmt.Sprint(r.connection, lane)]
			if lane == pace.Campaign {
				most = tier - tier/pace.Kept
			}
			before := within(now)
			for _, c := range claims {
				contact := contacts[c.ID]
				delete(waiting, contact)
				if r != one || !open[contact] {
					lasts[contact] = now
				}
			}
			require.LessOrEqual(t, within(now), max(most, before), "lane %d", lane)
			if len(claims) > 0 {
				continue
			}
			require.False(t, before < most && len(waiting) > 0, "there is room, and nothing was taken")
			for contact := range waiting {
				last, known := lasts[contact]
				require.False(t, r == one && open[contact], "to an open window, and it waits")
				require.False(t, known && now.Sub(last) < 24*time.Hour, "counted already, and it waits")
			}
		}
	})
}

// contactsOf tells to whom each message is.
func contactsOf(r *running) map[id.ID]id.ID {
	r.Helper()
	rows, err := pgOwner(r).Query(r.Context(), `SELECT id, contact_id FROM messages`)
	require.NoError(r, err)
	contacts := map[id.ID]id.ID{}
	var message, contact id.ID
	_, err = pgx.ForEachRow(rows, []any{&message, &contact}, func() error {
		contacts[message] = contact
		return nil
	})
	require.NoError(r, err)
	return contacts
}

// TestTheTierIsAskedWithoutAScan explains the questions of a claim as the application asks them, in a portfolio with many contacts.
func TestTheTierIsAskedWithoutAScan(t *testing.T) {
	r, _ := newTiered(t, 10, 100_000, [2]int{1, 10}, [2]int{1, 1})
	r.exec(`INSERT INTO portfolio_contacts SELECT $1, $2, gen_random_uuid(), now() - g * interval '1 s' FROM generate_series(1, 50000) g`, r.company, business)
	r.exec(`UPDATE portfolios SET counted = 50000`)
	r.exec(`ANALYZE portfolio_contacts`)
	for name, question := range map[string]struct {
		sql  string
		args []any
	}{
		"what is over": {send.ForgetContacts, []any{r.company, r.connection, time.Now()}},
		"what is used": {send.TierUsed, []any{r.company, r.connection, time.Now(), pace.Kept}},
	} {
		r.tx(func(tx postgres.Tx) error {
			_, err := tx.Exec(t.Context(), `SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_sort', 'off', true)`)
			require.NoError(t, err)
			rows, err := tx.Query(t.Context(), `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) `+question.sql, question.args...)
			require.NoError(t, err)
			plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
			text := fmt.Sprint(plan)
			require.NotContains(t, text, "Seq Scan on portfolio_contacts", name)
			require.Contains(t, text, "portfolio_contacts_at", name)
			return err
		})
	}
}
