package send

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Verdict is what an operator decides about an uncertain message.
type Verdict string

// The verdicts.
const (
	MarkSent   Verdict = "sent"   // the contact has it
	MarkFailed Verdict = "failed" // the contact does not have it, and need not
	SendAgain  Verdict = "again"  // the contact gets a new message, and may so get it twice
)

// Settled tells what became of a decision about some messages. Those that were not uncertain any more, because a status
// was quicker or somebody else decided, are in neither list.
type Settled struct {
	Messages  []id.ID
	Again     []id.ID // the new messages, in the order of Messages
	Gone      []id.ID // not sent again: their contact or its address does not exist any more
	Campaigns []id.ID // whose counts changed
}

// Settle applies an operator's decision to uncertain messages. words makes the text of one that the ledger does not
// have, because its worker died before it could be recorded. A message that is sent again stays uncertain and is marked
// superseded. After the commit, hint the relay.
func Settle(ctx context.Context, tx postgres.Tx, company id.ID, verdict Verdict, messages []id.ID, now time.Time, words func(Claim) (channel.Content, error)) (Settled, error) {
	rows, err := lockDoubtful(ctx, tx, company, messages)
	if err != nil {
		return Settled{}, err
	}
	if verdict == SendAgain {
		return sendAgain(ctx, tx, company, rows, words)
	}
	event := Event{State: Sent, At: now}
	if verdict == MarkFailed {
		event.State, event.Detail = Failed, "Marked as failed by hand: nobody knows whether the provider had it."
	}
	var done Settled
	byConnection := map[id.ID][]Event{}
	for _, r := range rows {
		event.Message = r.ID
		byConnection[r.ConnectionID] = append(byConnection[r.ConnectionID], event)
		done.Messages = append(done.Messages, r.ID)
	}
	for connection, events := range byConnection {
		touched, err := applyEvents(ctx, tx, company, connection, events)
		if err != nil {
			return Settled{}, err
		}
		done.Campaigns = append(done.Campaigns, touched...)
	}
	return done, nil
}

// lockDoubtful locks the connections and then the messages, of those that are still uncertain and not superseded.
func lockDoubtful(ctx context.Context, tx postgres.Tx, company id.ID, messages []id.ID) ([]LockUncertainRow, error) {
	connections, err := New(tx).UncertainConnections(ctx, company, messages)
	if err != nil {
		return nil, fmt.Errorf("looking for the connections of uncertain messages: %w", err)
	}
	for _, connection := range connections {
		if err := LockScope(ctx, tx, company, connection); err != nil {
			return nil, err
		}
	}
	rows, err := New(tx).LockUncertain(ctx, company, messages)
	if err != nil {
		return nil, fmt.Errorf("locking uncertain messages: %w", err)
	}
	return rows, nil
}

func sendAgain(ctx context.Context, tx postgres.Tx, company id.ID, rows []LockUncertainRow, words func(Claim) (channel.Content, error)) (Settled, error) {
	var done Settled
	var singles []Single
	for _, r := range rows {
		if r.Value == "" {
			done.Gone = append(done.Gone, r.ID)
			continue
		}
		content, err := r.words(words)
		if err != nil {
			return Settled{}, fmt.Errorf("making the text of a message that is sent again: %w", err)
		}
		lane := Lane(r.Lane)
		if lane == laneCampaign { // its campaign may be over; an opt-out counts as it did there
			lane = LaneQueue
		}
		singles = append(singles, Single{Connection: r.ConnectionID, Contact: r.ContactID, Identity: r.IdentityID, Lane: lane, Content: content, Supersedes: r.ID})
		done.Messages = append(done.Messages, r.ID)
	}
	var err error
	if done.Again, err = Queue(ctx, tx, company, singles); err != nil {
		return Settled{}, err
	}
	if err := New(tx).Supersede(ctx, company, done.Messages, done.Again); err != nil {
		return Settled{}, fmt.Errorf("marking messages superseded: %w", err)
	}
	return done, nil
}

// words are those that were put on the wire, or else made anew.
func (r LockUncertainRow) words(render func(Claim) (channel.Content, error)) (content channel.Content, err error) {
	if r.Content != nil {
		err = json.Unmarshal([]byte(*r.Content), &content)
		return content, err
	}
	return render(Claim{ID: r.ID, Campaign: deref(r.CampaignID), TextVersion: int(r.TextVersion), To: channel.Address{Kind: r.Kind, Value: r.Value},
		Name: r.Name, Zone: r.Zone, Attributes: r.Attributes})
}

// ListUncertain lists up to limit messages whose outcome nobody knows, the newest first, before an id. campaign is Nil for all.
func ListUncertain(ctx context.Context, tx postgres.Tx, company, campaign, before id.ID, limit int) ([]ListUncertainRow, error) {
	rows, err := New(tx).ListUncertain(ctx, company, before, orNil(campaign), int32(limit))
	if err != nil {
		return nil, fmt.Errorf("listing uncertain messages: %w", err)
	}
	return rows, nil
}

// DoubtQueued makes what is queued outside campaigns uncertain, so that a person decides about each message: after a
// restore of the database nobody knows whether it was sent. Claims are on hold meanwhile.
func DoubtQueued(ctx context.Context, tx postgres.Tx, company id.ID, now time.Time) error {
	err := New(tx).DoubtQueued(ctx, company, now, "It was queued when the database was restored, and may have been sent before.")
	if err != nil {
		return fmt.Errorf("making queued messages uncertain: %w", err)
	}
	return nil
}

// CountUncertain counts them, up to most. campaign is Nil for all.
func CountUncertain(ctx context.Context, tx postgres.Tx, company, campaign id.ID, most int) (int, error) {
	n, err := New(tx).CountUncertain(ctx, company, orNil(campaign), int32(most))
	if err != nil {
		return 0, fmt.Errorf("counting uncertain messages: %w", err)
	}
	return int(n), nil
}

// Doubtful counts the messages of a campaign whose outcome nobody knows.
type Doubtful struct {
	Campaign id.ID // Nil: outside campaigns
	Name     string
	Count    int
}

// UncertainBy counts them by campaign, those with most first: up to limit campaigns, and up to most messages in all.
func UncertainBy(ctx context.Context, tx postgres.Tx, company id.ID, most, limit int) ([]Doubtful, error) {
	rows, err := New(tx).UncertainBy(ctx, company, int32(most), int32(limit))
	if err != nil {
		return nil, fmt.Errorf("looking for uncertain messages: %w", err)
	}
	list := make([]Doubtful, len(rows))
	for i, r := range rows {
		list[i] = Doubtful{deref(r.CampaignID), r.Name, int(r.Uncertain)}
	}
	return list, nil
}

func orNil(of id.ID) *id.ID {
	if of == id.Nil {
		return nil
	}
	return &of
}
