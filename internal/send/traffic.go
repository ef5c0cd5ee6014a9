package send

import (
	"context"
	"fmt"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Traffic is what became known in a span of time. Sent counts all that was accepted, Delivered all that arrived,
// so that Sent ≥ Delivered ≥ Read over the life of a message. One that fails after it was accepted takes its 1
// back at that instant, so a short span may be negative.
type Traffic struct {
	Sent, Delivered, Read, Failed, Uncertain int
	Replies                                  int // messages that contacts wrote; of a campaign: recipients who replied (see NoteReplies)
}

// Bucket is the traffic from an instant until the next bucket. Spans without any have no bucket.
type Bucket struct {
	At time.Time
	Traffic
}

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
// days is known by the hour only, and replies are left out. It is current to the last commit.
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

// Share is the part of the traffic that one campaign or one connection has.
type Share struct {
	ID   id.ID
	Name string
	Traffic
}

// TrafficByCampaign returns the busiest campaigns of from <= instant < to. Older than two days it is exact to the
// hour.
func TrafficByCampaign(ctx context.Context, tx postgres.Tx, company id.ID, from, to time.Time, limit int) ([]Share, error) {
	rows, err := New(tx).TrafficByCampaign(ctx, company, from, to, int32(limit))
	if err != nil {
		return nil, fmt.Errorf("reading traffic by campaign: %w", err)
	}
	shares := make([]Share, 0, len(rows))
	for _, r := range rows {
		shares = append(shares, Share{r.CampaignID, r.Name, Traffic{Sent: int(r.Sent), Delivered: int(r.Delivered), Read: int(r.Read),
			Failed: int(r.Failed), Uncertain: int(r.Uncertain), Replies: int(r.Replied)}})
	}
	return shares, nil
}

// TrafficByConnection returns the busiest connections of from <= instant < to.
func TrafficByConnection(ctx context.Context, tx postgres.Tx, company id.ID, from, to time.Time, limit int) ([]Share, error) {
	rows, err := New(tx).TrafficByConnection(ctx, company, from, to, int32(limit))
	if err != nil {
		return nil, fmt.Errorf("reading traffic by connection: %w", err)
	}
	shares := make([]Share, 0, len(rows))
	for _, r := range rows {
		shares = append(shares, Share{r.ConnectionID, r.Name, Traffic{int(r.Sent), int(r.Delivered), int(r.Read), int(r.Failed), int(r.Uncertain), int(r.Replies)}})
	}
	return shares, nil
}

// LastSent returns when each connection last sent, to the quarter of an hour; those that have not since are missing.
func LastSent(ctx context.Context, tx postgres.Tx, company id.ID, since time.Time) (map[id.ID]time.Time, error) {
	rows, err := New(tx).LastSent(ctx, company, since)
	if err != nil {
		return nil, fmt.Errorf("looking for the last sends: %w", err)
	}
	last := make(map[id.ID]time.Time, len(rows))
	for _, r := range rows {
		last[r.ConnectionID] = r.At
	}
	return last, nil
}

// Hold says until when a connection claims nothing, and why.
type Hold struct {
	Until  *time.Time // nil: until a person ends it
	Reason string
}

// HoldsOf returns the holds of a company's connections as of now.
func HoldsOf(ctx context.Context, tx postgres.Tx, company id.ID, now time.Time) (map[id.ID]Hold, error) {
	rows, err := New(tx).Holds(ctx, company, now)
	if err != nil {
		return nil, fmt.Errorf("looking for held connections: %w", err)
	}
	holds := make(map[id.ID]Hold, len(rows))
	for _, r := range rows {
		hold := Hold{r.HeldUntil, deref(r.HeldReason)}
		if endless(r.HeldUntil) {
			hold.Until = nil
		}
		holds[r.ConnectionID] = hold
	}
	return holds, nil
}
