package send

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Traffic is what became known in a span of time. Sent counts all that was accepted, Delivered all that arrived,
// so that Sent ≥ Delivered ≥ Read over the life of a message. One that fails after it was accepted takes its 1
// back at that instant, so a short span may be negative.
type Traffic struct {
	Sent, Delivered, Read, Failed, Uncertain int
	Replies                                  int // messages that contacts wrote
}

// Bucket is the traffic from an instant until the next bucket. Spans without any have no bucket.
type Bucket struct {
	At time.Time
	Traffic
}

// Bounds of the roll-up.
const (
	rollEvery    = 5 * time.Second
	mergeEvery   = time.Hour
	minutesFor   = 48 * time.Hour // how long a campaign's traffic is kept by the minute
	mostPerRoll  = 20_000         // changes in one transaction
	mostPerMerge = 5_000
)

// TrafficOf returns a company's traffic of from <= instant < to in buckets of a unit of date_trunc (hour, day,
// week, month) that begin and end in an IANA zone. It is current to the last commit.
func TrafficOf(ctx context.Context, tx postgres.Tx, company id.ID, from, to time.Time, unit, zone string) ([]Bucket, error) {
	rows, err := New(tx).Traffic(ctx, TrafficParams{CompanyID: company, FromAt: from, ToAt: to, Unit: unit, Zone: zone})
	if err != nil {
		return nil, fmt.Errorf("reading traffic: %w", err)
	}
	buckets := make([]Bucket, 0, len(rows))
	for _, r := range rows {
		buckets = append(buckets, Bucket{r.At, Traffic{int(r.Sent), int(r.Delivered), int(r.Read), int(r.Failed), int(r.Uncertain), int(r.Replies)}})
	}
	return buckets, nil
}

// CampaignTraffic returns a campaign's traffic in buckets of step, a minute at least; what is older than two
// days is known by the hour only. Replies are not known per campaign. It is current to the last commit.
func CampaignTraffic(ctx context.Context, tx postgres.Tx, company, campaign id.ID, step time.Duration) ([]Bucket, error) {
	rows, err := New(tx).CampaignTraffic(ctx, max(step, time.Minute).Seconds(), company, campaign)
	if err != nil {
		return nil, fmt.Errorf("reading a campaign's traffic: %w", err)
	}
	buckets := make([]Bucket, 0, len(rows))
	for _, r := range rows {
		buckets = append(buckets, Bucket{r.At, Traffic{Sent: int(r.Sent), Delivered: int(r.Delivered), Read: int(r.Read),
			Failed: int(r.Failed), Uncertain: int(r.Uncertain)}})
	}
	return buckets, nil
}

// CountReplies counts messages that contacts wrote to a connection.
func CountReplies(ctx context.Context, tx postgres.Tx, company, connection id.ID, n int) error {
	err := New(tx).InsertCount(ctx, InsertCountParams{CompanyID: company, ConnectionID: connection, Replies: int32(n)})
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
			n, err := New(tx).RollUp(ctx, company, mostPerRoll)
			return int(n), err
		}))
	}
	return errors.Join(failures...)
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
