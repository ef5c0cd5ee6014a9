// Package connection keeps the linked numbers of a company: their settings, their sealed credentials, what the
// last check said, and where their webhooks lead.
package connection

import (
	"context"
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
	Quality     string // the provider's word about the number, such as GREEN; empty: not known
	Limit       int    // contacts outside an open window it may write to in 24 hours; 0: not known, -1: no limit
	Slug        string // the secret part of the webhook's address
	VerifyToken string // what Meta must repeat in its challenge
	CreatedAt   time.Time
}

// Draft holds what a person enters for a new connection.
type Draft struct {
	Name, AppID, AppSecret, AccountID, NumberID, Token string
	VerifyToken                                        string // empty: a random one is made
}

// Change holds what a person edits; nil leaves a value as it is.
type Change struct {
	Name, AppID, AppSecret, AccountID, NumberID, Token, VerifyToken *string
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
		Name: draft.Name, AppID: draft.AppID, AccountID: draft.AccountID, NumberID: draft.NumberID}
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
	err = q.insertConnection(ctx, insertConnectionParams{CompanyID: company, ID: row.ID, Channel: row.Channel, Name: row.Name,
		AppID: row.AppID, AccountID: row.AccountID, NumberID: row.NumberID, WebhookSlug: row.WebhookSlug,
		SealedAppSecret: row.SealedAppSecret, SealedToken: row.SealedToken, SealedVerifyToken: row.SealedVerifyToken})
	if err != nil {
		return View{}, numberTaken(fmt.Errorf("adding a connection: %w", err))
	}
	if err := q.insertRoute(ctx, company, row.ID, row.WebhookSlug, row.NumberID); err != nil {
		return View{}, fmt.Errorf("adding a webhook route: %w", err)
	}
	return s.Get(ctx, tx, company, row.ID)
}

// Get returns one connection, or ErrNotFound.
func (s *Store) Get(ctx context.Context, tx postgres.Tx, company, connection id.ID) (View, error) {
	row, err := New(tx).getConnection(ctx, company, connection)
	if err != nil {
		return View{}, notFound("reading a connection", err)
	}
	return s.view(row)
}

// List returns all connections of a company, oldest first.
func (s *Store) List(ctx context.Context, tx postgres.Tx, company id.ID) ([]View, error) {
	rows, err := New(tx).listConnections(ctx, company)
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

// Update changes a connection. A change of anything but its name makes it unchecked: the last check spoke of
// other values.
func (s *Store) Update(ctx context.Context, tx postgres.Tx, company, connection id.ID, change Change) (View, error) {
	q := New(tx)
	row, err := q.lockConnection(ctx, company, connection)
	if err != nil {
		return View{}, notFound("reading a connection", err)
	}
	apply(&row.Name, change.Name)
	changed := apply(&row.AppID, change.AppID)
	changed = apply(&row.AccountID, change.AccountID) || changed
	if apply(&row.NumberID, change.NumberID) {
		changed, row.Number = true, ""
	}
	for _, sealed := range []struct {
		column string
		plain  *string
		target *[]byte
	}{
		{"app_secret", change.AppSecret, &row.SealedAppSecret},
		{"token", change.Token, &row.SealedToken},
		{"verify_token", change.VerifyToken, &row.SealedVerifyToken},
	} {
		if sealed.plain == nil {
			continue
		}
		if *sealed.target, err = s.seal(row, sealed.column, *sealed.plain); err != nil {
			return View{}, err
		}
		changed = changed || sealed.column != "verify_token"
	}
	if changed {
		row.State, row.StateDetail, row.CheckedAt = Unchecked, "", nil
	}
	if err := s.write(ctx, q, row); err != nil {
		return View{}, err
	}
	return s.view(row)
}

func (s *Store) write(ctx context.Context, q *Queries, row Connection) error {
	err := q.updateConnection(ctx, updateConnectionParams{Name: row.Name, AppID: row.AppID, AccountID: row.AccountID,
		NumberID: row.NumberID, Number: row.Number, SealedAppSecret: row.SealedAppSecret, SealedToken: row.SealedToken,
		SealedVerifyToken: row.SealedVerifyToken, State: row.State, StateDetail: row.StateDetail, CheckedAt: row.CheckedAt,
		CompanyID: row.CompanyID, ID: row.ID})
	if err != nil {
		return numberTaken(fmt.Errorf("changing a connection: %w", err))
	}
	if err := q.updateRoute(ctx, row.NumberID, row.CompanyID, row.ID); err != nil {
		return fmt.Errorf("changing a webhook route: %w", err)
	}
	return nil
}

// SetChecked keeps what a check said. An empty number leaves the known one.
func (s *Store) SetChecked(ctx context.Context, tx postgres.Tx, company, connection id.ID, state, detail, number string, at time.Time) error {
	n, err := New(tx).setChecked(ctx, setCheckedParams{State: state, StateDetail: detail, CheckedAt: &at, Number: number,
		CompanyID: company, ID: connection})
	if err != nil {
		return fmt.Errorf("keeping the result of a check: %w", err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

// SetStanding keeps what a successful check told about the number's quality and messaging limit.
func (s *Store) SetStanding(ctx context.Context, tx postgres.Tx, company, connection id.ID, quality string, limit int) error {
	err := New(tx).setStanding(ctx, quality, int32(limit), company, connection)
	if err != nil {
		return fmt.Errorf("keeping a number's standing: %w", err)
	}
	return nil
}

// Account returns a connection with its credentials unsealed, to be used at once and kept nowhere.
func (s *Store) Account(ctx context.Context, tx postgres.Tx, company, connection id.ID) (channel.Account, error) {
	row, err := New(tx).getConnection(ctx, company, connection)
	if err != nil {
		return channel.Account{}, notFound("reading a connection", err)
	}
	account := channel.Account{Company: company, Connection: connection, Kind: channel.Kind(row.Channel),
		AppID: row.AppID, AccountID: row.AccountID, NumberID: row.NumberID}
	if account.AppSecret, err = s.unseal(row, "app_secret", row.SealedAppSecret); err != nil {
		return channel.Account{}, err
	}
	if account.Token, err = s.unseal(row, "token", row.SealedToken); err != nil {
		return channel.Account{}, err
	}
	return account, nil
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

func (s *Store) view(row Connection) (View, error) {
	verify, err := s.unseal(row, "verify_token", row.SealedVerifyToken)
	if err != nil {
		return View{}, err
	}
	return View{ID: row.ID, Channel: channel.Kind(row.Channel), Name: row.Name, AppID: row.AppID, AccountID: row.AccountID,
		NumberID: row.NumberID, Number: row.Number, State: row.State, StateDetail: row.StateDetail, CheckedAt: row.CheckedAt,
		Quality: row.Quality, Limit: int(row.MessagingLimit), Slug: row.WebhookSlug, VerifyToken: verify, CreatedAt: row.CreatedAt}, nil
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

// apply sets target to value, if there is one, and tells whether that changed it.
func apply(target, value *string) bool {
	if value == nil || *value == *target {
		return false
	}
	*target = *value
	return true
}

func notFound(doing string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func numberTaken(err error) error {
	if postgres.IsUnique(err, "connections_company_id_number_id_key") {
		return ErrNumberTaken
	}
	return err
}
