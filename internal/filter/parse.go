package filter

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Parse reads a filter. An error is always an *Error. A text without any word gives the filter that holds for
// everyone.
func Parse(filter string) (Expr, error) {
	if !utf8.ValidString(filter) {
		return Expr{}, &Error{0, 0, "This is not valid text."}
	}
	runes := []rune(filter)
	if len(runes) > MostText {
		return Expr{}, &Error{MostText, len(runes), fmt.Sprintf("A filter has at most %d characters.", MostText)}
	}
	tokens, err := lex(runes)
	if err != nil {
		return Expr{}, err
	}
	p := &parser{tokens: tokens}
	if p.now().kind == end {
		return Expr{}, nil
	}
	root, err := p.or()
	if err != nil {
		return Expr{}, err
	}
	if t := p.now(); t.kind != end {
		if t.sign(")") {
			return Expr{}, complain(t, "This parenthesis closes none.")
		}
		return Expr{}, complain(t, `Join conditions by "and" or "or".`)
	}
	return Expr{root}, nil
}

type parser struct {
	tokens     []token
	at         int
	depth      int
	conditions int
}

func complain(t token, message string, args ...any) error {
	return &Error{t.at, t.until, fmt.Sprintf(message, args...)}
}

func (p *parser) now() token { return p.tokens[p.at] }

// take returns the token and goes on; the end is never passed.
func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

func (p *parser) or() (node, error) {
	left, err := p.and()
	for err == nil && p.now().is("or") {
		p.take()
		var right node
		if right, err = p.and(); err == nil {
			left = either{left, right}
		}
	}
	return left, err
}

func (p *parser) and() (node, error) {
	left, err := p.unary()
	for err == nil && p.now().is("and") {
		p.take()
		var right node
		if right, err = p.unary(); err == nil {
			left = both{left, right}
		}
	}
	return left, err
}

func (p *parser) unary() (node, error) {
	t := p.now()
	if !t.is("not") && !t.sign("(") {
		return p.condition()
	}
	p.take()
	if p.depth++; p.depth > deepest {
		return nil, complain(t, "It is nested too deeply.")
	}
	defer func() { p.depth-- }()
	if t.is("not") {
		of, err := p.unary()
		return not{of}, err
	}
	inside, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.now().sign(")") {
		if p.now().kind == end {
			return nil, complain(t, "This parenthesis is never closed.")
		}
		return nil, complain(p.now(), `Join conditions by "and" or "or", or close the parenthesis.`)
	}
	p.take()
	return inside, nil
}

// reserved words can't be bare names of attributes.
var reserved = []string{"and", "or", "not", "has", "contains", "starts", "exists"}

// outcomes are the words for what became of a campaign's message.
var outcomes = []string{"sent", "delivered", "read", "failed"}

func (p *parser) condition() (node, error) {
	t := p.take()
	if p.conditions++; p.conditions > mostConditions {
		return nil, complain(t, "A filter has at most %d conditions.", mostConditions)
	}
	if t.is("has") {
		return p.has()
	}
	if state := strings.ToLower(t.text); t.kind == word && slices.Contains(outcomes, state) && p.now().sign(":") {
		p.take()
		campaignName, err := p.words("Name the campaign, for example %s", state+`:"Spring sale".`)
		return condition{campaign, state, equals, campaignName}, err
	}
	c, err := field(t)
	if err != nil {
		return nil, err
	}
	if c.of == optedOut {
		return c, nil
	}
	return p.comparison(t, c)
}

func (p *parser) has() (node, error) {
	t := p.take()
	c, err := field(t)
	if err != nil {
		return nil, err
	}
	if c.of == created || c.of == optedOut {
		return nil, complain(t, "Everybody has this; ask for a phone, a tag or an attribute.")
	}
	c.operator = exists
	return c, nil
}

// field reads what a condition is about.
func field(t token) (condition, error) {
	lower := strings.ToLower(t.text)
	switch {
	case t.kind == end:
		return condition{}, complain(t, `A condition is missing here, for example tag:"vip" or city = "Recife".`)
	case t.kind == sign, t.kind == word && slices.Contains(reserved, lower):
		return condition{}, complain(t, `A condition begins with a field, for example tag:"vip" or city = "Recife".`)
	}
	if known, ok := subjects[lower]; ok && t.kind == word {
		return condition{of: known, operator: equals}, nil
	}
	if !attributeName(lower) {
		return condition{}, complain(t, "Attributes are named by letters, digits and _, at most %d of them.", longestName)
	}
	return condition{of: attribute, name: lower}, nil
}

func attributeName(name string) bool {
	odd := strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	return name != "" && !odd && utf8.RuneCountInString(name) <= longestName && name == strings.ToLower(name)
}

// comparison reads the operator and value after a field.
func (p *parser) comparison(about token, c condition) (node, error) {
	t := p.take()
	switch {
	case t.is("exists"):
		if c.operator = exists; c.of == created {
			return nil, complain(about, "Everybody has this; ask for a phone, a tag or an attribute.")
		}
		return c, nil
	case t.is("contains"), t.is("starts"):
		c.operator = operator(strings.ToLower(t.text))
	case t.sign(":") && c.of == tag:
		c.operator = equals
	case t.kind == sign && slices.Contains([]string{"=", "!=", "<", "<=", ">", ">="}, t.text):
		c.operator = operator(t.text)
	case t.sign(":"):
		return nil, complain(t, "Write = here; a colon is for tags and campaigns.")
	default:
		return nil, complain(about, "A comparison is missing after this word, for example %s", about.text+` = "yes", or has `+about.text+".")
	}
	if err := fits(t, c); err != nil {
		return nil, err
	}
	start := p.now()
	var err error
	if c.value, err = p.value(c); err != nil {
		return nil, err
	}
	return c, c.check(token{quoted, "", start.at, p.tokens[p.at-1].until})
}

// fits refuses an operator that means nothing for its field.
func fits(t token, c condition) error {
	ordered := slices.Contains([]operator{less, most, more, least}, c.operator)
	part := c.operator == contains || c.operator == starts
	switch {
	case ordered && (c.of == tag || c.of == name || c.of == zone || c.of == phone):
		return complain(t, "Greater and less are for dates and numbers: created, or an attribute.")
	case part && c.of == tag:
		return complain(t, "A tag is compared as a whole: write tag:\"vip\" or tag != \"vip\".")
	case part && c.of == created:
		return complain(t, "A day is compared by =, !=, <, <=, > or >=.")
	}
	return nil
}

// words reads a value that is text, whatever it looks like.
func (p *parser) words(message string, args ...any) (value, error) {
	t := p.take()
	if t.kind != word && t.kind != quoted || t.is("and") || t.is("or") || t.is("not") {
		return value{}, complain(t, message, args...)
	}
	if strings.TrimSpace(t.text) == "" {
		return value{}, complain(t, "This value is empty; to ask for an absent one write not has ….")
	}
	if utf8.RuneCountInString(t.text) > longestValue {
		return value{}, complain(t, "A value has at most %d characters.", longestValue)
	}
	return value{kind: text, text: t.text}, nil
}

func (p *parser) value(c condition) (value, error) {
	if days, ok := p.daysAgo(); ok {
		return days, nil
	}
	v, err := p.words("A value is missing here: a word, or several in quotes.")
	if err != nil || c.operator == contains || c.operator == starts {
		return v, err
	}
	ordered := c.of == created || c.operator != equals && c.operator != differs
	switch {
	case ordered && numberForm.MatchString(v.text):
		v.kind = number
	case ordered && isDate(v.text):
		v.kind = date
	}
	return v, nil
}

// daysAgo reads "today" and "30 days ago".
func (p *parser) daysAgo() (value, bool) {
	if p.now().is("today") {
		p.take()
		return value{kind: ago}, true
	}
	if p.at+2 >= len(p.tokens) || p.now().kind != word || !p.tokens[p.at+2].is("ago") {
		return value{}, false
	}
	days, err := strconv.Atoi(p.now().text)
	if unit := p.tokens[p.at+1]; err != nil || days < 0 || days > mostDays || !unit.is("days") && !unit.is("day") {
		return value{}, false
	}
	p.at += 3
	return value{kind: ago, days: days}, true
}

var numberForm = regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,10})?$`)

func isDate(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// check refuses a value that its condition can't compare; at is where the value stands.
func (c condition) check(at token) error {
	ordered := slices.Contains([]operator{less, most, more, least}, c.operator)
	switch {
	case c.of == created && c.value.kind != date && c.value.kind != ago:
		return complain(at, "Write a day: 2026-11-22, today, or 30 days ago.")
	case ordered && c.value.kind == text:
		return complain(at, "Write a number such as 18, or a day: 2026-11-22, today, or 30 days ago.")
	case c.value.kind == ago && (c.of != created && c.of != attribute || c.operator == contains || c.operator == starts):
		return complain(at, "A day means nothing here; put a value in quotes.")
	case c.of == phone && digits(c.value.text) == "":
		return complain(at, "Write digits of a phone number, for example +55 11.")
	}
	return nil
}

func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
}
