package dev

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/config"
)

// diary is where the stand-ins for sandbox, server and worker write what happens to them.
const diary = "DEV_TEST_DIARY"

// stuck stand-ins end at once.
const stuck = "DEV_TEST_STUCK"

// TestMain lets this test program stand in for omnidesk itself: the supervisor starts its own executable.
func TestMain(m *testing.M) {
	if os.Getenv(diary) != "" && len(os.Args) == 2 {
		standIn(os.Args[1])
		return
	}
	os.Exit(m.Run())
}

func standIn(command string) {
	address := os.Getenv("OMNIDESK_METRICS_ADDRESS")
	switch command {
	case "serve":
		address = loopback + ":" + os.Getenv("PORT")
	case "sandbox":
		address = os.Getenv("OMNIDESK_SANDBOX_ADDRESS")
	}
	if os.Getenv(stuck) != "" {
		os.Exit(1)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	note(command, "started")
	fmt.Println("the last words of", command)
	go func() {
		panic(http.ListenAndServe(address, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	}()
	<-stop
	note(command, "stopped")
}

func note(command, what string) {
	file, err := os.OpenFile(os.Getenv(diary), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	fmt.Fprintf(file, "%s %s %d\n", command, what, os.Getpid())
}

func TestChildrenStopInReverseOrderOnRequest(t *testing.T) {
	run := begin(t)
	run.awaitReady(t)
	require.Contains(t, run.out.String(), "admin@example.com  secret-once")
	run.cancel()
	require.NoError(t, <-run.result)
	require.Equal(t, []string{"sandbox started", "serve started", "work started", "work stopped", "serve stopped", "sandbox stopped"},
		run.diary(t))
}

func TestAKilledPartComesBackInItsPlace(t *testing.T) {
	run := begin(t)
	run.awaitReady(t)
	require.NoError(t, syscall.Kill(run.pid(t, "serve"), syscall.SIGKILL))
	require.Eventually(t, func() bool { return strings.Count(run.out.String(), "omnidesk serve ") == 3 }, 10*time.Second, 10*time.Millisecond, "started, ended, ready again")
	require.Contains(t, run.out.String(), "omnidesk serve ended (signal: killed); it is started again")
	run.cancel()
	require.NoError(t, <-run.result)
	require.Equal(t, []string{"sandbox started", "serve started", "work started", "serve started", "work stopped", "serve stopped", "sandbox stopped"}, run.diary(t))
}

func TestAPartThatDoesNotComeBackStopsAllAndIsNamed(t *testing.T) {
	run := begin(t)
	run.awaitReady(t)
	require.NoError(t, os.Setenv(stuck, "1")) // t.Setenv of begin restores the environment
	require.NoError(t, syscall.Kill(run.pid(t, "serve"), syscall.SIGKILL))
	err := <-run.result
	require.ErrorContains(t, err, "omnidesk serve ended by itself (exit status 1)")
	require.ErrorContains(t, err, "the last words of serve")
	require.Equal(t, []string{"sandbox started", "serve started", "work started", "work stopped", "sandbox stopped"}, run.diary(t))
}

func TestKeysAreMadeOnceAndKeptPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	made := 0
	newKeys := func() (config.Secrets, error) {
		made++
		return config.Secrets{EncryptionKey: "e" + strconv.Itoa(made) + "==", SessionKey: "s"}, nil
	}
	first, err := loadKeys(path, config.Secrets{}, newKeys)
	require.NoError(t, err)
	second, err := loadKeys(path, config.Secrets{}, newKeys)
	require.NoError(t, err)
	require.Equal(t, config.Secrets{EncryptionKey: "e1==", SessionKey: "s"}, first)
	require.Equal(t, first, second)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	given, err := loadKeys(path, config.Secrets{SessionKey: "mine"}, newKeys)
	require.NoError(t, err)
	require.Equal(t, config.Secrets{EncryptionKey: "e1==", SessionKey: "mine"}, given)

	require.NoError(t, os.WriteFile(path, []byte("ENCRYPTION_KEY=\n"), 0o600))
	_, err = loadKeys(path, config.Secrets{}, newKeys)
	require.ErrorContains(t, err, "is damaged", "new keys would make all that was sealed unreadable")
}

func TestASecondSupervisorOnTheSameDataIsRefused(t *testing.T) {
	first := &supervisor{Options: Options{Dev: config.Dev{Data: t.TempDir()}}}
	unlock, err := first.lock(0)
	require.NoError(t, err)
	_, err = (&supervisor{Options: first.Options}).lock(0)
	require.ErrorContains(t, err, "--data or OMNIDESK_DATA")
	unlock()
	again, err := first.lock(0)
	require.NoError(t, err)
	again()
}

// running is one supervisor with stand-ins for children.
type running struct {
	out    *screen
	file   string
	cancel context.CancelFunc
	result chan error
}

func begin(t *testing.T) *running {
	t.Helper()
	run := &running{out: &screen{ready: make(chan struct{})}, file: filepath.Join(t.TempDir(), "diary"), result: make(chan error, 1)}
	t.Setenv(diary, run.file)
	t.Setenv(stuck, "")
	settings := freePorts(t)
	settings.Data, settings.TemporalUsed = t.TempDir(), "temporal.example:7233"
	ctx, cancel := context.WithCancel(t.Context())
	run.cancel = cancel
	t.Cleanup(cancel)
	go func() {
		run.result <- Run(ctx, Options{
			Dev: settings, Out: run.out, Away: 100 * time.Millisecond, Database: config.Database{URL: "postgres://localhost/unused"},
			NewKeys: func() (config.Secrets, error) { return config.Secrets{EncryptionKey: "e", SessionKey: "s"}, nil },
			Migrate: func(context.Context, string) error { return nil },
			Prepare: func(context.Context, Start) ([]Login, error) {
				return []Login{{Who: "Admin", Email: "admin@example.com", Password: "secret-once"}}, nil
			},
		})
	}()
	return run
}

func (r *running) awaitReady(t *testing.T) {
	t.Helper()
	select {
	case <-r.out.ready:
	case err := <-r.result:
		require.NoError(t, errors.Join(err, errors.New("ended before it was ready")))
	case <-time.After(30 * time.Second):
		require.Fail(t, "not ready", r.out.String())
	}
}

func (r *running) lines(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(r.file)
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func (r *running) diary(t *testing.T) []string {
	t.Helper()
	var events []string
	for _, line := range r.lines(t) {
		events = append(events, line[:strings.LastIndex(line, " ")])
	}
	return events
}

func (r *running) pid(t *testing.T, command string) int {
	t.Helper()
	for _, line := range r.lines(t) {
		if rest, found := strings.CutPrefix(line, command+" started "); found {
			pid, err := strconv.Atoi(rest)
			require.NoError(t, err)
			return pid
		}
	}
	require.Fail(t, "not started: "+command)
	return 0
}

// screen collects what is printed and tells when the closing line has come.
type screen struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready chan struct{}
	seen  bool
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
	if !s.seen && strings.Contains(s.text.String(), "Ctrl-C stops everything") {
		s.seen = true
		close(s.ready)
	}
	return len(p), nil
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
