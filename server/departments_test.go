package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

func (x *site) idOf(t *testing.T, email string) (person id.ID) {
	t.Helper()
	require.NoError(t, x.db.InSystem(t.Context(), func(tx postgres.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT id FROM users WHERE email = $1`, email).Scan(&person)
	}))
	return person
}

// A user works with the connections of their departments and with those of none; of the others they learn nothing.
func TestAUserSeesTheConnectionsOfTheirDepartments(t *testing.T) {
	x := newSite(t)
	x.addUser(t, &x.mine, "ulla@example.com", account.Member, false)
	ana, ulla := x.signIn(t, "ana@example.com"), x.signIn(t, "ulla@example.com")
	department := func(name string) string {
		return as[Created](t, ana.do(http.MethodPost, "/api/v1/departments", map[string]string{"name": name}), http.StatusCreated).ID
	}
	sales, support := department("Sales"), department("Support")
	connect := func(number, of string) Connection {
		body := connectionBody(number)
		body["name"], body["department_id"] = "Line "+number, of
		if of == "" {
			delete(body, "department_id")
		}
		return as[Connection](t, ana.do(http.MethodPost, "/api/v1/connections", body), http.StatusCreated)
	}
	ours, others, everybodys := connect("3001", sales), connect("3002", support), connect("3003", "")
	require.Equal(t, http.StatusNoContent, ana.do(http.MethodPut, "/api/v1/departments/"+sales+"/members", map[string]any{"person_ids": []string{x.idOf(t, "ulla@example.com").String()}}).status)

	seen := func() (names []string) {
		for _, c := range as[ConnectionList](t, ulla.do(http.MethodGet, "/api/v1/connections", nil), http.StatusOK).Items {
			require.Empty(t, c.VerifyToken)
			require.Empty(t, c.WebhookURL)
			names = append(names, c.Name)
		}
		return names
	}
	require.Equal(t, []string{"Line 3001", "Line 3003"}, seen())
	for _, path := range []string{"/api/v1/connections/%", "/api/v1/connections/%/live"} {
		ulla.path(path, ours.ID).is(t, http.StatusOK)
		ulla.path(path, everybodys.ID).is(t, http.StatusOK)
		require.NotContains(t, ulla.path(path, others.ID).is(t, http.StatusNotFound).body, "3002")
		ana.path(path, others.ID).is(t, http.StatusOK)
	}

	contact := as[Contact](t, ana.do(http.MethodPost, "/api/v1/contacts", `{"name":"Zoe","phone":"+5511990000100"}`), http.StatusCreated)
	hidden, shown := x.message(t, others.ID, contact.ID), x.message(t, ours.ID, contact.ID)
	for _, path := range []string{"/api/v1/messages/%", "/api/v1/messages/%/story"} {
		ulla.path(path, shown).is(t, http.StatusOK)
		ulla.path(path, hidden).is(t, http.StatusNotFound)
		ana.path(path, hidden).is(t, http.StatusOK)
	}
	timeline := ulla.path("/api/v1/contacts/%/timeline", contact.ID).is(t, http.StatusOK)
	require.Contains(t, timeline.body, shown)
	require.Contains(t, timeline.body, "Line 3001", "on which the contact wrote")
	require.NotContains(t, timeline.body, hidden)
	require.NotContains(t, timeline.body, "Line 3002")
	require.Equal(t, http.StatusOK, ana.do(http.MethodPost, "/api/v1/connections/"+others.ID+"/templates/sync", nil).status)
	templates := ulla.do(http.MethodGet, "/api/v1/templates", nil).is(t, http.StatusOK)
	require.Contains(t, templates.body, ours.ID)
	require.NotContains(t, templates.body, others.ID)
	require.Contains(t, ana.do(http.MethodGet, "/api/v1/templates", nil).body, others.ID)

	ulla.do(http.MethodGet, `/api/v1/contacts?filter=not%20sent:"x"`, nil).problem(t, http.StatusForbidden)
	ulla.do(http.MethodGet, `/api/v1/contacts/count?filter=(name="x"%20or%20not%20sent:"x")`, nil).problem(t, http.StatusForbidden)
	require.Equal(t, http.StatusOK, ulla.do(http.MethodGet, `/api/v1/contacts?filter=name="Zoe"`, nil).status)

	// Departments are read with each request: no new login.
	require.Equal(t, http.StatusNoContent, ana.do(http.MethodPut, "/api/v1/departments/"+sales+"/members", `{"person_ids":[]}`).status)
	require.Equal(t, []string{"Line 3003"}, seen())
	require.Equal(t, http.StatusOK, ana.do(http.MethodPatch, "/api/v1/connections/"+others.ID, `{"department_id":null}`).status)
	require.Equal(t, []string{"Line 3002", "Line 3003"}, seen())
}

func TestADepartmentInUseIsNotDeleted(t *testing.T) {
	x := newSite(t)
	ana := x.signIn(t, "ana@example.com")
	made := as[Created](t, ana.do(http.MethodPost, "/api/v1/departments", `{"name":"Sales"}`), http.StatusCreated).ID
	require.Equal(t, []string{"body.name"}, ana.do(http.MethodPost, "/api/v1/departments", `{"name":"sALES"}`).problem(t, http.StatusUnprocessableEntity).fields())
	connection := ana.connect("3001")
	patch := func(of string) answer {
		return ana.do(http.MethodPatch, "/api/v1/connections/"+connection.ID, map[string]string{"department_id": of})
	}
	require.Equal(t, made, *as[Connection](t, patch(made), http.StatusOK).Department)
	for _, wrong := range []string{id.New().String(), "x"} {
		require.Equal(t, []string{"body.department_id"}, patch(wrong).problem(t, http.StatusUnprocessableEntity).fields())
	}
	remove := func() answer { return ana.do(http.MethodDelete, "/api/v1/departments/"+made, nil) }
	require.Contains(t, remove().problem(t, http.StatusConflict).Detail, "1 connection: “Sales”. Give")
	require.Equal(t, http.StatusNoContent, ana.do(http.MethodDelete, "/api/v1/connections/"+connection.ID, nil).status)
	require.Equal(t, http.StatusNoContent, remove().status)
	require.Equal(t, []string{"body.department_id"}, patchNew(ana, made).problem(t, http.StatusUnprocessableEntity).fields(), "a deleted one is none")
}

func patchNew(c *caller, department string) answer {
	body := connectionBody("3009")
	body["department_id"] = department
	return c.do(http.MethodPost, "/api/v1/connections", body)
}

// path asks for a path with an id in it.
func (c *caller) path(path, of string) answer {
	return c.do(http.MethodGet, strings.ReplaceAll(path, "%", of), nil)
}

func (a answer) is(t *testing.T, status int) answer {
	t.Helper()
	require.Equal(t, status, a.status, a.body)
	return a
}

// message is one of a connection to a contact, who has written there, too.
func (x *site) message(t *testing.T, connection, contact string) string {
	t.Helper()
	made, owner := id.New(), pgtest.Owner(t, x.db)
	for one, sort := range map[id.ID][]int{made: {0, 1, 0}, id.New(): {1, 0, 10}} { // direction, lane, state: one to the contact, one from there
		_, err := owner.Exec(t.Context(), `WITH m AS (INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, direction, lane, state)
				SELECT company_id, $2, $3, contact_id, id, $5, $6, $7 FROM identities WHERE company_id = $1 AND contact_id = $4 RETURNING *)
			INSERT INTO contact_messages (company_id, contact_id, message_id) SELECT company_id, contact_id, id FROM m`, x.mine, one, connection, contact, sort[0], sort[1], sort[2])
		require.NoError(t, err)
	}
	return made.String()
}
