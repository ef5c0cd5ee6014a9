package server

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"omnidesk/internal/account"
)

// Session is one place where a person is signed in.
type Session struct {
	ID       string    `json:"id"`
	This     bool      `json:"this" doc:"the one that asks"`
	Device   string    `json:"device" doc:"in words, such as Firefox on Windows"`
	Network  string    `json:"network,omitempty" doc:"where it was begun, such as 192.0.2.0/24"`
	Began    time.Time `json:"began_at"`
	LastSeen time.Time `json:"last_seen_at" doc:"to the minute"`
	Until    time.Time `json:"until" doc:"it ends then at the latest"`
}

// SessionList is a whole list, the last used first.
type SessionList struct {
	Items []Session `json:"items"`
}

func (s *Server) sessionRoutes() {
	register(s, op("listSessions", http.MethodGet, "/auth/sessions", "auth", "Where the caller is signed in"), s.listSessions)
	register(s, op("endSession", http.MethodDelete, "/auth/sessions/{id}", "auth", "End one of the caller's sessions", status(http.StatusNoContent),
		describe("The one that asks ends by signing out.")), s.endSession)
	register(s, op("endOtherSessions", http.MethodDelete, "/auth/sessions", "auth", "End the caller's other sessions", status(http.StatusNoContent)), s.endOtherSessions)
}

func (s *Server) listSessions(ctx context.Context, _ *struct{}) (*Out[SessionList], error) {
	caller := who(ctx)
	sessions, err := s.logins.Sessions(ctx, caller)
	list := SessionList{Items: []Session{}}
	for _, one := range sessions {
		list.Items = append(list.Items, sessionView(one, one.ID == caller.Session))
	}
	return out(list), err
}

func sessionView(one account.Session, this bool) Session {
	return Session{ID: one.ID.String(), This: this, Device: one.Device, Network: one.Network, Began: one.Began.UTC(), LastSeen: one.LastSeen.UTC(), Until: one.Until.UTC()}
}

func (s *Server) endSession(ctx context.Context, in *IDPath) (*struct{}, error) {
	session, err := in.read()
	if err != nil {
		return nil, err
	}
	caller := who(ctx)
	if session == caller.Session {
		return nil, problemOf(http.StatusConflict, "this-session", "This is the session you are using; sign out to end it.")
	}
	if err := s.logins.EndSession(ctx, caller, session); err != nil {
		return nil, err
	}
	s.sockets.closeSession(session)
	slog.Info("a session was ended", "user", caller.User.ID, "session", session, "request", requestID(ctx))
	return nil, nil
}

func (s *Server) endOtherSessions(ctx context.Context, _ *struct{}) (*struct{}, error) {
	caller := who(ctx)
	ended, err := s.logins.EndOtherSessions(ctx, caller)
	if err != nil {
		return nil, err
	}
	for _, session := range ended {
		s.sockets.closeSession(session)
	}
	slog.Info("other sessions were ended", "user", caller.User.ID, "sessions", len(ended), "request", requestID(ctx))
	return nil, nil
}
