package server

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"omnidesk/internal/account"
	"omnidesk/internal/audit"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Person is one of a company's people.
type Person struct {
	ID       string     `json:"id"`
	You      bool       `json:"you" doc:"the caller"`
	Name     string     `json:"name"`
	Email    string     `json:"email"`
	Role     string     `json:"role" enum:"admin,user"`
	State    string     `json:"state" enum:"active,unverified,disabled"`
	Since    time.Time  `json:"since"`
	LastSeen *time.Time `json:"last_seen_at,omitempty"`
}

// PersonPage is a page of people, the first to join first.
type PersonPage struct {
	Items      []Person `json:"items"`
	NextCursor string   `json:"next_cursor" doc:"empty on the last page"`
}

// Invitation waits for somebody to accept it.
type Invitation struct {
	ID      string    `json:"id"`
	Email   string    `json:"email"`
	Role    string    `json:"role" enum:"admin,user"`
	By      string    `json:"by,omitempty" doc:"who invited; absent for somebody of the platform"`
	At      time.Time `json:"at"`
	Until   time.Time `json:"until" doc:"its link works until then"`
	Expired bool      `json:"expired"`
}

// InvitationList is a whole list, the newest first.
type InvitationList struct {
	Items []Invitation `json:"items"`
}

type personIn struct {
	IDPath
	Body struct {
		Role     *string `json:"role,omitempty" enum:"admin,user"`
		Disabled *bool   `json:"disabled,omitempty"`
	}
}

type inviteIn struct {
	Body struct {
		Email string `json:"email" maxLength:"254"`
		Role  string `json:"role" enum:"admin,user"`
	}
}

func (s *Server) peopleRoutes() {
	register(s, op("listPeople", http.MethodGet, "/people", "people", "The company's people"), s.listPeople)
	register(s, op("changePerson", http.MethodPatch, "/people/{id}", "people", "Change a role; disable or enable", status(http.StatusNoContent), body(authBody),
		describe("Their sessions end at once. The last active admin keeps the role and stays enabled.")), s.changePerson)
	register(s, op("removePerson", http.MethodDelete, "/people/{id}", "people", "Remove somebody from the company", status(http.StatusNoContent),
		describe("Their sessions end at once, and their address is free for another account.")), s.removePerson)
	register(s, op("listInvitations", http.MethodGet, "/invitations", "people", "Invitations that wait"), s.listInvitations)
	register(s, op("invite", http.MethodPost, "/invitations", "people", "Invite somebody by mail", status(http.StatusNoContent), body(authBody)), s.invite)
	register(s, op("inviteAgain", http.MethodPost, "/invitations/{id}/mail", "people", "Send an invitation again", status(http.StatusNoContent),
		describe("Its time begins anew.")), s.inviteAgain)
	register(s, op("revokeInvitation", http.MethodDelete, "/invitations/{id}", "people", "Take an invitation back", status(http.StatusNoContent)), s.revokeInvitation)
}

func (s *Server) listPeople(ctx context.Context, in *PageQuery) (*Out[PersonPage], error) {
	after, err := in.after(id.Nil)
	if err != nil {
		return nil, err
	}
	page := PersonPage{Items: []Person{}}
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		people, err := account.ListPeople(ctx, tx, companyOf(ctx), after, in.Limit+1)
		if len(people) > in.Limit {
			people = people[:in.Limit]
			page.NextCursor = cursorOf(people[in.Limit-1].ID)
		}
		for _, p := range people {
			page.Items = append(page.Items, personView(p, who(ctx).User.ID))
		}
		return err
	})
	return out(page), err
}

func personView(p account.Person, you id.ID) Person {
	state := "active"
	switch {
	case p.Disabled:
		state = "disabled"
	case !p.Verified:
		state = "unverified"
	}
	return Person{ID: p.ID.String(), You: p.ID == you, Name: p.Name, Email: p.Email, Role: string(p.Role), State: state, Since: p.Since.UTC(), LastSeen: utc(p.LastSeen)}
}

func (s *Server) changePerson(ctx context.Context, in *personIn) (*struct{}, error) {
	change := account.PersonChange{Disabled: in.Body.Disabled}
	if in.Body.Role != nil {
		role := account.Role(*in.Body.Role)
		change.Role = &role
	}
	return nil, s.change(ctx, in.IDPath, change)
}

func (s *Server) removePerson(ctx context.Context, in *IDPath) (*struct{}, error) {
	return nil, s.change(ctx, *in, account.PersonChange{Removed: true})
}

func (s *Server) change(ctx context.Context, in IDPath, change account.PersonChange) error {
	person, err := in.read()
	if err != nil {
		return err
	}
	var ended []id.ID
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) (err error) {
		ended, err = account.ChangePerson(ctx, tx, companyOf(ctx), person, change, s.now())
		return err
	})
	if err != nil {
		return err
	}
	for _, session := range ended {
		s.sockets.closeSession(session)
	}
	slog.Info("a person was changed", "person", person, "removed", change.Removed, "user", who(ctx).User.ID, "request", requestID(ctx))
	return nil
}

func (s *Server) listInvitations(ctx context.Context, _ *struct{}) (*Out[InvitationList], error) {
	list := InvitationList{Items: []Invitation{}}
	err := s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		invitations, err := account.ListInvitations(ctx, tx, companyOf(ctx))
		for _, i := range invitations {
			list.Items = append(list.Items, Invitation{ID: i.ID.String(), Email: i.Email, Role: string(i.Role), By: i.By,
				At: i.At.UTC(), Until: i.Until.UTC(), Expired: !i.Until.After(s.now())})
		}
		return err
	})
	return out(list), err
}

func (s *Server) invite(ctx context.Context, in *inviteIn) (*struct{}, error) {
	return nil, s.mailing(func() error {
		return s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
			invitation, err := account.Invite(ctx, tx, companyOf(ctx), who(ctx).User.ID, in.Body.Email, account.Role(in.Body.Role), s.PublicURL, s.Lifetimes.Invitation, s.now())
			audit.About(ctx, invitation)
			return err
		})
	})
}

func (s *Server) inviteAgain(ctx context.Context, in *IDPath) (*struct{}, error) {
	invitation, err := in.read()
	if err != nil {
		return nil, err
	}
	return nil, s.mailing(func() error {
		return s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
			return account.InviteAgain(ctx, tx, companyOf(ctx), invitation, s.PublicURL, s.Lifetimes.Invitation, s.now())
		})
	})
}

func (s *Server) revokeInvitation(ctx context.Context, in *IDPath) (*struct{}, error) {
	invitation, err := in.read()
	if err != nil {
		return nil, err
	}
	return nil, s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		return account.RevokeInvitation(ctx, tx, companyOf(ctx), invitation, s.now())
	})
}
