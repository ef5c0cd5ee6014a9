package filter

import (
	"slices"
	"strconv"
	"strings"
)

func parentheses(inside string, needed bool) string {
	if needed {
		return "(" + inside + ")"
	}
	return inside
}

// Both sides of a chain are printed so that it is read again from left to right.
func (b both) print(around strength) string {
	return parentheses(b.left.print(byOr)+" and "+b.right.print(byAnd), around >= byAnd)
}

func (e either) print(around strength) string {
	return parentheses(e.left.print(loose)+" or "+e.right.print(byOr), around >= byOr)
}

func (n not) print(strength) string { return "not " + n.of.print(byNot) }

func (c condition) print(strength) string {
	switch {
	case c.of == optedOut:
		return "opted_out"
	case c.of == campaign:
		return c.name + ":" + quote(c.value.text)
	case c.operator == exists:
		return "has " + c.field()
	case c.of == tag && c.operator == equals:
		return "tag:" + quote(c.value.text)
	}
	return c.field() + " " + string(c.operator) + " " + c.value.print()
}

func (c condition) field() string {
	if c.of != attribute {
		for word, of := range subjects {
			if of == c.of {
				return word
			}
		}
	}
	_, taken := subjects[c.name]
	if taken || slices.Contains(reserved, c.name) {
		return quote(c.name)
	}
	return c.name
}

func (v value) print() string {
	switch v.kind {
	case number, date:
		return v.text
	case ago:
		if v.days == 0 {
			return "today"
		}
		return strconv.Itoa(v.days) + " days ago"
	}
	return quote(v.text)
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
