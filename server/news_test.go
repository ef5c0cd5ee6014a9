package server

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/postgres/pgtest"
)

// news is what Meta says about the account of connectionBody.
func news(at time.Time, field, value string) string {
	return bodyOf(fmt.Sprintf(`{"id":"2001","time":%d,"changes":[{"field":%q,"value":%s}]}`, at.Unix(), field, value))
}

func (c *caller) kinds(path string) (kinds []string) {
	for _, item := range as[struct{ Items []struct{ Kind string } }](c.t, c.do(http.MethodGet, path, nil), http.StatusOK).Items {
		kinds = append(kinds, item.Kind)
	}
	return kinds
}

func TestWhatMetaSaysOfAnAccountIsKept(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	line := c.connect("3001")
	owner := pgtest.Owner(t, x.db)
	_, err := owner.Exec(t.Context(), `UPDATE omnidesk.connections SET number = '+15550001000'`)
	require.NoError(t, err)
	now := time.Now()
	read := func() Connection {
		return as[Connection](t, c.do(http.MethodGet, "/api/v1/connections/"+line.ID, nil), http.StatusOK)
	}
	x.deliver(t, line, news(now, "phone_number_quality_update", `{"display_phone_number":"1 555-000-1000","event":"FLAGGED","current_limit":"TIER_10K"}`))
	require.Equal(t, []any{"RED", 10_000}, []any{read().Quality, read().Limit})
	x.deliver(t, line, news(now, "phone_number_quality_update", `{"display_phone_number":"15559999999","event":"UPGRADE","current_limit":"TIER_UNLIMITED"}`))
	require.Equal(t, 10_000, read().Limit, "another number of the account")
	x.deliver(t, line, news(now, "business_capability_update", `{"max_daily_conversations_per_business":2000,"max_phone_numbers_per_business":25}`))
	require.Equal(t, 2_000, read().Limit)

	now = now.Add(time.Minute) // later than the first check
	restricted := `{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"RESTRICTED_BIZ_INITIATED_MESSAGING","expiration":1796000000}]}`
	for range 2 {
		x.deliver(t, line, news(now, "account_update", restricted))
	}
	require.Contains(t, read().Alert, "restricted biz initiated messaging until 30 November 2026")
	require.Contains(t, c.kinds("/api/v1/notices"), "connection_warned")
	require.Contains(t, c.kinds("/api/v1/dashboard/concerns"), "warned")
	x.deliver(t, line, news(now.Add(-time.Hour), "account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"REINSTATE"}}`))
	require.NotEmpty(t, read().Alert, "an older word")
	x.adapter.check.OK = true
	as[Connection](t, c.do(http.MethodPost, "/api/v1/connections/"+line.ID+"/check", nil), http.StatusOK)
	require.Empty(t, read().Alert, "a good check ends it")
	x.deliver(t, line, news(now.Add(-time.Hour), "account_alerts", `{"alert_severity":"CRITICAL","alert_status":"ACTIVE","alert_type":"OBA_REJECTED"}`))
	require.Empty(t, read().Alert, "the check is newer")
	x.deliver(t, line, news(now.Add(time.Hour), "account_alerts", `{"alert_severity":"CRITICAL","alert_status":"ACTIVE","alert_type":"OBA_REJECTED"}`))
	require.Contains(t, read().Alert, "oba rejected")
	require.Empty(t, c.events("parked"))
	require.Len(t, c.kinds("/api/v1/events?state=taken"), 8)
}

// TestTwoAppSecretsDuringARotation: both are believed until the end that the form has set, and an admin ends it at once.
func TestTwoAppSecretsDuringARotation(t *testing.T) {
	x := newSite(t)
	c, now := x.signIn(t, "ana@example.com"), time.Now()
	x.now = func() time.Time { return now }
	line := c.connect("3001")
	next, body := "the-app-secret-after-the-rotation", bodyOf()
	believed := func(secret string) int { // what was looked up is believed for a second
		now = now.Add(believedFor)
		return x.anonymous(t).do(http.MethodPost, x.path(line), body, sign(secret, body)).status
	}
	change := func(fields map[string]any) Connection {
		return as[Connection](t, c.do(http.MethodPatch, "/api/v1/connections/"+line.ID, fields), http.StatusOK)
	}
	require.Equal(t, []int{200, 401}, []int{believed(appSecret), believed(next)})
	until := change(map[string]any{"app_secret": next, "past_secret_hours": 2}).PastSecret
	require.WithinDuration(t, now.Add(2*time.Hour), *until, time.Second)
	require.Equal(t, []int{200, 200}, []int{believed(appSecret), believed(next)})
	now = now.Add(2 * time.Hour)
	require.Equal(t, []int{401, 200}, []int{believed(appSecret), believed(next)})

	require.NotNil(t, change(map[string]any{"app_secret": appSecret}).PastSecret)
	require.Equal(t, []int{200, 200}, []int{believed(appSecret), believed(next)})
	require.Nil(t, change(map[string]any{"past_secret_hours": 0}).PastSecret)
	require.Equal(t, []int{200, 401}, []int{believed(appSecret), believed(next)})
	c.do(http.MethodPatch, "/api/v1/connections/"+line.ID, map[string]any{"past_secret_hours": 169}).problem(t, http.StatusUnprocessableEntity)
}
