package server

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
)

func TestContactsAreChosenBySearchSegmentAndFilter(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	for _, body := range []string{
		`{"name":"José da Silva","phone":"+5511990000100","tags":["vip"],"attributes":{"city":"Recife"}}`,
		`{"name":"Mariana Souza","phone":"+5521990000200","attributes":{"city":"Natal"}}`,
	} {
		as[Contact](t, c.do(http.MethodPost, "/api/v1/contacts", body), http.StatusCreated)
	}
	segment := as[Segment](t, c.do(http.MethodPost, "/api/v1/segments", `{"name":"In Recife","filter":"city = Recife"}`), http.StatusCreated)
	for query, want := range map[string]string{
		"q=jose": "José da Silva", "q=990000200": "Mariana Souza", "segment_id=" + segment.ID: "José da Silva",
		"filter=" + url.QueryEscape(`not tag:"vip"`):                            "Mariana Souza",
		"q=souza&filter=" + url.QueryEscape(`city starts na and not opted_out`): "Mariana Souza",
	} {
		list := as[ContactList](t, c.do(http.MethodGet, "/api/v1/contacts?"+query, nil), http.StatusOK)
		require.Len(t, list.Items, 1, query)
		require.Equal(t, want, list.Items[0].Name, query)
		require.Empty(t, list.NextCursor)
		require.Equal(t, Count{Count: 1}, as[Count](t, c.do(http.MethodGet, "/api/v1/contacts/count?"+query, nil), http.StatusOK), query)
	}
	for query, field := range map[string]string{
		"filter=" + url.QueryEscape(`city = Recife and`):                           "query.filter",
		"tag_id=01a20000-0000-7000-8000-000000000000":                              "query.tag_id",
		"segment_id=01a20000-0000-7000-8000-000000000000":                          "query.segment_id",
		"segment_id=" + segment.ID + "&filter=" + url.QueryEscape(`city = Recife`): "query.filter",
	} {
		for _, path := range []string{"/api/v1/contacts?", "/api/v1/contacts/count?"} {
			require.Equal(t, []string{field}, c.do(http.MethodGet, path+query, nil).problem(t, http.StatusUnprocessableEntity).fields(), query)
		}
	}
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	bob := x.signIn(t, "bob@example.com")
	require.Equal(t, []string{"query.segment_id"}, bob.do(http.MethodGet, "/api/v1/contacts?segment_id="+segment.ID, nil).problem(t, http.StatusUnprocessableEntity).fields())
	require.Empty(t, as[ContactList](t, bob.do(http.MethodGet, "/api/v1/contacts?q=jose", nil), http.StatusOK).Items)
	require.NotContains(t, x.log.String(), "jose", "what is searched for is in no log")
}

func TestASegmentIsChangedByVersionAndKeptWhileInUse(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	made := as[Segment](t, c.do(http.MethodPost, "/api/v1/segments", `{"name":"VIPs","filter":"tag:vip"}`), http.StatusCreated)
	bad := c.do(http.MethodPost, "/api/v1/segments", `{"name":"Bad","filter":"tag:vip and"}`)
	require.Equal(t, []string{"body.filter"}, bad.problem(t, http.StatusUnprocessableEntity).fields())
	require.Contains(t, bad.body, `"value":{"at":11,"end":11}`)
	require.Equal(t, []string{"body.name"}, c.do(http.MethodPost, "/api/v1/segments", `{"name":"vips","filter":"tag:vip"}`).problem(t, http.StatusUnprocessableEntity).fields())

	path := "/api/v1/segments/" + made.ID
	changed := as[Segment](t, c.do(http.MethodPatch, path, `{"version":1,"filter":"tag:vip and has city"}`), http.StatusOK)
	require.Equal(t, 2, changed.Version)
	require.Contains(t, c.do(http.MethodPatch, path, `{"version":1,"name":"Mine"}`).problem(t, http.StatusConflict).Detail, "load it again")
	require.Equal(t, []Segment{changed}, as[SegmentList](t, c.do(http.MethodGet, "/api/v1/segments", nil), http.StatusOK).Items)

	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	bob := x.signIn(t, "bob@example.com")
	for method, body := range map[string]any{http.MethodGet: nil, http.MethodPatch: `{"version":2,"name":"Mine"}`, http.MethodDelete: nil} {
		bob.do(method, path, body).problem(t, http.StatusNotFound)
	}
	require.Equal(t, http.StatusNoContent, c.do(http.MethodDelete, path, nil).status)
	c.do(http.MethodGet, path, nil).problem(t, http.StatusNotFound)
}
