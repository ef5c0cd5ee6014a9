package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// Message is one row of the ledger.
type Message struct {
	ID          string     `json:"id"`
	ContactID   string     `json:"contact_id"`
	ContactName string     `json:"contact_name"`
	Phone       *string    `json:"phone,omitempty"`
	State       string     `json:"state" enum:"queued,sending,sent,delivered,read,failed,uncertain,canceled,expired,suppressed"`
	Attempts    int        `json:"attempts"`
	Content     *Sent      `json:"content,omitempty" doc:"as it was sent; absent before it is rendered"`
	Text        string     `json:"text" doc:"the content in one readable text"`
	ProviderID  *string    `json:"provider_id,omitempty"`
	ErrorCode   *int       `json:"error_code,omitempty" doc:"the provider's"`
	ErrorDetail *string    `json:"error_detail,omitempty"`
	QueuedAt    *time.Time `json:"queued_at,omitempty"`
	ClaimedAt   *time.Time `json:"claimed_at,omitempty"`
	SentAt      *time.Time `json:"sent_at,omitempty"`
	DeliveredAt *time.Time `json:"delivered_at,omitempty"`
	ReadAt      *time.Time `json:"read_at,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	RetryAt     *time.Time `json:"retry_at,omitempty"`
}

// Sent is what was put on the wire: one of the two.
type Sent struct {
	Text     string    `json:"text,omitempty"`
	Template *Template `json:"template,omitempty"`
}

// MessageList is one page.
type MessageList struct {
	Items      []Message `json:"items"`
	NextCursor string    `json:"next_cursor" doc:"empty on the last page"`
}

type messagesIn struct {
	IDPath
	PageQuery
	State string `query:"state" enum:"queued,sending,sent,delivered,read,failed,uncertain,canceled,expired,suppressed"`
}

func (s *Server) messageRoutes() {
	register(s, op("campaignMessages", http.MethodGet, "/campaigns/{id}/messages", "campaigns",
		"Messages of a campaign, in the order they were queued"), s.campaignMessages)
}

func (s *Server) campaignMessages(ctx context.Context, in *messagesIn) (*Out[MessageList], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	after, err := in.after(id.Nil)
	if err != nil {
		return nil, err
	}
	var states []send.State
	if in.State != "" {
		state, err := send.ParseState(in.State)
		if err != nil {
			return nil, err
		}
		states = append(states, state)
	}
	company, list := companyOf(ctx), MessageList{Items: []Message{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		found, err := campaign.Get(ctx, tx, company, wanted)
		if err != nil {
			return err
		}
		rows, err := send.ListCampaign(ctx, tx, company, found.Connection, wanted, after, states, in.Limit+1)
		if err != nil {
			return err
		}
		if len(rows) > in.Limit {
			rows = rows[:in.Limit]
			list.NextCursor = cursorOf(rows[len(rows)-1].ID)
		}
		for _, row := range rows {
			list.Items = append(list.Items, messageView(row))
		}
		return nil
	})
	return out(list), err
}

func messageView(m send.ListCampaignRow) Message {
	queued := id.Time(m.ID).UTC()
	view := Message{ID: m.ID.String(), ContactID: m.ContactID.String(), ContactName: m.ContactName, State: send.State(m.State).String(),
		Attempts: int(m.Attempts), ProviderID: m.ProviderID, ErrorDetail: m.ErrorDetail, QueuedAt: &queued, ClaimedAt: utc(m.ClaimedAt),
		SentAt: utc(m.SentAt), DeliveredAt: utc(m.DeliveredAt), ReadAt: utc(m.ReadAt), EndedAt: utc(m.EndedAt), RetryAt: utc(m.RetryAt)}
	if m.Address != "" {
		view.Phone = &m.Address
	}
	var content channel.Content
	if m.Content != nil && json.Unmarshal([]byte(*m.Content), &content) == nil {
		view.Text, view.Content = campaign.Words(content), &Sent{Text: content.Text}
		if t := content.Template; t != nil {
			view.Content.Template = &Template{Name: t.Name, Language: t.Language, Parameters: t.Parameters}
		}
	}
	if m.ErrorCode != nil {
		code := int(*m.ErrorCode)
		view.ErrorCode = &code
	}
	return view
}
