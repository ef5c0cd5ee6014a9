package campaign

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
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
	Attributes json.RawMessage // an object of strings
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
	for _, text := range c.texts() {
		if strings.Contains(field.ReplaceAllString(text, ""), "{{") {
			problems = append(problems, Problem{c.textField(), `A merge field is not closed; write it as {{first_name}} or {{first_name|friend}}.`})
		}
	}
	return problems
}

func (c Content) textField() string {
	if c.Kind == KindTemplate {
		return "content.template.parameters"
	}
	return "content.text"
}

// Render fills the merge fields for one person. A field without a value and without a default becomes empty.
func (c Content) Render(person Person) channel.Content {
	fill := filler(person)
	if c.Kind != KindTemplate {
		return channel.Content{Text: fill(c.Text)}
	}
	filled := channel.Template{Name: c.Template.Name, Language: c.Template.Language}
	for _, parameter := range c.Template.Parameters {
		filled.Parameters = append(filled.Parameters, oneLine(fill(parameter)))
	}
	return channel.Content{Template: &filled}
}

func filler(person Person) func(string) string {
	var attributes map[string]string // read only when a field asks for one
	value := func(name string) string {
		switch name {
		case "name":
			return person.Name
		case "phone":
			return person.Phone
		case "zone":
			return person.Zone
		}
		if attributes == nil {
			attributes = map[string]string{}
			_ = json.Unmarshal(person.Attributes, &attributes) // the noun contact stores strings only
		}
		if found := attributes[name]; found != "" || name != "first_name" {
			return found
		}
		first, _, _ := strings.Cut(strings.TrimSpace(person.Name), " ")
		return first
	}
	return func(text string) string {
		if !strings.Contains(text, "{{") {
			return text
		}
		return field.ReplaceAllStringFunc(text, func(found string) string {
			match := field.FindStringSubmatch(found)
			if filled := value(match[1]); filled != "" {
				return filled
			}
			return match[2]
		})
	}
}

// oneLine makes a text fit to be a template parameter: Meta refuses newlines, tabs and runs of spaces.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxParameter {
		return string(runes[:maxParameter])
	}
	return text
}

// Words returns a rendered content as one readable text.
func Words(content channel.Content) string {
	if content.Template == nil {
		return content.Text
	}
	if len(content.Template.Parameters) == 0 {
		return content.Template.Name
	}
	return content.Template.Name + ": " + strings.Join(content.Template.Parameters, " · ")
}
