package template

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
)

// Sync says how current the templates of a connection are.
type Sync struct {
	Connection id.ID
	SyncedAt   *time.Time // nil: never
	Problem    string     // why the last try failed; empty when it did not
}

// Replace makes the templates of a connection those that the provider has now.
func Replace(ctx context.Context, tx postgres.Tx, company, connection id.ID, found []channel.ProviderTemplate, now time.Time) error {
	q := New(tx)
	rows, err := encode(found)
	if err != nil {
		return err
	}
	refused, err := q.newlyRefused(ctx, rows, company, connection)
	if err != nil {
		return fmt.Errorf("looking for templates that were stopped: %w", err)
	}
	if refused > 0 {
		if err := notice.Add(ctx, tx, company, notice.TemplateStopped, notice.Connection(connection), int(refused), now); err != nil {
			return err
		}
	}
	if err := q.noteSync(ctx, company, connection, &now, ""); err != nil {
		return fmt.Errorf("noting a sync of templates: %w", err)
	}
	if err := q.put(ctx, company, connection, now, rows); err != nil {
		return fmt.Errorf("keeping templates: %w", err)
	}
	if err := q.dropOlder(ctx, company, connection, now); err != nil {
		return fmt.Errorf("dropping templates the provider no longer has: %w", err)
	}
	return nil
}

// NoteFailure keeps why a sync failed. The templates known stay.
func NoteFailure(ctx context.Context, tx postgres.Tx, company, connection id.ID, problem string) error {
	if err := New(tx).noteSync(ctx, company, connection, nil, problem); err != nil {
		return fmt.Errorf("noting a failed sync of templates: %w", err)
	}
	return nil
}

// Key orders templates: by connection, name and language.
type Key struct {
	Connection     id.ID
	Name, Language string
}

// List returns up to limit templates after a key, of one connection or, with Nil, of all that somebody in these
// departments may see; nil departments see all.
func List(ctx context.Context, tx postgres.Tx, company, connection id.ID, departments []id.ID, after Key, limit int) ([]Template, error) {
	arg := listParams{CompanyID: company, Departments: departments, AfterConnection: after.Connection, AfterName: after.Name, AfterLanguage: after.Language, RowLimit: int32(limit)}
	if connection != id.Nil {
		arg.ConnectionID = &connection
	}
	rows, err := New(tx).list(ctx, arg)
	if err != nil {
		return nil, fmt.Errorf("listing templates: %w", err)
	}
	templates := make([]Template, len(rows))
	for i, row := range rows {
		templates[i] = row.template()
	}
	return templates, nil
}

func (r Row) template() Template {
	parts, _ := read(r.Components)
	return Template{Connection: r.ConnectionID, Parts: parts, Parameters: int(r.Parameters), Unfit: r.Unfit, SyncedAt: r.SyncedAt,
		ProviderTemplate: channel.ProviderTemplate{ProviderID: r.ProviderID, Name: r.Name, Language: r.Language, Category: r.Category,
			Status: r.Status, Quality: r.Quality, RejectedReason: r.RejectedReason, Components: r.Components}}
}

// ErrNotFound says that a connection has no such template, as far as the last sync knows.
var ErrNotFound = errors.New("there is no such template on this connection")

// Find returns one template. Errors: ErrNotFound.
func Find(ctx context.Context, tx postgres.Tx, company id.ID, key Key) (Template, error) {
	row, err := New(tx).find(ctx, company, key.Connection, key.Name, key.Language)
	if errors.Is(err, pgx.ErrNoRows) {
		return Template{}, ErrNotFound
	}
	if err != nil {
		return Template{}, fmt.Errorf("reading a template: %w", err)
	}
	return row.template(), nil
}

// Syncs returns how current the templates of each connection are that somebody in these departments may see; nil sees all.
func Syncs(ctx context.Context, tx postgres.Tx, company id.ID, departments []id.ID) ([]Sync, error) {
	rows, err := New(tx).syncs(ctx, company, departments)
	if err != nil {
		return nil, fmt.Errorf("reading when templates were synced: %w", err)
	}
	syncs := make([]Sync, len(rows))
	for i, row := range rows {
		syncs[i] = Sync{row.ConnectionID, row.SyncedAt, row.Problem}
	}
	return syncs, nil
}

// Refused counts the templates of a connection that the provider has rejected, paused or disabled.
type Refused struct {
	Connection id.ID
	Name       string // of the connection
	Count      int
}

// RefusedBy returns the connections that have refused templates.
func RefusedBy(ctx context.Context, tx postgres.Tx, company id.ID) ([]Refused, error) {
	rows, err := New(tx).refused(ctx, company)
	if err != nil {
		return nil, fmt.Errorf("counting refused templates: %w", err)
	}
	list := make([]Refused, len(rows))
	for i, row := range rows {
		list[i] = Refused{row.ConnectionID, row.Name, int(row.Count)}
	}
	return list, nil
}

// encode writes templates for one statement. A page that shifted under the sync may name one twice: the last counts.
func encode(found []channel.ProviderTemplate) (json.RawMessage, error) {
	type row struct {
		channel.ProviderTemplate
		Body       string `json:"body"`
		Parameters int    `json:"parameters"`
		Unfit      string `json:"unfit"`
	}
	at, rows := map[Key]int{}, []row{}
	for _, one := range found {
		if one.Name == "" || one.Language == "" || strings.Contains(string(one.Components), `\u0000`) {
			continue // nothing that can be named or stored
		}
		parts, parameters, unfit := judge(one)
		key := Key{Name: one.Name, Language: one.Language}
		if _, twice := at[key]; !twice {
			at[key] = len(rows)
			rows = append(rows, row{})
		}
		rows[at[key]] = row{one, parts.Body, parameters, unfit}
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		return nil, fmt.Errorf("writing templates: %w", err)
	}
	return raw, nil
}
