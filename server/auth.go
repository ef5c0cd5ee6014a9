package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"omnidesk/internal/account"
)

// User is the person who is signed in.
type User struct {
	ID                 string `json:"id"`
	Name               string `json:"name"`
	Email              string `json:"email"`
	Role               string `json:"role" enum:"superadmin,admin,user"`
	MustChangePassword bool   `json:"must_change_password"`
	Verified           bool   `json:"verified" doc:"the address is confirmed; without that little is allowed"`
}

// Company is a tenant.
type Company struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Zone string `json:"zone" doc:"IANA zone"`
	Demo bool   `json:"demo"`

	Setup string `json:"setup" enum:"new,open,done" doc:"how its first steps stand: nobody has begun, begun, or through"`
}

// Build tells what runs.
type Build struct {
	Version    string `json:"version"`
	Sandbox    bool   `json:"sandbox"`
	SandboxURL string `json:"sandbox_url,omitempty"`
}

// Me is who is signed in, where they act and what runs.
type Me struct {
	User       User     `json:"user"`
	Company    *Company `json:"company,omitempty" doc:"absent for a superadmin who has entered none"`
	Build      Build    `json:"build"`
	TemporalUI bool     `json:"temporal_ui" doc:"whether /temporal answers this person"`
}

// agent is where a request comes from; it is no part of the contract.
type agent struct {
	address netip.Addr
	name    string
	cookie  *http.Cookie
	server  *Server
}

// Resolve reads it before the handler runs.
func (a *agent) Resolve(ctx huma.Context) []error {
	r := humagin.Unwrap(ctx).Request
	if s, ok := r.Context().Value(serverKey{}).(*Server); ok {
		a.server, a.address = s, s.clientIP(r)
	}
	a.name = r.UserAgent()
	if cookies := r.CookiesNamed(cookieName); len(cookies) == 1 {
		a.cookie = cookies[0]
	}
	return nil
}

type serverKey struct{}

type sessionOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Me
}

type cookieOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type loginIn struct {
	agent
	Body struct {
		Email    string `json:"email" maxLength:"254" minLength:"1"`
		Password string `json:"password" maxLength:"512" minLength:"1"`
	}
}

type passwordIn struct {
	agent
	Body struct {
		Current string `json:"current_password" maxLength:"512" minLength:"1"`
		New     string `json:"new_password" maxLength:"512" minLength:"1"`
	}
}

type logoutIn struct{ agent }

const authBody = 8 << 10

func (s *Server) authRoutes() {
	register(s, op("login", http.MethodPost, "/auth/login", "auth", "Sign in", body(authBody),
		describe("After 5 failed attempts from one address for one account, the answer is 429 with Retry-After.")), s.login)
	register(s, op("logout", http.MethodPost, "/auth/logout", "auth", "Sign out", status(http.StatusNoContent)), s.logout)
	register(s, op("me", http.MethodGet, "/auth/me", "auth", "Who is signed in"), s.me)
	register(s, op("changePassword", http.MethodPost, "/auth/password", "auth", "Change the own password", body(authBody),
		status(http.StatusNoContent), describe("Ends every other session of this person.")), s.changePassword)
}

func (s *Server) login(ctx context.Context, in *loginIn) (*sessionOut, error) {
	token, principal, err := s.logins.Login(ctx, in.Body.Email, in.Body.Password, in.address, in.name)
	if err != nil {
		s.metrics.logins.WithLabelValues(loginResult(err)).Inc()
		return nil, err
	}
	s.metrics.logins.WithLabelValues("ok").Inc()
	s.noteEntry(ctx, "login", homeOf(principal), principal.User.ID, in.address)
	slog.Info("signed in", "user", principal.User.ID, "session", principal.Session, "request", requestID(ctx))
	return &sessionOut{SetCookie: s.cookie(token, s.logins.CookieLife()), Body: s.meOf(principal)}, nil
}

func loginResult(err error) string {
	var backoff account.BackoffError
	switch {
	case errors.Is(err, account.ErrWrongLogin):
		return "wrong"
	case errors.As(err, &backoff):
		return "backoff"
	}
	return "error"
}

// logout is public, so that a session which has ended already can still lose its cookie.
func (s *Server) logout(ctx context.Context, in *logoutIn) (*cookieOut, error) {
	if in.cookie != nil {
		principal, err := s.logins.Authenticate(ctx, in.cookie.Value)
		if err != nil && !errors.Is(err, account.ErrNoSession) {
			return nil, err
		}
		if err == nil {
			if err := s.logins.Logout(ctx, principal.Session); err != nil {
				return nil, err
			}
			s.sockets.closeSession(principal.Session)
		}
	}
	return &cookieOut{SetCookie: s.cookie("", -1)}, nil
}

func (s *Server) me(ctx context.Context, _ *struct{}) (*Out[Me], error) {
	return out(s.meOf(who(ctx))), nil
}

func (s *Server) changePassword(ctx context.Context, in *passwordIn) (*cookieOut, error) {
	caller := who(ctx)
	token, err := s.logins.ChangePassword(ctx, caller, in.Body.Current, in.Body.New, in.address, in.name)
	if errors.Is(err, account.ErrWrongLogin) {
		return nil, unfit("current_password", "The current password is wrong.")
	}
	if err != nil {
		return nil, err
	}
	slog.Info("password changed", "user", caller.User.ID, "request", requestID(ctx))
	return &cookieOut{SetCookie: s.cookie(token, s.logins.CookieLife())}, nil
}

// cookie has every attribute that keeps the session from scripts, other sites and, behind TLS, plain HTTP.
func (s *Server) cookie(token string, life time.Duration) http.Cookie {
	return http.Cookie{Name: cookieName, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(s.PublicURL, "https://"), MaxAge: int(max(life, -time.Second) / time.Second)}
}

func (s *Server) meOf(p account.Principal) Me {
	me := Me{
		User: User{ID: p.User.ID.String(), Name: p.User.Name, Email: p.User.Email, Role: string(p.User.Role),
			MustChangePassword: p.User.MustChangePassword, Verified: p.User.Verified},
		Build:      Build{Version: s.Version, Sandbox: s.SandboxURL != "", SandboxURL: s.SandboxURL},
		TemporalUI: s.TemporalUI != "" && p.User.Role == account.Superadmin,
	}
	if p.Company != nil {
		company := companyView(*p.Company)
		me.Company = &company
	}
	return me
}

func companyView(c account.Company) Company {
	return Company{ID: c.ID.String(), Name: c.Name, Zone: c.Zone, Demo: c.Demo, Setup: c.Setup}
}
