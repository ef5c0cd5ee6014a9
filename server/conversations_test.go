package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/channel"
	"omnidesk/internal/conversation"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

// inbox is an admin with a connection to which contacts write.
type inbox struct {
	*caller
	site       *site
	connection Connection
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	return &inbox{c, x, c.connect("3001")}
}

// hear posts a webhook with messages, each without its sender's name and its time.
func (i *inbox) hear(phone string, messages ...string) {
	i.t.Helper()
	for n := range messages {
		messages[n] = fmt.Sprintf(`{"from":%q,"timestamp":"%d",%s}`, phone, time.Now().Unix(), messages[n])
	}
	body := `{"object":"whatsapp_business_account","entry":[{"id":"2001","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"3001"},
		"contacts":[{"wa_id":"` + phone + `","profile":{"name":"Rui"}}],"messages":[` + strings.Join(messages, ",") + `]}}]}]}`
	a := i.site.anonymous(i.t).do(http.MethodPost, i.site.path(i.connection), body, sign(appSecret, body))
	require.Equal(i.t, http.StatusOK, a.status, a.body)
}

func wrote(providerID, text string) string {
	return fmt.Sprintf(`"id":%q,"type":"text","text":{"body":%q}`, providerID, text)
}

func (i *inbox) list(query string) ConversationList {
	i.t.Helper()
	return as[ConversationList](i.t, i.do(http.MethodGet, "/api/v1/conversations"+query, nil), http.StatusOK)
}

// texts are a conversation's messages, the oldest first.
func (i *inbox) texts(conversation string) (texts []string) {
	i.t.Helper()
	for _, m := range as[Thread](i.t, i.do(http.MethodGet, "/api/v1/conversations/"+conversation+"/messages", nil), http.StatusOK).Items {
		texts = append([]string{m.Text}, texts...)
	}
	return texts
}

func (i *inbox) answer(conversation, key, text string) answer {
	return i.do(http.MethodPost, "/api/v1/conversations/"+conversation+"/messages", map[string]string{"key": key, "text": text})
}

func TestWhatAStrangerWritesBecomesAConversation(t *testing.T) {
	i := newInbox(t)
	i.hear("5511990000100", wrote("wamid.1", "Hello"), wrote("wamid.2", "is anybody there?"))
	i.hear("5511990000100", wrote("wamid.1", "Hello"), wrote("wamid.3", "🙂"), wrote("wamid.3", "🙂"))
	page := i.list("")
	require.Len(t, page.Items, 1)
	require.Equal(t, 1, page.Unread)
	one := page.Items[0]
	require.Equal(t, []any{"Rui", "+5511990000100", "open", 3, true, "🙂"}, []any{one.ContactName, one.Address, one.State, one.Unread, one.LastInbound, one.LastText})
	require.Nil(t, one.ReopenedAt)
	require.WithinDuration(t, time.Now().Add(24*time.Hour), *one.OpenUntil, time.Minute)
	require.Equal(t, []string{"Hello", "is anybody there?", "🙂"}, i.texts(one.ID), "in the order written, each once")
	_, windows, replies := i.site.stored(t)
	require.Equal(t, []int{1, 3}, []int{windows, replies})

	require.Equal(t, http.StatusNoContent, i.do(http.MethodPost, "/api/v1/conversations/"+one.ID+"/read", nil).status)
	require.Zero(t, i.list("").Unread)
	events := as[Timeline](t, i.do(http.MethodGet, "/api/v1/contacts/"+one.ContactID+"/timeline", nil), http.StatusOK).Items
	events = slices.DeleteFunc(events, func(e TimelineEvent) bool { return e.Kind != "wrote" }) // among them the contact was added
	require.Equal(t, []string{"🙂", "is anybody there?", "Hello"}, []string{events[0].Text, events[1].Text, events[2].Text})
	require.NotContains(t, i.site.log.String(), "anybody")
}

// The same phone in the forms that its country has used is one contact.
func TestFormsOfANumberAreOneContact(t *testing.T) {
	i := newInbox(t)
	known := as[Contact](t, i.do(http.MethodPost, "/api/v1/contacts", `{"name":"Bia","phone":"+5521987654321"}`), http.StatusCreated)
	i.hear("552187654321", wrote("wamid.1", "without the ninth digit"))
	i.hear("5521987654321", wrote("wamid.2", "with it"))
	page := i.list("")
	require.Len(t, page.Items, 1)
	require.Equal(t, known.ID, page.Items[0].ContactID)
	require.Equal(t, "Bia", page.Items[0].ContactName, "the company's name for a contact stays")
}

func TestReactionsEditsAndDeletionsShowOnTheirMessage(t *testing.T) {
	i := newInbox(t)
	i.hear("5511990000100",
		`"id":"wamid.e","type":"edit","edit":{"original_message_id":"wamid.2","message":{"type":"text","text":{"body":"at ten"}}}`, // before what it is about
		wrote("wamid.1", "Meet me"), wrote("wamid.2", "at nine"), wrote("wamid.3", "oops"))
	i.hear("5511990000100",
		`"id":"wamid.r1","type":"reaction","reaction":{"message_id":"wamid.1","emoji":"👍"}`, `"id":"wamid.r2","type":"reaction","reaction":{"message_id":"wamid.1","emoji":"❤️"}`,
		`"id":"wamid.d","type":"revoke","revoke":{"original_message_id":"wamid.3"}`)
	conversation := i.list("").Items[0]
	require.Equal(t, 3, conversation.Unread, "changes are no messages")
	items := as[Thread](t, i.do(http.MethodGet, "/api/v1/conversations/"+conversation.ID+"/messages", nil), http.StatusOK).Items
	require.Len(t, items, 3)
	require.True(t, items[0].Deleted)
	require.Empty(t, items[0].Text)
	require.Equal(t, []any{"at ten", true}, []any{items[1].Text, items[1].Edited})
	require.Equal(t, "❤️", items[2].Reaction)
}

func TestAnAnswerIsQueuedOnce(t *testing.T) {
	i := newInbox(t)
	i.hear("5511990000100", wrote("wamid.1", "Hello"))
	conversation, key := i.list("").Items[0].ID, id.New().String()
	var all sync.WaitGroup
	answers := make([]answer, 8)
	for n := range answers {
		all.Go(func() { answers[n] = i.answer(conversation, key, " Hi, how can we help? ") })
	}
	all.Wait()
	first := as[Queued](t, answers[0], http.StatusAccepted)
	for _, a := range answers {
		require.Equal(t, first, as[Queued](t, a, http.StatusAccepted))
	}
	require.Equal(t, []string{"Hello", "Hi, how can we help?"}, i.texts(conversation))
	require.Equal(t, []any{0, false}, []any{i.list("").Items[0].Unread, i.list("").Items[0].LastInbound})
	detail := as[MessageDetail](t, i.do(http.MethodGet, "/api/v1/messages/"+first.MessageID, nil), http.StatusOK)
	require.Equal(t, []any{1, "queued"}, []any{detail.Lane, detail.State})

	i.answer(conversation, id.New().String(), "  ").problem(t, http.StatusUnprocessableEntity)
	i.answer(id.New().String(), id.New().String(), "Hi").problem(t, http.StatusNotFound)
	_, err := pgtest.Owner(t, i.site.db).Exec(t.Context(), `UPDATE service_windows SET open_until = now() - interval '1 second'`)
	require.NoError(t, err)
	require.Contains(t, i.answer(conversation, id.New().String(), "Too late").problem(t, http.StatusConflict).Type, "window-shut")
	require.Equal(t, first, as[Queued](t, i.answer(conversation, key, "again"), http.StatusAccepted), "what was queued is still told")
}

func TestAClosedConversationOpensWhenTheContactWrites(t *testing.T) {
	i := newInbox(t)
	i.hear("5511990000100", wrote("wamid.1", "Hello"))
	conversation := i.list("").Items[0].ID
	set := func(state string) Conversation {
		return as[Conversation](t, i.do(http.MethodPut, "/api/v1/conversations/"+conversation+"/state", map[string]string{"state": state}), http.StatusOK)
	}
	require.Equal(t, []any{"closed", 0}, []any{set("closed").State, set("closed").Unread})
	require.Empty(t, i.list("").Items)
	require.Len(t, i.list("?state=closed").Items, 1)
	i.hear("5511990000100", wrote("wamid.1", "Hello"))
	require.Empty(t, i.list("").Items, "what comes again opens nothing")
	i.hear("5511990000100", wrote("wamid.2", "One more thing"))
	require.NotNil(t, i.list("").Items[0].ReopenedAt)
	set("closed")
	require.Equal(t, "open", set("open").State)
}

func TestWhoSaysStopIsInNoCampaign(t *testing.T) {
	i := newInbox(t)
	i.hear("5511990000100", wrote("wamid.1", "please stop by"))
	require.False(t, i.list("").Items[0].OptedOut)
	i.hear("5511990000100", wrote("wamid.2", " PARAR! "))
	require.True(t, i.list("").Items[0].OptedOut)
	i.hear("5511990000100", wrote("wamid.3", "stop"), wrote("wamid.4", "Start"))
	require.False(t, i.list("").Items[0].OptedOut, "of several wishes the last counts")
}

// Webhooks come in any order: what was written last is what the contact wants.
func TestOfShuffledWishesTheLastWrittenCounts(t *testing.T) {
	i := newInbox(t)
	i.hear("5511990000100", wrote("wamid.1", "Hello"))
	who := i.list("").Items[0].ContactID
	contact, err := id.Parse(who)
	require.NoError(t, err)
	said := func(text string, ago time.Duration) conversation.Stored {
		return conversation.Stored{ID: id.At(time.Now().Add(-ago), 0), Received: conversation.Received{Contact: contact,
			Inbound: channel.Inbound{Said: channel.Said{Kind: channel.SaidText, Text: text}}}}
	}
	require.NoError(t, i.site.db.InCompany(t.Context(), i.site.mine, func(tx postgres.Tx) error {
		return heedWishes(t.Context(), tx, i.site.mine, []conversation.Stored{said("stop", time.Second), said("start", time.Minute)})
	}))
	require.True(t, i.list("").Items[0].OptedOut)
}

// TestALateStopOverridesANewerStart has each wish in a webhook of its own, the older one coming last.
func TestALateStopOverridesANewerStart(t *testing.T) {
	i := newInbox(t)
	at := func(provider, text string, ago time.Duration) string {
		return fmt.Sprintf(`"messages":[{"from":"5511990000100","id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}]`, provider, time.Now().Add(-ago).Unix(), text)
	}
	say := func(content string) { i.site.deliver(t, i.connection, bodyOf(entry(i.connection.NumberID, content))) }
	wished := func(value string, ago time.Duration) {
		body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"2001","changes":[{"field":"user_preferences","value":{"metadata":{"phone_number_id":%q},"contacts":[{"profile":{"name":"Ana"},"wa_id":"5511990000100"}],
			"user_preferences":[{"wa_id":"5511990000100","detail":"x","category":"marketing_messages","value":%q,"timestamp":"%d"}]}}]}]}`, i.connection.NumberID, value, time.Now().Add(-ago).Unix())
		i.site.deliver(t, i.connection, body)
	}
	say(at("wamid.1", "Hello", 0))
	out := func() bool { return i.list("").Items[0].OptedOut }
	say(at("wamid.2", "start", 0))
	require.False(t, out())
	say(at("wamid.3", "stop", -time.Hour))
	require.True(t, out(), "a time after receipt is that of receipt")
	say(at("wamid.4", "start", 24*time.Hour))
	require.True(t, out(), "a start that was written before the stop")
	wished("resume", 24*time.Hour)
	require.True(t, out())
	wished("resume", 0)
	require.False(t, out())
	wished("stop", 0)
	require.True(t, out())
	var by string
	require.NoError(t, pgtest.Owner(t, i.site.db).QueryRow(t.Context(), `SELECT wished_by FROM omnidesk.contacts WHERE opted_out_at = wished_at`).Scan(&by))
	require.Equal(t, "provider", by)
	require.Empty(t, i.events("parked"))
}

func TestConversationsComeInPages(t *testing.T) {
	i := newInbox(t)
	for n := range 5 {
		i.hear(fmt.Sprintf("551199000010%d", n), wrote(fmt.Sprintf("wamid.%d", n), "Hello"))
	}
	whole := i.list("").Items
	require.Len(t, whole, 5)
	first := i.list("?limit=3")
	rest := i.list("?limit=3&cursor=" + first.NextCursor)
	require.Equal(t, whole, append(first.Items, rest.Items...))
	require.Empty(t, rest.NextCursor)
	i.hear("5511990000100", wrote("wamid.9", "Me again"))
	require.Equal(t, "+5511990000100", i.list("").Items[0].Address, "what is new comes first")

	i.site.addUser(t, &i.site.theirs, "bob@example.com", account.Admin, false)
	bob := i.site.signIn(t, "bob@example.com")
	require.Empty(t, as[ConversationList](t, bob.do(http.MethodGet, "/api/v1/conversations", nil), http.StatusOK).Items)
	for _, path := range []string{"", "/messages"} {
		bob.do(http.MethodGet, "/api/v1/conversations/"+whole[0].ID+path, nil).problem(t, http.StatusNotFound)
	}
}

// A user talks on the connections of their departments and on those of none.
func TestAConversationIsItsDepartments(t *testing.T) {
	i := newInbox(t)
	i.site.addUser(t, &i.site.mine, "ulla@example.com", account.Member, false)
	ulla := i.site.signIn(t, "ulla@example.com")
	i.hear("5511990000100", wrote("wamid.1", "Hello"))
	conversation := "/api/v1/conversations/" + i.list("").Items[0].ID
	seen := func() ConversationList {
		return as[ConversationList](t, ulla.do(http.MethodGet, "/api/v1/conversations", nil), http.StatusOK)
	}
	require.Len(t, seen().Items, 1)
	as[Queued](t, ulla.do(http.MethodPost, conversation+"/messages", map[string]string{"key": id.New().String(), "text": "Hi"}), http.StatusAccepted)

	sales := as[Created](t, i.do(http.MethodPost, "/api/v1/departments", map[string]string{"name": "Sales"}), http.StatusCreated).ID
	require.Equal(t, http.StatusOK, i.do(http.MethodPatch, "/api/v1/connections/"+i.connection.ID, map[string]string{"department_id": sales}).status)
	i.hear("5511990000100", wrote("wamid.2", "Still there?"))
	require.Equal(t, []int{0, 0}, []int{len(seen().Items), seen().Unread})
	for method, path := range map[string]string{http.MethodGet: "", http.MethodPost: "/read", http.MethodPut: "/state"} {
		ulla.do(method, conversation+path, map[string]string{"state": "closed"}).problem(t, http.StatusNotFound)
	}
	ulla.do(http.MethodGet, conversation+"/messages", nil).problem(t, http.StatusNotFound)
	ulla.do(http.MethodPost, conversation+"/messages", map[string]string{"key": id.New().String(), "text": "Hi"}).problem(t, http.StatusNotFound)
	require.Equal(t, 1, i.list("").Unread, "nothing was read")

	require.Equal(t, http.StatusNoContent, i.do(http.MethodPut, "/api/v1/departments/"+sales+"/members", map[string]any{"person_ids": []string{i.site.idOf(t, "ulla@example.com").String()}}).status)
	require.Len(t, seen().Items, 1)
}
