package platform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// Errors of Drain and Resume.
var (
	ErrDrained    = errors.New("the installation is drained already")
	ErrNotDrained = errors.New("the installation is not drained")
)

// Drained tells since when nothing is claimed anywhere, and who said so.
type Drained struct {
	At time.Time
	By string // empty when the reader may not see whom
}

// DrainOf returns the drain that lasts, or nil, under either role.
func DrainOf(ctx context.Context, tx postgres.Tx) (*Drained, error) {
	row, err := New(tx).openDrain(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking whether the installation is drained: %w", err)
	}
	return &Drained{row.BeganAt, row.ByName}, nil
}

// Drain lets nothing be claimed anywhere once it is committed, until Resume, under the system role. What is on the wire
// comes to its end. It survives every restart.
func Drain(ctx context.Context, tx postgres.Tx, by id.ID) error {
	n, err := New(tx).drain(ctx, by)
	if err != nil {
		return fmt.Errorf("draining: %w", err)
	}
	if n == 0 {
		return ErrDrained
	}
	return nil
}

// Resume lets claims go on and wakes every sender, under the system role. Hint the relay after the commit.
func Resume(ctx context.Context, tx postgres.Tx, by id.ID) error {
	n, err := New(tx).resume(ctx, by)
	if err != nil {
		return fmt.Errorf("resuming: %w", err)
	}
	if n == 0 {
		return ErrNotDrained
	}
	return wake.AppendSenders(ctx, tx)
}

// Flight is what a connection has on the wire or not recorded yet.
type Flight struct {
	Company, Connection id.ID
	Name                string // of the connection
	Messages            int
	Oldest              time.Time // claim
}

// lately is longer than any claim lasts.
const lately = time.Hour

// Flights counts what is in flight in all companies.
func Flights(ctx context.Context, db *postgres.DB, now time.Time) (flights []Flight, err error) {
	var busy []id.ID
	err = db.InSystem(ctx, func(tx postgres.Tx) error {
		busy, err = New(tx).busyCompanies(ctx, now.Add(-lately))
		return err
	})
	for _, company := range busy {
		if err != nil {
			break
		}
		err = db.InCompany(ctx, company, func(tx postgres.Tx) error {
			rows, err := New(tx).inFlight(ctx, company)
			for _, r := range rows {
				flights = append(flights, Flight{company, r.ConnectionID, r.Name, int(r.Messages), r.Oldest})
			}
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("counting what is in flight: %w", err)
	}
	return flights, nil
}
