// Package wait keeps what held up a campaign or a connection, from when to when, in the words that people read. A
// message's own waits are those that lie between its queueing and its claim.
package wait

import (
	"context"
	"fmt"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Note says that a campaign or a connection waits from now on, for a reason of ours and until an instant if one is
// foreseen. The same reason again goes on with the same wait; an empty reason ends the wait.
func Note(ctx context.Context, tx postgres.Tx, company, subject id.ID, reason string, until *time.Time, now time.Time) error {
	q := New(tx)
	if err := q.EndOthers(ctx, now, company, subject, reason); err != nil {
		return fmt.Errorf("ending a wait: %w", err)
	}
	if reason == "" {
		return nil
	}
	if err := q.Begin(ctx, company, subject, reason, now, until); err != nil {
		return fmt.Errorf("noting a wait: %w", err)
	}
	return nil
}
