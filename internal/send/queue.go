package send

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// Lane is a message's order of precedence and the set of limits it obeys. Lanes 1 and 2 are urgent: they are sent
// beside the page and don't wait for it.
type Lane int16

// The numbers are stored: never change one.
const (
	LaneReply      Lane = 1 // an agent's reply
	LaneUrgent     Lane = 2 // codes of the API, and test messages
	LaneAutomation Lane = 3
	LaneQueue      Lane = 4 // the API's queue
	laneCampaign   Lane = 5
)

// Urgent tells whether the lane is sent beside the page.
func (l Lane) Urgent() bool { return l == LaneReply || l == LaneUrgent }

// Single is an outgoing message outside campaigns, with its words ready to be sent.
type Single struct {
	Connection id.ID
	Contact    id.ID
	Identity   id.ID // of the contact; where it goes does not change any more
	Lane       Lane  // 1 to 4
	Content    channel.Content
	ExpiresAt  *time.Time // not sent from then on; nil: it waits as long as it takes
	Supersedes id.ID      // the uncertain message that this one is sent again for; Nil: none
}

// ErrNoSuchAddress says that a message can't be queued because its connection, or its contact with that identity, does
// not exist in the company.
var ErrNoSuchAddress = errors.New("the connection or the contact's address does not exist")

// Queue puts messages outside campaigns into the ledger, all or none, and wakes their senders. It returns their ids in
// the order of the messages. After the commit, hint the relay. Errors: ErrNoSuchAddress.
func Queue(ctx context.Context, tx postgres.Tx, company id.ID, singles []Single) ([]id.ID, error) {
	if len(singles) == 0 {
		return nil, nil
	}
	rows := QueueSinglesParams{CompanyID: company}
	counts, urgent := map[id.ID]int{}, map[id.ID]bool{}
	for _, s := range singles {
		if s.Lane < LaneReply || s.Lane > LaneQueue || s.Content.Kind() == "" {
			return nil, fmt.Errorf("queueing a message: lane %d, or a content that does not say exactly one thing", s.Lane)
		}
		words, err := json.Marshal(s.Content)
		if err != nil {
			return nil, fmt.Errorf("writing a message's content: %w", err)
		}
		rows.Ids = append(rows.Ids, id.New())
		rows.Connections = append(rows.Connections, s.Connection)
		rows.Contacts = append(rows.Contacts, s.Contact)
		rows.Identities = append(rows.Identities, s.Identity)
		rows.Lanes = append(rows.Lanes, int16(s.Lane))
		rows.Contents = append(rows.Contents, string(words))
		rows.ExpiresAts = append(rows.ExpiresAts, orNever(s.ExpiresAt))
		rows.Supersedes = append(rows.Supersedes, s.Supersedes)
		counts[s.Connection]++
		urgent[s.Connection] = urgent[s.Connection] || s.Lane.Urgent()
	}
	queued, err := New(tx).QueueSingles(ctx, rows)
	if err != nil {
		return nil, fmt.Errorf("queueing messages: %w", err)
	}
	if int(queued) != len(singles) {
		return nil, ErrNoSuchAddress
	}
	for connection, n := range counts {
		if err := addCount(ctx, tx, company, connection, id.Nil, Counts{Queued: n}); err != nil {
			return nil, err
		}
		if err := wake.Append(ctx, tx, company, flow.Sender(connection), urgent[connection]); err != nil {
			return nil, err
		}
	}
	return rows.Ids, nil
}

// never is an instant that Postgres stores and no message reaches: arrays of the generated code hold no nulls.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func orNever(at *time.Time) time.Time {
	if at == nil {
		return never
	}
	return *at
}
