package server

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"omnidesk/internal/channel"
	"omnidesk/internal/conversation"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// WrittenContent is what somebody of the company sends: a text, or one of the others. The text of
// a file is its caption, that of an offer stands above the answers.
type WrittenContent struct {
	Text     string            `json:"text,omitempty" maxLength:"4096" doc:"alone, the caption of a file, or what an offer asks"`
	File     *WrittenFile      `json:"file,omitempty"`
	Location *channel.Location `json:"location,omitempty"`
	Cards    []channel.Card    `json:"cards,omitempty" maxItems:"10" doc:"people's contact cards"`
	Offer    *channel.Offer    `json:"offer,omitempty" doc:"answers to choose from: up to 3 buttons, or a list of up to 10"`
	Reaction *WrittenReaction  `json:"reaction,omitempty"`
	ReplyTo  string            `json:"reply_to,omitempty" format:"uuid" doc:"the message of this conversation that it answers"`
}

// WrittenFile names a file that was uploaded.
type WrittenFile struct {
	Kind    string `json:"kind" enum:"image,video,audio,voice,document,sticker"`
	MediaID string `json:"media_id" format:"uuid"`
	Name    string `json:"name,omitempty" maxLength:"240" doc:"of a document"`
}

// WrittenReaction puts an emoji on a message.
type WrittenReaction struct {
	MessageID string `json:"message_id" format:"uuid" doc:"a message of this conversation"`
	Emoji     string `json:"emoji,omitempty" maxLength:"64" doc:"without one, the reaction is taken back"`
}

// Quote is the message that another one answers.
type Quote struct {
	ID      string `json:"id"`
	Inbound bool   `json:"inbound"`
	Text    string `json:"text" doc:"in one readable text"`
}

func quoteView(q *conversation.Quote) *Quote {
	if q == nil {
		return nil
	}
	return &Quote{q.ID.String(), q.Inbound, q.Words}
}

// content puts what somebody wrote into the words of the channel, or says which fields don't fit it.
func (s *Server) content(ctx context.Context, tx postgres.Tx, of conversation.Conversation, kind channel.Kind, in WrittenContent) (channel.Content, error) {
	content := channel.Content{Text: strings.TrimSpace(in.Text), Location: in.Location, Cards: in.Cards, Offer: in.Offer}
	var err error
	if content.About, err = messageAt(ctx, tx, of, "reply_to", in.ReplyTo); err != nil {
		return content, err
	}
	if content.File, err = s.fileOf(ctx, tx, in.File); err != nil {
		return content, err
	}
	if in.Reaction != nil {
		content.Reaction = &channel.Reaction{Emoji: in.Reaction.Emoji}
		if content.Reaction.About, err = messageAt(ctx, tx, of, "reaction.message_id", in.Reaction.MessageID); err != nil {
			return content, err
		}
	}
	return content, s.judge(kind, content)
}

// judge says why a channel does not take a content.
func (s *Server) judge(kind channel.Kind, content channel.Content) error {
	judge, able := s.Adapters[kind].(channel.Judge)
	if !able {
		if content.Kind() != channel.SaidText {
			return unfit("text", "must be filled: this channel takes text alone")
		}
		return nil
	}
	problems := judge.Unfit(content)
	if len(problems) == 0 {
		return nil
	}
	p := problemOf(http.StatusUnprocessableEntity, "", "The request has an unfit field.")
	for _, one := range problems {
		p.Errors = append(p.Errors, &huma.ErrorDetail{Location: "body." + one.Field, Message: one.Message})
	}
	return p
}

// messageAt finds the message of a conversation that a field names; empty: it names none.
func messageAt(ctx context.Context, tx postgres.Tx, of conversation.Conversation, field, named string) (string, error) {
	if named == "" {
		return "", nil
	}
	message, err := id.Parse(named)
	if err != nil {
		return "", unfit(field, "is no id of a message")
	}
	about, err := conversation.ProviderIDOf(ctx, tx, companyOf(ctx), of, message)
	switch {
	case errors.Is(err, conversation.ErrNotFound):
		return "", unfit(field, "names no message of this conversation")
	case errors.Is(err, conversation.ErrUnknownToProvider):
		return "", unfit(field, "names a message that has not reached the provider")
	}
	return about, err
}

// sentView is what an outgoing message says, by its parts.
func sentView(content channel.Content) *Sent {
	view := &Sent{Text: content.Text, File: content.File, Location: content.Location, Cards: content.Cards, Offer: content.Offer}
	if t := content.Template; t != nil {
		view.Template = &Template{Name: t.Name, Language: t.Language, Parameters: t.Parameters}
	}
	if content.Reaction != nil {
		view.Reaction = content.Reaction.Emoji
	}
	return view
}
