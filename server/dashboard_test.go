package server

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/send"
)

func TestSpansBeginAndEndWithDaysOfTheZone(t *testing.T) {
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return parsed
	}
	for name, c := range map[string]struct {
		q                           SpanQuery
		now, zone                   string
		from, to, before, beforeEnd string
		unit                        string
		buckets                     int
	}{
		"today": {SpanQuery{Range: "today"}, "2026-11-22T01:30:00Z", "America/Sao_Paulo",
			"2026-11-21T00:00:00-03:00", "2026-11-22T00:00:00-03:00", "2026-11-20T00:00:00-03:00", "2026-11-20T22:30:00-03:00", "hour", 24},
		"today of 25 hours": {SpanQuery{Range: "today"}, "2026-10-25T12:00:00Z", "Europe/Lisbon",
			"2026-10-25T00:00:00+01:00", "2026-10-26T00:00:00Z", "2026-10-24T00:00:00+01:00", "2026-10-24T13:00:00+01:00", "hour", 25},
		"a week with a day of 23 hours": {SpanQuery{Range: "7d"}, "2026-04-01T12:00:00Z", "Europe/Lisbon",
			"2026-03-26T00:00:00Z", "2026-04-02T00:00:00+01:00", "2026-03-19T00:00:00Z", "2026-03-25T12:00:00Z", "day", 7},
		"past days": {SpanQuery{Range: "custom", From: "2026-03-01", To: "2026-03-31"}, "2026-11-22T00:00:00Z", "Asia/Kathmandu",
			"2026-03-01T00:00:00+05:45", "2026-04-01T00:00:00+05:45", "2026-01-29T00:00:00+05:45", "2026-03-01T00:00:00+05:45", "day", 31},
		"weeks": {SpanQuery{Range: "custom", From: "2026-01-01", To: "2026-04-30"}, "2026-11-22T00:00:00Z", "UTC",
			"2026-01-01T00:00:00Z", "2026-05-01T00:00:00Z", "2025-09-03T00:00:00Z", "2026-01-01T00:00:00Z", "week", 18},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := c.q.read(at(c.now), c.zone)
			require.NoError(t, err)
			for want, got := range map[string]time.Time{c.from: p.from, c.to: p.to, c.before: p.before, c.beforeEnd: p.beforeEnd()} {
				require.True(t, at(want).Equal(got), "want %s, got %s", want, got)
			}
			require.Equal(t, c.unit, p.unit)
			require.Len(t, p.fill(nil), c.buckets)
			found := []send.Bucket{{At: p.fill(nil)[1].At, Traffic: send.Traffic{Sent: 3}}}
			filled := p.fill(found)
			require.Len(t, filled, c.buckets, "a bucket that was found is not there twice")
			require.Equal(t, 3, filled[1].Sent)
		})
	}
}

func TestAnUnfitSpanNamesItsField(t *testing.T) {
	c := newSite(t).signIn(t, "ana@example.com")
	for query, field := range map[string]string{
		"range=year":                   "query.range",
		"range=custom":                 "query.from",
		"range=custom&from=2026-11-01": "query.to",
		"range=custom&from=2026-11-31&to=2026-12-1":  "query.from",
		"range=custom&from=2026-11-02&to=2026-11-01": "query.to",
		"range=custom&from=2020-01-01&to=2026-11-01": "query.to",
	} {
		for _, path := range []string{"traffic", "campaigns", "connections"} {
			p := c.do(http.MethodGet, "/api/v1/dashboard/"+path+"?"+query, nil).problem(t, http.StatusUnprocessableEntity)
			require.Contains(t, p.fields(), field, query)
		}
	}
}

func TestTheDashboardShowsOwnTrafficOnly(t *testing.T) {
	x := newSite(t)
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	ana, bob := x.signIn(t, "ana@example.com"), x.signIn(t, "bob@example.com")
	connection := ana.connect("3001")
	campaign := as[Campaign](t, ana.do(http.MethodPost, "/api/v1/campaigns", campaignBodyWith(connection.ID)), http.StatusCreated)
	owner := pgtest.Owner(t, x.db)
	_, err := owner.Exec(t.Context(), `INSERT INTO message_counts (company_id, connection_id, campaign_id, sent, delivered, read, failed, uncertain) VALUES ($1, $2, $3, 5, 3, 2, 1, 4)`,
		x.mine, connection.ID, campaign.ID)
	require.NoError(t, err)
	_, err = owner.Exec(t.Context(), `INSERT INTO message_counts (company_id, connection_id, sent, replies) VALUES ($1, $2, 1, 7)`, x.mine, connection.ID)
	require.NoError(t, err)
	for range 2 { // before and after the roll-up
		got := as[DashboardTraffic](t, ana.do(http.MethodGet, "/api/v1/dashboard/traffic?range=30d", nil), http.StatusOK)
		require.Equal(t, Traffic{Sent: 11, Delivered: 5, Read: 2, Failed: 1, Uncertain: 4, Replies: 7}, got.Total)
		require.Zero(t, got.Before)
		require.Len(t, got.Buckets, 30)
		require.Equal(t, got.Total, got.Buckets[29].Traffic)
		require.Equal(t, []TrafficShare{{campaign.ID, campaign.Name, Traffic{Sent: 10, Delivered: 5, Read: 2, Failed: 1, Uncertain: 4}}},
			as[TrafficShares](t, ana.do(http.MethodGet, "/api/v1/dashboard/campaigns", nil), http.StatusOK).Items)
		require.Equal(t, []TrafficShare{{connection.ID, connection.Name, got.Total}},
			as[TrafficShares](t, ana.do(http.MethodGet, "/api/v1/dashboard/connections", nil), http.StatusOK).Items)
		require.Zero(t, as[DashboardTraffic](t, bob.do(http.MethodGet, "/api/v1/dashboard/traffic", nil), http.StatusOK).Total)
		require.Empty(t, as[TrafficShares](t, bob.do(http.MethodGet, "/api/v1/dashboard/campaigns", nil), http.StatusOK).Items)
		require.NoError(t, send.RollUp(t.Context(), x.db))
	}
}

func TestTheDashboardListsWhatNeedsAPerson(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	concerns := func() []Concern {
		return as[Concerns](t, c.do(http.MethodGet, "/api/v1/dashboard/concerns", nil), http.StatusOK).Items
	}
	held := c.connect("3001")
	x.adapter.check = channel.Check{Detail: "The token has expired."}
	failing := c.connect("3002")
	campaign := as[Campaign](t, c.do(http.MethodPost, "/api/v1/campaigns", campaignBodyWith(held.ID)), http.StatusCreated)
	require.Equal(t, []Concern{{Kind: "failing", ID: failing.ID, Name: "Sales", Detail: "The token has expired."}}, concerns())

	owner := pgtest.Owner(t, x.db)
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	_, err := owner.Exec(t.Context(), `INSERT INTO scopes (company_id, connection_id, held_until, held_reason) VALUES ($1, $2, $3, 'Slow down.')
		ON CONFLICT (company_id, connection_id) DO UPDATE SET held_until = EXCLUDED.held_until, held_reason = EXCLUDED.held_reason`, x.mine, held.ID, until)
	require.NoError(t, err)
	for nth, of := range []any{campaign.ID, campaign.ID, campaign.ID, campaign.ID, campaign.ID, nil} { // of the campaign one was sent again, so that nothing is left to decide
		_, err = owner.Exec(t.Context(), `INSERT INTO messages (company_id, id, connection_id, campaign_id, contact_id, identity_id, lane, state, superseded_by)
			VALUES ($1, $2, $3, $4, $2, $2, 5, 6, CASE WHEN $5 = 0 THEN $2::uuid END)`, x.mine, id.New(), held.ID, of, nth)
		require.NoError(t, err)
	}
	_, err = owner.Exec(t.Context(), `UPDATE templates SET status = 'REJECTED' WHERE connection_id = $1`, held.ID)
	require.NoError(t, err)
	_, err = owner.Exec(t.Context(), `UPDATE campaigns SET state = 'paused', state_detail = 'Paused by an admin.'`)
	require.NoError(t, err)
	require.ElementsMatch(t, []Concern{
		{Kind: "failing", ID: failing.ID, Name: "Sales", Detail: "The token has expired."},
		{Kind: "held", ID: held.ID, Name: "Sales", Detail: "Slow down.", Until: &until},
		{Kind: "uncertain", ID: campaign.ID, Name: campaign.Name, Count: 4},
		{Kind: "uncertain", Count: 1},
		{Kind: "paused", ID: campaign.ID, Name: campaign.Name, Detail: "Paused by an admin."},
		{Kind: "template", ID: held.ID, Name: "Sales", Count: 1},
	}, concerns())
}
