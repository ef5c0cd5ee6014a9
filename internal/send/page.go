package send

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
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
	keepEvery    = time.Second
	liveFor      = 5 * time.Second
)

// Options of one page.
type Options struct {
	Company, Connection id.ID
	Sender              channel.Sender
	Timeout             time.Duration // of one send, as the adapter states it
	Slots               int           // sends at once; claimed and unrecorded rows are at most twice as many
	MaxDuration         time.Duration
	Render              func(Claim) (channel.Content, error)
	Progress            func(flow.PageResult) // called about every second
	Changed             func(campaign id.ID)  // counts have changed
	Hint                func()                // a wake has been committed
}

// ClaimLifetime is how old an open claim is when its owner can't record an outcome any more.
func ClaimLifetime(timeout time.Duration) time.Duration { return onWireWithin + timeout + ownerMargin }

// page claims, sends and records until its work, its time or its context ends. One goroutine claims, Slots
// goroutines send, one records; at most 2 × Slots rows are claimed and unrecorded at any instant.
type page struct {
	Options
	db      *postgres.DB
	epoch   atomic.Int32
	started time.Time

	work chan Claim
	done chan sent

	mu       sync.Mutex
	free     *sync.Cond
	open     int // claimed and not yet recorded
	limit    int
	openOf   map[id.ID]int
	result   flow.PageResult
	last     time.Time // the scope's last instant: decisions never go back behind it
	stop     error     // why no more is claimed
	breaker  breaker
	unhealed bool // the scope carries a hold's memory that the first accepted send clears
}

// sent is a claim with what became of it.
type sent struct {
	claim   Claim
	outcome channel.Outcome
	event   Event
}

var (
	errDry     = errors.New("nothing to claim there")
	errFenced  = errors.New("a newer page sends on this connection")
	errHeld    = errors.New("the connection is held")
	errExpired = errors.New("the page's time is over")
)

// RunPage sends what is queued on a connection. It returns without error when it ended in order: its work
// or its time is over, the connection is held, a newer page has taken over, or ctx was cancelled.
func RunPage(ctx context.Context, db *postgres.DB, o Options) (flow.PageResult, error) {
	p := &page{Options: o, db: db, started: time.Now(), limit: 2 * o.Slots, openOf: map[id.ID]int{},
		work: make(chan Claim, 2*o.Slots), done: make(chan sent, 2*o.Slots)}
	p.free = sync.NewCond(&p.mu)
	if err := p.begin(ctx); err != nil {
		return p.result, err
	}
	// Outcomes must be written down even when the activity has been cancelled.
	lasting := context.WithoutCancel(ctx)
	var senders, others sync.WaitGroup
	for range o.Slots {
		senders.Go(func() { p.sendAll(lasting) })
	}
	others.Go(func() { p.recordAll(lasting) })
	keeping, stopKeeping := context.WithCancel(lasting)
	others.Go(func() { p.keep(keeping) })
	err := p.claimAll(ctx)
	close(p.work)
	senders.Wait()
	close(p.done)
	stopKeeping()
	others.Wait()
	return p.result, errors.Join(err, p.end(lasting))
}

// begin fences older pages, turns claims without an owner into uncertain ones and refuses a wrong clock.
func (p *page) begin(ctx context.Context) error {
	return p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
		if err := LockScope(ctx, tx, p.Company, p.Connection); err != nil {
			return err
		}
		row, err := New(tx).BeginPage(ctx, time.Now().Add(liveFor), p.Company, p.Connection)
		if err != nil {
			return fmt.Errorf("beginning a page: %w", err)
		}
		if skew := time.Since(row.DatabaseNow).Abs(); skew > maxClockSkew {
			return fmt.Errorf("this machine's clock is %s off the database's; correct it (NTP) before anything is sent", skew.Round(time.Millisecond))
		}
		p.last = row.LastInstant
		p.epoch.Store(row.PageEpoch)
		if row.Probing {
			p.limit = 1
		}
		p.unhealed = row.Probing || row.Holds > 0
		now := p.now()
		_, err = SweepOverdue(ctx, tx, p.Company, p.Connection, now.Add(-ClaimLifetime(p.Timeout)), now)
		return err
	})
}

// end lets the relay wake the sender again and wakes every campaign the page has touched.
func (p *page) end(ctx context.Context) error {
	err := retrying(ctx, func() error {
		return p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
			for campaign := range p.openOf {
				if err := wake.Append(ctx, tx, p.Company, flow.Campaign(campaign), false); err != nil {
					return err
				}
			}
			if err := applyEarly(ctx, tx, p.Company, p.Connection); err != nil {
				return err
			}
			return New(tx).EndPage(ctx, p.Company, p.Connection, p.epoch.Load())
		})
	})
	p.Hint()
	if err != nil {
		return fmt.Errorf("ending a page: %w", err)
	}
	return nil
}

// claimAll claims from the sources in turn, so that campaigns share the connection, until something ends it.
func (p *page) claimAll(ctx context.Context) error {
	stopWaiting := context.AfterFunc(ctx, func() { p.halt(context.Cause(ctx)) })
	defer stopWaiting()
	timer := time.AfterFunc(p.MaxDuration, func() { p.halt(errExpired) })
	defer timer.Stop()
	var sources []source
	var refreshed time.Time
	busy := time.Now()
	for turn := 0; ; turn++ {
		room, err := p.waitForRoom()
		if err != nil {
			return nil
		}
		if time.Since(refreshed) > sourcesFor {
			if sources, err = p.sources(ctx); err != nil {
				if p.pauseAfter(ctx, err) {
					continue
				}
				return err
			}
			refreshed = time.Now()
		}
		if len(sources) == 0 {
			if p.openCount() == 0 && time.Since(busy) > linger {
				return nil
			}
			p.nap(ctx, 50*time.Millisecond)
			refreshed = time.Time{}
			continue
		}
		i := turn % len(sources)
		claims, err := p.claim(ctx, sources[i], room)
		switch {
		case errors.Is(err, errDry):
			sources = append(sources[:i], sources[i+1:]...)
		case errors.Is(err, errFenced):
			return nil
		case err != nil:
			if !p.pauseAfter(ctx, err) {
				return err
			}
		default:
			busy = time.Now()
			p.hand(sources[i].campaign, claims)
		}
	}
}

// waitForRoom blocks until half of a full load may be claimed, which keeps batches worth their round trip.
func (p *page) waitForRoom() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.stop == nil && p.limit-p.open < max(p.limit/4, 1) {
		p.free.Wait()
	}
	return p.limit - p.open, p.stop
}

// hand gives claims to the senders. The channel has room for the whole limit, so it never blocks.
func (p *page) hand(campaign id.ID, claims []Claim) {
	p.mu.Lock()
	p.open += len(claims)
	p.openOf[campaign] += len(claims)
	p.mu.Unlock()
	for _, c := range claims {
		p.work <- c
	}
}

// sendAll is one slot.
func (p *page) sendAll(ctx context.Context) {
	for c := range p.work {
		p.done <- p.sendOne(ctx, c)
	}
}

func (p *page) sendOne(ctx context.Context, c Claim) sent {
	if p.stopped() || time.Since(c.At) > onWireWithin {
		return sent{claim: c, outcome: channel.Outcome{Class: channel.NotWritten}, event: Event{Message: c.ID, Attempt: c.Attempt, State: Queued, At: time.Now()}}
	}
	content, err := p.Render(c)
	if err != nil {
		o := channel.Outcome{Class: channel.NotAccepted, Detail: "Its text could not be made yet."}
		slog.Warn("a text could not be made; the message waits", "message", c.ID, "error", err)
		return sent{c, o, outcomeEvent(c, o, "", time.Now())}
	}
	o := p.Sender.Send(ctx, channel.Outgoing{ID: c.ID, To: c.To, Content: content})
	words, err := json.Marshal(content)
	if err != nil {
		words = nil // strings always marshal; the outcome matters more than its text
	}
	s := sent{c, o, outcomeEvent(c, o, string(words), time.Now())}
	p.watch(s)
	return s
}

// recordAll writes outcomes down in group commits: one runs while the next gathers.
func (p *page) recordAll(ctx context.Context) {
	for first := range p.done {
		batch := p.gather(first)
		events := make([]Event, len(batch))
		for i, s := range batch {
			events[i] = s.event
		}
		if err := retrying(ctx, func() error { return p.record(ctx, events) }); err != nil {
			slog.Error("outcomes could not be recorded; their messages become uncertain", "count", len(events), "error", err)
		}
		p.release(batch)
	}
}

// gather takes what is there and waits a little for more, up to a quarter of the limit.
func (p *page) gather(first sent) []sent {
	batch := make([]sent, 1, cap(p.done))
	batch[0] = first
	timer := time.NewTimer(recordWithin)
	defer timer.Stop()
	p.mu.Lock() // healing raises the limit meanwhile
	enough := max(p.limit/4, 1)
	p.mu.Unlock()
	for {
		select {
		case s, ok := <-p.done:
			if !ok {
				return batch
			}
			batch = append(batch, s)
			continue
		default:
		}
		if len(batch) >= enough || p.openCount() <= len(batch) {
			return batch
		}
		select {
		case s, ok := <-p.done:
			if !ok {
				return batch
			}
			batch = append(batch, s)
		case <-timer.C:
			return batch
		}
	}
}

func (p *page) release(batch []sent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open -= len(batch)
	for _, s := range batch {
		p.openOf[s.claim.Campaign]--
		switch s.event.State {
		case Sent:
			p.result.Sent++
		case Failed:
			p.result.Failed++
		case Uncertain:
			p.result.Uncertain++
		default:
			p.result.Retried++
		}
	}
	p.free.Signal()
}

// keep says once a second that the page lives, finds out when a newer one has taken over, and tells who watches.
func (p *page) keep(ctx context.Context) {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
			n, err := New(tx).KeepPage(ctx, time.Now().Add(liveFor), p.Company, p.Connection, p.epoch.Load())
			if err == nil && n == 0 {
				p.halt(errFenced)
			}
			return errors.Join(err, applyEarly(ctx, tx, p.Company, p.Connection))
		})
		if err != nil && ctx.Err() == nil {
			slog.Warn("a page could not say that it lives", "error", err)
		}
		p.mu.Lock()
		result, campaigns := p.result, make([]id.ID, 0, len(p.openOf))
		for campaign := range p.openOf {
			campaigns = append(campaigns, campaign)
		}
		p.mu.Unlock()
		p.Progress(result)
		for _, campaign := range campaigns {
			p.Changed(campaign)
		}
	}
}

// sources asks for what is queued and wakes campaigns whose rows are all done.
func (p *page) sources(ctx context.Context) ([]source, error) {
	var found []source
	err := p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
		found = nil
		rows, err := New(tx).Sources(ctx, p.Company, p.Connection, p.now())
		if err != nil {
			return fmt.Errorf("looking for queued messages: %w", err)
		}
		queued := map[id.ID]bool{}
		for _, r := range rows {
			queued[r.CampaignID] = true
			found = append(found, source{r.CampaignID, r.ZoneSetID, *r.FrozenAt, r.NeedsWindow})
		}
		return p.wakeDone(ctx, tx, queued)
	})
	return found, err
}

func (p *page) wakeDone(ctx context.Context, tx postgres.Tx, queued map[id.ID]bool) error {
	p.mu.Lock()
	var done []id.ID
	for campaign, open := range p.openOf {
		if open == 0 && !queued[campaign] {
			done = append(done, campaign)
			delete(p.openOf, campaign)
		}
	}
	p.mu.Unlock()
	for _, campaign := range done {
		if err := wake.Append(ctx, tx, p.Company, flow.Campaign(campaign), false); err != nil {
			return err
		}
		p.Changed(campaign)
	}
	if len(done) > 0 {
		defer p.Hint()
	}
	return nil
}

func (p *page) halt(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop == nil {
		p.stop = why
	}
	p.free.Broadcast()
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
	if now := time.Now(); now.After(p.last) {
		return now
	}
	return p.last
}

func (p *page) sawInstant(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.After(p.last) {
		p.last = at
	}
}

func (p *page) nap(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// pauseAfter waits a moment after a failure of the database and tells whether to go on.
func (p *page) pauseAfter(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return true // the next turn sees the stop
	}
	if time.Since(p.started) > p.MaxDuration {
		return false
	}
	if !postgres.IsRetryable(err) {
		slog.Warn("claiming failed; trying again", "error", err)
		p.nap(ctx, 500*time.Millisecond)
	}
	return true
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
		time.Sleep(wait)
	}
}
