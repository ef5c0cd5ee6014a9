package campaign

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"omnidesk/internal/channel"
)

var ana = Person{Name: "Ana Lima", Phone: "+5511987654321", Zone: "America/Recife",
	Attributes: json.RawMessage(`{"city":"Recife","empty":"","nested":"{{name}}","order no":"A 7"}`)}

func TestTextsAreFilled(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"no field":                           "no field",
		"Hi {{name}}!":                       "Hi Ana Lima!",
		"{{first_name}}":                     "Ana",
		"{{ first_name }} of {{  city  }}":   "Ana of Recife",
		"{{name}}{{name}}":                   "Ana LimaAna Lima",
		"{{phone}} {{zone}}":                 "+5511987654321 America/Recife",
		"{{order no}}":                       "A 7",
		"{{unknown}}":                        "",
		"{{unknown|friend}}":                 "friend",
		"{{unknown| dear friend }}":          " dear friend ",
		"{{unknown|}}":                       "",
		"{{empty|nothing}}":                  "nothing",
		"{{city|elsewhere}}":                 "Recife",
		"{{nested}}":                         "{{name}}", // a value is never read as a text
		"{{Name}}":                           "",         // names are exact
		"{{name":                             "{{name",
		"name}}":                             "name}}",
		"{{{name}}}":                         "{Ana Lima}",
		"{{a{{name}}":                        "{{aAna Lima",
		"{name}":                             "{name}",
		"{{}}":                               "",
		"100 % {{city}} \\ \"quoted\" 'q' 😀": "100 % Recife \\ \"quoted\" 'q' 😀",
		"line one\nline two":                 "line one\nline two",
	} {
		content := Content{Kind: KindText, Text: text}
		require.Equal(t, channel.Content{Text: want}, content.Renderer().Render(ana), text)
	}
}

func TestFirstNameIsTheFirstWordUnlessImported(t *testing.T) {
	render := func(p Person) string {
		return Content{Kind: KindText, Text: "{{first_name|friend}}"}.Renderer().Render(p).Text
	}
	require.Equal(t, "Ana", render(Person{Name: "  Ana Lima "}))
	require.Equal(t, "Ana", render(Person{Name: "Ana"}))
	require.Equal(t, "friend", render(Person{}))
	require.Equal(t, "Aninha", render(Person{Name: "Ana Lima", Attributes: json.RawMessage(`{"first_name":"Aninha"}`)}))
	require.Equal(t, "Ana", render(Person{Name: "Ana Lima", Attributes: json.RawMessage(`null`)}))
}

// One renderer serves many people: what one has must not show up for the next.
func TestRendererKeepsPeopleApart(t *testing.T) {
	r := Content{Kind: KindTemplate, Template: &channel.Template{Name: "t", Language: "en", Parameters: []string{"{{name|-}}", "{{city|-}}"}}}.Renderer()
	first := r.Render(ana)
	second := r.Render(Person{Name: "Bo"})
	third := r.Render(Person{Attributes: json.RawMessage(`{"city":"Olinda"}`)})
	require.Equal(t, []string{"Ana Lima", "Recife"}, first.Template.Parameters)
	require.Equal(t, []string{"Bo", "-"}, second.Template.Parameters)
	require.Equal(t, []string{"-", "Olinda"}, third.Template.Parameters)
}

func TestTemplateParametersAreFitForMeta(t *testing.T) {
	for parameter, want := range map[string]string{
		"a\nb":                    "a b",
		"a\r\n\tb":                "a b",
		"a     b":                 "a b",
		"  {{city}}  ":            "Recife",
		"{{order no}}\n{{city}}":  "A 7 Recife",
		"a\u00a0b\u0085c\vd\fe":   "a b c d e",
		strings.Repeat("é", 2000): strings.Repeat("é", 1024),
	} {
		template := channel.Template{Name: "order", Language: "pt_BR", Parameters: []string{parameter}}
		got := Content{Kind: KindTemplate, Template: &template}.Renderer().Render(ana)
		require.Equal(t, "order", got.Template.Name)
		require.Equal(t, "pt_BR", got.Template.Language)
		require.Equal(t, []string{want}, got.Template.Parameters)
		require.Equal(t, []string{parameter}, template.Parameters, "the campaign's own text must stay as it is")
	}
}

var unfit = regexp.MustCompile(`[\n\r\t]|  |^ | $`)

func TestAnyParameterIsFitForMeta(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"{{name}}", "{{x|y  z}}", "\n", "\t", "    ", "\r\n", "{{", "}}", "|"}))
		parameter := strings.Join(rapid.SliceOf(piece).Draw(t, "parameter"), "")
		name := rapid.String().Draw(t, "name")
		template := channel.Template{Name: "t", Language: "en", Parameters: []string{parameter}}
		got := Content{Kind: KindTemplate, Template: &template}.Renderer().Render(Person{Name: name}).Template.Parameters
		require.Len(t, got, 1)
		require.NotRegexp(t, unfit, got[0])
		require.LessOrEqual(t, utf8.RuneCountInString(got[0]), maxParameter)
	})
}

// A text without fields goes out as it was written.
func TestTextWithoutFieldsStaysAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.ReplaceAll(rapid.String().Draw(t, "text"), "{{", "")
		require.Equal(t, text, Content{Kind: KindText, Text: text}.Renderer().Render(ana).Text)
	})
}

func TestFieldsOfAContent(t *testing.T) {
	text := Content{Kind: KindText, Text: "{{name}} {{city}} {{ city }} {{first_name|x}} {{shoe size|40}} {{phone}}{{zone}}"}
	require.Equal(t, []string{"city", "shoe size"}, text.Fields())
	template := Content{Kind: KindTemplate, Template: &channel.Template{Parameters: []string{"{{b}}", "{{a}}{{b}}"}}}
	require.Equal(t, []string{"b", "a"}, template.Fields())
	require.Empty(t, Content{Kind: KindTemplate}.Fields())
}

func TestProblemsOfAContent(t *testing.T) {
	template := func(name, language string, parameters ...string) Content {
		return Content{Kind: KindTemplate, Template: &channel.Template{Name: name, Language: language, Parameters: parameters}}
	}
	text := func(text string) Content { return Content{Kind: KindText, Text: text} }
	for name, c := range map[string]struct {
		content Content
		field   string // empty: no problem
	}{
		"good template":          {template("a", "en", "{{name}}"), ""},
		"good text":              {text("Hi {{name|you}}"), ""},
		"longest text":           {text(strings.Repeat("é", maxText)), ""},
		"no template":            {Content{Kind: KindTemplate}, "content.template"},
		"no name":                {template("", "en"), "content.template"},
		"no language":            {template("a", ""), "content.template"},
		"no text":                {text(" \n"), "content.text"},
		"too long":               {text(strings.Repeat("é", maxText+1)), "content.text"},
		"no kind":                {Content{Text: "x"}, "content.kind"},
		"unknown kind":           {Content{Kind: "video"}, "content.kind"},
		"unclosed field":         {text("Hi {{name"), "content.text"},
		"unclosed in a template": {template("a", "en", "ok", "{{name}"), "content.template.parameters[1]"},
	} {
		problems := c.content.problems()
		if c.field == "" {
			require.Empty(t, problems, name)
			continue
		}
		require.Len(t, problems, 1, name)
		require.Equal(t, c.field, problems[0].Field, name)
		require.NotEmpty(t, problems[0].Message)
	}
}

func TestWords(t *testing.T) {
	require.Equal(t, "Hello", Words(channel.Content{Text: "Hello"}))
	require.Equal(t, "order", Words(channel.Content{Template: &channel.Template{Name: "order"}}))
	require.Equal(t, "order: Ana · 7", Words(channel.Content{Template: &channel.Template{Name: "order", Parameters: []string{"Ana", "7"}}}))
}
