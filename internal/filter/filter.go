// Package filter is the language in which people describe contacts, and its way into SQL.
//
//	tag:"vip" and city = "Recife" and not opted_out
//	(age >= 18 or has birthday) and phone starts +55
//	delivered:"Spring sale" and not read:"Spring sale"
//
// A condition is one of
//
//	tag:vip  tag = "vip"  tag != "vip"       has the tag; != is not (… = …)
//	name zone phone city "any attribute"     followed by = != contains starts < <= > >= and a value
//	created                                  followed by = != < <= > >= and a date
//	has phone                                has a value that is not empty; so for name, zone, tag and attributes
//	opted_out                                stands alone
//	sent:"x" delivered:"x" read:"x" failed:"x"   what became of a message of the campaign of that name
//
// and conditions are joined by and, or, not and parentheses. Words compare without regard to case. A value stands in
// quotes or, when it is one word, bare. Order is by number when the value is a number and by day when it is a date:
// 2026-11-22, today, or 30 days ago (counted in the company's zone). A contact without the attribute fulfils no
// comparison but !=. A word that is no field is the name of an attribute; an attribute that is called like a word of
// the language stands in quotes.
//
// To use it, parse what the person wrote (an *Error says where it is wrong) and put the condition after an alias of
// the table contacts; it names the company by itself and holds no value but in its parameters:
//
//	chosen, err := filter.Parse(text)
//	where, args := chosen.SQL("c", nil, company)
//	rows, err := tx.Query(ctx, `SELECT c.id FROM contacts c WHERE `+where, args...)
//
// SQL appends to the args it is given and numbers its parameters after them. It must run in a transaction of that
// company: it reads identities, tags, messages and campaigns, too.
package filter

import (
	"fmt"

	"omnidesk/internal/id"
)

// Bounds of one filter.
const (
	MostText       = 2000 // characters
	mostConditions = 50
	deepest        = 20 // parentheses and nots inside each other
	longestValue   = 200
	longestName    = 40 // of an attribute
	mostDays       = 36500
)

// Error says what is wrong with a filter, and where. At and End count characters from 0; the part between them is
// to be underlined and may be empty at the end of the text.
type Error struct {
	At, End int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("at character %d: %s", e.At+1, e.Message) }

// Expr is a filter that has been understood. The zero Expr holds for everyone.
type Expr struct{ root node }

// Everyone tells whether the filter leaves nobody out because it says nothing.
func (e Expr) Everyone() bool { return e.root == nil }

// String is the filter in its plainest form; parsing it gives the same filter again.
func (e Expr) String() string {
	if e.root == nil {
		return ""
	}
	return e.root.print(loose)
}

// OfCampaigns tells whether the filter asks what became of a campaign's messages.
func (e Expr) OfCampaigns() bool { return e.root != nil && asksOfCampaigns(e.root) }

func asksOfCampaigns(n node) bool {
	switch n := n.(type) {
	case both:
		return asksOfCampaigns(n.left) || asksOfCampaigns(n.right)
	case either:
		return asksOfCampaigns(n.left) || asksOfCampaigns(n.right)
	case not:
		return asksOfCampaigns(n.of)
	case condition:
		return n.of == campaign
	}
	return true // of a kind that is not known here: better too careful
}

// SQL is a condition about the row of contacts that the alias names, for one company. Its parameters follow args;
// the answer is the text and all parameters. The alias must be a constant of the caller's.
func (e Expr) SQL(contact string, args []any, company id.ID) (text string, all []any) {
	w := &writer{contact: contact, args: args[:len(args):len(args)]}
	w.company = w.parameter(company, "uuid")
	text = contact + ".company_id = " + w.company
	if e.root != nil {
		text += " AND (" + e.root.sql(w) + ")"
	}
	return text, w.args
}

// node is a part of a filter.
type node interface {
	print(around strength) string
	sql(w *writer) string
}

// strength says what binds a part from outside; parentheses are printed where it binds more than the part does.
type strength int

const (
	loose strength = iota
	byOr
	byAnd
	byNot
)

type (
	both   struct{ left, right node } // and
	either struct{ left, right node } // or
	not    struct{ of node }
)

// subject is what a condition is about.
type subject int

const (
	attribute subject = iota
	name
	zone
	phone
	tag
	created
	optedOut
	campaign // what became of a campaign's message; the condition's name says which state
)

var subjects = map[string]subject{"name": name, "zone": zone, "phone": phone, "tag": tag, "created": created, "opted_out": optedOut}

// operator of a condition. Each says something else about an absent value only through not.
type operator string

const (
	equals   operator = "="
	differs  operator = "!="
	less     operator = "<"
	most     operator = "<="
	more     operator = ">"
	least    operator = ">="
	contains operator = "contains"
	starts   operator = "starts"
	exists   operator = "has"
)

// kind of a value.
type kind int

const (
	text kind = iota
	number
	date // YYYY-MM-DD
	ago  // days before today
)

type value struct {
	kind kind
	text string
	days int // of ago
}

type condition struct {
	of       subject
	name     string // of the attribute, or the state of a campaign's message
	operator operator
	value    value
}
