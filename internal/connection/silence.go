package connection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
)

// What is usual is learned from the connection's own last events: four times the pause that 19 of 20 are shorter than,
// within these bounds. Fewer messages than mostUnanswered tell nothing: their people may all be offline.
const (
	listenEvery    = time.Minute
	heardFor       = 8 * 24 * time.Hour // as long as raw events are kept
	shortestUsual  = 10 * time.Minute
	longestUsual   = 6 * time.Hour
	unknownUsual   = 30 * time.Minute // of a connection with few events
	fewestPauses   = 20
	mostPauses     = 500
	mostUnanswered = 20
)

// usual is how long a connection may be silent while it sends, by the instants of its last events, the newest first.
func usual(heard []time.Time) time.Duration {
	if len(heard) <= fewestPauses {
		return unknownUsual
	}
	pauses := make([]time.Duration, len(heard)-1)
	for i := range pauses {
		pauses[i] = heard[i].Sub(heard[i+1])
	}
	slices.Sort(pauses)
	return min(max(4*pauses[len(pauses)*19/20], shortestUsual), longestUsual)
}

// silent tells whether a connection that was last heard at an instant is silent for longer than usual, although the provider
// has accepted that many messages since.
func silent(last time.Time, heard []time.Time, sent int, now time.Time) bool {
	return sent >= mostUnanswered && now.Sub(last) > usual(heard)
}

// KeepListening looks every minute for connections that send and are not heard from any more, until ctx ends. Any number
// of processes may do it at once.
func KeepListening(ctx context.Context, db *postgres.DB) {
	ticker := time.NewTicker(listenEvery)
	defer ticker.Stop()
	for {
		if err := Listen(ctx, db, time.Now()); err != nil && ctx.Err() == nil {
			slog.Warn("connections could not be listened for; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Listen notes which connections of all companies are silent now, and which are heard from again. People hear of silence.
func Listen(ctx context.Context, db *postgres.DB, now time.Time) error {
	var companies []id.ID
	err := db.InSystem(ctx, func(tx postgres.Tx) (err error) {
		companies, err = New(tx).companiesWithRoutes(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("listing companies with webhooks: %w", err)
	}
	var failures []error
	for _, company := range companies {
		failures = append(failures, db.InCompany(ctx, company, func(tx postgres.Tx) error { return listen(ctx, tx, company, now) }))
	}
	return errors.Join(failures...)
}

func listen(ctx context.Context, tx postgres.Tx, company id.ID, now time.Time) error {
	q, since := New(tx), now.Add(-heardFor)
	rows, err := q.lastHeard(ctx, id.Floor(since), company)
	if err != nil {
		return fmt.Errorf("reading when connections were heard: %w", err)
	}
	for _, row := range rows {
		last := since
		if row.Heard != id.Nil {
			last = id.Time(row.Heard)
		}
		var quietFrom *time.Time
		if row.Heard == id.Nil {
			if last, err = q.lastArrived(ctx, since, company, row.ID); err != nil {
				return fmt.Errorf("reading when something came back: %w", err)
			}
		}
		if now.Sub(last) > shortestUsual {
			if quietFrom, err = quiet(ctx, q, company, row.ID, last, now); err != nil {
				return err
			}
		}
		if (quietFrom == nil) == (row.SilentSince == nil) {
			continue
		}
		n, err := q.setSilent(ctx, quietFrom, company, row.ID)
		if err != nil {
			return fmt.Errorf("noting that a connection is silent: %w", err)
		}
		if n == 0 || quietFrom == nil {
			continue
		}
		if err := notice.Add(ctx, tx, company, notice.ConnectionSilent, notice.Connection(row.ID), 1, now); err != nil {
			return err
		}
	}
	return nil
}

// quiet returns since when a connection is silent; nil when it is not.
func quiet(ctx context.Context, q *Queries, company, connection id.ID, last, now time.Time) (*time.Time, error) {
	sent, err := q.sentSince(ctx, last, company, connection)
	if err != nil {
		return nil, fmt.Errorf("counting what was sent to a silent provider: %w", err)
	}
	if sent.Sent < mostUnanswered {
		return nil, nil
	}
	ids, err := q.heardLately(ctx, company, connection, id.Floor(now.Add(-heardFor)), mostPauses)
	if err != nil {
		return nil, fmt.Errorf("reading how often a connection is heard: %w", err)
	}
	heard := make([]time.Time, len(ids))
	for i, event := range ids {
		heard[i] = id.Time(event)
	}
	if len(heard) == 0 {
		last = sent.First // never heard of: since it began to send
	}
	if !silent(last, heard, int(sent.Sent), now) {
		return nil, nil
	}
	return &last, nil
}
