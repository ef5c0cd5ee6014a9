package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/apiclient"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/secret"
)

// system is another system that calls.
type system struct {
	t      *testing.T
	x      *site
	keyID  string
	secret apiclient.Secret
	to     string // the server's address; empty: the site's
}

// newSystem makes a client of the company with a connection, and of its template.
func (x *site) newSystem(t *testing.T, change ...func(*apiclient.Draft)) (*system, apiclient.Client) {
	t.Helper()
	number := fmt.Sprint(time.Now().UnixNano())
	connection := x.signIn(t, "ana@example.com").connect(number)
	draft := apiclient.Draft{Name: "System " + number, Scopes: []apiclient.Scope{apiclient.Send, apiclient.Read}, Connections: []id.ID{idOf(t, connection.ID)},
		Lane: apiclient.LaneQueue, PerMinute: 1000, PerDay: 1000}
	for _, change := range change {
		change(&draft)
	}
	_, err := pgtest.Owner(t, x.db).Exec(t.Context(), `INSERT INTO templates (company_id, connection_id, name, language, category, status, body, components, parameters, synced_at)
		VALUES ($1, $2, 'hello', 'en', 'UTILITY', 'APPROVED', 'Hi {{1}}', '[{"type":"BODY","text":"Hi {{1}}"}]', 1, now())`, x.mine, connection.ID)
	require.NoError(t, err)
	var client apiclient.Client
	s := &system{t: t, x: x}
	require.NoError(t, x.db.InCompany(t.Context(), x.mine, func(tx postgres.Tx) (err error) {
		client, s.secret, err = x.clients.Create(t.Context(), tx, x.mine, draft, time.Now())
		return err
	}))
	s.keyID = client.KeyID()
	return s, client
}

const (
	sendPath = "/api/external/v1/messages"
	greeting = `{"to":"+5511990000001","template":{"name":"hello","language":"en","parameters":["Ana"]}}`
)

// sign makes a call, signed as it stands unless a change comes after.
func (s *system) sign(method, target, key, body string) *http.Request {
	s.t.Helper()
	base := s.to
	if base == "" {
		base = s.x.http.URL
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, base+target, strings.NewReader(body))
	require.NoError(s.t, err)
	path, query, _ := strings.Cut(target, "?")
	call := apiclient.Call{KeyID: s.keyID, Timestamp: fmt.Sprint(time.Now().Unix()), Nonce: secret.Token(), Method: method, Host: strings.TrimPrefix(s.x.PublicURL, "http://"),
		Path: path, Query: query, RequestID: key, Body: []byte(body)}
	if body != "" {
		call.ContentType = "application/json"
		r.Header.Set("Content-Type", call.ContentType)
	}
	r.Header.Set("Authorization", call.Authorization(s.secret))
	r.Header.Set("X-M1-Timestamp", call.Timestamp)
	r.Header.Set("X-M1-Nonce", call.Nonce)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	return r
}

func (s *system) do(r *http.Request) answer {
	s.t.Helper()
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(s.t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return answer{response.StatusCode, string(raw), response.Header}
}

func (s *system) send(key, body string) answer {
	return s.do(s.sign(http.MethodPost, sendPath, key, body))
}

func (x *site) count(t *testing.T, table string) (n int) {
	t.Helper()
	require.NoError(t, pgtest.Owner(t, x.db).QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n))
	return n
}

func TestASystemSendsAndFollowsItsMessage(t *testing.T) {
	x := newSite(t)
	s, client := x.newSystem(t)
	other, _ := x.newSystem(t)
	key, hints := id.New().String(), x.relay.hints.Load()
	first := s.send(key, greeting)
	queued := as[ExternalQueued](t, first, http.StatusAccepted)
	require.Equal(t, []string{"queued", key}, []string{queued.State, queued.RequestID})
	require.Equal(t, []string{"1000", "999"}, []string{first.header.Get("X-RateLimit-Limit"), first.header.Get("X-RateLimit-Remaining")})
	require.Empty(t, first.header.Get("Idempotent-Replayed"))
	require.Equal(t, hints+1, x.relay.hints.Load())

	again := s.send(key, greeting)
	require.Equal(t, queued, as[ExternalQueued](t, again, http.StatusAccepted))
	require.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
	require.Equal(t, "/problems/key-reused", s.send(key, strings.Replace(greeting, "Ana", "Eva", 1)).problem(t, http.StatusUnprocessableEntity).Type)
	require.Equal(t, http.StatusAccepted, other.send(key, greeting).status, "a key belongs to its client")
	require.Equal(t, 2, x.count(t, "messages"))

	state := as[ExternalState](t, s.do(s.sign(http.MethodGet, sendPath+"/"+queued.ID, "", "")), http.StatusOK)
	require.Equal(t, []string{queued.ID, key, "queued"}, []string{state.ID, state.RequestID, state.State})
	other.do(other.sign(http.MethodGet, sendPath+"/"+queued.ID, "", "")).problem(t, http.StatusNotFound)

	var lane int
	var content string
	require.NoError(t, pgtest.Owner(t, x.db).QueryRow(t.Context(), `SELECT lane, content FROM messages WHERE id = $1`, queued.ID).Scan(&lane, &content))
	require.EqualValues(t, client.Lane, lane)
	require.JSONEq(t, `{"template":{"name":"hello","language":"en","parameters":["Ana"]}}`, content)
	require.NotContains(t, x.log.String(), s.secret.Shown())
	require.NotContains(t, x.log.String(), "99000")
}

// Whoever is not believed learns nothing of the reason, and nothing is stored.
func TestEachFailureToTellTheCallerIsTheSame(t *testing.T) {
	x := newSite(t)
	s, _ := x.newSystem(t)
	away, _ := x.newSystem(t, func(d *apiclient.Draft) { d.Networks = []string{"203.0.113.0/24"} })
	gone, revoked := x.newSystem(t)
	late, expired := x.newSystem(t)
	require.NoError(t, x.db.InCompany(t.Context(), x.mine, func(tx postgres.Tx) error {
		return apiclient.Revoke(t.Context(), tx, x.mine, revoked.ID, time.Now())
	}))
	_, err := pgtest.Owner(t, x.db).Exec(t.Context(), `UPDATE api_clients SET expires_at = now() - interval '1 second' WHERE id = $1`, expired.ID)
	require.NoError(t, err)
	stranger := *s
	stranger.keyID = apiclient.KeyID(x.theirs, expired.ID)
	guess := *s
	guess.secret = apiclient.NewSecret()
	set := func(name, value string) func(*http.Request) { return header(name, value) }
	for name, one := range map[string]struct {
		by     *system
		change func(*http.Request)
	}{
		"revoked": {gone, nil}, "expired": {late, nil}, "from elsewhere": {away, nil}, "another company's": {&stranger, nil}, "another secret": {&guess, nil},
		"another body": {s, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(greeting+" ")), int64(len(greeting)+1)
		}},
		"another key":    {s, set("Idempotency-Key", id.New().String())},
		"another type":   {s, set("Content-Type", "application/json; charset=utf-8")},
		"another nonce":  {s, set("X-M1-Nonce", secret.Token())},
		"another query":  {s, func(r *http.Request) { r.URL.RawQuery = "a=b" }},
		"another method": {s, func(r *http.Request) { r.Method, r.URL.Path = http.MethodGet, sendPath+"/"+id.New().String() }},
		"clock 6 min":    {s, set("X-M1-Timestamp", fmt.Sprint(time.Now().Add(-6*time.Minute).Unix()))},
		"no instant":     {s, func(r *http.Request) { r.Header.Del("X-M1-Timestamp") }},
		"no signature":   {s, func(r *http.Request) { r.Header.Del("Authorization") }},
		"another form":   {s, set("Authorization", "Bearer "+s.keyID)},
		"a made-up key":  {s, set("Authorization", "M1-HMAC-SHA256 KeyId=mk_test01, Signature="+strings.Repeat("0", 64))},
	} {
		r := one.by.sign(http.MethodPost, sendPath, id.New().String(), greeting)
		if one.change != nil {
			one.change(r)
		}
		p := s.do(r).problem(t, http.StatusUnauthorized)
		require.Equal(t, "/problems/signature", p.Type, name)
		require.NotContains(t, p.Detail, "revoked", name)
	}
	old := s.sign(http.MethodPost, sendPath, id.New().String(), greeting)
	for _, off := range []time.Duration{-6 * time.Minute, 6 * time.Minute} { // signed well, with a wrong clock
		x.now = func() time.Time { return time.Now().Add(off) }
		s.do(old.Clone(t.Context())).problem(t, http.StatusUnauthorized)
		old = s.sign(http.MethodPost, sendPath, id.New().String(), greeting)
	}
	require.Zero(t, x.count(t, "messages"))
	require.Zero(t, x.count(t, "api_calls"))
}

func TestOddCallsGetPreciseAnswers(t *testing.T) {
	x := newSite(t)
	s, client := x.newSystem(t)
	reader, _ := x.newSystem(t, func(d *apiclient.Draft) { d.Scopes = []apiclient.Scope{apiclient.Read} })
	for _, path := range []string{"/api/external/v1//messages", "/api/external//v1/messages", "/api/external/v1/./messages", "/api/external/v1/x/../messages", "/api/external/v1/%2e%2e/messages",
		"/api/external/v1/messages/a%2Fb", "/api/external/v1/messages/a%5Cb", "/api/external/v1/messages/a%00", "//api/external/v1/messages"} {
		r := s.sign(http.MethodPost, sendPath, id.New().String(), greeting)
		r.URL.Opaque = path
		if strings.HasPrefix(path, "//") {
			r.URL.Opaque = "//" + r.URL.Host + path
		}
		a := s.do(r)
		require.Equal(t, http.StatusBadRequest, a.status, "%s: %s", path, a.body)
	}
	for _, name := range []string{"Authorization", "X-M1-Timestamp", "X-M1-Nonce", "Idempotency-Key", "Content-Type"} {
		r := s.sign(http.MethodPost, sendPath, id.New().String(), greeting)
		r.Header.Add(name, r.Header.Get(name))
		require.Equal(t, "/problems/repeated-header", s.do(r).problem(t, http.StatusBadRequest).Type, name)
	}
	r := s.sign(http.MethodPost, sendPath, id.New().String(), greeting)
	r.Header.Set("X-Request-Id", id.New().String())
	require.Equal(t, "/problems/two-keys", s.do(r).problem(t, http.StatusBadRequest).Type)
	r = s.sign(http.MethodPost, sendPath, id.New().String(), greeting)
	r.Header.Set("Content-Encoding", "gzip")
	s.do(r).problem(t, http.StatusUnsupportedMediaType)
	s.send(id.New().String(), `{"to":"`+strings.Repeat("1", 5<<20)+`"}`).problem(t, http.StatusRequestEntityTooLarge)
	require.Equal(t, "/problems/no-key", s.send("", greeting).problem(t, http.StatusBadRequest).Type)
	require.Equal(t, "/problems/no-key", s.send("not-a-uuid", greeting).problem(t, http.StatusBadRequest).Type)
	require.Equal(t, "/problems/scope", reader.send(id.New().String(), greeting).problem(t, http.StatusForbidden).Type)
	for body, field := range map[string]string{
		`{"to":"12","text":"Hi"}`:                                                              "body.to",
		`{"to":"+5511990000002"}`:                                                              "body.text",
		`{"to":"+5511990000002","text":"a","x":1}`:                                             "body",
		strings.Replace(greeting, "hello", "bye", 1):                                           "body.template.name",
		strings.Replace(greeting, `"Ana"`, "", 1):                                              "body.template.parameters",
		strings.Replace(greeting, `Ana`, `A\nB`, 1):                                            "body.template.parameters[0]",
		strings.Replace(greeting, `{"to"`, `{"expires_at":"2020-01-01T00:00:00Z","to"`, 1):     "body.expires_at",
		strings.Replace(greeting, `{"to"`, `{"connection_id":"`+id.New().String()+`","to"`, 1): "body.connection_id",
	} {
		p := s.send(id.New().String(), body).problem(t, http.StatusUnprocessableEntity)
		require.True(t, strings.HasPrefix(p.fields()[0], field), "%s: %v", body, p.Errors)
	}
	require.Equal(t, "/problems/window-shut", s.send(id.New().String(), `{"to":"+5511990000002","text":"Hi"}`).problem(t, http.StatusConflict).Type)
	require.Zero(t, x.count(t, "messages"))
	require.Zero(t, x.count(t, "contacts"), "a refused message leaves no contact")

	require.Equal(t, http.StatusAccepted, s.send(id.New().String(), greeting).status)
	owner := pgtest.Owner(t, x.db)
	_, err := owner.Exec(t.Context(), `INSERT INTO service_windows (company_id, connection_id, contact_id, open_until) SELECT company_id, $1, id, now() + interval '1 hour' FROM contacts`, client.Connections[0])
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, s.send(id.New().String(), `{"to":"+5511990000001","text":"Olá"}`).status)
	_, err = owner.Exec(t.Context(), `UPDATE contacts SET opted_out_at = now()`)
	require.NoError(t, err)
	require.Equal(t, "/problems/opted-out", s.send(id.New().String(), greeting).problem(t, http.StatusConflict).Type)
	require.Equal(t, 2, x.count(t, "messages"))
}

// A copy of a call passes at neither of two servers, not after either was started again, and not when it was one too many.
func TestACallPassesOnceOverTwoServers(t *testing.T) {
	x := newSite(t)
	s, _ := x.newSystem(t)
	few, _ := x.newSystem(t, func(d *apiclient.Draft) { d.PerMinute = 3 })
	second := x.secondServer(t)
	target, body, key := sendPath, greeting, id.New().String()
	original := s.sign(http.MethodPost, target, key, body)
	accepted := replay(t, s, original, []string{x.http.URL, second}, 100, body)
	require.Equal(t, map[int]int{http.StatusAccepted: 1, http.StatusUnauthorized: 99}, accepted)
	require.Equal(t, map[int]int{http.StatusUnauthorized: 10}, replay(t, s, original, []string{x.secondServer(t)}, 10, body))

	let := map[int]int{}
	var all []*http.Request
	var mu sync.Mutex
	var running sync.WaitGroup
	for i := range 50 {
		by := *few
		by.to = []string{x.http.URL, second}[i%2]
		r := by.sign(http.MethodGet, sendPath+"/"+id.New().String(), "", "")
		all = append(all, r)
		running.Go(func() {
			a := by.do(r)
			mu.Lock()
			defer mu.Unlock()
			let[a.status]++
			if a.status == http.StatusTooManyRequests && (a.header.Get("Retry-After") == "" || a.header.Get("X-RateLimit-Remaining") != "0") {
				let[0]++
			}
		})
	}
	running.Wait()
	require.Equal(t, map[int]int{http.StatusNotFound: 3, http.StatusTooManyRequests: 47}, let)
	for _, r := range all {
		require.Equal(t, http.StatusUnauthorized, few.do(r.Clone(t.Context())).status, "refused or not, its copy does not pass")
	}
	_, err := pgtest.Owner(t, x.db).Exec(t.Context(), `UPDATE api_calls SET at = at - interval '1 minute'`)
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, few.do(few.sign(http.MethodGet, sendPath+"/"+id.New().String(), "", "")).status, "the minute slides")
}

// replay makes the same call many times at the same time and counts the answers by their status.
func replay(t *testing.T, s *system, original *http.Request, servers []string, times int, body string) map[int]int {
	t.Helper()
	statuses := map[int]int{}
	var mu sync.Mutex
	var running sync.WaitGroup
	for i := range times {
		r, err := http.NewRequestWithContext(t.Context(), original.Method, servers[i%len(servers)]+original.URL.Path, bytes.NewReader([]byte(body)))
		require.NoError(t, err)
		r.Header = original.Header.Clone()
		running.Go(func() {
			a := s.do(r)
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
		})
	}
	running.Wait()
	return statuses
}

// secondServer is another process on the same database, behind the same public address.
func (x *site) secondServer(t *testing.T) string {
	t.Helper()
	options := x.Options
	other, err := New(options)
	require.NoError(t, err)
	return serve(t, other.Handler())
}

func TestOneKeyAndTheQuotaHoldInARace(t *testing.T) {
	x := newSite(t)
	s, _ := x.newSystem(t)
	few, client := x.newSystem(t, func(d *apiclient.Draft) { d.PerDay = 5 })
	key := id.New().String()
	ids := map[string]bool{}
	var mu sync.Mutex
	race := func(n int, do func(int) answer, see func(answer)) {
		var running sync.WaitGroup
		for i := range n {
			running.Go(func() {
				a := do(i)
				mu.Lock()
				defer mu.Unlock()
				see(a)
			})
		}
		running.Wait()
	}
	race(20, func(int) answer { return s.send(key, greeting) }, func(a answer) {
		var queued ExternalQueued
		if a.status == http.StatusAccepted && json.Unmarshal([]byte(a.body), &queued) == nil {
			ids[queued.ID] = true
		} else {
			ids[a.body] = true
		}
	})
	require.Len(t, ids, 1)
	require.Equal(t, 1, x.count(t, "messages"))

	statuses := map[int]int{}
	race(50, func(int) answer { return few.send(id.New().String(), greeting) }, func(a answer) { statuses[a.status]++ })
	require.Equal(t, map[int]int{http.StatusAccepted: 5, http.StatusTooManyRequests: 45}, statuses)
	require.Equal(t, 6, x.count(t, "messages"))
	refused := few.send(id.New().String(), greeting)
	require.Equal(t, "/problems/quota", refused.problem(t, http.StatusTooManyRequests).Type)
	require.NotEmpty(t, refused.header.Get("Retry-After"))
	view := as[APIClient](t, x.signIn(t, "ana@example.com").do(http.MethodGet, "/api/v1/api-clients/"+client.ID.String(), nil), http.StatusOK)
	require.Equal(t, 5, view.UsedToday)
	require.NotNil(t, view.LastAt)
}

func TestEveryExternalCallNeedsAScope(t *testing.T) {
	s, err := New(Options{PublicURL: "http://localhost"})
	require.NoError(t, err)
	found := 0
	for route, name := range s.routes {
		if strings.Contains(route, externalPath+"/v1/") {
			found++
			require.NotEmpty(t, table[name].signed, name)
		}
	}
	require.Equal(t, 2, found)
	require.NotContains(t, s.api.OpenAPI().Paths, sendPath)
	require.Contains(t, s.external.OpenAPI().Paths, sendPath)
}

func TestClientsAreKeptByAdmins(t *testing.T) {
	x := newSite(t)
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	ana := x.signIn(t, "ana@example.com")
	connection := ana.connect("3001")
	body := map[string]any{"name": "Shop", "scopes": []string{"send"}, "connection_ids": []string{connection.ID}, "networks": []string{"127.0.0.1", "10.1.2.3/8"}}
	made := as[APIClientSecret](t, ana.do(http.MethodPost, "/api/v1/api-clients", body), http.StatusCreated)
	require.True(t, strings.HasPrefix(made.Secret, "msk_") && len(made.Secret) == 47, made.Secret)
	require.Equal(t, []string{"127.0.0.1/32", "10.0.0.0/8"}, made.Client.Networks)
	require.Equal(t, []any{"queue", 60, 1000, "live", 1}, []any{made.Client.Lane, made.Client.PerMinute, made.Client.PerDay, made.Client.State, made.Client.Version})
	path := "/api/v1/api-clients/" + made.Client.ID

	for _, bad := range []struct {
		field string
		value any
		want  string
	}{{"name", " ", "body.name"}, {"name", "shop", "body.name"}, {"scopes", []string{"all"}, "body.scopes[0]"}, {"connection_ids", []string{id.New().String()}, "body.connection_ids"},
		{"networks", []string{"10.0.0.0/8", "here"}, "body.networks[1]"}, {"expires_at", "2020-01-01T00:00:00Z", "body.expires_at"}, {"per_minute", -1, "body.per_minute"}} {
		changed := map[string]any{}
		for field, value := range body {
			changed[field] = value
		}
		changed[bad.field] = bad.value
		require.Equal(t, []string{bad.want}, ana.do(http.MethodPost, "/api/v1/api-clients", changed).problem(t, http.StatusUnprocessableEntity).fields(), bad)
	}
	body["version"], body["name"] = 1, "Web shop"
	require.Equal(t, "Web shop", as[APIClient](t, ana.do(http.MethodPut, path, body), http.StatusOK).Name)
	require.Equal(t, "/problems/stale", ana.do(http.MethodPut, path, body).problem(t, http.StatusConflict).Type)

	old := &system{t: t, x: x, keyID: made.Client.KeyID, secret: secretOf(t, made.Secret)}
	rotated := as[APIClientSecret](t, ana.do(http.MethodPost, path+"/rotate", "{}"), http.StatusOK)
	fresh := &system{t: t, x: x, keyID: made.Client.KeyID, secret: secretOf(t, rotated.Secret)}
	require.NotNil(t, rotated.Client.PreviousUntil)
	let := func(s *system) bool { return s.send("", greeting).status == http.StatusBadRequest } // let in, and asked for its key
	require.True(t, let(old) && let(fresh), "two secrets live")
	again := as[APIClientSecret](t, ana.do(http.MethodPost, path+"/rotate", `{"keep_hours":0}`), http.StatusOK)
	require.False(t, let(old) || let(fresh), "a rotation without keeping ends both")
	last := &system{t: t, x: x, keyID: made.Client.KeyID, secret: secretOf(t, again.Secret)}
	require.True(t, let(last))
	for _, bob := range []*caller{x.signIn(t, "bob@example.com")} {
		bob.do(http.MethodGet, path, nil).problem(t, http.StatusNotFound)
		bob.do(http.MethodPost, path+"/revoke", nil).problem(t, http.StatusNotFound)
	}
	require.Equal(t, "revoked", as[APIClient](t, ana.do(http.MethodPost, path+"/revoke", nil), http.StatusOK).State)
	require.False(t, let(last))
	ana.do(http.MethodPost, path+"/rotate", "{}").problem(t, http.StatusConflict)
	list := ana.do(http.MethodGet, "/api/v1/api-clients", nil)
	require.Len(t, as[APIClientList](t, list, http.StatusOK).Items, 1)
	for _, secret := range []string{made.Secret, rotated.Secret, again.Secret} {
		require.NotContains(t, list.body, secret)
		require.NotContains(t, x.log.String(), secret)
	}
}

func secretOf(t *testing.T, shown string) apiclient.Secret {
	t.Helper()
	secret, ok := apiclient.ParseSecret(shown)
	require.True(t, ok)
	return secret
}

func idOf(t *testing.T, text string) id.ID {
	t.Helper()
	parsed, err := id.Parse(text)
	require.NoError(t, err)
	return parsed
}
