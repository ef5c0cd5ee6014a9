package server

import (
	"context"
	"errors"
	"time"

	"omnidesk/internal/campaign"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
	"omnidesk/internal/wait"
)

// briefWait is not worth a word: a page sits through it.
const briefWait = 2 * time.Second

// waitsOf tells what keeps messages of a campaign waiting, the widest reason first.
func waitsOf(ctx context.Context, tx postgres.Tx, company id.ID, c campaign.Campaign, n send.Counts, now time.Time) ([]Waiting, error) {
	due := c.State == campaign.Scheduled && c.StartsAt != nil && !c.StartsAt.After(now)
	if c.State != campaign.Starting && c.State != campaign.Running && !due {
		return nil, nil
	}
	standing, err := send.StandingOf(ctx, tx, company, c.Connection, now)
	if err != nil {
		return nil, err
	}
	var waits []Waiting
	if c.State != campaign.Running || !standing.Live { // a page that is live goes on to its end without either
		if waits, err = absences(ctx, tx); err != nil {
			return nil, err
		}
	}
	if c.State != campaign.Running {
		return waits, nil
	}
	waits = append(waits, standingWaits(standing)...)
	asleep, awake, err := campaign.AsleepOf(ctx, tx, company, c.ID, now)
	if err != nil {
		return nil, err
	}
	if awake && standing.Hold == nil {
		more, err := connectionWaits(ctx, tx, company, c, n, now)
		if err != nil {
			return nil, err
		}
		waits = append(waits, more...)
	}
	for _, group := range asleep {
		count := group.Unfed
		if len(group.ZoneSets) > 0 {
			queued, err := send.QueuedIn(ctx, tx, company, c.Connection, c.ID, group.ZoneSets)
			if err != nil {
				return nil, err
			}
			count += queued
		}
		if count > 0 {
			waits = append(waits, Waiting{Kind: "window", Words: group.Words(), Count: count, Until: utc(&group.Wait.At)})
		}
	}
	return waits, nil
}

// absences are the parts of the platform that are away.
func absences(ctx context.Context, tx postgres.Tx) (waits []Waiting, err error) {
	missing, err := wait.Missing(ctx, tx)
	for _, part := range []wait.Part{wait.Temporal, wait.Workers} {
		if _, away := missing[part]; away {
			waits = append(waits, Waiting{Kind: string(part), Words: part.Words()})
		}
	}
	return waits, err
}

func standingWaits(standing send.Standing) []Waiting {
	switch {
	case standing.Hold != nil && standing.Restored:
		return []Waiting{{Kind: "restore", Words: standing.Hold.Reason}}
	case standing.Hold != nil:
		return []Waiting{{Kind: "connection", Words: standing.Hold.Reason, Until: utc(standing.Hold.Until)}}
	case standing.Probing:
		return []Waiting{{Kind: "connection", Words: "The provider gave no clear answer of late: messages go one at a time until it does."}}
	}
	return nil
}

// connectionWaits are the limits that let nothing go now, and messages that wait for another try.
func connectionWaits(ctx context.Context, tx postgres.Tx, company id.ID, c campaign.Campaign, n send.Counts, now time.Time) ([]Waiting, error) {
	governor, err := send.GovernorOf(ctx, tx, company, c.Connection, now)
	if err != nil {
		return nil, err
	}
	room := governor.Limits.Reach
	if c.Content.Kind == campaign.KindText { // it goes to open windows alone, which no tier counts
		room = governor.Limits.Room
	}
	if v := room(governor.Used, pace.Campaign, governor.Zone, now); v.Room == 0 && v.At.Sub(now) > briefWait {
		return []Waiting{{Kind: "limits", Words: sentence(errors.New(v.Reason.String())), Until: utc(&v.At)}}, nil
	}
	if n.Queued == 0 {
		return nil, nil
	}
	waiting, next, err := send.Retrying(ctx, tx, company, c.Connection, c.ID, now)
	if err != nil || waiting == 0 || next.Sub(now) <= briefWait {
		return nil, err
	}
	return []Waiting{{Kind: "retry", Words: "The provider did not take them; they are tried again.", Count: waiting, Until: utc(&next)}}, nil
}
