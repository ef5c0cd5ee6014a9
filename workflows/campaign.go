package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"omnidesk/internal/flow"
)

// Campaign takes one campaign from its start to its end: it freezes the audience, waits for the start time,
// feeds the plan into the ledger and finishes when every message has come to an end. The connection's sender
// does the sending. A paused campaign rests here until it is woken.
func Campaign(ctx workflow.Context, ref flow.Ref) error {
	a, err := attend(ctx, ref, flow.LookAtCampaign, Campaign)
	if err != nil {
		return err
	}
	return a.work(ctx, a.campaignStep)
}

func (a *attendant) campaignStep(ctx workflow.Context, look flow.Look) error {
	switch look.Step {
	case flow.StepFreeze:
		return a.step(ctx, flow.FreezeAudience, "freeze the audience", 10*time.Minute, nil)
	case flow.StepBegin:
		return a.step(ctx, flow.BeginCampaign, "its time has come", time.Minute, nil)
	case flow.StepFeed:
		return a.feed(ctx)
	case flow.StepFinish:
		return a.step(ctx, flow.FinishCampaign, "every message has come to an end", time.Minute, nil)
	case flow.StepCancel:
		return a.step(ctx, flow.CancelQueued, "messages came back to the queue after the cancel", time.Minute, nil)
	case flow.StepWait:
		// A sender that emptied the ledger within the last feed would stand still while this waits.
		if look.Unfed && a.fed > 0 {
			return a.feed(ctx)
		}
		return a.rest(ctx, look)
	default:
		return fmt.Errorf("a look at a campaign returned the unknown step %q", look.Step)
	}
}

func (a *attendant) feed(ctx workflow.Context) error {
	var result flow.FeedResult
	err := a.step(ctx, flow.FeedCampaign, "feed recipients into the ledger", 2*time.Minute, &result)
	a.fed = result.Fed
	return err
}
