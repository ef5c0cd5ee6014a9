// Package activities holds the side effects that workflows order: one struct per concern, its dependencies as
// fields, one method per activity, named as package flow names it.
package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"

	"omnidesk/internal/campaign"
	"omnidesk/internal/contact"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
	"omnidesk/internal/wake"
)

// How the feeder keeps the ledger supplied, in messages and instants.
const (
	feedUpTo  = 10_000 // claimable rows of one campaign
	feedBelow = 6_000
	feedBatch = 2_000
	feedFor   = 55 * time.Second
	feedSoon  = 150 * time.Millisecond // from a batch to the next look; each that finds enough doubles it, up to feedLate
	feedLate  = 600 * time.Millisecond
	lookSoon  = 30 * time.Second // how long a campaign waits for a wake before it looks by itself
)

// Campaigns does what the workflow of a campaign orders.
type Campaigns struct {
	DB      *postgres.DB
	Hint    func()                        // a wake has been committed
	Changed func(company, campaign id.ID) // the campaign's page should refresh
	Feeds   chan struct{}                 // as many batches are fed at once as it holds: campaigns that start must not slow down what is sent
}

// LookAtCampaign says what a campaign needs next. It only reads.
func (a *Campaigns) LookAtCampaign(ctx context.Context, ref flow.Ref) (look flow.Look, err error) {
	err = a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		c, err := campaign.Get(ctx, tx, ref.Company, ref.Subject)
		if errors.Is(err, campaign.ErrNotFound) {
			look = flow.Look{Step: flow.StepEnd, State: "deleted", Reason: "the campaign was deleted"}
			return nil
		}
		if err != nil {
			return err
		}
		look, err = a.lookAt(ctx, tx, ref, c)
		look.State, look.Connection = string(c.State), c.Connection
		return err
	})
	return look, err
}

func (a *Campaigns) lookAt(ctx context.Context, tx postgres.Tx, ref flow.Ref, c campaign.Campaign) (flow.Look, error) {
	switch c.State {
	case campaign.Starting:
		return flow.Look{Step: flow.StepFreeze, Reason: "freezing the audience"}, nil
	case campaign.Scheduled:
		if c.StartsAt.After(time.Now()) {
			return flow.Look{Step: flow.StepWait, Until: *c.StartsAt, Reason: "waits for its start time"}, nil
		}
		return flow.Look{Step: flow.StepBegin, Reason: "its start time has come"}, nil
	case campaign.Running:
		return a.lookAtRunning(ctx, tx, ref, c)
	case campaign.Paused:
		return lookAtPaused(c), nil
	case campaign.Canceled:
		return a.lookAtCanceled(ctx, tx, ref)
	default:
		return flow.Look{Step: flow.StepEnd, Reason: "nothing is left to do"}, nil
	}
}

// lookAtPaused waits for a person, or for the instant that the provider's answer named.
func lookAtPaused(c campaign.Campaign) flow.Look {
	switch {
	case c.PausedCode == nil:
		return flow.Look{Step: flow.StepWait, Reason: "paused by an admin; resume it to go on"}
	case c.ResumesAt == nil:
		return flow.Look{Step: flow.StepWait, Reason: "paused because of the provider's answer; resume it to go on"}
	case c.ResumesAt.After(time.Now()):
		return flow.Look{Step: flow.StepWait, Until: *c.ResumesAt, Reason: "paused because of the provider's answer; it goes on by itself"}
	}
	return flow.Look{Step: flow.StepBegin, Reason: "the provider's time is over"}
}

// lookAtCanceled stays until the last claim is settled: one that is given back finds no sender any more.
func (a *Campaigns) lookAtCanceled(ctx context.Context, tx postgres.Tx, ref flow.Ref) (flow.Look, error) {
	counts, err := send.CountsOf(ctx, tx, ref.Company, ref.Subject)
	n := counts[ref.Subject]
	switch {
	case err != nil:
		return flow.Look{}, err
	case n.Queued > 0:
		return flow.Look{Step: flow.StepCancel, Reason: "messages came back to the queue after the cancel"}, nil
	case n.Sending > 0:
		return flow.Look{Step: flow.StepWait, Until: time.Now().Add(lookSoon), Reason: "waits for the outcomes of claimed messages"}, nil
	default:
		return flow.Look{Step: flow.StepEnd, Reason: "nothing is left to do"}, nil
	}
}

func (a *Campaigns) lookAtRunning(ctx context.Context, tx postgres.Tx, ref flow.Ref, c campaign.Campaign) (flow.Look, error) {
	now := time.Now()
	clocks, err := campaign.ClocksOf(ctx, tx, ref.Company, ref.Subject, now)
	if err != nil {
		return flow.Look{}, err
	}
	n, ready, err := ready(ctx, tx, ref, c.Connection, clocks)
	if err != nil {
		return flow.Look{}, err
	}
	held, err := send.HeldFor(ctx, tx, ref.Company, c.Connection, now)
	switch {
	case err != nil:
		return flow.Look{}, err
	case clocks.Feedable && ready < feedBelow:
		return flow.Look{Step: flow.StepFeed, Reason: "feeding recipients into the ledger"}, nil
	case held != "" && (clocks.Unfed || n.Open() > 0):
		return flow.Look{Step: flow.StepWait, Unfed: clocks.Feedable, Until: now.Add(lookSoon), Reason: held}, nil
	case !clocks.Sendable && n.Sending == 0 && clocks.Wait.Reason.Kind != pace.None:
		return flow.Look{Step: flow.StepWait, Until: clocks.LookAt, Reason: clocks.Wait.Words(now)}, nil
	case clocks.Unfed || n.Open() > 0:
		return flow.Look{Step: flow.StepWait, Unfed: clocks.Feedable, Until: now.Add(lookSoon),
			Reason: fmt.Sprintf("the sender works on %d queued and %d claimed messages", n.Queued, n.Sending)}, nil
	default:
		return flow.Look{Step: flow.StepFinish, Reason: "every message has come to an end"}, nil
	}
}

// ready counts the queued messages that the feed need not add to. Those outside their window must not keep the feed
// from recipients whose window is open.
func ready(ctx context.Context, tx postgres.Tx, ref flow.Ref, connection id.ID, clocks campaign.Clocks) (n send.Counts, queued int, err error) {
	counts, err := send.CountsOf(ctx, tx, ref.Company, ref.Subject)
	n = counts[ref.Subject]
	if err != nil || !clocks.OpenUnfed || len(clocks.Shut) == 0 {
		return n, n.Queued, err
	}
	shut, err := send.QueuedIn(ctx, tx, ref.Company, connection, ref.Subject, clocks.Shut)
	return n, n.Queued - shut, err
}

// FreezeAudience makes the plan of a starting campaign. It may run again after any failure.
func (a *Campaigns) FreezeAudience(ctx context.Context, ref flow.Ref) error {
	stop := heartbeats(ctx)
	defer stop()
	if err := a.fillZones(ctx, ref.Company); err != nil {
		return err
	}
	return a.change(ctx, ref, func(tx postgres.Tx) error {
		return campaign.Freeze(ctx, tx, ref.Company, ref.Subject, time.Now())
	})
}

// fillZones asks for the zones of phones that were kept before there were any: a plan must know them.
func (a *Campaigns) fillZones(ctx context.Context, company id.ID) error {
	for {
		var filled int
		err := a.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
			filled, err = contact.FillZones(ctx, tx, company)
			return err
		})
		if err != nil || filled == 0 {
			return retryClass(err)
		}
	}
}

// BeginCampaign takes a campaign whose time has come to running.
func (a *Campaigns) BeginCampaign(ctx context.Context, ref flow.Ref) error {
	defer a.Hint()
	return a.change(ctx, ref, func(tx postgres.Tx) error {
		return campaign.Begin(ctx, tx, ref.Company, ref.Subject, time.Now())
	})
}

// FinishCampaign ends a campaign if, under its lock, nothing of it is open.
func (a *Campaigns) FinishCampaign(ctx context.Context, ref flow.Ref) error {
	return a.change(ctx, ref, func(tx postgres.Tx) error {
		return campaign.Finish(ctx, tx, ref.Company, ref.Subject, time.Now(), func() (bool, error) {
			counts, err := send.CountsOf(ctx, tx, ref.Company, ref.Subject)
			return counts[ref.Subject].Open() > 0, err
		})
	})
}

// CancelQueued ends what came back to the queue of a canceled campaign.
func (a *Campaigns) CancelQueued(ctx context.Context, ref flow.Ref) error {
	return a.change(ctx, ref, func(tx postgres.Tx) error {
		c, err := campaign.Get(ctx, tx, ref.Company, ref.Subject)
		if err != nil || c.State != campaign.Canceled {
			return err
		}
		if err := send.LockScope(ctx, tx, ref.Company, c.Connection); err != nil {
			return err
		}
		return send.CancelQueued(ctx, tx, ref.Company, c.Connection, ref.Subject, time.Now())
	})
}

func (a *Campaigns) change(ctx context.Context, ref flow.Ref, do func(postgres.Tx) error) error {
	if err := a.DB.InCompany(ctx, ref.Company, do); err != nil {
		return retryClass(err)
	}
	a.Changed(ref.Company, ref.Subject)
	return nil
}

// FeedCampaign keeps up to 10,000 claimable rows in the ledger for about a minute, or until the plan is fed or
// the campaign does not run any more. Each batch moves the plan's cursor in the same transaction, so that a
// crash anywhere feeds every recipient once.
func (a *Campaigns) FeedCampaign(ctx context.Context, ref flow.Ref) (flow.FeedResult, error) {
	var result flow.FeedResult
	until := time.Now().Add(feedFor)
	pause := feedSoon
	for time.Now().Before(until) {
		queued, err := a.queued(ctx, ref)
		if err != nil {
			return result, retryClass(err)
		}
		pause = min(2*pause, feedLate)
		for queued < feedBelow || (queued < feedUpTo && result.Fed == 0) {
			fed, err := a.feedBatch(ctx, ref)
			if err != nil {
				return result, retryClass(err)
			}
			if fed == 0 {
				return result, nil
			}
			result.Fed += fed
			queued += fed
			pause = feedSoon
			a.Hint()
		}
		activity.RecordHeartbeat(ctx, result)
		select {
		case <-ctx.Done():
			return result, ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			return result, nil
		case <-time.After(pause):
		}
	}
	return result, nil
}

func (a *Campaigns) queued(ctx context.Context, ref flow.Ref) (queued int, err error) {
	err = a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		c, err := campaign.Get(ctx, tx, ref.Company, ref.Subject)
		if err != nil {
			return err
		}
		clocks, err := campaign.ClocksOf(ctx, tx, ref.Company, ref.Subject, time.Now())
		if err != nil {
			return err
		}
		_, queued, err = ready(ctx, tx, ref, c.Connection, clocks)
		return err
	})
	return queued, err
}

// feedBatch moves one batch from the plan into the ledger and wakes the sender; 0 means there is none to move.
func (a *Campaigns) feedBatch(ctx context.Context, ref flow.Ref) (fed int, err error) {
	select {
	case a.Feeds <- struct{}{}:
		defer func() { <-a.Feeds }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	err = a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		c, slices, err := campaign.TakeUnfed(ctx, tx, ref.Company, ref.Subject, feedBatch, time.Now())
		if err != nil || len(slices) == 0 {
			return err
		}
		for _, s := range slices {
			n, err := send.QueueRecipients(ctx, tx, ref.Company, c.Connection, ref.Subject, s.ZoneSet, s.After, s.Through, c.ExpiresAt)
			if err != nil {
				return err
			}
			fed += n
		}
		// gofail: var feedBeforeCommit struct{}
		return wake.Append(ctx, tx, ref.Company, flow.Sender(c.Connection), false)
	})
	// gofail: var feedAfterCommit struct{}
	return fed, err
}

// heartbeats says every few seconds that a long statement is still at work.
func heartbeats(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(3 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return func() { close(done) }
}
