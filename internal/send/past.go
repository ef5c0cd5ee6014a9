package send

import (
	"context"
	"fmt"
	"slices"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Past is what became of a queued message at earlier instants.
type Past struct {
	Message id.ID
	Content string  // what was sent, as a page would keep it
	Events  []Event // in their order; the first one is learnt about a message that is on the wire
}

// WritePast writes pasts down, for demo data. They go through the same states as any others; each change counts at
// its own instant.
func WritePast(ctx context.Context, tx postgres.Tx, company, connection, campaign id.ID, pasts []Past) error {
	if len(pasts) == 0 {
		return nil
	}
	slices.SortFunc(pasts, func(a, b Past) int { return slices.Compare(a.Message[:], b.Message[:]) })
	ids := make([]id.ID, len(pasts))
	for i, past := range pasts {
		ids[i] = past.Message
	}
	rows, err := New(tx).ForUpdate(ctx, company, ids, ids[0], ids[len(ids)-1])
	if err != nil {
		return fmt.Errorf("locking messages: %w", err)
	}
	if len(rows) != len(pasts) {
		return fmt.Errorf("writing a past: %d of %d messages exist", len(rows), len(pasts))
	}
	changed, minutes := newChanges(company, connection), map[time.Time]*Counts{}
	for i := range rows {
		if State(rows[i].State) != Queued {
			return fmt.Errorf("writing a past: message %s has one already", rows[i].ID)
		}
		rows[i].live(pasts[i], minutes)
		changed.rows = append(changed.rows, &rows[i])
		if State(rows[i].State) == Failed {
			changed.failed[failureKey{campaign, deref(rows[i].ErrorCode)}]++
		}
		if rows[i].ProviderID != nil {
			changed.known = append(changed.known, &rows[i])
		}
	}
	if err := changed.write(ctx, tx); err != nil {
		return err
	}
	if err := New(tx).MarkAttempted(ctx, company, ids, ids[0], ids[len(ids)-1]); err != nil {
		return fmt.Errorf("writing a past: %w", err)
	}
	for at, counts := range minutes {
		if err := addCountAt(ctx, tx, company, connection, campaign, *counts, &at); err != nil {
			return err
		}
	}
	return nil
}

// live takes a queued row through its past and counts its changes by the minute.
func (r *ForUpdateRow) live(past Past, minutes map[time.Time]*Counts) {
	r.Content = &past.Content
	r.State = int16(Sending)
	before := Queued
	for _, e := range past.Events {
		r.apply(e)
		minute := e.At.Truncate(time.Minute)
		if minutes[minute] == nil {
			minutes[minute] = &Counts{}
		}
		minutes[minute].add(before, -1)
		before = State(r.State)
		minutes[minute].add(before, 1)
	}
}
