package world

import "time"

// Line is one message on a phone.
type Line struct {
	In         bool      `json:"in"`     // received by the phone; otherwise the person wrote it
	Number     string    `json:"number"` // the business number's id at the provider
	ProviderID string    `json:"provider_id"`
	ID         string    `json:"id"` // what the client sent along
	Text       string    `json:"text"`
	At         time.Time `json:"at"`
	Status     string    `json:"status"` // the last one told

	Kind     string    `json:"kind,omitempty"`  // text when empty; image, video, audio, voice, document, sticker, location, contacts, template, buttons, list, choice, unsupported, notice
	About    string    `json:"about,omitempty"` // provider id of the line that it answers
	Header   string    `json:"header,omitempty"`
	Footer   string    `json:"footer,omitempty"`
	Open     string    `json:"open,omitempty"` // what opens a list
	Options  []Option  `json:"options,omitempty"`
	Media    *Media    `json:"media,omitempty"`
	Link     string    `json:"link,omitempty"` // of media that the business keeps elsewhere
	Location *Location `json:"location,omitempty"`
	Cards    []Card    `json:"contacts,omitempty"`

	Forwarded bool   `json:"forwarded,omitempty"`
	Edited    bool   `json:"edited,omitempty"`
	Deleted   bool   `json:"deleted,omitempty"`
	Mine      string `json:"my_reaction,omitempty"`       // the person's emoji on it
	Theirs    string `json:"business_reaction,omitempty"` // the business's
}

// Option is an answer that a message offers.
type Option struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

// Location is a place, in degrees.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
}

// Card is a person's contact card.
type Card struct {
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty"`
	Email string `json:"email,omitempty"`
}
