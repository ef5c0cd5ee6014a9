package server

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/flow"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/wait"
)

func (x *site) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := pgtest.Owner(t, x.db).Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

// kinds of a campaign's waits, read anew.
func (r *results) kinds(x *site) (kinds []string) {
	x.rates = newRates()
	for _, w := range as[Campaign](r.t, r.get(""), http.StatusOK).Waits {
		kinds = append(kinds, w.Kind)
	}
	return kinds
}

func (r *results) concerns() (kinds []string) {
	for _, c := range as[Concerns](r.t, r.do(http.MethodGet, "/api/v1/dashboard/concerns", nil), http.StatusOK).Items {
		kinds = append(kinds, c.Kind)
	}
	return kinds
}

func TestWhatIsAwayIsSaidAndKept(t *testing.T) {
	x := newSite(t)
	r := x.newResults(t)
	x.exec(t, `UPDATE campaigns SET state = 'running' WHERE id = $1`, r.campaign)
	x.exec(t, `UPDATE companies SET window_from = '00:00', window_until = '24:00'`)
	x.exec(t, `INSERT INTO zone_sets (id, zones) OVERRIDING SYSTEM VALUE VALUES (1, 'UTC')`)
	x.exec(t, `INSERT INTO campaign_zones (company_id, campaign_id, zone_set_id, recipients, fed_through) SELECT k.company_id, k.id, z.id, 6, 6 FROM campaigns k, zone_sets z WHERE k.id = $1`, r.campaign)
	x.exec(t, `INSERT INTO positions (witness, mark, at) VALUES (gen_random_uuid(), 1, now())`)
	w := &watch{Server: x.Server}
	look := func() { t.Helper(); require.NoError(t, w.look(t.Context())) }
	look()
	require.Empty(t, r.kinds(x))

	x.workflows.err = errors.New("away")
	look()
	require.Empty(t, r.kinds(x), "one slow answer is no absence")
	look()
	look() // it stays one absence
	require.Equal(t, []string{"temporal"}, r.kinds(x))
	require.Equal(t, []string{"temporal"}, r.concerns())
	story := as[Story](t, r.do(http.MethodGet, "/api/v1/messages/"+r.messages["queued"].String()+"/story", nil), http.StatusOK)
	last := story.Chapters[len(story.Chapters)-1]
	require.True(t, last.Lasts)
	require.Equal(t, "Waits: "+wait.Temporal.Words(), last.Words)

	x.exec(t, `UPDATE scopes SET page_live_until = now() + interval '1 minute'`)
	require.Empty(t, r.kinds(x), "a page that is live goes on to its end")
	x.exec(t, `UPDATE scopes SET page_live_until = NULL`)

	x.exec(t, `UPDATE positions SET at = now() - interval '40 seconds'`)
	look()
	require.Equal(t, []string{"temporal", "workers"}, r.kinds(x))
	x.exec(t, `UPDATE positions SET at = now()`)
	x.workflows.err = nil
	look()
	require.Empty(t, r.kinds(x))
	require.Empty(t, r.concerns())

	x.exec(t, `UPDATE absences SET began_at = began_at - interval '1 minute'`)
	story = as[Story](t, r.do(http.MethodGet, "/api/v1/messages/"+r.messages["queued"].String()+"/story", nil), http.StatusOK)
	var told []string
	for _, c := range story.Chapters {
		told = append(told, c.Words)
	}
	require.Contains(t, told[1], "Waited 1 min")
	require.Contains(t, told[1]+told[2], wait.Temporal.Past())
	require.Contains(t, told[1]+told[2], wait.Workers.Past())

	x.workflows.err = errors.New("away again")
	look()
	look()
	require.Equal(t, []string{"temporal"}, r.kinds(x), "a second absence")
	x.exec(t, `UPDATE campaigns SET state = 'paused' WHERE id = $1`, r.campaign)
	require.Empty(t, r.kinds(x), "a paused one waits for a person")
	x.exec(t, `UPDATE campaigns SET state = 'starting' WHERE id = $1`, r.campaign)
	require.Equal(t, []string{"temporal"}, r.kinds(x))
}

// A worker may stamp the database all the same.
func TestAWorkerThatDoesNotReachTemporalIsAway(t *testing.T) {
	x := newSite(t)
	now := time.Now()
	x.now = func() time.Time { return now }
	x.exec(t, `INSERT INTO positions (witness, mark, at) VALUES (gen_random_uuid(), 1, now())`)
	w := &watch{Server: x.Server}
	away := func() (since time.Time) {
		t.Helper()
		require.NoError(t, w.look(t.Context()))
		require.NoError(t, x.db.InSystem(t.Context(), func(tx postgres.Tx) error {
			missing, err := wait.Missing(t.Context(), tx)
			since = missing[wait.Workers]
			return err
		}))
		return since
	}
	x.workflows.idle = flow.ErrNoWorker
	began := now
	require.Zero(t, away())
	now = began.Add(workerSilent)
	require.Zero(t, away(), "after its restart Temporal knows of nobody for a moment")
	now = now.Add(time.Second)
	require.WithinDuration(t, began, away(), time.Millisecond)
	x.workflows.idle = nil
	require.Zero(t, away())
	x.workflows.idle = flow.ErrNoWorker
	require.Zero(t, away(), "another one begins anew")
}

func TestACampaignSaysWhatItWaitsFor(t *testing.T) {
	x := newSite(t)
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, saoPaulo(t))
	x.now = func() time.Time { return noon }
	r := x.newResults(t)
	x.exec(t, `UPDATE companies SET zone = 'America/Sao_Paulo', window_from = '07:00', window_until = '21:00' WHERE company_id = $1`, x.mine)
	x.exec(t, `UPDATE campaigns SET state = 'running', recipients = 600 WHERE id = $1`, r.campaign)
	zone := func(zones string, recipients, fed int) (set int32) {
		owner := pgtest.Owner(t, x.db)
		_, err := owner.Exec(t.Context(), `INSERT INTO zone_sets (zones) VALUES ($1) ON CONFLICT DO NOTHING`, zones)
		require.NoError(t, err)
		require.NoError(t, owner.QueryRow(t.Context(), `INSERT INTO campaign_zones (company_id, campaign_id, zone_set_id, recipients, fed_through)
			SELECT $1, $2, id, $4, $5 FROM zone_sets WHERE zones = $3 RETURNING zone_set_id`, x.mine, r.campaign, zones, recipients, fed).Scan(&set))
		return set
	}
	zone("America/Sao_Paulo", 100, 0)
	jakarta := zone("Asia/Jakarta", 200, 1)
	zone("Asia/Bangkok", 50, 0)
	zone("Asia/Tokyo", 7, 0)
	zone("Africa/Lagos,America/Sao_Paulo,Pacific/Noumea", 3, 0)
	zone("Asia/Singapore", 4, 4) // all of them done
	x.exec(t, `UPDATE messages SET zone_set_id = $2 WHERE id = $1`, r.messages["queued"], jakarta)
	x.exec(t, `INSERT INTO scopes (company_id, connection_id, limits) SELECT company_id, id, '{}' FROM connections ON CONFLICT (company_id, connection_id) DO UPDATE SET limits = '{}'`)

	waits := as[Campaign](t, r.get(""), http.StatusOK).Waits
	tokyo, jakartaOpens := time.Date(2026, 11, 23, 22, 0, 0, 0, time.UTC), time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	require.Equal(t, []Waiting{
		{"window", "It is outside the sending window 07:00–21:00 in Tokyo.", 7, &tokyo},
		{"window", "It is outside the sending window 07:00–21:00 in Jakarta, Bangkok.", 250, &jakartaOpens},
		{"window", "The clocks of Lagos, São Paulo, Noumea are never all inside the sending window 07:00–21:00.", 3, nil},
	}, waits)
	require.Equal(t, waits, as[CampaignList](t, r.do(http.MethodGet, "/api/v1/campaigns", nil), http.StatusOK).Items[0].Waits)

	x.exec(t, `UPDATE scopes SET limits = '{"per_hour":10}', taken_at = ARRAY[$1::timestamptz], taken = ARRAY[8]`, noon.Add(-20*time.Minute))
	x.rates = newRates()
	waits = as[Campaign](t, r.get(""), http.StatusOK).Waits
	free := noon.Add(40 * time.Minute).UTC()
	require.Equal(t, Waiting{"limits", "8 of 10 messages an hour are used, the rest is kept for answers.", 0, &free}, waits[0])

	x.exec(t, `INSERT INTO portfolios (company_id, id, contacts_24h, counted) VALUES ($1, '8001', 10, 9)`, x.mine)
	x.exec(t, `INSERT INTO portfolio_contacts (company_id, portfolio_id, contact_id, at) SELECT $1, '8001', gen_random_uuid(), $2::timestamptz + g * interval '1 hour' FROM generate_series(1, 9) g`,
		x.mine, noon.Add(-20*time.Hour))
	x.exec(t, `UPDATE scopes SET limits = NULL, portfolio_id = '8001'`)
	x.exec(t, `UPDATE campaigns SET content = '{"kind":"template","template":{"name":"hello_world","language":"en_US"}}'`)
	x.rates = newRates()
	waits = as[Campaign](t, r.get(""), http.StatusOK).Waits
	free = noon.Add(6 * time.Hour).UTC() // then the second of the nine is over, and seven are left
	require.Equal(t, Waiting{"limits", "9 of 10 different contacts within 24 hours are used, the rest is kept for answers.", 0, &free}, waits[0])

	x.exec(t, `UPDATE scopes SET portfolio_id = NULL`)
	x.exec(t, `INSERT INTO message_counts (company_id, connection_id, campaign_id, queued) SELECT company_id, connection_id, id, 1 FROM campaigns`)
	x.exec(t, `UPDATE messages SET zone_set_id = 1, retry_at = $2 WHERE id = $1`, r.messages["queued"], noon.Add(time.Minute))
	require.Equal(t, []string{"retry", "window", "window", "window"}, r.kinds(x))
	x.exec(t, `UPDATE scopes SET held_until = $1, held_reason = 'The provider can''t be reached.'`, noon.Add(time.Minute))
	require.Equal(t, []string{"connection", "window", "window", "window"}, r.kinds(x))
	x.exec(t, `UPDATE scopes SET held_until = NULL, held_reason = NULL, probing = true`)
	require.Equal(t, []string{"connection", "retry", "window", "window", "window"}, r.kinds(x))
	require.Nil(t, as[Campaign](t, r.get(""), http.StatusOK).FinishAt, "nobody knows when it goes on")
	x.exec(t, `INSERT INTO restore_holds (company_id, found_at, reason) VALUES ($1, now(), 'The database has gone back.')`, x.mine)
	require.Equal(t, []string{"restore", "window", "window", "window"}, r.kinds(x))
	require.Equal(t, "restore", r.concerns()[0])
}

// Two servers may watch; an absence that overlaps the one before begins after it.
func TestAbsencesDoNotOverlap(t *testing.T) {
	x := newSite(t)
	now := time.Now().UTC().Truncate(time.Second)
	do := func(work func(postgres.Tx) error) { t.Helper(); require.NoError(t, x.db.InSystem(t.Context(), work)) }
	do(func(tx postgres.Tx) error { return wait.Away(t.Context(), tx, wait.Workers, now.Add(-time.Minute)) })
	do(func(tx postgres.Tx) error { return wait.Away(t.Context(), tx, wait.Workers, now.Add(-50*time.Second)) })
	do(func(tx postgres.Tx) error {
		was, err := wait.Back(t.Context(), tx, wait.Workers, now)
		require.True(t, was)
		return err
	})
	do(func(tx postgres.Tx) error { return wait.Away(t.Context(), tx, wait.Workers, now.Add(-10*time.Second)) })
	do(func(tx postgres.Tx) error {
		missing, err := wait.Missing(t.Context(), tx)
		require.Len(t, missing, 1)
		require.WithinDuration(t, now, missing[wait.Workers], time.Millisecond)
		return err
	})
}
