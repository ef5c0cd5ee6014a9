package platform

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

const stampEvery = 10 * time.Second

// Attend shows in the table of processes that this one is alive, until ctx ends. kind is serve or work.
func Attend(ctx context.Context, db *postgres.DB, kind, version string) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	me := id.New()
	ticker := time.NewTicker(stampEvery)
	defer ticker.Stop()
	for {
		err := db.InSystem(ctx, func(tx postgres.Tx) error { return New(tx).stamp(ctx, me, kind, host, version) })
		if err != nil && ctx.Err() == nil {
			slog.Warn("this process could not say that it is alive; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = db.InSystem(leaving, func(tx postgres.Tx) error { return New(tx).leave(leaving, me) }) // else it is forgotten in two minutes
			return
		case <-ticker.C:
		}
	}
}

// Processes returns those that were alive within two minutes.
func Processes(ctx context.Context, tx postgres.Tx) ([]Process, error) {
	rows, err := New(tx).processes(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	return rows, nil
}

// Schema returns the number of the newest migration that the database has.
func Schema(ctx context.Context, tx postgres.Tx) (version int64, err error) {
	if err := tx.QueryRow(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&version); err != nil {
		return 0, fmt.Errorf("asking for the schema's version: %w", err)
	}
	return version, nil
}

// Figures tell how a company is used.
type Figures struct {
	People, Connections int
	Sent                int64      // in the last 30 days
	LastSeen            *time.Time // when somebody last used it; nil: never
}

// FiguresOf counts for one company.
func FiguresOf(ctx context.Context, tx postgres.Tx, company id.ID, now time.Time) (Figures, error) {
	row, err := New(tx).figures(ctx, company, now.AddDate(0, 0, -30))
	if err != nil {
		return Figures{}, fmt.Errorf("counting for a company: %w", err)
	}
	f := Figures{People: int(row.People), Connections: int(row.Connections), Sent: row.Sent}
	if row.LastSeen.Unix() > 0 {
		f.LastSeen = &row.LastSeen
	}
	return f, nil
}
