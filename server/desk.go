package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"omnidesk/internal/audit"
	"omnidesk/internal/campaign"
	"omnidesk/internal/connection"
	"omnidesk/internal/contact"
	"omnidesk/internal/conversation"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/send"
)

// Seen is the version of a conversation that an agent has seen.
type Seen struct {
	Version int32 `json:"version,omitempty" minimum:"1" doc:"the one that was seen: another one in the meantime is a conflict; without it the change is made in any case"`
}

// Choices are what an inbox can choose from.
type Choices struct {
	People      []Colleague      `json:"people"`
	Departments []DepartmentName `json:"departments"`
	Labels      []Label          `json:"labels"`
}

// Colleague is somebody whom a conversation may be given to.
type Colleague struct {
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	Everything    bool     `json:"everything" doc:"an admin, who sees all conversations"`
	DepartmentIDs []string `json:"department_ids" doc:"of anybody else: whose conversations they see, besides those of no department"`
}

// DepartmentName is a department that a conversation may be moved to.
type DepartmentName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Label says what conversations are about.
type Label struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Colour string `json:"colour" enum:"gray,red,orange,yellow,green,teal,blue,violet,pink"`
}

// Started names a conversation with the message that was queued in it.
type Started struct {
	ConversationID string `json:"conversation_id"`
	MessageID      string `json:"message_id"`
}

type (
	assignIn struct {
		IDPath
		Body struct {
			PersonID *string `json:"person_id" doc:"null: nobody"`
			Seen
		}
	}
	moveIn struct {
		IDPath
		Body struct {
			DepartmentID *string `json:"department_id" doc:"null: that of the connection"`
			Seen
		}
	}
	prioritiseIn struct {
		IDPath
		Body struct {
			Priority string `json:"priority" enum:"none,low,high,urgent"`
			Seen
		}
	}
	labelsIn struct {
		IDPath
		Body struct {
			LabelIDs []string `json:"label_ids" maxItems:"20" nullable:"false" doc:"all that it has from now on"`
			Seen
		}
	}
	snoozeIn struct {
		IDPath
		Body struct {
			Until *time.Time `json:"until,omitempty" doc:"absent: until the contact writes, which ends every snooze"`
			Seen
		}
	}
	noteIn struct {
		IDPath
		Body struct {
			Text string `json:"text" minLength:"1" maxLength:"4096"`
		}
	}
	labelIn struct {
		Body LabelInput
	}
	labelChangeIn struct {
		IDPath
		Body LabelInput
	}
	startIn struct {
		Body struct {
			Key          string  `json:"key" format:"uuid" doc:"made by the client: sent again with the same key, the message is queued once"`
			ConnectionID string  `json:"connection_id" format:"uuid"`
			ContactID    string  `json:"contact_id,omitempty" doc:"whom to write to; else the phone"`
			Phone        string  `json:"phone,omitempty" maxLength:"60" doc:"with country code; a contact is added when none has it"`
			Name         string  `json:"name,omitempty" maxLength:"200" doc:"of a contact that is added"`
			Content      Content `json:"content"`
		}
	}
)

// LabelInput is a label's name and colour.
type LabelInput struct {
	Name   string `json:"name" minLength:"1" maxLength:"40"`
	Colour string `json:"colour" enum:"gray,red,orange,yellow,green,teal,blue,violet,pink"`
}

// priorities by their number.
var priorities = []string{"none", "low", "high", "urgent"}

func (s *Server) deskRoutes() {
	register(s, op("startConversation", http.MethodPost, "/conversations", "conversations", "Write to somebody first", status(http.StatusAccepted), body(campaignBody),
		describe("Free text needs an open 24-hour window; outside it only a template can be sent.")), s.startConversation)
	register(s, op("assignConversation", http.MethodPut, "/conversations/{id}/assignee", "conversations", "Give a conversation to somebody who may see it, or to nobody"), s.assignConversation)
	register(s, op("moveConversation", http.MethodPut, "/conversations/{id}/department", "conversations", "Move a conversation to a department",
		describe("From then on its people see it, and only they. An assignee who does not see it any more is no longer its assignee.")), s.moveConversation)
	register(s, op("prioritiseConversation", http.MethodPut, "/conversations/{id}/priority", "conversations", "Say how urgent a conversation is"), s.prioritiseConversation)
	register(s, op("labelConversation", http.MethodPut, "/conversations/{id}/labels", "conversations", "Say what a conversation is about"), s.labelConversation)
	register(s, op("snoozeConversation", http.MethodPut, "/conversations/{id}/snooze", "conversations", "Put a conversation away until an instant or until the contact writes"), s.snoozeConversation)
	register(s, op("noteConversation", http.MethodPost, "/conversations/{id}/notes", "conversations", "Write a note for colleagues; it is never sent", status(http.StatusCreated)), s.noteConversation)
	register(s, op("inboxChoices", http.MethodGet, "/inbox/choices", "conversations", "People, departments and labels to choose from"), s.inboxChoices)
	register(s, op("createLabel", http.MethodPost, "/labels", "conversations", "Add a label", status(http.StatusCreated)), s.createLabel)
	register(s, op("updateLabel", http.MethodPut, "/labels/{id}", "conversations", "Change a label"), s.updateLabel)
	register(s, op("deleteLabel", http.MethodDelete, "/labels/{id}", "conversations", "Delete a label and take it off every conversation", status(http.StatusNoContent)), s.deleteLabel)
}

func (in *conversationsIn) filter(me id.ID) (f conversation.Filter, err error) {
	f.Unread = in.Unread
	if in.State != "all" {
		f.State = conversation.State(in.State)
	}
	asked := in.Assignee
	switch asked {
	case "me":
		f.Assignee, asked = me, ""
	case "none":
		f.Unassigned, asked = true, ""
	}
	for _, field := range []struct {
		name, value string
		into        *id.ID
	}{{"assignee", asked, &f.Assignee}, {"department_id", in.DepartmentID, &f.Department}, {"label_id", in.LabelID, &f.Label}, {"contact_id", in.ContactID, &f.Contact}} {
		if field.value == "" {
			continue
		}
		if *field.into, err = id.Parse(field.value); err != nil {
			return f, unfitQuery(field.name, "want a UUID")
		}
	}
	return f, nil
}

// workOn runs an agent's change on a conversation in sight, tells browsers, and returns what the conversation is then.
func (s *Server) workOn(ctx context.Context, in *IDPath, seen Seen, do func(*conversation.Change) error) (*Out[Conversation], error) {
	defer s.hint()
	return s.changeConversation(ctx, in, func(tx postgres.Tx, c conversation.Conversation) error {
		change, err := conversation.Begin(ctx, tx, companyOf(ctx), c.ID, seen.Version)
		if err != nil {
			return err
		}
		return do(change)
	})
}

func (s *Server) assignConversation(ctx context.Context, in *assignIn) (*Out[Conversation], error) {
	person, err := idOrNone("person_id", in.Body.PersonID)
	if err != nil {
		return nil, err
	}
	return s.workOn(ctx, &in.IDPath, in.Body.Seen, func(c *conversation.Change) error { return c.Assign(ctx, person) })
}

func (s *Server) moveConversation(ctx context.Context, in *moveIn) (*Out[Conversation], error) {
	department, err := idOrNone("department_id", in.Body.DepartmentID)
	if err != nil {
		return nil, err
	}
	return s.workOn(ctx, &in.IDPath, in.Body.Seen, func(c *conversation.Change) error { return c.Move(ctx, department) })
}

func (s *Server) prioritiseConversation(ctx context.Context, in *prioritiseIn) (*Out[Conversation], error) {
	return s.workOn(ctx, &in.IDPath, in.Body.Seen, func(c *conversation.Change) error {
		return c.Prioritise(ctx, conversation.Priority(slices.Index(priorities, in.Body.Priority)))
	})
}

func (s *Server) labelConversation(ctx context.Context, in *labelsIn) (*Out[Conversation], error) {
	labels := make([]id.ID, len(in.Body.LabelIDs))
	for i, label := range in.Body.LabelIDs {
		var err error
		if labels[i], err = idIn("label_ids", label); err != nil {
			return nil, err
		}
	}
	return s.workOn(ctx, &in.IDPath, in.Body.Seen, func(c *conversation.Change) error { return c.Label(ctx, labels) })
}

func (s *Server) snoozeConversation(ctx context.Context, in *snoozeIn) (*Out[Conversation], error) {
	return s.workOn(ctx, &in.IDPath, in.Body.Seen, func(c *conversation.Change) error { return c.Snooze(ctx, in.Body.Until, s.now()) })
}

func (s *Server) noteConversation(ctx context.Context, in *noteIn) (*Out[Created], error) {
	if strings.TrimSpace(in.Body.Text) == "" {
		return nil, unfit("text", "is empty")
	}
	var note id.ID
	_, err := s.changeConversation(ctx, &in.IDPath, func(tx postgres.Tx, c conversation.Conversation) (err error) {
		note, err = conversation.Note(ctx, tx, companyOf(ctx), c.ID, who(ctx).User.ID, in.Body.Text)
		return err
	})
	return out(Created{note.String()}), err
}

// startConversation queues the first message to somebody, once however often it is asked for with one key.
func (s *Server) startConversation(ctx context.Context, in *startIn) (*Out[Started], error) {
	fields := campaign.Fields{Content: in.Body.Content.asGiven()}
	var err error
	if fields.Connection, err = idIn("connection_id", in.Body.ConnectionID); err != nil {
		return nil, err
	}
	wanted, err := optionalID("contact_id", in.Body.ContactID)
	if err != nil {
		return nil, err
	}
	if (wanted == nil) == (strings.TrimSpace(in.Body.Phone) == "") {
		return nil, unfit("phone", "choose a contact or type a number, one of the two")
	}
	for {
		started, err := s.startTalk(ctx, in, fields, wanted)
		if errors.Is(err, conversation.ErrTwice) || errors.Is(err, contact.ErrPhoneTaken) {
			continue // somebody else was quicker by a moment: it is committed now, and found
		}
		return out(started), err
	}
}

func (s *Server) startTalk(ctx context.Context, in *startIn, fields campaign.Fields, wanted *id.ID) (started Started, err error) {
	company, talk := companyOf(ctx), id.Nil
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		message, err := conversation.Keyed(ctx, tx, company, in.Body.Key)
		if err != nil {
			return err
		}
		if message == id.Nil {
			if message, err = s.sendFirst(ctx, tx, in, fields, wanted); err != nil {
				return err
			}
		}
		if talk, err = conversation.Of(ctx, tx, company, message); err != nil {
			return err
		}
		if _, err := conversation.Get(ctx, tx, company, departmentsOf(ctx), talk); err != nil {
			return problemOf(http.StatusConflict, "another-department", "There is a conversation with this contact on this connection already, and it belongs to a department that you are not in. Ask an admin, or somebody there.")
		}
		started = Started{talk.String(), message.String()}
		audit.About(ctx, talk)
		return nil
	})
	if err == nil {
		s.hint()
		s.changed(company, realtime.Conversation, talk)
	}
	return started, err
}

// sendFirst queues the message that begins a conversation, or takes it up again.
func (s *Server) sendFirst(ctx context.Context, tx postgres.Tx, in *startIn, fields campaign.Fields, wanted *id.ID) (id.ID, error) {
	company := companyOf(ctx)
	on, err := s.connections.See(ctx, tx, company, fields.Connection, departmentsOf(ctx))
	switch {
	case errors.Is(err, connection.ErrNotFound), err == nil && on.DeletedAt != nil:
		return id.Nil, campaign.ErrConnection
	case err != nil:
		return id.Nil, err
	}
	to, identity, err := addressee(ctx, tx, company, in, wanted)
	if err != nil {
		return id.Nil, err
	}
	open, err := conversation.OpenUntil(ctx, tx, company, fields.Connection, to)
	if err != nil {
		return id.Nil, err
	}
	if in.Body.Content.Kind == "text" && !open.After(s.now()) {
		return id.Nil, problemOf(http.StatusConflict, "window-shut", "The contact has not written to this connection within 24 hours, so WhatsApp takes no free text. Choose a template.")
	}
	content, err := campaign.Render(ctx, tx, company, fields, to)
	if err != nil {
		return id.Nil, err
	}
	queued, err := send.Queue(ctx, tx, company, []send.Single{{Connection: fields.Connection, Contact: to, Identity: identity, Lane: send.LaneReply, Content: content}})
	if err != nil {
		return id.Nil, err
	}
	if err := conversation.Key(ctx, tx, company, in.Body.Key, queued[0]); err != nil {
		return id.Nil, err
	}
	_, err = conversation.Wrote(ctx, tx, company, fields.Connection, to, queued[0])
	return queued[0], err
}

func addressee(ctx context.Context, tx postgres.Tx, company id.ID, in *startIn, wanted *id.ID) (to, identity id.ID, err error) {
	if wanted == nil {
		return contact.Reach(ctx, tx, company, in.Body.Phone, strings.TrimSpace(in.Body.Name))
	}
	identity, err = contact.WhatsAppAddress(ctx, tx, company, *wanted)
	if errors.Is(err, contact.ErrNotFound) {
		err = campaign.ErrContact
	}
	return *wanted, identity, err
}

func (s *Server) inboxChoices(ctx context.Context, _ *struct{}) (*Out[Choices], error) {
	company := companyOf(ctx)
	view := Choices{People: []Colleague{}, Departments: []DepartmentName{}, Labels: []Label{}}
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		c, err := conversation.Choose(ctx, tx, company)
		for _, p := range c.People {
			one := Colleague{ID: p.ID.String(), Name: p.Name, Everything: p.Everything, DepartmentIDs: []string{}}
			for _, d := range p.Departments {
				one.DepartmentIDs = append(one.DepartmentIDs, d.String())
			}
			view.People = append(view.People, one)
		}
		for _, d := range c.Departments {
			view.Departments = append(view.Departments, DepartmentName{d.ID.String(), d.Name})
		}
		for _, l := range c.Labels {
			view.Labels = append(view.Labels, labelView(l))
		}
		return err
	})
	return out(view), err
}

func labelView(l conversation.Label) Label { return Label{l.ID.String(), l.Name, l.Colour} }

func (s *Server) createLabel(ctx context.Context, in *labelIn) (*Out[Label], error) {
	return s.changeLabel(ctx, func(tx postgres.Tx) (conversation.Label, error) {
		return conversation.AddLabel(ctx, tx, companyOf(ctx), in.Body.Name, in.Body.Colour)
	})
}

func (s *Server) updateLabel(ctx context.Context, in *labelChangeIn) (*Out[Label], error) {
	label, err := in.read()
	if err != nil {
		return nil, err
	}
	return s.changeLabel(ctx, func(tx postgres.Tx) (conversation.Label, error) {
		return conversation.ChangeLabel(ctx, tx, companyOf(ctx), conversation.Label{ID: label, Name: in.Body.Name, Colour: in.Body.Colour})
	})
}

func (s *Server) deleteLabel(ctx context.Context, in *IDPath) (*struct{}, error) {
	label, err := in.read()
	if err != nil {
		return nil, err
	}
	_, err = s.changeLabel(ctx, func(tx postgres.Tx) (conversation.Label, error) {
		return conversation.Label{ID: label}, conversation.DeleteLabel(ctx, tx, companyOf(ctx), label)
	})
	return nil, err
}

// changeLabel runs do; every conversation may look different then.
func (s *Server) changeLabel(ctx context.Context, do func(postgres.Tx) (conversation.Label, error)) (*Out[Label], error) {
	company := companyOf(ctx)
	var label conversation.Label
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		label, err = do(tx)
		audit.About(ctx, label.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.changed(company, realtime.Conversation, id.Nil)
	return out(labelView(label)), nil
}

// idOrNone reads an id in a body that may be null.
func idOrNone(field string, value *string) (*id.ID, error) {
	if value == nil {
		return nil, nil
	}
	parsed, err := idIn(field, *value)
	return &parsed, err
}

func text(of *id.ID) string {
	if of == nil {
		return ""
	}
	return of.String()
}
