package filter

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"omnidesk/internal/id"
)

func TestFiltersAreUnderstood(t *testing.T) {
	for given, want := range map[string]string{
		"":           "",
		" \n":        "",
		`tag:vip`:    `tag:"vip"`,
		`TAG = vip`:  `tag:"vip"`,
		`tag!="a b"`: `tag != "a b"`,
		`tag:"vip" and city = "Recife" and not opted_out`: `tag:"vip" and city = "Recife" and not opted_out`,
		`a=1 or b=2 and c=3`:                              `a = "1" or b = "2" and c = "3"`,
		`(a=1 or b=2) and c=3`:                            `(a = "1" or b = "2") and c = "3"`,
		`a=1 and (b=2 and c=3)`:                           `a = "1" and (b = "2" and c = "3")`,
		`((a=1))`:                                         `a = "1"`,
		`NOT NOT has Phone`:                               `not not has phone`,
		`city exists`:                                     `has city`,
		`City Contains "re"`:                              `city contains "re"`,
		`phone starts +55`:                                `phone starts "+55"`,
		`zone = America/Sao_Paulo`:                        `zone = "America/Sao_Paulo"`,
		`age >= 18 and age < -2.5`:                        `age >= 18 and age < -2.5`,
		`age > "18"`:                                      `age > 18`,
		`birthday < 2000-01-31`:                           `birthday < 2000-01-31`,
		`created > 30 days ago or created = today`:        `created > 30 days ago or created = today`,
		`renewed = 1 DAY ago`:                             `renewed = 1 days ago`,
		`"tag" = x`:                                       `"tag" = "x"`,
		`"And" = x`:                                       `"and" = "x"`,
		`name = “Ana \“B”`:                                `name = "Ana “B"`,
		`name = 'O\'Neill'`:                               `name = "O'Neill"`,
		`name = "\\\""`:                                   `name = "\\\""`,
		`mail = ana@example.com`:                          `mail = "ana@example.com"`,
		`delivered:"Spring sale" and not READ:x`:          `delivered:"Spring sale" and not read:"x"`,
		`read = yes`:                                      `read = "yes"`,
		`endereço_2 = x`:                                  `endereço_2 = "x"`,
	} {
		expr, err := Parse(given)
		require.NoError(t, err, given)
		require.Equal(t, want, expr.String(), given)
		require.Equal(t, want == "", expr.Everyone())
	}
}

func TestErrorsSayWhatIsWrongAndWhere(t *testing.T) {
	for given, want := range map[string]string{ // «» stand around what is to be underlined
		`«vip»`:                  "A comparison is missing",
		`tag:«»`:                 "A value is missing",
		`tag:"a" «tag»:"b"`:      `Join conditions by "and" or "or"`,
		`a = 1 and«»`:            "A condition is missing",
		`a = «and» b = 2`:        "A value is missing",
		`«(»a = 1`:               "never closed",
		`(a = 1 «b» = 2)`:        "close the parenthesis",
		`a = 1«)»`:               "closes none",
		`city = «"Rec»`:          "never closed",
		`é = «"Rec»`:             "never closed",
		`a «*» 3`:                "no meaning",
		`«=» 3`:                  "begins with a field",
		`has «and»`:              "begins with a field",
		`has «created»`:          "Everybody",
		`«created» exists`:       "Everybody",
		`created > «tomato»`:     "Write a day",
		`created = «18»`:         "Write a day",
		`created > «2026-02-30»`: "Write a day",
		`age > «old»`:            "Write a number",
		`name «>» a`:             "dates and numbers",
		`tag «contains» a`:       "as a whole",
		`created «starts» 2026`:  "compared by",
		`city«:»a`:               "Write =",
		`phone = «"abc"»`:        "digits",
		`name = «2 days ago»`:    "put a value in quotes",
		`city = «""»`:            "empty",
		`city = «"` + strings.Repeat("x", 201) + `"»`: "at most 200",
		`«"a b"» = 1`: "named by letters",
		`«` + strings.Repeat("x", 41) + `» = 1`: "named by letters",
		`read:«»`:            "Name the campaign",
		"name = \"a«\x01»\"": "can't hold",
		strings.Repeat("(", 20) + "«(»" + "a = 1":           "nested",
		strings.Repeat("not ", 20) + "«not» opted_out":      "nested",
		strings.Repeat("opted_out or ", 50) + "«opted_out»": "at most 50 conditions",
		strings.Repeat("x", MostText) + "«y»":               "at most 2000",
	} {
		before, rest, _ := strings.Cut(given, "«")
		marked, after, _ := strings.Cut(rest, "»")
		_, err := Parse(before + marked + after)
		var wrong *Error
		require.ErrorAs(t, err, &wrong, given)
		require.Contains(t, wrong.Message, want, given)
		require.Equal(t, []int{len([]rune(before)), len([]rune(before + marked))}, []int{wrong.At, wrong.End}, given)
		require.Contains(t, err.Error(), wrong.Message)
	}
	_, err := Parse("name = \xff")
	require.ErrorContains(t, err, "not valid text")
}

func TestAnyTextIsReadOrRefused(t *testing.T) {
	pieces := []string{"and", "or", "not", "has", "tag", "city", "created", "phone", "opted_out", ":", "=", "!=", "<", ">=", "(", ")", `"`, `\`, `"x y"`,
		"'", "18", "2026-01-01", "30 days ago", "today", "contains", "starts", "exists", "read", " ", "é", "\x00", "\n", "$1", "--", "%", "😀"}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 30), func(p []string) string {
			return strings.Join(p, rapid.SampledFrom([]string{"", " "}).Draw(t, "between"))
		})).Draw(t, "text")
		expr, err := Parse(text)
		if err != nil {
			var wrong *Error
			require.ErrorAs(t, err, &wrong)
			require.LessOrEqual(t, 0, wrong.At)
			require.LessOrEqual(t, wrong.At, wrong.End)
			require.LessOrEqual(t, wrong.End, len([]rune(text)))
			return
		}
		again, err := Parse(expr.String())
		require.NoError(t, err, expr.String())
		require.Equal(t, expr, again)
	})
}

func TestPrintingAndParsingComeBackToTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expr := Expr{anyNode(3).Draw(t, "filter")}
		again, err := Parse(expr.String())
		require.NoError(t, err, expr.String())
		require.Equal(t, expr, again, expr.String())
	})
}

// The text of the SQL is the same whatever the values are, so that no value can be part of it.
func TestValuesAreNeverPartOfTheStatement(t *testing.T) {
	company := id.New()
	rapid.Check(t, func(t *rapid.T) {
		root := anyNode(3).Draw(t, "filter")
		hostile := rapid.SampledFrom([]string{`'; DROP TABLE contacts; --`, `$1`, `\'`, `" OR true`, `%`, "x\u2019"}).Draw(t, "value")
		plain, _ := Expr{filled(root, "x")}.SQL("c", []any{"earlier"}, company)
		attacked, args := Expr{filled(root, hostile)}.SQL("c", []any{"earlier"}, company)
		require.Equal(t, plain, attacked)
		require.Equal(t, "earlier", args[0])
		require.Equal(t, company, args[1])
		require.True(t, strings.HasPrefix(attacked, "c.company_id = $2::uuid"))
	})
}

// filled puts the text into every value that is text, and into every name of an attribute.
func filled(n node, text string) node {
	switch n := n.(type) {
	case both:
		return both{filled(n.left, text), filled(n.right, text)}
	case either:
		return either{filled(n.left, text), filled(n.right, text)}
	case not:
		return not{filled(n.of, text)}
	case condition:
		n.value.text = text
		if n.of == attribute {
			n.name = text
		}
		return n
	}
	return n
}

// anyNode generates filters that are spelled in their plainest form.
func anyNode(depth int) *rapid.Generator[node] {
	return rapid.Custom(func(t *rapid.T) node {
		switch shape := rapid.IntRange(0, 6).Draw(t, "shape"); {
		case depth == 0 || shape > 3:
			return anyCondition(t)
		case shape == 0:
			return not{anyNode(depth-1).Draw(t, "of")}
		case shape == 1:
			return either{anyNode(depth-1).Draw(t, "left"), anyNode(depth-1).Draw(t, "right")}
		default:
			return both{anyNode(depth-1).Draw(t, "left"), anyNode(depth-1).Draw(t, "right")}
		}
	})
}

// Few values, so that conditions meet the contacts of the other test.
var (
	someWords  = []string{"Recife", "recife", "Re", "São", "vip", `it's "so" \`, "%", "7", "18", "2026-01-05", "+5511", "and", "today"}
	somePhones = []string{"+5511990000001", "5511", "01", "+55 11"}
	someDays   = []value{{kind: date, text: "2026-01-05"}, {kind: date, text: "2025-12-31"}, {kind: ago}, {kind: ago, days: 30}}
)

func anyCondition(t *rapid.T) condition {
	word := func(from []string) value { return value{kind: text, text: rapid.SampledFrom(from).Draw(t, "word")} }
	operators := func(from ...operator) operator { return rapid.SampledFrom(from).Draw(t, "operator") }
	day := rapid.SampledFrom(someDays)
	attributes := rapid.SampledFrom([]string{"city", "age", "birthday", "tag", "and", "read"})
	switch rapid.IntRange(0, 8).Draw(t, "about") {
	case 0:
		return condition{of: optedOut, operator: equals}
	case 1:
		return condition{campaign, rapid.SampledFrom(outcomes).Draw(t, "outcome"), equals, word([]string{"Spring sale", "x"})}
	case 2:
		return condition{of: tag, operator: operators(equals, differs), value: word(someWords)}
	case 3:
		return condition{of: rapid.SampledFrom([]subject{name, zone}).Draw(t, "of"), operator: operators(equals, differs, contains, starts), value: word(someWords)}
	case 4:
		return condition{of: phone, operator: operators(equals, differs, contains, starts), value: word(somePhones)}
	case 5:
		return condition{of: created, operator: operators(equals, differs, less, most, more, least), value: day.Draw(t, "day")}
	case 6:
		of := rapid.SampledFrom([]subject{name, zone, phone, tag, attribute}).Draw(t, "of")
		c := condition{of: of, operator: exists}
		if of == attribute {
			c.name = attributes.Draw(t, "attribute")
		}
		return c
	case 7:
		v := rapid.OneOf(day, rapid.Just(value{kind: number, text: "18"}), rapid.Just(value{kind: number, text: "-2.50"})).Draw(t, "value")
		return condition{attribute, attributes.Draw(t, "attribute"), operators(less, most, more, least), v}
	default:
		return condition{attribute, attributes.Draw(t, "attribute"), operators(equals, differs, contains, starts), word(someWords)}
	}
}
