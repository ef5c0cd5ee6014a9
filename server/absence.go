package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"omnidesk/internal/flow"
	"omnidesk/internal/postgres"
	"omnidesk/internal/restore"
	"omnidesk/internal/wait"
)

const (
	watchEvery = 3 * time.Second
	// missedLooks at Temporal in a row make an absence: one may be slow on a busy machine.
	missedLooks = 2
	// workerSilent is when a worker that stamps the database every 10 s counts as gone, and how long nobody may ask Temporal for
	// work: after its restart it knows of nobody for a moment.
	workerSilent = 25 * time.Second
)

// watch notes from when to when Temporal, or every worker, was away, so that each wait can say why. Each server watches;
// they write the same.
type watch struct {
	*Server
	missed int
	first  time.Time // of the missed looks
	idle   time.Time // since then Temporal knows of nobody who asks for work; zero: somebody does
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
	w.askForWorkers(asking)
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
		if err := w.noteWorkers(writing, tx, seen, ago); err != nil {
			return err
		}
		return w.note(writing, tx, wait.Temporal, w.missed >= missedLooks, w.first)
	})
}

// askForWorkers remembers since when nobody asks for work. A worker may stamp the database and not reach Temporal.
func (w *watch) askForWorkers(ctx context.Context) {
	switch idle := errors.Is(within(ctx, w.Workflows.WorkerSeen), flow.ErrNoWorker); {
	case !idle:
		w.idle = time.Time{}
	case w.idle.IsZero():
		w.idle = w.now()
	}
}

func (w *watch) noteWorkers(ctx context.Context, tx postgres.Tx, seen bool, ago time.Duration) error {
	now := w.now()
	switch {
	case !seen || ago > workerSilent:
		return w.note(ctx, tx, wait.Workers, true, now.Add(-ago))
	case !w.idle.IsZero() && now.Sub(w.idle) > workerSilent:
		return w.note(ctx, tx, wait.Workers, true, w.idle)
	}
	return w.note(ctx, tx, wait.Workers, false, now)
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
