// Package dev is `omnidesk dev`: it starts everything OmniDesk needs on this machine, watches over it, and stops it.
//
// PostgreSQL and the local Temporal server first, then this same program three times: as sandbox, as server and as
// worker. They are processes of their own, as in production, so that any of them may be killed to see what happens.
package dev

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"omnidesk/internal/config"
	"omnidesk/internal/postgres/cluster"
)

const (
	loopback     = "127.0.0.1"
	databaseName = "omnidesk"
	// patience is how long a port or a lock of a supervisor that was killed may still be held.
	patience = 3 * time.Second
)

// Options of Run.
type Options struct {
	config.Dev
	Database config.Database // empty starts a private PostgreSQL
	Secrets  config.Secrets  // what is missing is made once and kept

	NewKeys func() (config.Secrets, error)
	// Migrate brings the database up to date; the URL may create roles and schemas.
	Migrate func(ctx context.Context, url string) error
	// Prepare makes what a first start needs, once the sandbox runs, and returns the logins to show. It is
	// called at every start.
	Prepare func(ctx context.Context, start Start) ([]Login, error)

	Out io.Writer // progress and the closing block

	// Away is how long a part of ours that was killed stays away before it is started again; 0: 15 s, in which one can see
	// what that does.
	Away time.Duration
}

// Start is what Prepare gets to know.
type Start struct {
	Database   config.Database
	Secrets    config.Secrets
	SandboxURL string
	PublicURL  string
}

// Login is one line about an account. Password is a remark in brackets, or empty when it was shown at an earlier
// start.
type Login struct {
	Who, Email, Password string
}

// Run starts everything and returns nil when ctx has ended and all children are stopped. Sandbox, server and worker that
// are killed come back. The error names another child that ended by itself, or one that does not come back.
func Run(ctx context.Context, options Options) error {
	if options.Away == 0 {
		options.Away = 15 * time.Second
	}
	s := &supervisor{Options: options, died: make(chan *child, 8)}
	unlock, err := s.lock(patience)
	if err != nil {
		return err
	}
	defer unlock()
	if err := checkPorts(options.Dev, patience); err != nil {
		return err
	}
	defer s.stopAll()
	logins, err := s.startAll(ctx)
	if err == nil {
		s.show(logins)
		err = s.watch(ctx)
	}
	if ctx.Err() != nil {
		s.say("\nStopping …")
		return nil
	}
	return err
}

type supervisor struct {
	Options
	keys     config.Secrets
	children []*child // in the order they were started
	died     chan *child
}

// lock refuses a second supervisor on the same data: it would take the first one's PostgreSQL for a leftover.
func (s *supervisor) lock(patience time.Duration) (func(), error) {
	if err := os.MkdirAll(filepath.Join(s.Data, "log"), 0o755); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(s.Data, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data directory: %w", err)
	}
	deadline := time.Now().Add(patience)
	for syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		if !time.Now().Before(deadline) {
			file.Close()
			return nil, fmt.Errorf("another omnidesk dev already runs on %s: stop it, or choose another directory with --data or OMNIDESK_DATA", s.Data)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return func() { file.Close() }, nil
}

func (s *supervisor) startAll(ctx context.Context) ([]Login, error) {
	var err error
	if s.keys, err = loadKeys(filepath.Join(s.Data, "keys"), s.Secrets, s.NewKeys); err != nil {
		return nil, err
	}
	if err := s.startPostgres(ctx); err != nil {
		return nil, err
	}
	temporalReady, err := s.startTemporal()
	if err != nil {
		return nil, err
	}
	if err := s.step("Migrations", func() error { return s.Migrate(ctx, s.Database.Direct()) }); err != nil {
		return nil, err
	}
	if err := s.startSelf(ctx, "sandbox", s.sandboxURL()+"/healthz"); err != nil {
		return nil, err
	}
	var logins []Login
	err = s.step("First accounts", func() error {
		logins, err = s.Prepare(ctx, Start{Database: s.Database, Secrets: s.keys, SandboxURL: s.sandboxURL(), PublicURL: s.publicURL()})
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := temporalReady(ctx); err != nil {
		return nil, err
	}
	if err := s.startSelf(ctx, "serve", s.publicURL()+"/healthz"); err != nil {
		return nil, err
	}
	if err := s.startSelf(ctx, "work", "http://"+config.Address(loopback, s.MetricsPort+1)+"/healthz"); err != nil {
		return nil, err
	}
	// The server says when it sees the worker at Temporal; only then does a campaign move.
	return logins, s.await(ctx, s.children[len(s.children)-1], healthy(ctx, s.publicURL()+"/readyz"))
}

// PositionFile is where the worker remembers how far it has seen the database come.
func PositionFile(data string) string { return filepath.Join(data, "position.json") }

// startPostgres starts a private cluster unless a database was given.
func (s *supervisor) startPostgres(ctx context.Context) error {
	if s.Database.URL != "" {
		if err := s.Database.Require(); err != nil {
			return err
		}
		s.say("  PostgreSQL: the one in DATABASE_URL")
		return nil
	}
	return s.step("PostgreSQL on "+config.Address(loopback, s.PostgresPort), func() error {
		postgres, err := cluster.Start(ctx, cluster.Options{
			Dir: filepath.Join(s.Data, "postgres"), Port: s.PostgresPort, PortHint: postgresPort(s.Dev).hint(),
			Durable: true, Log: s.logFile("postgres"),
		})
		if err != nil {
			return err
		}
		s.add(&child{name: "PostgreSQL", log: s.logFile("postgres"), done: postgres.Done(), stop: postgres.Stop})
		if real, err := filepath.EvalSymlinks(s.Data); err == nil && !strings.HasPrefix(postgres.Dir(), absolute(real)) {
			s.say("  (PostgreSQL's user can't enter %s; the database lies in %s)", s.Data, postgres.Dir())
		}
		s.Database.URL = postgres.URL(databaseName)
		return postgres.CreateDatabase(ctx, databaseName)
	})
}

// startTemporal returns at once; the function it returns waits until workflows can be started.
func (s *supervisor) startTemporal() (func(context.Context) error, error) {
	if s.TemporalUsed != "" {
		s.say("  Temporal: the one in TEMPORAL_ADDRESS, %s", s.TemporalUsed)
		return func(context.Context) error { return nil }, nil
	}
	binary := s.TemporalBinary
	if binary == "" {
		binary = filepath.Join(s.Data, "bin", "temporal-dev")
	}
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("the local Temporal server is not built (run make temporal), or set TEMPORAL_ADDRESS to a cluster: %w", err)
	}
	started := time.Now()
	temporal, ready, err := s.launchWithReady("Temporal", "temporal", binary, []string{
		"--config", s.TemporalConfig, "--port", fmt.Sprint(s.TemporalPort), "--ui-port", fmt.Sprint(s.UIPort),
		"--metrics-port", fmt.Sprint(s.MetricsPort + 2), "--namespace", s.Namespace,
	}, append(os.Environ(), "TEMPORAL_DATABASE_URL="+s.Database.Direct()))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		if err := s.await(ctx, temporal, ready); err != nil {
			return err
		}
		s.done("Temporal on "+s.temporalAddress(), started)
		return nil
	}, nil
}

// startSelf starts this program with another command and waits for its health.
func (s *supervisor) startSelf(ctx context.Context, command, health string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	return s.step("omnidesk "+command, func() error {
		c, err := s.launch("omnidesk "+command, command, self, []string{command}, s.environment(command))
		if err != nil {
			return err
		}
		c.again = func() error { return s.startSelf(ctx, command, health) }
		return s.await(ctx, c, healthy(ctx, health))
	})
}

// environment tells a child where everything is. What the user has set beside that passes through.
func (s *supervisor) environment(command string) []string {
	metrics := s.MetricsPort
	if command == "work" {
		metrics++
	}
	set := map[string]string{
		"DATABASE_URL": s.Database.URL, "DATABASE_DIRECT_URL": s.Database.DirectURL,
		"ENCRYPTION_KEY": s.keys.EncryptionKey, "JWT_SECRET_KEY": s.keys.SessionKey,
		"TEMPORAL_ADDRESS": s.temporalAddress(), "TEMPORAL_NAMESPACE": s.Namespace,
		"PORT": fmt.Sprint(s.Port), "OMNIDESK_PUBLIC_URL": s.publicURL(),
		"OMNIDESK_METRICS_ADDRESS": config.Address(loopback, metrics),
		"OMNIDESK_SANDBOX_URL":     s.sandboxURL(),
		"OMNIDESK_SANDBOX_ADDRESS": config.Address(loopback, s.SandboxPort),
		"OMNIDESK_SANDBOX_DATA":    filepath.Join(s.Data, "sandbox"),
		"OMNIDESK_POSITION_FILE":   PositionFile(s.Data),
		"OMNIDESK_MEDIA_FOLDER":    filepath.Join(s.Data, "media"),
	}
	if s.TemporalUsed == "" {
		set["OMNIDESK_TEMPORAL_UI_URL"] = s.uiURL()
	}
	environment := make([]string, 0, len(set)+len(os.Environ()))
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); set[name] == "" {
			environment = append(environment, entry)
		}
	}
	for name, value := range set {
		if value != "" {
			environment = append(environment, name+"="+value)
		}
	}
	return environment
}

func (s *supervisor) publicURL() string  { return "http://" + config.Address("localhost", s.Port) }
func (s *supervisor) sandboxURL() string { return "http://" + config.Address(loopback, s.SandboxPort) }
func (s *supervisor) uiURL() string      { return "http://" + config.Address(loopback, s.UIPort) }

func (s *supervisor) temporalAddress() string {
	if s.TemporalUsed != "" {
		return s.TemporalUsed
	}
	return config.Address(loopback, s.TemporalPort)
}

func (s *supervisor) logFile(name string) string { return filepath.Join(s.Data, "log", name+".log") }

// show prints what a person needs next.
func (s *supervisor) show(logins []Login) {
	s.say("\n  OmniDesk is ready.\n")
	s.say("  Application    %s", s.publicURL())
	s.say("  Temporal UI    %s/temporal  (sign in as superadmin)", s.publicURL())
	s.say("  Phones         %s", s.sandboxURL())
	s.say("  Logs           %s\n", filepath.Join(s.Data, "log"))
	for _, login := range logins {
		password := login.Password
		if password == "" {
			password = "(password as before)"
		}
		s.say("  %-14s %s  %s", login.Who, login.Email, password)
	}
	s.say("\n  Ctrl-C stops everything; the data stay in %s.", s.Data)
}

func (s *supervisor) say(format string, values ...any) { fmt.Fprintf(s.Out, format+"\n", values...) }

func (s *supervisor) done(what string, since time.Time) {
	s.say("  %-32s ready in %.1f s", what, time.Since(since).Seconds())
}

// step runs one part of the start and says how long it took.
func (s *supervisor) step(what string, do func() error) error {
	started := time.Now()
	if err := do(); err != nil {
		return err
	}
	s.done(what, started)
	return nil
}

// watch returns when ctx ends or a child does.
func (s *supervisor) watch(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case dead := <-s.died:
			if dead.again == nil {
				return dead.ended()
			}
			if err := s.bringBack(ctx, dead); err != nil {
				return err
			}
		}
	}
}

func absolute(path string) string {
	full, err := filepath.Abs(path)
	if err != nil {
		return path // only without a working directory
	}
	return full
}
