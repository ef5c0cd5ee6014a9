package send

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
)

// Bounds of the roll-up.
const (
	rollEvery    = 5 * time.Second
	mergeEvery   = time.Hour
	minutesFor   = 48 * time.Hour // how long a campaign's traffic is kept by the minute
	mostPerRoll  = 20_000         // changes in one transaction
	mostPerMerge = 5_000
)

// CountReplies counts messages that contacts wrote to a connection, as of an instant.
func CountReplies(ctx context.Context, tx postgres.Tx, company, connection id.ID, n int, at time.Time) error {
	err := New(tx).InsertCount(ctx, InsertCountParams{CompanyID: company, ConnectionID: connection, Replies: int32(n), At: &at})
	if err != nil {
		return fmt.Errorf("counting replies: %w", err)
	}
	return nil
}

// KeepRolledUp carries changes of counts on into their sums until ctx ends. Any number of processes may do it at
// once: who comes second finds nothing left to carry.
func KeepRolledUp(ctx context.Context, db *postgres.DB) {
	ticker := time.NewTicker(rollEvery)
	defer ticker.Stop()
	for merged := time.Now(); ; {
		if err := RollUp(ctx, db); err != nil && ctx.Err() == nil {
			slog.Warn("counts could not be rolled up; trying again", "error", err)
		}
		if time.Since(merged) > mergeEvery {
			merged = time.Now()
			if err := MergeMinutes(ctx, db, merged); err != nil && ctx.Err() == nil {
				slog.Warn("minutes could not be merged into hours; trying again later", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// RollUp carries every company's changes on. What fails for one company does not keep the others waiting.
func RollUp(ctx context.Context, db *postgres.DB) error {
	companies, err := listCompanies(ctx, db, (*Queries).CompaniesWithChanges)
	if err != nil {
		return err
	}
	var failures []error
	for _, company := range companies {
		failures = append(failures, inPortions(ctx, db, company, mostPerRoll, func(tx postgres.Tx) (int, error) {
			return carry(ctx, tx, company, time.Now())
		}))
	}
	return errors.Join(failures...)
}

// carry carries a portion of a company's changes on. It sees what became uncertain and was not settled within the same
// few seconds, and tells people of that.
func carry(ctx context.Context, tx postgres.Tx, company id.ID, now time.Time) (changes int, err error) {
	parts, err := New(tx).RollUp(ctx, company, mostPerRoll)
	for _, part := range parts {
		changes += int(part.Changes)
		if part.Uncertain <= 0 {
			continue
		}
		about := notice.Connection(part.ConnectionID)
		if part.CampaignID != nil {
			about = notice.Campaign(*part.CampaignID)
		}
		if err := notice.Add(ctx, tx, company, notice.MessagesUncertain, about, int(part.Uncertain), now); err != nil {
			return 0, err
		}
	}
	return changes, err
}

// MergeMinutes makes hours of the minutes of campaigns that are older than two days.
func MergeMinutes(ctx context.Context, db *postgres.DB, now time.Time) error {
	companies, err := listCompanies(ctx, db, (*Queries).AllCompanies)
	if err != nil {
		return err
	}
	before := now.Add(-minutesFor).Truncate(time.Hour)
	var failures []error
	for _, company := range companies {
		failures = append(failures, inPortions(ctx, db, company, mostPerMerge, func(tx postgres.Tx) (int, error) {
			n, err := New(tx).MergeMinutes(ctx, company, before, mostPerMerge)
			return int(n), err
		}))
	}
	return errors.Join(failures...)
}

func listCompanies(ctx context.Context, db *postgres.DB, list func(*Queries, context.Context) ([]id.ID, error)) (companies []id.ID, err error) {
	err = db.InSystem(ctx, func(tx postgres.Tx) error {
		companies, err = list(New(tx), ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing companies to roll up: %w", err)
	}
	return companies, nil
}

// inPortions repeats a bounded piece of work, each in its own transaction, until one was not full.
func inPortions(ctx context.Context, db *postgres.DB, company id.ID, full int, do func(postgres.Tx) (int, error)) error {
	for done := full; done >= full; {
		err := db.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
			done, err = do(tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("rolling up company %s: %w", company, err)
		}
	}
	return nil
}
