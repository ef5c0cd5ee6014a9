package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/send"
)

// checkTime is how long a live check may take.
const checkTime = 10 * time.Second

// Line is one thing a check looked at.
type Line struct {
	Subject string `json:"subject" enum:"token,app,number,account,webhook,quality"`
	Verdict string `json:"verdict" enum:"good,poor,bad,unseen" doc:"bad keeps the connection from sending; unseen needs something else first"`
	Detail  string `json:"detail"`
}

// Probe is what a provider says about data that nobody has saved.
type Probe struct {
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Number string `json:"number" doc:"E.164, empty when the number did not answer"`
	Name   string `json:"name" doc:"the verified name"`
	Checks []Line `json:"checks"`
}

// ProbeInput is a connection as far as it has been typed.
type ProbeInput struct {
	ConnectionID string `json:"connection_id,omitempty" format:"uuid" doc:"a saved connection: what is empty here is taken from it"`
	AppID        string `json:"app_id,omitempty" maxLength:"64"`
	AppSecret    string `json:"app_secret,omitempty" maxLength:"256"`
	AccountID    string `json:"account_id,omitempty" maxLength:"64"`
	NumberID     string `json:"number_id,omitempty" maxLength:"64"`
	Token        string `json:"token,omitempty" maxLength:"1024"`
}

type probeIn struct{ Body ProbeInput }

func (s *Server) connectionCheckRoutes() {
	register(s, op("checkConnection", http.MethodPost, "/connections/{id}/check", "connections", "Ask the provider whether it works"), s.checkConnection)
	register(s, op("probeConnection", http.MethodPost, "/connections/probe", "connections", "Ask the provider about data that is not saved", body(16<<10),
		describe("For forms: answers what can be said about as much as has been typed. Nothing is kept.")), s.probeConnection)
	register(s, op("subscribeWebhook", http.MethodPost, "/connections/{id}/webhook", "connections", "Point the provider's webhooks at this server",
		describe("The provider calls the webhook's address at once, so it must be reachable. The connection is checked afterwards.")), s.subscribeWebhook)
}

func (s *Server) checkConnection(ctx context.Context, in *IDPath) (*Out[Connection], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	return s.check(ctx, companyOf(ctx), wanted)
}

// check asks the provider, outside any transaction, and keeps the answer. A number that was held because it
// failed is let go when it works again.
func (s *Server) check(ctx context.Context, company, wanted id.ID) (*Out[Connection], error) {
	view, account, err := s.unsealed(ctx, company, wanted)
	if err != nil {
		return nil, err
	}
	result := s.askProvider(ctx, view, account)
	if result.OK {
		if _, err := s.syncTemplates(ctx, account); err != nil {
			return nil, err
		}
	}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		if err = s.connections.KeepCheck(ctx, tx, company, wanted, result, s.now()); err != nil {
			return err
		}
		if result.OK {
			if err = send.SetTier(ctx, tx, company, wanted, result.Portfolio, result.Limit, s.now()); err != nil {
				return err
			}
			if err = send.ReleaseHold(ctx, tx, company, wanted); err != nil {
				return err
			}
		}
		view, err = s.connections.Get(ctx, tx, company, wanted)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.hint()
	s.changed(company, realtime.Connection, wanted)
	return out(s.connectionView(view)), nil
}

// unsealed reads a connection with its credentials; a deleted one is not found.
func (s *Server) unsealed(ctx context.Context, company, wanted id.ID) (view connection.View, account channel.Account, err error) {
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		if account, err = s.connections.Account(ctx, tx, company, wanted); err != nil {
			return err
		}
		view, err = s.connections.Get(ctx, tx, company, wanted)
		return err
	})
	account.Callback = callback(s.PublicURL, view.Slug)
	return view, account, err
}

// askProvider checks an account. The sandbox is told of a simulated number first: it may have lost its data, and
// our address may have changed.
func (s *Server) askProvider(ctx context.Context, view connection.View, account channel.Account) channel.Check {
	adapter := s.Adapters[account.Kind]
	if adapter == nil {
		return channel.Check{Detail: "This server has no adapter for the channel."}
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if view.Simulated {
		if s.Sandbox == nil {
			return channel.Check{Detail: "Its number is simulated, and this installation has no sandbox: delete it and add a real one."}
		}
		if err := s.Sandbox.Register(ctx, Simulated(view, account, s.PublicURL)); err != nil {
			return channel.Check{Detail: "The sandbox does not answer: start it again, then check again."}
		}
		account.Callback = "" // the sandbox has just been told it for this number alone
	}
	return adapter.Check(ctx, account)
}

// Simulated is what the sandbox has to know of a simulated connection on a server at publicURL.
func Simulated(view connection.View, account channel.Account, publicURL string) SimulatedNumber {
	return SimulatedNumber{ID: account.NumberID, Display: view.Number, Name: view.Name, AccountID: account.AccountID, AppID: account.AppID,
		AppSecret: account.AppSecret, Callback: callback(publicURL, view.Slug), VerifyToken: view.VerifyToken}
}

func (s *Server) probeConnection(ctx context.Context, in *probeIn) (*Out[Probe], error) {
	b := in.Body
	account := channel.Account{Company: companyOf(ctx), Kind: channel.WhatsAppCloud}
	var view connection.View
	if b.ConnectionID != "" {
		wanted, err := idIn("connection_id", b.ConnectionID)
		if err != nil {
			return nil, err
		}
		if view, account, err = s.unsealed(ctx, account.Company, wanted); err != nil {
			return nil, err
		}
		view.Simulated = false // what is asked about may not be what is saved
	}
	for _, typed := range []struct {
		value  string
		target *string
	}{{b.AppID, &account.AppID}, {b.AppSecret, &account.AppSecret}, {b.AccountID, &account.AccountID}, {b.NumberID, &account.NumberID}, {b.Token, &account.Token}} {
		if value := strings.TrimSpace(typed.value); value != "" {
			*typed.target = value
		}
	}
	account.Callback = ""
	result := s.askProvider(ctx, view, account)
	return out(Probe{OK: result.OK, Detail: result.Detail, Number: result.Number, Name: result.Name, Checks: linesOf(result.Lines)}), nil
}

// subscriber is an adapter that can point a provider's webhooks.
type subscriber interface {
	Subscribe(ctx context.Context, account channel.Account, callbackURL, verifyToken string) error
}

func (s *Server) subscribeWebhook(ctx context.Context, in *IDPath) (*Out[Connection], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	view, account, err := s.unsealed(ctx, company, wanted)
	if err != nil {
		return nil, err
	}
	adapter, can := s.Adapters[account.Kind].(subscriber)
	if !can {
		return nil, problemOf(http.StatusConflict, "", "The webhooks of this channel are pointed at the provider's own pages.")
	}
	asked, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if err := adapter.Subscribe(asked, account, account.Callback, view.VerifyToken); err != nil {
		return nil, problemOf(http.StatusConflict, "provider-refused", sentence(err))
	}
	return s.check(ctx, company, wanted)
}

func linesOf(lines []channel.Line) []Line {
	list := make([]Line, len(lines))
	for i, line := range lines {
		list[i] = Line{Subject: line.Subject, Verdict: string(line.Verdict), Detail: line.Detail}
	}
	return list
}
