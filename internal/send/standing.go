package send

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Standing is what a connection's claims depend on beside its limits.
type Standing struct {
	Hold     *Hold // nil: it may send
	Restored bool  // the hold is that of a restored database
	Probing  bool  // one message at a time
	Live     bool  // a page is sending now
}

// StandingOf reads it as of now.
func StandingOf(ctx context.Context, tx postgres.Tx, company, connection id.ID, now time.Time) (Standing, error) {
	row, err := New(tx).Standing(ctx, company, connection)
	if err != nil {
		return Standing{}, fmt.Errorf("reading how a connection stands: %w", err)
	}
	s := Standing{Restored: row.Restored, Probing: row.Probing, Live: row.Live}
	held, err := heldAt(ctx, tx, company, connection, now)
	if err != nil || held.HeldReason == nil {
		return s, err
	}
	s.Hold = &Hold{Reason: *held.HeldReason}
	if !held.Closed {
		s.Hold.Until = held.HeldUntil
	}
	return s, nil
}

// Retrying counts a campaign's queued messages that wait for another try, and tells when the next of them may go. It
// looks at the first 2,000: with more in the queue, something else goes meanwhile.
func Retrying(ctx context.Context, tx postgres.Tx, company, connection, campaign id.ID, now time.Time) (waiting int, next time.Time, err error) {
	row, err := New(tx).Retries(ctx, company, connection, &campaign, now)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, next, nil
	}
	if err != nil {
		return 0, next, fmt.Errorf("looking for messages to be tried again: %w", err)
	}
	return int(row.Waiting), row.Next, nil
}
