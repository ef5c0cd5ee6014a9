package apiclient

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/secret"
)

// Scope is something that a client may do.
type Scope string

// The scopes, as stored.
const (
	Send Scope = "send" // messages
	Read Scope = "read" // what became of its own messages
)

// Lanes of a client's messages, as the noun send numbers them.
const (
	LaneUrgent int16 = 2 // codes: before campaigns, at any hour
	LaneQueue  int16 = 4 // within the company's sending window
)

const mostNetworks = 50

// Errors of the package.
var (
	ErrNotFound   = errors.New("no such API client")
	ErrName       = errors.New("another client of this company has this name")
	ErrStale      = errors.New("somebody else has changed this client; look at it again")
	ErrRevoked    = errors.New("this client is revoked, and that is for good; make a new one")
	ErrConnection = errors.New("names a connection that does not exist any more")
)

// InvalidError says which field of a client is unfit, and why.
type InvalidError struct{ Field, Reason string }

func (e InvalidError) Error() string { return e.Field + " " + e.Reason }

// Draft is what a person sets of a client.
type Draft struct {
	Name        string
	Scopes      []Scope
	Connections []id.ID  // it may send on
	Networks    []string // in CIDR, or single addresses: where it may call from; none: anywhere
	Lane        int16
	PerMinute   int        // calls within any 60 seconds
	PerDay      int        // messages of the company's calendar day
	ExpiresAt   *time.Time // it can't call from then on; nil: never
}

// Client is another system that may call.
type Client struct {
	Draft
	Company, ID   id.ID
	Version       int
	RevokedAt     *time.Time
	PreviousUntil *time.Time // the secret before the last rotation signs until then; nil: there is none
	LastAt        *time.Time // of its last call that was let in
	UsedToday     int        // messages accepted on the company's present day
}

// KeyID is what the client calls itself.
func (c Client) KeyID() string { return KeyID(c.Company, c.ID) }

// May tells whether the client has a scope.
func (c Client) May(scope Scope) bool { return slices.Contains(c.Scopes, scope) }

// Store reads and writes clients.
type Store struct{ sealer *secret.Sealer }

// NewStore returns a store that seals secrets with sealer.
func NewStore(sealer *secret.Sealer) *Store { return &Store{sealer: sealer} }

// Create adds a client and returns it with its secret, which nobody can read again. Errors: InvalidError, ErrName,
// ErrConnection.
func (s *Store) Create(ctx context.Context, tx postgres.Tx, company id.ID, draft Draft, now time.Time) (Client, Secret, error) {
	draft, err := checked(ctx, tx, company, draft, now)
	if err != nil {
		return Client{}, Secret{}, err
	}
	client, fresh := id.New(), NewSecret()
	sealed, err := s.sealer.Seal(fresh[:], place(company, client, currentColumn))
	if err != nil {
		return Client{}, Secret{}, err
	}
	err = New(tx).insertClient(ctx, insertClientParams{CompanyID: company, ID: client, Name: draft.Name, Scopes: textsOf(draft.Scopes), ConnectionIds: draft.Connections,
		Networks: draft.Networks, Lane: draft.Lane, PerMinute: int32(draft.PerMinute), PerDay: int32(draft.PerDay), ExpiresAt: draft.ExpiresAt, SealedSecret: sealed})
	if err != nil {
		return Client{}, Secret{}, nameTaken(fmt.Errorf("adding an API client: %w", err))
	}
	made, err := Get(ctx, tx, company, client, now)
	return made, fresh, err
}

// Get returns one client. Errors: ErrNotFound.
func Get(ctx context.Context, tx postgres.Tx, company, client id.ID, now time.Time) (Client, error) {
	rows, err := New(tx).listClients(ctx, listClientsParams{CompanyID: company, Now: now, ID: &client, RowLimit: 1})
	if err != nil {
		return Client{}, fmt.Errorf("reading an API client: %w", err)
	}
	if len(rows) == 0 {
		return Client{}, ErrNotFound
	}
	return rows[0].client(), nil
}

// List returns up to limit clients after one, the oldest first, revoked ones too.
func List(ctx context.Context, tx postgres.Tx, company, after id.ID, limit int, now time.Time) ([]Client, error) {
	rows, err := New(tx).listClients(ctx, listClientsParams{CompanyID: company, Now: now, After: after, RowLimit: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("listing API clients: %w", err)
	}
	clients := make([]Client, len(rows))
	for i, row := range rows {
		clients[i] = row.client()
	}
	return clients, nil
}

// Change sets what a person has edited of the version that they saw; it holds from the client's next call on. Errors:
// InvalidError, ErrName, ErrConnection, ErrNotFound, ErrStale, ErrRevoked.
func Change(ctx context.Context, tx postgres.Tx, company, client id.ID, version int, draft Draft, now time.Time) error {
	row, err := lockLive(ctx, tx, company, client)
	if err != nil {
		return err
	}
	if int(row.Version) != version {
		return ErrStale
	}
	if draft, err = checked(ctx, tx, company, draft, now); err != nil {
		return err
	}
	err = New(tx).changeClient(ctx, changeClientParams{CompanyID: company, ID: client, Name: draft.Name, Scopes: textsOf(draft.Scopes), ConnectionIds: draft.Connections,
		Networks: draft.Networks, Lane: draft.Lane, PerMinute: int32(draft.PerMinute), PerDay: int32(draft.PerDay), ExpiresAt: draft.ExpiresAt})
	if err != nil {
		return nameTaken(fmt.Errorf("changing an API client: %w", err))
	}
	return nil
}

// Rotate gives a client a new secret, which nobody can read again. The one that it has signs for keep longer; one older
// than that ends at once. Errors: ErrNotFound, ErrRevoked.
func (s *Store) Rotate(ctx context.Context, tx postgres.Tx, company, client id.ID, keep time.Duration, now time.Time) (Secret, error) {
	row, err := lockLive(ctx, tx, company, client)
	if err != nil {
		return Secret{}, err
	}
	current, err := s.sealer.Unseal(row.SealedSecret, place(company, client, currentColumn))
	if err != nil {
		return Secret{}, err
	}
	fresh, set := NewSecret(), setSecretsParams{CompanyID: company, ID: client, SealedPrevious: []byte{}}
	if set.SealedSecret, err = s.sealer.Seal(fresh[:], place(company, client, currentColumn)); err != nil {
		return Secret{}, err
	}
	if keep > 0 {
		until := now.Add(keep)
		set.PreviousUntil = &until
		if set.SealedPrevious, err = s.sealer.Seal(current, place(company, client, previousColumn)); err != nil {
			return Secret{}, err
		}
	}
	if err := New(tx).setSecrets(ctx, set); err != nil {
		return Secret{}, fmt.Errorf("rotating a secret: %w", err)
	}
	return fresh, nil
}

// Revoke ends a client for good: none of its calls is let in any more, and its secrets are gone. Messages that it has
// queued still go. Errors: ErrNotFound, ErrRevoked.
func Revoke(ctx context.Context, tx postgres.Tx, company, client id.ID, now time.Time) error {
	if _, err := lockLive(ctx, tx, company, client); err != nil {
		return err
	}
	if err := New(tx).revoke(ctx, now, company, client); err != nil {
		return fmt.Errorf("revoking an API client: %w", err)
	}
	return nil
}

func lockLive(ctx context.Context, tx postgres.Tx, company, client id.ID) (ApiClient, error) {
	row, err := New(tx).lockClient(ctx, company, client)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return row, ErrNotFound
	case err != nil:
		return row, fmt.Errorf("locking an API client: %w", err)
	case row.RevokedAt != nil:
		return row, ErrRevoked
	}
	return row, nil
}

// checked returns a draft as it is stored, or what is wrong with it.
func checked(ctx context.Context, tx postgres.Tx, company id.ID, draft Draft, now time.Time) (Draft, error) {
	draft.Name = strings.TrimSpace(draft.Name)
	draft.Scopes, draft.Connections = distinct(draft.Scopes), distinct(draft.Connections)
	switch {
	case draft.Name == "":
		return draft, InvalidError{"name", "is empty; write which system this is"}
	case len(draft.Scopes) == 0:
		return draft, InvalidError{"scopes", "is empty; choose what the client may do"}
	case len(draft.Connections) == 0:
		return draft, InvalidError{"connection_ids", "is empty; choose at least one connection"}
	case draft.ExpiresAt != nil && !draft.ExpiresAt.After(now):
		return draft, InvalidError{"expires_at", "is in the past"}
	case len(draft.Networks) > mostNetworks:
		return draft, InvalidError{"networks", fmt.Sprintf("has more than %d lines; join neighbours into one network", mostNetworks)}
	}
	networks := make([]string, 0, len(draft.Networks))
	for i, text := range draft.Networks {
		network, err := parseNetwork(text)
		if err != nil {
			return draft, InvalidError{fmt.Sprintf("networks[%d]", i), "is no address or network; write one like 203.0.113.7 or 203.0.113.0/24"}
		}
		networks = append(networks, network.String())
	}
	draft.Networks = distinct(networks)
	found, err := New(tx).countConnections(ctx, company, draft.Connections)
	if err != nil {
		return draft, fmt.Errorf("looking for connections: %w", err)
	}
	if int(found) != len(draft.Connections) {
		return draft, ErrConnection
	}
	return draft, nil
}

// parseNetwork reads a network, or an address as the network of it alone.
func parseNetwork(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if network, err := netip.ParsePrefix(text); err == nil {
		return network.Masked(), nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return netip.Prefix{}, fmt.Errorf("reading a network: %q is none", text)
	}
	address = address.Unmap()
	return address.Prefix(address.BitLen())
}

func distinct[T comparable](list []T) []T {
	kept := make([]T, 0, len(list))
	for _, one := range list {
		if !slices.Contains(kept, one) {
			kept = append(kept, one)
		}
	}
	return kept
}

func textsOf(scopes []Scope) []string {
	texts := make([]string, len(scopes))
	for i, scope := range scopes {
		texts[i] = string(scope)
	}
	return texts
}

func nameTaken(err error) error {
	if postgres.IsUnique(err, "api_clients_name") {
		return ErrName
	}
	return err
}

func (r listClientsRow) client() Client {
	client := clientOf(r.ApiClient)
	client.LastAt, client.UsedToday = r.LastAt, int(r.Used)
	return client
}

func clientOf(row ApiClient) Client {
	draft := Draft{Name: row.Name, Connections: row.ConnectionIds, Networks: row.Networks, Lane: row.Lane, PerMinute: int(row.PerMinute), PerDay: int(row.PerDay),
		ExpiresAt: row.ExpiresAt}
	for _, scope := range row.Scopes {
		draft.Scopes = append(draft.Scopes, Scope(scope))
	}
	return Client{Draft: draft, Company: row.CompanyID, ID: row.ID, Version: int(row.Version), RevokedAt: row.RevokedAt, PreviousUntil: row.PreviousUntil}
}

const (
	currentColumn  = "secret"
	previousColumn = "previous"
)

func place(company, client id.ID, column string) secret.Place {
	return secret.Place{Company: company, Table: "api_clients", Column: column, Row: client}
}
