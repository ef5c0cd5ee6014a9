package server

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"

	"omnidesk/internal/connection"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/secret"
	"omnidesk/internal/send"
	"omnidesk/internal/wake"
)

// Usage is the work that is open on a connection. While there is any, it can't be deleted.
type Usage struct {
	Queued    int         `json:"queued"`
	Sending   int         `json:"sending"`
	Uncertain int         `json:"uncertain"`
	Campaigns []UsageItem `json:"campaigns" doc:"up to 50 that have not come to their end"`
}

// UsageItem is a campaign that uses a connection.
type UsageItem struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state" enum:"starting,scheduled,running,paused"`
}

type simulateIn struct {
	Body struct {
		Name       string `json:"name" minLength:"1" maxLength:"100"`
		Department string `json:"department_id,omitempty" format:"uuid" doc:"whose users see it, besides admins; absent: every user"`
	}
}

// The words that campaigns and the sender show while a connection is closed.
const (
	disabledWords = "Its connection is disabled; enable it under Connections to go on."
	deletedWords  = "Its connection was deleted."
)

func (s *Server) connectionActionRoutes() {
	register(s, op("simulateConnection", http.MethodPost, "/connections/simulated", "connections", "Add a number of the sandbox", status(http.StatusCreated), body(4<<10),
		describe("Answers 409 on an installation without a sandbox.")), s.simulateConnection)
	register(s, op("disableConnection", http.MethodPost, "/connections/{id}/disable", "connections", "Stop sending on it",
		describe("Once answered nothing more is claimed. What is queued waits until it is enabled.")), s.disableConnection)
	register(s, op("enableConnection", http.MethodPost, "/connections/{id}/enable", "connections", "Go on sending on it"), s.enableConnection)
	register(s, op("resumeConnection", http.MethodPost, "/connections/{id}/resume", "connections", "Go on sending on a connection that the provider's answers have held",
		describe("If what held it is not mended, the next message meets the same answer and holds it again. One that is disabled stays so.")), s.resumeConnection)
	register(s, op("connectionUsage", http.MethodGet, "/connections/{id}/usage", "connections", "What keeps it from being deleted"), s.connectionUsage)
	register(s, op("deleteConnection", http.MethodDelete, "/connections/{id}", "connections", "Delete a connection", status(http.StatusNoContent),
		describe("Answers 409 with the count while work is open. Secrets are wiped; the history of its campaigns stays.")), s.deleteConnection)
}

// simulateConnection adds a number made up for the sandbox. The sandbox is told by the check that follows.
func (s *Server) simulateConnection(ctx context.Context, in *simulateIn) (*Out[Connection], error) {
	name := strings.TrimSpace(in.Body.Name)
	switch {
	case s.Sandbox == nil:
		return nil, problemOf(http.StatusConflict, "no-sandbox", "This installation has no sandbox: add a number of Meta's.")
	case name == "":
		return nil, unfit("name", "is empty")
	}
	company := companyOf(ctx)
	draft := connection.Draft{Name: name, AppID: madeUpID(1), AppSecret: secret.Token(), AccountID: madeUpID(2), NumberID: madeUpID(3),
		Token: "sandbox-" + secret.Token(), Simulated: true}
	if err := giveTo(&draft, in.Body.Department); err != nil {
		return nil, err
	}
	var view connection.View
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		view, err = s.addConnection(ctx, tx, company, draft)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.check(ctx, company, view.ID)
}

// madeUpID has as many digits as one of Meta's.
func madeUpID(first int) string { return fmt.Sprintf("%d%014d", first, rand.Int64N(1e14)) }

func (s *Server) disableConnection(ctx context.Context, in *IDPath) (*Out[Connection], error) {
	return s.turn(ctx, in, "disabled", func(tx postgres.Tx, company, wanted id.ID) error {
		now := s.now()
		if err := s.connections.SetDisabled(ctx, tx, company, wanted, &now); err != nil {
			return err
		}
		return send.Close(ctx, tx, company, wanted, disabledWords, now)
	})
}

func (s *Server) enableConnection(ctx context.Context, in *IDPath) (*Out[Connection], error) {
	return s.turn(ctx, in, "enabled", func(tx postgres.Tx, company, wanted id.ID) error {
		if err := s.connections.SetDisabled(ctx, tx, company, wanted, nil); err != nil {
			return err
		}
		return send.Open(ctx, tx, company, wanted, s.now())
	})
}

func (s *Server) resumeConnection(ctx context.Context, in *IDPath) (*Out[Connection], error) {
	return s.turn(ctx, in, "resumed", func(tx postgres.Tx, company, wanted id.ID) error {
		return send.ReleaseHold(ctx, tx, company, wanted)
	})
}

// turn changes whether a connection sends, under its scope's lock, and has its campaigns look again: what they
// wait for has changed.
func (s *Server) turn(ctx context.Context, in *IDPath, what string, change func(tx postgres.Tx, company, wanted id.ID) error) (*Out[Connection], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var view connection.View
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		if _, err = s.connections.Get(ctx, tx, company, wanted); err != nil { // a foreign id must make no scope
			return err
		}
		if err = send.LockScope(ctx, tx, company, wanted); err != nil {
			return err
		}
		if err = change(tx, company, wanted); err != nil {
			return err
		}
		usage, err := connection.UsageOf(ctx, tx, company, wanted)
		if err != nil {
			return err
		}
		for _, user := range usage.Campaigns {
			if err = wake.Append(ctx, tx, company, flow.Campaign(user.ID), false); err != nil {
				return err
			}
		}
		view, err = s.connections.Get(ctx, tx, company, wanted)
		return err
	})
	if err != nil {
		return nil, err
	}
	slog.Info("a connection was "+what, "connection", wanted, "user", who(ctx).User.ID, "request", requestID(ctx))
	s.hint()
	s.changed(company, realtime.Connection, wanted)
	return out(s.connectionView(view)), nil
}

func (s *Server) connectionUsage(ctx context.Context, in *IDPath) (*Out[Usage], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	view := Usage{Campaigns: []UsageItem{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		if _, err := s.connections.Get(ctx, tx, company, wanted); err != nil {
			return err
		}
		usage, err := connection.UsageOf(ctx, tx, company, wanted)
		view.Queued, view.Sending, view.Uncertain = usage.Queued, usage.Sending, usage.Uncertain
		for _, user := range usage.Campaigns {
			view.Campaigns = append(view.Campaigns, UsageItem{ID: user.ID.String(), Name: user.Name, State: user.State})
		}
		return err
	})
	return out(view), err
}

func (s *Server) deleteConnection(ctx context.Context, in *IDPath) (*struct{}, error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		if _, err := s.connections.Get(ctx, tx, company, wanted); err != nil {
			return err
		}
		if err := send.LockScope(ctx, tx, company, wanted); err != nil {
			return err
		}
		if err := s.connections.Delete(ctx, tx, company, wanted, s.now()); err != nil {
			return err
		}
		return send.Close(ctx, tx, company, wanted, deletedWords, s.now())
	})
	if err != nil {
		return nil, err
	}
	slog.Info("a connection was deleted", "connection", wanted, "user", who(ctx).User.ID, "request", requestID(ctx))
	s.changed(company, realtime.Connection, wanted)
	return nil, nil
}
