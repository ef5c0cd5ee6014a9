package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"omnidesk/internal/flow"
)

// Conversation keeps the instant at which a snoozed conversation comes back, and ends with it. Whoever opens the
// conversation before, or sends it to sleep until another instant, wakes it to look again.
func Conversation(ctx workflow.Context, ref flow.Ref) error {
	a, err := attend(ctx, ref, flow.LookAtConversation, Conversation)
	if err != nil {
		return err
	}
	return a.work(ctx, a.conversationStep)
}

func (a *attendant) conversationStep(ctx workflow.Context, look flow.Look) error {
	switch look.Step {
	case flow.StepRouse:
		return a.step(ctx, flow.RouseConversation, "the time has come: open it", 30*time.Second, nil)
	case flow.StepWait:
		return a.rest(ctx, look)
	default:
		return fmt.Errorf("a look at a conversation returned the unknown step %q", look.Step)
	}
}
