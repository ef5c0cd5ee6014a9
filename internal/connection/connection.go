// Package connection keeps the linked numbers of a company: their settings, their sealed credentials, what the
// last check said, and where their webhooks lead.
package connection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/secret"
)

// States of a connection.
const (
	Unchecked = "unchecked"
	Connected = "connected"
	Failing   = "failing"
)

// Errors of the package.
var (
	ErrNotFound    = errors.New("no such connection")
	ErrNumberTaken = errors.New("another connection of this company has this number id")
	ErrDepartment  = errors.New("there is no such department any more; choose another one")
)

// View is a connection as people see it. The app secret and the token are not in it.
type View struct {
	ID          id.ID
	Channel     channel.Kind
	Name        string
	AppID       string
	AccountID   string
	NumberID    string
	Number      string // E.164 as the last successful check reported it, or empty
	State       string
	StateDetail string
	CheckedAt   *time.Time
	Quality     string         // the provider's word about the number, such as GREEN; empty: not known
	Limit       int            // contacts outside an open window it may write to in 24 hours; 0: not known, -1: no limit
	Checks      []channel.Line // of the last check
	TokenEnds   *time.Time     // when the token expires; nil: never, or not known
	Simulated   bool           // its number lives in the sandbox
	DisabledAt  *time.Time     // nothing is sent on it since
	DeletedAt   *time.Time     // only its history is left
	Slug        string         // the secret part of the webhook's address
	VerifyToken string         // what Meta must repeat in its challenge
	Department  *id.ID         // whose people see it; nil: everybody's
	CreatedAt   time.Time
	PastSecret  *time.Time // until when webhooks signed with the app secret of before are believed; nil or past: there is none
	Alert       string     // what the provider warned of last, and what to do; empty: nothing, or it is over
	SilentSince *time.Time // nothing was heard since, longer than usual, while it sends
}

// Draft holds what a person enters for a new connection.
type Draft struct {
	Name, AppID, AppSecret, AccountID, NumberID, Token string
	VerifyToken                                        string // empty: a random one is made
	Simulated                                          bool
	Department                                         *id.ID // nil: everybody's
}

// Change holds what a person edits; nil leaves a value as it is.
type Change struct {
	Name, AppID, AppSecret, AccountID, NumberID, Token, VerifyToken *string
	Department                                                      **id.ID        // to nil: everybody's
	PastSecretFor                                                   *time.Duration // how long the app secret of before is believed from now on; 0: no more
}

// Route is where a webhook leads.
type Route struct {
	Company, Connection id.ID
	NumberID            string
}

// Store reads and writes connections.
type Store struct{ sealer *secret.Sealer }

// NewStore returns a store that seals credentials with sealer.
func NewStore(sealer *secret.Sealer) *Store { return &Store{sealer: sealer} }

// Create adds a connection in the state unchecked and its webhook route.
func (s *Store) Create(ctx context.Context, tx postgres.Tx, company id.ID, draft Draft) (View, error) {
	row := Connection{CompanyID: company, ID: id.New(), Channel: string(channel.WhatsAppCloud), WebhookSlug: secret.Token(),
		Name: draft.Name, AppID: draft.AppID, AccountID: draft.AccountID, NumberID: draft.NumberID, Simulated: draft.Simulated, DepartmentID: draft.Department}
	if draft.VerifyToken == "" {
		draft.VerifyToken = secret.Token()
	}
	var err error
	if row.SealedAppSecret, err = s.seal(row, "app_secret", draft.AppSecret); err != nil {
		return View{}, err
	}
	if row.SealedToken, err = s.seal(row, "token", draft.Token); err != nil {
		return View{}, err
	}
	if row.SealedVerifyToken, err = s.seal(row, "verify_token", draft.VerifyToken); err != nil {
		return View{}, err
	}
	q := New(tx)
	if err := giveDepartment(ctx, q, company, row.DepartmentID); err != nil {
		return View{}, err
	}
	err = q.insertConnection(ctx, insertConnectionParams{CompanyID: company, ID: row.ID, Channel: row.Channel, Name: row.Name,
		AppID: row.AppID, AccountID: row.AccountID, NumberID: row.NumberID, WebhookSlug: row.WebhookSlug,
		SealedAppSecret: row.SealedAppSecret, SealedToken: row.SealedToken, SealedVerifyToken: row.SealedVerifyToken,
		Simulated: row.Simulated, DepartmentID: row.DepartmentID})
	if err != nil {
		return View{}, numberTaken(fmt.Errorf("adding a connection: %w", err))
	}
	if err := q.insertRoute(ctx, insertRouteParams{CompanyID: company, ConnectionID: row.ID, Slug: row.WebhookSlug, NumberID: row.NumberID, AccountID: row.AccountID}); err != nil {
		return View{}, fmt.Errorf("adding a webhook route: %w", err)
	}
	return s.Get(ctx, tx, company, row.ID)
}

// Get returns one connection, deleted ones too, or ErrNotFound.
func (s *Store) Get(ctx context.Context, tx postgres.Tx, company, connection id.ID) (View, error) {
	row, err := New(tx).getConnection(ctx, company, connection)
	if err != nil {
		return View{}, notFound("reading a connection", err)
	}
	return s.view(row)
}

// See is Get for somebody who is in some departments only: another's connection is not found. Nil departments see all.
func (s *Store) See(ctx context.Context, tx postgres.Tx, company, connection id.ID, departments []id.ID) (View, error) {
	row, err := New(tx).seeConnection(ctx, company, connection, departments)
	if err != nil {
		return View{}, notFound("reading a connection", err)
	}
	return s.view(row)
}

// List returns the connections of a company that are not deleted, oldest first: those that somebody in these departments
// may see, or all with nil.
func (s *Store) List(ctx context.Context, tx postgres.Tx, company id.ID, departments []id.ID) ([]View, error) {
	rows, err := New(tx).listConnections(ctx, company, departments)
	if err != nil {
		return nil, fmt.Errorf("listing connections: %w", err)
	}
	views := make([]View, 0, len(rows))
	for _, row := range rows {
		view, err := s.view(row)
		if err != nil {
			return nil, err
		}
		views = append(views, view)
	}
	return views, nil
}

// RouteBySlug finds the connection of a webhook's address, under the system role; ErrNotFound when there is none.
func RouteBySlug(ctx context.Context, tx postgres.Tx, slug string) (Route, error) {
	row, err := New(tx).routeBySlug(ctx, slug)
	if err != nil {
		return Route{}, notFound("finding a webhook route", err)
	}
	return Route{Company: row.CompanyID, Connection: row.ConnectionID, NumberID: row.NumberID}, nil
}

// RoutesByNumber finds the connections that claim a provider's number id, under the system role. Anybody may
// enter any number id, so a route proves nothing before its own secret has.
func RoutesByNumber(ctx context.Context, tx postgres.Tx, numberID string) ([]Route, error) {
	rows, err := New(tx).routesByNumber(ctx, numberID)
	if err != nil {
		return nil, fmt.Errorf("finding webhook routes: %w", err)
	}
	routes := make([]Route, len(rows))
	for i, row := range rows {
		routes[i] = Route{Company: row.CompanyID, Connection: row.ConnectionID, NumberID: row.NumberID}
	}
	return routes, nil
}

// RoutesByAccount finds the connections that claim a provider's account, as RoutesByNumber does.
func RoutesByAccount(ctx context.Context, tx postgres.Tx, accountID string) ([]Route, error) {
	rows, err := New(tx).routesByAccount(ctx, accountID)
	if err != nil {
		return nil, fmt.Errorf("finding webhook routes: %w", err)
	}
	routes := make([]Route, len(rows))
	for i, row := range rows {
		routes[i] = Route{Company: row.CompanyID, Connection: row.ConnectionID, NumberID: row.NumberID}
	}
	return routes, nil
}

func (s *Store) view(row Connection) (View, error) {
	verify := ""
	if row.DeletedAt == nil {
		var err error
		if verify, err = s.unseal(row, "verify_token", row.SealedVerifyToken); err != nil {
			return View{}, err
		}
	}
	var lines []channel.Line
	if err := json.Unmarshal(row.Checks, &lines); err != nil {
		return View{}, fmt.Errorf("reading the last check: %w", err)
	}
	return View{ID: row.ID, Channel: channel.Kind(row.Channel), Name: row.Name, AppID: row.AppID, AccountID: row.AccountID,
		NumberID: row.NumberID, Number: row.Number, State: row.State, StateDetail: row.StateDetail, CheckedAt: row.CheckedAt,
		Quality: row.Quality, Limit: int(row.MessagingLimit), Checks: lines, TokenEnds: row.TokenExpiresAt, Simulated: row.Simulated, DisabledAt: row.DisabledAt, DeletedAt: row.DeletedAt,
		Department: row.DepartmentID, Slug: row.WebhookSlug, VerifyToken: verify, CreatedAt: row.CreatedAt,
		PastSecret: row.PastSecretUntil, Alert: row.Alert, SilentSince: row.SilentSince}, nil
}

func place(row Connection, column string) secret.Place {
	return secret.Place{Company: row.CompanyID, Table: "connections", Column: column, Row: row.ID}
}

func (s *Store) seal(row Connection, column, plain string) ([]byte, error) {
	return s.sealer.Seal([]byte(plain), place(row, column))
}

func (s *Store) unseal(row Connection, column string, sealed []byte) (string, error) {
	plain, err := s.sealer.Unseal(sealed, place(row, column))
	return string(plain), err
}

// giveDepartment keeps a department from being deleted while a connection is given to it.
func giveDepartment(ctx context.Context, q *Queries, company id.ID, department *id.ID) error {
	if department == nil {
		return nil
	}
	_, err := q.holdDepartment(ctx, company, *department)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrDepartment
	}
	if err != nil {
		return fmt.Errorf("reading a department: %w", err)
	}
	return nil
}

func notFound(doing string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func numberTaken(err error) error {
	if postgres.IsUnique(err, "connections_number") {
		return ErrNumberTaken
	}
	return err
}
