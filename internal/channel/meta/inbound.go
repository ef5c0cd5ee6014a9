package meta

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"omnidesk/internal/channel"
)

// Bounds of what a contact can make us keep of one message. WhatsApp's own are smaller.
const (
	mostText  = 64 << 10 // bytes of a text or of a form's answers
	mostName  = 400      // bytes of a name, a title, an address
	mostParts = 50       // contact cards, products
)

// The shapes of an inbound message. Each kind has its own part; of a message whose part can't be read the rest is.
type (
	rawMessage struct {
		ID         string  `json:"id"`
		From       string  `json:"from"`
		FromUserID string  `json:"from_user_id"`
		Timestamp  instant `json:"timestamp"`
		Type       string  `json:"type"`
		rawParts
		Context struct {
			ID        string `json:"id"`
			Forwarded bool   `json:"forwarded"`
			Often     bool   `json:"frequently_forwarded"`
		} `json:"context"`
		Referral struct {
			SourceID string `json:"source_id"`
			Headline string `json:"headline"`
			ClickID  string `json:"ctwa_clid"`
		} `json:"referral"`
		Errors []struct {
			Code int `json:"code"`
		} `json:"errors"`
	}
	rawParts struct {
		Text        rawText   `json:"text"`
		Image       *rawMedia `json:"image"`
		Video       *rawMedia `json:"video"`
		Audio       *rawMedia `json:"audio"`
		Document    *rawMedia `json:"document"`
		Sticker     *rawMedia `json:"sticker"`
		Button      rawButton `json:"button"`
		Interactive struct {
			Button rawChoice `json:"button_reply"`
			List   rawChoice `json:"list_reply"`
			Form   struct {
				Body    string `json:"body"`
				Answers string `json:"response_json"`
			} `json:"nfm_reply"`
		} `json:"interactive"`
		Reaction struct {
			MessageID string `json:"message_id"`
			Emoji     string `json:"emoji"`
		} `json:"reaction"`
		Location *rawLocation `json:"location"`
		Contacts []rawCard    `json:"contacts"`
		Order    struct {
			Text  string    `json:"text"`
			Items []rawItem `json:"product_items"`
		} `json:"order"`
		System struct {
			Body string `json:"body"`
		} `json:"system"`
		Edit struct {
			Original string  `json:"original_message_id"`
			Message  rawEdit `json:"message"`
		} `json:"edit"`
		Revoke struct {
			Original string `json:"original_message_id"`
		} `json:"revoke"`
	}
	rawText struct {
		Body string `json:"body"`
	}
	rawMedia struct {
		ID      string `json:"id"`
		Type    string `json:"mime_type"`
		SHA256  string `json:"sha256"`
		Caption string `json:"caption"`
		Name    string `json:"filename"`
		Voice   bool   `json:"voice"`
	}
	rawButton struct {
		Payload string `json:"payload"`
		Text    string `json:"text"`
	}
	rawChoice struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	rawLocation struct {
		Latitude  float64 `json:"latitude"`
		Longitude float64 `json:"longitude"`
		Name      string  `json:"name"`
		Address   string  `json:"address"`
	}
	rawCard struct {
		Name struct {
			Formatted string `json:"formatted_name"`
		} `json:"name"`
		Phones []struct {
			Phone string `json:"phone"`
		} `json:"phones"`
		Emails []struct {
			Email string `json:"email"`
		} `json:"emails"`
	}
	rawItem struct {
		Product  string  `json:"product_retailer_id"`
		Quantity int     `json:"quantity"`
		Price    float64 `json:"item_price"`
		Currency string  `json:"currency"`
	}
	rawEdit struct {
		Text     rawText   `json:"text"`
		Image    *rawMedia `json:"image"`
		Video    *rawMedia `json:"video"`
		Document *rawMedia `json:"document"`
	}
)

// namesOf maps the ids of contacts, phone or business-scoped, to what the webhook says about them.
func namesOf(contacts []rawContact) map[string]rawContact {
	names := make(map[string]rawContact, len(contacts))
	for _, contact := range contacts {
		for _, key := range []string{contact.WaID, contact.UserID} {
			if key != "" {
				names[key] = contact
			}
		}
	}
	return names
}

func readMessage(in *rawMessage, names map[string]rawContact) (channel.Inbound, error) {
	if !usable(in.ID) {
		return channel.Inbound{}, errors.New("it has no id")
	}
	from, also, found := senderOf(in.From, in.FromUserID, names)
	if !found {
		return channel.Inbound{}, errors.New("it has no sender")
	}
	inbound := channel.Inbound{ProviderID: in.ID, At: time.Time(in.Timestamp), From: from, Also: also, Said: saidBy(in)}
	for _, key := range []string{in.From, in.FromUserID, from.Value} {
		if inbound.Name == "" {
			inbound.Name = names[key].Profile.Name
		}
	}
	inbound.Name = clean(inbound.Name, mostName)
	return inbound, nil
}

// senderOf reads who somebody is: by phone, with the business-scoped id beside it, or by that alone, because a user with a
// username may have no phone number here.
func senderOf(phone, userID string, names map[string]rawContact) (from channel.Address, also []channel.Address, found bool) {
	switch {
	case phone != "" && len(phone) <= 15 && strings.Trim(phone, "0123456789") == "":
		if userID == "" {
			userID = names[phone].UserID
		}
		if usable(userID) {
			also = []channel.Address{{Kind: "bsuid", Value: userID}}
		}
		return channel.Address{Kind: "phone", Value: "+" + phone}, also, true
	case phone == "" && usable(userID):
		return channel.Address{Kind: "bsuid", Value: userID}, nil, true
	}
	return channel.Address{}, nil, false
}

// saidBy reads what a message says. What has a type that we don't know, or lacks what its type needs, is unsupported:
// the contact wrote something, and whoever reads the conversation must see that.
func saidBy(in *rawMessage) channel.Said {
	said := channel.Said{Kind: channel.SaidUnsupported}
	if part, known := kinds[in.Type]; known {
		part(&said, &in.rawParts)
	}
	if said.About == "" {
		said.About = clean(in.Context.ID, mostName)
	}
	said.Forwarded = in.Context.Forwarded || in.Context.Often
	if in.Referral.SourceID != "" {
		said.Ad = &channel.Ad{ID: clean(in.Referral.SourceID, mostName), Headline: clean(in.Referral.Headline, mostName), ClickID: clean(in.Referral.ClickID, mostName)}
	}
	if said.Kind == channel.SaidUnsupported && len(in.Errors) > 0 {
		said.Code = in.Errors[0].Code
	}
	return said
}

// kinds reads each type of message. A part that is missing leaves the message unsupported.
var kinds = map[string]func(*channel.Said, *rawParts){
	"text":     func(said *channel.Said, in *rawParts) { say(said, channel.SaidText, in.Text.Body) },
	"image":    func(said *channel.Said, in *rawParts) { attach(said, channel.SaidImage, in.Image) },
	"video":    func(said *channel.Said, in *rawParts) { attach(said, channel.SaidVideo, in.Video) },
	"document": func(said *channel.Said, in *rawParts) { attach(said, channel.SaidDocument, in.Document) },
	"sticker":  func(said *channel.Said, in *rawParts) { attach(said, channel.SaidSticker, in.Sticker) },
	"audio": func(said *channel.Said, in *rawParts) {
		attach(said, channel.SaidAudio, in.Audio)
		if in.Audio != nil && in.Audio.Voice {
			said.Kind = channel.SaidVoice
		}
	},
	"button": func(said *channel.Said, in *rawParts) {
		say(said, channel.SaidChoice, in.Button.Text)
		said.Value = clean(in.Button.Payload, mostText)
	},
	"interactive": interacted,
	"location": func(said *channel.Said, in *rawParts) {
		if at := in.Location; at != nil {
			said.Kind = channel.SaidLocation
			said.Location = &channel.Location{Latitude: at.Latitude, Longitude: at.Longitude, Name: clean(at.Name, mostName), Address: clean(at.Address, mostName)}
		}
	},
	"contacts": cards,
	"order": func(said *channel.Said, in *rawParts) {
		said.Kind, said.Text = channel.SaidOrder, clean(in.Order.Text, mostText)
		for _, item := range in.Order.Items[:min(len(in.Order.Items), mostParts)] {
			said.Items = append(said.Items, channel.Item{Product: clean(item.Product, mostName), Quantity: item.Quantity, Price: item.Price, Currency: clean(item.Currency, 8)})
		}
	},
	"system": func(said *channel.Said, in *rawParts) { say(said, channel.SaidNotice, in.System.Body) },
	"reaction": func(said *channel.Said, in *rawParts) {
		about(said, channel.SaidReaction, in.Reaction.MessageID)
		said.Text = clean(in.Reaction.Emoji, mostName)
	},
	"edit": func(said *channel.Said, in *rawParts) {
		about(said, channel.SaidEdit, in.Edit.Original)
		said.Text = in.Edit.Message.Text.Body
		for _, media := range []*rawMedia{in.Edit.Message.Image, in.Edit.Message.Video, in.Edit.Message.Document} {
			if media != nil {
				said.Text = media.Caption
			}
		}
		said.Text = clean(said.Text, mostText)
	},
	"revoke": func(said *channel.Said, in *rawParts) { about(said, channel.SaidDelete, in.Revoke.Original) },
}

func say(said *channel.Said, kind channel.SaidKind, text string) {
	if said.Text = clean(text, mostText); said.Text != "" {
		said.Kind = kind
	}
}

func attach(said *channel.Said, kind channel.SaidKind, media *rawMedia) {
	if media == nil || media.ID == "" {
		return
	}
	said.Kind, said.Text = kind, clean(media.Caption, mostText)
	said.Media = &channel.Media{ProviderID: clean(media.ID, mostName), Type: clean(media.Type, mostName), Name: clean(media.Name, mostName), SHA256: clean(media.SHA256, mostName)}
}

func about(said *channel.Said, kind channel.SaidKind, message string) {
	if said.About = clean(message, mostName); said.About != "" {
		said.Kind = kind
	}
}

func interacted(said *channel.Said, in *rawParts) {
	for _, chosen := range []rawChoice{in.Interactive.Button, in.Interactive.List} {
		if chosen.ID != "" || chosen.Title != "" {
			said.Kind, said.Text, said.Value = channel.SaidChoice, clean(chosen.Title, mostName), clean(chosen.ID, mostText)
			return
		}
	}
	if answers := in.Interactive.Form.Answers; json.Valid([]byte(answers)) && len(answers) <= mostText {
		said.Kind, said.Text, said.Value = channel.SaidForm, clean(in.Interactive.Form.Body, mostName), clean(answers, mostText)
	}
}

func cards(said *channel.Said, in *rawParts) {
	for _, one := range in.Contacts[:min(len(in.Contacts), mostParts)] {
		card := channel.Card{Name: clean(one.Name.Formatted, mostName)}
		for _, phone := range one.Phones[:min(len(one.Phones), mostParts)] {
			card.Phones = append(card.Phones, clean(phone.Phone, mostName))
		}
		for _, email := range one.Emails[:min(len(one.Emails), mostParts)] {
			card.Emails = append(card.Emails, clean(email.Email, mostName))
		}
		said.Kind, said.Cards = channel.SaidCards, append(said.Cards, card)
	}
}

// usable tells whether an id of the provider's can be a key.
func usable(providerID string) bool {
	return providerID != "" && clean(providerID, mostName) == providerID
}

// clean makes a text of a contact storable: PostgreSQL takes no NUL, and a bound keeps one message from filling a page.
// It cuts between characters.
func clean(text string, most int) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
