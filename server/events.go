package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"omnidesk/internal/audit"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/secret"
	"omnidesk/internal/webhook"
)

// RawEvent is an entry of a webhook as it was kept, without what it says.
type RawEvent struct {
	ID             string     `json:"id"`
	At             time.Time  `json:"at" doc:"when it came"`
	ConnectionID   string     `json:"connection_id" doc:"that it was taken for; of a stray, the one whose address it came to"`
	ConnectionName string     `json:"connection_name"`
	Kind           string     `json:"kind" doc:"what it is about, in the provider's word"`
	State          string     `json:"state" enum:"taken,parked,replayed,discarded"`
	Reason         string     `json:"reason" doc:"why it was parked"`
	Stray          bool       `json:"stray" doc:"it names a number or an account that is on no connection of this company"`
	Size           int        `json:"size" doc:"bytes as kept"`
	SettledAt      *time.Time `json:"settled_at,omitempty" doc:"when it was replayed or discarded"`
	KeptUntil      time.Time  `json:"kept_until"`
}

// RawEventList is one page.
type RawEventList struct {
	Items      []RawEvent `json:"items"`
	NextCursor string     `json:"next_cursor" doc:"empty on the last page"`
}

// RawEventCount tells how many are parked.
type RawEventCount struct {
	Count int  `json:"count"`
	More  bool `json:"more" doc:"there are more than count"`
}

// RawEventChoice names some.
type RawEventChoice struct {
	IDs []string `json:"ids" minItems:"1" maxItems:"200"`
}

// ReplayResult tells what came of each.
type ReplayResult struct {
	Replayed int             `json:"replayed" doc:"are taken in now"`
	Left     []ReplayProblem `json:"left" doc:"are still parked, with the reason of now"`
}

// ReplayProblem is why an event can still not be taken in.
type ReplayProblem struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// DiscardResult tells how many were parked until now.
type DiscardResult struct {
	Discarded int `json:"discarded"`
}

var eventStates = []string{webhook.Taken: "taken", webhook.Parked: "parked", webhook.Replayed: "replayed", webhook.Discarded: "discarded"}

type eventsIn struct {
	PageQuery
	State string `query:"state" enum:"taken,parked,replayed,discarded" default:"parked"`
}

type eventChoiceIn struct{ Body RawEventChoice }

func (s *Server) eventRoutes() {
	register(s, op("listEvents", http.MethodGet, "/events", "events", "What webhooks have said, the newest first",
		describe("Each entry of a webhook is kept for eight days. One that could not be taken in whole is parked, with the reason; what it says is shown to nobody.")), s.listEvents)
	register(s, op("countEvents", http.MethodGet, "/events/count", "events", "How many are parked"), s.countEvents)
	register(s, op("replayEvents", http.MethodPost, "/events/replay", "events", "Read some again",
		describe("Nothing happens twice: what has been taken in already stays as it is.")), s.replayEvents)
	register(s, op("discardEvents", http.MethodPost, "/events/discard", "events", "Take some off the list of the parked"), s.discardEvents)
}

func (s *Server) listEvents(ctx context.Context, in *eventsIn) (*Out[RawEventList], error) {
	before, err := in.after(contact.First)
	if err != nil {
		return nil, err
	}
	company, list := companyOf(ctx), RawEventList{Items: []RawEvent{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		state := webhook.State(slices.Index(eventStates, in.State))
		rows, err := webhook.List(ctx, tx, company, state, before, in.Limit+1, s.now())
		if err != nil {
			return err
		}
		if len(rows) > in.Limit {
			rows = rows[:in.Limit]
			list.NextCursor = cursorOf(rows[len(rows)-1].ID)
		}
		for _, row := range rows {
			at := id.Time(row.ID).UTC()
			list.Items = append(list.Items, RawEvent{ID: row.ID.String(), At: at, ConnectionID: row.Connection.String(), ConnectionName: row.ConnectionName,
				Kind: row.Kind, State: eventStates[row.State], Reason: row.Reason, Stray: row.Stray, Size: row.Size, SettledAt: utc(row.SettledAt), KeptUntil: at.Add(webhook.KeptFor)})
		}
		return nil
	})
	return out(list), err
}

func (s *Server) countEvents(ctx context.Context, _ *struct{}) (*Out[RawEventCount], error) {
	var view RawEventCount
	err := s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		n, err := webhook.CountParked(ctx, tx, companyOf(ctx), mostCounted+1, s.now())
		view = RawEventCount{Count: min(n, mostCounted), More: n > mostCounted}
		return err
	})
	return out(view), err
}

// webhookPart says whether everything was taken in that webhooks said.
func (s *Server) webhookPart(ctx context.Context, company id.ID) (part HealthPart, err error) {
	parked := 0
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		parked, err = webhook.CountParked(ctx, tx, company, mostCounted, s.now())
		return err
	})
	part = HealthPart{Name: "webhooks", State: good, Detail: "All that providers said in the last eight days is taken in."}
	if parked > 0 {
		part.State, part.Detail = warn, fmt.Sprintf("Of what providers said, %d entries could not be taken in whole. They are kept for eight days.", parked)
		part.Remedy = "Look at the reasons, mend what they name, and replay the entries."
	}
	return part, err
}

func (c RawEventChoice) read() ([]id.ID, error) {
	events := make([]id.ID, len(c.IDs))
	for i, text := range c.IDs {
		event, err := id.Parse(text)
		if err != nil {
			return nil, unfit("ids", "want the ids of events")
		}
		events[i] = event
	}
	return events, nil
}

// replayEvents reads events again, each in a transaction of its own: one that fails leaves the others.
func (s *Server) replayEvents(ctx context.Context, in *eventChoiceIn) (*Out[ReplayResult], error) {
	events, err := in.Body.read()
	if err != nil {
		return nil, err
	}
	view := ReplayResult{Left: []ReplayProblem{}}
	for _, event := range events {
		reason, err := s.replay(ctx, companyOf(ctx), event)
		switch {
		case errors.Is(err, webhook.ErrNotFound):
			view.Left = append(view.Left, ReplayProblem{event.String(), "it is not kept any more: events are kept for eight days"})
		case errors.Is(err, secret.ErrSealed):
			view.Left = append(view.Left, ReplayProblem{event.String(), "it is sealed with a key that is not in the keyset any more"})
		case err != nil:
			return nil, err
		case reason == "":
			view.Replayed++
		default:
			view.Left = append(view.Left, ReplayProblem{event.String(), reason})
		}
	}
	return out(view), nil
}

// replay reads one event again and returns why a part of it can still not be taken in; empty: all of it is.
func (s *Server) replay(ctx context.Context, company, event id.ID) (reason string, err error) {
	route := connection.Route{Company: company}
	err = s.commit(ctx, route, func(ctx context.Context, tx postgres.Tx) error {
		kept, err := s.events.Read(ctx, tx, company, event, true)
		if err != nil {
			return err
		}
		audit.About(ctx, event)
		reason = ""
		for _, part := range s.Meta.Parse(kept.Raw) {
			problem, err := s.replayPart(ctx, tx, company, kept, part)
			if err != nil {
				return err
			}
			if reason == "" {
				reason = problem
			}
		}
		return webhook.Settle(ctx, tx, company, kept, reason, s.now())
	})
	return reason, err
}

// replayPart does what an event says, in a savepoint, for those connections of its company that it may be for.
func (s *Server) replayPart(ctx context.Context, tx postgres.Tx, company id.ID, kept webhook.Kept, event channel.Event) (problem string, err error) {
	targets := []id.ID{kept.Connection}
	if kept.Stray || kept.Kind != event.Kind { // it may name what it did not when nobody could read it
		if targets, err = s.adopters(ctx, tx, company, kept.Connection, event); err != nil || len(targets) == 0 {
			return strayReason(event), err
		}
	}
	for _, target := range targets {
		again := []webhook.Event{{Event: event, ID: kept.ID}}
		err = s.guarded(ctx, tx, func(tx postgres.Tx) error {
			return s.heed(ctx, tx, connection.Route{Company: company, Connection: target}, again)
		})
		if postgres.IsTransient(err) {
			return "", err
		}
		if err != nil {
			return parkedFor(err), nil
		}
	}
	return event.Problem, nil
}

// adopters are the connections of a company that a stray is about by now. That it came to an address of this company proves
// little, because an app secret may serve many: the number or the account must be a connection's of the same secret.
func (s *Server) adopters(ctx context.Context, tx postgres.Tx, company, arrived id.ID, event channel.Event) ([]id.ID, error) {
	signers, err := s.connections.Secrets(ctx, tx, company, arrived, s.now())
	if errors.Is(err, connection.ErrNotFound) {
		return nil, nil // the connection that it came to is deleted, and so is the secret that it was signed with
	}
	if err != nil {
		return nil, err
	}
	views, err := s.connections.List(ctx, tx, company, nil)
	if err != nil {
		return nil, err
	}
	var adopters []id.ID
	for _, view := range views {
		if event.NumberID != "" && view.NumberID != event.NumberID || event.NumberID == "" && (event.AccountID == "" || view.AccountID != event.AccountID) {
			continue
		}
		secrets, err := s.connections.Secrets(ctx, tx, company, view.ID, s.now())
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(secrets, func(secret string) bool { return slices.Contains(signers, secret) }) {
			adopters = append(adopters, view.ID)
		}
	}
	return adopters, nil
}

func (s *Server) discardEvents(ctx context.Context, in *eventChoiceIn) (*Out[DiscardResult], error) {
	events, err := in.Body.read()
	if err != nil {
		return nil, err
	}
	var view DiscardResult
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		view.Discarded, err = webhook.Discard(ctx, tx, companyOf(ctx), events, s.now())
		return err
	})
	return out(view), err
}
