package send

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// Bounds of a page.
const (
	onWireWithin = 2 * time.Second        // a claim older than this is given back, not sent
	ownerMargin  = 3 * time.Second        // added to a claim's age before its owner counts as gone
	maxClockSkew = 2 * time.Second        // from Postgres's clock; above it nothing is claimed
	linger       = 700 * time.Millisecond // how long a page without work waits for the feeder
	recordWithin = 20 * time.Millisecond  // how long an outcome waits for company in its group commit
	sourcesFor   = 2 * time.Second        // how long a list of sources serves
	shortWait    = 2 * time.Second        // the longest wait for limits that a run sits through
	idleLook     = 50 * time.Millisecond  // how often a page without work looks for some
	urgentLinger = 3 * time.Second        // how long an urgent run without work waits for more
	urgentLook   = 100 * time.Millisecond
	urgentAtMost = 8 * time.Minute // of an urgent run that is never without an open send
	keepEvery    = time.Second
	liveFor      = 5 * time.Second
)

// Options of one run: a page, or an urgent run.
type Options struct {
	Company, Connection id.ID
	Urgent              bool // lanes 1 and 2 instead of 3 to 5
	Sender              channel.Sender
	Timeout             time.Duration // of one send, as the adapter states it
	Slots               int           // sends at once; claimed and unrecorded rows are at most twice as many
	MaxDuration         time.Duration // then it ends; an urgent run ends at the first instant after it with nothing open
	Linger              time.Duration // how long it waits for more without work; 0: as long as its kind does
	Render              func(Claim) (channel.Content, error)
	Progress            func(flow.PageResult) // called about every second
	Changed             func(campaign id.ID)  // counts have changed
	Hint                func()                // a wake has been committed
	// Pause pauses the running campaigns that an answer of the provider is about and returns which; none when they are
	// paused already. The scope is locked.
	Pause func(context.Context, postgres.Tx, Stop) ([]id.ID, error)
}

// ClaimLifetime is how old an open claim is when its owner can't record an outcome any more.
func ClaimLifetime(timeout time.Duration) time.Duration { return onWireWithin + timeout + ownerMargin }

// page claims, sends and records until its work, its time or its context ends. Slots goroutines send, one takes
// turns of recording and claiming; at most 2 × Slots rows are claimed and unrecorded at any instant. An urgent run
// is the same with an epoch of its own and other lanes; the two share nothing but the connection's scope.
type page struct {
	Options
	db      *postgres.DB
	epoch   atomic.Int32
	fencing atomic.Bool // a new epoch is being taken, because of a claim whose answer was lost
	clock   func() time.Time
	started time.Time

	work chan Claim
	news chan struct{} // a turn is worth taking

	mu       sync.Mutex
	open     int    // claimed and not yet recorded
	done     []sent // of these, the ones whose outcome is known
	limit    int
	openOf   map[id.ID]int
	result   flow.PageResult
	last     time.Time // the scope's last instant: decisions never go back behind it
	stop     error     // why no more is claimed
	breaker  breaker
	suspects map[id.ID]suspicion // by campaign
	paused   map[id.ID]time.Time // when a campaign's message last made this run pause something; never: it is about to
	unhealed bool                // the scope carries a hold's memory that the first accepted send clears

	// Of the goroutine that takes turns.
	limited bool             // the connection has limits
	tiered  bool             // one of them is its portfolio's tier
	lastFor *id.ID           // the campaign that took before this run began
	zone    *time.Location   // the company's
	noted   map[id.ID]string // what its campaigns wait for, as far as this run has written it down
}

// sent is a claim with what became of it.
type sent struct {
	claim   Claim
	outcome channel.Outcome
	event   Event
}

var (
	errDry     = errors.New("nothing to claim there")
	errFenced  = errors.New("a newer run sends on this connection")
	errHeld    = errors.New("the connection is held")
	errExpired = errors.New("the page's time is over")
)

// RunPage sends what is queued on a connection in the lanes of the options. It returns without error when it ended in order: its work
// or its time is over, the connection is held, a newer run has taken over, or ctx was cancelled.
func RunPage(ctx context.Context, db *postgres.DB, o Options) (flow.PageResult, error) {
	p := newPage(db, o)
	if err := p.begin(ctx); err != nil {
		return p.result, err
	}
	// Outcomes must be written down even when the activity has been cancelled.
	lasting := context.WithoutCancel(ctx)
	var senders, keeper sync.WaitGroup
	for range o.Slots {
		senders.Go(func() { p.sendAll(lasting) })
	}
	keeping, stopKeeping := context.WithCancel(lasting)
	keeper.Go(func() { p.keep(keeping) })
	err := p.turns(ctx)
	close(p.work)
	senders.Wait()
	stopKeeping()
	keeper.Wait()
	return p.result, errors.Join(err, p.end(lasting))
}

func newPage(db *postgres.DB, o Options) *page {
	return &page{Options: o, db: db, started: time.Now(), limit: 2 * o.Slots, openOf: map[id.ID]int{}, clock: time.Now, noted: map[id.ID]string{},
		suspects: map[id.ID]suspicion{}, paused: map[id.ID]time.Time{},
		work: make(chan Claim, 2*o.Slots), news: make(chan struct{}, 1)}
}

// begin fences older pages, turns claims without an owner into uncertain ones and refuses a wrong clock.
func (p *page) begin(ctx context.Context) error {
	return p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
		if err := LockScope(ctx, tx, p.Company, p.Connection); err != nil {
			return err
		}
		row, err := New(tx).BeginRun(ctx, p.Urgent, time.Now().Add(liveFor), p.Company, p.Connection)
		if err != nil {
			return fmt.Errorf("beginning a run: %w", err)
		}
		if skew := time.Since(row.DatabaseNow).Abs(); skew > maxClockSkew {
			return fmt.Errorf("this machine's clock is %s off the database's; correct it (NTP) before anything is sent", skew.Round(time.Millisecond))
		}
		p.last = row.LastInstant
		p.epoch.Store(row.Epoch)
		if row.Probing {
			p.limit = 1
		}
		p.unhealed = row.Probing || row.Holds > 0
		p.limited, p.tiered, p.lastFor = row.Limited, row.Tiered, row.TakenFor
		hours, err := hoursOf(ctx, New(tx), p.Company)
		if err != nil {
			return err
		}
		p.zone = hours.Zone
		return p.sweep(ctx, tx)
	})
}

func (p *page) sweep(ctx context.Context, tx postgres.Tx) error {
	now := p.now()
	_, err := SweepOverdue(ctx, tx, p.Company, p.Connection, now.Add(-ClaimLifetime(p.Timeout)), now)
	return err
}

// end lets the relay wake the sender again and wakes every campaign the page has touched.
func (p *page) end(ctx context.Context) error {
	err := retrying(ctx, func() error {
		return p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
			for campaign := range p.openOf {
				if campaign == id.Nil {
					continue
				}
				if err := wake.Append(ctx, tx, p.Company, flow.Campaign(campaign), false); err != nil {
					return err
				}
			}
			if err := applyEarly(ctx, tx, p.Company, p.Connection); err != nil {
				return err
			}
			return New(tx).EndRun(ctx, p.Urgent, p.Company, p.Connection, p.epoch.Load())
		})
	})
	p.Hint()
	if err != nil {
		return fmt.Errorf("ending a page: %w", err)
	}
	return nil
}

// keep says once a second that the page lives, to Temporal first: a database that is slow to answer must not
// make the page look dead.
func (p *page) keep(ctx context.Context) {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		p.tell()
		if err := p.keepAlive(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("a page could not say that it lives", "error", err)
		}
	}
}

// campaigns are those whose messages the run has met.
func (p *page) campaigns() (met []id.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for campaign := range p.openOf {
		if campaign != id.Nil {
			met = append(met, campaign)
		}
	}
	return met
}

// tell informs who watches: Temporal, and the pages of the campaigns.
func (p *page) tell() {
	p.mu.Lock()
	result, campaigns := p.result, slices.Collect(maps.Keys(p.openOf))
	p.mu.Unlock()
	p.Progress(result)
	for _, campaign := range campaigns {
		if campaign != id.Nil {
			p.Changed(campaign)
		}
	}
}

// keepAlive holds wakes back for a while longer, finds out when a newer run has taken over, makes claims whose owner
// is gone uncertain, and applies statuses that came before their provider ids.
func (p *page) keepAlive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, liveFor-2*keepEvery)
	defer cancel()
	return p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
		epoch := p.epoch.Load()
		n, err := New(tx).KeepRun(ctx, KeepRunParams{Urgent: p.Urgent, LiveUntil: time.Now().Add(liveFor), CompanyID: p.Company, ConnectionID: p.Connection, Epoch: epoch})
		if err != nil {
			return err
		}
		if n == 0 && !p.fencing.Load() && p.epoch.Load() == epoch { // else it has fenced itself meanwhile
			p.halt(errFenced)
		}
		if err := p.sweep(ctx, tx); err != nil {
			return err
		}
		return applyEarly(ctx, tx, p.Company, p.Connection)
	})
}

func (p *page) halt(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop == nil {
		p.stop = why
	}
	p.tellTurn()
}

func (p *page) stopped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stop != nil && !errors.Is(p.stop, errExpired)
}

func (p *page) openCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// now is the worker's clock, but never behind the last instant a decision was made at.
func (p *page) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.clock(); now.After(p.last) {
		return now
	}
	return p.last
}

// saw takes over what the scope said when it was locked: its last instant, and whether an accepted send would heal it.
func (p *page) saw(at time.Time, unhealed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.After(p.last) {
		p.last = at
	}
	p.unhealed = unhealed
}

func (p *page) nap(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// pauseAfter waits a moment after a failure of the database; one that a repeat mends needs none.
func (p *page) pauseAfter(ctx context.Context, err error) {
	if !postgres.IsRetryable(err) {
		slog.Warn("claiming failed; trying again", "error", err)
		p.nap(ctx, 500*time.Millisecond)
	}
}

// retrying repeats a write that must not be lost, for as long as its row could still be settled by hand.
func retrying(ctx context.Context, do func() error) error {
	deadline := time.Now().Add(2 * time.Minute)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := do()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		slog.Warn("the database did not take a write; trying again", "error", err, "retry_in", wait)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}
