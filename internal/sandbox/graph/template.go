package graph

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"omnidesk/internal/sandbox/world"
)

// Template is an approved message template with positional parameters, {{1}} {{2}} ….
type Template struct {
	Name     string `json:"name"`
	Language string `json:"language"`
	Category string `json:"category"` // MARKETING, UTILITY or AUTHENTICATION
	Body     string `json:"body"`
}

type templateKey struct{ name, language string }

var builtin = []Template{
	{"hello_world", "en_US", "UTILITY", "Hello! This is a test message from the sandbox."},
	{"hello_world", "en", "UTILITY", "Hello! This is a test message from the sandbox."},
	{"hello_world", "pt_BR", "UTILITY", "Olá! Esta é uma mensagem de teste do sandbox."},
	{"hello_world", "es", "UTILITY", "¡Hola! Este es un mensaje de prueba del sandbox."},
	{"hello_world", "id", "UTILITY", "Halo! Ini pesan uji coba dari sandbox."},
	{"order_update", "en_US", "UTILITY", "Hi {{1}}, your order {{2}} is on its way."},
	{"order_update", "en", "UTILITY", "Hi {{1}}, your order {{2}} is on its way."},
	{"order_update", "pt_BR", "UTILITY", "Oi {{1}}, seu pedido {{2}} está a caminho."},
	{"order_update", "es", "UTILITY", "Hola {{1}}, tu pedido {{2}} está en camino."},
	{"order_update", "id", "UTILITY", "Hai {{1}}, pesanan {{2}} sedang dikirim."},
	{"promo_offer", "en_US", "MARKETING", "Hi {{1}}, only this week: {{2}} off with the code {{3}}."},
	{"promo_offer", "en", "MARKETING", "Hi {{1}}, only this week: {{2}} off with the code {{3}}."},
	{"promo_offer", "pt_BR", "MARKETING", "Oi {{1}}, só esta semana: {{2}} de desconto com o código {{3}}."},
	{"promo_offer", "es", "MARKETING", "Hola {{1}}, solo esta semana: {{2}} de descuento con el código {{3}}."},
	{"promo_offer", "id", "MARKETING", "Hai {{1}}, khusus minggu ini: diskon {{2}} dengan kode {{3}}."},
}

// Templates returns all templates by name and language.
func (s *Server) Templates() []Template {
	var list []Template
	for _, template := range *s.registry.texts.Load() {
		list = append(list, *template)
	}
	slices.SortFunc(list, func(a, b Template) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Language, b.Language))
	})
	return list
}

// PutTemplate adds a template or replaces the one of the same name and language.
func (s *Server) PutTemplate(template Template) error {
	if template.Name == "" || template.Language == "" || template.Body == "" {
		return errors.New("name, language and body are needed")
	}
	template.Category = cmp.Or(template.Category, "UTILITY")
	return s.registry.change(func(state *state) {
		list := slices.DeleteFunc(slices.Clone(state.Templates), func(old Template) bool {
			return old.Name == template.Name && old.Language == template.Language
		})
		state.Templates = append(list, template)
	})
}

// parameters counts the placeholders: the highest n of {{n}}.
func (t *Template) parameters() int {
	n := 0
	for strings.Contains(t.Body, "{{"+strconv.Itoa(n+1)+"}}") {
		n++
	}
	return n
}

// fill returns the text that the recipient sees. Parameters are put in once, so that one that looks like a
// placeholder stays as it is.
func (t *Template) fill(parameters []string) string {
	pairs := make([]string, 0, 2*len(parameters))
	for i, parameter := range parameters {
		pairs = append(pairs, "{{"+strconv.Itoa(i+1)+"}}", parameter)
	}
	return strings.NewReplacer(pairs...).Replace(t.Body)
}

func (t *Template) describe() map[string]any {
	return map[string]any{
		"id": strconv.FormatUint(world.Hash(1, t.Name+" "+t.Language)>>12, 10), "name": t.Name, "language": t.Language,
		"category": t.Category, "status": "APPROVED", "parameter_format": "POSITIONAL",
		"quality_score": map[string]string{"score": "GREEN"},
		"components":    []map[string]any{{"type": "BODY", "text": t.Body}},
	}
}
