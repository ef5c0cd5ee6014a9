// Package realtime tells every server process, and through it every browser, that something has changed. What
// travels is ids only: the browser reads what it shows again.
package realtime

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// channelName is the Postgres channel that all processes share.
const channelName = "omnidesk"

// mostBytes of one NOTIFY: Postgres refuses 8,000.
const mostBytes = 7000

// Kind of what changed.
type Kind string

// The kinds, as the browser gets them.
const (
	Campaign     Kind = "campaign"
	Conversation Kind = "conversation"
	Connection   Kind = "connection"
	Contacts     Kind = "contacts" // some contacts: no id
	Import       Kind = "import"
	Notice       Kind = "notice"  // some notices: no id
	Refetch      Kind = "refetch" // anything: no id
)

// Event says that something of a company changed.
type Event struct {
	Company id.ID
	Kind    Kind
	ID      id.ID // Nil for kinds without one
}

// Announce says in a transaction that something changes with its commit. NOTIFY takes a lock of the whole database at
// commit, so this is for what happens a few times an hour; all else is for a Publisher. Under Gather nothing is said yet.
func Announce(ctx context.Context, tx postgres.Tx, event Event) error {
	if news, ok := ctx.Value(gatherKey{}).(*News); ok {
		news.events = append(news.events, event)
		return nil
	}
	for _, note := range encode(map[Event]struct{}{event: {}}) {
		if _, err := tx.Exec(ctx, `SELECT pg_notify($1, $2)`, channelName, note); err != nil {
			return fmt.Errorf("announcing a change: %w", err)
		}
	}
	return nil
}

type gatherKey struct{}

// News is what was announced in a transaction that writes messages, and so must not say it itself.
type News struct{ events []Event }

// All returns what is to be published after the commit.
func (n *News) All() []Event { return n.events }

// Gather returns a context under which Announce only notes what changes. Whoever commits publishes it.
func Gather(ctx context.Context) (context.Context, *News) {
	news := &News{}
	return context.WithValue(ctx, gatherKey{}, news), news
}

// note is one NOTIFY: what changed in one company.
type note struct {
	Company id.ID            `json:"c"`
	Changed map[Kind][]id.ID `json:"k"`
}

// encode writes events as few notes, each below the limit. A company with more changes than one note holds
// gets "refetch" instead: reading all again is cheaper for everyone than a list of thousands.
func encode(events map[Event]struct{}) []string {
	companies := map[id.ID]map[Kind][]id.ID{}
	for event := range events {
		kinds := companies[event.Company]
		if kinds == nil {
			kinds = map[Kind][]id.ID{}
			companies[event.Company] = kinds
		}
		kinds[event.Kind] = append(kinds[event.Kind], event.ID)
	}
	var notes []string
	for company, kinds := range companies {
		for _, ids := range kinds {
			slices.SortFunc(ids, func(a, b id.ID) int { return slices.Compare(a[:], b[:]) })
		}
		raw := mustJSON(note{company, kinds})
		if _, all := kinds[Refetch]; all || len(raw) > mostBytes {
			raw = mustJSON(note{company, map[Kind][]id.ID{Refetch: {id.Nil}}})
		}
		notes = append(notes, string(raw))
	}
	return notes
}

func decode(payload string) ([]Event, error) {
	var n note
	if err := json.Unmarshal([]byte(payload), &n); err != nil {
		return nil, err
	}
	var events []Event
	for kind, ids := range n.Changed {
		for _, changed := range ids {
			events = append(events, Event{n.Company, kind, changed})
		}
	}
	return events, nil
}

func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // ids and fixed words always marshal
	}
	return raw
}
