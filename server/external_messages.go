package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omnidesk/internal/apiclient"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/contact"
	"omnidesk/internal/conversation"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
	"omnidesk/internal/template"
)

// ExternalMessage is what another system wants to be sent: a text, or a template.
type ExternalMessage struct {
	ConnectionID string            `json:"connection_id,omitempty" format:"uuid" doc:"a client of one connection need not name it"`
	To           string            `json:"to" minLength:"1" maxLength:"60" doc:"a phone number with country code, such as +5511999990000; who is not known becomes a contact"`
	Text         string            `json:"text,omitempty" maxLength:"4096" doc:"the contact must have written within 24 hours"`
	Template     *ExternalTemplate `json:"template,omitempty" doc:"an approved one of the connection"`
	ExpiresAt    *time.Time        `json:"expires_at,omitempty" doc:"not sent from then on; absent: it waits as long as it takes"`
}

// ExternalTemplate names a template and fills it.
type ExternalTemplate struct {
	Name       string   `json:"name" minLength:"1" maxLength:"512"`
	Language   string   `json:"language" minLength:"2" maxLength:"16"`
	Parameters []string `json:"parameters,omitempty" maxItems:"50" nullable:"false" doc:"one for each placeholder, taken as they are"`
}

// ExternalQueued says that a message is in the ledger for good.
type ExternalQueued struct {
	ID        string    `json:"id"`
	RequestID string    `json:"request_id"`
	State     string    `json:"state" enum:"queued"`
	QueuedAt  time.Time `json:"queued_at"`
}

// ExternalState is what became of a message.
type ExternalState struct {
	ID          string     `json:"id"`
	RequestID   string     `json:"request_id"`
	State       string     `json:"state" enum:"queued,sending,sent,delivered,read,failed,uncertain,canceled,expired,suppressed"`
	QueuedAt    time.Time  `json:"queued_at"`
	SentAt      *time.Time `json:"sent_at,omitempty"`
	DeliveredAt *time.Time `json:"delivered_at,omitempty"`
	ReadAt      *time.Time `json:"read_at,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	ErrorCode   *int       `json:"error_code,omitempty" doc:"the provider's"`
	ErrorDetail *string    `json:"error_detail,omitempty"`
}

type externalSendIn struct{ Body ExternalMessage }

type externalSendOut struct {
	Replayed string `header:"Idempotent-Replayed" doc:"true: this key came before, and this is its first answer"`
	Body     ExternalQueued
}

func (s *Server) externalMessageRoutes() {
	signedOp(s, huma.Operation{OperationID: "externalSend", Method: http.MethodPost, Path: "/messages", Summary: "Send a message", DefaultStatus: http.StatusAccepted,
		Description: "Accepted means that it is stored for good: it is sent, or its state says why not. A call that is refused stores nothing, and its key can be used again."}, s.externalSend)
	signedOp(s, huma.Operation{OperationID: "externalMessage", Method: http.MethodGet, Path: "/messages/{id}", Summary: "What became of a message that this client has sent"}, s.externalMessage)
}

func (s *Server) externalSend(ctx context.Context, in *externalSendIn) (*externalSendOut, error) {
	key, err := keyOf(signer(ctx).call)
	if err != nil {
		return nil, err
	}
	for {
		message, replayed, err := s.takeExternal(ctx, key, in.Body)
		if errors.Is(err, apiclient.ErrTwice) || errors.Is(err, contact.ErrPhoneTaken) {
			continue // somebody else was quicker by a moment: it is committed now, and found
		}
		if err != nil {
			return nil, s.externalProblem(err)
		}
		answer := &externalSendOut{Body: ExternalQueued{ID: message.String(), RequestID: key.String(), State: send.Queued.String(), QueuedAt: id.Time(message).UTC()}}
		if replayed {
			answer.Replayed = "true"
			return answer, nil
		}
		s.hint()
		return answer, nil
	}
}

// externalProblem says what only this API can: by its own fields, and when to come again.
func (s *Server) externalProblem(err error) error {
	var invalid contact.InvalidError
	var quota *apiclient.QuotaError
	switch {
	case errors.Is(err, apiclient.ErrOtherCall):
		return problemOf(http.StatusUnprocessableEntity, "key-reused", "This key came before with another request. Use a new key for a new message.")
	case errors.As(err, &invalid):
		return unfit("to", invalid.Reason)
	case errors.As(err, &quota):
		wait := strconv.Itoa(int(math.Ceil(max(quota.Until.Sub(s.now()).Seconds(), 1))))
		return huma.ErrorWithHeaders(problemOf(http.StatusTooManyRequests, "quota", fmt.Sprintf("This client may send %d messages on one day of the company. The next day begins at %s; nothing was queued.",
			quota.Most, quota.Until.UTC().Format(time.RFC3339))), http.Header{"Retry-After": {wait}})
	}
	return err
}

// takeExternal queues a message once for each key, all of it in one transaction.
func (s *Server) takeExternal(ctx context.Context, key id.ID, in ExternalMessage) (message id.ID, replayed bool, err error) {
	client, call := signer(ctx).client, signer(ctx).call
	err = s.DB.InCompany(ctx, client.Company, func(tx postgres.Tx) error {
		message, err = apiclient.Keyed(ctx, tx, client, key, call.Fingerprint())
		if replayed = err == nil && message != id.Nil; err != nil || replayed {
			return err
		}
		single, err := s.externalSingle(ctx, tx, client, in)
		if err != nil {
			return err
		}
		queued, err := send.Queue(ctx, tx, client.Company, []send.Single{single})
		if err != nil {
			return err
		}
		message = queued[0]
		if err := apiclient.Keep(ctx, tx, client, key, call.Fingerprint(), message); err != nil {
			return err
		}
		return apiclient.Spend(ctx, tx, client, s.now())
	})
	return message, replayed, err
}

// externalSingle turns what a client wants sent into a message, or says what keeps it from being sent.
func (s *Server) externalSingle(ctx context.Context, tx postgres.Tx, client apiclient.Client, in ExternalMessage) (single send.Single, err error) {
	on, err := s.externalConnection(ctx, tx, client, in.ConnectionID)
	if err != nil {
		return single, err
	}
	if in.ExpiresAt != nil && !in.ExpiresAt.After(s.now()) {
		return single, unfit("expires_at", "is in the past")
	}
	content, err := s.externalContent(ctx, tx, client.Company, on, in)
	if err != nil {
		return single, err
	}
	phone, err := contact.Phone(in.To, "")
	if err != nil {
		return single, unfit("to", err.Error())
	}
	met, err := contact.Meet(ctx, tx, client.Company, []contact.Person{{From: channel.Address{Kind: "phone", Value: phone}}})
	if err != nil {
		return single, err
	}
	single = send.Single{Connection: on.ID, Contact: met[0].Contact, Identity: met[0].Identity, Lane: send.Lane(client.Lane), Content: content, ExpiresAt: in.ExpiresAt}
	return single, s.mayReach(ctx, tx, client, single)
}

// externalConnection is the connection that a message goes out on.
func (s *Server) externalConnection(ctx context.Context, tx postgres.Tx, client apiclient.Client, named string) (on connection.View, err error) {
	wanted := client.Connections[0]
	switch {
	case named != "":
		if wanted, err = idIn("connection_id", named); err != nil {
			return on, err
		}
	case len(client.Connections) > 1:
		return on, unfit("connection_id", "is missing: this client has several connections")
	}
	allowed := false
	for _, one := range client.Connections {
		allowed = allowed || one == wanted
	}
	if !allowed {
		return on, unfit("connection_id", "is no connection of this client")
	}
	on, err = s.connections.Get(ctx, tx, client.Company, wanted)
	switch {
	case errors.Is(err, connection.ErrNotFound), err == nil && on.DeletedAt != nil:
		return on, problemOf(http.StatusConflict, "no-connection", "The connection was deleted. Give this client another one.")
	case err == nil && on.DisabledAt != nil:
		return on, problemOf(http.StatusConflict, "connection-disabled", "The connection is disabled. An admin can enable it under Connections.")
	}
	return on, err
}

// gaps are what WhatsApp refuses in a parameter.
var gaps = regexp.MustCompile(`[\n\r\t]| {5,}`)

func (s *Server) externalContent(ctx context.Context, tx postgres.Tx, company id.ID, on connection.View, in ExternalMessage) (content channel.Content, err error) {
	if (strings.TrimSpace(in.Text) == "") == (in.Template == nil) {
		return content, unfit("text", "send a text or a template, one of the two")
	}
	if in.Template == nil {
		content.Text = strings.TrimSpace(in.Text)
		return content, s.judge(on.Channel, content)
	}
	found, err := template.Find(ctx, tx, company, template.Key{Connection: on.ID, Name: in.Template.Name, Language: in.Template.Language})
	switch {
	case errors.Is(err, template.ErrNotFound):
		return content, unfit("template.name", "names no template of this connection in that language; sync templates if it is new")
	case err != nil:
		return content, err
	case found.Unfit != "":
		return content, unfit("template.name", "can't be sent. "+found.Unfit)
	case len(in.Template.Parameters) != found.Parameters:
		return content, unfit("template.parameters", fmt.Sprintf("has %d values, and the template takes %d", len(in.Template.Parameters), found.Parameters))
	}
	for i, value := range in.Template.Parameters {
		if strings.TrimSpace(value) == "" || gaps.MatchString(value) {
			return content, unfit(fmt.Sprintf("template.parameters[%d]", i), "is empty, or has a line break, a tab or five spaces in a row, which WhatsApp refuses")
		}
	}
	content.Template = &channel.Template{Name: in.Template.Name, Language: in.Template.Language, Parameters: in.Template.Parameters}
	return content, nil
}

// mayReach refuses what would only wait to be refused.
func (s *Server) mayReach(ctx context.Context, tx postgres.Tx, client apiclient.Client, single send.Single) error {
	to, err := contact.Get(ctx, tx, client.Company, single.Contact)
	if err != nil {
		return err
	}
	if to.OptedOutAt != nil && !single.Lane.Urgent() {
		return problemOf(http.StatusConflict, "opted-out", "The contact has asked for no more messages.")
	}
	if single.Content.Template != nil {
		return nil
	}
	open, err := conversation.OpenUntil(ctx, tx, client.Company, single.Connection, single.Contact)
	if err == nil && !open.After(s.now()) {
		return problemOf(http.StatusConflict, "window-shut", "The contact has not written to this connection within 24 hours, so WhatsApp takes no free text. Send a template.")
	}
	return err
}

func (s *Server) externalMessage(ctx context.Context, in *IDPath) (*Out[ExternalState], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	client := signer(ctx).client
	var view ExternalState
	err = s.DB.InCompany(ctx, client.Company, func(tx postgres.Tx) error {
		key, err := apiclient.KeyOf(ctx, tx, client, wanted)
		if err != nil {
			return err
		}
		row, err := send.Get(ctx, tx, client.Company, wanted, nil)
		if err != nil {
			return err
		}
		m := messageView(row.Listed())
		view = ExternalState{ID: m.ID, RequestID: key.String(), State: m.State, QueuedAt: id.Time(wanted).UTC(), SentAt: m.SentAt, DeliveredAt: m.DeliveredAt, ReadAt: m.ReadAt,
			EndedAt: m.EndedAt, ErrorCode: m.ErrorCode, ErrorDetail: m.ErrorDetail}
		return nil
	})
	return out(view), err
}
