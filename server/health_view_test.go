package server

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/wait"
	"omnidesk/internal/wake"
)

func TestEachRedLineNamesItsRemedy(t *testing.T) {
	now := time.Now()
	served := func(seen time.Time, names ...string) (queues []flow.Queue) {
		for _, name := range names {
			queues = append(queues, flow.Queue{Name: name, Pollers: []flow.Poller{{Identity: "1@desk", Seen: seen}}})
		}
		return queues
	}
	healthy := platformLook{at: now, vitals: postgres.Vitals{Latency: time.Millisecond}, queues: served(now, "workflows", "work", "send")}
	for name, c := range map[string]struct {
		change func(*platformLook)
		part   string
		state  string
		says   string
	}{
		"database away":     {func(l *platformLook) { l.database = errors.New("secret address") }, "database", bad, "does not answer"},
		"database slow":     {func(l *platformLook) { l.vitals.Latency = time.Second }, "database", warn, "1000 ms"},
		"clock a bit off":   {func(l *platformLook) { l.vitals.ClockLead = -700 * time.Millisecond }, "clock", warn, "700ms"},
		"clock far off":     {func(l *platformLook) { l.vitals.ClockLead = 3 * time.Second }, "clock", bad, "3s"},
		"stray rows":        {func(l *platformLook) { l.vitals.Stray = 4 }, "partitions", bad, "4 messages"},
		"temporal away":     {func(l *platformLook) { l.temporal = errors.New("secret address") }, "temporal", bad, "nothing is lost"},
		"workers not told":  {func(l *platformLook) { l.workers = errors.New("secret address") }, "workers", warn, "does not tell"},
		"no worker":         {func(l *platformLook) { l.queues = served(now.Add(-3*time.Minute), "workflows", "work", "send") }, "workers", bad, "Nobody asks"},
		"silent workers":    {func(l *platformLook) { l.missing = map[wait.Part]time.Time{wait.Workers: now.Add(-40 * time.Second)} }, "workers", bad, "for 40s"},
		"a queue unserved":  {func(l *platformLook) { l.queues[2].Pollers = nil }, "workers", bad, "send"},
		"wakes wait":        {func(l *platformLook) { l.wakes = wake.Backlog{Waiting: 7, Oldest: now.Add(-time.Minute)} }, "wakes", warn, "7 things"},
		"wakes wait longer": {func(l *platformLook) { l.wakes = wake.Backlog{Waiting: 7, Oldest: now.Add(-time.Hour)} }, "wakes", bad, "1h"},
	} {
		t.Run(name, func(t *testing.T) {
			look := healthy
			look.queues = append([]flow.Queue{}, healthy.queues...)
			for _, part := range look.parts(true) {
				require.Equal(t, good, part.State, part)
				require.Empty(t, part.Remedy)
			}
			c.change(&look)
			found := false
			for _, part := range look.parts(true) {
				require.NotContains(t, part.Detail+part.Remedy, "secret")
				if part.Name != c.part {
					require.Equal(t, good, part.State, part)
					continue
				}
				found = true
				require.Equal(t, c.state, part.State)
				require.Contains(t, part.Detail, c.says)
				require.NotEmpty(t, part.Remedy)
			}
			require.True(t, found)
		})
	}
}

func TestHealthShowsAdminsTheirPartAndSuperadminsAll(t *testing.T) {
	x := newSite(t)
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	x.addUser(t, nil, "root@example.com", account.Superadmin, false)
	x.addUser(t, &x.mine, "member@example.com", account.Member, false)
	x.workflows.queues = []flow.Queue{{Name: "send", Pollers: []flow.Poller{{Identity: "1@desk", Seen: time.Now()}}}}
	ana, bob, root := x.signIn(t, "ana@example.com"), x.signIn(t, "bob@example.com"), x.signIn(t, "root@example.com")
	held := ana.connect("3001")
	x.adapter.check = channel.Check{Detail: "The token has expired."}
	failing := ana.connect("3002")
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	owner := pgtest.Owner(t, x.db)
	_, err := owner.Exec(t.Context(), `INSERT INTO scopes (company_id, connection_id, held_until, held_reason) VALUES ($1, $2, $3, 'Slow down.')
		ON CONFLICT (company_id, connection_id) DO UPDATE SET held_until = EXCLUDED.held_until, held_reason = EXCLUDED.held_reason`, x.mine, held.ID, until)
	require.NoError(t, err)
	sent := time.Now().UTC().Truncate(time.Second)
	_, err = owner.Exec(t.Context(), `INSERT INTO message_counts (company_id, connection_id, sent, at) VALUES ($1, $2, 1, $3)`, x.mine, held.ID, sent)
	require.NoError(t, err)

	mine := as[Health](t, ana.do(http.MethodGet, "/api/v1/health", nil), http.StatusOK)
	require.Empty(t, mine.Queues)
	names := func(h Health) (list []string) {
		for _, part := range h.Parts {
			list = append(list, part.Name)
		}
		return list
	}
	require.Equal(t, []string{"database", "temporal", "workers", "wakes", "webhooks"}, names(mine))
	require.Len(t, mine.Connections, 2)
	for _, c := range mine.Connections {
		if c.ID == failing.ID {
			require.Equal(t, bad, c.State)
			require.Equal(t, "The token has expired.", c.Detail)
			require.Nil(t, c.SentAt)
			continue
		}
		require.Equal(t, HealthConnection{ID: held.ID, Name: held.Name, State: warn, Detail: "Slow down.", Remedy: c.Remedy, Until: &until, SentAt: &sent}, c)
	}
	require.Empty(t, as[Health](t, bob.do(http.MethodGet, "/api/v1/health", nil), http.StatusOK).Connections)
	all := as[Health](t, root.do(http.MethodGet, "/api/v1/health", nil), http.StatusOK)
	require.Equal(t, []string{"database", "clock", "partitions", "temporal", "workers", "wakes"}, names(all))
	require.Len(t, all.Queues, 1)
	require.Empty(t, all.Connections)
	x.signIn(t, "member@example.com").do(http.MethodGet, "/api/v1/health", nil).problem(t, http.StatusForbidden)
}

func TestHealthAnswersWhenTemporalHangs(t *testing.T) {
	x := newSite(t)
	x.workflows.slow = true
	c := x.signIn(t, "ana@example.com")
	health := as[Health](t, c.do(http.MethodGet, "/api/v1/health", nil), http.StatusOK)
	require.Equal(t, good, health.Parts[0].State)
	require.Equal(t, bad, health.Parts[1].State)
	x.workflows.slow = false
	require.Equal(t, health.Parts, as[Health](t, c.do(http.MethodGet, "/api/v1/health", nil), http.StatusOK).Parts, "one look serves for two seconds")
}
