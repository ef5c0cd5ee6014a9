// Package webhook keeps what providers' webhooks have said, as it came, for eight days: sealed, so that nobody reads in the
// database what people wrote, and whole, so that what could not be taken in can be read again.
package webhook

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/secret"
)

// KeptFor is how long an event can be read again. Meta sends what was refused again for seven days.
const KeptFor = 8 * 24 * time.Hour

// State of an event.
type State int16

// The states. The numbers are stored.
const (
	Taken     State = iota // what it says is in the rows that it is about
	Parked                 // at least a part of it is not
	Replayed               // was parked, and has been taken in since
	Discarded              // was parked, and somebody has decided that nothing of it is needed
)

// ErrNotFound is the answer about an event that does not exist, not any more, or not in this company.
var ErrNotFound = errors.New("there is no such event; events are kept for eight days")

// Event is an entry of a webhook on its way into the rows that it is about. A parked one has a reason.
type Event struct {
	channel.Event
	ID     id.ID
	Reason string // why it is parked: places in it, never its content
	Stray  bool   // it names what is no connection of this company's
	sealed []byte
}

// Store seals and opens events.
type Store struct{ sealer *secret.Sealer }

// NewStore returns a store that seals with sealer.
func NewStore(sealer *secret.Sealer) *Store { return &Store{sealer: sealer} }

// Seal makes an event of a company ready to be kept, outside of any transaction: it costs time, not a connection.
func (s *Store) Seal(company id.ID, came channel.Event) (Event, error) {
	event := Event{Event: came, ID: id.New(), Reason: came.Problem}
	packed, err := pack(came.Raw)
	if err != nil {
		return Event{}, err
	}
	event.sealed, err = s.sealer.Seal(packed, place(company, event.ID))
	return event, err
}

// Keep stores events of one connection. It belongs into the transaction of what they cause.
func Keep(ctx context.Context, tx postgres.Tx, company, connection id.ID, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	in := keepParams{CompanyID: company, ConnectionID: connection}
	for _, e := range events {
		state := Taken
		if e.Reason != "" {
			state = Parked
		}
		in.Ids, in.Kinds, in.States = append(in.Ids, e.ID), append(in.Kinds, e.Kind), append(in.States, int16(state))
		in.Reasons, in.Strays, in.Sealed = append(in.Reasons, e.Reason), append(in.Strays, e.Stray), append(in.Sealed, e.sealed)
	}
	if err := New(tx).keep(ctx, in); err != nil {
		return fmt.Errorf("keeping raw events: %w", err)
	}
	return nil
}

// View is an event as people see it: without what it says.
type View struct {
	ID, Connection id.ID
	ConnectionName string // empty when there is no such connection
	Kind           string
	State          State
	Reason         string
	Stray          bool
	SettledAt      *time.Time // when it was replayed or discarded
	Size           int        // bytes as kept
}

// List returns up to limit events of a state, the newest first, before an id.
func List(ctx context.Context, tx postgres.Tx, company id.ID, state State, before id.ID, limit int, now time.Time) ([]View, error) {
	since, q := id.Floor(now.Add(-KeptFor)), New(tx)
	var rows []listNotableRow
	var err error
	if state == Taken {
		var taken []listTakenRow
		taken, err = q.listTaken(ctx, company, before, since, int32(limit))
		for _, row := range taken {
			rows = append(rows, listNotableRow(row))
		}
	} else {
		rows, err = q.listNotable(ctx, listNotableParams{CompanyID: company, Before: before, Since: since, State: int16(state), RowLimit: int32(limit)})
	}
	if err != nil {
		return nil, fmt.Errorf("listing raw events: %w", err)
	}
	views := make([]View, len(rows))
	for i, r := range rows {
		views[i] = View{ID: r.ID, Connection: r.ConnectionID, ConnectionName: r.Connection, Kind: r.Kind, State: State(r.State), Reason: r.Reason,
			Stray: r.Stray, SettledAt: r.SettledAt, Size: int(r.Size)}
	}
	return views, nil
}

// CountParked counts the parked events of a company, up to most.
func CountParked(ctx context.Context, tx postgres.Tx, company id.ID, most int, now time.Time) (int, error) {
	n, err := New(tx).countParked(ctx, company, id.Floor(now.Add(-KeptFor)), int32(most))
	if err != nil {
		return 0, fmt.Errorf("counting parked events: %w", err)
	}
	return int(n), nil
}

// Kept is an event as it is in the database, opened.
type Kept struct {
	Event
	Connection id.ID
	State      State
}

// Read opens one event, or answers ErrNotFound. lock keeps others from replaying it meanwhile.
func (s *Store) Read(ctx context.Context, tx postgres.Tx, company, event id.ID, lock bool) (Kept, error) {
	read := New(tx).get
	if lock {
		read = New(tx).lock
	}
	row, err := read(ctx, company, event)
	if errors.Is(err, pgx.ErrNoRows) {
		return Kept{}, ErrNotFound
	}
	if err != nil {
		return Kept{}, fmt.Errorf("reading a raw event: %w", err)
	}
	packed, err := s.sealer.Unseal(row.Sealed, place(company, event))
	if err != nil {
		return Kept{}, err
	}
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		return Kept{}, fmt.Errorf("unpacking a raw event: %w", err)
	}
	return Kept{Event: Event{Event: channel.Event{Kind: row.Kind, Raw: raw}, ID: event, Reason: row.Reason, Stray: row.Stray}, Connection: row.ConnectionID, State: State(row.State)}, nil
}

// Settle notes what came of reading a parked event again: with a reason it stays parked, for that. Of others it changes
// nothing.
func Settle(ctx context.Context, tx postgres.Tx, company id.ID, event Kept, reason string, now time.Time) error {
	if event.State == Taken && reason == "" {
		return nil
	}
	in := settleParams{CompanyID: company, ID: event.ID, State: int16(Parked), Reason: reason}
	if reason == "" {
		in.State, in.Reason, in.SettledAt = int16(Replayed), event.Reason, &now
	}
	if err := New(tx).settle(ctx, in); err != nil {
		return fmt.Errorf("settling a raw event: %w", err)
	}
	return nil
}

// Discard takes parked events off the list and returns how many were there.
func Discard(ctx context.Context, tx postgres.Tx, company id.ID, events []id.ID, now time.Time) (int, error) {
	if len(events) == 0 {
		return 0, nil
	}
	in := discardParams{SettledAt: &now, CompanyID: company, Ids: events, Low: events[0], High: events[0]}
	for _, one := range events {
		if bytes.Compare(one[:], in.Low[:]) < 0 {
			in.Low = one
		}
		if bytes.Compare(one[:], in.High[:]) > 0 {
			in.High = one
		}
	}
	n, err := New(tx).discard(ctx, in)
	if err != nil {
		return 0, fmt.Errorf("discarding raw events: %w", err)
	}
	return int(n), nil
}

func place(company, event id.ID) secret.Place {
	return secret.Place{Company: company, Table: "raw_events", Column: "sealed", Row: event}
}

// packers are kept because each has tables of half a megabyte.
var packers = sync.Pool{New: func() any {
	packer, _ := flate.NewWriter(nil, flate.BestSpeed) // fails for an unknown level only
	return packer
}}

// pack makes JSON about half as large, and a batch a tenth.
func pack(raw []byte) ([]byte, error) {
	packer, _ := packers.Get().(*flate.Writer)
	defer packers.Put(packer)
	var packed bytes.Buffer
	packer.Reset(&packed)
	_, err := packer.Write(raw)
	if err = errors.Join(err, packer.Close()); err != nil {
		return nil, fmt.Errorf("packing a raw event: %w", err)
	}
	return packed.Bytes(), nil
}
