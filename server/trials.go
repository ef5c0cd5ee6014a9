package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"omnidesk/internal/audit"
	"omnidesk/internal/campaign"
	"omnidesk/internal/connection"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// trialLives is how long a test message waits: nobody wants it tomorrow.
const trialLives = 10 * time.Minute

// Trial is a test message: what one contact would get, sent to one phone.
type Trial struct {
	ConnectionID string  `json:"connection_id" format:"uuid"`
	Content      Content `json:"content"`
	Phone        string  `json:"phone" minLength:"1" maxLength:"60" doc:"with country code; a contact is added when none has it"`
	ContactID    string  `json:"contact_id,omitempty" doc:"whose merge fields are filled in; the phone's own contact when absent"`
}

// Queued names a message that has just been queued.
type Queued struct {
	MessageID string `json:"message_id"`
}

type trialIn struct{ Body Trial }

func (s *Server) trialRoutes() {
	register(s, op("sendTest", http.MethodPost, "/messages/test", "messages", "Send a test message to one phone", status(http.StatusAccepted), body(campaignBody),
		describe("It goes before campaigns. One that could not be sent within 10 minutes expires.")), s.sendTest)
}

func (s *Server) sendTest(ctx context.Context, in *trialIn) (*Out[Queued], error) {
	fields := campaign.Fields{Content: in.Body.Content.asGiven()}
	var err error
	if fields.Connection, err = idIn("connection_id", in.Body.ConnectionID); err != nil {
		return nil, err
	}
	as, err := optionalID("contact_id", in.Body.ContactID)
	if err != nil {
		return nil, err
	}
	company, expires := companyOf(ctx), s.now().Add(trialLives)
	var queued []id.ID
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		if err := s.mayTry(ctx, tx, company, fields.Connection); err != nil {
			return err
		}
		to, identity, err := contact.Reach(ctx, tx, company, in.Body.Phone, "Test")
		if err != nil {
			return err
		}
		if as == nil {
			as = &to
		}
		content, err := campaign.Render(ctx, tx, company, fields, *as)
		if err != nil {
			return err
		}
		queued, err = send.Queue(ctx, tx, company, []send.Single{{Connection: fields.Connection, Contact: to, Identity: identity,
			Lane: send.LaneUrgent, Content: content, ExpiresAt: &expires}})
		if err != nil {
			return err
		}
		audit.About(ctx, queued...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.hint()
	return out(Queued{queued[0].String()}), nil
}

// mayTry refuses a connection on which a test would wait until it expires.
func (s *Server) mayTry(ctx context.Context, tx postgres.Tx, company, wanted id.ID) error {
	found, err := s.connections.Get(ctx, tx, company, wanted)
	switch {
	case errors.Is(err, connection.ErrNotFound), err == nil && found.DeletedAt != nil:
		return campaign.ErrConnection
	case err == nil && found.DisabledAt != nil:
		return unfit("connection_id", "is disabled; enable it under Connections first")
	}
	return err
}
