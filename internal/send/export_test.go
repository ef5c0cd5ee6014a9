package send

import (
	"context"
	"errors"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
)

// Stand is a run whose turns a test takes by itself, at instants of its own.
type Stand struct {
	run *page
	at  time.Time
}

// NewStand begins a run that never sends.
func NewStand(ctx context.Context, db *postgres.DB, o Options, at time.Time) (*Stand, error) {
	s := &Stand{at: at}
	s.run = newPage(db, o)
	s.run.clock = func() time.Time { return s.at }
	return s, s.run.begin(ctx)
}

// Take takes one turn: of a campaign's rows of a zone set, or of one lane outside campaigns. A verdict without room says why
// nothing was taken.
func (s *Stand) Take(ctx context.Context, lane pace.Lane, campaign id.ID, zoneSet int32, most int, at time.Time) ([]Claim, pace.Verdict, error) {
	s.at = at
	from := source{since: at.AddDate(-1, 0, 0), schedule: pace.Schedule{Window: pace.WholeDay}}
	if lane == pace.Campaign {
		from.campaign, from.zoneSet = campaign, zoneSet
	} else {
		from.lanes = []int16{int16(lane)}
	}
	got, err := s.run.turn(ctx, from, most, nil)
	var wait waiting
	if errors.As(err, &wait) {
		return nil, pace.Verdict(wait), nil
	}
	return got.claims, pace.Verdict{Room: pace.Unlimited}, err
}

// Paced is the variant of a claim on a connection with limits.
func Paced(statement string) string { return variant(statement, "paced") }

// What a claim on a number with a tier asks about its portfolio.
const (
	ForgetContacts = forgetContacts
	TierUsed       = tier
)
