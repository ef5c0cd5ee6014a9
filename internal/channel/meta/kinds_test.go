package meta_test

import (
	"omnidesk/internal/channel"
	"omnidesk/internal/channel/channeltest"
)

func attached(kind channel.SaidKind, mime, caption string) channel.Content {
	file := &channel.File{Kind: kind, Type: mime, Size: 20}
	if kind == channel.SaidDocument {
		file.Name = "Preços \"2026\".pdf"
	}
	return channel.Content{Text: caption, File: file}
}

// kinds is everything that Meta takes from us.
var kinds = map[string]channel.Content{
	"text":      {Text: "Olá \"Ana\" 👍\nمرحبا"},
	"template":  {Template: &channel.Template{Name: "order_update", Language: "pt_BR", Parameters: []string{"Ana", "42"}}},
	"image":     attached(channel.SaidImage, "image/jpeg", "A picture"),
	"video":     attached(channel.SaidVideo, "video/mp4", ""),
	"audio":     attached(channel.SaidAudio, "audio/mpeg", ""),
	"voice":     attached(channel.SaidVoice, "audio/ogg; codecs=opus", ""),
	"document":  attached(channel.SaidDocument, "application/pdf", "Our prices"),
	"sticker":   attached(channel.SaidSticker, "image/webp", ""),
	"location":  {Location: &channel.Location{Latitude: -8.05, Longitude: -34.9, Name: "Marco Zero", Address: "Recife"}},
	"origin":    {Location: &channel.Location{}},
	"cards":     {Cards: []channel.Card{{Name: "Ana Lima", Phones: []string{"+5511999990001"}, Emails: []string{"ana@example.com"}}}},
	"buttons":   {Text: "Shall we deliver?", Offer: &channel.Offer{Header: "Order 42", Footer: "Bakery", Buttons: []channel.Option{{Title: "Yes", Value: "yes"}, {Title: "No"}}}},
	"list":      {Text: "When?", Offer: &channel.Offer{Open: "Times", Sections: []channel.Section{{Title: "Today", Options: []channel.Option{{Title: "9 h", Description: "at the shop"}}}, {Title: "Later", Options: []channel.Option{{Title: "Tomorrow"}}}}}},
	"reaction":  {Reaction: &channel.Reaction{About: "wamid.of-theirs", Emoji: "👍🏽"}},
	"unreacted": {Reaction: &channel.Reaction{About: "wamid.of-theirs"}},
}

// unfitting is what both our judge and Meta refuse, by the field to blame.
var unfitting = map[string]channel.Content{
	"offer.buttons":     {Text: "?", Offer: &channel.Offer{Buttons: []channel.Option{{Title: "1"}, {Title: "2"}, {Title: "3"}, {Title: "4"}}}},
	"offer.open":        {Text: "?", Offer: &channel.Offer{Sections: []channel.Section{{Options: []channel.Option{{Title: "1"}}}}}},
	"location.latitude": {Location: &channel.Location{Latitude: 90.1}},
	"file.media_id":     attached(channel.SaidSticker, "image/png", ""),
	"text":              attached(channel.SaidAudio, "audio/mpeg", "Hear this"),
}

// classes holds a code of each class and scope.
var classes = map[int]channeltest.Verdict{
	130429: {Class: channel.NotAccepted, Scope: channel.ScopeConnection},
	131056: {Class: channel.NotAccepted, Scope: channel.ScopePair},
	131048: {Class: channel.NotAccepted, Scope: channel.ScopeCampaigns},
	132015: {Class: channel.NotAccepted, Scope: channel.ScopeTemplate},
	131026: {Class: channel.Refused, Scope: channel.ScopeMessage},
	190:    {Class: channel.Refused, Scope: channel.ScopeConnection},
	132016: {Class: channel.Refused, Scope: channel.ScopeTemplate},
	131064: {Class: channel.Refused, Scope: channel.ScopeCampaigns},
	131000: {Class: channel.Unknown, Scope: channel.ScopeMessage},
}
