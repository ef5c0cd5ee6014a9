package campaign

import (
	"context"
	"fmt"

	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
)

// LeftOf is what a forecast has to know of a campaign's plan: what is still to be sent, by zone set, and the company's
// window. queued is how many of its messages are queued; those of several zone sets count in equal parts.
func LeftOf(ctx context.Context, tx postgres.Tx, company, campaign id.ID, queued int) (plan pace.Plan, err error) {
	hours, err := HoursOf(ctx, tx, company)
	if err != nil {
		return plan, err
	}
	zones, err := New(tx).ZonesOf(ctx, company, campaign)
	if err != nil {
		return plan, fmt.Errorf("reading the zones of the plan: %w", err)
	}
	waiting := 0
	for _, z := range zones {
		if z.Queued {
			waiting++
		}
	}
	plan.Window, plan.Company = hours.Window, hours.Zone
	for _, z := range zones {
		schedule, err := hours.Campaign(z.Zones)
		if err != nil {
			return plan, err
		}
		left := int(z.Unfed)
		if z.Queued {
			share := queued / waiting
			left, queued, waiting = left+share, queued-share, waiting-1
		}
		if left > 0 {
			plan.Groups = append(plan.Groups, pace.Group{Zones: schedule.Zones, Left: left})
		}
	}
	return plan, nil
}
