package server

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/template"
)

// talk is an inbox with one conversation.
func newTalk(t *testing.T) (*inbox, string) {
	t.Helper()
	i := newInbox(t)
	i.hear("5511990000100", wrote("wamid.1", "Hello"))
	return i, "/api/v1/conversations/" + i.list("").Items[0].ID
}

func (i *inbox) put(path string, body any) Conversation {
	i.t.Helper()
	return as[Conversation](i.t, i.do(http.MethodPut, path, body), http.StatusOK)
}

func TestAConversationIsGivenToWhoMaySeeIt(t *testing.T) {
	i, talk := newTalk(t)
	i.site.addUser(t, &i.site.mine, "ulla@example.com", account.Member, false)
	i.site.addUser(t, &i.site.theirs, "bob@example.com", account.Member, false)
	ulla, bob := i.site.idOf(t, "ulla@example.com").String(), i.site.idOf(t, "bob@example.com").String()
	given := i.put(talk+"/assignee", map[string]any{"person_id": ulla})
	require.Equal(t, []any{ulla, 2}, []any{given.AssigneeID, given.Version})
	require.Len(t, as[ConversationList](t, i.site.signIn(t, "ulla@example.com").do(http.MethodGet, "/api/v1/conversations?assignee=me", nil), http.StatusOK).Items, 1)
	require.Empty(t, i.list("?assignee=none").Items)
	require.Empty(t, i.list("?assignee=me").Items)
	require.Equal(t, []int{1, 0, 0}, []int{i.list("").Unread, i.list("").Mine, i.list("").Unassigned})

	refused := i.do(http.MethodPut, talk+"/assignee", map[string]any{"person_id": bob}).problem(t, http.StatusUnprocessableEntity)
	require.Equal(t, "body.person_id", refused.Errors[0].Location)
	sales := as[Created](t, i.do(http.MethodPost, "/api/v1/departments", map[string]string{"name": "Sales"}), http.StatusCreated).ID
	moved := i.put(talk+"/department", map[string]any{"department_id": sales})
	require.Equal(t, []any{sales, "Sales", ""}, []any{moved.DepartmentID, moved.DepartmentName, moved.AssigneeID}, "who does not see it any more is no longer its assignee")
	i.do(http.MethodPut, talk+"/assignee", map[string]any{"person_id": ulla}).problem(t, http.StatusUnprocessableEntity)
	require.Len(t, i.list("?department_id="+sales).Items, 1)
	i.site.signIn(t, "ulla@example.com").do(http.MethodGet, talk, nil).problem(t, http.StatusNotFound)
	require.Empty(t, i.put(talk+"/department", map[string]any{"department_id": nil}).DepartmentID)
	require.Empty(t, i.put(talk+"/assignee", map[string]any{"person_id": nil}).AssigneeID)
}

// Whoever hands a conversation to a department that they are not in sees it no more.
func TestAUserHandsAConversationOver(t *testing.T) {
	i, talk := newTalk(t)
	i.site.addUser(t, &i.site.mine, "ulla@example.com", account.Member, false)
	ulla := i.site.signIn(t, "ulla@example.com")
	sales := as[Created](t, i.do(http.MethodPost, "/api/v1/departments", map[string]string{"name": "Sales"}), http.StatusCreated).ID
	as[Conversation](t, ulla.do(http.MethodPut, talk+"/department", map[string]any{"department_id": sales}), http.StatusOK)
	ulla.do(http.MethodGet, talk, nil).problem(t, http.StatusNotFound)
	require.Len(t, i.list("").Items, 1)
}

func TestOfTwoAgentsTheSecondIsTold(t *testing.T) {
	i, talk := newTalk(t)
	require.Equal(t, "high", i.put(talk+"/priority", map[string]any{"priority": "high", "version": 1}).Priority)
	require.Contains(t, i.do(http.MethodPut, talk+"/priority", map[string]any{"priority": "low", "version": 1}).problem(t, http.StatusConflict).Type, "stale")
	require.Equal(t, "high", i.list("").Items[0].Priority)
	i.hear("5511990000100", wrote("wamid.2", "Are you there?"))
	require.Equal(t, "low", i.put(talk+"/priority", map[string]any{"priority": "low", "version": 2}).Priority, "what the contact writes is no conflict")
}

func TestLabelsAreTheCompanys(t *testing.T) {
	i, talk := newTalk(t)
	make := func(name, colour string) Label {
		return as[Label](t, i.do(http.MethodPost, "/api/v1/labels", map[string]string{"name": name, "colour": colour}), http.StatusCreated)
	}
	refund, vip := make("Refund", "red"), make("VIP", "violet")
	require.Equal(t, "body.name", i.do(http.MethodPost, "/api/v1/labels", map[string]string{"name": "refund", "colour": "red"}).problem(t, http.StatusUnprocessableEntity).Errors[0].Location)
	require.ElementsMatch(t, []string{refund.ID, vip.ID}, i.put(talk+"/labels", map[string]any{"label_ids": []string{refund.ID, vip.ID, vip.ID}}).LabelIDs)
	require.Len(t, i.list("?label_id="+refund.ID).Items, 1)
	i.do(http.MethodPut, talk+"/labels", map[string]any{"label_ids": []string{vip.ID, id.New().String()}}).problem(t, http.StatusUnprocessableEntity)
	require.Len(t, i.list("").Items[0].LabelIDs, 2, "all or nothing")
	require.Equal(t, http.StatusOK, i.do(http.MethodPut, "/api/v1/labels/"+vip.ID, map[string]string{"name": "Very important", "colour": "pink"}).status)
	require.Equal(t, http.StatusNoContent, i.do(http.MethodDelete, "/api/v1/labels/"+refund.ID, nil).status)
	require.Equal(t, []string{vip.ID}, i.list("").Items[0].LabelIDs)
	require.Equal(t, []Label{{vip.ID, "Very important", "pink"}}, as[Choices](t, i.do(http.MethodGet, "/api/v1/inbox/choices", nil), http.StatusOK).Labels)
	require.Empty(t, i.put(talk+"/labels", map[string]any{"label_ids": []string{}}).LabelIDs)
}

func TestASnoozedConversationComesBackWhenTheContactWrites(t *testing.T) {
	i, talk := newTalk(t)
	tomorrow := time.Now().Add(24 * time.Hour)
	for name, until := range map[string]any{"past": time.Now().Add(-time.Second), "far": time.Now().AddDate(2, 0, 0)} {
		require.Equal(t, "body.until", i.do(http.MethodPut, talk+"/snooze", map[string]any{"until": until}).problem(t, http.StatusUnprocessableEntity).Errors[0].Location, name)
	}
	require.WithinDuration(t, tomorrow, *i.put(talk+"/snooze", map[string]any{"until": tomorrow}).SnoozedUntil, time.Millisecond)
	require.Empty(t, i.list("").Items)
	require.Len(t, i.list("?state=snoozed").Items, 1)
	require.Equal(t, 1, i.wakes(t), "its workflow keeps the instant")
	i.hear("5511990000100", wrote("wamid.1", "Hello"))
	require.Len(t, i.list("?state=snoozed").Items, 1, "what comes again wakes nobody")
	i.hear("5511990000100", wrote("wamid.2", "One more thing"))
	back := i.list("").Items[0]
	require.Nil(t, back.SnoozedUntil)
	require.NotNil(t, back.ReopenedAt)
	require.Equal(t, 2, i.wakes(t), "its workflow need not wait any longer")

	require.Equal(t, "snoozed", i.put(talk+"/snooze", map[string]any{}).State)
	i.hear("5511990000100", wrote("wamid.3", "And another"))
	require.Equal(t, "open", i.list("").Items[0].State)
	require.Equal(t, 2, i.wakes(t), "until the contact writes, nothing has to be kept")
}

// wakes counts those of conversations' workflows.
func (i *inbox) wakes(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, pgtest.Owner(t, i.site.db).QueryRow(t.Context(), `SELECT count(*) FROM wakes WHERE workflow = 'conversation'`).Scan(&n))
	return n
}

func TestANoteIsForColleaguesOnly(t *testing.T) {
	i, talk := newTalk(t)
	as[Created](t, i.do(http.MethodPost, talk+"/notes", map[string]string{"text": " Call him on Monday "}), http.StatusCreated)
	i.do(http.MethodPost, talk+"/notes", map[string]string{"text": " \n "}).problem(t, http.StatusUnprocessableEntity)
	items := as[Thread](t, i.do(http.MethodGet, talk+"/messages", nil), http.StatusOK).Items
	require.Len(t, items, 2)
	require.Equal(t, []any{"note", "Call him on Monday", "A Person", false}, []any{items[0].State, items[0].Text, items[0].Author, items[0].Inbound})
	one := as[Thread](t, i.do(http.MethodGet, talk+"/messages?limit=1", nil), http.StatusOK)
	require.Equal(t, "Hello", as[Thread](t, i.do(http.MethodGet, talk+"/messages?limit=1&cursor="+one.NextCursor, nil), http.StatusOK).Items[0].Text)
	var sent int
	require.NoError(t, pgtest.Owner(t, i.site.db).QueryRow(t.Context(), `SELECT count(*) FROM messages WHERE direction = 0`).Scan(&sent))
	require.Zero(t, sent)
	require.Equal(t, 1, i.list("").Unread, "a note reads nothing and moves nothing")
	require.NotContains(t, i.site.log.String(), "Monday")
}

func TestAConversationBegunByTheCompany(t *testing.T) {
	i, _ := newTalk(t)
	company, on := i.site.mine, i.connection.ID
	connection, err := id.Parse(on)
	require.NoError(t, err)
	require.NoError(t, i.site.db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		return template.Replace(t.Context(), tx, company, connection, []channel.ProviderTemplate{{Name: "hello", Language: "en", Category: "UTILITY", Status: "APPROVED",
			Components: []byte(`[{"type":"BODY","text":"Hello {{1}}, may we write to you?"}]`)}}, time.Now())
	}))
	with := func(more map[string]any) map[string]any {
		body := map[string]any{"key": id.New().String(), "connection_id": on, "content": map[string]any{"kind": "template",
			"template": map[string]any{"name": "hello", "language": "en", "parameters": []string{"{{name}}"}}}}
		for k, v := range more {
			body[k] = v
		}
		return body
	}
	start := func(body any) answer { return i.do(http.MethodPost, "/api/v1/conversations", body) }
	typed := with(map[string]any{"phone": "+55 11 99000-0200", "name": "Bia"})
	var all sync.WaitGroup
	answers := make([]answer, 4)
	for n := range answers {
		all.Go(func() { answers[n] = start(typed) })
	}
	all.Wait()
	first := as[Started](t, answers[0], http.StatusAccepted)
	for _, a := range answers {
		require.Equal(t, first, as[Started](t, a, http.StatusAccepted), "once, however often it is asked for")
	}
	newest := i.list("").Items[0]
	require.Equal(t, []any{first.ConversationID, "Bia", "hello: Bia"}, []any{newest.ID, newest.ContactName, newest.LastText})

	shut := start(with(map[string]any{"contact_id": newest.ContactID, "content": map[string]any{"kind": "text", "text": "Hi"}})).problem(t, http.StatusConflict)
	require.Contains(t, shut.Type, "window-shut")
	require.Contains(t, shut.Detail, "template")
	open := i.list("").Items[1]
	require.Equal(t, open.ID, as[Started](t, start(with(map[string]any{"contact_id": open.ContactID, "content": map[string]any{"kind": "text", "text": "Hi {{name}}"}})), http.StatusAccepted).ConversationID, "one conversation for ever")
	require.Equal(t, "Hi Rui", i.list("").Items[0].LastText)
	for name, body := range map[string]map[string]any{"nobody": with(nil), "both": with(map[string]any{"contact_id": open.ContactID, "phone": "+5511990000200"}),
		"no number": with(map[string]any{"phone": "12"}), "no connection": with(map[string]any{"contact_id": open.ContactID, "connection_id": id.New().String()}),
		"no contact": with(map[string]any{"contact_id": id.New().String()})} {
		require.NotEmpty(t, start(body).problem(t, http.StatusUnprocessableEntity).Errors, name)
	}
}
