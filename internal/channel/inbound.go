package channel

import "time"

// Inbound is one thing that a contact did: wrote a message, or did something to an earlier one.
type Inbound struct {
	ProviderID string
	From       Address
	Also       []Address // other addresses of the same person, as the provider says
	Name       string    // the name the contact gave itself
	At         time.Time // the provider's instant; zero: it named none
	Said       Said
}

// SaidKind is what sort of thing a contact wrote or did. The words are stored: never change one.
type SaidKind string

// The kinds. The last four are about an earlier message and are none by themselves.
const (
	SaidText        SaidKind = "text"
	SaidImage       SaidKind = "image"
	SaidVideo       SaidKind = "video"
	SaidAudio       SaidKind = "audio"
	SaidVoice       SaidKind = "voice" // recorded in the chat
	SaidDocument    SaidKind = "document"
	SaidSticker     SaidKind = "sticker"
	SaidLocation    SaidKind = "location"
	SaidCards       SaidKind = "cards"       // people's contact cards
	SaidChoice      SaidKind = "choice"      // a button or a row of a list that was offered
	SaidForm        SaidKind = "form"        // the answers of a form
	SaidOrder       SaidKind = "order"       // products of a catalogue
	SaidNotice      SaidKind = "notice"      // a word of the provider about the contact, such as a changed number
	SaidUnsupported SaidKind = "unsupported" // what the provider or we can't show
	SaidReaction    SaidKind = "reaction"    // Text is the emoji; empty takes the reaction back
	SaidEdit        SaidKind = "edit"        // Text is what the message says now
	SaidDelete      SaidKind = "delete"
)

// What only a company says.
const (
	SaidTemplate SaidKind = "template"
	SaidButtons  SaidKind = "buttons" // answers to choose from, under the words
	SaidList     SaidKind = "list"    // answers to choose from, in a list that opens
)

// Message tells whether it stands in the conversation by itself.
func (k SaidKind) Message() bool { return k != SaidReaction && k != SaidEdit && k != SaidDelete }

// IsFile tells whether it is a file, with or without words.
func (k SaidKind) IsFile() bool {
	return k == SaidImage || k == SaidVideo || k == SaidAudio || k == SaidVoice || k == SaidDocument || k == SaidSticker
}

// Said is what a contact wrote. What its kind does not need is empty.
type Said struct {
	Kind      SaidKind  `json:"kind" enum:"text,image,video,audio,voice,document,sticker,location,cards,choice,form,order,notice,unsupported,reaction,edit,delete"`
	Text      string    `json:"text,omitempty"`      // the words: a text, a caption, the title of a choice, an emoji
	About     string    `json:"about,omitempty"`     // the provider's id of the message that it answers, or is about
	Forwarded bool      `json:"forwarded,omitempty"` // it was written by somebody else
	Value     string    `json:"value,omitempty"`     // of a choice: what was offered with it; of a form: its answers in JSON
	Media     *Media    `json:"media,omitempty"`
	Location  *Location `json:"location,omitempty"`
	Cards     []Card    `json:"cards,omitempty"`
	Items     []Item    `json:"items,omitempty"` // of an order
	Ad        *Ad       `json:"ad,omitempty"`    // the advertisement that led to the message
	Code      int       `json:"code,omitempty"`  // of an unsupported message: why, in the provider's number
}

// nouns name what has no words of its own.
var nouns = map[SaidKind]string{
	SaidImage: "Photo", SaidVideo: "Video", SaidAudio: "Audio", SaidVoice: "Voice message", SaidDocument: "Document", SaidSticker: "Sticker",
	SaidLocation: "Location", SaidCards: "Contact card", SaidForm: "Filled-in form", SaidOrder: "Order", SaidUnsupported: "A message of a kind that can't be shown here",
}

// Words puts it into one readable line, for lists.
func (s Said) Words() string {
	noun := nouns[s.Kind]
	switch {
	case s.Kind == SaidDocument && s.Media != nil && s.Media.Name != "" && s.Text == "":
		return noun + ": " + s.Media.Name
	case noun == "":
		return s.Text
	case s.Text == "":
		return noun
	}
	return noun + ": " + s.Text
}

// Media is a file at the provider.
type Media struct {
	ProviderID string `json:"provider_id"`
	Type       string `json:"type"`           // MIME, as the provider says; not checked yet
	Name       string `json:"name,omitempty"` // of a document
	SHA256     string `json:"sha256,omitempty"`
}

// Location is a place, in degrees.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
}

// Card is one person's contact card.
type Card struct {
	Name   string   `json:"name"`
	Phones []string `json:"phones,omitempty"`
	Emails []string `json:"emails,omitempty"`
}

// Item is one product of an order.
type Item struct {
	Product  string  `json:"product"`
	Quantity int     `json:"quantity"`
	Price    float64 `json:"price"`
	Currency string  `json:"currency"`
}

// Ad is the advertisement that a contact came from.
type Ad struct {
	ID       string `json:"id"`
	Headline string `json:"headline,omitempty"`
	ClickID  string `json:"click_id,omitempty"`
}
