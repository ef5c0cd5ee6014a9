package server

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/postgres/pgtest"
)

func TestSettingsNameWhatIsUnfitAndKeepTheRest(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	before := as[Settings](t, c.do(http.MethodGet, "/api/v1/company", nil), http.StatusOK)
	require.Equal(t, "00:00", before.WindowFrom, "companies of tests send at any hour")
	require.Equal(t, "24:00", before.WindowUntil)
	for _, one := range []struct {
		body   Settings
		fields []string
	}{
		{Settings{"Acme", "Mars/Base", "07:00", "21:00"}, []string{"body.zone"}},
		{Settings{"Acme", "Local", "7", "25:00"}, []string{"body.zone", "body.window_from", "body.window_until"}},
		{Settings{" ", "UTC", "21:00", "21:00"}, []string{"body.name", "body.window_until"}},
	} {
		require.Equal(t, one.fields, c.do(http.MethodPut, "/api/v1/company", one.body).problem(t, http.StatusUnprocessableEntity).fields())
	}
	require.Equal(t, before, as[Settings](t, c.do(http.MethodGet, "/api/v1/company", nil), http.StatusOK))

	connection := c.connect("3001")
	owner := pgtest.Owner(t, x.db)
	_, err := owner.Exec(t.Context(), `INSERT INTO omnidesk.campaigns (company_id, id, connection_id, name, state, content, audience)
		VALUES ($1, gen_random_uuid(), $2, 'Running', 'running', '{}', '{}')`, x.mine, connection.ID)
	require.NoError(t, err)
	_, err = owner.Exec(t.Context(), `DELETE FROM omnidesk.wakes`) // of the new connection
	require.NoError(t, err)
	early := Settings{"Acme", "Asia/Jakarta", "05:30", "24:00"}
	require.Equal(t, early, as[Settings](t, c.do(http.MethodPut, "/api/v1/company", early), http.StatusOK))
	var wakes int
	require.NoError(t, owner.QueryRow(t.Context(), `SELECT count(*) FROM omnidesk.wakes`).Scan(&wakes))
	require.Equal(t, 2, wakes, "campaign and sender look again")
	require.Equal(t, "Asia/Jakarta", as[Me](t, c.do(http.MethodGet, "/api/v1/auth/me", nil), http.StatusOK).Company.Zone)
}

// TestASetupGoesOnWhereItWas follows a new company from its making through its first steps.
func TestASetupGoesOnWhereItWas(t *testing.T) {
	x := newSite(t)
	x.addUser(t, nil, "root@example.com", account.Superadmin, false)
	root, ana := x.signIn(t, "root@example.com"), x.signIn(t, "ana@example.com")
	wish := map[string]string{"name": "Kopi", "zone": "Asia/Jakarta", "email": "Siti@Kopi.example"}
	ana.do(http.MethodPost, "/api/v1/companies", wish).problem(t, http.StatusForbidden)
	made := as[NewTenant](t, root.do(http.MethodPost, "/api/v1/companies", wish), http.StatusCreated)
	require.Equal(t, "siti@kopi.example", made.Email)
	require.NotContains(t, x.log.String(), made.Password)
	require.Equal(t, []string{"body.email"}, root.do(http.MethodPost, "/api/v1/companies", wish).problem(t, http.StatusUnprocessableEntity).fields())
	wish["email"], wish["zone"] = "nobody", "Mars"
	require.Equal(t, []string{"body.email"}, root.do(http.MethodPost, "/api/v1/companies", wish).problem(t, http.StatusUnprocessableEntity).fields())
	wish["email"] = "other@kopi.example"
	require.Equal(t, []string{"body.zone"}, root.do(http.MethodPost, "/api/v1/companies", wish).problem(t, http.StatusUnprocessableEntity).fields())
	kopis := 0
	for _, company := range as[CompanyList](t, root.do(http.MethodGet, "/api/v1/companies", nil), http.StatusOK).Items {
		if company.Name == "Kopi" {
			kopis++
		}
	}
	require.Equal(t, 1, kopis, "a taken address leaves no company behind")

	states := func() (list []string) {
		for _, step := range as[Setup](t, ana.do(http.MethodGet, "/api/v1/company/setup", nil), http.StatusOK).Steps {
			list = append(list, step.Name+" "+step.State)
		}
		return list
	}
	stands := func() string {
		return as[Me](t, ana.do(http.MethodGet, "/api/v1/auth/me", nil), http.StatusOK).Company.Setup
	}
	require.Equal(t, "new", stands())
	require.Equal(t, []string{"company open", "connect open", "import open", "test open", "campaign open"}, states())
	as[Settings](t, ana.do(http.MethodPut, "/api/v1/company", Settings{"Acme", "UTC", "07:00", "21:00"}), http.StatusOK)
	ana.connect("3001")
	ana.do(http.MethodPut, "/api/v1/company/setup", `{"skipped":["lunch"],"dismissed":false}`).problem(t, http.StatusUnprocessableEntity)
	as[Setup](t, ana.do(http.MethodPut, "/api/v1/company/setup", `{"skipped":["import","connect"],"dismissed":false}`), http.StatusOK)
	require.Equal(t, "open", stands())
	require.Equal(t, []string{"company done", "connect done", "import skipped", "test open", "campaign open"}, states())
	as[Contact](t, ana.do(http.MethodPost, "/api/v1/contacts", `{"name":"Ana","phone":"+5511990000100"}`), http.StatusCreated)
	require.Equal(t, "import skipped", states()[2], "one contact may be the phone of a test")
	as[Contact](t, ana.do(http.MethodPost, "/api/v1/contacts", `{"name":"Bo","phone":"+5511990000101"}`), http.StatusCreated)
	require.Equal(t, "import done", states()[2], "what is done is not skipped")
	require.True(t, as[Setup](t, ana.do(http.MethodPut, "/api/v1/company/setup", `{"skipped":[],"dismissed":true}`), http.StatusOK).Dismissed)
	require.Equal(t, "done", stands())
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	x := newSite(t)
	desk, phone := x.signIn(t, "ana@example.com"), x.signIn(t, "ana@example.com")
	x.addUser(t, &x.theirs, "eva@example.com", account.Admin, false)
	stranger := x.signIn(t, "eva@example.com")
	list := as[SessionList](t, desk.do(http.MethodGet, "/api/v1/auth/sessions", nil), http.StatusOK).Items
	require.Len(t, list, 2)
	var mine, other Session
	for _, one := range list {
		if one.This {
			mine = one
		} else {
			other = one
		}
	}
	require.Equal(t, "127.0.0.0/24", mine.Network)
	stranger.do(http.MethodDelete, "/api/v1/auth/sessions/"+other.ID, nil).problem(t, http.StatusNotFound)
	desk.do(http.MethodDelete, "/api/v1/auth/sessions/"+mine.ID, nil).problem(t, http.StatusConflict)
	require.Equal(t, http.StatusNoContent, desk.do(http.MethodDelete, "/api/v1/auth/sessions/"+other.ID, nil).status)
	phone.do(http.MethodGet, "/api/v1/auth/me", nil).problem(t, http.StatusUnauthorized)
	again := x.signIn(t, "ana@example.com")
	require.Equal(t, http.StatusNoContent, desk.do(http.MethodDelete, "/api/v1/auth/sessions", nil).status)
	again.do(http.MethodGet, "/api/v1/auth/me", nil).problem(t, http.StatusUnauthorized)
	require.Equal(t, http.StatusOK, stranger.do(http.MethodGet, "/api/v1/auth/me", nil).status)
}
