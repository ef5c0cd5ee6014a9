package server

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/postgres/pgtest"
)

func TestAHoldAfterARestoreIsShownAndReleasedByAnAdmin(t *testing.T) {
	x := newSite(t)
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	x.addUser(t, &x.mine, "member@example.com", account.Member, false)
	ana, bob := x.signIn(t, "ana@example.com"), x.signIn(t, "bob@example.com")
	owner := pgtest.Owner(t, x.db)
	ana.do(http.MethodPost, "/api/v1/health/release", map[string]string{"open": "send"}).problem(t, http.StatusConflict)

	connection := ana.connect("3001")
	campaign := func(state string) string {
		made := as[Campaign](t, ana.do(http.MethodPost, "/api/v1/campaigns", campaignBodyWith(connection.ID)), http.StatusCreated)
		_, err := owner.Exec(t.Context(), `UPDATE campaigns SET state = $2, starts_at = now() + interval '1 day' WHERE id = $1`, made.ID, state)
		require.NoError(t, err)
		return made.ID
	}
	running, starting, planned := campaign("running"), campaign("starting"), campaign("scheduled")
	halted, due := campaign("paused"), campaign("scheduled")
	_, err := owner.Exec(t.Context(), `UPDATE campaigns SET resumes_at = CASE id WHEN $1 THEN now() END, starts_at = CASE id WHEN $2 THEN now() ELSE starts_at END`, halted, due)
	require.NoError(t, err)
	_, err = owner.Exec(t.Context(), `INSERT INTO restore_holds (company_id, found_at, reason) SELECT company_id, now(), 'The database has gone back.' FROM companies`)
	require.NoError(t, err)
	health := as[Health](t, ana.do(http.MethodGet, "/api/v1/health", nil), http.StatusOK)
	require.Equal(t, warn, health.Connections[0].State, "no connection says that it can send")
	part := health.Parts[0]
	require.Equal(t, "restore", part.Name)
	require.Equal(t, bad, part.State)
	require.Contains(t, part.Detail, "The database has gone back.")
	require.NotEmpty(t, part.Remedy)

	x.signIn(t, "member@example.com").do(http.MethodPost, "/api/v1/health/release", map[string]string{"open": "send"}).problem(t, http.StatusForbidden)
	ana.do(http.MethodPost, "/api/v1/health/release", map[string]string{"open": "perhaps"}).problem(t, http.StatusUnprocessableEntity)
	require.Equal(t, http.StatusNoContent, ana.do(http.MethodPost, "/api/v1/health/release", map[string]string{"open": "doubt"}).status)
	state := func(of string) (state string) {
		require.NoError(t, owner.QueryRow(t.Context(), `SELECT state FROM campaigns WHERE id = $1`, of).Scan(&state))
		return state
	}
	require.Equal(t, []string{"paused", "draft", "scheduled", "paused"}, []string{state(running), state(starting), state(planned), state(due)}, "what might go on by itself is stopped")
	var resumes int
	require.NoError(t, owner.QueryRow(t.Context(), `SELECT count(*) FROM campaigns WHERE resumes_at IS NOT NULL`).Scan(&resumes))
	require.Zero(t, resumes, "not even at the provider's time")
	require.Len(t, ana.auditLog("?action=restore.doubted"), 1)
	require.NotEqual(t, "restore", as[Health](t, ana.do(http.MethodGet, "/api/v1/health", nil), http.StatusOK).Parts[0].Name)
	require.Equal(t, "restore", as[Health](t, bob.do(http.MethodGet, "/api/v1/health", nil), http.StatusOK).Parts[0].Name, "another company decides for itself")
}
