package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"omnidesk/internal/flow"
)

// Import takes one file of contacts from its upload to its end: it has the file read, waits for a person to start it, lets
// it run, and ends. An undo starts it again. Each step goes on where a step before it was cut off.
func Import(ctx workflow.Context, ref flow.Ref) error {
	a, err := attend(ctx, ref, flow.LookAtImport, Import)
	if err != nil {
		return err
	}
	return a.work(ctx, a.importStep)
}

// A file of 200 MB takes minutes; one that takes longer than this goes on in the next step.
const importTimeout = time.Hour

func (a *attendant) importStep(ctx workflow.Context, look flow.Look) error {
	switch look.Step {
	case flow.StepCheck:
		return a.step(ctx, flow.CheckImport, "read the file and count what a run would do", importTimeout, nil)
	case flow.StepImport:
		return a.step(ctx, flow.RunImport, "add and update contacts, batch by batch", importTimeout, nil)
	case flow.StepUndo:
		return a.step(ctx, flow.UndoImport, "take back what the import did, batch by batch", importTimeout, nil)
	case flow.StepDiscard:
		return a.step(ctx, flow.DiscardImport, "nobody started it in time", time.Minute, nil)
	case flow.StepWait:
		return a.rest(ctx, look)
	default:
		return fmt.Errorf("a look at an import returned the unknown step %q", look.Step)
	}
}
