package server

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// TimelineEvent is one thing that became of a contact.
type TimelineEvent struct {
	At           time.Time `json:"at"`
	Kind         string    `json:"kind" enum:"message,created,imported,wrote,opted_out"`
	Message      *Message  `json:"message,omitempty"`
	CampaignID   *string   `json:"campaign_id,omitempty" doc:"of a campaign's message"`
	CampaignName string    `json:"campaign_name,omitempty"`
	SubjectID    *string   `json:"subject_id,omitempty" doc:"the import, or the connection on which the contact wrote"`
	Name         string    `json:"name,omitempty" doc:"of the imported file, or of the connection"`
	Text         string    `json:"text,omitempty" doc:"what the contact wrote, in one readable text"`
	Outcome      string    `json:"outcome,omitempty" enum:"added,updated,unchanged" doc:"of an import"`
}

// Timeline is one page.
type Timeline struct {
	Items      []TimelineEvent `json:"items"`
	NextCursor string          `json:"next_cursor" doc:"empty on the last page"`
}

type timelineIn struct {
	IDPath
	PageQuery
}

func (s *Server) contactTimeline(ctx context.Context, in *timelineIn) (*Out[Timeline], error) {
	wanted, err := in.IDPath.read()
	if err != nil {
		return nil, err
	}
	before, err := in.after(contact.First)
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var messages []send.ContactMessage
	var events []contact.Event
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		of, err := contact.Get(ctx, tx, company, wanted)
		if err != nil {
			return err
		}
		if messages, err = send.ListContact(ctx, tx, company, wanted, before, departmentsOf(ctx), in.Limit+1); err != nil {
			return err
		}
		events, err = contact.Events(ctx, tx, company, of)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out(timeline(messages, events, before, in.Limit)), nil
}

// timeline puts messages and what else became of a contact into one order. The pages go by the messages; each has the
// events of its own time, the last one all that are older.
func timeline(messages []send.ContactMessage, events []contact.Event, before id.ID, limit int) Timeline {
	page, from := Timeline{Items: []TimelineEvent{}}, time.Time{}
	if len(messages) > limit {
		messages = messages[:limit]
		last := messages[limit-1].ID
		page.NextCursor, from = cursorOf(last), id.Time(last)
	}
	for _, m := range messages {
		event := messageEvent(m)
		page.Items = append(page.Items, event)
	}
	for _, e := range events {
		if e.At.Before(from) || before != contact.First && !e.At.Before(id.Time(before)) {
			continue
		}
		event := TimelineEvent{At: e.At.UTC(), Kind: e.Kind, Name: e.Name, Outcome: e.Outcome}
		if e.Subject != nil {
			subject := e.Subject.String()
			event.SubjectID = &subject
		}
		page.Items = append(page.Items, event)
	}
	slices.SortStableFunc(page.Items, func(a, b TimelineEvent) int { return b.At.Compare(a.At) })
	return page
}

func messageEvent(m send.ContactMessage) TimelineEvent {
	event := TimelineEvent{At: id.Time(m.ID).UTC(), Kind: "message", CampaignName: m.CampaignName}
	if m.From != nil {
		on := m.From.Connection.String()
		event.Kind, event.SubjectID, event.Name, event.Text = "wrote", &on, m.From.ConnectionName, saidIn(m.Content).Words()
		return event
	}
	view := messageView(m.ListCampaignRow)
	event.Message = &view
	if m.CampaignID != nil {
		campaign := m.CampaignID.String()
		event.CampaignID = &campaign
	}
	return event
}

// saidIn reads an inbound message's content; what can't be read says nothing.
func saidIn(content *string) (said channel.Said) {
	if content != nil {
		_ = json.Unmarshal([]byte(*content), &said)
	}
	return said
}
