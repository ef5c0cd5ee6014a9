// Package workflows holds deterministic code only: the order in which things happen, one file per workflow.
// Everything that reads a row, a clock, a zone or a limit is an activity; workflows branch on its verdict.
package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
)

// attendant is what every workflow of ours does between its steps: it looks at its rows, says what it found,
// and waits for a wake or an instant.
type attendant struct {
	ref   flow.Ref
	look  string // the activity that looks
	self  func(workflow.Context, flow.Ref) error
	woken workflow.ReceiveChannel
	live  flow.Live
	fed   int // what a campaign's last feed moved
}

func attend(ctx workflow.Context, ref flow.Ref, look string, self func(workflow.Context, flow.Ref) error) (*attendant, error) {
	a := &attendant{ref: ref, look: look, self: self, woken: workflow.GetSignalChannel(ctx, flow.WokenSignal)}
	a.live.Since = workflow.Now(ctx)
	err := workflow.SetQueryHandlerWithOptions(ctx, flow.StateQuery, func() (flow.Live, error) { return a.live, nil },
		workflow.QueryHandlerOptions{Description: "What it is doing now, why and until when"})
	if err != nil {
		return nil, fmt.Errorf("setting the state query: %w", err)
	}
	return a, nil
}

// work looks and does one step, until a look finds that nothing is left to do.
func (a *attendant) work(ctx workflow.Context, step func(workflow.Context, flow.Look) error) error {
	for failures := 0; ; {
		if err := a.again(ctx); err != nil {
			return err
		}
		look, err := a.lookAround(ctx)
		if err == nil {
			if look.Step == flow.StepEnd {
				return nil
			}
			err = step(ctx, look)
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

// again tells whether the history has grown long enough, and if so returns the error that starts the next
// run. A wake that nobody has read yet is lost with this run and does not matter: the next begins with a look.
func (a *attendant) again(ctx workflow.Context) error {
	if !workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
		return nil
	}
	a.drain()
	return workflow.NewContinueAsNewError(ctx, a.self, a.ref)
}

// lookAround drains the wakes and then looks, in that order: what a later wake means, a later look sees.
func (a *attendant) lookAround(ctx workflow.Context) (flow.Look, error) {
	a.drain()
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 5 * time.Second,
		StartToCloseTimeout:    3 * time.Second,
		Summary:                "look at the rows",
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, MaximumInterval: time.Second},
	})
	var look flow.Look
	if err := workflow.ExecuteLocalActivity(ctx, a.look, a.ref).Get(ctx, &look); err != nil {
		return look, err
	}
	a.say(ctx, look)
	return look, nil
}

// say shows the verdict to whoever asks: in the state query, in the Temporal UI and, when it changed, as a
// search attribute.
func (a *attendant) say(ctx workflow.Context, look flow.Look) {
	if a.live.State != look.State {
		found := []temporal.SearchAttributeUpdate{flow.StateAttribute.ValueSet(look.State)}
		if look.Connection != id.Nil {
			found = append(found, flow.ConnectionAttribute.ValueSet(look.Connection.String()))
		}
		if err := workflow.UpsertTypedSearchAttributes(ctx, found...); err != nil {
			workflow.GetLogger(ctx).Warn("the state could not be made searchable", "error", err)
		}
	}
	if a.live.Doing != look.Step || a.live.State != look.State {
		a.live.Since = workflow.Now(ctx)
	}
	a.live.State, a.live.Doing, a.live.Reason, a.live.Until = look.State, look.Step, look.Reason, look.Until
	details := fmt.Sprintf("**%s** · %s", look.State, look.Reason)
	if !look.Until.IsZero() {
		details += fmt.Sprintf(" · until %s", look.Until.UTC().Format(time.RFC3339))
	}
	workflow.SetCurrentDetails(ctx, details)
}

// rest waits for a wake, for one of the given events, or until the look's instant when it has one.
func (a *attendant) rest(ctx workflow.Context, look flow.Look, events ...func() bool) error {
	awake := func() bool {
		return a.woken.Len() > 0 || slices.ContainsFunc(events, func(happened func() bool) bool { return happened() })
	}
	return a.await(ctx, look, awake)
}

// await waits for something to be so, or until the look's instant when it has one.
func (a *attendant) await(ctx workflow.Context, look flow.Look, so func() bool) error {
	if look.Until.IsZero() {
		return workflow.Await(ctx, so)
	}
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      max(look.Until.Sub(workflow.Now(ctx)), 10*time.Millisecond),
		TimerOptions: workflow.TimerOptions{Summary: look.Reason},
	}, so)
	return err
}

func (a *attendant) drain() {
	for a.woken.ReceiveAsync(nil) {
	}
}

// stumble waits after a failed step, longer each time, so that a database that is away costs few events.
func (a *attendant) stumble(ctx workflow.Context, failures int, err error) error {
	if temporal.IsCanceledError(err) {
		return err
	}
	workflow.GetLogger(ctx).Warn("a step failed and is tried again", "error", err, "failures", failures)
	wait := min(time.Second<<min(failures, 6), time.Minute)
	return a.rest(ctx, flow.Look{Until: workflow.Now(ctx).Add(wait), Reason: "a step failed; trying again"})
}

// step runs one short activity with retries.
func (a *attendant) step(ctx workflow.Context, name, summary string, timeout time.Duration, result any) error {
	return a.stepOn(ctx, flow.WorkQueue, name, summary, timeout, result)
}

// stepOn is step on a task queue of its own.
func (a *attendant) stepOn(ctx workflow.Context, queue, name, summary string, timeout time.Duration, result any) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           queue,
		StartToCloseTimeout: timeout,
		HeartbeatTimeout:    15 * time.Second,
		Summary:             summary,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: 30 * time.Second, MaximumAttempts: 5},
	})
	return workflow.ExecuteActivity(ctx, name, a.ref).Get(ctx, result)
}
