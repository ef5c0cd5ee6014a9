// Package wake is the outbox between the database and Temporal. A transaction that creates work appends a
// wake; after its commit the relay signals the workflow, which starts it when it does not run. A wake only
// ever means "look again", so that one too many does no harm and continue-as-new can lose none.
package wake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Append adds a wake for one workflow to the transaction that made its work. Call Relay.Hint after the commit.
func Append(ctx context.Context, tx postgres.Tx, company id.ID, target flow.Target, urgent bool) error {
	err := New(tx).AppendWake(ctx, company, string(target.Workflow), target.Subject, urgent)
	if err != nil {
		return fmt.Errorf("appending a wake: %w", err)
	}
	return nil
}

// AppendSenders adds a wake for the sender of every connection of every company, under the system role.
func AppendSenders(ctx context.Context, tx postgres.Tx) error {
	if err := New(tx).AppendSenders(ctx); err != nil {
		return fmt.Errorf("appending wakes of all senders: %w", err)
	}
	return nil
}

// Backlog is what has not been delivered to Temporal.
type Backlog struct {
	Waiting int // wakes, at most 10,000 are counted
	Oldest  time.Time
}

// BacklogOf counts the wakes of all companies, under the system role.
func BacklogOf(ctx context.Context, tx postgres.Tx) (Backlog, error) {
	row, err := New(tx).Oldest(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return Backlog{}, nil
	}
	if err != nil {
		return Backlog{}, fmt.Errorf("looking for the oldest wake: %w", err)
	}
	return Backlog{int(row.Waiting), row.Oldest}, nil
}
