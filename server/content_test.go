package server

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// say sends something in a conversation.
func (i *inbox) say(conversation string, body map[string]any) answer {
	body["key"] = id.New().String()
	return i.do(http.MethodPost, "/api/v1/conversations/"+conversation+"/messages", body)
}

func (i *inbox) thread(conversation string) []ThreadMessage {
	i.t.Helper()
	return as[Thread](i.t, i.do(http.MethodGet, "/api/v1/conversations/"+conversation+"/messages", nil), http.StatusOK).Items
}

func TestAnAnswerMayBeOfEveryKind(t *testing.T) {
	i := newInbox(t)
	i.hear("5511990000100", wrote("wamid.1", "Where are you?"))
	conversation := i.list("").Items[0].ID
	theirs := i.thread(conversation)[0].ID
	for _, one := range []struct {
		body  map[string]any
		words string
	}{
		{map[string]any{"text": "Here", "reply_to": theirs}, "Here"},
		{map[string]any{"location": map[string]any{"latitude": -8.05, "longitude": -34.9, "name": "Marco Zero"}}, "Location"},
		{map[string]any{"cards": []any{map[string]any{"name": "Bia", "phones": []string{"+5511990000101"}}}}, "Contact card"},
		{map[string]any{"text": "Shall we call?", "offer": map[string]any{"buttons": []any{map[string]any{"title": "Yes"}, map[string]any{"title": "No"}}}}, "Shall we call?"},
		{map[string]any{"text": "When?", "offer": map[string]any{"open": "Times", "sections": []any{map[string]any{"options": []any{map[string]any{"title": "Nine"}}}}}}, "When?"},
		{map[string]any{"reaction": map[string]any{"message_id": theirs, "emoji": "👍"}}, "Reacted 👍"},
	} {
		as[Queued](t, i.say(conversation, one.body), http.StatusAccepted)
		require.Equal(t, one.words, i.thread(conversation)[0].Text)
		require.Equal(t, one.words, i.list("").Items[0].LastText)
	}
	lines := i.thread(conversation)
	require.Equal(t, &Quote{theirs, true, "Where are you?"}, lines[5].Quote)
	require.Nil(t, lines[5].Content, "a text is its words")
	require.Equal(t, "Marco Zero", lines[4].Content.Location.Name)
	require.Equal(t, "Bia", lines[3].Content.Cards[0].Name)
	require.Equal(t, "No", lines[2].Content.Offer.Buttons[1].Title)
	require.Equal(t, "Times", lines[1].Content.Offer.Open)
	require.Equal(t, []any{"👍", theirs}, []any{lines[0].Content.Reaction, lines[0].Quote.ID})
	require.NotContains(t, i.site.log.String(), "Marco")
}

func TestAnUnfitAnswerNamesItsFieldAndQueuesNothing(t *testing.T) {
	i := newInbox(t)
	i.hear("5511990000100", wrote("wamid.1", "Hello"))
	i.hear("5511990000101", wrote("wamid.2", "Hello, too"))
	conversations := i.list("").Items
	mine, other := conversations[0].ID, i.thread(conversations[1].ID)[0].ID
	as[Queued](t, i.answer(mine, id.New().String(), "Queued, and not yet with the provider"), http.StatusAccepted)
	waiting := i.thread(mine)[0].ID
	for field, body := range map[string]map[string]any{
		"body.text":                   {"text": " "},
		"body.reply_to":               {"text": "Hi", "reply_to": other},
		"body.reaction.message_id":    {"reaction": map[string]any{"message_id": waiting, "emoji": "👍"}},
		"body.reaction.emoji":         {"reaction": map[string]any{"message_id": i.thread(mine)[1].ID, "emoji": "well done"}},
		"body.location.latitude":      {"location": map[string]any{"latitude": 100, "longitude": 0}},
		"body.offer.buttons[0].title": {"text": "?", "offer": map[string]any{"buttons": []any{map[string]any{"title": "A button of more than 20"}}}},
		"body.cards[0].phones":        {"cards": []any{map[string]any{"name": "Bia"}}},
	} {
		p := i.say(mine, body).problem(t, http.StatusUnprocessableEntity)
		require.Equal(t, field, p.Errors[0].Location)
	}
	require.Len(t, i.thread(mine), 2)
	var queued int
	require.NoError(t, i.site.db.InCompany(t.Context(), i.site.mine, func(tx postgres.Tx) error {
		return tx.QueryRow(context.Background(), "SELECT count(*) FROM messages WHERE company_id = $1 AND direction = 0", i.site.mine).Scan(&queued)
	}))
	require.Equal(t, 1, queued)
}
