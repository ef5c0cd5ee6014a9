package server

import (
	"bytes"
	"context"
	"slices"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/contact"
	"omnidesk/internal/conversation"
	"omnidesk/internal/id"
	"omnidesk/internal/media"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// receive stores what contacts wrote to a connection, once however often it comes: who they are, what they said, that
// they may be answered for 24 hours, and whether they want no more campaigns.
func receive(ctx context.Context, tx postgres.Tx, route connection.Route, inbound []channel.Inbound, now time.Time) (conversation.News, error) {
	if len(inbound) == 0 {
		return conversation.News{}, nil
	}
	people := make([]contact.Person, len(inbound))
	for i, one := range inbound {
		people[i] = contact.Person{From: one.From, Also: one.Also, Name: one.Name}
	}
	known, err := contact.Meet(ctx, tx, route.Company, people)
	if err != nil {
		return conversation.News{}, err
	}
	if err := mergeSame(ctx, tx, route.Company, known, now); err != nil {
		return conversation.News{}, err
	}
	items := make([]conversation.Received, len(inbound))
	for i, one := range inbound {
		items[i] = conversation.Received{Inbound: one, Contact: known[i].Contact, Identity: known[i].Identity}
	}
	news, err := conversation.Receive(ctx, tx, route.Company, route.Connection, items, now)
	if err != nil || len(news.Messages) == 0 {
		return news, err
	}
	wrote, replies := make([]contact.Wrote, len(news.Messages)), make([]send.Reply, len(news.Messages))
	for i, one := range news.Messages {
		wrote[i] = contact.Wrote{Contact: one.Contact, At: id.Time(one.ID)}
		replies[i] = send.Reply{ID: one.ID, Contact: one.Contact, At: id.Time(one.ID)}
	}
	if err := contact.OpenWindows(ctx, tx, route.Company, route.Connection, wrote); err != nil {
		return news, err
	}
	if err := heedWishes(ctx, tx, route.Company, news.Messages); err != nil {
		return news, err
	}
	if err := media.Expect(ctx, tx, route.Company, route.Connection, filesOf(news.Messages), now); err != nil {
		return news, err
	}
	return news, send.NoteReplies(ctx, tx, route.Company, route.Connection, replies, now)
}

// filesOf lists what has to be fetched from the provider.
func filesOf(messages []conversation.Stored) (files []media.Expected) {
	for _, one := range messages {
		if of := one.Said.Media; of != nil {
			files = append(files, media.Expected{Message: one.ID, ProviderID: of.ProviderID, SHA256: of.SHA256})
		}
	}
	return files
}

// mergeSame merges contacts that have turned out to be one: somebody who was known by an id alone writes with a number.
func mergeSame(ctx context.Context, tx postgres.Tx, company id.ID, known []contact.Known, now time.Time) error {
	became := map[id.ID]id.ID{}
	for _, one := range known {
		for _, other := range one.Same {
			if _, done := became[other]; done || other == one.Contact {
				continue
			}
			if _, _, err := merge(ctx, tx, company, one.Contact, other, nil, now); err != nil {
				return err
			}
			became[other] = one.Contact
		}
	}
	for i := range known {
		if now, merged := became[known[i].Contact]; merged {
			known[i].Contact = now
		}
	}
	return nil
}

// heedWishes takes contacts out of campaigns, or back in, who say so and nothing else.
func heedWishes(ctx context.Context, tx postgres.Tx, company id.ID, messages []conversation.Stored) error {
	var wishes []contact.Wished
	written := slices.SortedFunc(slices.Values(messages), func(a, b conversation.Stored) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, one := range written {
		if one.Said.Kind != channel.SaidText && one.Said.Kind != channel.SaidChoice {
			continue
		}
		if wish := contact.WishOf(one.Said.Text); wish != contact.NoWish {
			wishes = append(wishes, contact.Wished{Contact: one.Contact, Wish: wish, At: id.Time(one.ID)})
		}
	}
	return contact.Heed(ctx, tx, company, contact.ByKeyword, wishes)
}

// heedTold does the same for those who told the provider.
func heedTold(ctx context.Context, tx postgres.Tx, route connection.Route, told []channel.Wish, now time.Time) error {
	if len(told) == 0 {
		return nil
	}
	people := make([]contact.Person, len(told))
	for i, one := range told {
		people[i] = contact.Person{From: one.From, Name: one.Name}
	}
	known, err := contact.Meet(ctx, tx, route.Company, people)
	if err != nil {
		return err
	}
	wishes := make([]contact.Wished, len(told))
	for i, one := range told {
		wishes[i] = contact.Wished{Contact: known[i].Contact, Wish: contact.Resume, At: conversation.Instant(one.At, now, route.Connection)}
		if one.Stop {
			wishes[i].Wish = contact.Stop
		}
	}
	return contact.Heed(ctx, tx, route.Company, contact.ByProvider, wishes)
}
