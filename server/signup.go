package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"omnidesk/internal/account"
	"omnidesk/internal/id"
)

// LoginOptions tell what else a login page can offer.
type LoginOptions struct {
	SignUp bool `json:"sign_up" doc:"strangers may make a company of their own"`
	Mail   bool `json:"mail" doc:"mail can be sent: a forgotten password can be replaced"`

	Mailbox string `json:"mailbox,omitempty" doc:"the page on which the sandbox shows every mail; absent when mail is real"`
}

// InvitationView is what somebody is invited to.
type InvitationView struct {
	Company string `json:"company"`
	Email   string `json:"email"`
	Role    string `json:"role" enum:"admin,user"`
	By      string `json:"by,omitempty" doc:"who invites"`
}

type signUpIn struct {
	agent
	Body struct {
		Company  string `json:"company" maxLength:"100"`
		Zone     string `json:"zone" maxLength:"64" doc:"IANA zone"`
		Name     string `json:"name" maxLength:"100" doc:"of the person"`
		Email    string `json:"email" maxLength:"254"`
		Password string `json:"password" maxLength:"512"`
	}
}

type emailIn struct {
	agent
	Body struct {
		Email string `json:"email" maxLength:"254"`
	}
}

type tokenIn struct {
	agent
	Body struct {
		Token string `json:"token" maxLength:"200" doc:"what follows # in the link of the mail"`
	}
}

type resetIn struct {
	agent
	Body struct {
		Token    string `json:"token" maxLength:"200"`
		Password string `json:"new_password" maxLength:"512"`
	}
}

type acceptIn struct {
	agent
	Body struct {
		Token    string `json:"token" maxLength:"200"`
		Name     string `json:"name" maxLength:"100"`
		Password string `json:"password" maxLength:"512"`
	}
}

type askEmailIn struct {
	agent
	Body struct {
		Email    string `json:"email" maxLength:"254"`
		Password string `json:"current_password" maxLength:"512"`
	}
}

type askVerifyIn struct{ agent }

func (s *Server) signUpRoutes() {
	register(s, op("loginOptions", http.MethodGet, "/auth/options", "auth", "What a login page can offer"), s.loginOptions)
	register(s, op("signUp", http.MethodPost, "/auth/signup", "auth", "Make a company of one's own", status(http.StatusAccepted), body(authBody),
		describe("The answer is the same for an address that has an account; its owner is told by mail.")), s.signUp)
	register(s, op("askVerify", http.MethodPost, "/auth/verify/mail", "auth", "Have the link that confirms the address sent again", status(http.StatusAccepted), body(authBody)), s.askVerify)
	register(s, op("verifyEmail", http.MethodPost, "/auth/verify", "auth", "Confirm the own address", status(http.StatusNoContent), body(authBody)), s.verifyEmail)
	register(s, op("askReset", http.MethodPost, "/auth/reset/mail", "auth", "Have a link for a new password sent", status(http.StatusAccepted), body(authBody),
		describe("The answer is the same for an address that nobody has.")), s.askReset)
	register(s, op("resetPassword", http.MethodPost, "/auth/reset", "auth", "Choose a new password and sign in", body(authBody),
		describe("Ends every session of this person.")), s.resetPassword)
	register(s, op("askEmail", http.MethodPost, "/auth/email/mail", "auth", "Have a link sent to a new address of one's own", status(http.StatusAccepted), body(authBody)), s.askEmail)
	register(s, op("changeEmail", http.MethodPost, "/auth/email", "auth", "Sign in with the new address from now on", status(http.StatusNoContent), body(authBody),
		describe("The old address is told.")), s.changeEmail)
	register(s, op("showInvitation", http.MethodPost, "/auth/invitation/show", "auth", "What a link invites to", body(authBody)), s.showInvitation)
	register(s, op("acceptInvitation", http.MethodPost, "/auth/invitation", "auth", "Accept an invitation and sign in", body(authBody)), s.acceptInvitation)
}

// needMail refuses what would wait for a mail that nobody sends.
func (s *Server) needMail() error {
	if s.CanMail {
		return nil
	}
	return problemOf(http.StatusServiceUnavailable, "no-mail", "This installation sends no mail. Its operator can set OMNIDESK_SES_REGION and OMNIDESK_MAIL_FROM.")
}

func (s *Server) loginOptions(context.Context, *struct{}) (*Out[LoginOptions], error) {
	return out(LoginOptions{SignUp: s.SignUp && s.CanMail, Mail: s.CanMail, Mailbox: s.Mailbox}), nil
}

func (s *Server) signUp(ctx context.Context, in *signUpIn) (*struct{}, error) {
	if !s.SignUp {
		return nil, problemOf(http.StatusForbidden, "no-sign-up", "Sign-up is switched off here; ask an admin of your company for an invitation.")
	}
	return nil, s.mailing(func() error {
		company, founder, err := s.logins.SignUp(ctx, account.NewAccount{Company: in.Body.Company, Zone: in.Body.Zone, Name: in.Body.Name, Email: in.Body.Email, Password: in.Body.Password}, in.address, s.PublicURL)
		if err == nil && founder != id.Nil {
			s.noteEntry(ctx, "signUp", company, founder, in.address)
		}
		return err
	})
}

// mailing does what puts a mail into the outbox.
func (s *Server) mailing(do func() error) error {
	if err := s.needMail(); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	s.hint()
	return nil
}

func (s *Server) askVerify(ctx context.Context, in *askVerifyIn) (*struct{}, error) {
	return nil, s.mailing(func() error { return s.logins.AskVerify(ctx, who(ctx), in.address, s.PublicURL) })
}

func (s *Server) verifyEmail(ctx context.Context, in *tokenIn) (*struct{}, error) {
	if err := s.logins.Verify(ctx, who(ctx), in.Body.Token); err != nil {
		return nil, err
	}
	slog.Info("an address was confirmed", "user", who(ctx).User.ID, "request", requestID(ctx))
	return nil, nil
}

func (s *Server) askReset(ctx context.Context, in *emailIn) (*struct{}, error) {
	return nil, s.mailing(func() error { return s.logins.AskReset(ctx, in.Body.Email, in.address, s.PublicURL) })
}

func (s *Server) resetPassword(ctx context.Context, in *resetIn) (*sessionOut, error) {
	token, principal, err := s.logins.Reset(ctx, in.Body.Token, in.Body.Password, in.address, in.name)
	if err != nil {
		return nil, err
	}
	s.noteEntry(ctx, "resetPassword", homeOf(principal), principal.User.ID, in.address)
	slog.Info("a password was reset", "user", principal.User.ID, "session", principal.Session, "request", requestID(ctx))
	return &sessionOut{SetCookie: s.cookie(token, s.logins.CookieLife()), Body: s.meOf(principal)}, nil
}

func (s *Server) askEmail(ctx context.Context, in *askEmailIn) (*struct{}, error) {
	err := s.mailing(func() error {
		return s.logins.AskEmail(ctx, who(ctx), in.Body.Email, in.Body.Password, in.address, s.PublicURL)
	})
	if errors.Is(err, account.ErrWrongLogin) {
		err = unfit("current_password", "The password is wrong.")
	}
	return nil, err
}

func (s *Server) changeEmail(ctx context.Context, in *tokenIn) (*struct{}, error) {
	err := s.mailing(func() error { return s.logins.ChangeEmail(ctx, who(ctx), in.Body.Token, s.PublicURL) })
	if errors.Is(err, account.ErrEmailTaken) {
		return nil, problemOf(http.StatusConflict, "email-taken", "Another person signs in with this address by now; choose another.")
	}
	if err != nil {
		return nil, err
	}
	slog.Info("a person changed their address", "user", who(ctx).User.ID, "request", requestID(ctx))
	return nil, nil
}

func (s *Server) showInvitation(ctx context.Context, in *tokenIn) (*Out[InvitationView], error) {
	i, company, err := s.logins.Invited(ctx, in.Body.Token)
	return out(InvitationView{Company: company, Email: i.Email, Role: string(i.Role), By: i.By}), err
}

func (s *Server) acceptInvitation(ctx context.Context, in *acceptIn) (*sessionOut, error) {
	token, principal, err := s.logins.Accept(ctx, in.Body.Token, in.Body.Name, in.Body.Password, in.address, in.name)
	if errors.Is(err, account.ErrEmailTaken) {
		return nil, problemOf(http.StatusConflict, "email-taken", "This address has an account at OmniDesk already. Ask for an invitation to another address.")
	}
	if err != nil {
		return nil, err
	}
	s.noteEntry(ctx, "acceptInvitation", homeOf(principal), principal.User.ID, in.address)
	slog.Info("an invitation was accepted", "user", principal.User.ID, "session", principal.Session, "request", requestID(ctx))
	return &sessionOut{SetCookie: s.cookie(token, s.logins.CookieLife()), Body: s.meOf(principal)}, nil
}
