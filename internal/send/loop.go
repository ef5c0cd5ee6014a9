package send

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/mutant"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// turns is the page's only writer: each turn records what is done and claims as much again, from the sources
// one after the other, so that campaigns share the connection. It returns when nothing is claimed any more.
func (p *page) turns(ctx context.Context) error {
	stopWaiting := context.AfterFunc(ctx, func() { p.halt(context.Cause(ctx)) })
	defer stopWaiting()
	timer := time.AfterFunc(p.MaxDuration, func() { p.halt(errExpired) })
	defer timer.Stop()
	list := sourceList{page: p}
	busy := time.Now()
	for {
		batch, room, stopped := p.await(list.any())
		var from *source
		if !stopped && room > 0 {
			from = list.next(ctx)
		}
		if from == nil {
			p.recordOnly(ctx, events(batch))
			p.release(batch)
			if p.openCount() == 0 && (stopped || time.Since(busy) > linger) {
				return list.failure
			}
			continue
		}
		claims, err := p.turn(ctx, *from, room, events(batch))
		switch {
		case errors.Is(err, errDry):
			list.drop()
		case errors.Is(err, errFenced):
			p.halt(errFenced)
		case err != nil:
			p.recordOnly(ctx, events(batch))
			p.pauseAfter(ctx, err)
		default:
			busy = time.Now()
		}
		p.release(batch)
		p.hand(from.campaign, claims)
	}
}

// await returns when a turn is worth its round trip: a quarter of the limit can be claimed, or outcomes have
// waited long enough. room is what may be claimed once the batch is recorded.
func (p *page) await(hungry bool) (batch []sent, room int, stopped bool) {
	tick := time.NewTimer(idleLook)
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
	if p.stopped() || time.Since(c.At) > onWireWithin {
		return sent{claim: c, outcome: channel.Outcome{Class: channel.NotWritten}, event: Event{Message: c.ID, Attempt: c.Attempt, State: Queued, At: time.Now()}}
	}
	content, err := p.Render(c)
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
	o := p.Sender.Send(ctx, message)
	words, err := json.Marshal(content)
	if err != nil {
		words = nil // strings always marshal; the outcome matters more than its text
	}
	s := sent{c, o, outcomeEvent(c, o, string(words), time.Now())}
	p.watch(s)
	return s
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

// sourceList is what can be claimed from, looked up anew every two seconds and whenever it has run dry.
type sourceList struct {
	page    *page
	list    []source
	at      int
	looked  time.Time
	failure error // of the last look, when it never succeeded again
}

func (l *sourceList) any() bool { return len(l.list) > 0 || l.looked.IsZero() }

// next returns the source whose turn it is, or nil when there is none.
func (l *sourceList) next(ctx context.Context) *source {
	age := time.Since(l.looked)
	if age > sourcesFor || (len(l.list) == 0 && age > idleLook/2) {
		l.looked = time.Now()
		if l.list, l.failure = l.page.lookForSources(ctx); l.failure != nil {
			l.page.pauseAfter(ctx, l.failure)
		}
	}
	if len(l.list) == 0 {
		return nil
	}
	l.at++
	return &l.list[l.at%len(l.list)]
}

// drop forgets the source that next returned last.
func (l *sourceList) drop() {
	i := l.at % len(l.list)
	l.list = slices.Delete(l.list, i, i+1)
}

// lookForSources asks for what is queued and wakes campaigns whose rows are all done.
func (p *page) lookForSources(ctx context.Context) ([]source, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), onWireWithin)
	defer cancel()
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
