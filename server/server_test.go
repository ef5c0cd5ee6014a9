package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gocloud.dev/blob/memblob"

	"omnidesk/internal/account"
	"omnidesk/internal/channel"
	"omnidesk/internal/channel/meta"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/media"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/secret"
)

const testPassword = "a long enough phrase"

// testHash is made once: each takes a quarter of a second.
var testHash = sync.OnceValue(func() []byte {
	hash, err := account.HashPassword(context.Background(), testPassword)
	if err != nil {
		panic(err)
	}
	return hash
})

type fakeWorkflows struct {
	live   flow.Live
	queues []flow.Queue
	err    error
	slow   bool
	idle   error // what WorkerSeen answers instead
}

func (f *fakeWorkflows) answer(ctx context.Context) error {
	if f.slow {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.err
}

func (f *fakeWorkflows) Live(ctx context.Context, _ flow.Target) (flow.Live, string, error) {
	return f.live, "a-run", f.answer(ctx)
}
func (f *fakeWorkflows) Run(ctx context.Context, company id.ID, _ flow.Target, _ string, _ int64, _ int) (flow.Run, error) {
	return flow.Run{RunHead: flow.RunHead{ID: company.String(), State: "running"}, Moments: []flow.Moment{{Kind: flow.MomentStarted, Outcome: "done"}}}, f.answer(ctx)
}
func (f *fakeWorkflows) Runs(ctx context.Context, _ id.ID, _ flow.Target) ([]flow.RunHead, error) {
	return []flow.RunHead{{State: "running"}}, f.answer(ctx)
}
func (f *fakeWorkflows) Healthy(ctx context.Context) error { return f.answer(ctx) }
func (f *fakeWorkflows) Queues(ctx context.Context) ([]flow.Queue, error) {
	return f.queues, f.answer(ctx)
}
func (f *fakeWorkflows) WorkerSeen(ctx context.Context) error { return cmp.Or(f.idle, f.answer(ctx)) }

type fakeRelay struct{ hints atomic.Int32 }

func (f *fakeRelay) Hint() { f.hints.Add(1) }

type fakeAdapter struct {
	templates  []channel.ProviderTemplate
	refused    error // what ListTemplates answers instead
	check      channel.Check
	asked      channel.Account // by the last check
	subscribed []string        // callback and verify token of each Subscribe
	refuse     error
}

func (f *fakeAdapter) Open(channel.Account, int) channel.Sender { return nil }
func (f *fakeAdapter) Timeout() time.Duration                   { return time.Second }
func (f *fakeAdapter) Unfit(content channel.Content) []channel.Problem {
	return new(meta.Adapter).Unfit(content)
}
func (f *fakeAdapter) Check(_ context.Context, account channel.Account) channel.Check {
	f.asked = account
	return f.check
}
func (f *fakeAdapter) Subscribe(_ context.Context, _ channel.Account, callback, verify string) error {
	f.subscribed = append(f.subscribed, callback, verify)
	return f.refuse
}

func (f *fakeAdapter) ListTemplates(context.Context, channel.Account) ([]channel.ProviderTemplate, error) {
	return f.templates, f.refused
}

// site is a server under test with two companies.
type site struct {
	*Server
	db           *postgres.DB
	workflows    *fakeWorkflows
	relay        *fakeRelay
	adapter      *fakeAdapter
	http         *httptest.Server
	mine, theirs id.ID
	log          *syncBuffer
	secret       string // signs sessions
}

type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func newSite(t *testing.T, change ...func(*Options)) *site {
	t.Helper()
	keyset, err := secret.NewKeyset()
	require.NoError(t, err)
	sealer, err := secret.Open(keyset)
	require.NoError(t, err)
	signing := account.NewTokenSecret()
	tokens, err := account.NewTokens(signing)
	require.NoError(t, err)
	x := &site{db: pgtest.New(t), secret: signing, workflows: &fakeWorkflows{}, relay: &fakeRelay{}, log: &syncBuffer{},
		adapter: &fakeAdapter{check: channel.Check{OK: true, Number: "+15550001000", Detail: "It works."},
			templates: []channel.ProviderTemplate{{Name: "hello", Language: "pt_BR", Category: "MARKETING", Status: "APPROVED",
				Components: json.RawMessage(`[{"type":"BODY","text":"Oi {{1}}, tudo bem?"}]`)}}}}
	previous := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(x.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(previous) })
	x.showLog(t)
	x.http = httptest.NewUnstartedServer(nil)
	bucket := memblob.OpenBucket(nil)
	t.Cleanup(func() { require.NoError(t, bucket.Close()) })
	options := Options{Media: media.NewStore(bucket, media.Options{Quota: 1 << 20}), PublicURL: "http://" + x.http.Listener.Addr().String(), DB: x.db, Sealer: sealer, Tokens: tokens, Workflows: x.workflows,
		Relay: x.relay, Adapters: map[channel.Kind]channel.Adapter{channel.WhatsAppCloud: x.adapter}, Version: "test",
		Meta: Webhook{Verify: meta.VerifySignature, Challenge: meta.Challenge, Parse: meta.ParseWebhook}}
	for _, one := range change {
		one(&options)
	}
	x.Server, err = New(options)
	require.NoError(t, err)
	x.http.Config = newHTTPServer(x.Handler())
	x.http.Start()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); x.Background(ctx) }()
	t.Cleanup(func() { x.sockets.closeAll(); x.http.Close(); cancel(); <-done })
	x.mine, x.theirs = pgtest.Company(t, x.db), pgtest.Company(t, x.db)
	x.addUser(t, &x.mine, "ana@example.com", account.Admin, false)
	return x
}

func (x *site) addUser(t *testing.T, home *id.ID, email string, role account.Role, mustChange bool) {
	t.Helper()
	require.NoError(t, x.db.InSystem(t.Context(), func(tx postgres.Tx) error {
		_, err := account.CreateUser(t.Context(), tx, account.NewUser{Home: home, Email: email, Name: "A Person", Role: role, Hash: testHash(), MustChange: mustChange})
		return err
	}))
}

// caller is a browser.
type caller struct {
	t      *testing.T
	x      *site
	cookie *http.Cookie
}

func (x *site) anonymous(t *testing.T) *caller { return &caller{t: t, x: x} }

func (x *site) signIn(t *testing.T, email string) *caller {
	t.Helper()
	c := x.anonymous(t)
	a := c.do(http.MethodPost, "/api/v1/auth/login", map[string]string{"email": email, "password": testPassword})
	require.Equal(t, http.StatusOK, a.status, a.body)
	return c
}

type answer struct {
	status int
	body   string
	header http.Header
}

// as reads the answer's body.
func as[T any](t *testing.T, a answer, status int) (into T) {
	t.Helper()
	require.Equal(t, status, a.status, a.body)
	require.NoError(t, json.Unmarshal([]byte(a.body), &into), a.body)
	return into
}

func (c *caller) do(method, path string, body any, change ...func(*http.Request)) answer {
	c.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		require.NoError(c.t, err)
		reader = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.x.http.URL+path, reader)
	require.NoError(c.t, err)
	if reader != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.cookie != nil {
		r.AddCookie(c.cookie)
	}
	for _, change := range change {
		change(r)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(c.t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	for _, cookie := range response.Cookies() {
		if cookie.Name == cookieName {
			c.cookie = cookie
		}
	}
	return answer{response.StatusCode, string(raw), response.Header}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// problem reads an RFC 9457 problem and checks its form.
type problem struct {
	Type, Title, Detail, Instance string
	Status                        int
	Errors                        []struct{ Location, Message string }
}

func (a answer) problem(t *testing.T, status int) problem {
	t.Helper()
	p := as[problem](t, a, status)
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	require.Equal(t, status, p.Status)
	require.NotEmpty(t, p.Detail)
	require.Equal(t, "urn:uuid:"+a.header.Get("X-Request-Id"), p.Instance)
	return p
}

func (p problem) fields() (fields []string) {
	for _, e := range p.Errors {
		fields = append(fields, e.Location)
	}
	return fields
}

var errDown = errors.New("dial tcp 10.1.2.3:7233: connection refused")

// A failed test shows what the server said.
func (x *site) showLog(t *testing.T) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(x.log.String())
		}
	})
}
