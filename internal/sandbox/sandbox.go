// Package sandbox runs simulators of the providers on one listener, so that the platform works whole on one
// machine without an account anywhere. Requests for a provider's host go to its simulator; every other host
// is the sandbox's own: the page of simulated phones and the control API.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"omnidesk/internal/sandbox/graph"
	"omnidesk/internal/sandbox/llm"
	"omnidesk/internal/sandbox/world"
)

// Options says how a sandbox runs.
type Options struct {
	// Addr is where Run listens, such as 127.0.0.1:8090. Whoever reaches it controls the sandbox, so it
	// should be on loopback.
	Addr string
	// DataDir keeps the ledger, the numbers, the people, their media and the curve. It is made when missing.
	DataDir string
	// Fsync makes each accepted send wait for the disk. Without it the ledger survives the death of the
	// process, but not of the machine.
	Fsync bool
	// Sink is for benchmarks: no statuses, no phones, and a ledger that is written behind.
	Sink bool
	// Strict answers for registered numbers alone. Otherwise a number is registered by its first use.
	Strict bool
	// Ready, when set, is called by Run with the address once it listens.
	Ready func(addr net.Addr)
}

// Sandbox is an http.Handler for all simulated hosts.
type Sandbox struct {
	options Options
	world   *world.World
	graph   *graph.Server
	models  *llm.Server
	mails   *mailbox
	control http.Handler
}

// New returns a sandbox with the state of its last run. Close it.
func New(options Options) (*Sandbox, error) {
	if err := os.MkdirAll(options.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("making the sandbox's folder: %w", err)
	}
	mode := world.LedgerWritten
	switch {
	case options.Sink:
		mode = world.LedgerBuffered
	case options.Fsync:
		mode = world.LedgerSynced
	}
	people, err := world.LoadPeople(filepath.Join(options.DataDir, "people.json"))
	if err != nil {
		return nil, fmt.Errorf("loading the sandbox's people: %w", err)
	}
	curve := world.DefaultCurve
	if err := world.Load(filepath.Join(options.DataDir, "statuses.json"), &curve); err != nil {
		return nil, fmt.Errorf("loading the curve of statuses: %w", err)
	}
	mails, err := openMailbox(options.DataDir)
	if err != nil {
		return nil, fmt.Errorf("opening the sandbox's mailbox: %w", err)
	}
	store, err := world.OpenStore(filepath.Join(options.DataDir, "media"))
	if err != nil {
		return nil, err
	}
	models, err := llm.New(filepath.Join(options.DataDir, "models.json"))
	if err != nil {
		return nil, err
	}
	ledger, err := world.OpenLedger(filepath.Join(options.DataDir, "ledger.jsonl"), mode)
	if err != nil {
		return nil, err
	}
	ground := &world.World{Ledger: ledger, People: people, Store: store}
	ground.Curves.Set(curve)
	simulator, err := graph.New(ground, graph.Options{
		StatePath: filepath.Join(options.DataDir, "graph.json"), Sink: options.Sink, Strict: options.Strict,
	})
	if err != nil {
		return nil, errors.Join(err, ledger.Close())
	}
	s := &Sandbox{options: options, world: ground, graph: simulator, models: models, mails: mails}
	s.control = s.routes()
	return s, nil
}

// ServeHTTP routes by the Host header.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch host := hostName(r.Host); {
	case graph.ServesHost(host):
		s.graph.ServeHTTP(w, r)
	case llm.ServesHost(host):
		s.models.ServeHTTP(w, r)
	default:
		s.control.ServeHTTP(w, r)
	}
}

func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// PutNumber registers or changes a business number, as PUT /sandbox/numbers does.
func (s *Sandbox) PutNumber(number graph.Number) error { return s.graph.PutNumber(number) }

// Close stops webhooks and closes the ledger. Call it when no request runs any more.
func (s *Sandbox) Close() error {
	s.graph.Close()
	return s.world.Ledger.Close()
}

// Run serves a sandbox until the context ends.
func Run(ctx context.Context, options Options) error {
	sandbox, err := New(options)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", options.Addr)
	if err != nil {
		return errors.Join(fmt.Errorf("listening for the sandbox: %w", err), sandbox.Close())
	}
	// Requests end with ctx, so that one that a fault holds does not hold the stop.
	server := &http.Server{
		Handler: sandbox, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if options.Ready != nil {
		options.Ready(listener.Addr())
	}
	select {
	case err = <-served:
		err = fmt.Errorf("serving the sandbox: %w", err)
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if server.Shutdown(grace) != nil {
			server.Close() //nolint:errcheck // what is left is cut
		}
		<-served //nolint:errcheck // it says that the server was closed
	}
	return errors.Join(err, sandbox.Close())
}
