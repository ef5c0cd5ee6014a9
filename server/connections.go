package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"omnidesk/internal/audit"
	"omnidesk/internal/connection"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/send"
)

// Connection is a linked number. Its app secret and token are never given out.
type Connection struct {
	ID          string     `json:"id"`
	Channel     string     `json:"channel" enum:"whatsapp_cloud"`
	Name        string     `json:"name"`
	AppID       string     `json:"app_id"`
	AccountID   string     `json:"account_id" doc:"WhatsApp Business Account"`
	NumberID    string     `json:"number_id"`
	Number      string     `json:"number" doc:"E.164, empty before a check succeeded"`
	State       string     `json:"state" enum:"unchecked,connected,failing" doc:"what the last check said"`
	StateDetail string     `json:"state_detail"`
	CheckedAt   *time.Time `json:"checked_at,omitempty"`
	Quality     string     `json:"quality" doc:"the provider's word about the number, such as GREEN; empty when not known"`
	Limit       int        `json:"messaging_limit" doc:"contacts outside an open window it may write to in 24 hours; 0: not known, -1: no limit"`
	Checks      []Line     `json:"checks" doc:"the last check, line by line"`
	TokenEnds   *time.Time `json:"token_ends_at,omitempty" doc:"absent: never, or not known"`
	Alert       string     `json:"alert" doc:"what the provider warned of last, and what to do; a good check ends it"`
	SilentSince *time.Time `json:"silent_since,omitempty" doc:"nothing was heard since then, longer than usual, while it sends"`
	PastSecret  *time.Time `json:"past_secret_until,omitempty" doc:"until then webhooks signed with the app secret of before are believed, too"`
	Simulated   bool       `json:"simulated" doc:"its number lives in the sandbox"`
	DisabledAt  *time.Time `json:"disabled_at,omitempty" doc:"nothing is sent on it since"`
	DeletedAt   *time.Time `json:"deleted_at,omitempty" doc:"only its history is left"`
	WebhookURL  string     `json:"webhook_url" doc:"the callback address to enter at Meta; empty for a user"`
	VerifyToken string     `json:"verify_token" doc:"the verify token to enter at Meta; empty for a user"`
	Department  *string    `json:"department_id,omitempty" doc:"whose users see it, besides admins; absent: every user"`
	CreatedAt   time.Time  `json:"created_at"`
}

// ConnectionList is a whole list.
type ConnectionList struct {
	Items      []Connection `json:"items"`
	NextCursor string       `json:"next_cursor"`
}

// ConnectionInput is a new connection.
type ConnectionInput struct {
	Name        string `json:"name" minLength:"1" maxLength:"100"`
	AppID       string `json:"app_id" minLength:"1" maxLength:"64" pattern:"^[0-9]+$" patternDescription:"digits"`
	AppSecret   string `json:"app_secret" minLength:"16" maxLength:"256"`
	AccountID   string `json:"account_id" minLength:"1" maxLength:"64" pattern:"^[0-9]+$" patternDescription:"digits"`
	NumberID    string `json:"number_id" minLength:"1" maxLength:"64" pattern:"^[0-9]+$" patternDescription:"digits"`
	Token       string `json:"token" minLength:"1" maxLength:"1024"`
	VerifyToken string `json:"verify_token,omitempty" maxLength:"256" doc:"made when empty"`
	Department  string `json:"department_id,omitempty" format:"uuid" doc:"whose users see it, besides admins; absent: every user"`
}

// ConnectionPatch changes some fields.
type ConnectionPatch struct {
	Name        *string `json:"name,omitempty" minLength:"1" maxLength:"100" nullable:"false"`
	AppID       *string `json:"app_id,omitempty" minLength:"1" maxLength:"64" pattern:"^[0-9]+$" patternDescription:"digits" nullable:"false"`
	AppSecret   *string `json:"app_secret,omitempty" minLength:"16" maxLength:"256" nullable:"false"`
	PastSecret  *int    `json:"past_secret_hours,omitempty" minimum:"0" maximum:"168" nullable:"false" doc:"how long webhooks signed with the app secret of before are believed from now on; 24 when the secret changes without it; 0 ends it at once"`
	AccountID   *string `json:"account_id,omitempty" minLength:"1" maxLength:"64" pattern:"^[0-9]+$" patternDescription:"digits" nullable:"false"`
	NumberID    *string `json:"number_id,omitempty" minLength:"1" maxLength:"64" pattern:"^[0-9]+$" patternDescription:"digits" nullable:"false"`
	Token       *string `json:"token,omitempty" minLength:"1" maxLength:"1024" nullable:"false"`
	VerifyToken *string `json:"verify_token,omitempty" minLength:"8" maxLength:"256" nullable:"false"`

	Department Optional[string] `json:"department_id,omitempty" doc:"null: every user sees it"`
}

type connectionIn struct{ Body ConnectionInput }

type connectionPatchIn struct {
	IDPath
	Body ConnectionPatch
}

func (s *Server) connectionRoutes() {
	register(s, op("listConnections", http.MethodGet, "/connections", "connections", "All connections"), s.listConnections)
	register(s, op("createConnection", http.MethodPost, "/connections", "connections", "Link a number", status(http.StatusCreated), body(16<<10),
		describe("Asks the provider whether it works. It is kept either way; its state tells.")), s.createConnection)
	register(s, op("getConnection", http.MethodGet, "/connections/{id}", "connections", "One connection"), s.getConnection)
	register(s, op("updateConnection", http.MethodPatch, "/connections/{id}", "connections", "Change a connection", body(16<<10),
		describe("Changed credentials are checked at once.")), s.updateConnection)
	s.connectionCheckRoutes()
	s.connectionActionRoutes()
	s.limitRoutes()
}

func (s *Server) listConnections(ctx context.Context, _ *struct{}) (*Out[ConnectionList], error) {
	list := ConnectionList{Items: []Connection{}}
	company := companyOf(ctx)
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		views, err := s.connections.List(ctx, tx, company, departmentsOf(ctx))
		for _, view := range views {
			list.Items = append(list.Items, s.connectionFor(ctx, view))
		}
		return err
	})
	return out(list), err
}

func (s *Server) createConnection(ctx context.Context, in *connectionIn) (*Out[Connection], error) {
	company := companyOf(ctx)
	b := in.Body
	draft := connection.Draft{Name: strings.TrimSpace(b.Name), AppID: b.AppID, AppSecret: strings.TrimSpace(b.AppSecret),
		AccountID: b.AccountID, NumberID: b.NumberID, Token: strings.TrimSpace(b.Token), VerifyToken: b.VerifyToken}
	if draft.Name == "" {
		return nil, unfit("name", "is empty")
	}
	if err := giveTo(&draft, b.Department); err != nil {
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

// giveTo reads whose users see a new connection; empty: every user.
func giveTo(draft *connection.Draft, department string) error {
	if department == "" {
		return nil
	}
	read, err := idIn("department_id", department)
	draft.Department = &read
	return err
}

// addConnection adds a connection with the limits that its channel's numbers have.
func (s *Server) addConnection(ctx context.Context, tx postgres.Tx, company id.ID, draft connection.Draft) (connection.View, error) {
	view, err := s.connections.Create(ctx, tx, company, draft)
	if err != nil {
		return view, err
	}
	audit.About(ctx, view.ID)
	return view, send.SetLimits(ctx, tx, company, view.ID, pace.Defaults(string(view.Channel)), s.now())
}

func (s *Server) getConnection(ctx context.Context, in *IDPath) (*Out[Connection], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	view, err := s.readConnection(ctx, companyOf(ctx), wanted)
	return out(s.connectionFor(ctx, view)), err
}

func (s *Server) readConnection(ctx context.Context, company, wanted id.ID) (view connection.View, err error) {
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		view, err = s.connections.See(ctx, tx, company, wanted, departmentsOf(ctx))
		return err
	})
	return view, err
}

func (s *Server) updateConnection(ctx context.Context, in *connectionPatchIn) (*Out[Connection], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	b, company := in.Body, companyOf(ctx)
	for _, text := range []*string{b.Name, b.AppSecret, b.Token} {
		if text != nil {
			*text = strings.TrimSpace(*text)
		}
	}
	if b.Name != nil && *b.Name == "" {
		return nil, unfit("name", "is empty")
	}
	change := connection.Change{Name: b.Name, AppID: b.AppID, AppSecret: b.AppSecret, AccountID: b.AccountID,
		NumberID: b.NumberID, Token: b.Token, VerifyToken: b.VerifyToken}
	if b.PastSecret != nil {
		keep := time.Duration(*b.PastSecret) * time.Hour
		change.PastSecretFor = &keep
	}
	if b.Department.Sent {
		var department *id.ID
		if text := b.Department.Value; text != nil {
			read, err := idIn("department_id", *text)
			if err != nil {
				return nil, err
			}
			department = &read
		}
		change.Department = &department
	}
	var view connection.View
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		view, err = s.connections.Update(ctx, tx, company, wanted, change, s.now())
		return err
	})
	if err != nil {
		return nil, err
	}
	if view.State == connection.Unchecked {
		return s.check(ctx, company, wanted)
	}
	s.changed(company, realtime.Connection, wanted)
	return out(s.connectionView(view)), nil
}

// connectionFor leaves out what a user has no use for and could do harm with.
func (s *Server) connectionFor(ctx context.Context, v connection.View) Connection {
	view, caller := s.connectionView(v), who(ctx)
	if levelOf(&caller) < admin {
		view.WebhookURL, view.VerifyToken = "", ""
	}
	return view
}

func (s *Server) connectionView(v connection.View) Connection {
	if v.PastSecret != nil && !v.PastSecret.After(s.now()) {
		v.PastSecret = nil
	}
	return Connection{ID: v.ID.String(), Channel: string(v.Channel), Name: v.Name, AppID: v.AppID, AccountID: v.AccountID,
		NumberID: v.NumberID, Number: v.Number, State: v.State, StateDetail: v.StateDetail, CheckedAt: utc(v.CheckedAt),
		Quality: v.Quality, Limit: v.Limit,
		Checks: linesOf(v.Checks), TokenEnds: utc(v.TokenEnds), Simulated: v.Simulated, DisabledAt: utc(v.DisabledAt), DeletedAt: utc(v.DeletedAt),
		WebhookURL: callback(s.PublicURL, v.Slug), VerifyToken: v.VerifyToken, CreatedAt: v.CreatedAt.UTC(),
		Department: idText(v.Department), Alert: v.Alert, SilentSince: utc(v.SilentSince), PastSecret: utc(v.PastSecret)}
}

// callback is where a connection's webhooks arrive.
func callback(publicURL, slug string) string {
	return strings.TrimSuffix(publicURL, "/") + metaPath + slug
}
