package worker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"omnidesk/internal/account"
	"omnidesk/internal/campaign"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/sandbox/world"
	"omnidesk/internal/send"
)

// A history grows with what happens to a campaign, never with its recipients.
const fewEvents = 80

func TestCampaignsOnARealServer(t *testing.T) {
	url := database(t)
	log := listenToLog(t)
	s := newStage(t, url, temporalAddress(t, url))
	t.Run("lost worker", s.lostWorker) // first: it needs the stage without another worker
	s.startWorker(t)
	for name, run := range map[string]func(*testing.T){"plain": s.plain, "paused and resumed": s.paused, "canceled": s.canceled,
		"canceled with claims that come back": s.cameBack, "scheduled": s.scheduled, "watched": s.watched, "provider cut off and back": s.cutOff, "slow down and come later": s.comeLater,
		"a reply beside a page": s.beside, "a reply by itself": s.alone, "outside the window": s.asleep,
		"a gap between messages": s.gapped, "limits that are edited": s.edited,
		"paused by the provider for a while": s.spam, "paused by the provider until resumed": s.templateGone, "refused by the provider": s.tokenGone} {
		t.Run(name, func(t *testing.T) {
			t.Cleanup(func() { s.control(t, "PUT", "/sandbox/faults", []world.Fault{}) })
			run(t)
		})
	}
	t.Run("invited by mail", s.invited)
	t.Run("told by mail", s.told)
	t.Run("snoozed", s.snoozed)
	t.Run("files moved", s.moved)
	t.Run("drained and resumed", s.drained)
	s.requireApart(t)
	said := uuids.ReplaceAllString(log.String(), "")
	for _, canary := range append(canaries, "secret", "token=") {
		require.NotContains(t, said, canary, "the log of the workers")
	}
}

func (s *stage) plain(t *testing.T) {
	k := s.newShop(t, 150)
	k.slow(40 * time.Millisecond)
	c := k.launch(nil)
	live, _ := k.awaitLive(flow.Campaign(c), func(l flow.Live) bool { return l.State == "running" })
	require.NotEmpty(t, live.Reason)
	live, _ = k.awaitLive(flow.Sender(k.connection), func(l flow.Live) bool { return l.State == "working" })
	require.Equal(t, flow.StepPage, live.Doing)
	k.awaitState(c, campaign.Finished)
	require.Equal(t, send.Counts{Sent: 150}, k.settle(c))
	k.awaitEnd(flow.Sender(k.connection))
	k.awaitEnd(flow.Campaign(c))
	k.examine(flow.Campaign(c), "", "campaign", fewEvents)
	k.examine(flow.Sender(k.connection), "", "sender", fewEvents)
}

func (s *stage) paused(t *testing.T) {
	k := s.newShop(t, 200)
	k.slow(60 * time.Millisecond)
	c := k.launch(nil)
	k.awaitTaken(20)
	k.command(c, func(tx postgres.Tx) error { return campaign.Pause(t.Context(), tx, k.company, c, time.Now()) })
	at := len(k.taken())
	live, _ := k.awaitLive(flow.Campaign(c), func(l flow.Live) bool { return l.State == "paused" })
	require.Contains(t, live.Reason, "paused")
	// What was claimed when the pause was answered may go out, nothing else; the sender then has nothing to do.
	k.awaitEnd(flow.Sender(k.connection))
	require.LessOrEqual(t, len(k.taken()), at+2*slots)
	counts := k.settle(c)
	require.Equal(t, send.Counts{Sent: len(k.taken()), Queued: 200 - len(k.taken())}, counts)
	require.Positive(t, counts.Queued)
	k.command(c, func(tx postgres.Tx) error { return campaign.Resume(t.Context(), tx, k.company, c, time.Now()) })
	k.awaitState(c, campaign.Finished)
	require.Equal(t, send.Counts{Sent: 200}, k.settle(c))
	k.awaitEnd(flow.Campaign(c))
	k.examine(flow.Campaign(c), "", "pause", fewEvents)
	k.awaitEnd(flow.Sender(k.connection))
	k.examine(flow.Sender(k.connection), "", "sender-after-pause", fewEvents)
}

func (s *stage) canceled(t *testing.T) {
	k := s.newShop(t, 200)
	k.slow(60 * time.Millisecond)
	c := k.launch(nil)
	k.awaitTaken(20)
	k.cancel(c)
	k.awaitEnd(flow.Campaign(c))
	k.awaitEnd(flow.Sender(k.connection))
	counts := k.settle(c)
	require.Equal(t, send.Counts{Sent: len(k.taken()), Canceled: 200 - len(k.taken())}, counts)
	require.Positive(t, counts.Canceled)
	require.Equal(t, campaign.Canceled, k.state(c).State)
	k.examine(flow.Campaign(c), "", "cancel", fewEvents)
	k.examine(flow.Sender(k.connection), "", "sender-after-cancel", fewEvents)
}

// cameBack cancels while claimed messages are on the wire and the provider then takes none of them: what comes
// back to the queue must not stay there.
func (s *stage) cameBack(t *testing.T) {
	k := s.newShop(t, 40)
	k.faults(t, world.Fault{Match: world.Match{NumberID: k.number}, DelayMS: 1000, Code: 131056})
	c := k.launch(nil)
	eventually(t, "messages are claimed", func() (claimed bool) {
		k.tx(func(tx postgres.Tx) error {
			counts, err := send.CountsOf(t.Context(), tx, k.company, c)
			claimed = counts[c].Sending > 0
			return err
		})
		return claimed
	})
	k.cancel(c)
	k.awaitEnd(flow.Campaign(c))
	require.Equal(t, send.Counts{Canceled: 40}, k.settle(c))
	require.Empty(t, k.taken())
	k.awaitEnd(flow.Sender(k.connection))
	k.examine(flow.Campaign(c), "", "cancel-came-back", fewEvents)
	k.examine(flow.Sender(k.connection), "", "sender-came-back", fewEvents)
}

func (s *stage) scheduled(t *testing.T) {
	k := s.newShop(t, 30)
	at := time.Now().Add(4 * time.Second)
	c := k.launch(&at)
	live, _ := k.awaitLive(flow.Campaign(c), func(l flow.Live) bool { return l.State == "scheduled" })
	require.Equal(t, "waits for its start time", live.Reason)
	require.WithinDuration(t, at, live.Until, time.Millisecond)
	require.Empty(t, k.taken())
	k.awaitState(c, campaign.Finished)
	require.Equal(t, send.Counts{Sent: 30}, k.settle(c))
	for _, e := range k.taken() {
		require.False(t, e.At.Before(at), "sent before its time")
	}
	k.awaitEnd(flow.Campaign(c))
	k.examine(flow.Campaign(c), "", "scheduled", fewEvents)
	k.awaitEnd(flow.Sender(k.connection))
	k.examine(flow.Sender(k.connection), "", "sender-after-schedule", fewEvents)
}

// asleep closes the sending window while a campaign runs, and opens it again. Whoever waits says until when, and why.
func (s *stage) asleep(t *testing.T) {
	k := s.newShop(t, 300)
	k.slow(100 * time.Millisecond)
	c := k.launch(nil)
	k.awaitTaken(20)
	k.hours(sleeping(t))
	for _, target := range []flow.Target{flow.Sender(k.connection), flow.Campaign(c)} {
		live, _ := k.awaitLive(target, func(l flow.Live) bool { return l.Doing == flow.StepWait && strings.Contains(l.Reason, "outside") })
		require.Regexp(t, `^waits until \d\d:00 in São Paulo: outside the sending window \d\d:00–\d\d:00$`, live.Reason)
		require.Greater(t, time.Until(live.Until), 11*time.Hour)
	}
	counts := k.settle(c)
	require.Equal(t, send.Counts{Sent: len(k.taken()), Queued: 300 - len(k.taken())}, counts)
	require.Positive(t, counts.Queued)
	k.hours(pace.WholeDay)
	k.awaitState(c, campaign.Finished)
	require.Equal(t, send.Counts{Sent: 300}, k.settle(c))
	k.awaitEnd(flow.Campaign(c))
	k.examine(flow.Campaign(c), "", "window", fewEvents)
	k.awaitEnd(flow.Sender(k.connection))
	k.examine(flow.Sender(k.connection), "", "sender-after-window", fewEvents)
}

// gapped sends a campaign on a connection that leaves a gap after each message: each waits on a timer that says why.
func (s *stage) gapped(t *testing.T) {
	k := s.newShop(t, 3)
	k.limit(pace.Limits{GapFrom: 3 * time.Second, GapUntil: 4 * time.Second})
	c := k.launch(nil)
	live, run := k.awaitLive(flow.Sender(k.connection), func(l flow.Live) bool { return l.Doing == flow.StepWait })
	require.Regexp(t, `^waits until \d\d:\d\d:\d\d in São Paulo: the gap between campaign messages$`, live.Reason)
	k.awaitState(c, campaign.Finished)
	require.Equal(t, send.Counts{Sent: 3}, k.settle(c))
	k.awaitEnd(flow.Sender(k.connection))
	h := k.examine(flow.Sender(k.connection), run, "paced", fewEvents)
	require.Equal(t, 3, scheduled(h, flow.SendPage), "one message each")
	gaps := 0
	for _, event := range h.Events {
		if event.GetEventType() == enums.EVENT_TYPE_TIMER_STARTED && strings.Contains(string(event.GetUserMetadata().GetSummary().GetData()), "the gap between campaign messages") {
			gaps++
		}
	}
	require.GreaterOrEqual(t, gaps, 2)
	k.awaitEnd(flow.Campaign(c))
}

// edited takes the limits away that a campaign waits for.
func (s *stage) edited(t *testing.T) {
	k := s.newShop(t, 40)
	k.limit(pace.Limits{PerHour: 10})
	c := k.launch(nil)
	live, _ := k.awaitLive(flow.Sender(k.connection), func(l flow.Live) bool { return l.Doing == flow.StepWait && strings.Contains(l.Reason, "an hour") })
	require.Contains(t, live.Reason, "8 of 10 messages an hour are used, the rest is kept for answers")
	require.Len(t, k.taken(), 8)
	k.limit(pace.Limits{})
	k.awaitState(c, campaign.Finished)
	require.Equal(t, send.Counts{Sent: 40}, k.settle(c))
	k.awaitEnd(flow.Sender(k.connection))
	k.examine(flow.Sender(k.connection), "", "limits-edited", fewEvents)
	k.awaitEnd(flow.Campaign(c))
}

// limit sets the connection's limits, as the server does.
func (k *shop) limit(limits pace.Limits) {
	k.Helper()
	k.tx(func(tx postgres.Tx) error {
		return send.SetLimits(k.Context(), tx, k.company, k.connection, limits, time.Now())
	})
	k.relay.Hint()
}

// sleeping is a window of an hour, twelve hours from now.
func sleeping(t *testing.T) pace.Window {
	zone, err := pace.Zone("America/Sao_Paulo")
	require.NoError(t, err)
	from := (time.Now().In(zone).Hour() + 12) % 24 * 60
	return pace.Window{From: from, Until: from + 60}
}

// hours sets the company's sending window, as the server does.
func (k *shop) hours(window pace.Window) {
	k.Helper()
	k.tx(func(tx postgres.Tx) error {
		if err := account.SetWindow(k.Context(), tx, k.company, window); err != nil {
			return err
		}
		return send.HoursChanged(k.Context(), tx, k.company)
	})
	k.relay.Hint()
}

func (s *stage) cutOff(t *testing.T) {
	k := s.newShop(t, 120)
	k.faults(t, world.Fault{Match: world.Match{NumberID: k.number}, Drop: true})
	c := k.launch(nil)
	live, _ := k.awaitLive(flow.Sender(k.connection), func(l flow.Live) bool { return l.State == "held" })
	require.Contains(t, live.Reason, "one at a time")
	require.Empty(t, k.taken())
	k.faults(t)
	k.awaitState(c, campaign.Finished)
	counts := k.settle(c)
	require.Equal(t, send.Counts{Sent: 120 - counts.Uncertain, Uncertain: counts.Uncertain}, counts)
	require.GreaterOrEqual(t, counts.Uncertain, 5)
	require.LessOrEqual(t, counts.Uncertain, 3*slots) // a first load, and single probes
	k.awaitEnd(flow.Sender(k.connection))
	k.examine(flow.Sender(k.connection), "", "held", fewEvents)
	k.examine(flow.Campaign(c), "", "campaign-held", fewEvents)
}

func (s *stage) comeLater(t *testing.T) {
	k := s.newShop(t, 100)
	k.faults(t, world.Fault{Match: world.Match{NumberID: k.number}, Code: 130429, RetryAfterS: 1, Times: 10})
	c := k.launch(nil)
	k.awaitState(c, campaign.Finished)
	require.Equal(t, send.Counts{Sent: 100}, k.settle(c))
	k.awaitEnd(flow.Sender(k.connection))
	k.examine(flow.Sender(k.connection), "", "slowed-down", fewEvents)
	k.awaitEnd(flow.Campaign(c))
	k.examine(flow.Campaign(c), "", "campaign-slowed-down", fewEvents)
}

// pauses is how often a campaign has been paused, by the provider or by hand.
func (k *shop) pauses(of id.ID) (n int) {
	k.Helper()
	k.tx(func(tx postgres.Tx) error {
		return tx.QueryRow(context.Background(), `SELECT count(*) FROM waits WHERE subject_id = $1`, of).Scan(&n)
	})
	return n
}

// spam has the provider ask for a pause of some seconds while many messages are on the wire. The campaign pauses once, says
// why and until when, and goes on by itself.
func (s *stage) spam(t *testing.T) {
	k := s.newShop(t, 120)
	k.faults(t, world.Fault{Match: world.Match{NumberID: k.number}, DelayMS: 200, Code: 131048, RetryAfterS: 4})
	c := k.launch(nil)
	k.awaitState(c, campaign.Paused)
	k.faults(t)
	stopped := k.state(c)
	require.Equal(t, 131048, *stopped.PausedCode)
	require.Contains(t, stopped.StateDetail, "too many people blocked or reported it")
	require.WithinDuration(t, time.Now(), *stopped.ResumesAt, 5*time.Second)
	live, _ := k.awaitLive(flow.Campaign(c), func(l flow.Live) bool { return l.State == "paused" })
	require.Equal(t, "paused because of the provider's answer; it goes on by itself", live.Reason)
	k.awaitState(c, campaign.Finished)
	require.Equal(t, send.Counts{Sent: 120}, k.settle(c))
	require.Equal(t, 1, k.pauses(c))
	k.awaitEnd(flow.Campaign(c))
	k.examine(flow.Campaign(c), "", "stopped", fewEvents)
	k.awaitEnd(flow.Sender(k.connection))
	k.examine(flow.Sender(k.connection), "", "sender-stopped", fewEvents)
}

// templateGone has the provider refuse the campaign's template in the middle of it. It stays paused until somebody resumes it.
func (s *stage) templateGone(t *testing.T) {
	k := s.newShop(t, 120)
	k.slow(50 * time.Millisecond)
	c := k.launch(nil)
	k.awaitTaken(20)
	k.faults(t, world.Fault{Match: world.Match{NumberID: k.number}, DelayMS: 50, Code: 132016})
	k.awaitState(c, campaign.Paused)
	require.Nil(t, k.state(c).ResumesAt)
	k.awaitEnd(flow.Sender(k.connection))
	live, _ := k.awaitLive(flow.Campaign(c), func(l flow.Live) bool { return l.State == "paused" })
	require.Equal(t, "paused because of the provider's answer; resume it to go on", live.Reason)
	counts := k.settle(c)
	require.Equal(t, send.Counts{Sent: len(k.taken()), Queued: 120 - len(k.taken())}, counts)
	require.Positive(t, counts.Queued)
	k.faults(t)
	k.command(c, func(tx postgres.Tx) error { return campaign.Resume(t.Context(), tx, k.company, c, time.Now()) })
	k.awaitState(c, campaign.Finished)
	require.Equal(t, send.Counts{Sent: 120}, k.settle(c))
	require.Equal(t, 1, k.pauses(c))
	k.awaitEnd(flow.Campaign(c))
}

// tokenGone has the provider refuse the number. Its sender ends instead of trying again, until somebody has mended it.
func (s *stage) tokenGone(t *testing.T) {
	k := s.newShop(t, 60)
	k.faults(t, world.Fault{Match: world.Match{NumberID: k.number}, Code: 190})
	c := k.launch(nil)
	live, _ := k.awaitLive(flow.Campaign(c), func(l flow.Live) bool { return strings.Contains(l.Reason, "no longer valid") })
	require.Equal(t, "running", live.State)
	k.awaitEnd(flow.Sender(k.connection))
	require.Empty(t, k.taken())
	require.Equal(t, send.Counts{Queued: 60}, k.settle(c))
	k.faults(t)
	k.command(c, func(tx postgres.Tx) error { return send.ReleaseHold(t.Context(), tx, k.company, k.connection) })
	k.awaitState(c, campaign.Finished)
	require.Equal(t, send.Counts{Sent: 60}, k.settle(c))
}

// lostWorker kills a worker process in the middle of a page. Its claims become uncertain, never sent again; a
// second worker does the rest.
func (s *stage) lostWorker(t *testing.T) {
	k := s.newShop(t, 150)
	k.slow(100 * time.Millisecond)
	child := s.startChild(t)
	c := k.launch(nil)
	k.awaitTaken(20)
	_, run := k.awaitLive(flow.Sender(k.connection), func(l flow.Live) bool { return l.Doing == flow.StepPage })
	child.Kill()
	<-child.Done()
	k.faults(t)
	stop := s.startWorker(t)
	defer stop()
	k.awaitState(c, campaign.Finished)
	counts := k.settle(c)
	require.Equal(t, send.Counts{Sent: 150 - counts.Uncertain, Uncertain: counts.Uncertain}, counts)
	require.LessOrEqual(t, counts.Uncertain, 2*slots)
	k.awaitEnd(flow.Sender(k.connection))
	h := k.examine(flow.Sender(k.connection), run, "failed-page", fewEvents)
	require.Positive(t, count(h, enums.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT))
	k.awaitEnd(flow.Campaign(c))
	k.examine(flow.Campaign(c), "", "campaign-lost-worker", fewEvents)
}

// beside queues a reply while a page has all its slots on slow sends: it does not wait for them.
func (s *stage) beside(t *testing.T) {
	k := s.newShop(t, 150)
	k.slow(700 * time.Millisecond)
	c := k.launch(nil)
	_, run := k.awaitLive(flow.Sender(k.connection), func(l flow.Live) bool { return l.Doing == flow.StepPage })
	eventually(t, "the page has claims on the wire", func() (busy bool) {
		k.tx(func(tx postgres.Tx) error {
			counts, err := send.CountsOf(t.Context(), tx, k.company, c)
			busy = counts[c].Sending >= slots
			return err
		})
		return busy
	})
	message := k.reply(7)
	eventually(t, "the reply is sent", func() bool { return k.has(message) })
	require.NotEqual(t, campaign.Finished, k.state(c).State, "the page was still at work")
	k.faults(t)
	k.awaitState(c, campaign.Finished)
	k.awaitEnd(flow.Sender(k.connection))
	h := k.examine(flow.Sender(k.connection), run, "urgent-beside-page", fewEvents)
	pages, urgents := scheduled(h, flow.SendPage), scheduled(h, flow.SendUrgent)
	require.Positive(t, pages)
	require.Positive(t, urgents)
	k.tx(func(tx postgres.Tx) error {
		sent, err := send.Get(t.Context(), tx, k.company, message, nil)
		require.Equal(t, send.Sent, send.State(sent.State))
		return err
	})
}

// alone sends replies while nothing else happens: no page is run for them.
func (s *stage) alone(t *testing.T) {
	k := s.newShop(t, 3)
	first := k.reply(0)
	eventually(t, "the reply is sent", func() bool { return k.has(first) })
	second := k.reply(1) // the run that sent the first is still there
	eventually(t, "the next reply is sent", func() bool { return k.has(second) })
	k.awaitEnd(flow.Sender(k.connection))
	h := k.examine(flow.Sender(k.connection), "", "urgent", fewEvents)
	require.Zero(t, scheduled(h, flow.SendPage))
	require.Equal(t, 1, scheduled(h, flow.SendUrgent))
	require.Len(t, k.taken(), 2)
}

// scheduled counts how often a history orders an activity.
func scheduled(h *historypb.History, name string) (n int) {
	for _, event := range h.Events {
		if event.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == name {
			n++
		}
	}
	return n
}

// Wakes before, during and after the moment in which a history is cut and continued lose no work.
func TestContinueAsNewLosesNoWake(t *testing.T) {
	url := database(t)
	s := newStage(t, url, startTemporal(t, url, "limit.historyCount.suggestContinueAsNew: 24"))
	s.startWorker(t)
	k := s.newShop(t, 40)
	k.slow(40 * time.Millisecond)
	first := k.launch(nil)
	k.awaitTaken(1)
	_, senderRun := k.awaitLive(flow.Sender(k.connection), func(flow.Live) bool { return true })
	_, campaignRun := k.awaitLive(flow.Campaign(first), func(flow.Live) bool { return true })
	stop := s.background(t, func(ctx context.Context) { hammer(ctx, k, first) })
	campaigns := []id.ID{first}
	began := time.Now()
	for range 5 {
		k.awaitTaken(40*(len(campaigns)-1) + 20)
		campaigns = append(campaigns, k.launch(nil))
	}
	k.awaitState(first, campaign.Finished)
	stop()
	for _, c := range campaigns { // the last ones end without anybody knocking
		k.awaitState(c, campaign.Finished)
		require.Equal(t, send.Counts{Sent: 40}, k.settle(c))
	}
	// A campaign that missed a wake would look by itself after half a minute.
	require.Less(t, time.Since(began), 25*time.Second)
	require.Positive(t, chain(k, flow.Sender(k.connection), senderRun, "continue-as-new"))
	chain(k, flow.Campaign(first), campaignRun, "campaign-continue-as-new")
}

// hammer wakes the sender and a campaign many times a second, so that wakes fall into every gap.
func hammer(ctx context.Context, k *shop, c id.ID) {
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, target := range []flow.Target{flow.Sender(k.connection), flow.Campaign(c)} {
			if err := k.flow.Wake(ctx, k.company, target); err != nil && ctx.Err() == nil {
				k.Error("waking:", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// chain follows a workflow from run to run, keeps the first that was continued, and returns how many were.
func chain(k *shop, target flow.Target, run, name string) (continued int) {
	k.Helper()
	for {
		h := k.history(target, run)
		last := h.Events[len(h.Events)-1]
		next := last.GetWorkflowExecutionContinuedAsNewEventAttributes()
		if next == nil {
			return continued
		}
		if continued++; continued == 1 {
			k.examine(target, run, name, 400)
		}
		run = next.GetNewExecutionRunId()
	}
}
