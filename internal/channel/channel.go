// Package channel is the vocabulary of sending and receiving. Everything above it speaks of connections,
// recipients and content; everything below it (whatsapp, meta, twilio) speaks a provider's language.
// Only main.go knows which adapters there are.
package channel

import (
	"context"
	"encoding/json"
	"time"

	"omnidesk/internal/id"
)

// Kind names a channel, as stored in connections.channel.
type Kind string

// WhatsAppCloud is the official WhatsApp Cloud API of Meta.
const WhatsAppCloud Kind = "whatsapp_cloud"

// Account is what an adapter needs to speak for one connection. Its secrets are unsealed just before use
// and are never logged.
type Account struct {
	Company    id.ID
	Connection id.ID
	Kind       Kind
	AppID      string
	AccountID  string // Meta: the WhatsApp Business Account
	NumberID   string // Meta: phone_number_id
	AppSecret  string
	Token      string
	Callback   string // where the provider's webhooks should arrive; set for a check only
}

// Address is one way to reach a contact: an identity row.
type Address struct {
	Kind  string // phone, lid, bsuid, igsid, psid
	Value string // a phone is E.164 with its plus sign
}

// Template names an approved template and fills its body parameters in order. Newlines and runs of spaces
// are already removed from Parameters, as Meta requires.
type Template struct {
	Name       string   `json:"name"`
	Language   string   `json:"language"`
	Parameters []string `json:"parameters,omitempty"`
}

// Outgoing is one message to put on the wire. ID travels with it wherever the provider echoes it.
type Outgoing struct {
	ID      id.ID
	To      Address
	Content Content
}

// Class says what is known after a send. The ledger's next state follows from it alone.
type Class int

const (
	// Accepted: the provider gave an id; the message is sent.
	Accepted Class = iota
	// NotWritten: nothing reached the wire (dial, DNS, TLS); retrying is safe.
	NotWritten
	// NotAccepted: a code on the written list that means "not accepted, come later"; retrying is safe.
	NotAccepted
	// Refused: an explicit refusal that no time mends. Of ScopeMessage the message failed; of a wider scope the message
	// waits with the others until a person has mended what was refused.
	Refused
	// Unknown: written, but the outcome can't be known (timeout, reset, other 5xx); never sent again by a machine.
	Unknown
)

// Scope says how far a refusal or a delay reaches: whatever else it reaches would meet the same answer.
type Scope int

const (
	// ScopeMessage: this message alone.
	ScopeMessage Scope = iota
	// ScopePair: this contact on this number; the others go on.
	ScopePair
	// ScopeTemplate: the campaigns with this message's template. They are paused.
	ScopeTemplate
	// ScopeCampaigns: all campaigns of the number, because of its quality or limits. They are paused; answers go on.
	ScopeCampaigns
	// ScopeConnection: the number. It is held.
	ScopeConnection
)

// Pauses tells whether campaigns are paused.
func (s Scope) Pauses() bool { return s == ScopeTemplate || s == ScopeCampaigns }

// Outcome is the result of one send. A zero RetryAfter on a retryable class means the provider named no time.
type Outcome struct {
	Class      Class
	ProviderID string        // set when Accepted
	Scope      Scope         // how far a NotAccepted or Refused answer reaches
	Suspect    bool          // a refusal of one message that its campaign's others may well meet: several in a row pause it
	Code       int           // the provider's code, 0 when it gave none
	Detail     string        // our words for an operator: what happened and what to do; never a number or a text
	RetryAfter time.Duration // how long to wait before a retry
}

// Sender puts messages of one account on the wire. Send never repeats a request that may have been written,
// returns within Timeout, and is called by many goroutines at once.
type Sender interface {
	Send(ctx context.Context, out Outgoing) Outcome
}

// Check is the result of asking the provider about an account.
type Check struct {
	OK     bool
	Number string // E.164 as the provider knows it
	Name   string // the verified name
	Detail string // one sentence: what is right, or what is wrong and how to mend it

	Quality   string     // the provider's word about the number, such as GREEN; empty when it gave none
	Limit     int        // contacts outside an open window that it lets the number write to in 24 hours; 0: not known, -1: no limit
	Portfolio string     // whose numbers share the limit; empty when it is not known
	Lines     []Line     // what was looked at, in the order in which people set it up
	TokenEnds *time.Time // when the token expires; nil: never, or not known
}

// ProviderTemplate is one language of a message template as the provider has it. The words in capitals are its own.
type ProviderTemplate struct {
	ProviderID     string          `json:"provider_id"`
	Name           string          `json:"name"`
	Language       string          `json:"language"`
	Category       string          `json:"category"` // MARKETING, UTILITY, AUTHENTICATION
	Status         string          `json:"status"`   // APPROVED, PENDING, REJECTED, PAUSED, DISABLED …
	Quality        string          `json:"quality"`  // GREEN, YELLOW, RED, UNKNOWN
	RejectedReason string          `json:"rejected_reason"`
	Components     json.RawMessage `json:"components"` // a list of header, body, footer and buttons
}

// TemplateLister is an ability of adapters whose provider reviews templates.
type TemplateLister interface {
	// ListTemplates returns all templates of the account. The error is one sentence that says what to mend.
	ListTemplates(ctx context.Context, account Account) ([]ProviderTemplate, error)
}

// Verdict of one line of a check.
type Verdict string

// The verdicts. Bad keeps the account from sending, Poor does not, Unseen could not be looked at yet.
const (
	Good   Verdict = "good"
	Poor   Verdict = "poor"
	Bad    Verdict = "bad"
	Unseen Verdict = "unseen"
)

// Line is one thing a check looked at.
type Line struct {
	Subject string  `json:"subject"` // token, app, number, account, webhook, quality
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail"` // one sentence: what is right, or what is wrong and how to mend it
}

// Adapter speaks one provider's protocol for many accounts.
type Adapter interface {
	// Open returns a Sender for an account. slots is how many sends may run at once.
	Open(account Account, slots int) Sender
	// Check asks the provider whether the account works. Of an account that is not complete yet it checks what
	// there is.
	Check(ctx context.Context, account Account) Check
	// Timeout bounds one Send, so that the age of a claim tells whether its outcome can still come.
	Timeout() time.Duration
}

// Explanation says what a provider's code means for a message that failed with it.
type Explanation struct {
	Meaning string // what happened
	Remedy  string // what to do
	Again   bool   // the same message may arrive at another try
}

// Explainer is an Adapter that knows its provider's codes.
type Explainer interface {
	// Explain puts a code into words; 0 means that the provider gave none.
	Explain(code int) Explanation
}

// StatusKind is what a provider reported about a message it had accepted.
type StatusKind string

// The statuses of a message, in the order in which they advance, failed aside.
const (
	StatusSent      StatusKind = "sent"
	StatusDelivered StatusKind = "delivered"
	StatusRead      StatusKind = "read"
	StatusFailed    StatusKind = "failed"
)

// Status is one report about one message.
type Status struct {
	ProviderID string
	MessageID  id.ID // our id as the provider echoed it; Nil when it did not
	Kind       StatusKind
	At         time.Time
	Code       int
	Detail     string
	Scope      Scope         // of a failure: how far its reason reaches
	RetryAfter time.Duration // of a wider scope than the message: when it ends by itself; 0: a person ends it
}
