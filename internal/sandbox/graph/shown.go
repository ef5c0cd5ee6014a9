package graph

import (
	"cmp"
	"encoding/json"
	"strings"

	"omnidesk/internal/sandbox/world"
)

// sentBody is what a phone shows of a send. It is read apart from what validates, which may refuse what this passes over.
type sentBody struct {
	Type    string `json:"type"`
	Context struct {
		MessageID string `json:"message_id"`
	} `json:"context"`
	Template struct {
		Name     string `json:"name"`
		Language struct {
			Code string `json:"code"`
		} `json:"language"`
		Components []struct {
			Type       string          `json:"type"`
			Kind       string          `json:"sub_type"`
			Index      json.RawMessage `json:"index"` // a digit, with or without quotes
			Parameters []struct {
				Payload string `json:"payload"`
			} `json:"parameters"`
		} `json:"components"`
	} `json:"template"`
	Image, Video, Audio, Document, Sticker *sentFile
	Location                               *world.Location `json:"location"`
	Contacts                               []struct {
		Name struct {
			Formatted string `json:"formatted_name"`
		} `json:"name"`
		Phones []struct {
			Phone string `json:"phone"`
		} `json:"phones"`
		Emails []struct {
			Email string `json:"email"`
		} `json:"emails"`
	} `json:"contacts"`
	Reaction struct {
		MessageID string `json:"message_id"`
		Emoji     string `json:"emoji"`
	} `json:"reaction"`
	Interactive struct {
		Type   string                `json:"type"`
		Header struct{ Text string } `json:"header"`
		Body   struct{ Text string } `json:"body"`
		Footer struct{ Text string } `json:"footer"`
		Action struct {
			Button  string `json:"button"`
			Buttons []struct {
				Reply world.Option `json:"reply"`
			} `json:"buttons"`
			Sections []struct {
				Rows []world.Option `json:"rows"`
			} `json:"sections"`
		} `json:"action"`
	} `json:"interactive"`
}

type sentFile struct {
	ID       string `json:"id"`
	Link     string `json:"link"`
	Caption  string `json:"caption"`
	Filename string `json:"filename"`
	Voice    bool   `json:"voice"`
}

// show puts an accepted message on its recipient's phone. A reaction is put on the line that it is about.
func (s *Server) show(m *message, raw []byte, line world.Line) {
	var body sentBody
	if json.Unmarshal(raw, &body) != nil {
		body = sentBody{} // the text that was validated is still shown
	}
	line.Kind, line.About = cmp.Or(body.Type, "text"), body.Context.MessageID
	switch body.Type {
	case "reaction":
		s.world.People.Edit(m.to, body.Reaction.MessageID, func(on *world.Line) { on.Theirs = body.Reaction.Emoji })
		return
	case "template":
		s.showTemplate(&body, &line)
	case "image", "video", "audio", "document", "sticker":
		s.showFile(map[string]*sentFile{"image": body.Image, "video": body.Video, "audio": body.Audio, "document": body.Document, "sticker": body.Sticker}[body.Type], &line)
	case "location":
		line.Location, line.Text = body.Location, ""
	case "contacts":
		line.Text = ""
		for _, one := range body.Contacts {
			card := world.Card{Name: one.Name.Formatted}
			if len(one.Phones) > 0 {
				card.Phone = one.Phones[0].Phone
			}
			if len(one.Emails) > 0 {
				card.Email = one.Emails[0].Email
			}
			line.Cards = append(line.Cards, card)
		}
	case "interactive":
		showOffer(&body, &line)
	}
	s.world.People.Add(m.to, line)
}

func (s *Server) showTemplate(body *sentBody, line *world.Line) {
	template := (*s.registry.texts.Load())[templateKey{body.Template.Name, body.Template.Language.Code}]
	if template == nil {
		return
	}
	line.Header, line.Footer = template.Header, template.Footer
	for _, title := range template.Replies {
		line.Options = append(line.Options, world.Option{ID: title, Title: title})
	}
	for _, component := range body.Template.Components {
		at := strings.Trim(string(component.Index), `"`)
		if strings.EqualFold(component.Type, "button") && component.Kind == "quick_reply" && len(at) == 1 && len(component.Parameters) > 0 {
			if i := int(at[0] - '0'); i >= 0 && i < len(line.Options) {
				line.Options[i].ID = cmp.Or(component.Parameters[0].Payload, line.Options[i].ID)
			}
		}
	}
}

func (s *Server) showFile(file *sentFile, line *world.Line) {
	if file == nil {
		return
	}
	line.Text, line.Link = file.Caption, file.Link
	if file.Voice {
		line.Kind = "voice"
	}
	if media, err := s.world.Store.Media(file.ID); err == nil {
		media.Name = cmp.Or(file.Filename, media.Name)
		line.Media = &media
	}
}

func showOffer(body *sentBody, line *world.Line) {
	offer := &body.Interactive
	line.Header, line.Text, line.Footer = offer.Header.Text, offer.Body.Text, offer.Footer.Text
	if offer.Type == "list" {
		line.Kind, line.Open = "list", cmp.Or(offer.Action.Button, "Choose")
		for _, section := range offer.Action.Sections {
			line.Options = append(line.Options, section.Rows...)
		}
		return
	}
	line.Kind = "buttons"
	for _, button := range offer.Action.Buttons {
		line.Options = append(line.Options, button.Reply)
	}
}
