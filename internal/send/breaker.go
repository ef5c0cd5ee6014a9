package send

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wait"
	"omnidesk/internal/wake"
)

// breaker watches outcomes and says when a connection should stop claiming.
type breaker struct {
	unknown     int // in a row
	unreachable int // in a row
	window      [50]bool
	seen        int
	inWindow    int
}

// The limits of unknown outcomes: five in a row, or a fifth of the last fifty.
const (
	unknownInRow     = 5
	unreachableInRow = 3
	unknownInWindow  = 10
)

// observe takes one outcome and tells whether there are too many unknown ones.
func (b *breaker) observe(o channel.Outcome) (tooManyUnknown, unreachable bool) {
	slot := b.seen % len(b.window)
	unknown := o.Class == channel.Unknown
	if b.window[slot] {
		b.inWindow--
	}
	b.window[slot] = unknown
	b.seen++
	if unknown {
		b.inWindow++
		b.unknown++
	} else {
		b.unknown = 0
	}
	if o.Class == channel.NotWritten {
		b.unreachable++
	} else {
		b.unreachable = 0
	}
	return b.unknown >= unknownInRow || (b.seen >= len(b.window) && b.inWindow >= unknownInWindow), b.unreachable >= unreachableInRow
}

// hold describes why and for how long a connection stops; consecutive holds grow longer.
type hold struct {
	reason  string
	first   time.Duration
	probing bool
}

// watch stops the page when the provider's answers say that its other messages would fare no better.
func (p *page) watch(s sent) {
	p.mu.Lock()
	unknown, unreachable := p.breaker.observe(s.outcome)
	healed := s.outcome.Class == channel.Accepted && p.unhealed
	if healed {
		p.unhealed = false
		p.limit = 2 * p.Slots
		p.tellTurn()
	}
	holding := p.stop != nil
	p.mu.Unlock()
	if healed {
		p.heal()
	}
	if holding {
		return
	}
	switch o := s.outcome; {
	case unknown:
		p.holdFor(hold{"The provider gave no clear answer several times; the next messages go one at a time.", 5 * time.Second, true})
	case unreachable:
		p.holdFor(hold{"The provider can't be reached.", 5 * time.Second, false})
	case o.Scope == channel.ScopeConnection && o.Class == channel.NotAccepted:
		p.holdFor(hold{"The provider asked to slow down: " + o.Detail, max(o.RetryAfter, time.Second), false})
	case o.Scope == channel.ScopeConnection && o.Class == channel.Refused:
		p.holdFor(hold{"The provider refuses this connection: " + o.Detail, 5 * time.Minute, false})
	}
}

// holdFor writes the hold down before the page ends; what is claimed and not on the wire is given back.
func (p *page) holdFor(h hold) {
	p.halt(errHeld)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
		now := p.now()
		until, err := New(tx).SetHold(ctx, SetHoldParams{CompanyID: p.Company, ConnectionID: p.Connection, Urgent: p.Urgent, Epoch: p.epoch.Load(),
			Now: now, Seconds: h.first.Seconds(), HeldReason: h.reason, Probing: h.probing})
		if errors.Is(err, pgx.ErrNoRows) { // a newer run has fenced it, or people have closed the connection
			return nil
		}
		if err != nil {
			return err
		}
		if err := wait.Note(ctx, tx, p.Company, p.Connection, h.reason, until, now); err != nil {
			return err
		}
		return wake.Append(ctx, tx, p.Company, flow.Sender(p.Connection), false)
	})
	if err != nil {
		slog.Warn("a hold could not be written down", "error", err)
	}
}

// heal forgets the holds in a row, now that a send was accepted.
func (p *page) heal() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
		n, err := New(tx).Heal(ctx, HealParams{CompanyID: p.Company, ConnectionID: p.Connection, Now: p.now(), Urgent: p.Urgent, Epoch: p.epoch.Load()})
		if err != nil || n == 0 {
			return err
		}
		return wait.Note(ctx, tx, p.Company, p.Connection, "", nil, p.now())
	})
	if err != nil {
		slog.Warn("a healed connection could not be marked so", "error", err)
	}
}
