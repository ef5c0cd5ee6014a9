package server

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/audit"
	"omnidesk/internal/contact"
	"omnidesk/internal/platform"
	"omnidesk/internal/postgres"
)

func TestThePlatformPage(t *testing.T) {
	x := newSite(t)
	x.addUser(t, nil, "root@example.com", account.Superadmin, false)
	root, ana := x.signIn(t, "root@example.com"), x.signIn(t, "ana@example.com")
	connection := ana.connect("3001")
	x.exec(t, `INSERT INTO scopes (company_id, connection_id, last_instant) VALUES ($1, $2, now()) ON CONFLICT (company_id, connection_id) DO UPDATE SET last_instant = now()`, x.mine, connection.ID)
	x.exec(t, `INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, lane, state, claimed_at)
		SELECT $1, gen_random_uuid(), $2::uuid, gen_random_uuid(), gen_random_uuid(), 4, 1, now() FROM generate_series(1, 3)`, x.mine, connection.ID)
	ctx := t.Context()
	go platform.Attend(ctx, x.db, "work", "1.2.3")
	show := func() Platform {
		return as[Platform](t, root.do(http.MethodGet, "/api/v1/platform", nil), http.StatusOK)
	}
	require.Eventually(t, func() bool { return len(show().Processes) == 1 }, 20*time.Second, 20*time.Millisecond)
	view := show()
	require.Equal(t, "1.2.3", view.Processes[0].Version)
	require.Equal(t, "test", view.Version)
	require.GreaterOrEqual(t, view.Schema, int64(41))
	require.Nil(t, view.Drained)
	require.Len(t, view.Flights, 1)
	require.Equal(t, 3, view.Flights[0].Messages)
	require.Equal(t, connection.ID, view.Flights[0].ConnectionID)

	require.Equal(t, http.StatusNoContent, root.do(http.MethodPost, "/api/v1/platform/drain", nil).status)
	root.do(http.MethodPost, "/api/v1/platform/drain", nil).problem(t, http.StatusConflict)
	require.Equal(t, "A Person", show().Drained.By)
	require.Contains(t, ana.do(http.MethodGet, "/api/v1/dashboard/concerns", nil).body, "drained for an upgrade")
	health := as[Health](t, ana.do(http.MethodGet, "/api/v1/health", nil), http.StatusOK)
	require.Equal(t, "drained", health.Parts[1].Name)
	require.Contains(t, health.Parts[1].Remedy, "resumes it")
	ana.do(http.MethodPost, "/api/v1/platform/resume", nil).problem(t, http.StatusForbidden)
	require.Equal(t, http.StatusNoContent, root.do(http.MethodPost, "/api/v1/platform/resume", nil).status)
	root.do(http.MethodPost, "/api/v1/platform/resume", nil).problem(t, http.StatusConflict)
	require.Nil(t, show().Drained)
	require.NoError(t, x.db.InSystem(ctx, func(tx postgres.Tx) error {
		lines, err := audit.List(ctx, tx, audit.Platform, audit.Filter{Before: contact.First}, 10)
		require.Equal(t, []audit.Action{"resumePlatform", "drainPlatform", "login"}, []audit.Action{lines[0].Action, lines[1].Action, lines[2].Action})
		return err
	}))

	figures := as[PlatformFigures](t, root.do(http.MethodGet, "/api/v1/platform/companies", nil), http.StatusOK)
	require.Len(t, figures.Items, 2)
	for _, one := range figures.Items {
		if one.ID == x.mine.String() {
			require.Equal(t, []int{1, 1}, []int{one.People, one.Connections})
			require.NotNil(t, one.LastSeen)
		}
	}
	require.Empty(t, as[PlatformFigures](t, root.do(http.MethodGet, "/api/v1/platform/companies?offset=2", nil), http.StatusOK).Items)
}

func TestSuperadminsAreAddedAndRemovedButTheLast(t *testing.T) {
	x := newSite(t)
	x.addUser(t, nil, "root@example.com", account.Superadmin, false)
	root := x.signIn(t, "root@example.com")
	list := func() []Superadmin {
		return as[SuperadminList](t, root.do(http.MethodGet, "/api/v1/platform/superadmins", nil), http.StatusOK).Items
	}
	me := list()[0]
	require.True(t, me.You)
	root.do(http.MethodDelete, "/api/v1/platform/superadmins/"+me.ID, nil).problem(t, http.StatusConflict)
	root.do(http.MethodPost, "/api/v1/platform/superadmins", map[string]string{"name": "Eva", "email": "nobody"}).problem(t, http.StatusUnprocessableEntity)
	root.do(http.MethodPost, "/api/v1/platform/superadmins", map[string]string{"name": "Eva", "email": "ana@example.com"}).problem(t, http.StatusUnprocessableEntity)
	made := as[NewSuperadmin](t, root.do(http.MethodPost, "/api/v1/platform/superadmins", map[string]string{"name": "Eva", "email": "Eva@Example.com"}), http.StatusCreated)
	require.Equal(t, "eva@example.com", made.Email)
	require.NotContains(t, x.log.String(), made.Password)
	eva := x.anonymous(t)
	require.True(t, as[Me](t, eva.do(http.MethodPost, "/api/v1/auth/login", map[string]string{"email": made.Email, "password": made.Password}), http.StatusOK).User.MustChangePassword)
	require.Len(t, list(), 2)
	require.True(t, list()[1].New)
	require.Equal(t, http.StatusNoContent, root.do(http.MethodDelete, "/api/v1/platform/superadmins/"+list()[1].ID, nil).status)
	eva.do(http.MethodGet, "/api/v1/auth/me", nil).problem(t, http.StatusUnauthorized)
	require.Len(t, list(), 1)
	ana := as[Me](t, x.signIn(t, "ana@example.com").do(http.MethodGet, "/api/v1/auth/me", nil), http.StatusOK)
	root.do(http.MethodDelete, "/api/v1/platform/superadmins/"+ana.User.ID, nil).problem(t, http.StatusNotFound)
}
