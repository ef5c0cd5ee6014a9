package filter

import (
	"strings"
	"unicode"
)

type tokenKind int

const (
	end tokenKind = iota
	word
	quoted
	sign // = != < <= > >= : ( )
)

// token is a piece of the text; at and until count characters.
type token struct {
	kind      tokenKind
	text      string // of a quoted one without its quotes
	at, until int
}

// is tells whether the token is a word of the language, in any case.
func (t token) is(keyword string) bool { return t.kind == word && strings.EqualFold(t.text, keyword) }

func (t token) sign(text string) bool { return t.kind == sign && t.text == text }

// quotes people type, or that a word processor makes of them: each opening one with its closing ones.
var quotes = map[rune]string{'"': "\"", '“': "”“\"", '„': "“”\"", '\'': "'", '‘': "’"}

func lex(filter []rune) ([]token, error) {
	var tokens []token
	for at := 0; at < len(filter); {
		r := filter[at]
		switch {
		case unicode.IsSpace(r):
			at++
			continue
		case quotes[r] != "":
			t, err := lexQuoted(filter, at)
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, t)
		case strings.ContainsRune("=!<>:()", r):
			until := at + 1
			if until < len(filter) && filter[until] == '=' && strings.ContainsRune("!<>", r) {
				until++
			}
			tokens = append(tokens, token{sign, string(filter[at:until]), at, until})
		case inWord(r):
			until := at
			for until < len(filter) && inWord(filter[until]) {
				until++
			}
			tokens = append(tokens, token{word, string(filter[at:until]), at, until})
		default:
			return nil, &Error{at, at + 1, "This character has no meaning here; put values in quotes."}
		}
		at = tokens[len(tokens)-1].until
	}
	return append(tokens, token{end, "", len(filter), len(filter)}), nil
}

// lexQuoted reads a text in quotes; a backslash keeps the quote or backslash after it.
func lexQuoted(filter []rune, at int) (token, error) {
	closing := quotes[filter[at]]
	var out strings.Builder
	for i := at + 1; i < len(filter); i++ {
		switch {
		case filter[i] == '\\' && i+1 < len(filter):
			i++
			out.WriteRune(filter[i])
		case strings.ContainsRune(closing, filter[i]):
			return token{quoted, out.String(), at, i + 1}, nil
		case unicode.IsControl(filter[i]):
			return token{}, &Error{i, i + 1, "A value can't hold this character."}
		default:
			out.WriteRune(filter[i])
		}
	}
	return token{}, &Error{at, len(filter), "This quote is never closed."}
}

// inWord: what a bare word may hold, so that zones, dates, phones and addresses need no quotes.
func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune("_-+./@", r)
}
