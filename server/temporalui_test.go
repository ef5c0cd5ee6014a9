package server

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
)

func TestTheTemporalUIIsForSuperadminsAndGetsNoSession(t *testing.T) {
	var asked *http.Request
	ui := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Clone(r.Context())
		w.Header().Set("Content-Security-Policy", "default-src *")
		_, _ = w.Write([]byte("the UI"))
	}))
	defer ui.Close()
	x := newSite(t)
	options := x.Options
	options.TemporalUI = ui.URL
	withUI, err := New(options)
	require.NoError(t, err)
	x.Server = withUI
	front := httptest.NewServer(withUI.Handler())
	defer front.Close()
	x.http.URL = front.URL
	x.addUser(t, nil, "root@example.com", account.Superadmin, false)

	x.signIn(t, "ana@example.com").do(http.MethodGet, "/temporal/namespaces", nil).problem(t, http.StatusNotFound)
	x.anonymous(t).do(http.MethodGet, "/temporal", nil).problem(t, http.StatusNotFound)
	require.Nil(t, asked, "nothing reaches the UI without a superadmin")

	root := x.signIn(t, "root@example.com")
	require.True(t, as[Me](t, root.do(http.MethodGet, "/api/v1/auth/me", nil), http.StatusOK).TemporalUI)
	a := root.do(http.MethodGet, "/temporal/namespaces/default/workflows/campaign%2Fabc?x=1", nil, func(r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "_csrf", Value: "its-own"})
	})
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, "the UI", a.body)
	require.Equal(t, []string{temporalPolicy}, a.header.Values("Content-Security-Policy"))
	require.Equal(t, "/temporal/namespaces/default/workflows/campaign%2Fabc?x=1", asked.RequestURI)
	require.Equal(t, "_csrf=its-own", asked.Header.Get("Cookie"))

	ui.Close()
	p := root.do(http.MethodGet, "/temporal/", nil).problem(t, http.StatusBadGateway)
	require.NotContains(t, p.Detail, ui.Listener.Addr().String())
	root.do(http.MethodPost, "/temporal/api/v1/x", "{}", header("Origin", "https://evil.example")).problem(t, http.StatusForbidden)
}
