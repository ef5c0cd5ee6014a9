package send_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

var greeting = channel.Content{Template: &channel.Template{Name: "hello_world", Language: "en_US"}}

// single is a message outside campaigns to the nth contact.
func (r *running) single(nth int, lane send.Lane, content channel.Content) send.Single {
	r.Helper()
	s := send.Single{Connection: r.connection, Lane: lane, Content: content}
	r.tx(func(tx postgres.Tx) error {
		return tx.QueryRow(r.Context(), `SELECT contact_id, identity_id FROM recipients WHERE company_id = $1 AND sequence = $2`, r.company, nth).Scan(&s.Contact, &s.Identity)
	})
	return s
}

func (r *running) queue(singles ...send.Single) (queued []id.ID) {
	r.Helper()
	r.tx(func(tx postgres.Tx) (err error) {
		queued, err = send.Queue(context.Background(), tx, r.company, singles)
		return err
	})
	return queued
}

func (r *running) urgent(sender channel.Sender) flow.PageResult {
	r.Helper()
	options := r.options(sender)
	options.Urgent, options.Linger = true, 200*time.Millisecond
	result, err := send.RunPage(r.Context(), r.db, options)
	require.NoError(r, err)
	return result
}

// outside counts the messages outside campaigns by what became of them.
func (r *running) outside() (counts send.Counts) {
	r.Helper()
	all := r.rows()
	campaigns := r.counts()
	r.tx(func(tx postgres.Tx) error {
		return tx.QueryRow(r.Context(), `SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 8),
			count(*) FILTER (WHERE state = 9) FROM messages WHERE company_id = $1 AND campaign_id IS NULL`, r.company).
			Scan(&counts.Queued, &counts.Sent, &counts.Expired, &counts.Suppressed)
	})
	require.Equal(r, all.Total(), campaigns.Total()+counts.Total())
	return counts
}

// told are the changes of counts outside campaigns, which must agree with the rows.
func (r *running) told() (counts send.Counts) {
	r.Helper()
	r.tx(func(tx postgres.Tx) error {
		return tx.QueryRow(r.Context(), `SELECT coalesce(sum(queued), 0), coalesce(sum(sending), 0), coalesce(sum(sent), 0), coalesce(sum(expired), 0), coalesce(sum(suppressed), 0)
			FROM message_counts WHERE company_id = $1 AND campaign_id IS NULL AND connection_id = $2`, r.company, r.connection).
			Scan(&counts.Queued, &counts.Sending, &counts.Sent, &counts.Expired, &counts.Suppressed)
	})
	return counts
}

func TestUrgentRunSendsItsLanesAndThePageTheOthers(t *testing.T) {
	r := newRunning(t, 30)
	r.clock(12) // not in quiet hours
	said := channel.Content{Template: &channel.Template{Name: "code", Language: "en_US", Parameters: []string{"4711"}}}
	queued := r.queue(r.single(1, send.LaneReply, greeting), r.single(2, send.LaneUrgent, said), r.single(3, send.LaneAutomation, greeting), r.single(4, send.LaneQueue, greeting))
	require.Equal(t, send.Counts{Queued: 4}, r.told())

	beside := newScript(nil)
	words := map[id.ID]channel.Content{}
	beside.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		beside.mu.Lock()
		words[out.ID] = out.Content
		beside.mu.Unlock()
		return accept(out, nth)
	}
	require.Equal(t, 2, r.urgent(beside).Sent)
	require.ElementsMatch(t, queued[:2], beside.order)
	require.Equal(t, said, words[queued[1]], "the words are those it was queued with")

	page := newScript(accept)
	require.Equal(t, 32, r.page(page).Sent)
	require.Contains(t, page.seen, queued[2])
	require.Contains(t, page.seen, queued[3])
	require.Equal(t, send.Counts{Sent: 4}, r.outside())
	require.Equal(t, send.Counts{Sent: 4}, r.told())
	require.Equal(t, send.Counts{Sent: 30}, r.counts())
}

func TestNothingIsQueuedUnlessAllOfItExists(t *testing.T) {
	r := newRunning(t, 2)
	good, stranger := r.single(1, send.LaneUrgent, greeting), r.single(1, send.LaneUrgent, greeting)
	stranger.Contact = r.single(2, send.LaneUrgent, greeting).Contact // the address is another's
	for name, wrong := range map[string]send.Single{"another contact's address": stranger,
		"no such connection": {Connection: id.New(), Contact: good.Contact, Identity: good.Identity, Lane: send.LaneUrgent, Content: greeting}} {
		t.Run(name, func(t *testing.T) {
			err := r.db.InCompany(t.Context(), r.company, func(tx postgres.Tx) error {
				_, err := send.Queue(t.Context(), tx, r.company, []send.Single{good, wrong})
				return err
			})
			require.ErrorIs(t, err, send.ErrNoSuchAddress)
			require.Zero(t, r.outside().Total())
		})
	}
	for name, wrong := range map[string]send.Single{"campaigns' lane": {Lane: 5, Content: greeting}, "no lane": {Content: greeting}, "nothing to say": {Lane: send.LaneUrgent},
		"two contents": {Lane: send.LaneUrgent, Content: channel.Content{Text: "Hi", Template: greeting.Template}}} {
		_, err := send.Queue(t.Context(), nil, r.company, []send.Single{wrong})
		require.Error(t, err, name)
	}
}

func TestGateOfMessagesOutsideCampaigns(t *testing.T) {
	r := newRunning(t, 8)
	r.clock(12)
	owner := pgOwner(r)
	text, past := channel.Content{Text: "Free text"}, time.Now().Add(-time.Minute)
	late := r.single(5, send.LaneReply, greeting)
	late.ExpiresAt = &past
	cases := []struct {
		single send.Single
		want   send.State
		reason string
	}{
		{r.single(1, send.LaneReply, text), send.Suppressed, "24-hour window"},
		{r.single(2, send.LaneReply, text), send.Sent, ""},      // its window is open
		{r.single(3, send.LaneUrgent, greeting), send.Sent, ""}, // an opt-out does not stop codes
		{r.single(3, send.LaneAutomation, greeting), send.Suppressed, "opted out"},
		{r.single(3, send.LaneQueue, greeting), send.Suppressed, "opted out"},
		{late, send.Expired, "expired"},
		{r.single(6, send.LaneReply, greeting), send.Suppressed, "does not exist any more"},
		{r.single(7, send.LaneQueue, greeting), send.Sent, ""},
	}
	var singles []send.Single
	for _, c := range cases {
		singles = append(singles, c.single)
	}
	queued := r.queue(singles...)
	run := func(sql string, args ...any) {
		t.Helper()
		_, err := owner.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	run(`INSERT INTO service_windows (company_id, connection_id, contact_id, open_until) VALUES ($1, $2, $3, now() + interval '1 hour')`, r.company, r.connection, cases[1].single.Contact)
	run(`UPDATE contacts SET opted_out_at = now() WHERE id = $1`, cases[2].single.Contact)
	run(`DELETE FROM contacts WHERE id = $1`, cases[6].single.Contact)
	run(`UPDATE campaigns SET state = 'paused'`)
	r.urgent(newScript(accept))
	r.page(newScript(accept))
	for i, c := range cases {
		var state send.State
		var reason string
		require.NoError(t, owner.QueryRow(t.Context(), `SELECT state, coalesce(error_detail, '') FROM messages WHERE id = $1`, queued[i]).Scan(&state, &reason))
		require.Equal(t, c.want, state, "case %d", i)
		require.Contains(t, reason, c.reason, "case %d", i)
	}
	require.Equal(t, r.outside(), r.told())
}

func TestUrgentRunAndPageFenceOnlyTheirOwnKind(t *testing.T) {
	r := newRunning(t, 200)
	r.queue(r.single(1, send.LaneReply, greeting))
	beside, page := newScript(accept), newScript(nil)
	page.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 20 {
			r.urgent(beside)
		}
		return accept(out, nth)
	}
	require.Equal(t, 200, r.page(page).Sent)
	require.Equal(t, 1, beside.sends())
	// A second urgent run fences the first.
	r.queue(r.single(1, send.LaneReply, greeting), r.single(2, send.LaneReply, greeting))
	first := newScript(nil)
	second := newScript(accept)
	first.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 1 {
			r.queue(r.single(3, send.LaneReply, greeting))
			r.urgent(second)
		}
		return accept(out, nth)
	}
	r.urgent(first)
	require.Equal(t, 3, first.sends()+second.sends())
	require.Positive(t, second.sends())
	require.Equal(t, send.Counts{Sent: 4}, r.outside())
}

func TestHoldStopsUrgentMessagesToo(t *testing.T) {
	r := newRunning(t, 200)
	r.page(newScript(func(channel.Outgoing, int) channel.Outcome { return channel.Outcome{Class: channel.Unknown} }))
	r.queue(r.single(1, send.LaneReply, greeting))
	beside := newScript(accept)
	r.urgent(beside)
	require.Zero(t, beside.sends())
	_, err := pgOwner(r).Exec(t.Context(), `UPDATE scopes SET held_until = now()`)
	require.NoError(t, err)
	r.urgent(beside)
	require.Equal(t, 1, beside.sends())
}

// After too many unknown outcomes one message is on the wire at a time, whichever run sends it.
func TestProbingAllowsOneOpenClaimOnTheConnection(t *testing.T) {
	r := newRunning(t, 40)
	_, err := pgOwner(r).Exec(t.Context(), `UPDATE campaigns SET state = 'paused'`)
	require.NoError(t, err)
	r.tx(func(tx postgres.Tx) error { return send.LockScope(t.Context(), tx, r.company, r.connection) })
	_, err = pgOwner(r).Exec(t.Context(), `UPDATE scopes SET probing = true, holds = 1`)
	require.NoError(t, err)
	for nth := range 5 {
		r.queue(r.single(nth+1, send.LaneReply, greeting), r.single(nth+1, send.LaneQueue, greeting))
	}
	most := 0
	look := func(out channel.Outgoing, nth int) channel.Outcome {
		most = max(most, r.rows().Sending)
		return channel.Outcome{Class: channel.Refused, Code: 131026} // answers, but not one that heals
	}
	page, urgent := newScript(nil), newScript(look)
	page.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 1 {
			r.urgent(urgent) // finds one open claim
		}
		return look(out, nth)
	}
	r.page(page)
	require.Zero(t, urgent.sends())
	require.Equal(t, 1, most)
	require.Equal(t, 5, page.sends())
	r.urgent(urgent)
	require.Equal(t, 1, most)
	require.Equal(t, 5, urgent.sends())
}

func TestBreathOfAnUrgentRunWaitsForNothingOpen(t *testing.T) {
	r := newRunning(t, 3)
	r.queue(r.single(1, send.LaneReply, greeting))
	release := make(chan struct{})
	provider := newScript(nil)
	provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 1 { // a slow answer, in the middle of which the run's time ends
			time.AfterFunc(300*time.Millisecond, func() {
				r.queue(r.single(2, send.LaneReply, greeting))
			})
			<-release
		} else {
			close(release)
		}
		return accept(out, nth)
	}
	options := r.options(provider)
	options.Urgent, options.MaxDuration = true, 200*time.Millisecond
	_, err := send.RunPage(t.Context(), r.db, options)
	require.NoError(t, err)
	require.Equal(t, send.Counts{Sent: 2}, r.outside())
}
