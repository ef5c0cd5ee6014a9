package server

import (
	"context"
	"slices"
	"time"

	"omnidesk/internal/campaign"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// lookAhead tells when the last message of a running campaign goes, as windows, nights and limits let it, at the rate it
// had of late, and what keeps messages of it waiting. The finish is empty when nobody can know: the connection waits for
// a person, or nothing tells how fast it goes.
func (s *Server) lookAhead(ctx context.Context, tx postgres.Tx, company id.ID, c campaign.Campaign, n send.Counts, view *Campaign) error {
	now := s.now()
	o, fresh := s.rates.outlook(c.ID, now)
	if !fresh {
		o = outlook{made: now}
		var err error
		if c.State == campaign.Running {
			if o.finish, err = s.finishOf(ctx, tx, company, c, n, now); err != nil {
				return err
			}
		}
		if o.waits, err = waitsOf(ctx, tx, company, c, n, now); err != nil {
			return err
		}
		if slices.ContainsFunc(o.waits, endsUnforeseen) {
			o.finish = nil
		}
		s.rates.keepOutlook(c.ID, o)
	}
	view.FinishAt, view.Waits = o.finish, append(view.Waits, o.waits...)
	return nil
}

// endsUnforeseen is a wait of everything that is left, of which nobody knows when it ends.
func endsUnforeseen(w Waiting) bool { return w.Count == 0 && w.Until == nil }

func (s *Server) finishOf(ctx context.Context, tx postgres.Tx, company id.ID, c campaign.Campaign, n send.Counts, now time.Time) (*time.Time, error) {
	holds, err := send.HoldsOf(ctx, tx, company, now)
	if err != nil {
		return nil, err
	}
	begins := now
	if hold, held := holds[c.Connection]; held {
		if hold.Until == nil {
			return nil, nil
		}
		begins = *hold.Until
	}
	plan, err := campaign.LeftOf(ctx, tx, company, c.ID, n.Queued+n.Sending)
	if err != nil {
		return nil, err
	}
	governor, err := send.GovernorOf(ctx, tx, company, c.Connection, now)
	if err != nil {
		return nil, err
	}
	plan.Limits, plan.Used = governor.Limits, governor.Used
	plan.Rate = s.rates.lately(c.ID)
	return finishAt(plan, begins), nil
}

// finishAt plays a plan through. A limit per second is a rate: taken as such, a step is as long as a window.
func finishAt(plan pace.Plan, begins time.Time) *time.Time {
	if most := float64(plan.Limits.PerSecond); most > 0 && (plan.Rate <= 0 || plan.Rate > most) {
		plan.Rate = most
	}
	plan.Limits.PerSecond = 0
	if plan.Rate <= 0 && plan.Limits.None() {
		return nil
	}
	at, ends := plan.Finish(begins)
	if !ends {
		return nil
	}
	at = at.UTC().Truncate(time.Second)
	return &at
}
