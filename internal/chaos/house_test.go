// Package chaos kills the parts of a running OmniDesk, real processes on a durable database, and compares what the
// sandbox accepted with what the ledger says. It needs both binaries and PostgreSQL; without them it fails.
package chaos

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/rig"
	"omnidesk/internal/send"
)

const (
	slots = 32
	// bound is how many claims of one page may be open at any instant, and so be made uncertain by a kill.
	bound = 2 * slots
	// providerTimeout is short so that claims without an owner become uncertain soon: it, 2 s and 3 s after the claim.
	providerTimeout = 5 * time.Second

	adminEmail    = "admin@chaos.example"
	adminPassword = "chaos-breaks-nothing-here"
	numberID      = "300000000000042"
	appSecret     = "chaos-app-secret-0123456789"
)

// house is a running installation with one company, its admin and one connection that leads to the sandbox.
type house struct {
	t          *testing.T
	rig        *rig.Rig
	api        *api
	sandbox    *api
	hooks      *hooks
	links      *links
	company    id.ID
	connection string
	controls   map[string]string // of a fragile house: where failpoints are armed, by part
}

func newHouse(t *testing.T) *house {
	t.Helper()
	return buildHouse(t, func(o *rig.Options) { o.Binary = omnidesk(t, o.Dir) })
}

func buildHouse(t *testing.T, furnish func(*rig.Options)) *house {
	t.Helper()
	dir, err := os.MkdirTemp("", "omnidesk-chaos-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	config, err := filepath.Abs("../../temporal-dev.yaml")
	require.NoError(t, err)
	links := newLinks(t)
	options := rig.Options{
		Dir: dir, Durable: true, Reach: links.reach, TemporalBinary: temporal(t), TemporalConfig: config,
		WorkEnv: []string{"OMNIDESK_SLOTS=" + strconv.Itoa(slots), "OMNIDESK_PROVIDER_TIMEOUT=" + providerTimeout.String()},
	}
	furnish(&options)
	r, err := rig.New(t.Context(), options)
	require.NoError(t, err)
	h := &house{t: t, rig: r, links: links, hooks: newHooks(t, r.AppURL())}
	t.Cleanup(h.close)
	for _, part := range []string{rig.Temporal, rig.Sandbox, rig.Serve, rig.Work} {
		require.NoError(t, r.Start(t.Context(), part))
	}
	h.api, h.sandbox = newAPI(t, r.AppURL()+"/api/v1"), newAPI(t, r.SandboxURL()+"/sandbox")
	h.furnish()
	return h
}

// in is the same house for a subtest, which then fails by itself.
func (h *house) in(t *testing.T) *house {
	inside := *h
	inside.t, inside.api, inside.sandbox = t, h.api.in(t), h.sandbox.in(t)
	return &inside
}

// close comes after every hold of the webhooks has ended, and shows the logs of a failure.
func (h *house) close() {
	if h.t.Failed() {
		for _, part := range []string{rig.Work, rig.Serve, rig.Temporal} {
			h.t.Logf("the end of the log of %s:\n%s", part, h.rig.Tail(part))
		}
	}
	require.NoError(h.t, h.rig.Close())
}

// furnish makes the admin as `omnidesk` itself would, and the rest by the API.
func (h *house) furnish() {
	hash, err := account.HashPassword(h.t.Context(), adminPassword)
	require.NoError(h.t, err)
	err = h.rig.DB.InSystem(h.t.Context(), func(tx postgres.Tx) error {
		company, err := account.CreateCompany(h.t.Context(), tx, "Chaos", "America/Sao_Paulo", false)
		if err != nil {
			return err
		}
		h.company = company.ID
		if err := account.SetWindow(h.t.Context(), tx, company.ID, pace.WholeDay); err != nil {
			return err
		}
		_, err = account.CreateUser(h.t.Context(), tx, account.NewUser{Home: &company.ID, Email: adminEmail, Name: "Admin", Role: account.Admin, Hash: hash})
		return err
	})
	require.NoError(h.t, err)
	h.api.must(http.MethodPost, "/auth/login", map[string]string{"email": adminEmail, "password": adminPassword}, nil)
	var connection struct {
		ID          string `json:"id"`
		State       string `json:"state"`
		WebhookURL  string `json:"webhook_url"`
		VerifyToken string `json:"verify_token"`
	}
	h.api.must(http.MethodPost, "/connections", map[string]string{"name": "Chaos", "app_id": "100000000000042", "app_secret": appSecret,
		"account_id": "200000000000042", "number_id": numberID, "token": "chaos-token"}, &connection)
	require.Equal(h.t, "connected", connection.State)
	h.connection = connection.ID
	h.unlimited()
	webhook, err := url.Parse(connection.WebhookURL)
	require.NoError(h.t, err)
	h.sandbox.must(http.MethodPut, "/numbers/"+numberID, map[string]string{"account_id": "200000000000042", "app_id": "100000000000042",
		"app_secret": appSecret, "webhook_url": "http://" + h.links.reach(rig.Sandbox, rig.Serve, h.hooks.server.Listener.Addr().String()) + webhook.Path, "verify_token": connection.VerifyToken}, nil)
	h.sandbox.must(http.MethodPut, "/statuses", map[string]any{"delivered_after_ms": 100, "read_after_ms": 200, "duplicate_share": 0.1, "shuffle": true}, nil)
}

// unlimited takes the connection's limits away: a storm would wait for them rather than be killed in the middle.
func (h *house) unlimited() {
	connection, err := id.Parse(h.connection)
	require.NoError(h.t, err)
	require.NoError(h.t, h.rig.DB.InCompany(h.t.Context(), h.company, func(tx postgres.Tx) error {
		return send.SetLimits(h.t.Context(), tx, h.company, connection, pace.Limits{}, time.Now())
	}))
}

// kill ends a part as kill -9 does and starts it again. The others must live through it.
func (h *house) kill(part string) {
	h.killOnly(part)
	h.revive(part)
}

func (h *house) killOnly(part string) {
	if part == postgresPart {
		h.rig.Postgres.Kill()
		return
	}
	h.rig.Kill(part)
}

func (h *house) revive(part string) {
	if part == postgresPart {
		require.NoError(h.t, h.rig.StartPostgres(h.t.Context()))
		return
	}
	require.NoError(h.t, h.rig.Start(h.t.Context(), part))
}

func (h *house) requireAlive() {
	for _, part := range []string{rig.Temporal, rig.Sandbox, rig.Serve, rig.Work} {
		require.True(h.t, h.rig.Alive(part), "%s must live through the death of its neighbours:\n%s", part, h.rig.Tail(part))
	}
}

const postgresPart = "postgres"

// hooks stands between the sandbox and the server and can hold webhooks back, so that a test sees the ledger
// before a status has settled what is uncertain.
type hooks struct {
	server *httptest.Server
	gate   sync.RWMutex // a hold locks it, a webhook passes under its read lock
}

func newHooks(t *testing.T, app string) *hooks {
	target, err := url.Parse(app)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) } // the server is dead just now
	h := &hooks{}
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.gate.RLock()
		defer h.gate.RUnlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(h.server.Close)
	return h
}

// hold keeps webhooks back until the function it returns is called, or the test ends.
func (h *hooks) hold(t *testing.T) (release func()) {
	h.gate.Lock()
	release = sync.OnceFunc(h.gate.Unlock)
	t.Cleanup(release)
	return release
}

// omnidesk is the program under test: the one that was built already, or a build of this tree.
func omnidesk(t *testing.T, dir string) string {
	if path := os.Getenv("OMNIDESK_TEST_BINARY"); path != "" {
		require.FileExists(t, path, "build it with: make build")
		return path
	}
	path := filepath.Join(dir, "omnidesk")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../..").CombinedOutput()
	require.NoError(t, err, "building omnidesk:\n%s", output)
	return path
}

func temporal(t *testing.T) string {
	path := os.Getenv("OMNIDESK_TEMPORAL_BINARY")
	if path == "" {
		var err error
		path, err = filepath.Abs("../../.data/bin/temporal-dev")
		require.NoError(t, err)
	}
	require.FileExists(t, path, "build it with: make temporal")
	return path
}
