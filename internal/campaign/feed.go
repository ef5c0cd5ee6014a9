package campaign

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
)

// feedAhead is how long before a window opens its recipients are fed, so that the sender begins at once.
const feedAhead = 10 * time.Minute

// HoursOf reads when a company's campaigns may be sent.
func HoursOf(ctx context.Context, tx postgres.Tx, company id.ID) (pace.Hours, error) {
	row, err := New(tx).Hours(ctx, company)
	if err != nil {
		return pace.Hours{}, fmt.Errorf("reading the company's sending window: %w", err)
	}
	return pace.NewHours(row.Zone, row.WindowFrom, row.WindowUntil)
}

// firstHours tells from counts per zone set when the first message may go at or after start, and for how many it is
// later than that.
func firstHours(hours pace.Hours, zones map[string]int, start time.Time) (first time.Time, asleep int, err error) {
	at := map[string]time.Time{}
	for set := range zones {
		schedule, err := hours.Campaign(set)
		if err != nil {
			return first, 0, err
		}
		opens, ever := schedule.Next(start)
		if ever && (first.IsZero() || opens.Before(first)) {
			first = opens
		}
		at[set] = opens // zero: never
	}
	for set, n := range zones {
		if !at[set].Equal(first) {
			asleep += n
		}
	}
	return first, asleep, nil
}

func laterOf(now time.Time, start *time.Time) time.Time {
	if start != nil && start.After(now) {
		return *start
	}
	return now
}

// Clocks are what the clocks of a campaign's recipients let it do.
type Clocks struct {
	Unfed     bool    // recipients are not in the ledger yet
	Feedable  bool    // some of them may be fed now
	OpenUnfed bool    // some of them may be sent to now
	Sendable  bool    // somebody may be sent to now: queued, or still to be fed
	Shut      []int32 // zone sets with queued messages that may not go now
	Wait      pace.Verdict
	LookAt    time.Time // when the next window opens, or its recipients may be fed; zero: none does
}

// ClocksOf looks at the clocks of all recipients that are queued or not fed yet.
func ClocksOf(ctx context.Context, tx postgres.Tx, company, campaign id.ID, now time.Time) (c Clocks, err error) {
	hours, err := HoursOf(ctx, tx, company)
	if err != nil {
		return c, err
	}
	zones, err := New(tx).ZonesOf(ctx, company, campaign)
	if err != nil {
		return c, fmt.Errorf("reading the zones of the plan: %w", err)
	}
	for _, z := range zones {
		if z.Unfed == 0 && !z.Queued {
			continue
		}
		schedule, err := hours.Campaign(z.Zones)
		if err != nil {
			return c, err
		}
		c.add(z, schedule.Verdict(pace.Campaign, now), now)
	}
	return c, nil
}

func (c *Clocks) add(z ZonesOfRow, v pace.Verdict, now time.Time) {
	c.Unfed = c.Unfed || z.Unfed > 0
	if v.Room > 0 {
		c.Sendable = true
		c.OpenUnfed = c.OpenUnfed || z.Unfed > 0
		c.Feedable = c.Feedable || z.Unfed > 0
		return
	}
	if z.Queued {
		c.Shut = append(c.Shut, z.ZoneSetID)
	}
	look := v.At
	if !v.At.IsZero() && z.Unfed > 0 {
		if look = v.At.Add(-feedAhead); !look.After(now) {
			c.Feedable = true
			look = v.At
		}
	}
	c.Wait = c.Wait.Sooner(v)
	if !look.IsZero() && (c.LookAt.IsZero() || look.Before(c.LookAt)) {
		c.LookAt = look
	}
}

// Slice is a run of recipients of one zone set, by sequence: After < sequence <= Through.
type Slice struct {
	ZoneSet        int32
	After, Through int32
}

// TakeUnfed moves the feed cursors of a running campaign on by up to limit recipients and returns what to put
// into the ledger in the same transaction. Zone sets that are open share it; only when none has anybody left are those
// fed that open within ten minutes. It returns nothing when the campaign does not run or nobody may be fed now.
func TakeUnfed(ctx context.Context, tx postgres.Tx, company, campaign id.ID, limit int, now time.Time) (Campaign, []Slice, error) {
	q := New(tx)
	// Shared: feeding may run beside claims, but a pause or cancel comes before or after it, never between.
	row, err := q.LockShared(ctx, company, campaign)
	if err != nil {
		return Campaign{}, nil, readError("locking a campaign", err)
	}
	c, err := fromRecord(row, "")
	if err != nil || c.State != Running {
		return c, nil, err
	}
	zones, err := feedableZones(ctx, tx, company, campaign, now)
	if err != nil {
		return c, nil, err
	}
	unfed := func(zone UnfedZonesRow) int32 { return zone.Recipients - zone.FedThrough }
	// The smallest first: what it does not need of its share goes to the others.
	slices.SortFunc(zones, func(a, b UnfedZonesRow) int { return cmp.Compare(unfed(a), unfed(b)) })
	var taken []Slice
	for i, zone := range zones {
		left := len(zones) - i
		take := min(int32((limit+left-1)/left), unfed(zone))
		if take <= 0 {
			continue
		}
		through := zone.FedThrough + take
		if err := q.AdvanceZone(ctx, through, company, campaign, zone.ZoneSetID); err != nil {
			return c, nil, fmt.Errorf("moving the feed cursor: %w", err)
		}
		taken = append(taken, Slice{zone.ZoneSetID, zone.FedThrough, through})
		limit -= int(take)
	}
	return c, taken, nil
}

func feedableZones(ctx context.Context, tx postgres.Tx, company, campaign id.ID, now time.Time) ([]UnfedZonesRow, error) {
	hours, err := HoursOf(ctx, tx, company)
	if err != nil {
		return nil, err
	}
	zones, err := New(tx).UnfedZones(ctx, company, campaign)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	var open, soon []UnfedZonesRow
	for _, zone := range zones {
		schedule, err := hours.Campaign(zone.Zones)
		if err != nil {
			return nil, err
		}
		switch at, ever := schedule.Next(now); {
		case !ever:
		case at.Equal(now):
			open = append(open, zone)
		case at.Sub(now) <= feedAhead:
			soon = append(soon, zone)
		}
	}
	if len(open) > 0 {
		return open, nil
	}
	return soon, nil
}
