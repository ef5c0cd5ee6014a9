package send

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// tries gathers what came of attempts that did not settle their message: a message's row tells only its last one.
type tries struct {
	messages, attempts []id.ID
	ats                []time.Time
	states             []int16
	codes              []int32
	details            []string
}

// add takes an event of an attempt. What was given back without being sent has no words and was no try.
func (t *tries) add(e Event, attempt id.ID) {
	if (e.State != Queued && e.State != Uncertain) || e.Detail == "" {
		return
	}
	t.messages, t.attempts, t.ats = append(t.messages, e.Message), append(t.attempts, attempt), append(t.ats, e.At)
	t.states, t.codes, t.details = append(t.states, int16(e.State)), append(t.codes, e.Code), append(t.details, e.Detail)
}

func (t *tries) args(company id.ID) []any {
	return []any{company, t.messages, t.attempts, t.ats, t.states, t.codes, t.details}
}

// queue adds the statement, unless there is nothing to write.
func (t *tries) queue(b *pgx.Batch, company id.ID) {
	if len(t.messages) > 0 {
		b.Queue(insertTries, t.args(company)...)
	}
}

// read takes the statement's answer.
func (t *tries) read(results pgx.BatchResults) error {
	if len(t.messages) == 0 {
		return nil
	}
	if _, err := results.Exec(); err != nil {
		return fmt.Errorf("keeping tries: %w", err)
	}
	return nil
}

func (t *tries) write(ctx context.Context, tx postgres.Tx, company id.ID) error {
	if len(t.messages) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, insertTries, t.args(company)...); err != nil {
		return fmt.Errorf("keeping tries: %w", err)
	}
	return nil
}
