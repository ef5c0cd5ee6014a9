package campaign

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"omnidesk/internal/channel"
)

// Content is what a campaign says: an approved template whose parameters may hold merge fields, or free text.
type Content struct {
	Kind     string            `json:"kind"` // template, text
	Template *channel.Template `json:"template,omitempty"`
	Text     string            `json:"text,omitempty"`
}

// Kinds of content.
const (
	KindTemplate = "template"
	KindText     = "text"
)

// maxText is WhatsApp's limit for a text body, in characters; a template parameter shares its body's 1,024.
const (
	maxText      = 4096
	maxParameter = 1024
)

// NeedsWindow tells whether it may only go to contacts whose 24-hour window is open.
func (c Content) NeedsWindow() bool { return c.Kind == KindText }

// Person is what merge fields are filled from.
type Person struct {
	Name       string
	Phone      string
	Zone       string
	Attributes json.RawMessage   // an object of strings
	attributes map[string]string // Attributes, read when a field first asks for one
}

// field is {{name}} or {{name|default}}.
var field = regexp.MustCompile(`\{\{\s*([^{}|]*?)\s*(?:\|([^{}]*))?\}\}`)

var builtinFields = []string{"name", "first_name", "phone", "zone"}

// Fields returns the merge fields that are not built in, each once, in the order they appear.
func (c Content) Fields() []string {
	var names []string
	for _, text := range c.texts() {
		for _, match := range field.FindAllStringSubmatch(text, -1) {
			if name := match[1]; !slices.Contains(builtinFields, name) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// bareFields returns the merge fields that stand somewhere without a default, each once. A phone is never empty.
func (c Content) bareFields() []string {
	var names []string
	for _, text := range c.texts() {
		for _, at := range field.FindAllStringSubmatchIndex(text, -1) {
			name := text[at[2]:at[3]]
			if (at[4] < 0 || text[at[4]:at[5]] == "") && name != "phone" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func (c Content) texts() []string {
	if c.Kind == KindTemplate && c.Template != nil {
		return c.Template.Parameters
	}
	return []string{c.Text}
}

// Problem is one thing that keeps a campaign from starting, named by the field to mend.
type Problem struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// problems checks the content by itself.
func (c Content) problems() []Problem {
	switch {
	case c.Kind == KindTemplate && (c.Template == nil || c.Template.Name == "" || c.Template.Language == ""):
		return []Problem{{"content.template", "Name the approved template and its language, for example hello_world and en_US."}}
	case c.Kind == KindText && strings.TrimSpace(c.Text) == "":
		return []Problem{{"content.text", "Write the text to send."}}
	case c.Kind == KindText && len([]rune(c.Text)) > maxText:
		return []Problem{{"content.text", fmt.Sprintf("The text has more than %d characters; shorten it.", maxText)}}
	case c.Kind != KindTemplate && c.Kind != KindText:
		return []Problem{{"content.kind", `Choose "template" or "text".`}}
	}
	var problems []Problem
	for i, text := range c.texts() {
		switch {
		case strings.Contains(field.ReplaceAllString(text, ""), "{{"):
			problems = append(problems, Problem{c.textField(i), `A merge field is not closed; write it as {{first_name}} or {{first_name|friend}}.`})
		case c.Kind == KindTemplate && strings.TrimSpace(text) == "":
			problems = append(problems, Problem{c.textField(i), "It is empty, which Meta refuses; write a text or a merge field."})
		}
	}
	return problems
}

// textField is the place of one of the texts in the form.
func (c Content) textField(i int) string {
	if c.Kind == KindTemplate {
		return fmt.Sprintf("content.template.parameters[%d]", i)
	}
	return "content.text"
}

// placeOf is the place of the first text with a merge field.
func (c Content) placeOf(name string) string {
	for i, text := range c.texts() {
		for _, match := range field.FindAllStringSubmatch(text, -1) {
			if match[1] == name {
				return c.textField(i)
			}
		}
	}
	return c.textField(0)
}

// Renderer is a content made ready to be filled for many people.
type Renderer struct {
	content Content
	texts   [][]piece
}

// piece is a run of literal text, or a merge field with its default.
type piece struct {
	text  string // literal, or the default of a field
	field string // empty for a literal
}

// Renderer takes the content apart once.
func (c Content) Renderer() *Renderer {
	r := &Renderer{content: c}
	for _, text := range c.texts() {
		var pieces []piece
		end := 0
		for _, at := range field.FindAllStringSubmatchIndex(text, -1) {
			pieces = append(pieces, piece{text: text[end:at[0]]})
			found := piece{field: text[at[2]:at[3]]}
			if at[4] >= 0 {
				found.text = text[at[4]:at[5]]
			}
			pieces, end = append(pieces, found), at[1]
		}
		r.texts = append(r.texts, append(pieces, piece{text: text[end:]}))
	}
	return r
}

// Render fills the merge fields for one person. A field without a value and without a default becomes empty.
func (r *Renderer) Render(person Person) channel.Content {
	filled := make([]string, len(r.texts))
	for i, pieces := range r.texts {
		filled[i] = fill(pieces, &person)
	}
	if r.content.Kind != KindTemplate {
		return channel.Content{Text: filled[0]}
	}
	for i, text := range filled {
		filled[i] = oneLine(text)
	}
	return channel.Content{Template: &channel.Template{Name: r.content.Template.Name, Language: r.content.Template.Language, Parameters: filled}}
}

func fill(pieces []piece, person *Person) string {
	if len(pieces) == 1 {
		return pieces[0].text
	}
	var text strings.Builder
	for _, p := range pieces {
		value := ""
		if p.field != "" {
			value = person.value(p.field)
		}
		if value == "" {
			value = p.text
		}
		text.WriteString(value)
	}
	return text.String()
}

func (p *Person) value(name string) string {
	switch name {
	case "name":
		return p.Name
	case "phone":
		return p.Phone
	case "zone":
		return p.Zone
	}
	if p.attributes == nil {
		p.attributes = map[string]string{}
		_ = json.Unmarshal(p.Attributes, &p.attributes) // the noun contact stores strings only
	}
	if found := p.attributes[name]; found != "" || name != "first_name" {
		return found
	}
	first, _, _ := strings.Cut(strings.TrimSpace(p.Name), " ")
	return first
}

// oneLine makes a text fit to be a template parameter: Meta refuses newlines, tabs and runs of spaces.
func oneLine(text string) string {
	if strings.ContainsAny(text, "\n\r\t\v\f\u0085\u00a0") || strings.Contains(text, "  ") || strings.TrimSpace(text) != text {
		text = strings.Join(strings.Fields(text), " ")
	}
	if len(text) <= maxParameter {
		return text
	}
	if runes := []rune(text); len(runes) > maxParameter {
		return string(runes[:maxParameter])
	}
	return text
}

// Words returns a rendered content as one readable text.
func Words(content channel.Content) string { return content.Words() }

// placeholder of a template's body.
var placeholder = regexp.MustCompile(`\{\{\s*(\d+)\s*\}\}`)

// wordsIn is Words with the template's body filled, where it is known.
func wordsIn(content channel.Content, body string) string {
	if content.Template == nil || body == "" {
		return Words(content)
	}
	return placeholder.ReplaceAllStringFunc(body, func(found string) string {
		n, err := strconv.Atoi(placeholder.FindStringSubmatch(found)[1])
		if err != nil || n < 1 || n > len(content.Template.Parameters) {
			return found
		}
		return content.Template.Parameters[n-1]
	})
}
