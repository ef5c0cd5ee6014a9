package server

import (
	"context"
	"log/slog"
	"net/http"

	"omnidesk/internal/account"
	"omnidesk/internal/audit"
	"omnidesk/internal/campaign"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

type removeDemoIn struct{ agent }

func (s *Server) demoRoutes() {
	register(s, op("removeDemo", http.MethodDelete, "/demo", "companies", "Remove the demo company for good",
		describe("Cancels its campaigns and deletes all it has. The session goes on in an empty company; a superadmin's in none.")), s.removeDemo)
}

// removeDemo first ends what sends: a workflow that is woken then finds nothing to do, and later nothing at all.
func (s *Server) removeDemo(ctx context.Context, in *removeDemoIn) (*sessionOut, error) {
	audit.In(ctx, audit.Platform) // what the demo company has is deleted, its log as well
	caller := who(ctx)
	if !caller.Company.Demo {
		return nil, account.ErrNoDemo
	}
	for _, state := range []campaign.State{campaign.Starting, campaign.Scheduled, campaign.Running, campaign.Paused} {
		if err := s.cancelAll(ctx, caller.Company.ID, state); err != nil {
			return nil, err
		}
	}
	s.hint()
	// Not ended halfway because a browser was closed.
	token, principal, err := s.logins.RemoveDemo(context.WithoutCancel(ctx), caller, in.name)
	if err != nil {
		return nil, err
	}
	s.sockets.closeSession(caller.Session)
	slog.Info("the demo company was removed", "user", caller.User.ID, "request", requestID(ctx))
	return &sessionOut{SetCookie: s.cookie(token, s.logins.CookieLife()), Body: s.meOf(principal)}, nil
}

func (s *Server) cancelAll(ctx context.Context, company id.ID, state campaign.State) error {
	return s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		found, err := campaign.List(ctx, tx, company, contact.First, state, 1000)
		if err != nil {
			return err
		}
		for _, c := range found {
			if err := s.cancel(ctx, tx, company, c); err != nil {
				return err
			}
		}
		return nil
	})
}
