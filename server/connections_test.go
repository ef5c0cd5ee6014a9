package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres/pgtest"
)

type fakeSandbox struct {
	known []SimulatedNumber
	err   error
}

func (f *fakeSandbox) Register(_ context.Context, number SimulatedNumber) error {
	f.known = append(f.known, number)
	return f.err
}

func TestASimulatedNumberIsKnownToTheSandboxBeforeItIsAsked(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	c.do(http.MethodPost, "/api/v1/connections/simulated", `{"name":"Test"}`).problem(t, http.StatusConflict)
	simulator := &fakeSandbox{}
	x.Sandbox = simulator
	require.Equal(t, []string{"body.name"}, c.do(http.MethodPost, "/api/v1/connections/simulated", `{"name":"  "}`).problem(t, http.StatusUnprocessableEntity).fields())
	made := as[Connection](t, c.do(http.MethodPost, "/api/v1/connections/simulated", `{"name":"Test"}`), http.StatusCreated)
	require.True(t, made.Simulated)
	require.Equal(t, "connected", made.State)
	require.Len(t, simulator.known, 1)
	require.Equal(t, made.WebhookURL, simulator.known[0].Callback)
	require.Equal(t, made.NumberID, simulator.known[0].ID)
	require.NotEmpty(t, simulator.known[0].AppSecret)

	simulator.err = errors.New("away")
	away := as[Connection](t, c.do(http.MethodPost, "/api/v1/connections/"+made.ID+"/check", nil), http.StatusOK)
	require.Equal(t, "failing", away.State)
	require.Contains(t, away.StateDetail, "start it again")
}

func TestAProbeKeepsNothingAndFillsGapsFromWhatIsSaved(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	made := c.connect("3001")
	x.adapter.check = channel.Check{Detail: "Bad.", Lines: []channel.Line{{Subject: "token", Verdict: channel.Bad, Detail: "Bad."}}}
	probe := as[Probe](t, c.do(http.MethodPost, "/api/v1/connections/probe", map[string]string{"connection_id": made.ID, "token": " EAAG-next\n"}), http.StatusOK)
	require.Equal(t, Probe{Detail: "Bad.", Checks: []Line{{"token", "bad", "Bad."}}}, probe)
	require.Equal(t, "EAAG-next", x.adapter.asked.Token)
	require.Equal(t, appSecret, x.adapter.asked.AppSecret)
	require.Equal(t, "connected", as[Connection](t, c.do(http.MethodGet, "/api/v1/connections/"+made.ID, nil), http.StatusOK).State)
	as[Probe](t, c.do(http.MethodPost, "/api/v1/connections/probe", `{"number_id":"77"}`), http.StatusOK)
	require.Equal(t, "77", x.adapter.asked.NumberID)
	require.Empty(t, x.adapter.asked.Token)
	c.do(http.MethodPost, "/api/v1/connections/probe", map[string]string{"connection_id": id.New().String()}).problem(t, http.StatusNotFound)
}

func TestTheWebhookIsPointedHere(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	made := c.connect("3001")
	as[Connection](t, c.do(http.MethodPost, "/api/v1/connections/"+made.ID+"/webhook", nil), http.StatusOK)
	require.Equal(t, []string{made.WebhookURL, made.VerifyToken}, x.adapter.subscribed)
	x.adapter.refuse = errors.New("Meta called the webhook's address and got no right answer")
	p := c.do(http.MethodPost, "/api/v1/connections/"+made.ID+"/webhook", nil).problem(t, http.StatusConflict)
	require.Contains(t, p.Detail, "no right answer")
}

// TestADisabledConnectionHoldsItsScope follows a connection through disable, enable and delete.
func TestADisabledConnectionHoldsItsScope(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	as[Contact](t, c.do(http.MethodPost, "/api/v1/contacts", `{"name":"Ana","phone":"+5511990000100"}`), http.StatusCreated)
	x.adapter.templates = []channel.ProviderTemplate{{Name: "hello", Language: "pt_BR", Category: "MARKETING", Status: "APPROVED", Components: json.RawMessage(`[{"type":"BODY","text":"Hi"}]`)}}
	made := c.connect("3001")
	path := "/api/v1/connections/" + made.ID
	body := fmt.Sprintf(`{"name":"June","connection_id":%q,"content":{"kind":"template","template":{"name":"hello","language":"pt_BR"}},"audience":{"all":true}}`, made.ID)
	campaign := as[Campaign](t, c.do(http.MethodPost, "/api/v1/campaigns", body), http.StatusCreated)
	owner := pgtest.Owner(t, x.db)
	closed := func() (is bool) {
		require.NoError(t, owner.QueryRow(t.Context(), `SELECT closed AND coalesce(held_until > now(), false) FROM omnidesk.scopes WHERE connection_id = $1`, made.ID).Scan(&is))
		return is
	}
	wakes := func(subject string) (n int) {
		require.NoError(t, owner.QueryRow(t.Context(), `SELECT count(*) FROM omnidesk.wakes WHERE subject_id = $1`, subject).Scan(&n))
		return n
	}

	require.NotNil(t, as[Connection](t, c.do(http.MethodPost, path+"/disable", nil), http.StatusOK).DisabledAt)
	require.True(t, closed())
	as[Connection](t, c.do(http.MethodPost, path+"/check", nil), http.StatusOK)
	require.True(t, closed(), "a check that goes well opens nothing")
	start := c.do(http.MethodPost, "/api/v1/campaigns/"+campaign.ID+"/start", nil).problem(t, http.StatusUnprocessableEntity)
	require.Contains(t, start.fields(), "body.connection_id")

	before := wakes(made.ID) // its limits have woken the sender, too
	require.Nil(t, as[Connection](t, c.do(http.MethodPost, path+"/enable", nil), http.StatusOK).DisabledAt)
	require.False(t, closed())
	require.Equal(t, before+1, wakes(made.ID), "the sender looks again")
	as[Campaign](t, c.do(http.MethodPost, "/api/v1/campaigns/"+campaign.ID+"/start", nil), http.StatusOK)
	before = wakes(campaign.ID)
	as[Connection](t, c.do(http.MethodPost, path+"/disable", nil), http.StatusOK)
	require.Equal(t, before+1, wakes(campaign.ID), "the campaign looks again")

	refused := c.do(http.MethodDelete, path, nil).problem(t, http.StatusConflict)
	require.Contains(t, refused.Detail, "1 campaign")
	usage := as[Usage](t, c.do(http.MethodGet, path+"/usage", nil), http.StatusOK)
	require.Equal(t, []UsageItem{{campaign.ID, "June", "starting"}}, usage.Campaigns)
	require.Equal(t, http.StatusOK, c.do(http.MethodGet, path, nil).status)

	as[Campaign](t, c.do(http.MethodPost, "/api/v1/campaigns/"+campaign.ID+"/cancel", nil), http.StatusOK)
	require.Equal(t, http.StatusNoContent, c.do(http.MethodDelete, path, nil).status)
	require.NotNil(t, as[Connection](t, c.do(http.MethodGet, path, nil), http.StatusOK).DeletedAt)
	require.Equal(t, "Sales", as[Campaign](t, c.do(http.MethodGet, "/api/v1/campaigns/"+campaign.ID, nil), http.StatusOK).ConnectionName)
	require.Empty(t, as[ConnectionList](t, c.do(http.MethodGet, "/api/v1/connections", nil), http.StatusOK).Items)
	for _, action := range []string{"/check", "/disable", "/enable", "/webhook"} {
		c.do(http.MethodPost, path+action, nil).problem(t, http.StatusNotFound)
	}
	c.do(http.MethodPatch, path, `{"name":"Back"}`).problem(t, http.StatusNotFound)
	c.connect("3001") // its number is free
	draft := as[Campaign](t, c.do(http.MethodPost, "/api/v1/campaigns", body), http.StatusCreated)
	start = c.do(http.MethodPost, "/api/v1/campaigns/"+draft.ID+"/start", nil).problem(t, http.StatusUnprocessableEntity)
	require.Contains(t, start.fields(), "body.connection_id")
}
