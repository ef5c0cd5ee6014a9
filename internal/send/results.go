package send

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Failure counts a campaign's failed messages of one provider's code; 0 means that the provider gave none.
type Failure struct {
	Code, Count int
}

// compactAbove is how many delta rows a campaign's failures may have before a reader sums them.
const compactAbove = 400

// FailuresOf returns a campaign's failures by code, the most frequent first.
func FailuresOf(ctx context.Context, tx postgres.Tx, company, campaign id.ID) ([]Failure, error) {
	rows, err := New(tx).Failures(ctx, company, campaign)
	if err != nil {
		return nil, fmt.Errorf("counting failures: %w", err)
	}
	var deltas int32
	failures := make([]Failure, 0, len(rows))
	for _, r := range rows {
		deltas += r.Deltas
		if r.Count > 0 {
			failures = append(failures, Failure{int(r.ErrorCode), int(r.Count)})
		}
	}
	if deltas > compactAbove {
		if err := New(tx).CompactFailures(ctx, company, campaign); err != nil {
			return nil, fmt.Errorf("compacting failures: %w", err)
		}
	}
	return failures, nil
}

// ListFailed returns up to limit failed messages of one code (0: none given) after an id, as ListCampaign does.
func ListFailed(ctx context.Context, tx postgres.Tx, company, campaign, after id.ID, code, limit int) ([]ListCampaignRow, error) {
	rows, err := New(tx).ListFailed(ctx, ListFailedParams{CompanyID: company, CampaignID: &campaign, ErrorCode: int32(code), AfterID: after, RowLimit: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("listing failed messages: %w", err)
	}
	list := make([]ListCampaignRow, len(rows))
	for i, r := range rows {
		list[i] = ListCampaignRow(r)
	}
	return list, nil
}

// ListByPhone returns a campaign's messages to one number, E.164 with its plus sign, as ListCampaign does.
func ListByPhone(ctx context.Context, tx postgres.Tx, company, campaign, after id.ID, phone string, states []State, limit int) ([]ListCampaignRow, error) {
	rows, err := New(tx).ListByPhone(ctx, ListByPhoneParams{CompanyID: company, CampaignID: &campaign, AfterID: after, Phone: phone,
		States: numbersOf(states), RowLimit: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("listing messages to a number: %w", err)
	}
	list := make([]ListCampaignRow, len(rows))
	for i, r := range rows {
		list[i] = ListCampaignRow(r)
	}
	return list, nil
}

// connectionLook is how many of a company's messages a page of one connection looks at.
const connectionLook = 2_000

// ListConnection returns up to limit messages that were sent on a connection before an id, the newest first. next is the
// before of the page that follows, nil on the last one; a page may be short, even empty, when another follows.
func ListConnection(ctx context.Context, tx postgres.Tx, company, connection, before id.ID, limit int) (list []ListCampaignRow, next *id.ID, err error) {
	q := New(tx)
	rows, err := q.ListConnection(ctx, ListConnectionParams{CompanyID: company, ConnectionID: connection, Before: before, LookedAt: connectionLook, RowLimit: int32(limit + 1)})
	if err != nil {
		return nil, nil, fmt.Errorf("listing messages of a connection: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = &rows[limit-1].ID
	} else if last, err := q.lastLookedAt(ctx, company, before, connectionLook); err == nil {
		next = &last
	} else if !errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, fmt.Errorf("looking for more messages of a connection: %w", err)
	}
	list = make([]ListCampaignRow, len(rows))
	for i, r := range rows {
		list[i] = ListCampaignRow(r)
	}
	return list, next, nil
}

// Course is a campaign's traffic over time, in buckets of one length without a gap.
type Course struct {
	Length  time.Duration
	Buckets []Bucket
}

// The lengths of buckets: the shortest is taken that makes no more than mostBuckets.
const mostBuckets = 96

var lengths = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}

// CourseOf returns a campaign's course from its first traffic to its last. Traffic older than two days is known to the
// hour, so a longer course has buckets of an hour or more.
func CourseOf(ctx context.Context, tx postgres.Tx, company, campaign id.ID) (Course, error) {
	minutes, err := CampaignTraffic(ctx, tx, company, campaign, time.Minute)
	if err != nil {
		return Course{}, err
	}
	minutes = slices.DeleteFunc(minutes, func(b Bucket) bool { return b.Traffic == Traffic{} })
	if len(minutes) == 0 {
		return Course{Length: lengths[0]}, nil
	}
	first, last := minutes[0].At.UTC(), minutes[len(minutes)-1].At.UTC()
	c := Course{Length: lengthFor(first, last)}
	for at := first.Truncate(c.Length); !at.After(last); at = at.Add(c.Length) {
		c.Buckets = append(c.Buckets, Bucket{At: at})
	}
	for _, m := range minutes {
		b := &c.Buckets[m.At.Sub(c.Buckets[0].At)/c.Length]
		b.Sent, b.Delivered, b.Read, b.Failed, b.Uncertain = b.Sent+m.Sent, b.Delivered+m.Delivered, b.Read+m.Read, b.Failed+m.Failed, b.Uncertain+m.Uncertain
	}
	return c, nil
}

func lengthFor(first, last time.Time) time.Duration {
	for _, length := range lengths[:len(lengths)-1] {
		if n := last.Sub(first.Truncate(length))/length + 1; n <= mostBuckets && (length >= time.Hour || last.Sub(first) < 48*time.Hour) {
			return length
		}
	}
	return lengths[len(lengths)-1]
}

// countFailures keeps the changes of failures by campaign and code.
func countFailures(ctx context.Context, tx postgres.Tx, company id.ID, changes map[failureKey]int) error {
	var campaigns []id.ID
	var codes, counts []int32
	for key, n := range changes {
		if n != 0 && key.campaign != id.Nil {
			campaigns, codes, counts = append(campaigns, key.campaign), append(codes, key.code), append(counts, int32(n))
		}
	}
	if len(campaigns) == 0 {
		return nil
	}
	if err := New(tx).AddFailures(ctx, company, campaigns, codes, counts); err != nil {
		return fmt.Errorf("counting failures: %w", err)
	}
	return nil
}
