package llm

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"
)

// prompt is a call in neither provider's words.
type prompt struct {
	model   string
	whole   string // all texts, for rules and for counting
	last    string // the last message
	results []string
	tools   []tool
	must    string // the tool that must be called; "*" is any, "-" is none
	json    bool
	schema  map[string]any // what the JSON must obey; nil: any object
	most    int            // tokens of the answer at most; 0 is no limit
}

type tool struct {
	name       string
	parameters map[string]any
}

// answer is what the model says to a prompt.
type answer struct {
	text      string
	tool      string
	arguments json.RawMessage
	refused   bool
	cut       bool // the tokens ran out
	in, out   int
}

// respond is a function of the prompt and the rule alone.
func respond(p prompt, rule Rule) answer {
	a := answer{in: tokens(p.whole)}
	switch {
	case rule.Refuse:
		a.refused = true
	case rule.Empty:
	case rule.Bytes > 0:
		a.text = strings.Repeat("All work and no play. ", rule.Bytes/22+1)[:rule.Bytes]
	case rule.Tool != "":
		a.tool, a.arguments = rule.Tool, rule.Arguments
		if len(a.arguments) == 0 {
			a.arguments = json.RawMessage("{}")
		}
	case rule.Text != "":
		a.text = strings.ReplaceAll(rule.Text, "{{prompt}}", p.last)
	default:
		a = p.usual(a)
	}
	if p.most > 0 && tokens(a.text) > p.most {
		a.text, a.cut = string([]rune(a.text)[:min(p.most*3, len([]rune(a.text)))]), true
	}
	a.cut = a.cut || rule.Stop == "length"
	a.out = tokens(a.text) + tokens(string(a.arguments))
	return a
}

func (p prompt) usual(a answer) answer {
	if called := p.wants(); called != nil {
		a.tool = called.name
		a.arguments, _ = json.Marshal(example(called.parameters, called.parameters, p.last, 0)) // maps of plain values
		return a
	}
	a.text = write(p)
	if p.json && p.schema == nil {
		p.schema = map[string]any{"type": "object", "properties": map[string]any{"text": map[string]any{"type": "string"}}}
	}
	if p.json {
		body, _ := json.Marshal(example(p.schema, p.schema, a.text, 0)) // maps of plain values
		a.text = string(body)
	}
	return a
}

// wants returns the tool to call: the one that must be, or one that the last message names.
func (p prompt) wants() *tool {
	if p.must == "-" || len(p.results) > 0 {
		return nil
	}
	for i, offered := range p.tools {
		if p.must == "*" || p.must == offered.name || strings.Contains(strings.ToLower(p.last), strings.ToLower(offered.name)) {
			return &p.tools[i]
		}
	}
	return nil
}

var called = regexp.MustCompile(`(?im)^\W*(?:first[ _]?name|name|nome|nombre|nama)\s*[:=]\s*(\pL[\pL' -]*)`)

// languages are told apart by their names, as prompts give them. English is the last.
var languages = []struct {
	named *regexp.Regexp
	hello string
	lines []string
}{
	{regexp.MustCompile(`(?i)portugu`), "Olá", []string{"temos uma novidade para você.", "que bom falar com você de novo.", "preparamos algo especial esta semana."}},
	{regexp.MustCompile(`(?i)spanish|español`), "Hola", []string{"tenemos una novedad para ti.", "qué gusto saludarte de nuevo.", "preparamos algo especial esta semana."}},
	{regexp.MustCompile(`(?i)indonesia`), "Halo", []string{"kami punya kabar baik untuk Anda.", "senang menyapa Anda kembali.", "ada yang istimewa minggu ini."}},
	{regexp.MustCompile(``), "Hello", []string{"we have news for you.", "it is good to hear from you again.", "we have prepared something special this week."}},
}

// write makes a short text: a greeting by the name in the prompt, and a line that the prompt's hash chooses.
func write(p prompt) string {
	if len(p.results) > 0 {
		return "Here is what I found: " + strings.Join(p.results, " ")
	}
	for _, language := range languages {
		if !language.named.MatchString(p.whole) {
			continue
		}
		hello := language.hello
		if found := called.FindStringSubmatch(p.whole); found != nil {
			hello += " " + strings.TrimSpace(found[1])
		}
		return fmt.Sprintf("%s, %s", hello, language.lines[hash(p.whole)%uint64(len(language.lines))])
	}
	return ""
}

// mostDepth ends schemas that contain themselves.
const mostDepth = 8

// example returns a value that obeys a JSON schema, with text where a string may be anything.
func example(schema, root map[string]any, text string, depth int) any {
	if name, ok := schema["$ref"].(string); ok {
		schema = resolve(root, name)
	}
	for _, choice := range []string{"anyOf", "oneOf", "allOf"} {
		if options, _ := schema[choice].([]any); len(options) > 0 {
			option, _ := options[0].(map[string]any)
			return example(option, root, text, depth+1)
		}
	}
	if value, ok := schema["const"]; ok {
		return value
	}
	if values, _ := schema["enum"].([]any); len(values) > 0 {
		return values[hash(text)%uint64(len(values))]
	}
	switch kind(schema) {
	case "object":
		value := map[string]any{}
		properties, _ := schema["properties"].(map[string]any)
		for name, inner := range properties {
			if property, ok := inner.(map[string]any); ok && depth < mostDepth {
				value[name] = example(property, root, text, depth+1)
			}
		}
		return value
	case "array":
		items, _ := schema["items"].(map[string]any)
		least, _ := schema["minItems"].(float64)
		values := []any{}
		for range max(1, min(int(least), 100)) {
			if depth < mostDepth {
				values = append(values, example(items, root, text, depth+1))
			}
		}
		return values
	case "integer", "number":
		least, _ := schema["minimum"].(float64)
		return least
	case "boolean":
		return hash(text)%2 == 0
	case "null":
		return nil
	}
	if most, ok := schema["maxLength"].(float64); ok && len([]rune(text)) > int(most) {
		return string([]rune(text)[:int(most)])
	}
	return text
}

// kind returns a schema's type, in lower case; of several the first that isn't null.
func kind(schema map[string]any) string {
	switch given := schema["type"].(type) {
	case string:
		return strings.ToLower(given)
	case float64: // Google's clients send numbers
		if i := int(given); i > 0 && i <= 6 {
			return []string{"string", "number", "integer", "boolean", "array", "object"}[i-1]
		}
	case []any:
		for _, one := range given {
			if name, _ := one.(string); name != "" && name != "null" {
				return name
			}
		}
	}
	if schema["properties"] != nil {
		return "object"
	}
	return "string"
}

// resolve finds a definition such as #/$defs/step, or returns an empty schema.
func resolve(root map[string]any, name string) map[string]any {
	at := root
	for part := range strings.SplitSeq(strings.TrimPrefix(name, "#"), "/") {
		if part == "" {
			continue
		}
		next, ok := at[part].(map[string]any)
		if !ok {
			return map[string]any{}
		}
		at = next
	}
	return at
}

// tokens counts as providers do roughly: four bytes to a token.
func tokens(text string) int { return (len(text) + 3) / 4 }

func hash(text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	return h.Sum64()
}
