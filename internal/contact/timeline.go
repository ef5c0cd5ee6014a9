package contact

import (
	"context"
	"fmt"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Kinds of events.
const (
	EventCreated  = "created"
	EventImported = "imported"
	EventOptedOut = "opted_out"
)

// Event is something that became of a contact, apart from its messages.
type Event struct {
	At      time.Time
	Kind    string
	Subject *id.ID // the import
	Name    string // of the file
	Outcome string // of an import: added, updated or unchanged
}

// Events returns what is known to have become of a contact, in no order.
func Events(ctx context.Context, tx postgres.Tx, company id.ID, of Contact) ([]Event, error) {
	q := New(tx)
	events := []Event{{At: of.CreatedAt, Kind: EventCreated}}
	if of.OptedOutAt != nil {
		events = append(events, Event{At: *of.OptedOutAt, Kind: EventOptedOut})
	}
	imports, err := q.contactImports(ctx, of.ID, company)
	if err != nil {
		return nil, fmt.Errorf("reading a contact's imports: %w", err)
	}
	for _, row := range imports {
		events = append(events, Event{At: row.ChangedAt, Kind: EventImported, Subject: &row.ID, Name: row.FileName, Outcome: row.Outcome})
	}
	return events, nil
}

// AllAttributeNames returns the names of the attributes of all contacts, at most 500. It reads them all, so it is for
// an export's heading and not for an editor: that is AttributeNames.
func AllAttributeNames(ctx context.Context, tx postgres.Tx, company id.ID) ([]string, error) {
	names, err := New(tx).allAttributeNames(ctx, company)
	if err != nil {
		return nil, fmt.Errorf("reading attribute names: %w", err)
	}
	return names, nil
}
