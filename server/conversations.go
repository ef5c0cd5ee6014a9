package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"omnidesk/internal/audit"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/conversation"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/send"
)

// Conversation is what was said between a contact and a connection.
type Conversation struct {
	ID             string     `json:"id"`
	ConnectionID   string     `json:"connection_id"`
	ConnectionName string     `json:"connection_name"`
	ContactID      string     `json:"contact_id"`
	ContactName    string     `json:"contact_name"`
	Address        string     `json:"address" doc:"that of the newest message, such as a phone number"`
	State          string     `json:"state" enum:"open,snoozed,closed"`
	LastAt         time.Time  `json:"last_at"`
	LastText       string     `json:"last_text" doc:"the newest message in one readable text"`
	LastInbound    bool       `json:"last_inbound" doc:"the contact wrote it"`
	Unread         int        `json:"unread" doc:"messages of the contact"`
	ReopenedAt     *time.Time `json:"reopened_at,omitempty" doc:"the contact wrote after 24 hours of silence, or after it was closed"`
	OpenUntil      *time.Time `json:"open_until,omitempty" doc:"free text may be sent until then; absent: the contact has never written"`
	OptedOut       bool       `json:"opted_out"`
	Version        int        `json:"version" doc:"of what agents set; a change may name the one it has seen"`
	AssigneeID     string     `json:"assignee_id,omitempty" doc:"absent: nobody's"`
	AssigneeName   string     `json:"assignee_name,omitempty"`
	DepartmentID   string     `json:"department_id,omitempty" doc:"its own, else that of its connection; absent: every department's"`
	DepartmentName string     `json:"department_name,omitempty"`
	Priority       string     `json:"priority" enum:"none,low,high,urgent"`
	SnoozedUntil   *time.Time `json:"snoozed_until,omitempty" doc:"of a snoozed one; absent: until the contact writes"`
	LabelIDs       []string   `json:"label_ids"`
}

// ConversationList is one page.
type ConversationList struct {
	Items      []Conversation `json:"items"`
	NextCursor string         `json:"next_cursor" doc:"empty on the last page"`
	Unread     int            `json:"unread" doc:"open conversations with something unread, at most 500; on the first page"`
	Mine       int            `json:"unread_mine" doc:"of these, the caller's"`
	Unassigned int            `json:"unread_unassigned" doc:"of these, nobody's"`
}

// ThreadMessage is one message of a conversation.
type ThreadMessage struct {
	ID           string        `json:"id"`
	At           time.Time     `json:"at"`
	Inbound      bool          `json:"inbound"`
	Text         string        `json:"text" doc:"in one readable text; empty before it is rendered, and of a deleted one"`
	Said         *channel.Said `json:"said,omitempty" doc:"of an inbound message: what it is"`
	Content      *Sent         `json:"content,omitempty" doc:"of an outgoing message that is more than a text: what it is"`
	Attachment   *Attachment   `json:"attachment,omitempty" doc:"of a message with a file: whether the file is here"`
	Quote        *Quote        `json:"quote,omitempty" doc:"the message that it answers, or reacts to"`
	State        string        `json:"state" enum:"queued,sending,sent,delivered,read,failed,uncertain,canceled,expired,suppressed,received,note"`
	Author       string        `json:"author,omitempty" doc:"of a note, which is never sent: who wrote it"`
	ErrorDetail  *string       `json:"error_detail,omitempty"`
	CampaignID   string        `json:"campaign_id,omitempty"`
	CampaignName string        `json:"campaign_name,omitempty"`
	Reaction     string        `json:"reaction,omitempty" doc:"the contact's emoji on it"`
	Edited       bool          `json:"edited,omitempty"`
	Deleted      bool          `json:"deleted,omitempty" doc:"by the contact"`
}

// Thread is one page of a conversation, the newest message first.
type Thread struct {
	Items      []ThreadMessage `json:"items"`
	NextCursor string          `json:"next_cursor" doc:"empty on the last page"`
}

type conversationsIn struct {
	PageQuery
	State        string `query:"state" enum:"open,snoozed,closed,all" default:"open"`
	Assignee     string `query:"assignee" maxLength:"36" doc:"a person's id, me, or none"`
	DepartmentID string `query:"department_id" maxLength:"36"`
	LabelID      string `query:"label_id" maxLength:"36"`
	ContactID    string `query:"contact_id" maxLength:"36"`
	Unread       bool   `query:"unread" doc:"only those with something unread"`
}

type threadIn struct {
	IDPath
	Cursor string `query:"cursor" maxLength:"64" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"200"`
}

type answerIn struct {
	IDPath
	Body struct {
		Key string `json:"key" format:"uuid" doc:"made by the client: sent again with the same key, the message is queued once"`
		WrittenContent
	}
}

type conversationStateIn struct {
	IDPath
	Body struct {
		State string `json:"state" enum:"open,closed"`
		Seen
	}
}

func (s *Server) conversationRoutes() {
	register(s, op("listConversations", http.MethodGet, "/conversations", "conversations", "Conversations, the newest first"), s.listConversations)
	register(s, op("getConversation", http.MethodGet, "/conversations/{id}", "conversations", "One conversation"), s.getConversation)
	register(s, op("conversationMessages", http.MethodGet, "/conversations/{id}/messages", "conversations", "The messages of a conversation, the newest first"), s.conversationMessages)
	register(s, op("answerConversation", http.MethodPost, "/conversations/{id}/messages", "conversations", "Answer a contact", status(http.StatusAccepted),
		describe("Goes before campaigns and automation. Needs an open 24-hour window.")), s.answerConversation)
	register(s, op("readConversation", http.MethodPost, "/conversations/{id}/read", "conversations", "Mark a conversation as read", status(http.StatusNoContent)), s.readConversation)
	register(s, op("setConversationState", http.MethodPut, "/conversations/{id}/state", "conversations", "Close or reopen a conversation"), s.setConversationState)
}

func (s *Server) listConversations(ctx context.Context, in *conversationsIn) (*Out[ConversationList], error) {
	before, err := in.after(conversation.Last)
	if err != nil {
		return nil, err
	}
	filter, err := in.filter(who(ctx).User.ID)
	if err != nil {
		return nil, err
	}
	company, page := companyOf(ctx), ConversationList{Items: []Conversation{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		list, err := conversation.List(ctx, tx, company, departmentsOf(ctx), filter, before, in.Limit+1)
		if err != nil {
			return err
		}
		if len(list) > in.Limit {
			list = list[:in.Limit]
			page.NextCursor = cursorOf(list[in.Limit-1].LastID)
		}
		for _, one := range list {
			page.Items = append(page.Items, conversationView(one))
		}
		if in.Cursor == "" {
			n, err := conversation.CountUnread(ctx, tx, company, departmentsOf(ctx), who(ctx).User.ID)
			page.Unread, page.Mine, page.Unassigned = n.All, n.Mine, n.Unassigned
			return err
		}
		return nil
	})
	return out(page), err
}

func conversationView(c conversation.Conversation) Conversation {
	view := Conversation{ID: c.ID.String(), ConnectionID: c.ConnectionID.String(), ConnectionName: c.ConnectionName, ContactID: c.ContactID.String(),
		ContactName: c.ContactName, Address: c.Address, State: string(c.State), LastAt: id.Time(c.LastID).UTC(), LastInbound: c.Direction == 1,
		Unread: int(c.Unread), ReopenedAt: utc(c.ReopenedAt), OpenUntil: utc(c.OpenUntil), OptedOut: c.OptedOutAt != nil,
		Version: int(c.Version), AssigneeID: text(c.AssigneeID), AssigneeName: c.AssigneeName, DepartmentID: text(c.DepartmentID), DepartmentName: c.DepartmentName,
		Priority: priorities[c.Priority], SnoozedUntil: utc(c.SnoozedUntil), LabelIDs: []string{}}
	for _, label := range c.Labels {
		view.LabelIDs = append(view.LabelIDs, label.String())
	}
	if view.LastInbound {
		view.LastText = saidIn(c.Content).Words()
	} else if c.Content != nil {
		view.LastText = wordsOfSent(*c.Content)
	}
	return view
}

func (s *Server) getConversation(ctx context.Context, in *IDPath) (*Out[Conversation], error) {
	return s.withConversation(ctx, in, func(postgres.Tx, conversation.Conversation) error { return nil })
}

// withConversation runs do on a conversation and returns what it is then.
func (s *Server) withConversation(ctx context.Context, in *IDPath, do func(postgres.Tx, conversation.Conversation) error) (*Out[Conversation], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var view Conversation
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		found, err := conversation.Get(ctx, tx, company, departmentsOf(ctx), wanted)
		if err != nil {
			return err
		}
		if err := do(tx, found); err != nil {
			return err
		}
		found, err = conversation.Get(ctx, tx, company, nil, wanted) // who hands it to another department sees it one last time
		view = conversationView(found)
		return err
	})
	return out(view), err
}

func (s *Server) conversationMessages(ctx context.Context, in *threadIn) (*Out[Thread], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	before, err := PageQuery{Cursor: in.Cursor}.after(conversation.Last)
	if err != nil {
		return nil, err
	}
	company, page := companyOf(ctx), Thread{Items: []ThreadMessage{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		of, err := conversation.Get(ctx, tx, company, departmentsOf(ctx), wanted)
		if err != nil {
			return err
		}
		lines, err := conversation.Thread(ctx, tx, company, of, before, in.Limit+1)
		if len(lines) > in.Limit {
			lines = lines[:in.Limit]
			page.NextCursor = cursorOf(lines[in.Limit-1].ID)
		}
		for _, line := range lines {
			page.Items = append(page.Items, threadMessage(line))
		}
		if err != nil {
			return err
		}
		return attach(ctx, tx, page.Items, lines)
	})
	return out(page), err
}

func threadMessage(l conversation.Line) ThreadMessage {
	view := ThreadMessage{ID: l.ID.String(), At: id.Time(l.ID).UTC(), Inbound: l.Inbound, State: send.State(l.State).String(), ErrorDetail: l.ErrorDetail,
		CampaignName: l.CampaignName, Quote: quoteView(l.Quote), Reaction: l.Reaction, Edited: l.Edited, Deleted: l.Deleted}
	if l.CampaignID != nil {
		view.CampaignID = l.CampaignID.String()
	}
	switch {
	case l.Note != "":
		view.State, view.Text, view.Author = "note", l.Note, l.Author
	case l.Deleted:
	case l.Inbound:
		view.Text, view.Said = l.Said.Words(), &l.Said
	default:
		view.Text = l.Content.Words()
		if kind := l.Content.Kind(); kind != "" && kind != channel.SaidText {
			view.Content = sentView(l.Content)
		}
	}
	return view
}

// answerConversation queues a reply once, however often it is asked for with one key.
func (s *Server) answerConversation(ctx context.Context, in *answerIn) (*Out[Queued], error) {
	for {
		message, err := s.answer(ctx, in)
		if errors.Is(err, conversation.ErrTwice) {
			continue // it is committed now, and found
		}
		if err != nil {
			return nil, err
		}
		s.hint()
		return out(Queued{message.String()}), nil
	}
}

func (s *Server) answer(ctx context.Context, in *answerIn) (message id.ID, err error) {
	wanted, err := in.read()
	if err != nil {
		return id.Nil, err
	}
	company := companyOf(ctx)
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		of, err := conversation.Get(ctx, tx, company, departmentsOf(ctx), wanted)
		if err != nil {
			return err
		}
		if message, err = conversation.Keyed(ctx, tx, company, in.Body.Key); err != nil || message != id.Nil {
			return err
		}
		on, err := s.mayAnswer(ctx, tx, company, of)
		if err != nil {
			return err
		}
		content, err := s.content(ctx, tx, of, on.Channel, in.Body.WrittenContent)
		if err != nil {
			return err
		}
		to, err := conversation.AnswerTo(ctx, tx, company, wanted)
		if err != nil {
			return err
		}
		queued, err := send.Queue(ctx, tx, company, []send.Single{{Connection: of.ConnectionID, Contact: of.ContactID, Identity: to,
			Lane: send.LaneReply, Content: content}})
		if err != nil {
			return err
		}
		message = queued[0]
		if content.File != nil {
			if err := sendFileFirst(ctx, tx, company, of.ConnectionID, message, content.File.Media, s.now()); err != nil {
				return err
			}
		}
		if err := conversation.Key(ctx, tx, company, in.Body.Key, message); err != nil {
			return err
		}
		_, err = conversation.Wrote(ctx, tx, company, of.ConnectionID, of.ContactID, message)
		audit.About(ctx, wanted)
		return err
	})
	if err == nil {
		s.changed(company, realtime.Conversation, wanted)
	}
	return message, err
}

// mayAnswer refuses what would only wait to be refused, and returns the connection.
func (s *Server) mayAnswer(ctx context.Context, tx postgres.Tx, company id.ID, of conversation.Conversation) (connection.View, error) {
	on, err := s.connections.Get(ctx, tx, company, of.ConnectionID)
	switch {
	case errors.Is(err, connection.ErrNotFound), err == nil && on.DeletedAt != nil:
		return on, problemOf(http.StatusConflict, "no-connection", "The connection was deleted; nothing can be sent in this conversation any more.")
	case err != nil:
		return on, err
	case of.OpenUntil == nil || !of.OpenUntil.After(s.now()):
		return on, problemOf(http.StatusConflict, "window-shut", "The contact wrote more than 24 hours ago, so free text can't be sent. A template can: start a campaign with one.")
	}
	return on, nil
}

func (s *Server) readConversation(ctx context.Context, in *IDPath) (*struct{}, error) {
	_, err := s.changeConversation(ctx, in, func(tx postgres.Tx, c conversation.Conversation) error {
		return conversation.MarkRead(ctx, tx, companyOf(ctx), c.ID)
	})
	return nil, err
}

func (s *Server) setConversationState(ctx context.Context, in *conversationStateIn) (*Out[Conversation], error) {
	return s.workOn(ctx, &in.IDPath, in.Body.Seen, func(c *conversation.Change) error {
		return c.SetState(ctx, conversation.State(in.Body.State))
	})
}

// changeConversation is withConversation for what browsers must hear of.
func (s *Server) changeConversation(ctx context.Context, in *IDPath, do func(postgres.Tx, conversation.Conversation) error) (*Out[Conversation], error) {
	var changed id.ID
	view, err := s.withConversation(ctx, in, func(tx postgres.Tx, c conversation.Conversation) error {
		changed = c.ID
		audit.About(ctx, c.ID)
		return do(tx, c)
	})
	if err == nil {
		s.changed(companyOf(ctx), realtime.Conversation, changed)
	}
	return view, err
}
