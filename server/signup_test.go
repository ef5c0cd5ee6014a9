package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres/pgtest"
)

// post writes the newest mail to an address, as a worker does, and returns the secret of its link.
func (x *site) post(t *testing.T, to string) string {
	t.Helper()
	var mail id.ID
	require.NoError(t, pgtest.Owner(t, x.db).QueryRow(t.Context(), `SELECT id FROM omnidesk.mails WHERE email = $1 ORDER BY id DESC LIMIT 1`, to).Scan(&mail))
	message, _, err := account.WriteMail(t.Context(), x.db, mail, account.DefaultLifetimes, time.Now())
	require.NoError(t, err)
	_, secret, found := strings.Cut(message.Text, "#")
	require.True(t, found, message.Text)
	secret, _, _ = strings.Cut(secret, "\n")
	return secret
}

func TestFromSignUpToAnInvitedColleague(t *testing.T) {
	x := newSite(t)
	x.CanMail, x.SignUp = true, true
	c := x.anonymous(t)
	wish := map[string]string{"company": "Aurora", "zone": "America/Sao_Paulo", "name": "Ana", "email": "Nova@Aurora.example", "password": "short"}
	require.Equal(t, []string{"body.password"}, c.do(http.MethodPost, "/api/v1/auth/signup", wish).problem(t, http.StatusUnprocessableEntity).fields())
	wish["password"] = testPassword
	require.Equal(t, http.StatusAccepted, c.do(http.MethodPost, "/api/v1/auth/signup", wish).status)
	require.Positive(t, x.relay.hints.Load())
	known := c.do(http.MethodPost, "/api/v1/auth/signup", map[string]string{"company": "B", "zone": "UTC", "name": "B", "email": "ana@example.com", "password": testPassword})
	require.Equal(t, http.StatusAccepted, known.status)
	require.Empty(t, known.body, "nothing tells a known address")

	nova := x.signIn(t, "nova@aurora.example")
	require.False(t, as[Me](t, nova.do(http.MethodGet, "/api/v1/auth/me", nil), http.StatusOK).User.Verified)
	require.Contains(t, nova.do(http.MethodGet, "/api/v1/campaigns", nil).problem(t, http.StatusForbidden).Type, "unverified")
	require.Equal(t, []string{"body.token"}, nova.do(http.MethodPost, "/api/v1/auth/verify", map[string]string{"token": nova.cookie.Value[:150]}).problem(t, http.StatusUnprocessableEntity).fields())
	link := x.post(t, "nova@aurora.example")
	require.NotContains(t, x.log.String(), link)
	ana := x.signIn(t, "ana@example.com")
	ana.do(http.MethodPost, "/api/v1/auth/verify", map[string]string{"token": link}).problem(t, http.StatusUnprocessableEntity)
	require.Equal(t, http.StatusNoContent, nova.do(http.MethodPost, "/api/v1/auth/verify", map[string]string{"token": link}).status)
	require.Contains(t, nova.do(http.MethodPost, "/api/v1/auth/verify", map[string]string{"token": link}).problem(t, http.StatusGone).Type, "link-used")
	require.Equal(t, http.StatusOK, nova.do(http.MethodGet, "/api/v1/campaigns", nil).status)

	require.Equal(t, http.StatusNoContent, nova.do(http.MethodPost, "/api/v1/invitations", map[string]string{"email": "bia@aurora.example", "role": "user"}).status)
	require.Empty(t, as[InvitationList](t, ana.do(http.MethodGet, "/api/v1/invitations", nil), http.StatusOK).Items, "another company's")
	waiting := as[InvitationList](t, nova.do(http.MethodGet, "/api/v1/invitations", nil), http.StatusOK).Items
	require.Len(t, waiting, 1)
	ana.do(http.MethodDelete, "/api/v1/invitations/"+waiting[0].ID, nil).problem(t, http.StatusNotFound)
	bia, invited := x.anonymous(t), x.post(t, "bia@aurora.example")
	require.Equal(t, InvitationView{Company: "Aurora", Email: "bia@aurora.example", Role: "user", By: "Ana"},
		as[InvitationView](t, bia.do(http.MethodPost, "/api/v1/auth/invitation/show", map[string]string{"token": invited}), http.StatusOK))
	join := map[string]string{"token": invited, "name": "Bia", "password": "yet another phrase"}
	require.Equal(t, "Aurora", as[Me](t, bia.do(http.MethodPost, "/api/v1/auth/invitation", join), http.StatusOK).Company.Name)
	require.Contains(t, x.anonymous(t).do(http.MethodPost, "/api/v1/auth/invitation", join).problem(t, http.StatusGone).Type, "link-used")
	bia.do(http.MethodGet, "/api/v1/people", nil).problem(t, http.StatusForbidden)
	require.Equal(t, []string{"signUp auth", "login auth", "verifyEmail auth", "invite invitations", "acceptInvitation auth"}, said(nova.auditLog("")))
	require.Equal(t, []string{"login auth"}, said(ana.auditLog("")), "nobody's sign-up is in another's log")

	people := as[PersonPage](t, nova.do(http.MethodGet, "/api/v1/people?limit=1", nil), http.StatusOK)
	require.True(t, people.Items[0].You)
	second := as[PersonPage](t, nova.do(http.MethodGet, "/api/v1/people?limit=1&cursor="+url.QueryEscape(people.NextCursor), nil), http.StatusOK)
	require.Equal(t, "bia@aurora.example", second.Items[0].Email)
	require.Empty(t, second.NextCursor)
	nova.do(http.MethodDelete, "/api/v1/people/"+people.Items[0].ID, nil).problem(t, http.StatusConflict)
	ana.do(http.MethodPatch, "/api/v1/people/"+second.Items[0].ID, map[string]any{"role": "admin"}).problem(t, http.StatusNotFound)
	socket, _, err := bia.listen(t, x.PublicURL)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, nova.do(http.MethodDelete, "/api/v1/people/"+second.Items[0].ID, nil).status)
	for err == nil {
		_, _, err = socket.Read(t.Context())
	}
	require.Equal(t, codeSignedOut, websocket.CloseStatus(err), "an open websocket ends, too")
	bia.do(http.MethodGet, "/api/v1/auth/me", nil).problem(t, http.StatusUnauthorized)
}

func TestWithoutMailWhatNeedsItIsRefused(t *testing.T) {
	x := newSite(t)
	x.SignUp = true
	ana := x.signIn(t, "ana@example.com")
	require.Equal(t, LoginOptions{}, as[LoginOptions](t, ana.do(http.MethodGet, "/api/v1/auth/options", nil), http.StatusOK))
	for path, body := range map[string]map[string]string{
		"/api/v1/auth/reset/mail": {"email": "ana@example.com"}, "/api/v1/invitations": {"email": "bia@example.com", "role": "user"},
		"/api/v1/auth/signup": {"company": "A", "zone": "UTC", "name": "A", "email": "a@example.com", "password": testPassword},
	} {
		require.Contains(t, ana.do(http.MethodPost, path, body).problem(t, http.StatusServiceUnavailable).Type, "no-mail", path)
	}
	x.SignUp = false
	require.Contains(t, ana.do(http.MethodPost, "/api/v1/auth/signup", map[string]string{"company": "A", "zone": "UTC", "name": "A", "email": "a@example.com", "password": testPassword}).
		problem(t, http.StatusForbidden).Type, "no-sign-up")
}
