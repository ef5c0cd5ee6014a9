package send

import (
	"context"
	"fmt"
	"time"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// HoldBack keeps a message that was just queued back until an instant, because its file must reach the provider first.
func HoldBack(ctx context.Context, tx postgres.Tx, company, message id.ID, until time.Time) error {
	if _, err := New(tx).holdQueued(ctx, &until, company, message); err != nil {
		return fmt.Errorf("holding a message back: %w", err)
	}
	return nil
}

// Release lets a message go whose file has reached the provider, under the id that it has there. What is no longer
// queued stays as it is. After the commit, hint the relay.
func Release(ctx context.Context, tx postgres.Tx, company, connection, message id.ID, providerID string) error {
	n, err := New(tx).releaseQueued(ctx, providerID, company, message)
	if err != nil {
		return fmt.Errorf("letting a message go: %w", err)
	}
	if n == 0 {
		return nil
	}
	return wake.Append(ctx, tx, company, flow.Sender(connection), true)
}

// Drop ends a queued message as failed whose file can't reach the provider. What is no longer queued stays as it is.
func Drop(ctx context.Context, tx postgres.Tx, company, connection, message id.ID, detail string, now time.Time) error {
	n, err := New(tx).dropQueued(ctx, now, detail, company, message)
	if err != nil {
		return fmt.Errorf("ending a message without its file: %w", err)
	}
	if n == 0 {
		return nil
	}
	return addCount(ctx, tx, company, connection, id.Nil, Counts{Queued: -1, Failed: 1})
}
