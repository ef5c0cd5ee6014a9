package server

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/pace"
	"omnidesk/internal/postgres/pgtest"
)

func saoPaulo(t *testing.T) *time.Location {
	t.Helper()
	zone, err := pace.Zone("America/Sao_Paulo")
	require.NoError(t, err)
	return zone
}

// A forecast knows nights and limits: a rate drawn out through the night would lie.
func TestAFinishTimeKnowsTheNight(t *testing.T) {
	zone := saoPaulo(t)
	evening := time.Date(2026, 11, 22, 20, 30, 0, 0, zone)
	plan := pace.Plan{Groups: []pace.Group{{Zones: []*time.Location{zone}, Left: 3600}}, Window: pace.Window{From: 7 * 60, Until: 21 * 60}, Company: zone}
	for name, c := range map[string]struct {
		rate   float64
		limits pace.Limits
		want   string
	}{
		"before the window closes":     {10, pace.Limits{}, "2026-11-22 20:36"},
		"over the night":               {1, pace.Limits{}, "2026-11-23 07:30"},
		"at the limit's rate":          {0, pace.Limits{PerSecond: 2}, "2026-11-22 21:00"},
		"no faster than the limit":     {100, pace.Limits{PerSecond: 1}, "2026-11-23 07:30"},
		"a day's limit":                {10, pace.Limits{PerDay: 2500}, "2026-11-23 07:02"},
		"nothing tells how fast it is": {0, pace.Limits{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			plan := plan
			plan.Rate, plan.Limits = c.rate, c.limits
			at, got := finishAt(plan, evening), ""
			if at != nil {
				got = at.In(zone).Format("2006-01-02 15:04")
			}
			require.Equal(t, c.want, got)
		})
	}
	plan.Rate, plan.Window = 1, pace.Window{}
	require.Nil(t, finishAt(plan, evening), "a window that never opens")
}

// The campaign's page, the list and the dashboard say the same; a hold moves it, one without an end takes it away.
func TestARunningCampaignTellsWhenItFinishes(t *testing.T) {
	x := newSite(t)
	zone := saoPaulo(t)
	day := time.Now().In(zone)
	night := time.Date(day.Year(), day.Month(), day.Day(), 22, 0, 0, 0, zone)
	x.now = func() time.Time { return night }
	r := x.newResults(t)
	owner := pgtest.Owner(t, x.db)
	exec := func(sql string, args ...any) {
		_, err := owner.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	exec(`UPDATE companies SET zone = 'America/Sao_Paulo', window_from = '07:00', window_until = '21:00' WHERE company_id = $1`, x.mine)
	exec(`UPDATE campaigns SET state = 'running', recipients = 641 WHERE id = $1`, r.campaign)
	exec(`INSERT INTO zone_sets (zones) VALUES ('America/Sao_Paulo') ON CONFLICT DO NOTHING`)
	exec(`INSERT INTO campaign_zones (company_id, campaign_id, zone_set_id, recipients, fed_through) SELECT $1, $2, id, 640, 0 FROM zone_sets WHERE zones = 'America/Sao_Paulo'`, x.mine, r.campaign)
	exec(`INSERT INTO scopes (company_id, connection_id, limits) SELECT company_id, id, '{"per_second":1}' FROM connections ON CONFLICT (company_id, connection_id) DO UPDATE SET limits = EXCLUDED.limits`)
	finish := func() *time.Time {
		x.rates = newRates()
		one := as[Campaign](t, r.get(""), http.StatusOK).FinishAt
		list := as[CampaignList](t, r.do(http.MethodGet, "/api/v1/campaigns?state=running", nil), http.StatusOK).Items
		require.Len(t, list, 1)
		require.Equal(t, one, list[0].FinishAt)
		return one
	}
	require.WithinDuration(t, night.Add(9*time.Hour+640*time.Second), *finish(), time.Minute)
	exec(`UPDATE scopes SET held_until = $1, held_reason = 'Slow down.'`, night.Add(12*time.Hour))
	require.WithinDuration(t, night.Add(12*time.Hour+640*time.Second), *finish(), time.Minute)
	exec(`UPDATE scopes SET held_until = '9999-12-31'`)
	require.Nil(t, finish())
}
