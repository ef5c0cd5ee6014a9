package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/channel"
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

	x.adapter.refused = errors.New("The token has expired.")
	failed := as[TemplateSync](t, c.do(http.MethodPost, "/api/v1/connections/"+connection.ID+"/templates/sync", nil), http.StatusOK)
	require.Equal(t, "The token has expired.", failed.Problem)
	list = as[TemplateList](t, c.do(http.MethodGet, "/api/v1/templates", nil), http.StatusOK)
	require.Len(t, list.Items, 2, "what was known stays")
	require.Equal(t, "The token has expired.", list.Syncs[0].Problem)
	require.NotNil(t, list.Syncs[0].SyncedAt)
	x.adapter.refused, x.adapter.templates = nil, nil
	as[TemplateSync](t, c.do(http.MethodPost, "/api/v1/connections/"+connection.ID+"/templates/sync", nil), http.StatusOK)
	require.Empty(t, as[TemplateList](t, c.do(http.MethodGet, "/api/v1/templates", nil), http.StatusOK).Items)

	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	bob := x.signIn(t, "bob@example.com")
	bob.do(http.MethodPost, "/api/v1/connections/"+connection.ID+"/templates/sync", nil).problem(t, http.StatusNotFound)
	require.Empty(t, as[TemplateList](t, bob.do(http.MethodGet, "/api/v1/templates", nil), http.StatusOK).Syncs)
}
