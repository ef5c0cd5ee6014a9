package worker_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"gocloud.dev/blob/fileblob"

	"omnidesk/internal/channel"
	"omnidesk/internal/channel/meta"
	"omnidesk/internal/connection"
	"omnidesk/internal/dev/process"
	"omnidesk/internal/flow"
	"omnidesk/internal/mail"
	"omnidesk/internal/media"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/sandbox"
	"omnidesk/internal/sandbox/world"
	"omnidesk/internal/secret"
	"omnidesk/internal/wake"
	"omnidesk/worker"
)

const (
	slots       = 8
	sendTimeout = 2 * time.Second // of one send, so that a lost claim is settled within seconds
	patience    = 90 * time.Second
	workerEnv   = "OMNIDESK_TEST_WORKER"
)

// parts is all that a worker process needs to know.
type parts struct{ Database, Keyset, Temporal, Namespace, Sandbox, Files string }

// TestMain lets this binary be a worker of its own, so that a test can kill it.
func TestMain(m *testing.M) {
	if raw := os.Getenv(workerEnv); raw != "" {
		if err := runChild(raw); err != nil {
			slog.Error("the worker ended", "error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runChild(raw string) error {
	var p parts
	if err := json.Unmarshal([]byte(raw), &p); err != nil {
		return err
	}
	db, err := postgres.Open(context.Background(), p.Database, postgres.Options{MaxConns: 8})
	if err != nil {
		return err
	}
	temporal, err := p.dial()
	if err != nil {
		return err
	}
	return p.work(context.Background(), db, temporal)
}

func (p parts) dial() (client.Client, error) {
	return client.Dial(client.Options{HostPort: p.Temporal, Namespace: p.Namespace, Identity: "worker", Logger: quiet{}})
}

func (p parts) work(ctx context.Context, db *postgres.DB, temporal client.Client) error {
	sealer, err := secret.Open(p.Keyset)
	if err != nil {
		return err
	}
	adapter, err := meta.New(meta.Options{SandboxURL: p.Sandbox, Timeout: sendTimeout})
	if err != nil {
		return err
	}
	defer adapter.Close()
	files, closeFiles, err := p.media()
	if err != nil {
		return err
	}
	defer closeFiles()
	return worker.Run(ctx, worker.Options{DB: db, Media: files, Temporal: temporal, Connections: connection.NewStore(sealer),
		Adapters: map[channel.Kind]channel.Adapter{channel.WhatsAppCloud: adapter}, Slots: slots, Mailer: mail.NewSandbox(p.Sandbox, "desk@omnidesk.example")})
}

// media opens the folder of files.
func (p parts) media() (*media.Store, func(), error) {
	bucket, err := fileblob.OpenBucket(p.Files, nil)
	if err != nil {
		return nil, nil, err
	}
	return media.NewStore(bucket, media.Options{}), func() { _ = bucket.Close() }, nil
}

type quiet struct{}

var _ sdklog.Logger = quiet{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// stage is an installation without a worker: a database, a namespace of a real Temporal server, the sandbox
// behind a real listener, and the relay that every process runs.
type stage struct {
	parts
	db       *postgres.DB
	temporal client.Client
	flow     *flow.Client
	relay    *wake.Relay
}

func newStage(t *testing.T, database, temporal string) *stage {
	t.Helper()
	keyset, err := secret.NewKeyset()
	require.NoError(t, err)
	s := &stage{parts: parts{Database: database, Keyset: keyset, Temporal: temporal, Files: t.TempDir()}}
	s.db, err = postgres.Open(t.Context(), database, postgres.Options{MaxConns: 16})
	require.NoError(t, err)
	t.Cleanup(s.db.Close)
	s.Namespace = newNamespace(t, temporal)
	s.temporal, err = s.dial()
	require.NoError(t, err)
	t.Cleanup(s.temporal.Close)
	s.flow = flow.NewClient(s.temporal)
	box, err := sandbox.New(sandbox.Options{DataDir: t.TempDir()})
	require.NoError(t, err)
	server := httptest.NewServer(box)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		require.NoError(t, box.Close())
	})
	s.Sandbox = server.URL
	s.control(t, http.MethodPut, "/sandbox/statuses", map[string]bool{"off": true})
	s.relay = wake.NewRelay(s.db, s.flow)
	s.background(t, func(ctx context.Context) { s.relay.Run(ctx) })
	return s
}

// background runs do until stop or the end of the test, and waits for it.
func (s *stage) background(t *testing.T, do func(context.Context)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); do(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

// startWorker runs a worker in this process; stop ends it in order.
func (s *stage) startWorker(t *testing.T) (stop func()) {
	t.Helper()
	return s.background(t, func(ctx context.Context) {
		if err := s.work(ctx, s.db, s.temporal); err != nil {
			t.Error("the worker ended:", err)
		}
	})
}

// startChild runs a worker in a process of its own.
func (s *stage) startChild(t *testing.T) *process.Child {
	t.Helper()
	raw, err := json.Marshal(s.parts)
	require.NoError(t, err)
	log, err := os.Create(filepath.Join(t.TempDir(), "worker.log"))
	require.NoError(t, err)
	defer log.Close()
	child, err := process.Start(process.Spec{Path: os.Args[0], Env: append(os.Environ(), workerEnv+"="+string(raw)), Out: log})
	require.NoError(t, err)
	t.Cleanup(func() {
		child.Kill()
		<-child.Done()
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("log of the worker process:\n%s", text)
		}
	})
	return child
}

func (s *stage) control(t *testing.T, method, path string, body any) {
	t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(context.Background(), method, s.Sandbox+path, bytes.NewReader(raw))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusNoContent, response.StatusCode)
}

func (s *stage) faults(t *testing.T, list ...world.Fault) {
	t.Helper()
	s.control(t, http.MethodPut, "/sandbox/faults", append([]world.Fault{}, list...))
}

// startTemporal starts a Temporal server of this test's own on the given database. settings are added to its
// dynamic configuration, one per line.
func startTemporal(t *testing.T, database string, settings ...string) (address string) {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	binary := os.Getenv("OMNIDESK_TEMPORAL_BINARY")
	if binary == "" {
		binary = filepath.Join(root, ".data", "bin", "temporal-dev")
	}
	require.FileExists(t, binary, "build the Temporal server with: make temporal")
	config, err := os.ReadFile(filepath.Join(root, "temporal-dev.yaml"))
	require.NoError(t, err)
	const section = "dynamic_config:\n"
	require.Contains(t, string(config), section)
	changed := strings.Replace(string(config), section, section+"  "+strings.Join(append(settings, "system.logAllReqErrors: false"), "\n  ")+"\n", 1)
	dir := t.TempDir()
	file := filepath.Join(dir, "temporal-dev.yaml")
	require.NoError(t, os.WriteFile(file, []byte(changed), 0o600))
	log, err := os.Create(filepath.Join(dir, "temporal.log"))
	require.NoError(t, err)
	defer log.Close()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	child, err := process.Start(process.Spec{Path: binary, Args: []string{"--config", file, "--headless", "--port", "0", "--metrics-port", "0"},
		Env: append(os.Environ(), "TEMPORAL_DATABASE_URL="+database), Out: log, Stdout: write})
	write.Close()
	require.NoError(t, err)
	t.Cleanup(func() {
		child.Kill()
		<-child.Done()
		read.Close()
	})
	require.NoError(t, read.SetReadDeadline(time.Now().Add(2*time.Minute)))
	for lines := bufio.NewScanner(read); lines.Scan(); {
		if address, found := strings.CutPrefix(lines.Text(), "ready "); found {
			return address
		}
	}
	text, _ := os.ReadFile(log.Name())
	require.Failf(t, "the Temporal server did not become ready", "%s", text)
	return ""
}

// temporalAddress is that of the server that scripts/test started, or of one of this test's own.
func temporalAddress(t *testing.T, database string) string {
	t.Helper()
	if address := os.Getenv("OMNIDESK_TEST_TEMPORAL"); address != "" {
		return address
	}
	return startTemporal(t, database)
}

// database is a migrated database whose URL names a superuser.
func database(t *testing.T) string { return pgtest.NewURL(t) }
