// Package wake is the outbox between the database and Temporal. A transaction that creates work appends a
// wake; after its commit the relay signals the workflow, which starts it when it does not run. A wake only
// ever means "look again", so that one too many does no harm and continue-as-new can lose none.
package wake

import (
	"context"
	"fmt"

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
