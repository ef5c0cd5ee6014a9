package conversation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// State of a conversation. A snoozed or closed one opens when the contact writes.
type State string

// The states, as stored.
const (
	Open    State = "open"
	Snoozed State = "snoozed" // out of the way until an instant or until the contact writes
	Closed  State = "closed"
)

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
	if conversation.Slept {
		err = wake.Append(ctx, tx, company, flow.Conversation(conversation.ID), false)
	}
	return conversation.ID, err
}

// Of returns the conversation that a message is in. Errors: ErrNotFound.
func Of(ctx context.Context, tx postgres.Tx, company, message id.ID) (id.ID, error) {
	conversation, err := New(tx).ofMessage(ctx, company, message)
	if errors.Is(err, pgx.ErrNoRows) {
		return id.Nil, ErrNotFound
	}
	if err != nil {
		return id.Nil, fmt.Errorf("finding a message's conversation: %w", err)
	}
	return conversation, nil
}

// OpenUntil returns when a contact's last 24-hour window on a connection ends or ended; zero: there was none.
func OpenUntil(ctx context.Context, tx postgres.Tx, company, connection, contact id.ID) (time.Time, error) {
	until, err := New(tx).openUntil(ctx, company, connection, contact)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, fmt.Errorf("reading a service window: %w", err)
	}
	return until, nil
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
	Deleted      bool   // by the contact; Said is empty then
	Note         string // what an agent wrote for the others; all else but ID is empty then
	Author       string // of a note
}

// Thread returns messages and notes of a conversation older than before, the newest first.
func Thread(ctx context.Context, tx postgres.Tx, company id.ID, of Conversation, before id.ID, limit int) ([]Line, error) {
	lines, err := said(ctx, tx, company, of, before, limit)
	if err != nil {
		return nil, err
	}
	notes, err := New(tx).notes(ctx, company, of.ID, before, int32(limit))
	if err != nil {
		return nil, fmt.Errorf("reading notes: %w", err)
	}
	for _, n := range notes {
		lines = append(lines, Line{ID: n.ID, Note: n.Body, Author: n.Author})
	}
	slices.SortFunc(lines, func(a, b Line) int { return bytes.Compare(b.ID[:], a.ID[:]) })
	return lines[:min(limit, len(lines))], nil
}

func said(ctx context.Context, tx postgres.Tx, company id.ID, of Conversation, before id.ID, limit int) ([]Line, error) {
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
