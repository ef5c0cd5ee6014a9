package graph

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"omnidesk/internal/sandbox/world"
)

// Template is one language of a message template with positional parameters, {{1}} {{2}} …, in its body.
type Template struct {
	Name           string   `json:"name"`
	Language       string   `json:"language"`
	Category       string   `json:"category"` // MARKETING, UTILITY or AUTHENTICATION
	Body           string   `json:"body"`
	Header         string   `json:"header"`        // text
	HeaderFormat   string   `json:"header_format"` // IMAGE, VIDEO or DOCUMENT instead of a text
	Footer         string   `json:"footer"`
	Replies        []string `json:"replies"`         // quick-reply buttons
	Status         string   `json:"status"`          // APPROVED when empty; PENDING, REJECTED, PAUSED, DISABLED …
	Quality        string   `json:"quality"`         // GREEN, YELLOW, RED; UNKNOWN when empty
	RejectedReason string   `json:"rejected_reason"` // INVALID_FORMAT, PROMOTIONAL …
}

type templateKey struct{ name, language string }

// builtin are the templates of every account: some to send, in five languages, and one for each way not to be sendable.
var builtin = append(translated("hello_world", "UTILITY", map[string]string{
	"en_US": "Hello! This is a test message from the sandbox.",
	"en":    "Hello! This is a test message from the sandbox.",
	"pt_BR": "Olá! Esta é uma mensagem de teste do sandbox.",
	"es":    "¡Hola! Este es un mensaje de prueba del sandbox.",
	"id":    "Halo! Ini pesan uji coba dari sandbox.",
}), append(translated("order_update", "UTILITY", map[string]string{
	"en_US": "Hi {{1}}, your order {{2}} is on its way.",
	"en":    "Hi {{1}}, your order {{2}} is on its way.",
	"pt_BR": "Oi {{1}}, seu pedido {{2}} está a caminho.",
	"es":    "Hola {{1}}, tu pedido {{2}} está en camino.",
	"id":    "Hai {{1}}, pesanan {{2}} sedang dikirim.",
}), append(translated("promo_offer", "MARKETING", map[string]string{
	"en_US": "Hi {{1}}, only this week: {{2}} off with the code {{3}}.",
	"en":    "Hi {{1}}, only this week: {{2}} off with the code {{3}}.",
	"pt_BR": "Oi {{1}}, só esta semana: {{2}} de desconto com o código {{3}}.",
	"es":    "Hola {{1}}, solo esta semana: {{2}} de descuento con el código {{3}}.",
	"id":    "Hai {{1}}, khusus minggu ini: diskon {{2}} dengan kode {{3}}.",
}), append(translated("welcome_note", "UTILITY", map[string]string{
	"en_US": "Hi {{1}}, good to have you with us. Save this number: news about your orders comes from here, and you can always just reply.",
	"en":    "Hi {{1}}, good to have you with us. Save this number: news about your orders comes from here, and you can always just reply.",
	"pt_BR": "Oi {{1}}, que bom ter você com a gente. Salve este número: as novidades dos seus pedidos chegam por aqui, e é só responder.",
	"es":    "Hola {{1}}, qué bueno tenerte con nosotros. Guarda este número: por aquí llegan las novedades de tus pedidos, y puedes responder siempre.",
	"id":    "Hai {{1}}, senang Anda bersama kami. Simpan nomor ini: kabar pesanan Anda datang dari sini, dan Anda bisa langsung membalas.",
}), []Template{
	{Name: "store_opening", Language: "pt_BR", Category: "MARKETING", Header: "Abrimos em breve", Body: "Oi {{1}}, a nova loja de {{2}} abre no sábado às 9h.",
		Footer: "Responda SAIR para não receber.", Replies: []string{"Quero ir", "Parar promoções"}, Quality: "GREEN"},
	{Name: "loyalty_invite", Language: "en_US", Category: "MARKETING", Body: "Hi {{1}}, you have {{2}} points. Show this message at the till to use them.", Status: "PENDING"},
	{Name: "winter_sale", Language: "pt_BR", Category: "UTILITY", Body: "{{1}}, tudo com até {{2}} de desconto só hoje!", Status: "REJECTED", RejectedReason: "TAG_CONTENT_MISMATCH"},
	{Name: "delivery_survey", Language: "en_US", Category: "UTILITY", Body: "Hi {{1}}, how did the delivery of order {{2}} go?", Status: "PAUSED", Quality: "RED"},
	{Name: "catalog_photo", Language: "en_US", Category: "MARKETING", HeaderFormat: "IMAGE", Body: "Hi {{1}}, our new catalogue is here.", Quality: "YELLOW"},
}...)...)...)...)

func translated(name, category string, bodies map[string]string) []Template {
	var list []Template
	for _, language := range slices.Sorted(maps.Keys(bodies)) {
		list = append(list, Template{Name: name, Language: language, Category: category, Body: bodies[language], Quality: "GREEN"})
	}
	return list
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

// refusal is why a template can't be sent, as Meta says it; nil when it can.
func (t *Template) refusal() *apiError {
	switch t.Status {
	case "", "APPROVED":
	case "PAUSED":
		return coded(132015, "The template is paused because of its low quality.")
	case "DISABLED":
		return coded(132016, "The template is disabled because of its low quality.")
	default:
		return &apiError{status: 404, code: 132001, message: "(#132001) Template name does not exist in the translation", details: "The template is not approved."}
	}
	if t.HeaderFormat != "" {
		return invalid(132012, "Parameter format does not match format in the created template", "header: Format mismatch, expected "+t.HeaderFormat+", received UNKNOWN")
	}
	return nil
}

func (t *Template) describe() map[string]any {
	components := []map[string]any{}
	switch {
	case t.HeaderFormat != "":
		components = append(components, map[string]any{"type": "HEADER", "format": t.HeaderFormat})
	case t.Header != "":
		components = append(components, map[string]any{"type": "HEADER", "format": "TEXT", "text": t.Header})
	}
	components = append(components, map[string]any{"type": "BODY", "text": t.Body})
	if t.Footer != "" {
		components = append(components, map[string]any{"type": "FOOTER", "text": t.Footer})
	}
	if len(t.Replies) > 0 {
		buttons := []map[string]string{}
		for _, text := range t.Replies {
			buttons = append(buttons, map[string]string{"type": "QUICK_REPLY", "text": text})
		}
		components = append(components, map[string]any{"type": "BUTTONS", "buttons": buttons})
	}
	return map[string]any{
		"id": strconv.FormatUint(world.Hash(1, t.Name+" "+t.Language)>>12, 10), "name": t.Name, "language": t.Language,
		"category": t.Category, "status": cmp.Or(t.Status, "APPROVED"), "parameter_format": "POSITIONAL",
		"quality_score":   map[string]string{"score": cmp.Or(t.Quality, "UNKNOWN")},
		"rejected_reason": cmp.Or(t.RejectedReason, "NONE"), "components": components,
	}
}
