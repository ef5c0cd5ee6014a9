package send

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/notice"
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
	first   time.Duration // 0: until a person releases it
	probing bool
	brief   bool // asking again costs nothing: never longer than eight times the first
}

// Stop is an answer of the provider that concerns more than the message that met it, and pauses campaigns.
type Stop struct {
	Campaign id.ID // that met it; Nil: a message outside campaigns did
	Scope    channel.Scope
	Code     int
	Reason   string
	Until    *time.Time // nil: a person resumes them
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
	if stop := p.stopFor(s, p.now()); stop != nil {
		p.pause(*stop)
	}
	if holding {
		return
	}
	switch o := s.outcome; {
	case unknown:
		p.holdFor(hold{"The provider gave no clear answer several times; the next messages go one at a time until it does.", 5 * time.Second, true, false})
	case unreachable:
		p.holdFor(hold{"The provider can't be reached; sending goes on as soon as it answers.", 5 * time.Second, false, true})
	default:
		if h, reaches := holdOf(o.Scope, o.RetryAfter, o.Detail); reaches && (o.Class == channel.NotAccepted || o.Class == channel.Refused) {
			p.holdFor(h)
		}
	}
}

// holdOf is the hold that an answer about the whole connection asks for.
func holdOf(scope channel.Scope, wait time.Duration, detail string) (h hold, reaches bool) {
	switch {
	case scope != channel.ScopeConnection:
		return h, false
	case wait > 0:
		return hold{"The provider asked to slow down: " + detail, max(wait, time.Second), false, false}, true
	}
	return hold{"The provider refuses this connection: " + detail, 0, false, false}, true
}

// suspectsInRow refusals of one campaign with one code, one after the other, pause it.
const suspectsInRow = 5

// suspicion is how often in a row a campaign has met one code.
type suspicion struct{ code, times int }

// stopFor tells which campaigns an outcome pauses; nil: none, or they are paused by this page already.
func (p *page) stopFor(s sent, now time.Time) *Stop {
	o, campaign := s.outcome, s.claim.Campaign
	p.mu.Lock()
	defer p.mu.Unlock()
	stop := Stop{Campaign: campaign, Scope: o.Scope, Code: o.Code, Reason: o.Detail}
	switch {
	case o.Scope.Pauses() && (o.Class == channel.NotAccepted || o.Class == channel.Refused):
		if o.RetryAfter > 0 {
			until := now.Add(o.RetryAfter)
			stop.Until = &until
		}
	case campaign == id.Nil || !o.Suspect:
		delete(p.suspects, campaign)
		return nil
	default:
		if p.suspects[campaign].code != o.Code {
			p.suspects[campaign] = suspicion{code: o.Code}
		}
		times := p.suspects[campaign].times + 1
		p.suspects[campaign] = suspicion{o.Code, times}
		if times < suspectsInRow {
			return nil
		}
		stop.Reason = fmt.Sprintf("The last %d messages were refused one after the other. %s", times, o.Detail)
	}
	if at, once := p.paused[campaign]; once && !s.claim.At.After(at) { // claimed before: it was on its way already
		return nil
	}
	p.paused[campaign] = never
	return &stop
}

// pause writes the pause down before the outcome that asked for it is recorded, so that its message waits with the others.
func (p *page) pause(stop Stop) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var paused []id.ID
	err := p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) (err error) {
		if err = LockScope(ctx, tx, p.Company, p.Connection); err != nil {
			return err
		}
		paused, err = p.Pause(ctx, tx, stop)
		return err
	})
	p.mu.Lock()
	p.paused[stop.Campaign] = time.Now()
	if err != nil {
		delete(p.paused, stop.Campaign)
	}
	p.mu.Unlock()
	if err != nil {
		slog.Warn("a pause could not be written down", "error", err)
	}
	for _, campaign := range paused {
		p.Changed(campaign)
	}
	p.Hint()
}

// doublings bounds how often a hold in a row is twice as long as the one before.
func (h hold) doublings() int32 {
	if h.brief {
		return 3
	}
	return 6
}

// foreseen is when the wait of a hold ends, as far as is known: while it probes, messages wait beyond the hold itself.
func (h hold) foreseen(until *time.Time) *time.Time {
	if h.probing || h.first == 0 {
		return nil
	}
	return until
}

// holdFor writes the hold down before the page ends; what is claimed and not on the wire is given back.
func (p *page) holdFor(h hold) {
	p.halt(errHeld)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
		now := p.now()
		until, err := New(tx).SetHold(ctx, SetHoldParams{CompanyID: p.Company, ConnectionID: p.Connection, Urgent: p.Urgent, Epoch: p.epoch.Load(),
			Now: now, Seconds: h.first.Seconds(), Endless: h.first == 0, Doublings: h.doublings(), HeldReason: h.reason, Probing: h.probing})
		if errors.Is(err, pgx.ErrNoRows) { // a newer run has fenced it, or people have closed the connection
			return nil
		}
		if err != nil {
			return err
		}
		if err := wait.Note(ctx, tx, p.Company, p.Connection, h.reason, h.foreseen(until), now); err != nil {
			return err
		}
		if err := noteLoss(ctx, tx, p.Company, p.Connection, h.probing, until, now); err != nil {
			return err
		}
		return wake.Append(ctx, tx, p.Company, flow.Sender(p.Connection), false)
	})
	if err != nil {
		slog.Warn("a hold could not be written down", "error", err)
	}
}

// lostFor is how long a hold lasts at least that people are told of; shorter ones are the provider's breath.
const lostFor = 30 * time.Second

// noteLoss tells people of a hold that somebody should look at.
func noteLoss(ctx context.Context, tx postgres.Tx, company, connection id.ID, probing bool, until *time.Time, now time.Time) error {
	if !probing && until != nil && until.Sub(now) < lostFor {
		return nil
	}
	return notice.Add(ctx, tx, company, notice.ConnectionLost, notice.Connection(connection), 1, now)
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
		for _, campaign := range p.campaigns() { // they still say that the connection is held
			if err := wake.Append(ctx, tx, p.Company, flow.Campaign(campaign), false); err != nil {
				return err
			}
		}
		return wait.Note(ctx, tx, p.Company, p.Connection, "", nil, p.now())
	})
	p.Hint()
	if err != nil {
		slog.Warn("a healed connection could not be marked so", "error", err)
	}
}
