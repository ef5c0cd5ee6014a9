// Package cluster runs a private PostgreSQL: the one of `omnidesk dev`, and throw-away ones for tests.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/dev/process"
)

const (
	superuser    = "omnidesk"
	startTimeout = 60 * time.Second // recovery after a crash replays up to max_wal_size
	stopTimeout  = 60 * time.Second
)

// Options of Start.
type Options struct {
	Dir      string // made when missing; holds data/, password and the log; a link when PostgreSQL's user can't reach it
	Port     int    // on 127.0.0.1; 0 takes any free one
	PortHint string // how to change the port, for the message about a taken one
	// Durable keeps every committed transaction through a crash. Without it the cluster is small and fast, and
	// its data are lost with the machine: for tests only.
	Durable  bool
	Log      string            // the server's log file; empty means Dir/postgres.log
	Settings map[string]string // laid over the settings chosen here
}

// Cluster is a running PostgreSQL.
type Cluster struct {
	child    *process.Child
	dir      string
	port     int
	password string
	log      string
}

// Start starts the cluster in a directory, making it first when there is none. Data of an earlier start are kept.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	bin, err := FindBinaries()
	if err != nil {
		return nil, err
	}
	home, err := prepareHome(options.Dir)
	if err != nil {
		return nil, err
	}
	if err := home.initialise(ctx, bin, options.Durable); err != nil {
		return nil, err
	}
	if err := home.endLeftover(); err != nil {
		return nil, err
	}
	port, err := takePort(options.Port, options.PortHint)
	if err != nil {
		return nil, err
	}
	return start(ctx, bin, home, port, options)
}

func start(ctx context.Context, bin string, home home, port int, options Options) (*Cluster, error) {
	password, err := os.ReadFile(home.passwordFile())
	if err != nil {
		return nil, fmt.Errorf("reading the password of the private PostgreSQL: %w", err)
	}
	c := &Cluster{dir: home.dir, port: port, password: strings.TrimSpace(string(password)), log: options.Log}
	if c.log == "" {
		c.log = filepath.Join(options.Dir, "postgres.log")
	}
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of PostgreSQL: %w", err)
	}
	defer log.Close()
	c.child, err = process.Start(process.Spec{
		Path: filepath.Join(bin, "postgres"),
		Args: append([]string{"-D", home.data()}, settings(ctx, bin, home, port, options)...),
		Dir:  home.dir, Env: plainEnvironment(), User: home.user, Out: log,
		WhenOrphaned: syscall.SIGINT, // PostgreSQL's fast shutdown
	})
	if err != nil {
		return nil, err
	}
	if err := c.await(ctx); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// await returns when the cluster takes connections.
func (c *Cluster) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for {
		err := c.exec(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-c.child.Done():
			return fmt.Errorf("PostgreSQL ended while starting; the end of %s says:\n%s", c.log, tail(c.log))
		case <-ctx.Done():
			return fmt.Errorf("waiting for PostgreSQL to take connections: %w", err)
		case <-ticks.C:
		}
	}
}

// URL is the address of a database, with the superuser's name and password.
func (c *Cluster) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, c.password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Port is the TCP port on 127.0.0.1.
func (c *Cluster) Port() int { return c.port }

// Dir is where the data really lie; elsewhere than Options.Dir when that became a link.
func (c *Cluster) Dir() string { return c.dir }

// Pid is the process id of the postmaster.
func (c *Cluster) Pid() int { return c.child.Pid() }

// Log is the path of the server's log.
func (c *Cluster) Log() string { return c.log }

// Done is closed when the cluster has ended, whoever ended it.
func (c *Cluster) Done() <-chan struct{} { return c.child.Done() }

// CreateDatabase makes a database unless it is there already.
func (c *Cluster) CreateDatabase(ctx context.Context, name string) error {
	err := c.exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	if pg, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok && pg.SQLState() == "42P04" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("creating the database %s: %w", name, err)
	}
	return nil
}

func (c *Cluster) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}

// Stop is a fast shutdown: sessions are ended, everything committed is on disk. It returns when PostgreSQL has
// ended, and does nothing the second time.
func (c *Cluster) Stop() {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		c.child.Signal(signal)
		select {
		case <-c.child.Done():
			return
		case <-time.After(stopTimeout):
		}
	}
	c.Kill()
}

// Kill ends the postmaster and all its sessions as a power cut would, for tests of faults. It returns when all of
// them are gone, so that the directory can be started again.
func (c *Cluster) Kill() {
	// Sessions leave the postmaster's group, so they are looked up while it still is their parent.
	sessions := childrenOf(c.child.Pid())
	c.child.Kill()
	<-c.child.Done()
	for _, pid := range sessions {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, pid := range sessions {
		awaitEnd(pid, stopTimeout)
	}
}

// takePort names a taken port before PostgreSQL does so in its log.
func takePort(port int, hint string) (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		if hint == "" {
			hint = "choose another one"
		}
		return 0, fmt.Errorf("port %d, wanted for PostgreSQL, is taken by another program: %s", port, hint)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}
