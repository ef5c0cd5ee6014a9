package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/channel"
	"omnidesk/internal/id"
)

const (
	appSecret = "an-app-secret-of-32-characters!!"
	token     = "EAAG-the-token"
)

func connectionBody(number string) map[string]string {
	return map[string]string{"name": "Sales", "app_id": "1001", "app_secret": appSecret, "account_id": "2001", "number_id": number, "token": token}
}

func (c *caller) connect(number string) Connection {
	c.t.Helper()
	return as[Connection](c.t, c.do(http.MethodPost, "/api/v1/connections", connectionBody(number)), http.StatusCreated)
}

func TestAConnectionIsCheckedAndKeepsItsSecrets(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	made := c.connect("3001")
	require.Equal(t, "connected", made.State)
	require.Equal(t, "+15550001000", made.Number)
	require.Contains(t, made.WebhookURL, x.PublicURL+"/api/webhooks/meta/")
	require.Len(t, made.VerifyToken, 22)

	again := c.do(http.MethodPost, "/api/v1/connections", connectionBody("3001"))
	require.Equal(t, []string{"body.number_id"}, again.problem(t, http.StatusUnprocessableEntity).fields())

	x.adapter.check = channel.Check{Detail: "The token has expired: make a new one at Meta."}
	failing := as[Connection](t, c.do(http.MethodPatch, "/api/v1/connections/"+made.ID, `{"token":"EAAG-other"}`), http.StatusOK)
	require.Equal(t, "failing", failing.State)
	require.Equal(t, x.adapter.check.Detail, failing.StateDetail)
	renamed := as[Connection](t, c.do(http.MethodPatch, "/api/v1/connections/"+made.ID, `{"name":"Support"}`), http.StatusOK)
	require.Equal(t, "Support", renamed.Name)
	require.Equal(t, "failing", renamed.State, "a new name is no reason to check")
	x.adapter.check = channel.Check{OK: true, Detail: "It works."}
	require.Equal(t, "connected", as[Connection](t, c.do(http.MethodPost, "/api/v1/connections/"+made.ID+"/check", nil), http.StatusOK).State)

	for _, path := range []string{"/api/v1/connections", "/api/v1/connections/" + made.ID} {
		a := c.do(http.MethodGet, path, nil)
		require.Equal(t, http.StatusOK, a.status)
		require.NotContains(t, a.body, appSecret)
		require.NotContains(t, a.body, "EAAG")
	}
	require.NotContains(t, x.log.String(), appSecret)
}

func TestForeignIdsAreAsUnknownAsMadeUpOnes(t *testing.T) {
	x := newSite(t)
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	ana, bob := x.signIn(t, "ana@example.com"), x.signIn(t, "bob@example.com")
	connection := ana.connect("3001")
	contact := as[Contact](t, ana.do(http.MethodPost, "/api/v1/contacts", `{"name":"Zoe Canary","phone":"+5511990000100"}`), http.StatusCreated)
	campaign := as[Campaign](t, ana.do(http.MethodPost, "/api/v1/campaigns", campaignBodyWith(connection.ID)), http.StatusCreated)
	for _, r := range []struct{ method, path, id, body string }{
		{http.MethodGet, "/connections/%s", connection.ID, ""},
		{http.MethodPatch, "/connections/%s", connection.ID, `{"name":"Mine"}`},
		{http.MethodPost, "/connections/%s/check", connection.ID, ""},
		{http.MethodGet, "/connections/%s/live", connection.ID, ""},
		{http.MethodGet, "/connections/%s/usage", connection.ID, ""},
		{http.MethodPost, "/connections/%s/webhook", connection.ID, ""},
		{http.MethodPost, "/connections/%s/disable", connection.ID, ""},
		{http.MethodPost, "/connections/%s/enable", connection.ID, ""},
		{http.MethodDelete, "/connections/%s", connection.ID, ""},
		{http.MethodGet, "/contacts/%s", contact.ID, ""},
		{http.MethodPatch, "/contacts/%s", contact.ID, `{"opted_out":true}`},
		{http.MethodGet, "/campaigns/%s", campaign.ID, ""},
		{http.MethodPatch, "/campaigns/%s", campaign.ID, `{"version":1,"name":"Mine"}`},
		{http.MethodDelete, "/campaigns/%s", campaign.ID, ""},
		{http.MethodPost, "/campaigns/%s/check", campaign.ID, ""},
		{http.MethodPost, "/campaigns/%s/start", campaign.ID, ""},
		{http.MethodPost, "/campaigns/%s/pause", campaign.ID, ""},
		{http.MethodPost, "/campaigns/%s/resume", campaign.ID, ""},
		{http.MethodPost, "/campaigns/%s/cancel", campaign.ID, ""},
		{http.MethodGet, "/campaigns/%s/live", campaign.ID, ""},
		{http.MethodGet, "/campaigns/%s/messages", campaign.ID, ""},
	} {
		var want problem
		for i, wanted := range []string{id.New().String(), r.id, "not-an-id", strings.ToUpper(r.id) + "0"} {
			var body any
			if r.body != "" {
				body = r.body
			}
			a := bob.do(r.method, "/api/v1"+fmt.Sprintf(r.path, wanted), body)
			got := a.problem(t, http.StatusNotFound)
			got.Instance = ""
			if i == 0 {
				want = got
			}
			require.Equal(t, want, got, "%s %s", r.method, r.path)
			require.NotContains(t, a.body, "Canary")
		}
	}
	a := bob.do(http.MethodPost, "/api/v1/campaigns", campaignBodyWith(connection.ID))
	require.Equal(t, []string{"body.connection_id"}, a.problem(t, http.StatusUnprocessableEntity).fields())
	for _, path := range []string{"/contacts", "/campaigns", "/connections", "/tags"} {
		require.NotContains(t, bob.do(http.MethodGet, "/api/v1"+path, nil).body, "Canary")
	}
	require.Equal(t, "Zoe Canary", as[Contact](t, ana.do(http.MethodGet, "/api/v1/contacts/"+contact.ID, nil), http.StatusOK).Name)
}

func TestContactsByCursorTagAndPatch(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	for i := range 5 {
		body := map[string]any{"name": fmt.Sprintf("Person %d", i), "phone": fmt.Sprintf("+55119900001%02d", i), "zone": "America/Manaus", "attributes": map[string]string{"city": "Recife"}}
		if i%2 == 0 {
			body["tags"] = []string{"vip"}
		}
		as[Contact](t, c.do(http.MethodPost, "/api/v1/contacts", body), http.StatusCreated)
	}
	c.do(http.MethodPost, "/api/v1/contacts", `{"name":"Again","phone":"+5511990000100"}`).problem(t, http.StatusUnprocessableEntity)
	tags := as[TagList](t, c.do(http.MethodGet, "/api/v1/tags", nil), http.StatusOK)
	require.Len(t, tags.Items, 1)
	require.EqualValues(t, 3, tags.Items[0].Contacts)
	require.EqualValues(t, 5, as[Count](t, c.do(http.MethodGet, "/api/v1/contacts/count", nil), http.StatusOK).Count)
	pages := func(query string) (names []string) {
		for cursor := ""; ; {
			page := as[ContactList](t, c.do(http.MethodGet, "/api/v1/contacts?limit=2&cursor="+cursor+query, nil), http.StatusOK)
			for _, item := range page.Items {
				names = append(names, item.Name)
			}
			if cursor = page.NextCursor; cursor == "" {
				return names
			}
		}
	}
	require.Equal(t, []string{"Person 4", "Person 3", "Person 2", "Person 1", "Person 0"}, pages(""))
	require.Equal(t, []string{"Person 4", "Person 2", "Person 0"}, pages("&tag_id="+tags.Items[0].ID))

	first := as[ContactList](t, c.do(http.MethodGet, "/api/v1/contacts?limit=1", nil), http.StatusOK).Items[0]
	path := "/api/v1/contacts/" + first.ID
	out := as[Contact](t, c.do(http.MethodPatch, path, `{"opted_out":true,"tags":["new"]}`), http.StatusOK)
	require.NotNil(t, out.OptedOutAt)
	require.Equal(t, "new", out.Tags[0].Name)
	require.Equal(t, "America/Manaus", *out.Zone, "what was not sent stays")
	require.Equal(t, map[string]string{"city": "Recife"}, out.Attributes)
	back := as[Contact](t, c.do(http.MethodPatch, path, `{"opted_out":false,"zone":null,"attributes":{}}`), http.StatusOK)
	require.Nil(t, back.OptedOutAt)
	require.Nil(t, back.Zone)
	require.Empty(t, back.Attributes)
}

func TestACampaignFromDraftToCancel(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	connection := c.connect("3001")
	as[Contact](t, c.do(http.MethodPost, "/api/v1/contacts", `{"name":"Ana Souza","phone":"+5511990000100"}`), http.StatusCreated)
	body := fmt.Sprintf(`{"name":"June","connection_id":%q,"content":{"kind":"template","template":{"name":"hello","language":"pt_BR","parameters":["{{first_name|friend}}"]}},"audience":{"all":true}}`, connection.ID)
	made := as[Campaign](t, c.do(http.MethodPost, "/api/v1/campaigns", body), http.StatusCreated)
	require.Equal(t, "draft", made.State)
	path := "/api/v1/campaigns/" + made.ID

	at := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	changed := as[Campaign](t, c.do(http.MethodPatch, path, map[string]any{"version": made.Version, "name": "July", "expires_at": at}), http.StatusOK)
	require.Equal(t, "July", changed.Name)
	require.Equal(t, at, *changed.ExpiresAt)
	require.Equal(t, made.Content, changed.Content)
	c.do(http.MethodPatch, path, map[string]any{"version": made.Version, "name": "August"}).problem(t, http.StatusConflict)
	cleared := as[Campaign](t, c.do(http.MethodPatch, path, map[string]any{"version": changed.Version, "expires_at": nil}), http.StatusOK)
	require.Nil(t, cleared.ExpiresAt)

	check := as[Check](t, c.do(http.MethodPost, path+"/check", nil), http.StatusOK)
	require.Equal(t, 1, check.Recipients)
	require.Empty(t, check.Problems)
	require.Contains(t, check.Samples[0].Text, "Ana")

	for _, command := range []string{"pause", "resume", "cancel"} {
		p := c.do(http.MethodPost, path+"/"+command, nil).problem(t, http.StatusConflict)
		require.Contains(t, p.Detail, "draft")
	}
	x.workflows.err = errDown
	hints := x.relay.hints.Load()
	started := as[Campaign](t, c.do(http.MethodPost, path+"/start", nil), http.StatusOK)
	require.Equal(t, "starting", started.State)
	require.Greater(t, x.relay.hints.Load(), hints)
	live := as[CampaignLive](t, c.do(http.MethodGet, path+"/live", nil), http.StatusOK)
	require.Equal(t, "unavailable", live.State)
	require.NotContains(t, live.Detail, "10.1.2.3")
	require.Nil(t, live.WorkflowURL)

	c.do(http.MethodPost, path+"/start", nil).problem(t, http.StatusConflict)
	c.do(http.MethodDelete, path, nil).problem(t, http.StatusConflict)
	require.Equal(t, "canceled", as[Campaign](t, c.do(http.MethodPost, path+"/cancel", nil), http.StatusOK).State)
	require.Empty(t, as[MessageList](t, c.do(http.MethodGet, path+"/messages?state=failed", nil), http.StatusOK).Items)
	list := as[CampaignList](t, c.do(http.MethodGet, "/api/v1/campaigns?state=canceled", nil), http.StatusOK)
	require.Len(t, list.Items, 1)
}

func TestACampaignThatCannotStartSaysAllReasons(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	x.adapter.check = channel.Check{Detail: "The token has expired."}
	connection := c.connect("3001")
	body := strings.Replace(campaignBodyWith(connection.ID), `"Hi"`, `"Hi {{nickname}}"`, 1)
	made := as[Campaign](t, c.do(http.MethodPost, "/api/v1/campaigns", body), http.StatusCreated)
	p := c.do(http.MethodPost, "/api/v1/campaigns/"+made.ID+"/start", nil).problem(t, http.StatusUnprocessableEntity)
	require.ElementsMatch(t, []string{"body.audience", "body.connection_id", "body.content.text"}, p.fields())
	require.Equal(t, "draft", as[Campaign](t, c.do(http.MethodGet, "/api/v1/campaigns/"+made.ID, nil), http.StatusOK).State)
	require.Equal(t, http.StatusNoContent, c.do(http.MethodDelete, "/api/v1/campaigns/"+made.ID, nil).status)
	c.do(http.MethodGet, "/api/v1/campaigns/"+made.ID, nil).problem(t, http.StatusNotFound)
}

func TestTheRateIsOfTheLastHalfMinute(t *testing.T) {
	r, campaign, now := newRates(), id.New(), time.Now()
	_, known := r.observe(campaign, now, 100)
	require.False(t, known)
	rate, known := r.observe(campaign, now.Add(10*time.Second), 600)
	require.True(t, known)
	require.InDelta(t, 50, rate, 0.01)
	for i := range 60 {
		rate, _ = r.observe(campaign, now.Add(time.Duration(11+i)*time.Second), 600)
	}
	require.Zero(t, rate, "what was sent long ago is no rate")
	_, known = r.observe(campaign, now.Add(time.Hour), 900)
	require.False(t, known, "nobody looked in between")
}
