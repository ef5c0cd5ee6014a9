package send

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// record is a batch of outcomes on its way into the ledger. Rows still in sending for their attempt are written
// by one statement; those that moved on meanwhile, because a status was quicker or the claim had become
// uncertain, are late and take the slow path, applyEvents.
type record struct {
	outcomes []Event // by id
	done     map[id.ID]struct{}
	tries    tries
}

func newRecord(outcomes []Event) *record {
	slices.SortFunc(outcomes, func(a, b Event) int { return slices.Compare(a.Message[:], b.Message[:]) })
	r := &record{outcomes: outcomes, done: make(map[id.ID]struct{}, len(outcomes))}
	for _, e := range outcomes {
		r.tries.add(e, e.Attempt)
	}
	return r
}

// queue adds the statement, unless there is nothing to write.
func (r *record) queue(b *pgx.Batch, p *page) {
	n := len(r.outcomes)
	if n == 0 {
		return
	}
	var (
		ids, attempts     = make(pgtype.FlatArray[pgtype.UUID], n), make(pgtype.FlatArray[pgtype.UUID], n)
		states            = make([]int16, n)
		providers         = make([]string, n)
		codes             = make([]int32, n)
		details, contents = make([]string, n), make(pgtype.FlatArray[*string], n)
		ats               = make([]time.Time, n)
		retries           = make(pgtype.FlatArray[*time.Time], n)
	)
	for i := range r.outcomes {
		e := &r.outcomes[i]
		ids[i], attempts[i] = pgtype.UUID{Bytes: e.Message, Valid: true}, pgtype.UUID{Bytes: e.Attempt, Valid: true}
		states[i], providers[i] = int16(e.State), e.ProviderID
		codes[i], details[i], ats[i], retries[i] = e.Code, e.Detail, e.At, e.RetryAt
		if e.Content != "" {
			contents[i] = &e.Content
		}
	}
	r.tries.queue(b, p.Company)
	b.Queue(recordOutcomes, p.Company, ids, attempts, states, providers, codes, details, ats, retries, contents, ids[0], ids[n-1], p.Connection)
}

// read takes the statement's answer: the ids it has written.
func (r *record) read(results pgx.BatchResults) error {
	if len(r.outcomes) == 0 {
		return nil
	}
	clear(r.done)
	if err := r.tries.read(results); err != nil {
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return fmt.Errorf("recording outcomes: %w", err)
	}
	var written id.ID
	_, err = pgx.ForEachRow(rows, []any{&written}, func() error {
		r.done[written] = struct{}{}
		return nil
	})
	if err != nil {
		return fmt.Errorf("recording outcomes: %w", err)
	}
	return nil
}

func (r *record) late() []Event {
	if len(r.done) == len(r.outcomes) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.outcomes), func(e Event) bool { _, ok := r.done[e.Message]; return ok })
}

// recordOnly writes outcomes down by themselves, for as long as it takes: a repeat changes nothing.
func (p *page) recordOnly(ctx context.Context, outcomes []Event) {
	if len(outcomes) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	written := newRecord(outcomes)
	err := retrying(ctx, func() error {
		return p.db.Batch(ctx, p.Company, func(b *pgx.Batch) {
			b.Queue(settings)
			written.queue(b, p)
		}, func(results pgx.BatchResults) error {
			if _, err := results.Exec(); err != nil {
				return fmt.Errorf("setting up a record: %w", err)
			}
			return written.read(results)
		})
	})
	if err != nil {
		slog.Error("outcomes could not be recorded; their messages become uncertain", "count", len(outcomes), "error", err)
		return
	}
	p.recordLate(ctx, written)
}

// recordLate writes what the statement did not find in sending.
func (p *page) recordLate(ctx context.Context, written *record) {
	late := written.late()
	if len(late) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	err := retrying(ctx, func() error {
		return p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
			_, err := applyEvents(ctx, tx, p.Company, p.Connection, late)
			return err
		})
	})
	if err != nil {
		slog.Error("late outcomes could not be recorded", "count", len(late), "error", err)
	}
}
