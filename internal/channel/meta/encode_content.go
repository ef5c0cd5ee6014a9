package meta

import (
	"encoding/json"

	"omnidesk/internal/channel"
)

// The shapes of what is neither a text nor a template. These messages are few, so they may be reflected.
type (
	wireFile struct {
		ID      string `json:"id"`
		Caption string `json:"caption,omitempty"`
		Name    string `json:"filename,omitempty"`
		Voice   bool   `json:"voice,omitempty"`
	}
	wireReaction struct {
		MessageID string `json:"message_id"`
		Emoji     string `json:"emoji"`
	}
	wireLocation struct {
		Latitude  float64 `json:"latitude"`
		Longitude float64 `json:"longitude"`
		Name      string  `json:"name,omitempty"`
		Address   string  `json:"address,omitempty"`
	}
	wireName struct {
		Formatted string `json:"formatted_name"`
		First     string `json:"first_name"`
	}
	wirePhone struct {
		Phone string `json:"phone"`
		Type  string `json:"type"`
	}
	wireEmail struct {
		Email string `json:"email"`
		Type  string `json:"type"`
	}
	wireCard struct {
		Name   wireName    `json:"name"`
		Phones []wirePhone `json:"phones,omitempty"`
		Emails []wireEmail `json:"emails,omitempty"`
	}
	wireText struct {
		Text string `json:"text"`
	}
	wireHeader struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	wireReply struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	wireButton struct {
		Type  string    `json:"type"`
		Reply wireReply `json:"reply"`
	}
	wireRow struct {
		ID          string `json:"id"`
		Title       string `json:"title"`
		Description string `json:"description,omitempty"`
	}
	wireSection struct {
		Title string    `json:"title,omitempty"`
		Rows  []wireRow `json:"rows"`
	}
	wireAction struct {
		Buttons  []wireButton  `json:"buttons,omitempty"`
		Button   string        `json:"button,omitempty"`
		Sections []wireSection `json:"sections,omitempty"`
	}
	wireOffer struct {
		Type   string      `json:"type"`
		Header *wireHeader `json:"header,omitempty"`
		Body   wireText    `json:"body"`
		Footer *wireText   `json:"footer,omitempty"`
		Action wireAction  `json:"action"`
	}
)

// appendOther appends a content that is neither a text nor a template: its type, and a part of that name.
func appendOther(dst []byte, content channel.Content) ([]byte, string) {
	var part any
	name := string(content.Kind())
	switch {
	case content.File != nil && content.File.ProviderID == "":
		return nil, "The file was not handed to Meta before the message."
	case content.File != nil:
		file := wireFile{ID: content.File.ProviderID, Caption: content.Text, Name: content.File.Name}
		if content.File.Kind == channel.SaidVoice {
			name, file.Voice = "audio", true
		}
		part = file
	case content.Location != nil:
		part = wireLocation(*content.Location)
	case len(content.Cards) > 0:
		name, part = "contacts", wireCards(content.Cards)
	case content.Reaction != nil:
		part = wireReaction{content.Reaction.About, content.Reaction.Emoji}
	case content.Offer != nil:
		name, part = "interactive", offered(content)
	default:
		return nil, "The message is empty."
	}
	body, err := json.Marshal(part)
	if err != nil {
		return nil, "The message holds a number that can't be written."
	}
	dst = append(dst, `,"type":"`...)
	dst = append(dst, name...)
	dst = append(dst, `","`...)
	dst = append(dst, name...)
	dst = append(dst, `":`...)
	return append(dst, body...), ""
}

func wireCards(cards []channel.Card) []wireCard {
	out := make([]wireCard, len(cards))
	for i, card := range cards {
		out[i].Name = wireName{card.Name, card.Name} // Meta wants a part of the name besides the whole
		for _, phone := range card.Phones {
			out[i].Phones = append(out[i].Phones, wirePhone{phone, "CELL"})
		}
		for _, email := range card.Emails {
			out[i].Emails = append(out[i].Emails, wireEmail{email, "WORK"})
		}
	}
	return out
}

func offered(content channel.Content) wireOffer {
	in := content.Offer
	out := wireOffer{Type: "button", Body: wireText{content.Text}}
	if in.Header != "" {
		out.Header = &wireHeader{"text", in.Header}
	}
	if in.Footer != "" {
		out.Footer = &wireText{in.Footer}
	}
	for _, option := range in.Buttons {
		out.Action.Buttons = append(out.Action.Buttons, wireButton{"reply", wireReply{valueOf(option), option.Title}})
	}
	if len(in.Sections) > 0 {
		out.Type, out.Action.Button = "list", in.Open
	}
	for _, section := range in.Sections {
		rows := make([]wireRow, len(section.Options))
		for i, option := range section.Options {
			rows[i] = wireRow{valueOf(option), option.Title, option.Description}
		}
		out.Action.Sections = append(out.Action.Sections, wireSection{section.Title, rows})
	}
	return out
}

// valueOf is what comes back when an option is chosen; Meta takes no option without it.
func valueOf(option channel.Option) string {
	if option.Value == "" {
		return option.Title
	}
	return option.Value
}
