package server

import (
	"context"
	"log/slog"
	"time"

	"omnidesk/internal/postgres"
	"omnidesk/internal/restore"
	"omnidesk/internal/wait"
)

const (
	watchEvery = 3 * time.Second
	// missedLooks at Temporal in a row make an absence: one may be slow on a busy machine.
	missedLooks = 2
	// workerSilent is when a worker that stamps the database every 10 s counts as gone.
	workerSilent = 25 * time.Second
)

// watch notes from when to when Temporal, or every worker, was away, so that each wait can say why. Each server watches;
// they write the same.
type watch struct {
	*Server
	missed int
	first  time.Time // of the missed looks
}

func (w *watch) run(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			slog.Debug("what is away could not be noted", "error", err)
		}
	}
}

func (w *watch) look(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, watchEvery)
	defer cancel()
	if within(asking, w.Workflows.Healthy) == nil {
		w.missed = 0
	} else if w.missed++; w.missed == 1 {
		w.first = w.now()
	}
	writing, cancel := context.WithTimeout(ctx, watchEvery)
	defer cancel()
	return w.DB.InSystem(writing, func(tx postgres.Tx) error {
		ago, seen, err := restore.LastSeen(writing, tx)
		if err != nil {
			return err
		}
		if !seen {
			ago = 0
		}
		if err := w.note(writing, tx, wait.Workers, !seen || ago > workerSilent, w.now().Add(-ago)); err != nil {
			return err
		}
		return w.note(writing, tx, wait.Temporal, w.missed >= missedLooks, w.first)
	})
}

func (w *watch) note(ctx context.Context, tx postgres.Tx, part wait.Part, away bool, since time.Time) error {
	if away {
		return wait.Away(ctx, tx, part, since)
	}
	was, err := wait.Back(ctx, tx, part, w.now())
	if was && err == nil {
		slog.Info("a part that was away is back", "part", string(part))
	}
	return err
}
