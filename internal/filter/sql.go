package filter

import (
	"fmt"
	"strconv"
)

// writer collects the parameters of a condition.
type writer struct {
	contact string // the alias of contacts
	company string // the company's parameter
	args    []any
}

func (w *writer) parameter(value any, kind string) string {
	w.args = append(w.args, value)
	return "$" + strconv.Itoa(len(w.args)) + "::" + kind
}

func (b both) sql(w *writer) string   { return "(" + b.left.sql(w) + " AND " + b.right.sql(w) + ")" }
func (e either) sql(w *writer) string { return "(" + e.left.sql(w) + " OR " + e.right.sql(w) + ")" }
func (n not) sql(w *writer) string    { return "(NOT " + n.of.sql(w) + ")" }

// sql is true or false and never null: not means what it says.
func (c condition) sql(w *writer) string {
	if c.operator == differs {
		c.operator = equals
		return "(NOT " + c.sql(w) + ")"
	}
	switch c.of {
	case optedOut:
		return w.contact + ".opted_out_at IS NOT NULL"
	case tag:
		return c.tagSQL(w)
	case phone:
		return c.phoneSQL(w)
	case campaign:
		return c.campaignSQL(w)
	case created:
		return fmt.Sprintf("(%s.created_at AT TIME ZONE %s)::date %s %s", w.contact, w.zone(), c.operator, c.value.day(w))
	case name:
		return c.textSQL(w, w.contact+".name")
	case zone:
		return c.textSQL(w, "coalesce("+w.contact+".zone, '')")
	}
	return c.textSQL(w, fmt.Sprintf("coalesce(%s.attributes ->> %s, '')", w.contact, w.parameter(c.name, "text")))
}

// textSQL compares a text that is not null.
func (c condition) textSQL(w *writer, column string) string {
	switch {
	case c.operator == exists:
		return column + " <> ''"
	case c.operator == contains:
		return fmt.Sprintf("strpos(lower(%s), lower(%s)) > 0", column, w.parameter(c.value.text, "text"))
	case c.operator == starts:
		return fmt.Sprintf("starts_with(lower(%s), lower(%s))", column, w.parameter(c.value.text, "text"))
	case c.value.kind == number:
		// What is no number is null here, and no comparison holds for it; a cast of all would fail on it.
		return fmt.Sprintf(`coalesce(substring(%s from '^\s*(-?[0-9]{1,15}(?:\.[0-9]{1,10})?)\s*$')::numeric %s %s, false)`,
			column, c.operator, w.parameter(c.value.text, "numeric"))
	case c.value.kind == date || c.value.kind == ago:
		// Days are compared as their texts, which are ordered alike: a cast would fail on a day such as 2026-02-30.
		return fmt.Sprintf(`coalesce(substring(%s from '^[0-9]{4}-[0-9]{2}-[0-9]{2}') COLLATE "C" %s to_char(%s, 'YYYY-MM-DD'), false)`,
			column, c.operator, c.value.day(w))
	}
	return fmt.Sprintf("lower(%s) = lower(%s)", column, w.parameter(c.value.text, "text"))
}

// zone of the company, in which days are counted.
func (w *writer) zone() string {
	return "(SELECT k.zone FROM companies k WHERE k.company_id = " + w.company + ")"
}

func (v value) day(w *writer) string {
	if v.kind == ago {
		return fmt.Sprintf("((now() AT TIME ZONE %s)::date - %s)", w.zone(), w.parameter(v.days, "int"))
	}
	return w.parameter(v.text, "date")
}

func (c condition) tagSQL(w *writer) string {
	tags := ""
	if c.operator == equals {
		// An array that is found once, so that the condition stays one on an index.
		tags = fmt.Sprintf(" AND m.tag_id = ANY(ARRAY(SELECT g.id FROM tags g WHERE g.company_id = %s AND lower(g.name) = lower(%s)))",
			w.company, w.parameter(c.value.text, "text"))
	}
	return fmt.Sprintf("EXISTS (SELECT FROM contact_tags m WHERE m.company_id = %s AND m.contact_id = %s.id%s)", w.company, w.contact, tags)
}

func (c condition) phoneSQL(w *writer) string {
	match := ""
	if c.operator != exists {
		number := digits(c.value.text)
		switch c.operator {
		case starts:
			match = " AND starts_with(i.value, " + w.parameter("+"+number, "text") + ")"
		case contains:
			match = " AND strpos(i.value, " + w.parameter(number, "text") + ") > 0"
		default:
			match = " AND i.value = " + w.parameter("+"+number, "text")
		}
	}
	return fmt.Sprintf("EXISTS (SELECT FROM identities i WHERE i.company_id = %s AND i.contact_id = %s.id AND i.kind = 'phone'%s)", w.company, w.contact, match)
}

// states of the ledger (package send) that a word stands for: who has read a message has also been sent it.
var states = map[string]string{"sent": "2, 4, 5", "delivered": "4, 5", "read": "5", "failed": "3"}

// campaignSQL goes along a contact's own messages: those of the campaign may be as many as the contacts.
func (c condition) campaignSQL(w *writer) string {
	return fmt.Sprintf(`EXISTS (SELECT FROM contact_messages x JOIN messages s ON s.company_id = x.company_id AND s.id = x.message_id
		WHERE x.company_id = %[1]s AND x.contact_id = %[2]s.id AND s.state IN (%[3]s)
		AND s.campaign_id = ANY(ARRAY(SELECT k.id FROM campaigns k WHERE k.company_id = %[1]s AND lower(k.name) = lower(%[4]s))))`,
		w.company, w.contact, states[c.name], w.parameter(c.value.text, "text"))
}
