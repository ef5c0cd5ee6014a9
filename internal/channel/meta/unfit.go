package meta

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"omnidesk/internal/channel"
)

// Meta's bounds, in characters unless said otherwise.
const (
	longestText        = 4096
	longestCaption     = 1024
	longestBody        = 1024 // the words above buttons or a list
	longestNote        = 60   // header and footer
	longestButton      = 20
	longestRow         = 24
	longestDescription = 72
	longestButtonValue = 256
	longestRowValue    = 200
	longestName        = 240 // of a document
	mostButtons        = 3
	mostSections       = 10
	mostRows           = 10 // in all sections
	mostCards          = 10
	mb                 = 1 << 20
)

// fits is what Meta takes of a kind of file: its types and its greatest size in bytes.
type fits struct {
	types []string
	most  int64
}

var files = map[channel.SaidKind]fits{
	channel.SaidImage:   {[]string{"image/jpeg", "image/png"}, 5 * mb},
	channel.SaidVideo:   {[]string{"video/mp4", "video/3gpp"}, 16 * mb},
	channel.SaidAudio:   {[]string{"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}, 16 * mb},
	channel.SaidVoice:   {[]string{"audio/ogg"}, 16 * mb},
	channel.SaidSticker: {[]string{"image/webp"}, 500 << 10},
	channel.SaidDocument: {[]string{"text/plain", "text/csv", "application/pdf", "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation"}, 100 * mb},
}

var _ channel.Judge = (*Adapter)(nil)

// judge collects what is wrong with one content.
type judge struct{ problems []channel.Problem }

func (j *judge) say(field, format string, args ...any) {
	j.problems = append(j.problems, channel.Problem{Field: field, Message: fmt.Sprintf(format, args...)})
}

func (j *judge) text(field, text string, least, most int) {
	switch n := utf8.RuneCountInString(text); {
	case n < least || least > 0 && strings.TrimSpace(text) == "":
		j.say(field, "is empty")
	case n > most:
		j.say(field, "is %d characters long; WhatsApp takes %d", n, most)
	}
}

// Unfit says why Meta would refuse a content.
func (a *Adapter) Unfit(content channel.Content) []channel.Problem {
	j := &judge{}
	switch kind := content.Kind(); kind {
	case channel.SaidText:
		j.text("text", content.Text, 1, longestText)
	case channel.SaidButtons, channel.SaidList:
		j.offer(content)
	case channel.SaidLocation:
		j.location(*content.Location)
	case channel.SaidCards:
		j.cards(content.Cards)
	case channel.SaidReaction:
		j.reaction(content)
	case channel.SaidTemplate:
	case "":
		if content.File != nil && !content.File.Kind.IsFile() {
			j.say("file.kind", "is none that WhatsApp takes: use image, video, audio, voice, document or sticker")
			break
		}
		j.say("text", "must be filled, or one of file, location, cards, offer and reaction: a message says one thing")
	default:
		j.file(kind, content)
	}
	return j.problems
}

func (j *judge) file(kind channel.SaidKind, content channel.Content) {
	takes, file := files[kind], content.File
	base, parameters, _ := strings.Cut(file.Type, ";")
	base = strings.TrimSpace(base)
	switch {
	case !slices.Contains(takes.types, base):
		j.say("file.media_id", "is of the type %s; as %s WhatsApp takes %s", typeName(base), kind, strings.Join(takes.types, ", "))
	case base == "audio/ogg" && parameters != "" && !strings.Contains(parameters, "opus"):
		j.say("file.media_id", "is an OGG file that is not Opus; record it with Opus")
	}
	if file.Size > takes.most {
		j.say("file.media_id", "is %s; as %s WhatsApp takes %s", sizeName(file.Size), kind, sizeName(takes.most))
	}
	if kind == channel.SaidAudio || kind == channel.SaidVoice || kind == channel.SaidSticker {
		if content.Text != "" {
			j.say("text", "must be empty: WhatsApp shows no caption with %s; send the words by themselves", kind)
		}
	} else {
		j.text("text", content.Text, 0, longestCaption)
	}
	j.text("file.name", file.Name, 0, longestName)
}

func typeName(mime string) string {
	if mime == "" {
		return "unknown"
	}
	return mime
}

func sizeName(bytes int64) string {
	if bytes < mb {
		return fmt.Sprintf("%d KB", (bytes+1023)/1024)
	}
	return fmt.Sprintf("%.3g MB", float64(bytes)/mb)
}

func (j *judge) location(at channel.Location) {
	if !(at.Latitude >= -90 && at.Latitude <= 90) { // a number that is none is refused, too
		j.say("location.latitude", "must lie between -90 and 90")
	}
	if !(at.Longitude >= -180 && at.Longitude <= 180) {
		j.say("location.longitude", "must lie between -180 and 180")
	}
	j.text("location.name", at.Name, 0, 1000)
	j.text("location.address", at.Address, 0, 1000)
}

func (j *judge) cards(cards []channel.Card) {
	if len(cards) > mostCards {
		j.say("cards", "are %d; send at most %d at once", len(cards), mostCards)
	}
	for i, card := range cards {
		j.text(fmt.Sprintf("cards[%d].name", i), card.Name, 1, 128)
		if len(card.Phones)+len(card.Emails) == 0 {
			j.say(fmt.Sprintf("cards[%d].phones", i), "are missing: a card needs a phone or an e-mail address")
		}
	}
}

func (j *judge) reaction(content channel.Content) {
	if content.Reaction.About == "" {
		j.say("reaction.about", "names no message that WhatsApp knows")
	}
	if content.About != "" {
		j.say("reply_to", "must be empty: a reaction names its message itself")
	}
	if emoji := content.Reaction.Emoji; emoji != "" && !isEmoji(emoji) {
		j.say("reaction.emoji", "must be one emoji, or empty to take the reaction back")
	}
}

// isEmoji is generous: what an emoji is grows by the year. It refuses words.
func isEmoji(text string) bool {
	beyond := strings.ContainsFunc(text, func(r rune) bool { return r >= 0x203C })
	return beyond && utf8.RuneCountInString(text) <= 16 && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsSpace(r) })
}

func (j *judge) offer(content channel.Content) {
	in := content.Offer
	j.text("text", content.Text, 1, longestBody)
	j.text("offer.header", in.Header, 0, longestNote)
	j.text("offer.footer", in.Footer, 0, longestNote)
	if len(in.Buttons) > 0 {
		if len(in.Buttons) > mostButtons {
			j.say("offer.buttons", "are %d; WhatsApp takes %d: make a list of more", len(in.Buttons), mostButtons)
		}
		j.options("offer.buttons", in.Buttons, longestButton, longestButtonValue, map[string]bool{}, map[string]bool{})
		return
	}
	j.text("offer.open", in.Open, 1, longestButton)
	if len(in.Sections) > mostSections {
		j.say("offer.sections", "are %d; WhatsApp takes %d", len(in.Sections), mostSections)
	}
	rows, values := 0, map[string]bool{}
	for i, section := range in.Sections {
		field := fmt.Sprintf("offer.sections[%d]", i)
		least := 0
		if len(in.Sections) > 1 {
			least = 1
		}
		j.text(field+".title", section.Title, least, longestRow)
		if len(section.Options) == 0 {
			j.say(field+".options", "are missing: a section needs at least one")
		}
		rows += len(section.Options)
		j.options(field+".options", section.Options, longestRow, longestRowValue, values, nil)
	}
	if rows > mostRows {
		j.say("offer.sections", "hold %d answers; WhatsApp takes %d in all", rows, mostRows)
	}
}

// options judges answers; titles is nil where two may look alike.
func (j *judge) options(field string, options []channel.Option, longestTitle, longestValue int, values, titles map[string]bool) {
	for i, option := range options {
		at := fmt.Sprintf("%s[%d]", field, i)
		j.text(at+".title", option.Title, 1, longestTitle)
		j.text(at+".description", option.Description, 0, longestDescription)
		value := valueOf(option)
		j.text(at+".value", value, 0, longestValue)
		if values[value] {
			j.say(at+".value", "is that of another answer: give each its own")
		}
		if titles != nil && titles[option.Title] {
			j.say(at+".title", "is that of another button")
		}
		values[value] = true
		if titles != nil {
			titles[option.Title] = true
		}
	}
}
