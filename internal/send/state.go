// Package send owns the ledger of outgoing messages: its states, its claims and its counts. Every outgoing
// message of every feature is a row here before anything else happens.
package send

import (
	"fmt"
	"time"

	"omnidesk/internal/id"
)

// State of an outgoing message, as stored.
//
//	queued ──claim──▶ sending ──▶ sent ──▶ delivered ──▶ read     (only forward: sent < failed < delivered < read)
//	   ▲                │ ├──▶ failed     (permanent)
//	   └── retry at T ──┘ └──▶ uncertain ──(status, echo, operator)──▶ sent | failed
//	canceled · expired · suppressed
type State int16

// The numbers are stored: never change one.
const (
	Queued State = iota
	Sending
	Sent
	Failed
	Delivered
	Read
	Uncertain
	Canceled
	Expired
	Suppressed
	Received // of an inbound message, which has no other
)

var stateNames = [...]string{"queued", "sending", "sent", "failed", "delivered", "read", "uncertain", "canceled", "expired", "suppressed", "received"}

// String returns the word used in the API.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state %d", s)
}

// ParseState reads a word of the API.
func ParseState(word string) (State, error) {
	for i, name := range stateNames {
		if name == word {
			return State(i), nil
		}
	}
	return 0, fmt.Errorf("there is no message state %q", word)
}

// Open tells whether something is still going to happen by itself.
func (s State) Open() bool { return s == Queued || s == Sending }

// rank orders what a provider reports; everything before the first report ranks 0.
func (s State) rank() int {
	switch s {
	case Sent:
		return 1
	case Failed:
		return 2
	case Delivered:
		return 3
	case Read:
		return 4
	default:
		return 0
	}
}

// Event is something learnt about one message: the outcome of an attempt (Attempt is set), a provider's
// status, or that a claim has lost its owner.
type Event struct {
	Message    id.ID
	Attempt    id.ID
	State      State
	At         time.Time
	ProviderID string
	Code       int32
	Detail     string
	RetryAt    *time.Time
	Content    string // what was sent; empty when the event does not know
}

// apply folds one event into a row and tells whether anything changed. It never takes a state back, and an
// outcome counts only for the attempt that the row is in.
func (r *ForUpdateRow) apply(e Event) bool {
	if e.Attempt != id.Nil {
		return r.applyOutcome(e)
	}
	if e.State == Uncertain { // the owner is gone
		if State(r.State) != Sending {
			return false
		}
		r.end(e)
		return true
	}
	// A status proves that the provider has the message, whatever we believed: truth moves the row.
	if e.State.rank() <= State(r.State).rank() {
		return r.fillTimes(e)
	}
	r.State = int16(e.State)
	r.RetryAt = nil
	r.fillTimes(e)
	if e.State == Failed {
		r.end(e)
	} else {
		r.EndedAt, r.ErrorCode, r.ErrorDetail = nil, nil, nil
	}
	return true
}

func (r *ForUpdateRow) applyOutcome(e Event) bool {
	if r.AttemptID == nil || *r.AttemptID != e.Attempt {
		return false
	}
	if e.Content != "" {
		r.Content = &e.Content
	}
	if e.ProviderID != "" {
		r.ProviderID = &e.ProviderID
	}
	state := State(r.State)
	if state != Sending && state != Uncertain {
		// A status was quicker; the outcome only adds what it alone knows.
		if e.State == Sent && r.SentAt == nil {
			r.SentAt = &e.At
		}
		return true
	}
	switch e.State {
	case Sent:
		r.State, r.SentAt, r.EndedAt, r.ErrorCode, r.ErrorDetail = int16(Sent), &e.At, nil, nil, nil
	case Queued:
		r.State, r.RetryAt, r.EndedAt = int16(Queued), e.RetryAt, nil
		r.explain(e)
	default:
		r.end(e)
	}
	return true
}

func (r *ForUpdateRow) end(e Event) {
	r.State, r.EndedAt = int16(e.State), &e.At
	r.explain(e)
}

func (r *ForUpdateRow) explain(e Event) {
	r.ErrorCode, r.ErrorDetail = nil, nil
	if e.Code != 0 {
		r.ErrorCode = &e.Code
	}
	if e.Detail != "" {
		r.ErrorDetail = &e.Detail
	}
}

// fillTimes keeps the instant of each report; read implies delivered, delivered implies sent. An instant that
// was only implied equals the next one's and gives way to an earlier report, so that the order does not matter.
func (r *ForUpdateRow) fillTimes(e Event) bool {
	changed := false
	fill := func(field **time.Time, from State, next *time.Time) {
		if e.State == Failed || e.State.rank() < from.rank() {
			return
		}
		implied := *field != nil && next != nil && (*field).Equal(*next)
		if *field == nil || (implied && e.At.Before(**field)) {
			at := e.At
			*field = &at
			changed = true
		}
	}
	fill(&r.SentAt, Sent, r.DeliveredAt)
	fill(&r.DeliveredAt, Delivered, r.ReadAt)
	fill(&r.ReadAt, Read, nil)
	if e.ProviderID != "" && r.ProviderID == nil {
		r.ProviderID = &e.ProviderID
		changed = true
	}
	return changed
}
