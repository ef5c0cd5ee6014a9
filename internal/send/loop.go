package send

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

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
