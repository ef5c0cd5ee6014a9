// Package notice tells the people of a company what they want to hear of without looking: in the bell of every page, and
// by mail. Whoever changes a state adds the notice in the same transaction, so that a crash loses none.
package notice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/wake"
)

// Kind of what has happened.
type Kind string

// The kinds.
const (
	CampaignFinished  Kind = "campaign_finished"
	CampaignPaused    Kind = "campaign_paused"    // by an answer of the provider, not by a person
	ConnectionLost    Kind = "connection_lost"    // it claims nothing for half a minute or more, or until a person acts
	ConnectionWarned  Kind = "connection_warned"  // by the provider, about its account
	ConnectionSilent  Kind = "connection_silent"  // nothing is heard from it, longer than usual, while it sends
	TemplateStopped   Kind = "template_stopped"   // rejected, paused or disabled by the provider; counts templates
	MessagesUncertain Kind = "messages_uncertain" // nobody knows whether they arrived; counts messages
)

// Kinds lists all of them, as people see them.
var Kinds = []Kind{CampaignFinished, CampaignPaused, ConnectionLost, ConnectionWarned, ConnectionSilent, TemplateStopped, MessagesUncertain}

// mailedByDefault are those that wait for somebody.
var mailedByDefault = map[Kind]bool{CampaignPaused: true, ConnectionLost: true, ConnectionWarned: true, ConnectionSilent: true}

// usersHear are those that users hear of, about connections that they see.
var usersHear = []Kind{ConnectionLost, MessagesUncertain}

// Reader is somebody who hears of things.
type Reader struct {
	User id.ID
	// Departments whose connections a user sees. nil: an admin, who hears of everything.
	Departments []id.ID
}

// kinds that a reader may hear of.
func (r Reader) kinds() []Kind {
	if r.Departments == nil {
		return Kinds
	}
	return usersHear
}

// mailed tells whether a kind is mailed to a reader who has not switched it.
func (r Reader) mailed(kind Kind) bool { return r.Departments == nil && mailedByDefault[kind] }

// Subject is what a notice is about.
type Subject struct {
	Kind string // campaign, connection or company
	ID   id.ID
}

// Campaign is a notice's subject.
func Campaign(campaign id.ID) Subject { return Subject{"campaign", campaign} }

// Connection is a notice's subject.
func Connection(connection id.ID) Subject { return Subject{"connection", connection} }

// Company is the subject of what concerns all of a company.
func Company(company id.ID) Subject { return Subject{"company", company} }

// kept is how long notices are kept.
const kept = 90 * 24 * time.Hour

// Add notes that something has happened, in the transaction that made it happen. The same again within the hour adds
// count to the notice there is and tells nobody anew. Hint the relay after the commit, or the mail waits for its sweep.
func Add(ctx context.Context, tx postgres.Tx, company id.ID, kind Kind, about Subject, count int, now time.Time) error {
	q := New(tx)
	again, err := q.add(ctx, addParams{CompanyID: company, ID: id.New(), Kind: string(kind), About: about.Kind, SubjectID: about.ID, Now: now, Count: int32(count)})
	if err != nil {
		return fmt.Errorf("adding a notice: %w", err)
	}
	if again {
		return nil
	}
	if err := q.forget(ctx, company, id.Floor(now.Add(-kept))); err != nil {
		return fmt.Errorf("forgetting old notices: %w", err)
	}
	readers, err := q.mailed(ctx, mailedParams{Kind: string(kind), CompanyID: company, ByDefault: mailedByDefault[kind], About: about.Kind, SubjectID: about.ID})
	if err != nil {
		return fmt.Errorf("looking for whom a notice is mailed to: %w", err)
	}
	for _, reader := range readers {
		if err := wake.Append(ctx, tx, company, flow.Digest(reader), false); err != nil {
			return err
		}
	}
	return realtime.Announce(ctx, tx, realtime.Event{Company: company, Kind: realtime.Notice})
}

// Notice is one of them as a person sees it.
type Notice struct {
	ID     id.ID
	Kind   Kind
	About  Subject
	Name   string // of the subject; empty when it has none
	At     time.Time
	Count  int
	Read   bool
	Lasts  bool   // of a pause or a loss: it is still so
	Detail string // why, in words, while it lasts
}

// ErrNotFound is the answer about a notice that does not exist, or not in this company.
var ErrNotFound = errors.New("there is no such notice")

// List returns up to limit notices that a person's bell shows, the newest first, before an id.
func List(ctx context.Context, tx postgres.Tx, company id.ID, reader Reader, before id.ID, limit int, now time.Time) ([]Notice, error) {
	kinds, err := shown(ctx, tx, company, reader, Switch.bell)
	if err != nil {
		return nil, err
	}
	return listed(ctx, tx, company, listParams{UserID: reader.User, Departments: reader.Departments, Before: before, Since: id.Floor(now.Add(-kept)), Kinds: kinds, RowLimit: int32(limit), Now: now})
}

func listed(ctx context.Context, tx postgres.Tx, company id.ID, arg listParams) ([]Notice, error) {
	arg.CompanyID = company
	rows, err := New(tx).list(ctx, arg)
	if err != nil {
		return nil, fmt.Errorf("listing notices: %w", err)
	}
	notices := make([]Notice, len(rows))
	for i, r := range rows {
		notices[i] = Notice{ID: r.ID, Kind: Kind(r.Kind), About: Subject{r.About, r.SubjectID}, Name: r.Name, At: r.At, Count: int(r.Count), Read: r.Read, Lasts: r.Lasts}
		if r.Lasts {
			notices[i].Detail = r.Detail
		}
	}
	return notices, nil
}

// Unread counts what a person has not read, up to most.
func Unread(ctx context.Context, tx postgres.Tx, company id.ID, reader Reader, most int, now time.Time) (int, error) {
	kinds, err := shown(ctx, tx, company, reader, Switch.bell)
	if err != nil {
		return 0, err
	}
	n, err := New(tx).unread(ctx, unreadParams{CompanyID: company, UserID: reader.User, Departments: reader.Departments, Kinds: kinds, Since: id.Floor(now.Add(-kept)), Most: int32(most)})
	if err != nil {
		return 0, fmt.Errorf("counting notices: %w", err)
	}
	return int(n), nil
}

// Read marks one notice as read by a person, or answers ErrNotFound, also about one that they don't hear of.
func Read(ctx context.Context, tx postgres.Tx, company id.ID, reader Reader, one id.ID) error {
	known, err := New(tx).exists(ctx, company, one, reader.Departments)
	if err == nil && !known {
		return ErrNotFound
	}
	if err == nil {
		err = New(tx).read(ctx, company, reader.User, one)
	}
	if err != nil {
		return fmt.Errorf("marking a notice read: %w", err)
	}
	return nil
}

// ReadAll marks all notices up to one as read by a person.
func ReadAll(ctx context.Context, tx postgres.Tx, company, user, through id.ID) error {
	if err := New(tx).readAll(ctx, user, company, through); err != nil {
		return fmt.Errorf("marking notices read: %w", err)
	}
	return nil
}
