package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/id"
)

// walk returns every route as METHOD path → its name in the table.
func walkRoutes(t *testing.T, s *Server) map[string]string {
	t.Helper()
	routes := map[string]string{}
	for path, item := range s.api.OpenAPI().Paths {
		for _, o := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch, item.Head, item.Options, item.Trace} {
			if o != nil {
				gin := strings.NewReplacer("{", ":", "}", "").Replace(path)
				routes[o.Method+" "+gin] = o.OperationID
			}
		}
	}
	for route, name := range s.routes {
		routes[route] = name
	}
	return routes
}

func TestEveryRouteStandsInTheTable(t *testing.T) {
	s, err := New(Options{PublicURL: "http://localhost", TemporalUI: "http://127.0.0.1:1"})
	require.NoError(t, err)
	known := walkRoutes(t, s)
	used := map[string]bool{}
	for _, route := range s.engine.Routes() {
		name, there := known[route.Method+" "+route.Path]
		require.True(t, there, "%s %s is neither an operation nor a plain route", route.Method, route.Path)
		require.NotEqual(t, nobody, table[name].least, "%s (%s %s) is missing in the table", name, route.Method, route.Path)
		used[name] = true
	}
	for name := range table {
		require.True(t, used[name], "the table names %s, which does not exist", name)
	}
}

// Every route that is not public refuses strangers, and every one for admins refuses members; a person whose
// password must be changed reaches only what changes it.
func TestWhoMayCallWhat(t *testing.T) {
	x := newSite(t)
	x.addUser(t, &x.mine, "member@example.com", account.Member, false)
	x.addUser(t, &x.mine, "new@example.com", account.Admin, true)
	x.addUser(t, nil, "root@example.com", account.Superadmin, false)
	callers := map[string]*caller{"nobody": x.anonymous(t), "member": x.signIn(t, "member@example.com"),
		"new": x.signIn(t, "new@example.com"), "outside": x.signIn(t, "root@example.com")}
	for route, name := range walkRoutes(t, x.Server) {
		rule := table[name]
		if rule.least <= anyone {
			continue
		}
		method, path, _ := strings.Cut(route, " ")
		path = strings.NewReplacer(":id", id.New().String(), "*path", "x").Replace(path)
		want := map[string]int{"nobody": http.StatusUnauthorized}
		if rule.least >= admin {
			want["member"] = http.StatusForbidden
		}
		if !rule.beforeSet {
			want["new"] = http.StatusForbidden
		}
		if rule.company {
			want["outside"] = http.StatusForbidden
		}
		for who, status := range want {
			if rule.hideRefuse {
				status = http.StatusNotFound
			}
			a := callers[who].do(method, path, nil)
			require.Equal(t, status, a.status, "%s calls %s %s: %s", who, method, path, a.body)
			if method != http.MethodHead {
				a.problem(t, status)
			}
		}
	}
	p := callers["new"].do(http.MethodGet, "/api/v1/contacts", nil).problem(t, http.StatusForbidden)
	require.True(t, strings.HasSuffix(p.Type, "/must-change-password"))
}

func TestALoginAndWhatItSays(t *testing.T) {
	x := newSite(t)
	c := x.anonymous(t)
	a := c.do(http.MethodPost, "/api/v1/auth/login", map[string]string{"email": " Ana@Example.com ", "password": testPassword})
	me := as[Me](t, a, http.StatusOK)
	require.Equal(t, "ana@example.com", me.User.Email)
	require.Equal(t, x.mine.String(), me.Company.ID)
	require.False(t, me.TemporalUI)
	set := a.header.Get("Set-Cookie")
	for _, attribute := range []string{cookieName + "=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"} {
		require.Contains(t, set, attribute)
	}
	require.NotContains(t, set, "Domain")
	require.NotContains(t, a.body, "$2a$")
	require.Equal(t, me, as[Me](t, c.do(http.MethodGet, "/api/v1/auth/me", nil), http.StatusOK))

	require.Equal(t, http.StatusNoContent, c.do(http.MethodPost, "/api/v1/auth/logout", nil).status)
	c.cookie = &http.Cookie{Name: cookieName, Value: strings.TrimPrefix(strings.Split(set, ";")[0], cookieName+"=")}
	c.do(http.MethodGet, "/api/v1/auth/me", nil).problem(t, http.StatusUnauthorized)
	require.NotContains(t, x.log.String(), testPassword)
	require.NotContains(t, x.log.String(), "ana@example.com")
}

func TestWrongLoginsAreTheSameAndSlowDown(t *testing.T) {
	x := newSite(t)
	c := x.anonymous(t)
	wrong := func(email string) answer {
		return c.do(http.MethodPost, "/api/v1/auth/login", map[string]string{"email": email, "password": "not the password"})
	}
	first, second := wrong("ana@example.com").problem(t, http.StatusUnauthorized), wrong("nobody@example.com").problem(t, http.StatusUnauthorized)
	require.Equal(t, "E-mail or password is wrong.", first.Detail)
	first.Instance, second.Instance = "", ""
	require.Equal(t, first, second)
	require.Nil(t, c.cookie)
	for range 4 {
		wrong("ana@example.com").problem(t, http.StatusUnauthorized)
	}
	slowed := wrong("ana@example.com")
	slowed.problem(t, http.StatusTooManyRequests)
	require.NotEmpty(t, slowed.header.Get("Retry-After"))
}

func TestTheFirstPasswordMustBeChanged(t *testing.T) {
	x := newSite(t)
	x.addUser(t, nil, "root@example.com", account.Superadmin, true)
	c := x.signIn(t, "root@example.com")
	require.True(t, as[Me](t, c.do(http.MethodGet, "/api/v1/auth/me", nil), http.StatusOK).User.MustChangePassword)
	c.do(http.MethodGet, "/api/v1/companies", nil).problem(t, http.StatusForbidden)
	change := func(current, next string) answer {
		return c.do(http.MethodPost, "/api/v1/auth/password", map[string]string{"current_password": current, "new_password": next})
	}
	require.Equal(t, []string{"body.current_password"}, change("wrong", "another long phrase").problem(t, http.StatusUnprocessableEntity).fields())
	a := change(testPassword, "short")
	require.Equal(t, []string{"body.new_password"}, a.problem(t, http.StatusUnprocessableEntity).fields())
	require.NotContains(t, a.body, `"short"`)
	require.Equal(t, http.StatusNoContent, change(testPassword, "another long phrase").status)
	require.False(t, as[Me](t, c.do(http.MethodGet, "/api/v1/auth/me", nil), http.StatusOK).User.MustChangePassword)

	companies := as[CompanyList](t, c.do(http.MethodGet, "/api/v1/companies", nil), http.StatusOK)
	require.Len(t, companies.Items, 2)
	me := as[Me](t, c.do(http.MethodPost, "/api/v1/auth/company", map[string]any{"company_id": x.theirs.String()}), http.StatusOK)
	require.Equal(t, x.theirs.String(), me.Company.ID)
	require.Equal(t, http.StatusOK, c.do(http.MethodGet, "/api/v1/contacts", nil).status)
	me = as[Me](t, c.do(http.MethodPost, "/api/v1/auth/company", map[string]any{"company_id": nil}), http.StatusOK)
	require.Nil(t, me.Company)
	c.do(http.MethodPost, "/api/v1/auth/company", map[string]any{"company_id": id.New().String()}).problem(t, http.StatusNotFound)
}
