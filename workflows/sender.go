package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"omnidesk/internal/flow"
)

// Sender is the only one that sends on a connection. While there is work it runs pages: activities of at most
// a minute that claim, send and record by themselves. Urgent messages have an activity of their own, which runs beside
// the page. It ends when nothing is queued and no claim is open; a wake starts it again.
func Sender(ctx workflow.Context, ref flow.Ref) error {
	a, err := attend(ctx, ref, flow.LookAtSender, Sender)
	if err != nil {
		return err
	}
	if workflow.GetVersion(ctx, "urgent-lanes", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return a.sendInTurns(ctx)
	}
	pages, cancelPages := workflow.WithCancel(ctx)
	s := &sender{attendant: a,
		page:   run{name: flow.SendPage, queue: flow.SendQueue, ctx: pages, pause: time.Second, atMost: 4 * time.Minute, summary: "send what is queued, for at most a minute"},
		urgent: run{name: flow.SendUrgent, queue: flow.UrgentQueue, ctx: ctx, pause: 125 * time.Millisecond, atMost: 10 * time.Minute, summary: "send what is urgent, beside the page"},
	}
	s.looksAtEachWake = workflow.GetVersion(ctx, "wakes-while-sending", workflow.DefaultVersion, 1) == workflow.DefaultVersion
	for failures := 0; ; {
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return s.renew(ctx, cancelPages)
		}
		look, err := a.lookAround(ctx)
		if err != nil {
			failures++
			if err := a.stumble(ctx, failures, err); err != nil {
				return err
			}
			continue
		}
		failures = 0
		if ended, err := s.act(ctx, look); ended || err != nil {
			return err
		}
	}
}

// sender is a connection's sender with its two runs.
type sender struct {
	*attendant
	page, urgent    run
	looksAtEachWake bool // as histories do that began before both runs were known to look by themselves
}

// run is one of the activities that send. It is never retried by Temporal: a new run begins with a look at the rows and
// fences the old one.
type run struct {
	name, queue, summary string
	ctx                  workflow.Context
	atMost               time.Duration
	pause                time.Duration // after a failure; doubles with each one in a row
	future               workflow.Future
	failures             int
	notBefore            time.Time
}

func (r *run) going() bool { return r.future != nil }

func (r *run) ended() bool { return r.future != nil && r.future.IsReady() }

func (r *run) start(ref flow.Ref) {
	ctx := workflow.WithActivityOptions(r.ctx, workflow.ActivityOptions{
		TaskQueue:           r.queue,
		StartToCloseTimeout: r.atMost,
		HeartbeatTimeout:    5 * time.Second,
		WaitForCancellation: true,
		Summary:             r.summary,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	r.future = workflow.ExecuteActivity(ctx, r.name, ref)
}

// act starts what the look asks for and waits until there is a reason to look again. It tells when nothing is left.
func (s *sender) act(ctx workflow.Context, look flow.Look) (ended bool, err error) {
	switch look.Step {
	case flow.StepPage, flow.StepWait:
	case flow.StepEnd:
		if !s.page.going() && !s.urgent.going() {
			return s.woken.Len() == 0, nil // woken while looking: look again
		}
	default:
		return false, fmt.Errorf("a look at a sender returned the unknown step %q", look.Step)
	}
	var until time.Time
	wait := func(at time.Time) {
		if until.IsZero() || (!at.IsZero() && at.Before(until)) {
			until = at
		}
	}
	s.launch(ctx, &s.page, look.Step == flow.StepPage, wait)
	s.launch(ctx, &s.urgent, look.Urgent, wait)
	if !s.page.going() {
		wait(look.Until)
	}
	if !s.urgent.going() {
		wait(look.UrgentAt)
	}
	then := flow.Look{Until: until, Reason: look.Reason}
	if s.page.going() && s.urgent.going() && !s.looksAtEachWake { // which look by themselves: a wake has nothing to say
		err = s.await(ctx, then, func() bool {
			return s.page.ended() || s.urgent.ended() || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
		})
	} else {
		err = s.rest(ctx, then, s.page.ended, s.urgent.ended)
	}
	if err != nil {
		return false, err
	}
	return false, s.collect(ctx)
}

// launch starts a run that is wanted and not going, unless it failed a moment ago: then it asks to wait.
func (s *sender) launch(ctx workflow.Context, r *run, wanted bool, wait func(time.Time)) {
	switch {
	case !wanted || r.going():
	case r.notBefore.After(workflow.Now(ctx)):
		wait(r.notBefore)
	default:
		r.start(s.ref)
	}
}

// collect takes the results of the runs that have ended.
func (s *sender) collect(ctx workflow.Context) error {
	for _, r := range []*run{&s.page, &s.urgent} {
		if !r.ended() {
			continue
		}
		var result flow.PageResult
		err := r.future.Get(ctx, &result)
		r.future = nil
		s.live.Sent += result.Sent
		if err == nil {
			r.failures = 0
			continue
		}
		if temporal.IsCanceledError(err) {
			return err
		}
		r.failures++
		r.notBefore = workflow.Now(ctx).Add(min(r.pause<<min(r.failures, 6), time.Minute))
		workflow.GetLogger(ctx).Warn("a run failed; another begins with a look", "run", r.name, "error", err, "failures", r.failures)
	}
	return nil
}

// renew starts the next history. The page is cancelled and gives back what is not on the wire; an urgent run goes on
// until it has ended. A wake that nobody has read yet does not matter: the next history begins with a look.
func (s *sender) renew(ctx workflow.Context, cancelPages func()) error {
	cancelPages()
	for s.page.going() || s.urgent.going() {
		if err := workflow.Await(ctx, func() bool { return s.page.ended() || s.urgent.ended() }); err != nil {
			return err
		}
		if err := s.collect(ctx); err != nil && ctx.Err() != nil {
			return err
		}
	}
	s.drain()
	return workflow.NewContinueAsNewError(ctx, s.self, s.ref)
}

// sendInTurns is how senders worked before urgent runs. Histories that began then are still replayed and gone on with;
// remove it when none can be open any more.
func (a *attendant) sendInTurns(ctx workflow.Context) error {
	for failures := 0; ; {
		if err := a.again(ctx); err != nil {
			return err
		}
		look, err := a.lookAround(ctx)
		if err == nil {
			if look.Urgent || !look.UrgentAt.IsZero() {
				return workflow.NewContinueAsNewError(ctx, a.self, a.ref)
			}
			if look.Step == flow.StepEnd && a.woken.Len() == 0 {
				return nil
			}
			err = a.turn(ctx, look)
		}
		if err == nil {
			failures = 0
			continue
		}
		failures++
		if err := a.stumble(ctx, failures, err); err != nil {
			return err
		}
	}
}

func (a *attendant) turn(ctx workflow.Context, look flow.Look) error {
	switch look.Step {
	case flow.StepPage:
		page := run{name: flow.SendPage, queue: flow.SendQueue, ctx: ctx, atMost: 4 * time.Minute, summary: "send what is queued, for at most a minute"}
		page.start(a.ref)
		var result flow.PageResult
		err := page.future.Get(ctx, &result)
		a.live.Sent += result.Sent
		return err
	case flow.StepWait:
		return a.rest(ctx, look)
	case flow.StepEnd: // woken while looking: look again
		return nil
	default:
		return fmt.Errorf("a look at a sender returned the unknown step %q", look.Step)
	}
}
