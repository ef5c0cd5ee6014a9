package send

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

func hoursOf(ctx context.Context, q *Queries, company id.ID) (pace.Hours, error) {
	row, err := q.Hours(ctx, company)
	if err != nil {
		return pace.Hours{}, fmt.Errorf("reading the company's sending window: %w", err)
	}
	return row.hours()
}

func (r HoursRow) hours() (pace.Hours, error) {
	return pace.NewHours(r.Zone, r.WindowFrom, r.WindowUntil)
}

var urgentLanes = []int16{int16(LaneReply), int16(LaneUrgent)}

// sourcesOf lists what campaigns have queued on a connection, whether its window is open or not.
func sourcesOf(ctx context.Context, q *Queries, company, connection id.ID, hours pace.Hours, now time.Time) ([]source, error) {
	rows, err := q.Sources(ctx, company, connection, now)
	if err != nil {
		return nil, fmt.Errorf("looking for queued messages: %w", err)
	}
	sources := make([]source, len(rows))
	for i, r := range rows {
		schedule, err := hours.Campaign(r.Zones)
		if err != nil {
			return nil, err
		}
		sources[i] = source{campaign: r.CampaignID, zoneSet: r.ZoneSetID, since: *r.FrozenAt, needsWindow: r.NeedsWindow, schedule: schedule}
	}
	return sources, nil
}

// openLanes is a source without its oldest message: the lanes outside campaigns that a run may claim from now, and
// until when. No lanes: there are none.
func openLanes(hours pace.Hours, urgent bool, now time.Time) source {
	if urgent {
		return source{lanes: urgentLanes, schedule: pace.Schedule{Window: pace.WholeDay}}
	}
	open := source{schedule: pace.Schedule{Window: pace.WholeDay, Zones: []*time.Location{hours.Zone}}}
	for _, lane := range []Lane{LaneAutomation, LaneQueue} {
		if own := pace.ScheduleOf(pace.Lane(lane), hours.Window, nil, hours.Zone); own.Open(now) {
			open.lanes = append(open.lanes, int16(lane))
			open.schedule.Window = open.schedule.Window.And(own.Window)
		}
	}
	return open
}

// singlesOf completes a source by the oldest message that is queued in its lanes; nil: there is none.
func singlesOf(ctx context.Context, q *Queries, company, connection id.ID, open source, now time.Time) (*source, error) {
	if len(open.lanes) == 0 {
		return nil, nil
	}
	oldest, err := q.Singles(ctx, open.lanes, company, connection, now)
	if err != nil {
		return nil, fmt.Errorf("looking for queued messages: %w", err)
	}
	return open.from(oldest), nil
}

// from completes the source by the oldest message of each lane; nil: there is none.
func (s source) from(oldest []id.ID) *source {
	if len(oldest) == 0 {
		return nil
	}
	s.since = id.Time(slices.MinFunc(oldest, func(a, b id.ID) int { return bytes.Compare(a[:], b[:]) }))
	return &s
}

// campaignWaits tells when each campaign may go on, and why not before.
func campaignWaits(sources []source, limits pacing, zone *time.Location, now time.Time) map[id.ID]pace.Verdict {
	waits := map[id.ID]pace.Verdict{}
	for _, s := range sources {
		room := limits.lane(pace.Campaign, zone, now)
		if s.counted {
			room = limits.limits.Reach(limits.used, pace.Campaign, zone, now)
		}
		waits[s.campaign] = waits[s.campaign].Sooner(room.Within(s.schedule, pace.Campaign))
	}
	return waits
}

// lanesWait is the same of messages outside campaigns in some lanes; the zero verdict when none are queued.
func lanesWait(ctx context.Context, q *Queries, company, connection id.ID, hours pace.Hours, limits pacing, now time.Time, lanes ...Lane) (wait pace.Verdict, err error) {
	for _, lane := range lanes {
		queued, err := singlesOf(ctx, q, company, connection, source{lanes: []int16{int16(lane)}}, now)
		if err != nil {
			return wait, err
		}
		if queued != nil {
			schedule := pace.ScheduleOf(pace.Lane(lane), hours.Window, nil, hours.Zone)
			verdict, err := limits.laneVerdict(ctx, q, company, connection, lane, hours.Zone, now)
			if err != nil {
				return wait, err
			}
			wait = wait.Sooner(verdict.Within(schedule, pace.Lane(lane)))
		}
	}
	return wait, nil
}

// late tells whether the recipient's window has closed since the claim.
func (c Claim) late(now time.Time) bool { return !c.until.IsZero() && !now.Before(c.until) }

// QueuedIn counts a campaign's queued messages in some of its zone sets.
func QueuedIn(ctx context.Context, tx postgres.Tx, company, connection, campaign id.ID, zoneSets []int32) (int, error) {
	n, err := New(tx).QueuedIn(ctx, company, connection, &campaign, zoneSets)
	if err != nil {
		return 0, fmt.Errorf("counting queued messages: %w", err)
	}
	return int(n), nil
}

// HoursChanged makes everything that waits for a company's sending window look again. Call it in the transaction that
// changes the window or the company's zone, and hint the relay after it.
func HoursChanged(ctx context.Context, tx postgres.Tx, company id.ID) error {
	rows, err := New(tx).RunningCampaigns(ctx, company)
	if err != nil {
		return fmt.Errorf("reading which campaigns run: %w", err)
	}
	connections := map[id.ID]bool{}
	for _, row := range rows {
		if err := wake.Append(ctx, tx, company, flow.Campaign(row.ID), false); err != nil {
			return err
		}
		connections[row.ConnectionID] = true
	}
	for connection := range connections {
		if err := wake.Append(ctx, tx, company, flow.Sender(connection), false); err != nil {
			return err
		}
	}
	return nil
}
