package realtime

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"omnidesk/internal/postgres"
)

// gatherFor is how long changes are gathered into one NOTIFY per process. NOTIFY takes a lock of the whole
// database at commit, so it never runs in a transaction that writes messages.
const gatherFor = 50 * time.Millisecond

// mostGathered bounds what waits while the database is away; beyond it, one refetch per company remains.
const mostGathered = 10_000

// Publisher tells other processes what changed. Publish may be called before Run and from many goroutines.
type Publisher struct {
	db     *postgres.DB
	mu     sync.Mutex
	events map[Event]struct{}
	wake   chan struct{}
}

// NewPublisher returns a publisher that Run starts.
func NewPublisher(db *postgres.DB) *Publisher {
	return &Publisher{db: db, events: map[Event]struct{}{}, wake: make(chan struct{}, 1)}
}

// Publish says that something changed, after its commit. It never blocks; the same change twice is one.
func (p *Publisher) Publish(events ...Event) {
	p.mu.Lock()
	for _, event := range events {
		if len(p.events) >= mostGathered {
			event = Event{Company: event.Company, Kind: Refetch}
		}
		p.events[event] = struct{}{}
	}
	p.mu.Unlock()
	if len(events) == 0 {
		return
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run sends what was published until ctx ends, then sends the rest once.
func (p *Publisher) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			p.flush(last)
			cancel()
			return
		case <-p.wake:
		}
		p.flush(ctx)
		timer := time.NewTimer(gatherFor) // the first change goes at once, what follows waits for others
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (p *Publisher) flush(ctx context.Context) {
	p.mu.Lock()
	events := p.events
	p.events = map[Event]struct{}{}
	p.mu.Unlock()
	if len(events) == 0 {
		return
	}
	err := p.db.InSystem(ctx, func(tx postgres.Tx) error {
		_, err := tx.Exec(ctx, `SELECT pg_notify($1, n) FROM unnest($2::text[]) AS n`, channelName, encode(events))
		return err
	})
	if err != nil && ctx.Err() == nil {
		// Browsers read again after their server's LISTEN reconnects, which an outage of the database forces.
		slog.Warn("changes were not announced", "count", len(events), "error", err)
	}
}
