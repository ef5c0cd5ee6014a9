package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"omnidesk/internal/flow"
)

// Digest mails a person what they want to hear of: it waits for more to go into the same mail, sends it, and ends when
// nothing waits any more. A notice wakes it again.
func Digest(ctx workflow.Context, ref flow.Ref) error {
	a, err := attend(ctx, ref, flow.LookAtDigest, Digest)
	if err != nil {
		return err
	}
	return a.work(ctx, a.digestStep)
}

func (a *attendant) digestStep(ctx workflow.Context, look flow.Look) error {
	switch look.Step {
	case flow.StepMail:
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			TaskQueue:           flow.WorkQueue,
			StartToCloseTimeout: 30 * time.Second,
			Summary:             "write the mail and hand it over",
			RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 2 * time.Second, MaximumInterval: 10 * time.Minute, MaximumAttempts: 5},
		})
		return workflow.ExecuteActivity(ctx, flow.SendDigest, a.ref).Get(ctx, nil)
	case flow.StepWait:
		return a.rest(ctx, look)
	default:
		return fmt.Errorf("a look at a digest returned the unknown step %q", look.Step)
	}
}
