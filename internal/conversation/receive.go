// Package conversation keeps what contacts write: one conversation for each contact on each connection, for ever. It
// alone adds inbound messages to the ledger; outgoing ones are the noun send's.
package conversation

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// Received is what a contact did, with who it was.
type Received struct {
	channel.Inbound
	Contact, Identity id.ID
}

// News is what a delivery has brought: what had come before is not in it.
type News struct {
	Messages      []Stored // the new ones, in the order of the delivery
	Conversations []id.ID  // those that look different now
}

// Stored is a new message.
type Stored struct {
	Received
	ID id.ID
}

// Instant is where an inbound message stands in time: when the provider says that it was written, but not after it was
// received and not before its connection was there. Providers count seconds, so the second's end counts: an answer must
// not stand before its question.
func Instant(said, received time.Time, connection id.ID) time.Time {
	if said.IsZero() {
		return received
	}
	at := said.Add(time.Second - time.Millisecond)
	if first := id.Time(connection); at.Before(first) {
		at = first
	}
	if at.After(received) {
		return received
	}
	return at
}

// Receive stores what is new of a delivery, once: in the ledger, in the conversations, and as changes of earlier
// messages. The order of the items decides about those of one instant.
func Receive(ctx context.Context, tx postgres.Tx, company, connection id.ID, items []Received, now time.Time) (News, error) {
	if len(items) == 0 {
		return News{}, nil
	}
	fresh, err := claim(ctx, tx, company, connection, items, now)
	if err != nil || len(fresh) == 0 {
		return News{}, err
	}
	var news News
	var changes []Stored
	for _, one := range fresh {
		if one.Said.Kind.Message() {
			news.Messages = append(news.Messages, one)
		} else {
			changes = append(changes, one)
		}
	}
	if err := insert(ctx, tx, company, connection, news.Messages); err != nil {
		return News{}, err
	}
	if news.Conversations, err = enter(ctx, tx, company, connection, news.Messages, now); err != nil {
		return News{}, err
	}
	changed, err := change(ctx, tx, company, connection, changes)
	news.Conversations = append(news.Conversations, changed...)
	return news, err
}

// claim gives an id to each item and returns those that had not come before.
func claim(ctx context.Context, tx postgres.Tx, company, connection id.ID, items []Received, now time.Time) ([]Stored, error) {
	var all []Stored
	var providerIDs []string
	var ids []id.ID
	seen := map[string]bool{}
	for i, item := range items {
		if seen[item.ProviderID] {
			continue
		}
		seen[item.ProviderID] = true
		one := Stored{item, id.At(Instant(item.At, now, connection), i)}
		all, providerIDs, ids = append(all, one), append(providerIDs, item.ProviderID), append(ids, one.ID)
	}
	claimed, err := New(tx).claimProviderIDs(ctx, company, connection, providerIDs, ids)
	if err != nil {
		return nil, fmt.Errorf("looking whether messages have come before: %w", err)
	}
	isNew := make(map[id.ID]bool, len(claimed))
	for _, one := range claimed {
		isNew[one] = true
	}
	var fresh []Stored
	for _, one := range all {
		if isNew[one.ID] {
			fresh = append(fresh, one)
		}
	}
	return fresh, nil
}

func insert(ctx context.Context, tx postgres.Tx, company, connection id.ID, messages []Stored) error {
	if len(messages) == 0 {
		return nil
	}
	in := insertMessagesParams{CompanyID: company, ConnectionID: connection}
	for _, one := range messages {
		words, err := json.Marshal(one.Said)
		if err != nil {
			return fmt.Errorf("writing down a message: %w", err)
		}
		in.Ids, in.Contacts, in.Identities = append(in.Ids, one.ID), append(in.Contacts, one.Contact), append(in.Identities, one.Identity)
		in.ProviderIds, in.Contents = append(in.ProviderIds, one.ProviderID), append(in.Contents, string(words))
	}
	if err := New(tx).insertMessages(ctx, in); err != nil {
		return fmt.Errorf("storing what contacts wrote: %w", err)
	}
	return nil
}

// enter moves the conversations of new messages up, beginning those that there are not yet.
func enter(ctx context.Context, tx postgres.Tx, company, connection id.ID, messages []Stored, now time.Time) ([]id.ID, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	in := receiveParams{CompanyID: company, ConnectionID: connection, Now: now}
	place := map[id.ID]int{}
	for _, one := range messages {
		at, known := place[one.Contact]
		if !known {
			at = len(in.Ids)
			place[one.Contact] = at
			in.Ids, in.Contacts = append(in.Ids, id.New()), append(in.Contacts, one.Contact)
			in.LastIds, in.Unread = append(in.LastIds, one.ID), append(in.Unread, 0)
		}
		in.Unread[at]++
		if in.LastIds[at].String() < one.ID.String() {
			in.LastIds[at] = one.ID
		}
	}
	entered, err := New(tx).receive(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("entering messages into conversations: %w", err)
	}
	changed := make([]id.ID, len(entered))
	for i, one := range entered {
		changed[i] = one.ID
		if !one.Slept {
			continue
		}
		if err := wake.Append(ctx, tx, company, flow.Conversation(one.ID), false); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// change keeps what contacts did to earlier messages, known or not yet, and returns the conversations concerned.
func change(ctx context.Context, tx postgres.Tx, company, connection id.ID, changes []Stored) ([]id.ID, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	in := insertChangesParams{CompanyID: company, ConnectionID: connection}
	for _, one := range changes {
		in.ProviderIds, in.Ids, in.Contacts = append(in.ProviderIds, one.Said.About), append(in.Ids, one.ID), append(in.Contacts, one.Contact)
		in.Kinds, in.Words = append(in.Kinds, string(one.Said.Kind)), append(in.Words, one.Said.Text)
	}
	if err := New(tx).insertChanges(ctx, in); err != nil {
		return nil, fmt.Errorf("storing changes of messages: %w", err)
	}
	changed, err := New(tx).conversationsOf(ctx, company, connection, in.Contacts)
	if err != nil {
		return nil, fmt.Errorf("finding the conversations of changes: %w", err)
	}
	return changed, nil
}
