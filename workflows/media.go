package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"omnidesk/internal/flow"
)

// Media moves the files of one connection, to its provider and from it, while there are any: those of contacts before the
// provider's links end, ours before the messages that name them. When to try again is decided in the rows.
func Media(ctx workflow.Context, ref flow.Ref) error {
	a, err := attend(ctx, ref, flow.LookAtMedia, Media)
	if err != nil {
		return err
	}
	return a.work(ctx, a.mediaStep)
}

// A file of 100 MB may take minutes; one that takes longer than this is tried again.
const mediaTimeout = 20 * time.Minute

func (a *attendant) mediaStep(ctx workflow.Context, look flow.Look) error {
	switch look.Step {
	case flow.StepMove:
		return a.stepOn(ctx, flow.MediaQueue, flow.MoveMedia, "fetch and hand over files, one after another", mediaTimeout, nil)
	case flow.StepWait:
		return a.rest(ctx, look)
	default:
		return fmt.Errorf("a look at files returned the unknown step %q", look.Step)
	}
}
