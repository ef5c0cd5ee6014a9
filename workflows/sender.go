package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"omnidesk/internal/flow"
)

// Sender is the only one that sends on a connection. While there is work it runs pages: activities of at most
// a minute that claim, send and record by themselves. It ends when nothing is queued and no claim is open; a
// wake starts it again.
func Sender(ctx workflow.Context, ref flow.Ref) error {
	a, err := attend(ctx, ref, flow.LookAtSender, Sender)
	if err != nil {
		return err
	}
	for failures := 0; ; {
		if err := a.again(ctx); err != nil {
			return err
		}
		look, err := a.lookAround(ctx)
		if err == nil {
			if look.Step == flow.StepEnd && a.woken.Len() == 0 {
				return nil
			}
			err = a.senderStep(ctx, look)
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

func (a *attendant) senderStep(ctx workflow.Context, look flow.Look) error {
	switch look.Step {
	case flow.StepPage:
		return a.page(ctx)
	case flow.StepWait:
		return a.rest(ctx, look)
	case flow.StepEnd: // woken while looking: look again
		return nil
	default:
		return fmt.Errorf("a look at a sender returned the unknown step %q", look.Step)
	}
}

// page runs one page. It is never retried by Temporal: a new page begins with a look and fences the old one.
func (a *attendant) page(ctx workflow.Context) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           flow.SendQueue,
		StartToCloseTimeout: 4 * time.Minute,
		HeartbeatTimeout:    5 * time.Second,
		WaitForCancellation: true,
		Summary:             "send what is queued, for at most a minute",
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	var result flow.PageResult
	err := workflow.ExecuteActivity(ctx, flow.SendPage, a.ref).Get(ctx, &result)
	a.live.Sent += result.Sent
	return err
}
