package campaign

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
)

// Asleep are recipients of a campaign whose clocks let nothing go now, and who may be sent to from the same instant on.
type Asleep struct {
	Unfed    int     // of them, those that are not in the ledger yet
	ZoneSets []int32 // those with queued messages
	Zones    []*time.Location
	Wait     pace.Verdict
}

// Words say why they wait, and where they are.
func (a Asleep) Words() string {
	const named = 3
	var places []string
	for _, zone := range a.Zones {
		if place := pace.Place(zone); !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	where := strings.Join(places[:min(len(places), named)], ", ")
	if more := len(places) - named; more > 0 {
		where += fmt.Sprintf(" and %d more zones", more)
	}
	if a.Wait.At.IsZero() {
		return "The clocks of " + where + " are never all inside the sending window " + a.Wait.Reason.Window.String() + "."
	}
	return "It is " + a.Wait.Reason.String() + " in " + where + "."
}

// AsleepOf groups the recipients that are still to be sent to, and may not be now, by when they may: the first to wake
// come first, and those who never do last.
func AsleepOf(ctx context.Context, tx postgres.Tx, company, campaign id.ID, now time.Time) (groups []Asleep, awake bool, err error) {
	hours, err := HoursOf(ctx, tx, company)
	if err != nil {
		return nil, false, err
	}
	zones, err := New(tx).ZonesOf(ctx, company, campaign)
	if err != nil {
		return nil, false, fmt.Errorf("reading the zones of the plan: %w", err)
	}
	byInstant := map[time.Time]*Asleep{}
	for _, z := range zones {
		if z.Unfed == 0 && !z.Queued {
			continue
		}
		schedule, err := hours.Campaign(z.Zones)
		if err != nil {
			return nil, false, err
		}
		wait := schedule.Verdict(pace.Campaign, now)
		if wait.Room > 0 {
			awake = true
			continue
		}
		key := wait.At.UTC()
		if byInstant[key] == nil {
			wait.Reason.Window = hours.Window
			byInstant[key] = &Asleep{Wait: wait}
		}
		byInstant[key].add(z, schedule, wait)
	}
	for _, group := range byInstant {
		groups = append(groups, *group)
	}
	slices.SortFunc(groups, func(a, b Asleep) int {
		if a.Wait.At.IsZero() != b.Wait.At.IsZero() {
			return b.Wait.At.Compare(a.Wait.At)
		}
		return a.Wait.At.Compare(b.Wait.At)
	})
	return groups, awake, nil
}

func (a *Asleep) add(z ZonesOfRow, schedule pace.Schedule, wait pace.Verdict) {
	a.Unfed += int(z.Unfed)
	if z.Queued {
		a.ZoneSets = append(a.ZoneSets, z.ZoneSetID)
	}
	if wait.At.IsZero() {
		a.Zones = append(a.Zones, schedule.Zones...)
		return
	}
	a.Zones = append(a.Zones, wait.Reason.Zone)
}
