package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
)

// Step is one round trip of a transaction: what it asks, and how its answers are read, in the order they were queued.
type Step struct {
	Queue func(*pgx.Batch)
	Read  func(pgx.BatchResults) error
}

// A process that freezes between two steps must not keep others from the rows it has locked.
const stepTimeout = `SELECT set_config('idle_in_transaction_session_timeout', '2s', true)`

// Steps is Batch with decisions in the middle: one transaction of as many round trips as steps, for what must be decided
// in Go about rows that the first step has locked. What was read counts only when Steps has returned nil.
func (db *DB) Steps(ctx context.Context, company id.ID, steps ...Step) error {
	conn, err := db.app.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquiring a connection: %w", err)
	}
	defer conn.Release() // which closes it when it is still inside a transaction
	for i, step := range steps {
		var batch pgx.Batch
		before := 0
		if i == 0 {
			batch.Queue("BEGIN")
			batch.Queue(setCompany, company)
			batch.Queue(stepTimeout)
			before = batch.Len()
		}
		step.Queue(&batch)
		if i == len(steps)-1 {
			batch.Queue("COMMIT")
		}
		if err := runStep(ctx, conn.Conn(), &batch, before, step.Read); err != nil {
			return err
		}
	}
	return nil
}

func runStep(ctx context.Context, conn *pgx.Conn, batch *pgx.Batch, before int, read func(pgx.BatchResults) error) error {
	results := conn.SendBatch(ctx, batch)
	for range before {
		if _, err := results.Exec(); err != nil {
			_ = results.Close()
			return fmt.Errorf("beginning a transaction: %w", err)
		}
	}
	readErr := read(results)
	if err := results.Close(); err != nil {
		return err
	}
	return readErr
}
