// Package restore notices that a database has gone back in time, and keeps what was open in it on hold until a person
// releases it: messages that are queued in a backup may have been sent after it was taken.
//
// Each process that claims has a Keeper. Every 10 s it raises a number of its own in the database and then writes it to
// a file outside, with the cluster's system id, timeline and flushed position. A database that has a lower number than
// the file is an earlier one, whatever has been written to it since; so is one whose log is shorter, or that has another
// system id or timeline.
package restore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wait"
	"omnidesk/internal/wake"
)

// ErrNothingHeld is the answer to a release of what is not on hold.
var ErrNothingHeld = errors.New("nothing of this company is on hold after a restore")

// Hold is what keeps a company's messages from being claimed.
type Hold struct {
	FoundAt time.Time
	Reason  string // a sentence
}

// HoldOf returns the open hold of a company, or nil.
func HoldOf(ctx context.Context, tx postgres.Tx, company id.ID) (*Hold, error) {
	row, err := New(tx).OpenHold(ctx, company)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the hold of a restore: %w", err)
	}
	return &Hold{row.FoundAt, row.Reason}, nil
}

// Release lets a company's messages be claimed again and wakes its senders. What was queued goes out, unless the caller
// has ended it in the same transaction. by is id.Nil for an operator at the command line.
func Release(ctx context.Context, tx postgres.Tx, company, by id.ID, now time.Time) error {
	n, err := New(tx).Release(ctx, by, company)
	if err != nil {
		return fmt.Errorf("releasing the hold of a restore: %w", err)
	}
	if n == 0 {
		return ErrNothingHeld
	}
	return eachConnection(ctx, tx, company, func(c ConnectionsRow) error {
		reason := "" // or what held it besides
		if c.HeldUntil != nil && c.HeldReason != nil && c.HeldUntil.After(now) {
			reason = *c.HeldReason
		}
		if err := wait.Note(ctx, tx, company, c.ConnectionID, reason, nil, now); err != nil {
			return err
		}
		return wake.Append(ctx, tx, company, flow.Sender(c.ConnectionID), false)
	})
}

// place puts a company on hold, unless it was since the process last saw the database.
func place(ctx context.Context, tx postgres.Tx, company id.ID, reason string, seen, now time.Time) error {
	n, err := New(tx).Hold(ctx, company, reason, seen)
	if err != nil {
		return fmt.Errorf("holding a company: %w", err)
	}
	if n == 0 {
		return nil
	}
	if err := notice.Add(ctx, tx, company, notice.ConnectionLost, notice.Company(company), 1, now); err != nil {
		return err
	}
	return eachConnection(ctx, tx, company, func(c ConnectionsRow) error {
		return wait.Note(ctx, tx, company, c.ConnectionID, reason, nil, now)
	})
}

func eachConnection(ctx context.Context, tx postgres.Tx, company id.ID, do func(ConnectionsRow) error) error {
	rows, err := New(tx).Connections(ctx, company)
	if err != nil {
		return fmt.Errorf("listing connections: %w", err)
	}
	for _, row := range rows {
		if err := do(row); err != nil {
			return err
		}
	}
	return nil
}

// LastSeen tells under the system role how long ago a process that claims has last seen the database; false: none ever has.
func LastSeen(ctx context.Context, tx postgres.Tx) (ago time.Duration, seen bool, err error) {
	seconds, err := New(tx).LastSeen(ctx)
	if err != nil {
		return 0, false, fmt.Errorf("asking when a worker was last seen: %w", err)
	}
	return time.Duration(seconds * float64(time.Second)), seconds >= 0, nil
}
