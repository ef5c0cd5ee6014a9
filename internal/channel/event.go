package channel

import "time"

// Event is one entry of a webhook: what a provider says about one number or one account, as it came and as it reads.
type Event struct {
	AccountID string    // the account that it names
	NumberID  string    // the number that it names; empty: it is about the account
	Kind      string    // what it is about, in the provider's word; "statuses" apart from "messages", "unreadable" when nobody can tell
	At        time.Time // when the provider says that it happened; zero: it says so of each item, or not at all
	Raw       []byte    // the entry as it came, alone in a body of its own, so that it reads the same again
	Problem   string    // what of it can't be read, by its place and never by its content; empty: nothing
	Statuses  []Status
	Inbound   []Inbound
}
