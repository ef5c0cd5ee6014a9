package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/postgres/pgtest"
)

func (c *caller) listen(t *testing.T, origin string) (*websocket.Conn, *http.Response, error) {
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	if c.cookie != nil {
		h.Set("Cookie", c.cookie.String())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(c.x.http.URL, "http")+"/api/v1/realtime", &websocket.DialOptions{HTTPHeader: h})
	if conn != nil {
		t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, response, err
}

func next(t *testing.T, conn *websocket.Conn) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, raw, err := conn.Read(ctx)
	require.NoError(t, err)
	var event map[string]string
	require.NoError(t, json.Unmarshal(raw, &event))
	return event
}

// until passes over the refetch that each LISTEN begins with.
func until(t *testing.T, conn *websocket.Conn, kind string) map[string]string {
	t.Helper()
	for {
		if event := next(t, conn); event["type"] == kind {
			return event
		}
	}
}

func TestABrowserHearsOfItsOwnCompanyOnly(t *testing.T) {
	x := newSite(t)
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	ana, bob := x.signIn(t, "ana@example.com"), x.signIn(t, "bob@example.com")
	<-x.hub.Listening()
	hers, _, err := ana.listen(t, x.PublicURL)
	require.NoError(t, err)
	his, _, err := bob.listen(t, x.PublicURL)
	require.NoError(t, err)
	connection := ana.connect("3001")
	made := as[Campaign](t, ana.do(http.MethodPost, "/api/v1/campaigns", campaignBodyWith(connection.ID)), http.StatusCreated)
	require.Equal(t, map[string]string{"type": "campaign", "id": made.ID}, until(t, hers, "campaign"))
	as[Contact](t, bob.do(http.MethodPost, "/api/v1/contacts", `{"name":"B","phone":"+5511990000100"}`), http.StatusCreated)
	require.Equal(t, map[string]string{"type": "contacts"}, next(t, his), "the first he hears of is his own")
}

func TestAfterAReconnectBrowsersReadAgain(t *testing.T) {
	x := newSite(t)
	<-x.hub.Listening()
	conn, _, err := x.signIn(t, "ana@example.com").listen(t, x.PublicURL)
	require.NoError(t, err)
	owner := pgtest.Owner(t, x.db)
	_, err = owner.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"type": "refetch"}, next(t, conn))
}

func TestWhoMayListen(t *testing.T) {
	x := newSite(t)
	ana := x.signIn(t, "ana@example.com")
	for name, c := range map[string]struct {
		who    *caller
		origin string
		status int
	}{
		"nobody":              {x.anonymous(t), x.PublicURL, 401},
		"without an origin":   {ana, "", 403},
		"from another site":   {ana, "https://evil.example", 403},
		"from another scheme": {ana, strings.Replace(x.PublicURL, "http:", "https:", 1), 403},
		"from a longer name":  {ana, x.PublicURL + ".evil.example", 403},
		"from nowhere":        {ana, "null", 403},
	} {
		t.Run(name, func(t *testing.T) {
			_, response, err := c.who.listen(t, c.origin)
			require.Error(t, err)
			require.Equal(t, c.status, response.StatusCode)
		})
	}
}

func TestARevokedSessionIsClosedWithinTwoSeconds(t *testing.T) {
	x := newSite(t)
	ana := x.signIn(t, "ana@example.com")
	conn, _, err := ana.listen(t, x.PublicURL)
	require.NoError(t, err)
	owner := pgtest.Owner(t, x.db) // as another server process would
	_, err = owner.Exec(t.Context(), `UPDATE omnidesk.sessions SET revoked_at = now()`)
	require.NoError(t, err)
	began := time.Now()
	for err == nil {
		_, _, err = conn.Read(t.Context())
	}
	require.Equal(t, codeSignedOut, websocket.CloseStatus(err))
	require.Less(t, time.Since(began), 2*time.Second)
}
