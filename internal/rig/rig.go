// Package rig runs the whole of OmniDesk as real processes on free ports of the loopback, for benchmarks and
// for tests that kill: a PostgreSQL cluster, the local Temporal server, the sandbox, servers and workers.
package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"omnidesk/internal/account"
	"omnidesk/internal/dev/process"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/cluster"
	"omnidesk/internal/secret"
)

// Options of a rig.
type Options struct {
	Dir            string // for data and logs; must exist; everybody may pass through it
	Binary         string // omnidesk
	TemporalBinary string
	TemporalConfig string // temporal-dev.yaml
	Durable        bool   // keep every commit through a crash, as in production
	SandboxArgs    []string
	ServeEnv       []string
	WorkEnv        []string
	// Reach tells a part the address (host:port) at which it finds another one; nil: its own. A test puts a
	// faulty network there.
	Reach func(from, to, address string) string
}

// Rig is a running installation. Its parts can be killed and started again one by one.
type Rig struct {
	Options
	Postgres    *cluster.Cluster
	DatabaseURL string
	DB          *postgres.DB
	Keyset      string // ENCRYPTION_KEY
	SessionKey  string // JWT_SECRET_KEY
	Ports       Ports
	parts       map[string]*process.Child
}

// Ports on 127.0.0.1.
type Ports struct{ Postgres, Temporal, TemporalUI, App, Sandbox, ServeMetrics, WorkMetrics, TemporalMetrics int }

// Names of the parts that Start and Kill take.
const (
	Temporal = "temporal"
	Sandbox  = "sandbox"
	Serve    = "serve"
	Work     = "work"
	Postgres = "postgres" // started by New and StartPostgres
)

// New starts PostgreSQL and migrates. The other parts start when asked.
func New(ctx context.Context, o Options) (*Rig, error) {
	if err := os.Chmod(o.Dir, 0o755); err != nil { // PostgreSQL may run as another user
		return nil, fmt.Errorf("opening the directory of the rig: %w", err)
	}
	r := &Rig{Options: o, SessionKey: account.NewTokenSecret(), parts: map[string]*process.Child{}}
	if err := r.choosePorts(); err != nil {
		return nil, err
	}
	var err error
	if r.Keyset, err = keysetIn(o.Dir); err != nil {
		return nil, err
	}
	if err := r.StartPostgres(ctx); err != nil {
		return nil, err
	}
	if err := r.Postgres.CreateDatabase(ctx, "omnidesk"); err != nil {
		return nil, err
	}
	r.DatabaseURL = r.Postgres.URL("omnidesk")
	if err := postgres.Migrate(ctx, r.DatabaseURL); err != nil {
		return nil, err
	}
	r.DB, err = postgres.Open(ctx, r.DatabaseURL, postgres.Options{MaxConns: 8})
	return r, err
}

// keysetIn is the key with which the data in a directory were sealed: a new one when there are none yet.
func keysetIn(dir string) (string, error) {
	path := filepath.Join(dir, "keyset")
	kept, err := os.ReadFile(path)
	if err == nil {
		return string(kept), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("reading the key of the rig: %w", err)
	}
	made, err := secret.NewKeyset()
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(path, []byte(made), 0o600); err != nil {
		return "", fmt.Errorf("keeping the key of the rig: %w", err)
	}
	return made, nil
}

// StartPostgres starts the cluster, the first time or again after a kill.
func (r *Rig) StartPostgres(ctx context.Context) (err error) {
	r.Postgres, err = cluster.Start(ctx, cluster.Options{Dir: filepath.Join(r.Dir, "postgres"), Port: r.Ports.Postgres, Durable: r.Durable})
	return err
}

// Restore starts PostgreSQL on a base backup that Postgres.Backup has made, after a kill. Parts that live on find their
// database at an earlier time.
func (r *Rig) Restore(ctx context.Context) error {
	if err := r.Postgres.Restore(); err != nil {
		return err
	}
	return r.StartPostgres(ctx)
}

func (r *Rig) choosePorts() error {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	p := &r.Ports
	for _, port := range []*int{&p.Postgres, &p.Temporal, &p.TemporalUI, &p.App, &p.Sandbox, &p.ServeMetrics, &p.WorkMetrics, &p.TemporalMetrics} {
		l, err := listenAnywhere()
		if err != nil {
			return fmt.Errorf("choosing a free port: %w", err)
		}
		held = append(held, l)
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return nil
}

// listenAnywhere stays below the range from which the system takes the ports of outgoing connections: a part that
// is started again must find its port free.
func listenAnywhere() (l net.Listener, err error) {
	for range 100 {
		if l, err = net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(16_000+rand.IntN(16_000))); err == nil {
			return l, nil
		}
	}
	return nil, err
}

// FreeAddress is one on the loopback at which nobody listens; it stays free when its listener is started again.
func FreeAddress() (string, error) {
	l, err := listenAnywhere()
	if err != nil {
		return "", fmt.Errorf("choosing a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// AppURL is where the server answers.
func (r *Rig) AppURL() string { return address(r.Ports.App) }

// SandboxURL is where the simulated providers answer.
func (r *Rig) SandboxURL() string { return address(r.Ports.Sandbox) }

// PositionFile is where the worker remembers how far it has seen the database come.
func (r *Rig) PositionFile() string { return filepath.Join(r.Dir, "position.json") }

// MediaFolder is where servers and workers keep files.
func (r *Rig) MediaFolder() string { return filepath.Join(r.Dir, "media") }

// TemporalAddress is what a client of Temporal dials.
func (r *Rig) TemporalAddress() string { return "127.0.0.1:" + strconv.Itoa(r.Ports.Temporal) }

func address(port int) string { return "http://127.0.0.1:" + strconv.Itoa(port) }

// Start starts one part and returns when it is ready.
func (r *Rig) Start(ctx context.Context, part string) error {
	switch part {
	case Temporal:
		return r.startTemporal(ctx)
	case Sandbox:
		args := append([]string{"sandbox", "--address", "127.0.0.1:" + strconv.Itoa(r.Ports.Sandbox), "--data", filepath.Join(r.Dir, "sandbox")}, r.SandboxArgs...)
		return r.launch(ctx, part, args, nil, r.SandboxURL()+"/healthz")
	case Serve:
		return r.launch(ctx, part, []string{"serve"}, append([]string{"PORT=" + strconv.Itoa(r.Ports.App), "OMNIDESK_PUBLIC_URL=" + r.AppURL(),
			"OMNIDESK_METRICS_ADDRESS=127.0.0.1:" + strconv.Itoa(r.Ports.ServeMetrics), "OMNIDESK_MEDIA_FOLDER=" + r.MediaFolder()}, r.ServeEnv...), r.AppURL()+"/healthz")
	case Work:
		return r.launch(ctx, part, []string{"work"}, append([]string{"OMNIDESK_METRICS_ADDRESS=127.0.0.1:" + strconv.Itoa(r.Ports.WorkMetrics),
			"OMNIDESK_POSITION_FILE=" + r.PositionFile(), "OMNIDESK_MEDIA_FOLDER=" + r.MediaFolder()}, r.WorkEnv...),
			address(r.Ports.WorkMetrics)+"/healthz")
	default:
		return fmt.Errorf("the rig has no part %q", part)
	}
}

// reach is where a part finds another one that listens on the port.
func (r *Rig) reach(from, to string, port int) string {
	host := "127.0.0.1:" + strconv.Itoa(port)
	if r.Reach == nil {
		return host
	}
	return r.Reach(from, to, host)
}

// databaseFor is the URL by which a part finds PostgreSQL.
func (r *Rig) databaseFor(part string) string {
	direct := "127.0.0.1:" + strconv.Itoa(r.Ports.Postgres)
	return strings.Replace(r.DatabaseURL, direct, r.reach(part, Postgres, r.Ports.Postgres), 1)
}

func (r *Rig) environment(part string, extra []string) []string {
	return append(append(os.Environ(),
		"DATABASE_URL="+r.databaseFor(part), "ENCRYPTION_KEY="+r.Keyset, "JWT_SECRET_KEY="+r.SessionKey,
		"TEMPORAL_ADDRESS="+r.reach(part, Temporal, r.Ports.Temporal), "OMNIDESK_SANDBOX_URL=http://"+r.reach(part, Sandbox, r.Ports.Sandbox),
		"OMNIDESK_TEMPORAL_UI_URL="+address(r.Ports.TemporalUI)), extra...)
}

func (r *Rig) launch(ctx context.Context, part string, args, env []string, health string) error {
	log, err := r.log(part)
	if err != nil {
		return err
	}
	defer log.Close()
	child, err := process.Start(process.Spec{Path: r.Binary, Args: args, Env: r.environment(part, env), Out: log})
	if err != nil {
		return err
	}
	r.parts[part] = child
	return r.awaitHealth(ctx, part, child, health)
}

func (r *Rig) awaitHealth(ctx context.Context, part string, child *process.Child, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client := &http.Client{Timeout: time.Second}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if answer, err := client.Do(request); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-child.Done():
			return fmt.Errorf("%s ended instead of getting ready:\n%s", part, r.Tail(part))
		case <-ctx.Done():
			return fmt.Errorf("%s did not get ready:\n%s", part, r.Tail(part))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (r *Rig) startTemporal(ctx context.Context) error {
	log, err := r.log(Temporal)
	if err != nil {
		return err
	}
	defer log.Close()
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	child, err := process.Start(process.Spec{Path: r.TemporalBinary, Out: log, Stdout: write,
		// Not as a flag: every user of the machine can read those, and the URL holds a password.
		Env: append(os.Environ(), "TEMPORAL_DATABASE_URL="+r.databaseFor(Temporal)), Args: []string{"--config", r.TemporalConfig, "--port", strconv.Itoa(r.Ports.Temporal), "--ui-port", strconv.Itoa(r.Ports.TemporalUI),
			"--metrics-port", strconv.Itoa(r.Ports.TemporalMetrics)}})
	_ = write.Close()
	if err != nil {
		return err
	}
	r.parts[Temporal] = child
	stop := context.AfterFunc(ctx, func() { _ = read.SetReadDeadline(time.Now()) })
	defer stop()
	_ = read.SetReadDeadline(time.Now().Add(2 * time.Minute))
	for lines := bufio.NewReader(read); ; {
		line, err := lines.ReadString('\n')
		if strings.HasPrefix(line, "ready") {
			return nil
		}
		if err != nil {
			return fmt.Errorf("Temporal did not get ready (%w):\n%s", err, r.Tail(Temporal))
		}
	}
}

// Kill ends a part at once, as kill -9 does, and returns when it is gone.
func (r *Rig) Kill(part string) {
	if child := r.parts[part]; child != nil {
		child.Kill()
		<-child.Done()
	}
}

// Alive tells whether a part was started and has not ended.
func (r *Rig) Alive(part string) bool {
	child := r.parts[part]
	if child == nil {
		return false
	}
	select {
	case <-child.Done():
		return false
	default:
		return true
	}
}

// Pid of a part that runs.
func (r *Rig) Pid(part string) int { return r.parts[part].Pid() }

// Tail is the end of a part's log.
func (r *Rig) Tail(part string) string {
	text, err := os.ReadFile(filepath.Join(r.Dir, part+".log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}

func (r *Rig) log(part string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(r.Dir, part+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", part, err)
	}
	return file, nil
}

// Close kills what still runs and stops PostgreSQL.
func (r *Rig) Close() error {
	for part := range r.parts {
		r.Kill(part)
	}
	if r.DB != nil {
		r.DB.Close()
	}
	if r.Postgres == nil {
		return errors.New("the rig had no PostgreSQL")
	}
	r.Postgres.Stop()
	return nil
}
