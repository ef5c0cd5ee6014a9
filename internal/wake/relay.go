package wake

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// How the relay paces itself. Urgent wakes of one target go out at most every 250 ms, others every 2 s,
// leading edge first; the sweep finds what no hint told of, such as the wakes of a process that died.
const (
	urgentGap  = 250 * time.Millisecond
	commonGap  = 2 * time.Second
	sweepEvery = 5 * time.Second
	failedGap  = time.Second // after a failure
	atOnce     = 8
	pageSize   = 1000
)

// Signaler tells a workflow to look again and starts it when it does not run. flow.Client is one.
type Signaler interface {
	Wake(ctx context.Context, company id.ID, target flow.Target) error
}

// Relay carries wakes to Temporal. Every process that writes work runs one; several at once only repeat a
// harmless signal.
type Relay struct {
	db       *postgres.DB
	signaler Signaler
	hint     chan struct{}
	last     map[flow.Target]time.Time
}

// NewRelay returns a relay that Run starts.
func NewRelay(db *postgres.DB, signaler Signaler) *Relay {
	return &Relay{db: db, signaler: signaler, hint: make(chan struct{}, 1), last: map[flow.Target]time.Time{}}
}

// Hint says that a commit has appended a wake. It never blocks.
func (r *Relay) Hint() {
	select {
	case r.hint <- struct{}{}:
	default:
	}
}

// Run relays until ctx ends. Failures of the database or of Temporal are logged and tried again: the rows stay.
func (r *Relay) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.hint:
		case <-timer.C:
		}
		next, err := r.pass(ctx)
		if err != nil && ctx.Err() == nil {
			slog.Warn("wakes stay in the outbox", "error", err, "retry_in", next)
		}
		timer.Reset(next)
	}
}

// pass sends every due wake once and returns how long until the next one is due.
func (r *Relay) pass(ctx context.Context) (time.Duration, error) {
	rows, err := r.pending(ctx)
	if err != nil {
		return sweepEvery, err
	}
	type group struct {
		company id.ID
		ids     []int64
		urgent  bool
	}
	groups := map[flow.Target]*group{}
	for _, row := range rows {
		target := flow.Target{Workflow: flow.Workflow(row.Workflow), Subject: row.SubjectID}
		g := groups[target]
		if g == nil {
			g = &group{company: row.CompanyID}
			groups[target] = g
		}
		g.ids = append(g.ids, row.ID)
		g.urgent = g.urgent || row.Urgent
	}
	next := sweepEvery
	var due []flow.Target
	now := time.Now()
	for target, g := range groups {
		if wait := r.wait(target, g.urgent, now); wait > 0 {
			next = min(next, wait)
			continue
		}
		due = append(due, target)
	}
	// Urgent ones don't queue behind the others.
	slices.SortFunc(due, func(a, b flow.Target) int {
		switch {
		case groups[a].urgent == groups[b].urgent:
			return 0
		case groups[a].urgent:
			return -1
		}
		return 1
	})
	reached, failed := r.signal(ctx, due, func(t flow.Target) id.ID { return groups[t].company })
	var sent []int64
	for _, target := range reached {
		r.last[target] = now
		sent = append(sent, groups[target].ids...)
	}
	r.forget(now)
	if failed != nil {
		next = min(next, failedGap)
	}
	if len(sent) > 0 {
		// gofail: var wakeAfterSignal struct{}
		if err := r.delete(ctx, sent); err != nil {
			return next, err
		}
	}
	return next, failed
}

// signal wakes targets, several at a time, and returns those that Temporal has. After a failure it begins no other:
// Temporal is away, and each would wait for the same time-out.
func (r *Relay) signal(ctx context.Context, targets []flow.Target, company func(flow.Target) id.ID) (reached []flow.Target, failed error) {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, target := range targets {
		mu.Lock()
		stop := failed != nil
		mu.Unlock()
		if stop {
			break
		}
		group.Go(func() error {
			err := r.signaler.Wake(ctx, company(target), target)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = fmt.Errorf("waking %s: %w", target.WorkflowID(), err)
			} else {
				reached = append(reached, target)
			}
			return nil
		})
	}
	_ = group.Wait() // failures are kept above: the others' answers count
	return reached, failed
}

func (r *Relay) pending(ctx context.Context) (rows []PendingWakesRow, err error) {
	err = r.db.InSystem(ctx, func(tx postgres.Tx) error {
		rows, err = New(tx).PendingWakes(ctx, pageSize)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading wakes: %w", err)
	}
	return rows, nil
}

func (r *Relay) delete(ctx context.Context, ids []int64) error {
	err := r.db.InSystem(ctx, func(tx postgres.Tx) error { return New(tx).DeleteWakes(ctx, ids) })
	if err != nil {
		return fmt.Errorf("deleting relayed wakes: %w", err)
	}
	return nil
}

func (r *Relay) wait(target flow.Target, urgent bool, now time.Time) time.Duration {
	gap := commonGap
	if urgent {
		gap = urgentGap
	}
	return r.last[target].Add(gap).Sub(now)
}

// forget keeps the memory of recent signals small.
func (r *Relay) forget(now time.Time) {
	for target, at := range r.last {
		if now.Sub(at) > commonGap {
			delete(r.last, target)
		}
	}
}
