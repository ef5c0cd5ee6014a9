package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// testLives is how long a test message waits: nobody wants it tomorrow.
const testLives = 10 * time.Minute

// Queued names a message that has just been queued.
type Queued struct {
	MessageID string `json:"message_id"`
}

type testMessageIn struct {
	IDPath
	Body struct {
		Phone    string   `json:"phone" minLength:"1" maxLength:"40" doc:"with country code; a contact is added when none has it"`
		Template Template `json:"template" doc:"an approved one"`
	}
}

func (s *Server) testMessageRoutes() {
	register(s, op("testMessage", http.MethodPost, "/connections/{id}/test", "connections", "Send a test message to one phone", status(http.StatusAccepted), body(8<<10),
		describe("It goes before campaigns. One that could not be sent within 10 minutes expires.")), s.testMessage)
}

func (s *Server) testMessage(ctx context.Context, in *testMessageIn) (*Out[Queued], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	expires := s.now().Add(testLives)
	var queued []id.ID
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		connection, err := s.connections.Get(ctx, tx, company, wanted)
		switch {
		case err != nil:
			return err
		case connection.DeletedAt != nil:
			return notFound()
		case connection.DisabledAt != nil:
			return problemOf(http.StatusConflict, "disabled", "The connection is disabled: enable it first.")
		}
		person, identity, err := contact.Reach(ctx, tx, company, strings.TrimSpace(in.Body.Phone), "Test")
		if err != nil {
			return err
		}
		template := in.Body.Template
		queued, err = send.Queue(ctx, tx, company, []send.Single{{Connection: wanted, Contact: person, Identity: identity, Lane: send.LaneUrgent, ExpiresAt: &expires,
			Content: channel.Content{Template: &channel.Template{Name: template.Name, Language: template.Language, Parameters: template.Parameters}}}})
		return err
	})
	if err != nil {
		return nil, err
	}
	s.hint()
	return out(Queued{MessageID: queued[0].String()}), nil
}
