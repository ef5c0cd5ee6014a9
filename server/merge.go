package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"omnidesk/internal/audit"
	"omnidesk/internal/campaign"
	"omnidesk/internal/contact"
	"omnidesk/internal/conversation"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/send"
)

// Merge is a record that two contacts are one.
type Merge struct {
	ID        string    `json:"id"`
	LoserID   string    `json:"loser_id"`
	LoserName string    `json:"loser_name" doc:"as it was; may be empty"`
	At        time.Time `json:"at"`
}

// ContactIdentity is one way to reach a contact.
type ContactIdentity struct {
	Kind  string `json:"kind" enum:"phone,lid,bsuid,igsid,psid"`
	Value string `json:"value"`
}

// ContactIdentities are the ways to reach a contact, and the merges that brought some of them.
type ContactIdentities struct {
	Identities []ContactIdentity `json:"identities"`
	Merges     []Merge           `json:"merges" doc:"those that stand, the newest first; only the newest can be undone"`
	MergedInto string            `json:"merged_into,omitempty" doc:"the contact that this one has become a part of"`
}

type mergeIn struct {
	IDPath
	Body struct {
		ContactID string `json:"contact_id" format:"uuid" doc:"becomes a part of the one in the address"`
	}
}

func (s *Server) mergeRoutes() {
	register(s, op("contactIdentities", http.MethodGet, "/contacts/{id}/identities", "contacts", "How a contact can be reached, and what was merged into it"), s.contactIdentities)
	register(s, op("mergeContacts", http.MethodPost, "/contacts/{id}/merge", "contacts", "Say that another contact is the same person",
		describe("Addresses, tags, messages and conversations of the other become this one's; where both have a value, this one's stays; who has opted out under one address has under all. It can be undone."), status(http.StatusCreated)), s.mergeContacts)
	register(s, op("undoMerge", http.MethodPost, "/merges/{id}/undo", "contacts", "Undo a merge",
		describe("The other contact gets back its addresses with all that was said over them, since then as well. What was edited since stays where it is."), status(http.StatusNoContent)), s.undoMerge)
}

// merge makes loser a part of winner in everything that they have: by nil, an identity of both has proved it. Campaigns
// on their way neither double nor lose anybody.
func merge(ctx context.Context, tx postgres.Tx, company, winner, loser id.ID, by *id.ID, now time.Time) (*contact.Merge, []id.ID, error) {
	if err := campaign.LockOpen(ctx, tx, company); err != nil {
		return nil, nil, err
	}
	m, err := contact.BeginMerge(ctx, tx, company, winner, loser, now)
	if err != nil {
		return nil, nil, err
	}
	if err := send.CancelDoubles(ctx, tx, company, loser, winner, now); err != nil {
		return nil, nil, err
	}
	if err := campaign.GivePlace(ctx, tx, company, loser, winner, nil); err != nil {
		return nil, nil, err
	}
	if err := send.GiveMessages(ctx, tx, company, loser, winner, nil); err != nil {
		return nil, nil, err
	}
	before, changed, err := conversation.Merge(ctx, tx, company, loser, winner)
	if err != nil {
		return nil, nil, err
	}
	m.Conversations = before
	return m, changed, contact.KeepMerge(ctx, tx, company, m, by)
}

// unmerge undoes a merge and returns the conversations that look different.
func unmerge(ctx context.Context, tx postgres.Tx, company, wanted id.ID, now time.Time) ([]id.ID, error) {
	if err := campaign.LockOpen(ctx, tx, company); err != nil {
		return nil, err
	}
	m, err := contact.BeginUndo(ctx, tx, company, wanted, now)
	if err != nil {
		return nil, err
	}
	if err := send.GiveMessages(ctx, tx, company, m.Winner, m.Loser, m.Identities); err != nil {
		return nil, err
	}
	if err := campaign.GivePlace(ctx, tx, company, m.Winner, m.Loser, m.Identities); err != nil {
		return nil, err
	}
	audit.About(ctx, m.Winner, m.Loser)
	return conversation.Unmerge(ctx, tx, company, m.Winner, m.Loser, m.Conversations)
}

func (s *Server) mergeContacts(ctx context.Context, in *mergeIn) (*Out[Merge], error) {
	winner, err := in.read()
	if err != nil {
		return nil, err
	}
	loser, err := idIn("contact_id", in.Body.ContactID)
	if err != nil {
		return nil, err
	}
	company, by := companyOf(ctx), who(ctx).User.ID
	var made *contact.Merge
	var changed []id.ID
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		if _, err = contact.Get(ctx, tx, company, winner); err != nil {
			return err
		}
		if _, err = contact.Get(ctx, tx, company, loser); errors.Is(err, contact.ErrNotFound) {
			return campaign.ErrContact
		}
		made, changed, err = merge(ctx, tx, company, winner, loser, &by, s.now())
		audit.About(ctx, winner, loser)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.merged(company, changed)
	return out(Merge{ID: made.ID.String(), LoserID: loser.String(), LoserName: made.LoserName(), At: made.At.UTC()}), nil
}

func (s *Server) undoMerge(ctx context.Context, in *IDPath) (*struct{}, error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var changed []id.ID
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		changed, err = unmerge(ctx, tx, company, wanted, s.now())
		return err
	})
	if err == nil {
		s.merged(company, changed)
	}
	return nil, err
}

func (s *Server) merged(company id.ID, conversations []id.ID) {
	s.hint()
	s.changed(company, realtime.Contacts, id.Nil)
	for _, one := range conversations {
		s.changed(company, realtime.Conversation, one)
	}
}

func (s *Server) contactIdentities(ctx context.Context, in *IDPath) (*Out[ContactIdentities], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company, view := companyOf(ctx), ContactIdentities{Identities: []ContactIdentity{}, Merges: []Merge{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		if _, err := contact.Get(ctx, tx, company, wanted); err != nil {
			return err
		}
		living, err := contact.LivingOf(ctx, tx, company, wanted)
		if err != nil {
			return err
		}
		if living != wanted {
			view.MergedInto = living.String()
		}
		list, err := contact.Identities(ctx, tx, company, wanted)
		for _, one := range list {
			view.Identities = append(view.Identities, ContactIdentity{one.Kind, one.Value})
		}
		if err != nil {
			return err
		}
		merges, err := contact.Merges(ctx, tx, company, wanted)
		for _, m := range merges {
			view.Merges = append(view.Merges, Merge{ID: m.ID.String(), LoserID: m.Loser.String(), LoserName: m.LoserName(), At: m.At.UTC()})
		}
		return err
	})
	return out(view), err
}
