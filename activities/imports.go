package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"

	"omnidesk/internal/contact"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// unstartedFor is how long a file waits for somebody to start its import.
const unstartedFor = 7 * 24 * time.Hour

// Imports does what the workflow of an import orders. The rows know how far it is, so each activity may run again after any
// failure.
type Imports struct {
	DB      *postgres.DB
	Changed func(company, imported id.ID) // the import's page should refresh
}

// LookAtImport says what an import needs next. It only reads.
func (a *Imports) LookAtImport(ctx context.Context, ref flow.Ref) (look flow.Look, err error) {
	err = a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		i, err := contact.GetImport(ctx, tx, ref.Company, ref.Subject)
		if errors.Is(err, contact.ErrNoImport) {
			look = flow.Look{Step: flow.StepEnd, State: "deleted", Reason: "the import was discarded"}
			return nil
		}
		if err != nil {
			return err
		}
		look = lookAtImport(i, time.Now())
		look.State = string(i.State)
		return nil
	})
	return look, err
}

func lookAtImport(i contact.Import, now time.Time) flow.Look {
	switch i.State {
	case contact.ImportUploaded:
		return flow.Look{Step: flow.StepCheck, Reason: "reading the file"}
	case contact.ImportReady:
		if until := i.CreatedAt.Add(unstartedFor); until.After(now) {
			return flow.Look{Step: flow.StepWait, Until: until, Reason: "waits for somebody to start it"}
		}
		return flow.Look{Step: flow.StepDiscard, Reason: "nobody started it in time"}
	case contact.ImportRunning:
		done, of, _ := i.Progress()
		return flow.Look{Step: flow.StepImport, Reason: fmt.Sprintf("adding and updating contacts; %d of %d rows are done", done, of)}
	case contact.ImportUndoing:
		done, of, _ := i.Progress()
		return flow.Look{Step: flow.StepUndo, Reason: fmt.Sprintf("taking back; %d of %d contacts are done", done, of)}
	default:
		return flow.Look{Step: flow.StepEnd, Reason: "nothing is left to do"}
	}
}

// CheckImport reads the whole file and counts what a run would do.
func (a *Imports) CheckImport(ctx context.Context, ref flow.Ref) error {
	defer heartbeats(ctx)()
	defer a.Changed(ref.Company, ref.Subject)
	return importClass(contact.CheckImport(ctx, a.DB, ref.Company, ref.Subject))
}

// RunImport adds and updates contacts until the file ends, the import is stopped, or this worker stops.
func (a *Imports) RunImport(ctx context.Context, ref flow.Ref) error {
	return a.inBatches(ctx, ref, contact.RunImport)
}

// UndoImport takes back what an import did.
func (a *Imports) UndoImport(ctx context.Context, ref flow.Ref) error {
	return a.inBatches(ctx, ref, contact.UndoImport)
}

// DiscardImport deletes an import that nobody started.
func (a *Imports) DiscardImport(ctx context.Context, ref flow.Ref) error {
	defer a.Changed(ref.Company, ref.Subject)
	return importClass(a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		return contact.DiscardImport(ctx, tx, ref.Company, ref.Subject)
	}))
}

func (a *Imports) inBatches(ctx context.Context, ref flow.Ref, do func(context.Context, *postgres.DB, id.ID, id.ID, func() bool) error) error {
	defer heartbeats(ctx)()
	stop := activity.GetWorkerStopChannel(ctx)
	return importClass(do(ctx, a.DB, ref.Company, ref.Subject, func() bool {
		a.Changed(ref.Company, ref.Subject)
		select {
		case <-stop: // the next look finds the rest
			return false
		default:
			return true
		}
	}))
}

// importClass takes what the look will see by itself for done: the import was discarded, or started meanwhile.
func importClass(err error) error {
	var state *contact.ImportStateError
	if errors.Is(err, contact.ErrNoImport) || errors.As(err, &state) {
		return nil
	}
	return err
}
