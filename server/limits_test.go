package server

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
)

func ptr[T any](v T) *T { return &v }

func TestLimitsBeginWithTheChannelsAndAreReplaced(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	path := "/api/v1/connections/" + c.connect("3001").ID + "/limits"
	cloud := Limits{PerSecond: ptr(80), ContactGap: ptr(6)}
	got := as[Governor](t, c.do(http.MethodGet, path, nil), http.StatusOK)
	require.Equal(t, Governor{Limits: cloud, Defaults: cloud, Used: []LimitUse{{"per_second", 80, 0}},
		Next: []NextSend{{Of: "campaigns", Words: "may go now"}, {Of: "others", Words: "may go now"}}}, got)

	wanted := Limits{PerHour: ptr(100), PerDay: ptr(500), GapFrom: ptr(600), GapUntil: ptr(1800), WarmUp: &WarmUp{"2020-01-01", []int{20, 40}}}
	got = as[Governor](t, c.do(http.MethodPut, path, wanted), http.StatusOK)
	require.Equal(t, wanted, got.Limits)
	require.Equal(t, []LimitUse{{"per_hour", 100, 0}, {"per_day", 500, 0}}, got.Used, "the warm-up is long over")
	require.Equal(t, wanted, as[Governor](t, c.do(http.MethodGet, path, nil), http.StatusOK).Limits)
	require.Equal(t, Limits{}, as[Governor](t, c.do(http.MethodPut, path, `{}`), http.StatusOK).Limits)

	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	bob := x.signIn(t, "bob@example.com")
	bob.do(http.MethodGet, path, nil).problem(t, http.StatusNotFound)
	bob.do(http.MethodPut, path, `{}`).problem(t, http.StatusNotFound)
}

func TestUnfitLimitsAreRefusedByFieldAndChangeNothing(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	path := "/api/v1/connections/" + c.connect("3001").ID + "/limits"
	for body, fields := range map[string][]string{
		`{"per_second":0}`:                             {"body.per_second"},
		`{"per_minute":-3,"per_day":0}`:                {"body.per_minute", "body.per_day"},
		`{"per_hour":1.5}`:                             {"body.per_hour"},
		`{"contact_gap_s":86400}`:                      {"body.contact_gap_s"},
		`{"gap_from_s":60}`:                            {"body.gap_until_s"},
		`{"gap_from_s":90000,"gap_until_s":90000}`:     {"body.gap_until_s"},
		`{"gap_until_s":9223372036854775807}`:          {"body.gap_until_s"},
		`{"warm_up":{"from":"tomorrow","caps":[]}}`:    {"body.warm_up.from", "body.warm_up.caps"},
		`{"warm_up":{"from":"2026-11-22","caps":[0]}}`: {"body.warm_up.caps[0]"},
		`{"per_week":7}`:                               {"body.per_week"},
	} {
		require.Equal(t, fields, c.do(http.MethodPut, path, body).problem(t, http.StatusUnprocessableEntity).fields(), body)
	}
	require.Equal(t, Limits{PerSecond: ptr(80), ContactGap: ptr(6)}, as[Governor](t, c.do(http.MethodGet, path, nil), http.StatusOK).Limits)
}
