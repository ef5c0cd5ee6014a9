package server

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/postgres/pgtest"
)

// failed is a webhook in which a message failed with a code of Meta's.
func failed(number, message string, code int) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"2001","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":%q},
		"statuses":[{"id":"wamid.%s","status":"failed","timestamp":"%d","biz_opaque_callback_data":%q,"errors":[{"code":%d,"title":"T"}]}]}}]}]}`, number, message, time.Now().Unix(), message, code)
}

// A provider tells it by a webhook: the campaigns pause or the connection is held, the pages say why, and people let them go on.
func TestAFailedStatusPausesAndHoldsUntilPeopleResume(t *testing.T) {
	x := newSite(t)
	r := x.newResults(t)
	meta, owner := x.anonymous(t), pgtest.Owner(t, x.db)
	campaign := func() Campaign { return as[Campaign](t, r.get(""), http.StatusOK) }
	connection := as[Connection](t, r.do(http.MethodGet, "/api/v1/connections/"+campaign().ConnectionID, nil), http.StatusOK)
	concerns := func() []Concern {
		return as[Concerns](t, r.do(http.MethodGet, "/api/v1/dashboard/concerns", nil), http.StatusOK).Items
	}
	live := func() ConnectionLive {
		return as[ConnectionLive](t, r.do(http.MethodGet, "/api/v1/connections/"+connection.ID+"/live", nil), http.StatusOK)
	}
	post := func(state string, code int) {
		body := failed("3001", r.messages["queued"].String(), code)
		_, err := owner.Exec(t.Context(), `UPDATE messages SET state = 2, error_code = NULL WHERE id = $1`, r.messages["queued"])
		require.NoError(t, err)
		_, err = owner.Exec(t.Context(), `UPDATE campaigns SET state = $1`, state)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, meta.do(http.MethodPost, x.path(connection), body, sign(appSecret, body)).status)
	}

	post("running", 132015)
	paused := campaign()
	require.Equal(t, "paused", paused.State)
	require.Equal(t, 132015, *paused.PausedCode)
	require.Contains(t, paused.StateDetail, "Meta paused the template")
	require.WithinDuration(t, time.Now().Add(3*time.Hour), *paused.ResumesAt, time.Minute)
	require.Equal(t, []Concern{{Kind: "paused", ID: paused.ID, Name: paused.Name, Detail: paused.StateDetail, Until: paused.ResumesAt}}, concerns())
	require.Empty(t, live().HeldReason)
	resumed := as[Campaign](t, r.do(http.MethodPost, "/api/v1/campaigns/"+paused.ID+"/resume", nil), http.StatusOK)
	require.Equal(t, []any{"running", (*int)(nil), (*time.Time)(nil)}, []any{resumed.State, resumed.PausedCode, resumed.ResumesAt})

	post("running", 131042)
	require.Equal(t, "running", campaign().State)
	require.Contains(t, live().HeldReason, "payment problem. Check the payment method")
	require.Nil(t, live().HeldUntil, "only a person ends it")
	require.Equal(t, []Concern{{Kind: "held", ID: connection.ID, Name: connection.Name, Detail: live().HeldReason}}, concerns())
	as[Connection](t, r.do(http.MethodPost, "/api/v1/connections/"+connection.ID+"/resume", nil), http.StatusOK)
	require.Empty(t, live().HeldReason)
	require.Empty(t, concerns())
	x.addUser(t, &x.theirs, "bob@example.com", "admin", false)
	x.signIn(t, "bob@example.com").do(http.MethodPost, "/api/v1/connections/"+connection.ID+"/resume", nil).problem(t, http.StatusNotFound)
}
