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
	Wishes    []Wish
	Templates []TemplateNews
	Account   *AccountNews
}

// Wish is that a contact told the provider whether it wants marketing.
type Wish struct {
	From Address
	Name string    // the name the contact gave itself
	Stop bool      // false: it wants it again
	At   time.Time // zero: the provider named no time
}

// TemplateNews is that a template's standing changed. What is empty has not.
type TemplateNews struct {
	Name, Language, Status, Reason, Category, Quality string // in the provider's words, as in ProviderTemplate
}

// AccountNews is that the standing of an account or a number changed. What is empty has not.
type AccountNews struct {
	Number  string  // in E.164: only the connection of this number is meant; empty: all of the account
	Quality string  // as in Check
	Limit   int     // as in Check; 0: not changed
	Alert   *string // what the provider warns of, and what to do; empty: the warning is over
}
