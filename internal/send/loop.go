package send

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/mutant"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// turns is the page's only writer: each turn records what is done and claims as much again, from the sources
// one after the other, so that campaigns share the connection. It returns when nothing is claimed any more.
func (p *page) turns(ctx context.Context) error {
	stopWaiting := context.AfterFunc(ctx, func() { p.halt(context.Cause(ctx)) })
	defer stopWaiting()
	timer := time.AfterFunc(p.mostDuration(), func() { p.halt(errExpired) })
	defer timer.Stop()
	list := sourceList{page: p}
	busy := time.Now()
	for {
		batch, room, stopped := p.await(list.any(), list.opens())
		stopped = stopped || (p.Urgent && p.openCount() == len(batch) && time.Since(p.started) > p.MaxDuration)
		var from *source
		if !stopped && room > 0 {
			from = list.next(ctx)
		}
		if from == nil {
			p.recordOnly(ctx, events(batch))
		} else if p.take(ctx, &list, *from, room, batch) {
			busy = time.Now()
		}
		p.release(batch)
		// What can be seen but not claimed (one message at a time is on its way) is no reason to stay either.
		if p.openCount() == 0 && ((stopped && from == nil) || (list.empty() && time.Since(busy) > p.patience())) {
			return list.failure
		}
	}
}

// take takes a turn on a source and tells whether there was something to claim.
func (p *page) take(ctx context.Context, list *sourceList, from source, room int, batch []sent) bool {
	got, err := p.turn(ctx, from, room, events(batch))
	var wait waiting
	switch {
	case errors.As(err, &wait):
		list.wait(from, wait)
		return false
	case errors.Is(err, errDry):
		list.drop(from)
		return false
	case errors.Is(err, errFenced):
		p.halt(errFenced)
		return false
	case postgres.IsRefused(err):
		p.recordOnly(ctx, events(batch))
		p.halt(errHeld)
		p.nap(ctx, time.Second) // until somebody has written the hold down, the next look finds work again
		return false
	case err != nil:
		p.recordOnly(ctx, events(batch))
		p.pauseAfter(ctx, err)
		return false
	}
	if from.single() && len(got.claims)+got.postponed < got.asked {
		list.drop(from)
	}
	p.hand(from.campaign, got.claims)
	return true
}

// mostDuration bounds the run's claims. An urgent run that waits for one slow answer goes on sending meanwhile, and so
// may last longer than it was asked to.
func (p *page) mostDuration() time.Duration {
	if p.Urgent {
		return max(p.MaxDuration, urgentAtMost)
	}
	return p.MaxDuration
}

// patience is how long the run waits for more when it has nothing to do.
func (p *page) patience() time.Duration {
	switch {
	case p.Linger > 0:
		return p.Linger
	case p.Urgent:
		return urgentLinger
	}
	return linger
}

// lookEvery is how often it then looks.
func (p *page) lookEvery() time.Duration {
	if p.Urgent {
		return urgentLook
	}
	return idleLook
}

// await returns when a turn is worth its round trip: a quarter of the limit can be claimed, or outcomes have
// waited long enough. room is what may be claimed once the batch is recorded; opens is when limits let something go
// again.
func (p *page) await(hungry bool, opens time.Time) (batch []sent, room int, stopped bool) {
	look := p.lookEvery()
	if !opens.IsZero() {
		look = min(look, max(time.Until(opens), 0))
	}
	tick := time.NewTimer(look)
	defer tick.Stop()
	for expired := false; ; {
		p.mu.Lock()
		n := len(p.done)
		room = p.limit - p.open + n
		enough := room >= max(p.limit/4, 1)
		ready := expired || (n > 0 && (n == p.open || time.Since(p.done[0].event.At) > recordWithin)) ||
			(enough && hungry && p.stop == nil) || (enough && n > 0) || (p.stop != nil && p.open == 0)
		if ready {
			batch, p.done = p.done, nil
			stopped = p.stop != nil
			p.mu.Unlock()
			return batch, room, stopped
		}
		p.mu.Unlock()
		select {
		case <-p.news:
		case <-tick.C:
			expired = true
		}
	}
}

func events(batch []sent) []Event {
	list := make([]Event, len(batch))
	for i, s := range batch {
		list[i] = s.event
	}
	return list
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
		p.finish(p.sendOne(ctx, c))
	}
}

func (p *page) sendOne(ctx context.Context, c Claim) sent {
	if p.stopped() || time.Since(c.At) > onWireWithin || c.late(time.Now()) {
		return sent{claim: c, outcome: channel.Outcome{Class: channel.NotWritten}, event: Event{Message: c.ID, Attempt: c.Attempt, State: Queued, At: time.Now()}}
	}
	content, err := p.words(c)
	if err != nil {
		o := channel.Outcome{Class: channel.NotAccepted, Detail: "Its text could not be made yet."}
		slog.Warn("a text could not be made; the message waits", "message", c.ID, "error", err)
		return sent{c, o, outcomeEvent(c, o, "", time.Now())}
	}
	message := channel.Outgoing{ID: c.ID, To: c.To, Content: content}
	if mutant.MarkBeforeSend {
		go p.Sender.Send(ctx, message)
		o := channel.Outcome{Class: channel.Accepted, ProviderID: "mutant." + c.ID.String()}
		return sent{c, o, outcomeEvent(c, o, "", time.Now())}
	}
	// gofail: var sendBeforeCall struct{}
	o := p.Sender.Send(ctx, message)
	// gofail: var sendAfterCall struct{}
	s := sent{c, o, outcomeEvent(c, o, written(c, content), time.Now())}
	p.watch(s)
	return s
}

// words of a message: a campaign's are made now, others were kept when they were queued.
func (p *page) words(c Claim) (content channel.Content, err error) {
	if c.content == "" {
		return p.Render(c)
	}
	err = json.Unmarshal([]byte(c.content), &content)
	return content, err
}

// written is what the ledger keeps of the words; empty when it has them already.
func written(c Claim, content channel.Content) string {
	if c.content != "" {
		return ""
	}
	words, err := json.Marshal(content)
	if err != nil {
		return "" // strings always marshal; the outcome matters more than its text
	}
	return string(words)
}

// finish hands an outcome to the next turn and tells it when that turn is worth taking.
func (p *page) finish(s sent) {
	p.mu.Lock()
	p.done = append(p.done, s)
	worth := len(p.done) == p.open || p.limit-p.open+len(p.done) >= max(p.limit/4, 1)
	p.mu.Unlock()
	if worth {
		p.tellTurn()
	}
}

func (p *page) tellTurn() {
	select {
	case p.news <- struct{}{}:
	default:
	}
}

func (p *page) release(batch []sent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open -= len(batch)
	for _, s := range batch {
		// gofail: var sendAfterRecord struct{}
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
}

// sourceList is what can be claimed from, looked up anew every two seconds and whenever it has run dry. Messages
// outside campaigns go first and then share the turns with the campaigns. What limits hold back waits its time.
type sourceList struct {
	page      *page
	singles   *source
	list      []source // of campaigns
	at        int
	turn      int
	looked    time.Time
	failure   error     // of the last look, when it never succeeded again
	singlesAt time.Time // limits let none of them go before; of campaigns alike
	listAt    time.Time
}

// open tells what may be claimed from at an instant.
func (l *sourceList) open(at time.Time) (singles, list bool) {
	return l.singles != nil && !l.singlesAt.After(at), len(l.list) > 0 && !l.listAt.After(at)
}

// empty tells whether there is nothing to stay for: no source, or none that limits let go within two seconds. Longer
// waits are the workflow's, where everybody sees them.
func (l *sourceList) empty() bool {
	singles, list := l.open(time.Now().Add(shortWait))
	return !singles && !list
}

func (l *sourceList) any() bool {
	singles, list := l.open(time.Now())
	return singles || list || l.looked.IsZero()
}

// opens is when limits let something go again; zero: nothing waits for them.
func (l *sourceList) opens() (at time.Time) {
	now := time.Now()
	if l.singles != nil && l.singlesAt.After(now) {
		at = l.singlesAt
	}
	if len(l.list) > 0 && l.listAt.After(now) && (at.IsZero() || l.listAt.Before(at)) {
		at = l.listAt
	}
	return at
}

// wait keeps a kind of source back. Limits that are edited meanwhile are seen with the next look.
func (l *sourceList) wait(from source, verdict waiting) {
	if from.single() {
		l.singlesAt = verdict.At
		return
	}
	l.listAt = verdict.At
}

// next returns the source whose turn it is, or nil when there is none.
func (l *sourceList) next(ctx context.Context) *source {
	l.look(ctx)
	singles, list := l.open(time.Now())
	l.turn++
	switch {
	case singles && (!list || l.turn%2 == 1):
		return l.singles
	case !list:
		return nil
	}
	l.at++
	return &l.list[l.at%len(l.list)]
}

func (l *sourceList) look(ctx context.Context) {
	age, first := time.Since(l.looked), l.looked.IsZero()
	if age <= sourcesFor && (!l.empty() || age <= l.page.lookEvery()/2) {
		return
	}
	if age > sourcesFor {
		l.singlesAt, l.listAt = time.Time{}, time.Time{}
	}
	l.looked = time.Now()
	if l.singles, l.list, l.failure = l.page.lookForSources(ctx); l.failure != nil {
		l.page.pauseAfter(ctx, l.failure)
	}
	if last := l.page.lastFor; first && last != nil { // else a run of one message would always serve the same campaign
		l.at = max(slices.IndexFunc(l.list, func(s source) bool { return bytes.Compare(s.campaign[:], last[:]) > 0 }), 0) - 1
	}
}

// drop forgets the source that next returned last.
func (l *sourceList) drop(from source) {
	if from.single() {
		l.singles = nil
		return
	}
	i := l.at % len(l.list)
	l.list = slices.Delete(l.list, i, i+1)
}

// lookForSources asks for what is queued and may go now, and wakes campaigns whose rows are all done.
func (p *page) lookForSources(ctx context.Context) (singles *source, found []source, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), onWireWithin)
	defer cancel()
	if p.Urgent {
		singles, err = p.lookForUrgent(ctx)
		return singles, nil, err
	}
	err = p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
		q, now := New(tx), p.now()
		hours, err := hoursOf(ctx, q, p.Company)
		if err != nil {
			return err
		}
		p.zone = hours.Zone
		singles, err = singlesOf(ctx, q, p.Company, p.Connection, openLanes(hours, p.Urgent, now), now)
		if err != nil {
			return err
		}
		sources, err := sourcesOf(ctx, q, p.Company, p.Connection, hours, now)
		if err != nil {
			return err
		}
		limits, err := readPacing(ctx, q, p.Company, p.Connection, now)
		if err != nil {
			return err
		}
		if err := limits.markCounted(ctx, q, p.Company, p.Connection, sources, now); err != nil {
			return err
		}
		found = nil
		queued := map[id.ID]bool{}
		for _, s := range sources {
			queued[s.campaign] = true
			if s.schedule.Open(now) && !s.counted {
				found = append(found, s)
			}
		}
		if err := p.noteWaits(ctx, tx, sources, limits, now); err != nil {
			return err
		}
		return p.wakeDone(ctx, tx, queued)
	})
	return singles, found, err
}

// lookForUrgent asks the same of the urgent lanes in one round trip: many urgent runs look ten times a second.
func (p *page) lookForUrgent(ctx context.Context) (found *source, err error) {
	now := p.now()
	err = p.db.Batch(ctx, p.Company, func(b *pgx.Batch) {
		b.Queue(hours, p.Company)
		b.Queue(singles, urgentLanes, p.Company, p.Connection, now)
	}, func(results pgx.BatchResults) error {
		var row HoursRow
		if err := results.QueryRow().Scan(&row.Zone, &row.WindowFrom, &row.WindowUntil); err != nil {
			return fmt.Errorf("reading the company's zone: %w", err)
		}
		known, err := row.hours()
		if err != nil {
			return err
		}
		p.zone = known.Zone
		rows, err := results.Query()
		if err != nil {
			return fmt.Errorf("looking for urgent messages: %w", err)
		}
		oldest, err := pgx.CollectRows(rows, pgx.RowTo[id.ID])
		found = openLanes(known, true, now).from(oldest)
		return err
	})
	return found, err
}

// noteWaits keeps what campaigns wait for while others are sent, whenever that changes.
func (p *page) noteWaits(ctx context.Context, tx postgres.Tx, sources []source, limits pacing, now time.Time) error {
	waits := campaignWaits(sources, limits, p.zone, now)
	maps.DeleteFunc(waits, func(campaign id.ID, wait pace.Verdict) bool {
		reason, _ := noted(wait, now)
		return reason == p.noted[campaign]
	})
	written, err := noteWaits(ctx, tx, p.Company, p.Connection, waits, now)
	for _, campaign := range written {
		p.noted[campaign], _ = noted(waits[campaign], now)
	}
	return err
}

func (p *page) wakeDone(ctx context.Context, tx postgres.Tx, queued map[id.ID]bool) error {
	p.mu.Lock()
	var done []id.ID
	for campaign, open := range p.openOf {
		if open == 0 && !queued[campaign] && campaign != id.Nil {
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
