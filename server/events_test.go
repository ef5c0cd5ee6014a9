package server

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/webhook"
)

// entry is one entry of a webhook about a number.
func entry(number, content string) string {
	return fmt.Sprintf(`{"id":"2001","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":%q},%s}}]}`, number, content)
}

func bodyOf(entries ...string) string {
	return `{"object":"whatsapp_business_account","entry":[` + strings.Join(entries, ",") + `]}`
}

func message(provider, text string) string {
	return fmt.Sprintf(`"messages":[{"from":"5511990000100","id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}]`, provider, time.Now().Unix(), text)
}

func (x *site) deliver(t *testing.T, connection Connection, body string) {
	t.Helper()
	a := x.anonymous(t).do(http.MethodPost, x.path(connection), body, sign(appSecret, body))
	require.Equal(t, http.StatusOK, a.status, a.body)
}

func (c *caller) events(state string) []RawEvent {
	return as[RawEventList](c.t, c.do(http.MethodGet, "/api/v1/events?state="+state, nil), http.StatusOK).Items
}

func (x *site) texts(t *testing.T) int {
	t.Helper()
	var n int
	require.NoError(t, pgtest.Owner(t, x.db).QueryRow(t.Context(), `SELECT count(*) FROM omnidesk.messages WHERE direction = 1`).Scan(&n))
	return n
}

func TestWhatAWebhookSaysIsKeptSealed(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	x.deliver(t, c.connect("3001"), bodyOf(entry("3001", message("wamid.1", "Canary text")), entry("3001", `"statuses":[{"id":"wamid.9","status":"read","timestamp":"1"}]`)))
	require.Equal(t, 1, x.texts(t))
	taken := c.events("taken")
	require.Equal(t, []string{"statuses", "messages"}, []string{taken[0].Kind, taken[1].Kind})
	require.WithinDuration(t, time.Now().Add(8*24*time.Hour), taken[0].KeptUntil, time.Minute)
	require.Empty(t, c.events("parked"))

	var rows, readable int
	require.NoError(t, pgtest.Owner(t, x.db).QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE position('Canary'::bytea IN sealed) > 0) FROM omnidesk.raw_events`).Scan(&rows, &readable))
	require.Equal(t, 2, rows)
	require.Zero(t, readable)
	require.Equal(t, 1, as[ReplayResult](t, c.do(http.MethodPost, "/api/v1/events/replay", map[string]any{"ids": []string{taken[1].ID}}), http.StatusOK).Replayed)
	require.Equal(t, 1, x.texts(t), "read again, it changes nothing")
	require.Len(t, c.events("taken"), 2)
}

func TestABadEntryIsParkedAndTheRestGoesOn(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	connection := c.connect("3001")
	x.deliver(t, connection, bodyOf(entry("3001", message("wamid.1", "one")), `{"changes":7}`, entry("3001", `"messages":[{"id":"wamid.2"},`+message("wamid.3", "three")[12:]), entry("", message("wamid.4", "four"))))
	x.deliver(t, connection, "no JSON")
	require.Equal(t, 2, x.texts(t))
	parked := c.events("parked")
	var reasons []string
	for _, one := range parked {
		reasons = append(reasons, one.Reason)
		require.Equal(t, connection.ID, one.ConnectionID)
	}
	require.Equal(t, []string{"it is not JSON", "it names no number", "message 1: it has no sender", "a value has the wrong type"}, reasons)
	require.Equal(t, 4, as[RawEventCount](t, c.do(http.MethodGet, "/api/v1/events/count", nil), http.StatusOK).Count)

	left := as[ReplayResult](t, c.do(http.MethodPost, "/api/v1/events/replay", map[string]any{"ids": []string{parked[2].ID, id.New().String()}}), http.StatusOK)
	require.Zero(t, left.Replayed)
	require.Equal(t, []string{"message 1: it has no sender", "it is not kept any more: events are kept for eight days"}, []string{left.Left[0].Reason, left.Left[1].Reason})
	require.Equal(t, 1, as[DiscardResult](t, c.do(http.MethodPost, "/api/v1/events/discard", map[string]any{"ids": []string{parked[2].ID}}), http.StatusOK).Discarded)
	require.Len(t, c.events("parked"), 3)
	require.Len(t, c.events("discarded"), 1)
	c.do(http.MethodPost, "/api/v1/events/replay", map[string]any{"ids": []string{"x"}}).problem(t, http.StatusUnprocessableEntity)
}

// TestAnEventThatCannotBeWrittenIsFoundAmongMany lets the database refuse two of 260 entries of one POST.
func TestAnEventThatCannotBeWrittenIsFoundAmongMany(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	connection := c.connect("3001")
	owner := pgtest.Owner(t, x.db)
	_, err := owner.Exec(t.Context(), `ALTER TABLE omnidesk.messages ADD CONSTRAINT no_bad CHECK (content NOT LIKE '%refuse me%') NOT VALID`)
	require.NoError(t, err)
	var entries []string
	for i := range 260 {
		text := "fine"
		if i == 7 || i == 255 {
			text = "refuse me"
		}
		entries = append(entries, entry("3001", message(fmt.Sprintf("wamid.%d", i), text)))
	}
	x.deliver(t, connection, bodyOf(entries...))
	require.Equal(t, 258, x.texts(t))
	parked := c.events("parked")
	require.Len(t, parked, 2)
	require.Equal(t, "the database refuses it (23514 no_bad)", parked[0].Reason)
	replay := func() ReplayResult {
		return as[ReplayResult](t, c.do(http.MethodPost, "/api/v1/events/replay", map[string]any{"ids": []string{parked[0].ID, parked[1].ID}}), http.StatusOK)
	}
	require.Len(t, replay().Left, 2)
	_, err = owner.Exec(t.Context(), `ALTER TABLE omnidesk.messages DROP CONSTRAINT no_bad`)
	require.NoError(t, err)
	require.Equal(t, 2, replay().Replayed)
	require.Equal(t, 260, x.texts(t))
	require.Empty(t, c.events("parked"))
	require.Len(t, c.events("replayed"), 2)
	require.NotContains(t, x.log.String(), "refuse me")
}

// TestAStrayReachesNobodyElse: a signature of one company's secret on an entry about another's number.
func TestAStrayReachesNobodyElse(t *testing.T) {
	x := newSite(t)
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	ana, bob := x.signIn(t, "ana@example.com"), x.signIn(t, "bob@example.com")
	theirs := connectionBody("3003")
	theirs["app_secret"] = "bob-has-an-app-secret-of-his-own"
	as[Connection](t, bob.do(http.MethodPost, "/api/v1/connections", theirs), http.StatusCreated)
	first := ana.connect("3001")
	x.deliver(t, first, bodyOf(entry("3003", message("wamid.1", "for bob")), entry("3004", message("wamid.2", "for nobody yet"))))
	require.Zero(t, x.texts(t))
	require.Empty(t, bob.events("parked"))
	parked := ana.events("parked")
	require.Len(t, parked, 2)
	require.True(t, parked[0].Stray && parked[1].Stray)
	replay := func() ReplayResult {
		return as[ReplayResult](t, ana.do(http.MethodPost, "/api/v1/events/replay", map[string]any{"ids": []string{parked[0].ID, parked[1].ID}}), http.StatusOK)
	}
	require.Len(t, replay().Left, 2)

	another := connectionBody("3004") // the right number with another app's secret
	another["app_secret"] = "an-app-secret-of-another-app-000"
	made := as[Connection](t, ana.do(http.MethodPost, "/api/v1/connections", another), http.StatusCreated)
	require.Len(t, replay().Left, 2)
	require.Zero(t, x.texts(t))
	as[Connection](t, ana.do(http.MethodPatch, "/api/v1/connections/"+made.ID, map[string]any{"app_secret": appSecret}), http.StatusOK)
	require.Equal(t, 1, replay().Replayed)
	require.Equal(t, 1, x.texts(t))
	var company id.ID
	require.NoError(t, pgtest.Owner(t, x.db).QueryRow(t.Context(), `SELECT company_id FROM omnidesk.messages`).Scan(&company))
	require.Equal(t, x.mine, company)
}

// TestThreeMegabytesInOnePost is the largest that Meta sends.
func TestThreeMegabytesInOnePost(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	var entries []string
	for i := range 1000 {
		entries = append(entries, entry("3001", message(fmt.Sprintf("wamid.%d", i), strings.Repeat("é", 1400))))
	}
	body := bodyOf(entries...)
	require.Greater(t, len(body), 2_900_000)
	x.deliver(t, c.connect("3001"), body)
	require.Equal(t, 1000, x.texts(t))
	require.Empty(t, c.events("parked"))
}

// TestWhatFailsInOurselvesIsParked has a reader that lets through what can't be written down, and one whose work panics.
func TestWhatFailsInOurselvesIsParked(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	line, parse := c.connect("3001"), x.Meta.Parse
	x.Meta.Parse = func(body []byte) []channel.Event {
		events := parse(body)
		events[1].Inbound[0].Said.Location = &channel.Location{Latitude: math.NaN()}
		return events
	}
	x.deliver(t, line, bodyOf(entry("3001", message("wamid.1", "one")), entry("3001", message("wamid.2", "two")), entry("3001", message("wamid.3", "three"))))
	require.Equal(t, 2, x.texts(t))
	require.Equal(t, "OmniDesk failed to take it in; its log names the error beside the event's id", c.events("parked")[0].Reason)

	err := x.heed(t.Context(), nil, connection.Route{Company: x.mine}, []webhook.Event{{Event: channel.Event{Statuses: []channel.Status{{ProviderID: "wamid"}}}}})
	require.EqualError(t, err, "reading events panicked")
}

// TestWhatPeopleWriteIsKeptAsItIs: what fits no simple idea of a text, and ids that two connections share.
func TestWhatPeopleWriteIsKeptAsItIs(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	first, second := c.connect("3001"), c.connect("3002")
	texts := []string{"👩‍👩‍👧‍👦 𝒽𝒾 \U0001F1E7\U0001F1F7", "مرحبا \u202Eabc\u202C", "<script>alert('x')</script>", "{{name}} ${x} %s ' OR 1=1 --", "\u0000\ufffe\u200b", strings.Repeat("ﷺ", 9000)}
	for i, text := range texts {
		content, err := json.Marshal(text)
		require.NoError(t, err)
		said := fmt.Sprintf(`"contacts":[{"wa_id":"5511990000100","profile":{"name":%[1]s},"new_field":1}],
			"messages":[{"from":"5511990000100","id":"wamid.%[2]d","timestamp":"%[3]d","type":"text","text":{"body":%[1]s,"new":[]},"also_new":{}}]`, content, i, time.Now().Unix())
		x.deliver(t, first, bodyOf(entry("3001", said), entry("3002", said)))
	}
	require.Empty(t, c.events("parked"))
	conversations := as[ConversationList](t, c.do(http.MethodGet, "/api/v1/conversations", nil), http.StatusOK).Items
	require.Len(t, conversations, 2, "one contact on two connections, with the same ids of messages")
	require.ElementsMatch(t, []string{first.ID, second.ID}, []string{conversations[0].ConnectionID, conversations[1].ConnectionID})
	for _, one := range conversations {
		var got []string
		for _, message := range as[Thread](t, c.do(http.MethodGet, "/api/v1/conversations/"+one.ID+"/messages", nil), http.StatusOK).Items {
			got = append(got, message.Text)
		}
		slices.Reverse(got)
		require.ElementsMatch(t, append(slices.Clone(texts[:4]), "\ufffe\u200b", strings.Repeat("ﷺ", 9000)), got)
	}
}
