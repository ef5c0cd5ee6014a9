package conversation

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
)

// State of a conversation. A closed one opens when the contact writes.
type State string

// The states, as stored.
const (
	Open   State = "open"
	Closed State = "closed"
)

// ErrNotFound says that there is no such conversation in the company.
var ErrNotFound = errors.New("no such conversation")

// Conversation is what was said between a contact and a connection, as a list shows it.
type Conversation struct {
	ID             id.ID
	ConnectionID   id.ID
	ConnectionName string
	ContactID      id.ID
	ContactName    string
	Address        string // that of the newest message
	State          State
	LastID         id.ID // the newest message outside campaigns; its id says when
	Unread         int32
	ReopenedAt     *time.Time
	OpenUntil      *time.Time // when the last 24-hour window ends or ended; nil: there was none
	OptedOutAt     *time.Time
	Direction      int16 // of the newest message; 1: the contact wrote it
	Content        *string
}

func viewed(row getConversationRow) Conversation {
	return Conversation{
		ID: row.ID, ConnectionID: row.ConnectionID, ConnectionName: row.ConnectionName, ContactID: row.ContactID, ContactName: row.ContactName,
		Address: row.Address, State: State(row.State), LastID: row.LastID, Unread: row.Unread, ReopenedAt: row.ReopenedAt,
		OpenUntil: row.OpenUntil, OptedOutAt: row.OptedOutAt, Direction: row.Direction, Content: row.Content,
	}
}

// Last is the beginning of a list: conversations and messages come newest first.
var Last = id.At(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), 0)

// List returns conversations in a state whose newest message is older than before, the newest first. Departments are
// those of who asks: only conversations on their connections count, and on those of no department; nil: on all.
func List(ctx context.Context, tx postgres.Tx, company id.ID, departments []id.ID, state State, before id.ID, limit int) ([]Conversation, error) {
	rows, err := New(tx).listConversations(ctx, listConversationsParams{Departments: departments, CompanyID: company, State: string(state), Before: before, RowLimit: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("listing conversations: %w", err)
	}
	list := make([]Conversation, len(rows))
	for i, row := range rows {
		list[i] = viewed(getConversationRow(row))
	}
	return list, nil
}

// Get returns one conversation that somebody in some departments may see; see List. Errors: ErrNotFound.
func Get(ctx context.Context, tx postgres.Tx, company id.ID, departments []id.ID, wanted id.ID) (Conversation, error) {
	row, err := New(tx).getConversation(ctx, departments, company, wanted)
	if errors.Is(err, pgx.ErrNoRows) {
		return Conversation{}, ErrNotFound
	}
	if err != nil {
		return Conversation{}, fmt.Errorf("reading a conversation: %w", err)
	}
	return viewed(row), nil
}

// CountUnread returns how many open conversations of a List have something unread, at most 100.
func CountUnread(ctx context.Context, tx postgres.Tx, company id.ID, departments []id.ID) (int, error) {
	n, err := New(tx).countUnread(ctx, departments, company)
	if err != nil {
		return 0, fmt.Errorf("counting unread conversations: %w", err)
	}
	return int(n), nil
}

// MarkRead notes that what the contact wrote was seen. Errors: ErrNotFound.
func MarkRead(ctx context.Context, tx postgres.Tx, company, wanted id.ID) error {
	n, err := New(tx).markRead(ctx, company, wanted)
	return found(n, err)
}

// SetState closes a conversation, which is then read, or opens it. Errors: ErrNotFound.
func SetState(ctx context.Context, tx postgres.Tx, company, wanted id.ID, state State) error {
	n, err := New(tx).setState(ctx, string(state), company, wanted)
	return found(n, err)
}

func found(rows int64, err error) error {
	if err == nil && rows == 0 {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("changing a conversation: %w", err)
	}
	return nil
}

// AnswerTo returns the identity that an answer goes to: the one that the contact wrote from last.
func AnswerTo(ctx context.Context, tx postgres.Tx, company, wanted id.ID) (id.ID, error) {
	identity, err := New(tx).answerTo(ctx, company, wanted)
	if errors.Is(err, pgx.ErrNoRows) {
		return id.Nil, ErrNotFound
	}
	if err != nil {
		return id.Nil, fmt.Errorf("finding whom to answer: %w", err)
	}
	return identity, nil
}

// Wrote moves a contact's conversation up for a message that somebody of the company has queued, beginning it if need
// be, and returns it. What the contact wrote counts as seen.
func Wrote(ctx context.Context, tx postgres.Tx, company, connection, contact, message id.ID) (id.ID, error) {
	conversation, err := New(tx).wrote(ctx, wroteParams{CompanyID: company, ID: id.New(), ConnectionID: connection, ContactID: contact, LastID: message})
	if err != nil {
		return id.Nil, fmt.Errorf("entering a message into its conversation: %w", err)
	}
	return conversation, nil
}

// Keyed returns the message that was sent with a key which its client made, or Nil when there is none.
func Keyed(ctx context.Context, tx postgres.Tx, company id.ID, key string) (id.ID, error) {
	message, err := New(tx).messageOfKey(ctx, company, key)
	if errors.Is(err, pgx.ErrNoRows) {
		return id.Nil, nil
	}
	if err != nil {
		return id.Nil, fmt.Errorf("looking for a message's key: %w", err)
	}
	return message, nil
}

// ErrTwice says that somebody else has just sent a message with the same key: roll back, and look for it.
var ErrTwice = errors.New("a message with this key was just sent")

// Key keeps the key of a message. Errors: ErrTwice.
func Key(ctx context.Context, tx postgres.Tx, company id.ID, key string, message id.ID) error {
	n, err := New(tx).keyMessage(ctx, company, key, message)
	if err != nil {
		return fmt.Errorf("keeping a message's key: %w", err)
	}
	if n == 0 {
		return ErrTwice
	}
	return nil
}

// Line is one message of a thread.
type Line struct {
	ID           id.ID
	Inbound      bool
	Said         channel.Said    // of an inbound message, edits applied
	Content      channel.Content // of an outgoing one; empty before it is rendered
	State        int16           // of an outgoing one, as the noun send numbers them
	CampaignID   *id.ID
	CampaignName string
	ErrorDetail  *string
	SentAt       *time.Time
	DeliveredAt  *time.Time
	ReadAt       *time.Time
	Quote        *Quote // what it answers; nil: nothing that is known
	Reaction     string // the contact's emoji on it
	Edited       bool
	Deleted      bool // by the contact; Said is empty then
}

// Thread returns messages of a conversation older than before, the newest first.
func Thread(ctx context.Context, tx postgres.Tx, company id.ID, of Conversation, before id.ID, limit int) ([]Line, error) {
	q := New(tx)
	rows, err := q.thread(ctx, threadParams{CompanyID: company, ConnectionID: of.ConnectionID, ContactID: of.ContactID, Before: before, RowLimit: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("reading a thread: %w", err)
	}
	lines := make([]Line, len(rows))
	places := map[string]int{}
	var providerIDs []string
	for i, row := range rows {
		if lines[i], err = lineOf(row); err != nil {
			return nil, err
		}
		if row.ProviderID != nil {
			places[*row.ProviderID] = i
			providerIDs = append(providerIDs, *row.ProviderID)
		}
	}
	changes, err := q.changesOf(ctx, company, of.ConnectionID, providerIDs)
	if err != nil {
		return nil, fmt.Errorf("reading changes of messages: %w", err)
	}
	for _, c := range changes {
		lines[places[c.ProviderID]].apply(channel.SaidKind(c.Kind), c.Words)
	}
	return lines, quote(ctx, q, company, of, lines)
}

func lineOf(row threadRow) (Line, error) {
	line := Line{ID: row.ID, Inbound: row.Direction == 1, State: row.State, CampaignID: row.CampaignID, CampaignName: row.CampaignName, ErrorDetail: row.ErrorDetail,
		SentAt: row.SentAt, DeliveredAt: row.DeliveredAt, ReadAt: row.ReadAt}
	if row.Content == nil {
		return line, nil
	}
	var into any = &line.Content
	if line.Inbound {
		into = &line.Said
	}
	if err := json.Unmarshal([]byte(*row.Content), into); err != nil {
		return line, fmt.Errorf("reading the words of message %s: %w", row.ID, err)
	}
	return line, nil
}

// apply is one change, the oldest first. Only what the contact wrote can be edited or deleted by the contact.
func (l *Line) apply(kind channel.SaidKind, words string) {
	switch {
	case kind == channel.SaidReaction:
		l.Reaction = words
	case l.Inbound && kind == channel.SaidDelete:
		l.Deleted, l.Said = true, channel.Said{Kind: l.Said.Kind}
	case l.Inbound && kind == channel.SaidEdit && !l.Deleted:
		l.Edited, l.Said.Text = true, words
	}
}
