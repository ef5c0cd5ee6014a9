package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"omnidesk/internal/campaign"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// trialLives is how long a draft's test message waits: nobody wants it tomorrow.
const trialLives = 10 * time.Minute

// DraftTrial sends what one contact would get of a draft to one phone.
type DraftTrial struct {
	ConnectionID string  `json:"connection_id" format:"uuid"`
	Content      Content `json:"content"`
	Phone        string  `json:"phone" minLength:"1" maxLength:"60" doc:"with country code; a contact is added when none has it"`
	ContactID    string  `json:"contact_id,omitempty" doc:"whose merge fields are filled in; the phone's own contact when absent"`
}

// DraftTrialQueued names the message that carries a test.
type DraftTrialQueued struct {
	MessageID string `json:"message_id"`
}

type trialIn struct{ Body DraftTrial }

func (s *Server) trialRoutes() {
	register(s, op("sendDraftTest", http.MethodPost, "/campaigns/test", "campaigns", "Send what one contact would get of a draft to one phone",
		status(http.StatusAccepted), body(campaignBody), describe("It goes before campaigns. One that could not be sent within 10 minutes expires.")), s.sendTrial)
}

func (s *Server) sendTrial(ctx context.Context, in *trialIn) (*Out[DraftTrialQueued], error) {
	fields := campaign.Fields{Content: in.Body.Content.asGiven()}
	var err error
	if fields.Connection, err = idIn("connection_id", in.Body.ConnectionID); err != nil {
		return nil, err
	}
	as, err := optionalID("contact_id", in.Body.ContactID)
	if err != nil {
		return nil, err
	}
	phone, err := contact.Phone(in.Body.Phone, "")
	if err != nil {
		return nil, unfit("phone", err.Error())
	}
	company, expires := companyOf(ctx), s.now().Add(trialLives)
	var queued []id.ID
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		to, identity, err := trialAddress(ctx, tx, company, phone)
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
		return err
	})
	if errors.Is(err, send.ErrNoSuchAddress) {
		return nil, unfit("connection_id", campaign.ErrConnection.Error())
	}
	if err != nil {
		return nil, err
	}
	s.hint()
	return out(DraftTrialQueued{queued[0].String()}), nil
}

// trialAddress finds the contact with a phone, or adds one.
func trialAddress(ctx context.Context, tx postgres.Tx, company id.ID, phone string) (to, identity id.ID, err error) {
	to, identity, found, err := campaign.PhoneOwner(ctx, tx, company, phone)
	if err != nil || found {
		return to, identity, err
	}
	if _, err := contact.Create(ctx, tx, company, contact.Draft{Name: "Test", Phone: phone}); err != nil {
		return to, identity, err
	}
	to, identity, _, err = campaign.PhoneOwner(ctx, tx, company, phone)
	return to, identity, err
}
