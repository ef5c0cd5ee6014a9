package meta

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
)

func options(n int) (list []channel.Option) {
	for i := range n {
		list = append(list, channel.Option{Title: "Answer " + string(rune('A'+i))})
	}
	return list
}

func TestUnfitNamesTheField(t *testing.T) {
	t.Parallel()
	file := func(kind channel.SaidKind, mime string, size int64) *channel.File {
		return &channel.File{Kind: kind, Type: mime, Size: size}
	}
	text := func(n int) string { return strings.Repeat("é", n) }
	for name, one := range map[string]struct {
		content channel.Content
		field   string // empty: it fits
	}{
		"text":                    {channel.Content{Text: text(4096)}, ""},
		"long text":               {channel.Content{Text: text(4097)}, "text"},
		"blank text":              {channel.Content{Text: " \n "}, "text"},
		"nothing":                 {channel.Content{}, "text"},
		"two things":              {channel.Content{Location: &channel.Location{}, Cards: []channel.Card{{Name: "A"}}}, "text"},
		"picture":                 {channel.Content{Text: text(1024), File: file(channel.SaidImage, "image/png", 5<<20)}, ""},
		"long caption":            {channel.Content{Text: text(1025), File: file(channel.SaidImage, "image/png", 1)}, "text"},
		"large picture":           {channel.Content{File: file(channel.SaidImage, "image/png", 5<<20+1)}, "file.media_id"},
		"picture of another type": {channel.Content{File: file(channel.SaidImage, "image/gif", 1)}, "file.media_id"},
		"page as document":        {channel.Content{File: file(channel.SaidDocument, "text/html", 1)}, "file.media_id"},
		"text as document":        {channel.Content{File: file(channel.SaidDocument, "text/plain; charset=utf-8", 100<<20)}, ""},
		"large document":          {channel.Content{File: file(channel.SaidDocument, "application/pdf", 100<<20+1)}, "file.media_id"},
		"voice note of MP3":       {channel.Content{File: file(channel.SaidVoice, "audio/mpeg", 1)}, "file.media_id"},
		"voice note of Vorbis":    {channel.Content{File: file(channel.SaidVoice, "audio/ogg; codecs=vorbis", 1)}, "file.media_id"},
		"voice note":              {channel.Content{File: file(channel.SaidVoice, "audio/ogg; codecs=opus", 1)}, ""},
		"sound with a caption":    {channel.Content{Text: "Hear", File: file(channel.SaidAudio, "audio/mpeg", 1)}, "text"},
		"file of no kind":         {channel.Content{File: file(channel.SaidCards, "image/png", 1)}, "file.kind"},
		"nowhere":                 {channel.Content{Location: &channel.Location{Latitude: 91}}, "location.latitude"},
		"card without a name":     {channel.Content{Cards: []channel.Card{{Phones: []string{"1"}}}}, "cards[0].name"},
		"card without a number":   {channel.Content{Cards: []channel.Card{{Name: "Ana"}}}, "cards[0].phones"},
		"three buttons":           {channel.Content{Text: "?", Offer: &channel.Offer{Buttons: options(3)}}, ""},
		"four buttons":            {channel.Content{Text: "?", Offer: &channel.Offer{Buttons: options(4)}}, "offer.buttons"},
		"buttons without words":   {channel.Content{Offer: &channel.Offer{Buttons: options(1)}}, "text"},
		"a long button":           {channel.Content{Text: "?", Offer: &channel.Offer{Buttons: []channel.Option{{Title: text(21)}}}}, "offer.buttons[0].title"},
		"two equal buttons":       {channel.Content{Text: "?", Offer: &channel.Offer{Buttons: []channel.Option{{Title: "A", Value: "1"}, {Title: "A", Value: "2"}}}}, "offer.buttons[1].title"},
		"two equal values":        {channel.Content{Text: "?", Offer: &channel.Offer{Buttons: []channel.Option{{Title: "A", Value: "1"}, {Title: "B", Value: "1"}}}}, "offer.buttons[1].value"},
		"list":                    {channel.Content{Text: "?", Offer: &channel.Offer{Open: "See", Sections: []channel.Section{{Options: options(10)}}}}, ""},
		"eleven rows":             {channel.Content{Text: "?", Offer: &channel.Offer{Open: "See", Sections: []channel.Section{{Options: options(11)}}}}, "offer.sections"},
		"list that can't open":    {channel.Content{Text: "?", Offer: &channel.Offer{Sections: []channel.Section{{Options: options(1)}}}}, "offer.open"},
		"sections without titles": {channel.Content{Text: "?", Offer: &channel.Offer{Open: "See", Sections: []channel.Section{{Title: "A", Options: options(1)}, {Options: []channel.Option{{Title: "Z"}}}}}}, "offer.sections[1].title"},
		"reaction":                {channel.Content{Reaction: &channel.Reaction{About: "wamid.1", Emoji: "👩🏽‍🚀"}}, ""},
		"keycap":                  {channel.Content{Reaction: &channel.Reaction{About: "wamid.1", Emoji: "1️⃣"}}, ""},
		"reaction taken back":     {channel.Content{Reaction: &channel.Reaction{About: "wamid.1"}}, ""},
		"reaction in words":       {channel.Content{Reaction: &channel.Reaction{About: "wamid.1", Emoji: "nice"}}, "reaction.emoji"},
		"reaction to nothing":     {channel.Content{Reaction: &channel.Reaction{Emoji: "👍"}}, "reaction.about"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			problems := (&Adapter{}).Unfit(one.content)
			if one.field == "" {
				require.Empty(t, problems)
				return
			}
			require.NotEmpty(t, problems)
			require.Equal(t, one.field, problems[0].Field)
			require.NotEmpty(t, problems[0].Message)
		})
	}
}

func TestEveryOtherKindNeedsWhatItIsAbout(t *testing.T) {
	t.Parallel()
	to := channel.Address{Kind: "phone", Value: "+5511999990001"}
	_, unsendable := encodeMessage(channel.Outgoing{To: to, Content: channel.Content{File: &channel.File{Kind: channel.SaidImage}}})
	require.NotEmpty(t, unsendable, "a file goes to Meta before its message")
}
