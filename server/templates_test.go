package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/channel"
	"omnidesk/internal/id"
)

func TestTemplatesComeWithTheCheckAndTheButton(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	x.adapter.check = channel.Check{OK: true, Detail: "It works.", Quality: "GREEN", Limit: 2000}
	body := json.RawMessage(`[{"type":"BODY","text":"Hi {{1}}"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Stop"}]}]`)
	x.adapter.templates = []channel.ProviderTemplate{
		{Name: "hello", Language: "en", Category: "MARKETING", Status: "APPROVED", Quality: "GREEN", Components: body},
		{Name: "hello", Language: "pt_BR", Category: "MARKETING", Status: "PAUSED", Components: body},
	}
	connection := c.connect("3001")
	require.Equal(t, 2000, connection.Limit)
	require.Equal(t, "GREEN", connection.Quality)
	list := as[TemplateList](t, c.do(http.MethodGet, "/api/v1/templates", nil), http.StatusOK)
	require.Len(t, list.Items, 2)
	require.Equal(t, "Hi {{1}}", list.Items[0].Body)
	require.Equal(t, 1, list.Items[0].Parameters)
	require.Equal(t, []TemplateButton{{"QUICK_REPLY", "Stop"}}, list.Items[0].Buttons)
	require.Empty(t, list.Items[0].Unfit)
	require.Contains(t, list.Items[1].Unfit, "paused")
	require.NotNil(t, list.Syncs[0].SyncedAt)

	first := as[TemplateList](t, c.do(http.MethodGet, "/api/v1/templates?limit=1&connection_id="+connection.ID, nil), http.StatusOK)
	second := as[TemplateList](t, c.do(http.MethodGet, "/api/v1/templates?limit=1&cursor="+first.NextCursor, nil), http.StatusOK)
	require.Equal(t, "en", first.Items[0].Language)
	require.Equal(t, "pt_BR", second.Items[0].Language)
	require.Empty(t, second.NextCursor)
	c.do(http.MethodGet, "/api/v1/templates?cursor=x", nil).problem(t, http.StatusUnprocessableEntity)

	const words = "The token has expired."
	x.adapter.refused = errors.New(words)
	failed := as[TemplateSync](t, c.do(http.MethodPost, "/api/v1/connections/"+connection.ID+"/templates/sync", nil), http.StatusOK)
	require.Equal(t, words, failed.Problem)
	list = as[TemplateList](t, c.do(http.MethodGet, "/api/v1/templates", nil), http.StatusOK)
	require.Len(t, list.Items, 2, "what was known stays")
	require.Equal(t, words, list.Syncs[0].Problem)
	require.NotNil(t, list.Syncs[0].SyncedAt)
	x.adapter.refused, x.adapter.templates = nil, nil
	as[TemplateSync](t, c.do(http.MethodPost, "/api/v1/connections/"+connection.ID+"/templates/sync", nil), http.StatusOK)
	require.Empty(t, as[TemplateList](t, c.do(http.MethodGet, "/api/v1/templates", nil), http.StatusOK).Items)

	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	bob := x.signIn(t, "bob@example.com")
	bob.do(http.MethodPost, "/api/v1/connections/"+connection.ID+"/templates/sync", nil).problem(t, http.StatusNotFound)
	require.Empty(t, as[TemplateList](t, bob.do(http.MethodGet, "/api/v1/templates", nil), http.StatusOK).Syncs)
}

func TestADraftIsCheckedAndPreviewedBeforeItIsSaved(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	connection := c.connect("3001")
	for i, name := range []string{"Ana Souza", "Bruno Lima", ""} {
		as[Contact](t, c.do(http.MethodPost, "/api/v1/contacts", map[string]any{"name": name, "phone": fmt.Sprintf("+55119900001%02d", i)}), http.StatusCreated)
	}
	draft := func(audience, parameter string) string {
		return fmt.Sprintf(`{"connection_id":%q,"audience":%s,"content":{"kind":"template","template":{"name":"hello","language":"pt_BR","parameters":[%q]}}}`, connection.ID, audience, parameter)
	}
	everyone := draft(`{"all":true}`, "{{first_name}}")
	check := as[Check](t, c.do(http.MethodPost, "/api/v1/campaigns/check", everyone), http.StatusOK)
	require.Equal(t, 3, check.Recipients)
	require.Equal(t, 3, check.Outside)
	require.Empty(t, check.Problems)
	require.Equal(t, 1, check.Warnings[0].Count)
	require.Equal(t, "Oi Ana, tudo bem?", check.Samples[0].Text)

	var texts []string
	for cursor := ""; ; {
		page := as[SampleList](t, c.do(http.MethodPost, "/api/v1/campaigns/samples?limit=2&cursor="+cursor, everyone), http.StatusOK)
		for _, one := range page.Items {
			texts = append(texts, one.Text)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	require.Equal(t, []string{"Oi Ana, tudo bem?", "Oi Bruno, tudo bem?", "Oi , tudo bem?"}, texts)
	filtered := as[Check](t, c.do(http.MethodPost, "/api/v1/campaigns/check", draft(`{"filter":"name starts ana"}`, "x")), http.StatusOK)
	require.Equal(t, 1, filtered.Recipients)

	for audience, field := range map[string]string{
		`{}`:                                "body.audience",
		`{"all":true,"filter":"has phone"}`: "body.audience",
		`{"segment_id":"x"}`:                "body.audience.segment_id",
		`{"tag_ids":["` + id.New().String() + `"]}`: "body.audience.tag_ids",
	} {
		path, body := "/api/v1/campaigns/check", draft(audience, "x")
		if field == "body.audience.tag_ids" { // only what is saved must exist
			path, body = "/api/v1/campaigns", strings.Replace(body, "{", `{"name":"June",`, 1)
		}
		require.Equal(t, []string{field}, c.do(http.MethodPost, path, body).problem(t, http.StatusUnprocessableEntity).fields(), audience)
	}
	require.Equal(t, []string{"body.audience.filter"},
		c.do(http.MethodPost, "/api/v1/campaigns", strings.Replace(draft(`{"filter":"city ="}`, "x"), "{", `{"name":"June",`, 1)).problem(t, http.StatusUnprocessableEntity).fields())
	require.Equal(t, []string{"body.audience.import_id"},
		c.do(http.MethodPost, "/api/v1/campaigns", strings.Replace(draft(`{"import_id":"`+id.New().String()+`"}`, "x"), "{", `{"name":"June",`, 1)).problem(t, http.StatusUnprocessableEntity).fields())
}

func TestADraftIsKeptBeforeItsTemplateIsChosen(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	connection := c.connect("3001")
	made := as[Campaign](t, c.do(http.MethodPost, "/api/v1/campaigns",
		fmt.Sprintf(`{"name":"June","connection_id":%q,"content":{"kind":"template"},"audience":{"all":true}}`, connection.ID)), http.StatusCreated)
	require.Nil(t, as[Campaign](t, c.do(http.MethodGet, "/api/v1/campaigns/"+made.ID, nil), http.StatusOK).Content.Template)
	require.Contains(t, c.do(http.MethodPost, "/api/v1/campaigns/"+made.ID+"/start", nil).problem(t, http.StatusUnprocessableEntity).fields(), "body.content.template")
}

func TestATestMessageGoesThroughTheLedgerBeforeCampaigns(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	connection := c.connect("3001")
	ana := as[Contact](t, c.do(http.MethodPost, "/api/v1/contacts", `{"name":"Ana Souza","phone":"+5511990000100"}`), http.StatusCreated)
	trial := func(phone, contact, template string) answer {
		return c.do(http.MethodPost, "/api/v1/messages/test", fmt.Sprintf(
			`{"connection_id":%q,"phone":%q,"contact_id":%q,"content":{"kind":"template","template":{"name":%q,"language":"pt_BR","parameters":["{{first_name}}"]}}}`,
			connection.ID, phone, contact, template))
	}
	hints := x.relay.hints.Load()
	sent := as[Queued](t, trial("+55 11 99000-0199", ana.ID, "hello"), http.StatusAccepted)
	require.Greater(t, x.relay.hints.Load(), hints)
	message := as[MessageDetail](t, c.do(http.MethodGet, "/api/v1/messages/"+sent.MessageID, nil), http.StatusOK)
	require.Equal(t, "queued", message.State)
	require.Equal(t, 2, message.Lane)
	require.Equal(t, "+5511990000199", *message.Phone)
	require.Equal(t, "Test", message.ContactName)
	as[Queued](t, trial("5511990000199", "", "hello"), http.StatusAccepted)
	count := func() int64 {
		return as[Count](t, c.do(http.MethodGet, "/api/v1/contacts/count", nil), http.StatusOK).Count
	}
	require.EqualValues(t, 2, count(), "the second test adds nobody")

	refused := func(a answer, field string) {
		require.Equal(t, []string{field}, a.problem(t, http.StatusUnprocessableEntity).fields())
		require.EqualValues(t, 2, count(), "what is refused adds nobody")
	}
	refused(trial("12", ana.ID, "hello"), "body.phone")
	refused(trial("+5511990000188", id.New().String(), "hello"), "body.contact_id")
	refused(trial("+5511990000188", ana.ID, "unknown"), "body.content.template")
	as[Connection](t, c.do(http.MethodPost, "/api/v1/connections/"+connection.ID+"/disable", nil), http.StatusOK)
	refused(trial("+5511990000188", ana.ID, "hello"), "body.connection_id")
	connection.ID = id.New().String()
	refused(trial("+5511990000188", ana.ID, "hello"), "body.connection_id")
}
