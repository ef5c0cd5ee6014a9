package channel

import (
	"strings"

	"omnidesk/internal/id"
)

// Content is what one outgoing message says. What else is set decides what Text is: alone it is the message, with a file
// its caption, with an offer the words above the answers. Of the others at most one is set.
type Content struct {
	Text     string    `json:"text,omitempty"`
	Template *Template `json:"template,omitempty"`
	File     *File     `json:"file,omitempty"`
	Location *Location `json:"location,omitempty"`
	Cards    []Card    `json:"cards,omitempty"`
	Offer    *Offer    `json:"offer,omitempty"`
	Reaction *Reaction `json:"reaction,omitempty"`
	About    string    `json:"about,omitempty"` // the provider's id of the message that it answers
}

// File is a file of the media store that goes out with a message.
type File struct {
	Kind       SaidKind `json:"kind" enum:"image,video,audio,voice,document,sticker"`
	Media      id.ID    `json:"media_id"`
	Type       string   `json:"type,omitempty"` // MIME, as it was found to be
	Size       int64    `json:"size,omitempty"` // bytes
	Name       string   `json:"name,omitempty"` // of a document
	ProviderID string   `json:"provider_id,omitempty"`
}

// Offer is a set of answers that a contact chooses from: buttons, or sections of a list.
type Offer struct {
	Header   string    `json:"header,omitempty"`
	Footer   string    `json:"footer,omitempty"`
	Buttons  []Option  `json:"buttons,omitempty"`
	Open     string    `json:"open,omitempty" doc:"the words that open the list"`
	Sections []Section `json:"sections,omitempty"`
}

// Section is a part of a list.
type Section struct {
	Title   string   `json:"title,omitempty" doc:"needed when there are several"`
	Options []Option `json:"options"`
}

// Option is one answer to choose. What comes back when it is chosen is its Value.
type Option struct {
	Title       string `json:"title"`
	Value       string `json:"value,omitempty" doc:"comes back with the choice; without it the title does"`
	Description string `json:"description,omitempty" doc:"of a row of a list"`
}

// Reaction is an emoji on a message of the contact.
type Reaction struct {
	About string `json:"about"` // the provider's id of the message
	Emoji string `json:"emoji,omitempty"`
}

// Kind tells what a content is; empty: nothing, or more than one thing.
func (c Content) Kind() SaidKind {
	kind, parts := SaidKind(""), 0
	is := func(set bool, of SaidKind) {
		if set {
			kind = of
			parts++
		}
	}
	is(c.Template != nil, SaidTemplate)
	is(c.Location != nil, SaidLocation)
	is(len(c.Cards) > 0, SaidCards)
	is(c.Reaction != nil, SaidReaction)
	if c.File != nil {
		is(true, c.File.Kind)
		if !c.File.Kind.IsFile() {
			return ""
		}
	}
	if c.Offer != nil {
		is(len(c.Offer.Buttons) > 0, SaidButtons)
		is(len(c.Offer.Sections) > 0, SaidList)
	}
	switch {
	case parts == 0 && c.Text != "" && c.Offer == nil:
		return SaidText
	case parts == 1 && (c.Text == "" || c.File != nil || c.Offer != nil):
		return kind
	}
	return ""
}

// Words puts it into one readable line, for lists.
func (c Content) Words() string {
	switch kind := c.Kind(); {
	case c.Template != nil && len(c.Template.Parameters) > 0:
		return c.Template.Name + ": " + strings.Join(c.Template.Parameters, " · ")
	case c.Template != nil:
		return c.Template.Name
	case c.File != nil:
		return Said{Kind: kind, Text: c.Text, Media: &Media{Name: c.File.Name}}.Words()
	case c.Location != nil, len(c.Cards) > 0:
		return Said{Kind: kind, Location: c.Location, Cards: c.Cards}.Words()
	case c.Reaction != nil && c.Reaction.Emoji == "":
		return "Reaction taken back"
	case c.Reaction != nil:
		return "Reacted " + c.Reaction.Emoji
	}
	return c.Text
}

// Problem is why a content can't be sent.
type Problem struct {
	Field   string // such as offer.buttons[2].title
	Message string // begins in lower case and says what to do
}

// Judge is an ability of adapters that know what their provider takes before it is asked.
type Judge interface {
	// Unfit says why a content can't be sent; nothing: it can. That a window is open it does not know.
	Unfit(Content) []Problem
}
