package world

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// Fault is one thing that goes wrong. The first fault of the list that matches a send and whose draw hits is
// applied. Without any action a match is answered normally, which exempts it from the faults below.
type Fault struct {
	Match       Match    `json:"match"`
	Probability *float64 `json:"probability,omitempty"` // of each matching send; 1 when absent
	Seed        uint64   `json:"seed,omitempty"`        // of the draws; the same seed draws the same
	Times       int64    `json:"times,omitempty"`       // how often it applies; 0 is always

	DelayMS        int  `json:"delay_ms,omitempty"`         // wait first, then do the rest or answer normally
	Code           int  `json:"code,omitempty"`             // answer with this error code of the provider
	HTTPStatus     int  `json:"http_status,omitempty"`      // with this status; alone: a bare page without an error envelope
	RetryAfterS    int  `json:"retry_after_s,omitempty"`    // and this Retry-After header
	Drop           bool `json:"drop,omitempty"`             // cut the connection before accepting
	Hang           bool `json:"hang,omitempty"`             // never answer, and don't accept
	AcceptThenDrop bool `json:"accept_then_drop,omitempty"` // accept, then cut the connection
	AcceptThenHang bool `json:"accept_then_hang,omitempty"` // accept, then never answer
	AcceptThenHalf bool `json:"accept_then_half,omitempty"` // accept, then cut the answer in the middle
	Garbage        bool `json:"garbage,omitempty"`          // accept, then answer 200 with nonsense

	// Webhooks is about those instead of sends; of several the first is in force. Everything else is left out then.
	Webhooks *HookFault `json:"webhooks,omitempty"`
}

// HookFault is what goes wrong with webhooks, all of which Meta's may do.
type HookFault struct {
	DoubleShare float64 `json:"double_share,omitempty"` // of the items are told twice, within two seconds
	LateShare   float64 `json:"late_share,omitempty"`   // of the items are told LateByMS after their time
	LateByMS    int     `json:"late_by_ms,omitempty"`
	Shuffle     bool    `json:"shuffle,omitempty"` // tell each up to half a second later, so that they come in any order
	// Batch tells what falls into one second in one POST, of all numbers and companies of an app, at one address of it.
	Batch bool `json:"batch,omitempty"`
}

// Match says which sends a fault meets; empty fields match all.
type Match struct {
	NumberID string  `json:"number_id,omitempty"` // the sending number's id at the provider
	To       string  `json:"to,omitempty"`        // the recipient: digits, or a user id
	Share    float64 `json:"share,omitempty"`     // this share of all recipients, always the same ones for a seed
}

// Faults is the list in force. Its zero value is ready.
type Faults struct {
	list atomic.Pointer[[]*activeFault] // nil while there are none, so that a send pays nothing
}

type activeFault struct {
	Fault
	mu     sync.Mutex
	random *rand.Rand
	left   int64
}

// Set puts a list in place of the one in force.
func (f *Faults) Set(list []Fault) error {
	active := make([]*activeFault, 0, len(list))
	for i, fault := range list {
		if err := fault.validate(); err != nil {
			return fmt.Errorf("fault %d: %w", i, err)
		}
		active = append(active, &activeFault{
			Fault: fault, left: fault.Times,
			random: rand.New(rand.NewPCG(fault.Seed, uint64(i))),
		})
	}
	if len(active) == 0 {
		f.list.Store(nil)
		return nil
	}
	f.list.Store(&active)
	return nil
}

func (f *Fault) validate() error {
	switch {
	case f.Probability != nil && (*f.Probability < 0 || *f.Probability > 1):
		return errors.New("probability must be from 0 to 1")
	case f.Match.Share < 0 || f.Match.Share > 1:
		return errors.New("match.share must be from 0 to 1")
	case f.HTTPStatus != 0 && (f.HTTPStatus < 200 || f.HTTPStatus > 599):
		return errors.New("http_status must be from 200 to 599")
	case f.Webhooks != nil && (f.Webhooks.DoubleShare < 0 || f.Webhooks.DoubleShare > 1 || f.Webhooks.LateShare < 0 || f.Webhooks.LateShare > 1):
		return errors.New("webhooks.double_share and webhooks.late_share must be from 0 to 1")
	case f.Webhooks != nil && f.Webhooks.LateByMS < 0:
		return errors.New("webhooks.late_by_ms can't be negative")
	case f.DelayMS < 0 || f.Times < 0 || f.RetryAfterS < 0:
		return errors.New("delay_ms, times and retry_after_s can't be negative")
	}
	return nil
}

// List returns the faults in force.
func (f *Faults) List() []Fault {
	faults := []Fault{}
	if list := f.list.Load(); list != nil {
		for _, active := range *list {
			faults = append(faults, active.Fault)
		}
	}
	return faults
}

// Hooks returns what goes wrong with webhooks.
func (f *Faults) Hooks() HookFault {
	if list := f.list.Load(); list != nil {
		for _, active := range *list {
			if active.Webhooks != nil {
				return *active.Webhooks
			}
		}
	}
	return HookFault{}
}

// Pick returns the fault that meets a send, or nil.
func (f *Faults) Pick(numberID, to string) *Fault {
	list := f.list.Load()
	if list == nil {
		return nil
	}
	for _, active := range *list {
		if active.Webhooks == nil && active.hits(numberID, to) {
			return &active.Fault
		}
	}
	return nil
}

func (a *activeFault) hits(numberID, to string) bool {
	match := a.Match
	if (match.NumberID != "" && match.NumberID != numberID) || (match.To != "" && match.To != to) ||
		(match.Share > 0 && Share(Hash(a.Seed, to)) >= match.Share) {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.Times > 0 && a.left == 0 {
		return false
	}
	if a.Probability != nil && a.random.Float64() >= *a.Probability {
		return false
	}
	a.left--
	return true
}
