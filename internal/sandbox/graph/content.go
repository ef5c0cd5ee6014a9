package graph

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"omnidesk/internal/sandbox/world"
)

// The parts of a message that is neither a text nor a template, as far as the sandbox looks at them.
type (
	fileBody struct {
		ID      string `json:"id"`
		Link    string `json:"link"`
		Caption string `json:"caption"`
		Name    string `json:"filename"`
		Voice   bool   `json:"voice"`
	}
	locationBody struct {
		Latitude  *float64 `json:"latitude"`
		Longitude *float64 `json:"longitude"`
		Name      string   `json:"name"`
		Address   string   `json:"address"`
	}
	cardBody struct {
		Name struct {
			Formatted string `json:"formatted_name"`
			First     string `json:"first_name"`
			Last      string `json:"last_name"`
		} `json:"name"`
		Phones []struct {
			Phone string `json:"phone"`
		} `json:"phones"`
	}
	reactionBody struct {
		MessageID string  `json:"message_id"`
		Emoji     *string `json:"emoji"`
	}
	rowBody struct {
		ID          string `json:"id"`
		Title       string `json:"title"`
		Description string `json:"description"`
	}
	offerBody struct {
		Type   string `json:"type"`
		Header *struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"header"`
		Body struct {
			Text string `json:"text"`
		} `json:"body"`
		Footer *struct {
			Text string `json:"text"`
		} `json:"footer"`
		Action struct {
			Buttons []struct {
				Type  string  `json:"type"`
				Reply rowBody `json:"reply"`
			} `json:"buttons"`
			Button   string `json:"button"`
			Sections []struct {
				Title string    `json:"title"`
				Rows  []rowBody `json:"rows"`
			} `json:"sections"`
		} `json:"action"`
	}
)

// takes is what Meta takes of each kind of file.
var takes = map[string]struct {
	types []string
	most  int64
}{
	"image":   {[]string{"image/jpeg", "image/png"}, 5 << 20},
	"video":   {[]string{"video/mp4", "video/3gpp"}, 16 << 20},
	"audio":   {[]string{"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}, 16 << 20},
	"sticker": {[]string{"image/webp"}, 500 << 10},
	"document": {[]string{"text/plain", "text/csv", "application/pdf", "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation"}, 100 << 20},
}

func unfitValue(format string, args ...any) *apiError {
	return invalid(131009, "Parameter value is not valid", fmt.Sprintf(format, args...))
}

func missing(what string) *apiError {
	return invalid(131008, "Required parameter is missing", what+" is missing.")
}

// within tells why a text is too short or too long; nil: it is neither.
func within(field, text string, least, most int) *apiError {
	switch n := utf8.RuneCountInString(text); {
	case n < least:
		return missing(field)
	case n > most:
		return unfitValue("%s is longer than %d characters.", field, most)
	}
	return nil
}

// firstOf returns the first refusal.
func firstOf(refusals ...*apiError) *apiError {
	for _, one := range refusals {
		if one != nil {
			return one
		}
	}
	return nil
}

// validatePart checks the part of a message that is named like its type, and fills in what its recipient will see.
func (s *Server) validatePart(number *bound, body *sendBody, raw []byte, m *message, now time.Time) *apiError {
	check, known := map[string]func(json.RawMessage, *message) *apiError{
		"image": s.validateFile("image"), "video": s.validateFile("video"), "audio": s.validateFile("audio"), "document": s.validateFile("document"),
		"sticker": s.validateFile("sticker"), "location": validateLocation, "contacts": validateCards, "reaction": validateReaction, "interactive": validateOffer,
	}[body.Type]
	if !known {
		return invalid(131051, "Unsupported message type", "The type of the message is not supported.")
	}
	var parts map[string]json.RawMessage
	if json.Unmarshal(raw, &parts) != nil || parts[body.Type] == nil {
		return missing(body.Type)
	}
	if refused := check(parts[body.Type], m); refused != nil {
		return refused
	}
	if body.Context != nil && body.Type == "reaction" {
		return unfitValue("A reaction takes no context.")
	}
	if !s.world.People.WindowOpen(m.to, number.ID, now) {
		return shut()
	}
	m.category = "service"
	return nil
}

func shut() *apiError {
	return coded(131047, "Message failed to send because more than 24 hours have passed since the customer last replied to this number.")
}

func (s *Server) validateFile(kind string) func(json.RawMessage, *message) *apiError {
	return func(raw json.RawMessage, m *message) *apiError {
		var file fileBody
		if json.Unmarshal(raw, &file) != nil || (file.ID == "") == (file.Link == "") {
			return missing(kind + ".id or " + kind + ".link")
		}
		if file.Caption != "" && (kind == "audio" || kind == "sticker") {
			return invalid(100, "Invalid parameter", "Unexpected key \"caption\" on param \""+kind+"\".")
		}
		m.text = strings.TrimSpace("[" + kind + "] " + file.Name + " " + file.Caption)
		if refused := firstOf(within(kind+".caption", file.Caption, 0, 1024), within(kind+".filename", file.Name, 0, 240)); refused != nil || file.Link != "" {
			return refused
		}
		media, err := s.world.Store.Media(file.ID)
		if err != nil {
			return unfitValue("%s is not a valid whatsapp business account media attachment ID", file.ID)
		}
		return fitFile(kind, media, file.Voice)
	}
}

func fitFile(kind string, media world.Media, voice bool) *apiError {
	base, _, _ := strings.Cut(media.MIME, ";")
	switch {
	case !slices.Contains(takes[kind].types, strings.TrimSpace(base)), voice && base != "audio/ogg":
		return invalid(131053, "Media upload error", "Unsupported "+kind+" mime type "+base+".")
	case media.Size > takes[kind].most:
		return invalid(131053, "Media upload error", "The "+kind+" is too large.")
	}
	return nil
}

func validateLocation(raw json.RawMessage, m *message) *apiError {
	var at locationBody
	if json.Unmarshal(raw, &at) != nil || at.Latitude == nil || at.Longitude == nil {
		return missing("location.latitude or location.longitude")
	}
	if *at.Latitude < -90 || *at.Latitude > 90 || *at.Longitude < -180 || *at.Longitude > 180 {
		return unfitValue("location is not on the earth.")
	}
	m.text = strings.TrimSpace(fmt.Sprintf("[location] %g, %g %s", *at.Latitude, *at.Longitude, at.Name))
	return nil
}

func validateCards(raw json.RawMessage, m *message) *apiError {
	var cards []cardBody
	if json.Unmarshal(raw, &cards) != nil || len(cards) == 0 {
		return missing("contacts")
	}
	m.text = "[contacts]"
	for _, card := range cards {
		if card.Name.Formatted == "" || card.Name.First+card.Name.Last == "" {
			return missing("contacts.name.formatted_name or a part of the name")
		}
		m.text += " " + card.Name.Formatted
	}
	return nil
}

func validateReaction(raw json.RawMessage, m *message) *apiError {
	var reaction reactionBody
	if json.Unmarshal(raw, &reaction) != nil || reaction.MessageID == "" || reaction.Emoji == nil {
		return missing("reaction.message_id or reaction.emoji")
	}
	if utf8.RuneCountInString(*reaction.Emoji) > 16 {
		return unfitValue("reaction.emoji is not an emoji.")
	}
	m.text = "[reaction] " + *reaction.Emoji
	return nil
}

func validateOffer(raw json.RawMessage, m *message) *apiError {
	var offer offerBody
	if err := json.Unmarshal(raw, &offer); err != nil {
		return missing("interactive")
	}
	refused := within("interactive.body.text", offer.Body.Text, 1, 1024)
	if offer.Header != nil {
		refused = firstOf(refused, within("interactive.header.text", offer.Header.Text, 1, 60))
	}
	if offer.Footer != nil {
		refused = firstOf(refused, within("interactive.footer.text", offer.Footer.Text, 1, 60))
	}
	if refused != nil {
		return refused
	}
	m.text = offer.Body.Text
	switch offer.Type {
	case "button":
		return validateButtons(&offer, m)
	case "list":
		return validateList(&offer, m)
	}
	return unfitValue("interactive.type must be button or list in the sandbox.")
}

func validateButtons(offer *offerBody, m *message) *apiError {
	buttons := offer.Action.Buttons
	if len(buttons) < 1 || len(buttons) > 3 {
		return unfitValue("Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3")
	}
	ids, titles := map[string]bool{}, map[string]bool{}
	for _, button := range buttons {
		if button.Type != "reply" {
			return unfitValue("interactive.action.buttons.type must be reply.")
		}
		if refused := firstOf(within("button.reply.id", button.Reply.ID, 1, 256), within("button.reply.title", button.Reply.Title, 1, 20)); refused != nil {
			return refused
		}
		if ids[button.Reply.ID] || titles[button.Reply.Title] {
			return unfitValue("Duplicated id or title of buttons.")
		}
		ids[button.Reply.ID], titles[button.Reply.Title] = true, true
		m.text += "\n[" + button.Reply.Title + "]"
	}
	return nil
}

func validateList(offer *offerBody, m *message) *apiError {
	sections := offer.Action.Sections
	if len(sections) < 1 || len(sections) > 10 {
		return unfitValue("Invalid sections count. Min allowed sections: 1, Max allowed sections: 10")
	}
	refused := within("interactive.action.button", offer.Action.Button, 1, 20)
	rows, ids := 0, map[string]bool{}
	for _, section := range sections {
		if len(sections) > 1 {
			refused = firstOf(refused, within("section.title", section.Title, 1, 24))
		}
		for _, row := range section.Rows {
			refused = firstOf(refused, within("row.id", row.ID, 1, 200), within("row.title", row.Title, 1, 24), within("row.description", row.Description, 0, 72))
			if ids[row.ID] {
				return unfitValue("Duplicated row id.")
			}
			ids[row.ID] = true
			rows++
			m.text += "\n[" + row.Title + "]"
		}
	}
	if rows < 1 || rows > 10 {
		return unfitValue("Total row count exceed max allowed count: 10")
	}
	return refused
}
