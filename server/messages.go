package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/contact"
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

// Sent is what was put on the wire: a text, or one of the others. The text of a file is its caption, that of an offer what it asks.
type Sent struct {
	Text     string            `json:"text,omitempty"`
	Template *Template         `json:"template,omitempty"`
	File     *channel.File     `json:"file,omitempty"`
	Location *channel.Location `json:"location,omitempty"`
	Cards    []channel.Card    `json:"cards,omitempty"`
	Offer    *channel.Offer    `json:"offer,omitempty"`
	Reaction string            `json:"reaction,omitempty" doc:"an emoji on a message of the contact"`
}

// MessageDetail is one row of the ledger with what it belongs to.
type MessageDetail struct {
	Message
	ConnectionID string     `json:"connection_id"`
	CampaignID   *string    `json:"campaign_id,omitempty" doc:"absent outside campaigns"`
	Lane         int        `json:"lane" doc:"1 agent's reply, 2 urgent, 3 automation, 4 the API's queue, 5 campaign"`
	Supersedes   *string    `json:"supersedes,omitempty" doc:"the uncertain message that this one was sent again for"`
	SupersededBy *string    `json:"superseded_by,omitempty" doc:"the message that was sent again for this uncertain one"`
	Decisions    []Decision `json:"decisions,omitempty" doc:"what people decided about it by hand; with one message only, not in lists"`
}

// MessageList is one page.
type MessageList struct {
	Items      []Message `json:"items"`
	NextCursor string    `json:"next_cursor" doc:"empty on the last page"`
}

// MessageFilter picks messages of a campaign. It is exported because huma reads only exported embedded structs.
type MessageFilter struct {
	State []string `query:"state,explode" enum:"queued,sending,sent,delivered,read,failed,uncertain,canceled,expired,suppressed" maxItems:"10" doc:"any of these; repeated"`
	Code  int      `query:"code" minimum:"-1" default:"-1" doc:"failed with this code of the provider's; 0: it gave none"`
	Phone string   `query:"phone" maxLength:"40" doc:"to exactly this number, with its country code"`

	Replied bool `query:"replied" doc:"whose recipients replied within 72 hours"`
}

type messagesIn struct {
	IDPath
	PageQuery
	MessageFilter
}

type connectionMessagesIn struct {
	IDPath
	PageQuery
}

const anyCode = -1

// pick is a filter as the ledger reads it.
type pick struct {
	states []send.State
	code   int
	phone  string // E.164, or empty for any

	replied bool
}

func (f MessageFilter) picked() (pick, error) {
	p := pick{code: f.Code, replied: f.Replied}
	for _, word := range f.State {
		state, err := send.ParseState(word)
		if err != nil {
			return p, err
		}
		p.states = append(p.states, state)
	}
	if p.code != anyCode && (len(p.states) != 1 || p.states[0] != send.Failed) {
		return p, newProblem(http.StatusUnprocessableEntity, "The request has an unfit field.",
			&huma.ErrorDetail{Location: "query.code", Message: "goes with state=failed only"})
	}
	if p.replied && (f.Phone != "" || p.code != anyCode) {
		return p, newProblem(http.StatusUnprocessableEntity, "The request has an unfit field.",
			&huma.ErrorDetail{Location: "query.replied", Message: "goes with neither a number nor a code"})
	}
	if f.Phone == "" {
		return p, nil
	}
	p.phone = "+" + strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, f.Phone)
	if len(p.phone) < 2 || p.code != anyCode {
		return p, newProblem(http.StatusUnprocessableEntity, "The request has an unfit field.",
			&huma.ErrorDetail{Location: "query.phone", Message: "wants a number with its country code, such as +55 11 98120-4471, and no code beside it"})
	}
	return p, nil
}

func (p pick) list(ctx context.Context, tx postgres.Tx, company id.ID, of campaign.Campaign, after id.ID, limit int) ([]send.ListCampaignRow, error) {
	switch {
	case p.replied:
		return send.ListReplied(ctx, tx, company, of.ID, after, p.states, limit)
	case p.phone != "":
		return send.ListByPhone(ctx, tx, company, of.ID, after, p.phone, p.states, limit)
	case p.code != anyCode:
		return send.ListFailed(ctx, tx, company, of.ID, after, p.code, limit)
	}
	return send.ListCampaign(ctx, tx, company, of.Connection, of.ID, after, p.states, limit)
}

func (s *Server) messageRoutes() {
	register(s, op("campaignMessages", http.MethodGet, "/campaigns/{id}/messages", "campaigns",
		"Messages of a campaign, in the order they were queued"), s.campaignMessages)
	register(s, op("connectionMessages", http.MethodGet, "/connections/{id}/messages", "connections", "What was sent on a connection, the newest first",
		describe("A page may be short, even empty, when another one follows.")), s.connectionMessages)
	register(s, op("getMessage", http.MethodGet, "/messages/{id}", "messages", "One message with its present state"), s.getMessage)
}

func (s *Server) getMessage(ctx context.Context, in *IDPath) (*Out[MessageDetail], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	var view MessageDetail
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		row, err := send.Get(ctx, tx, companyOf(ctx), wanted, departmentsOf(ctx))
		if err != nil {
			return err
		}
		view = messageDetail(row)
		view.Decisions, err = decisionsAbout(ctx, tx, companyOf(ctx), wanted)
		return err
	})
	return out(view), err
}

func messageDetail(m send.GetMessageRow) MessageDetail {
	return MessageDetail{Message: messageView(m.Listed()), ConnectionID: m.ConnectionID.String(), CampaignID: idText(m.CampaignID), Lane: int(m.Lane),
		Supersedes: idText(m.Supersedes), SupersededBy: idText(m.SupersededBy)}
}

func idText(of *id.ID) *string {
	if of == nil {
		return nil
	}
	text := of.String()
	return &text
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
	pick, err := in.picked()
	if err != nil {
		return nil, err
	}
	company, list := companyOf(ctx), MessageList{Items: []Message{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		found, err := campaign.Get(ctx, tx, company, wanted)
		if err != nil {
			return err
		}
		rows, err := pick.list(ctx, tx, company, found, after, in.Limit+1)
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

func (s *Server) connectionMessages(ctx context.Context, in *connectionMessagesIn) (*Out[MessageList], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	before, err := in.after(contact.First)
	if err != nil {
		return nil, err
	}
	company, list := companyOf(ctx), MessageList{Items: []Message{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		if _, err := s.connections.See(ctx, tx, company, wanted, departmentsOf(ctx)); err != nil {
			return err
		}
		rows, next, err := send.ListConnection(ctx, tx, company, wanted, before, in.Limit)
		for _, row := range rows {
			list.Items = append(list.Items, messageView(row))
		}
		if next != nil {
			list.NextCursor = cursorOf(*next)
		}
		return err
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
		view.Text, view.Content = content.Words(), sentView(content)
	}
	if m.ErrorCode != nil {
		code := int(*m.ErrorCode)
		view.ErrorCode = &code
	}
	return view
}

// wordsOfSent puts an outgoing message's stored content into one readable text.
func wordsOfSent(content string) string {
	var sent channel.Content
	if json.Unmarshal([]byte(content), &sent) != nil {
		return ""
	}
	return sent.Words()
}
