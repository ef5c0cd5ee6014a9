package server

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
)

func TestUnfitRequestsAreProblems(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	for name, r := range map[string]struct {
		method, path string
		body         any
		change       func(*http.Request)
		status       int
		fields       []string
	}{
		"unknown address":     {method: http.MethodGet, path: "/api/v1/nothing", status: 404},
		"unknown below api":   {method: http.MethodGet, path: "/api/", status: 404},
		"wrong method":        {method: http.MethodPut, path: "/api/v1/contacts", body: "{}", status: 405},
		"made-up method":      {method: "SPY", path: "/api/v1/contacts", status: 405},
		"not json":            {method: http.MethodPost, path: "/api/v1/contacts", body: "{", status: 400, fields: []string{"body"}},
		"a form":              {method: http.MethodPost, path: "/api/v1/contacts", body: "name=x", change: header("Content-Type", "application/x-www-form-urlencoded"), status: 415, fields: []string{"body"}},
		"too large":           {method: http.MethodPost, path: "/api/v1/auth/login", body: `{"email":"` + strings.Repeat("x", 9<<10) + `"}`, status: 413},
		"unknown field":       {method: http.MethodPost, path: "/api/v1/contacts", body: `{"name":"A","phone":"+5511990000100","admin":true}`, status: 422, fields: []string{"body.admin"}},
		"missing field":       {method: http.MethodPost, path: "/api/v1/contacts", body: `{"name":"A"}`, status: 422, fields: []string{"body.phone"}},
		"wrong kind":          {method: http.MethodPost, path: "/api/v1/contacts", body: `{"name":7,"phone":"+5511990000100"}`, status: 422, fields: []string{"body.name"}},
		"unfit phone":         {method: http.MethodPost, path: "/api/v1/contacts", body: `{"name":"A","phone":"12"}`, status: 422, fields: []string{"body.phone"}},
		"unfit zone":          {method: http.MethodPost, path: "/api/v1/contacts", body: `{"name":"A","phone":"+5511990000100","zone":"Mars/Olympus"}`, status: 422, fields: []string{"body.zone"}},
		"unfit attribute":     {method: http.MethodPost, path: "/api/v1/contacts", body: `{"name":"A","phone":"+5511990000100","attributes":{"A B":"x"}}`, status: 422, fields: []string{"body.attributes"}},
		"a NUL":               {method: http.MethodPost, path: "/api/v1/contacts", body: `{"name":"A\u0000","phone":"+5511990000100"}`, status: 400, fields: []string{"body"}},
		"deep":                {method: http.MethodPost, path: "/api/v1/contacts", body: `{"name":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}`, status: 400, fields: []string{"body"}},
		"limit":               {method: http.MethodGet, path: "/api/v1/contacts?limit=201", status: 422, fields: []string{"query.limit"}},
		"cursor":              {method: http.MethodGet, path: "/api/v1/contacts?cursor=abc", status: 422, fields: []string{"query.cursor"}},
		"unknown query":       {method: http.MethodGet, path: "/api/v1/contacts?sort=name", status: 422, fields: []string{"query.sort"}},
		"unknown tag":         {method: http.MethodGet, path: "/api/v1/contacts?tag_id=" + id.New().String(), status: 422, fields: []string{"query.tag_id"}},
		"campaign without":    {method: http.MethodPost, path: "/api/v1/campaigns", body: `{}`, status: 422, fields: []string{"body.name", "body.connection_id", "body.content", "body.audience"}},
		"foreign connection":  {method: http.MethodPost, path: "/api/v1/campaigns", body: campaignBodyWith(id.New().String()), status: 422, fields: []string{"body.connection_id"}},
		"import as json":      {method: http.MethodPost, path: "/api/v1/imports", body: "{}", status: 415, fields: []string{""}},
		"import of a form":    {method: http.MethodPost, path: "/api/v1/imports", body: "x", change: header("Content-Type", "multipart/form-data; boundary=x"), status: 415, fields: []string{""}},
		"import of a zip":     {method: http.MethodPost, path: "/api/v1/imports", body: "PK\x03\x04", change: header("Content-Type", "text/csv"), status: 422, fields: []string{"body"}},
		"from another origin": {method: http.MethodPost, path: "/api/v1/contacts", body: `{}`, change: header("Origin", "https://evil.example"), status: 403},
		"from another site":   {method: http.MethodPost, path: "/api/v1/contacts", body: `{}`, change: header("Sec-Fetch-Site", "cross-site"), status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			change := r.change
			if change == nil {
				change = func(*http.Request) {}
			}
			a := c.do(r.method, r.path, r.body, change)
			require.ElementsMatch(t, r.fields, a.problem(t, r.status).fields(), a.body)
			for _, secret := range []string{"pgx", "SQLSTATE", "omnidesk.", ".go:"} {
				require.NotContains(t, a.body, secret)
			}
		})
	}
}

func campaignBodyWith(connection string) string {
	return `{"name":"C","connection_id":"` + connection + `","content":{"kind":"text","text":"Hi"},"audience":{"all":true}}`
}

func TestUnfitSecretsAreNotRepeated(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	for _, body := range []string{
		`{"name":"N","app_id":"x","app_secret":"sesame","account_id":"1","number_id":"1","token":"EAAG-open"}`,
		`{"name":"N","app_id":"1","app_secret":{"a":"sesame"},"account_id":"1","number_id":"1","token":"EAAG-open"}`,
		`{"app_secret":"sesame","token":"EAAG-open"}`,
		`{"app_secret":"sesame","token":"EAAG-open"`,
	} {
		a := c.do(http.MethodPost, "/api/v1/connections", body)
		require.Contains(t, []int{400, 422}, a.status)
		require.NotContains(t, a.body, "sesame")
		require.NotContains(t, a.body, "EAAG-open")
	}
	require.NotContains(t, x.log.String(), "sesame")
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	x := newSite(t)
	c := x.anonymous(t)
	for _, path := range []string{"/healthz", "/api/v1/auth/me", "/api/nothing", "/openapi.json", "/docs"} {
		h := c.do(http.MethodGet, path, nil).header
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'self'", path)
		require.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'", path)
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", h.Get("Referrer-Policy"))
		require.Equal(t, "same-origin", h.Get("Cross-Origin-Opener-Policy"))
		require.Equal(t, "same-origin", h.Get("Cross-Origin-Resource-Policy"))
		require.NotEmpty(t, h.Get("X-Request-Id"))
		require.Empty(t, h.Get("Access-Control-Allow-Origin"))
		if strings.HasPrefix(path, "/api/") {
			require.Equal(t, "no-store", h.Get("Cache-Control"), path)
		}
	}
	a := c.do(http.MethodGet, "/healthz", nil, header("X-Request-Id", "chosen-by-a-stranger"))
	require.NotEqual(t, "chosen-by-a-stranger", a.header.Get("X-Request-Id"))
}

func TestLogsHaveNoQueryAndNoMadeUpPath(t *testing.T) {
	x := newSite(t)
	x.anonymous(t).do(http.MethodGet, "/api/v1/contacts?cursor=canary-query", nil)
	x.anonymous(t).do(http.MethodGet, "/api/canary-path", nil)
	require.Contains(t, x.log.String(), "route=/api/v1/contacts")
	require.NotContains(t, x.log.String(), "canary")
}

func TestTheDocsPageNeedsNoScript(t *testing.T) {
	x := newSite(t)
	a := x.anonymous(t).do(http.MethodGet, "/docs", nil)
	require.Equal(t, http.StatusOK, a.status)
	require.NotContains(t, a.body, "<script")
	require.NotContains(t, a.body, "https://")
	for _, path := range []string{"/api/v1/campaigns/{id}/start", "/api/v1/imports/{id}/undo"} {
		require.Contains(t, a.body, path)
	}
}

func TestReadinessNamesWhatIsDown(t *testing.T) {
	x := newSite(t)
	c := x.anonymous(t)
	require.Equal(t, http.StatusOK, c.do(http.MethodGet, "/readyz", nil).status)
	x.workflows.err = errDown
	a := c.do(http.MethodGet, "/readyz", nil)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.JSONEq(t, `{"status":"not ready","parts":[{"name":"database","ok":true,"detail":"It answers."},
		{"name":"temporal","ok":false,"detail":"It does not answer: work is accepted and waits. Check that the Temporal server runs."},
		{"name":"worker","ok":false,"detail":"No worker asks for work: start omnidesk work."}]}`, a.body)
	require.NotContains(t, a.body, "10.1.2.3")
	x.workflows.slow = true
	require.Equal(t, http.StatusServiceUnavailable, c.do(http.MethodGet, "/readyz", nil).status)
	require.Equal(t, http.StatusOK, c.do(http.MethodGet, "/healthz", nil).status)
}

func TestOnlyAConfiguredProxyNamesTheClient(t *testing.T) {
	proxied := &Server{Options: Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, ProxyHeader: "X-Forwarded-For"}}
	for _, c := range []struct{ peer, header, want string }{
		{"192.0.2.1:5", "203.0.113.9", "192.0.2.1"},
		{"10.0.0.1:5", "203.0.113.9", "203.0.113.9"},
		{"10.0.0.1:5", "203.0.113.66, 203.0.113.9", "203.0.113.9"},
		{"10.0.0.1:5", "not an address", "10.0.0.1"},
		{"10.0.0.1:5", "", "10.0.0.1"},
		{"[::ffff:10.0.0.1]:5", "203.0.113.9", "203.0.113.9"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		require.NoError(t, err)
		r.RemoteAddr = c.peer
		if c.header != "" {
			r.Header.Set("X-Forwarded-For", c.header)
		}
		r.Header.Set("CF-Connecting-IP", "198.51.100.1")
		require.Equal(t, c.want, proxied.clientIP(r).String(), c)
	}
}

// Browsers are told to stay with TLS when they came by it, and only a configured proxy is believed about that.
func TestBrowsersThatCameOverTLSStayWithIt(t *testing.T) {
	proxy := netip.MustParsePrefix("10.0.0.0/8")
	s, err := New(Options{PublicURL: "https://desk.example.com", TrustedProxies: []netip.Prefix{proxy}})
	require.NoError(t, err)
	told := func(from string, change func(*http.Request)) string {
		r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
		r.RemoteAddr = from
		change(r)
		answer := httptest.NewRecorder()
		s.Handler().ServeHTTP(answer, r)
		return answer.Header().Get("Strict-Transport-Security")
	}
	const year = "max-age=31536000"
	https := func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }
	require.Equal(t, year, told("203.0.113.9:4000", func(r *http.Request) { r.TLS = &tls.ConnectionState{} }))
	require.Equal(t, year, told("10.1.2.3:4000", https))
	require.Empty(t, told("203.0.113.9:4000", https), "a stranger")
	require.Empty(t, told("10.1.2.3:4000", func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "http") }))
	require.Empty(t, told("10.1.2.3:4000", func(r *http.Request) { r.Header["X-Forwarded-Proto"] = []string{"https", "http"} }))
	require.Empty(t, told("10.1.2.3:4000", func(*http.Request) {}))
}
