package server

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/channel"
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

// A check that tells the tier and whose it is makes it a limit; one that tells that there is none takes it away.
func TestTheTierOfACheckIsALimitOfTheBusiness(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	first, second := c.connect("3001").ID, c.connect("3002").ID
	tier := func(of string) (used []LimitUse) {
		for _, use := range as[Governor](t, c.do(http.MethodGet, "/api/v1/connections/"+of+"/limits", nil), http.StatusOK).Used {
			if use.Limit == "contacts_24h" {
				used = append(used, use)
			}
		}
		return used
	}
	check := func(of string, said channel.Check) {
		x.adapter.check = said
		as[Connection](t, c.do(http.MethodPost, "/api/v1/connections/"+of+"/check", nil), http.StatusOK)
	}
	require.Empty(t, tier(first))
	check(first, channel.Check{OK: true, Limit: 250, Portfolio: "8001"})
	require.Equal(t, []LimitUse{{"contacts_24h", 250, 0}}, tier(first))
	require.Empty(t, tier(second))
	check(second, channel.Check{OK: true, Limit: 2000, Portfolio: "8001"})
	x.exec(t, `INSERT INTO portfolio_contacts (company_id, portfolio_id, contact_id, at) VALUES ($1, '8001', gen_random_uuid(), now()), ($1, '8001', gen_random_uuid(), now() - interval '25 hours')`, x.mine)
	require.Equal(t, []LimitUse{{"contacts_24h", 2000, 1}}, tier(first), "the last check spoke for all the numbers of the business")
	check(first, channel.Check{Limit: 250, Portfolio: "8001"})
	require.Equal(t, []LimitUse{{"contacts_24h", 2000, 1}}, tier(first), "a failed check says nothing")
	check(first, channel.Check{OK: true, Limit: -1, Portfolio: "8001"})
	require.Empty(t, tier(first))
	require.Equal(t, []LimitUse{{"contacts_24h", 2000, 1}}, tier(second))
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
