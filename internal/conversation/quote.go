package conversation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Quote is the message that another one answers, or is about.
type Quote struct {
	ID      id.ID
	Inbound bool
	Words   string // in one readable line
}

// ErrUnknownToProvider says that a message can't be answered by itself: the provider has not taken it, or not yet.
var ErrUnknownToProvider = errors.New("the provider does not know this message")

// ProviderIDOf returns the provider's id of a message of a conversation. Errors: ErrNotFound, ErrUnknownToProvider.
func ProviderIDOf(ctx context.Context, tx postgres.Tx, company id.ID, of Conversation, message id.ID) (string, error) {
	found, err := New(tx).providerIDOf(ctx, company, message, of.ConnectionID, of.ContactID)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", ErrNotFound
	case err != nil:
		return "", fmt.Errorf("looking for a message to answer: %w", err)
	case found == "":
		return "", ErrUnknownToProvider
	}
	return found, nil
}

// quote fills in what the lines of a thread answer. What is not known any more stays without a quote.
func quote(ctx context.Context, q *Queries, company id.ID, of Conversation, lines []Line) error {
	var wanted []string
	for i := range lines {
		if about := lines[i].about(); about != "" {
			wanted = append(wanted, about)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	rows, err := q.quoted(ctx, of.ContactID, company, of.ConnectionID, wanted)
	if err != nil {
		return fmt.Errorf("reading what messages answer: %w", err)
	}
	quotes := make(map[string]*Quote, len(rows))
	for _, row := range rows {
		quotes[row.ProviderID] = &Quote{row.ID, row.Direction == 1, wordsOf(row.Direction == 1, row.Content)}
	}
	for i := range lines {
		lines[i].Quote = quotes[lines[i].about()]
	}
	return nil
}

// about is the provider's id of the message that a line answers, or reacts to.
func (l *Line) about() string {
	switch {
	case l.Inbound:
		return l.Said.About
	case l.Content.Reaction != nil:
		return l.Content.Reaction.About
	}
	return l.Content.About
}

func wordsOf(inbound bool, content *string) string {
	if content == nil {
		return ""
	}
	if inbound {
		var said channel.Said
		_ = json.Unmarshal([]byte(*content), &said) // a line without words is better than no thread
		return said.Words()
	}
	var sent channel.Content
	_ = json.Unmarshal([]byte(*content), &sent)
	return sent.Words()
}

// OfMessage returns the conversation of a message that somebody in some departments may see; see List. Errors: ErrNotFound.
func OfMessage(ctx context.Context, tx postgres.Tx, company id.ID, departments []id.ID, message id.ID) (id.ID, error) {
	found, err := New(tx).conversationOf(ctx, departments, company, message)
	if errors.Is(err, pgx.ErrNoRows) {
		return id.Nil, ErrNotFound
	}
	if err != nil {
		return id.Nil, fmt.Errorf("finding a message's conversation: %w", err)
	}
	return found, nil
}
