// Package server is the HTTP side: it translates requests into methods of the nouns and back. Every resource
// has a file of its own; who may call what stands in one table (authz.go).
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"omnidesk/internal/account"
	"omnidesk/internal/apiclient"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/media"
	"omnidesk/internal/platform"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/secret"
	"omnidesk/internal/webhook"
)

// Workflows answers what Temporal is doing. *flow.Client is one. It is never asked in a request that changes
// something: those only write rows and wakes.
type Workflows interface {
	Live(ctx context.Context, target flow.Target) (live flow.Live, runID string, err error)
	Run(ctx context.Context, company id.ID, target flow.Target, runID string, before int64, limit int) (flow.Run, error)
	Runs(ctx context.Context, company id.ID, target flow.Target) ([]flow.RunHead, error)
	Healthy(ctx context.Context) error
	WorkerSeen(ctx context.Context) error
	Queues(ctx context.Context) ([]flow.Queue, error)
}

// Relay is told after a commit that there are wakes. *wake.Relay is one.
type Relay interface{ Hint() }

// Sandbox gives numbers to simulated connections.
type Sandbox interface {
	// Register makes a number known, or changes what is known of it.
	Register(ctx context.Context, number SimulatedNumber) error
}

// SimulatedNumber is what the sandbox has to know of a number.
type SimulatedNumber struct {
	ID, Display, Name, AccountID, AppID, AppSecret, Callback, VerifyToken string
}

// Webhook reads what one provider posts.
type Webhook struct {
	Verify    func(secret string, body []byte, header string) bool
	Challenge func(query url.Values, verifyToken string) (answer string, ok bool)
	Parse     func(body []byte) []channel.Event
}

// Options is what a server is made of. DB, Sealer, Tokens, Workflows, Relay, Adapters, Meta and Media are required.
type Options struct {
	Addr        string // where to listen, such as 127.0.0.1:8080
	MetricsAddr string // where metrics are served, or empty for nowhere
	PublicURL   string // how browsers and providers reach this server, such as https://desk.example.com
	Version     string
	SandboxURL  string  // the sandbox's page, or empty when there is no sandbox
	Sandbox     Sandbox // gives simulated numbers; nil when there is no sandbox

	CanMail bool   // the workers can send mail; without it what needs mail is refused
	Mailbox string // the sandbox's page of mails, when they go there; empty when mail is real
	SignUp  bool   // strangers may make a company of their own

	DB        *postgres.DB
	Sealer    *secret.Sealer
	Tokens    *account.Tokens
	Lifetimes account.Lifetimes // the zero value means account.DefaultLifetimes
	Workflows Workflows
	Relay     Relay
	Publisher *realtime.Publisher // nil: the server makes and runs its own
	Adapters  map[channel.Kind]channel.Adapter
	Meta      Webhook
	Media     *media.Store // files of messages
	Web       http.Handler // the web app; nil serves none

	TemporalUI        string // address of the Temporal UI, or empty for none
	TemporalNamespace string // empty means default

	TrustedProxies []netip.Prefix // peers whose ProxyHeader is believed
	ProxyHeader    string         // the one header that names the client, such as X-Forwarded-For
}

// Server is the HTTP side of one process.
type Server struct {
	Options
	logins      *account.Logins
	connections *connection.Store
	events      *webhook.Store
	clients     *apiclient.Store
	publisher   *realtime.Publisher
	ownsPublish bool
	hub         *realtime.Hub
	sockets     *sockets
	statuses    *statusQueues
	slugs       recent[string, connection.Route]
	secrets     recent[id.ID, []string]
	rates       *rates
	health      healthCache
	metrics     *metrics
	registry    *prometheus.Registry
	imports     chan struct{}
	sheets      chan struct{}
	origins     map[string]bool
	api         huma.API
	external    huma.API // for other systems
	engine      *gin.Engine
	handler     http.Handler
	actions     func() map[string]string // what stands in the audit log, in words
	routes      map[string]string        // METHOD path of a plain route → its name in the table
	now         func() time.Time
}

const importsAtOneTime = 8 // uploads of one process; each keeps a chunk in memory

// New builds the server. Nothing runs and nothing is asked of the database before Run.
func New(options Options) (*Server, error) {
	public, err := url.Parse(options.PublicURL)
	if err != nil || public.Host == "" || public.Scheme != "http" && public.Scheme != "https" {
		return nil, errors.New("the public URL must be of the form https://desk.example.com")
	}
	s := &Server{Options: options, registry: prometheus.NewRegistry(), imports: make(chan struct{}, importsAtOneTime), sheets: make(chan struct{}, sheetsAtOneTime),
		routes: map[string]string{}, now: time.Now, sockets: newSockets(), rates: newRates(), origins: originsOf(public)}
	if s.TemporalNamespace == "" {
		s.TemporalNamespace = "default"
	}
	if s.Lifetimes == (account.Lifetimes{}) {
		s.Lifetimes = account.DefaultLifetimes
	}
	s.metrics = newMetrics(s.registry)
	s.logins = account.NewLogins(options.DB, options.Tokens, options.Lifetimes)
	s.connections = connection.NewStore(options.Sealer)
	s.events = webhook.NewStore(options.Sealer)
	s.clients = apiclient.NewStore(options.Sealer)
	s.publisher = options.Publisher
	if s.publisher == nil && options.DB != nil {
		s.publisher, s.ownsPublish = realtime.NewPublisher(options.DB), true
	}
	if options.DB != nil {
		s.hub = realtime.NewHub(options.DB.URL())
	}
	s.statuses = newStatusQueues(s)
	if err := s.build(); err != nil {
		return nil, err
	}
	return s, nil
}

// Handler returns the whole HTTP side, for tests.
func (s *Server) Handler() http.Handler { return s.handler }

// Run serves until ctx ends and then lets open requests finish for up to 10 seconds.
func Run(ctx context.Context, options Options) error {
	s, err := New(options)
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// Run serves until ctx ends or a listener fails.
func (s *Server) Run(ctx context.Context) error {
	listener, err := listen(ctx, s.Addr)
	if err != nil {
		return err
	}
	if s.MetricsAddr == "" {
		return s.Serve(ctx, listener, nil)
	}
	metrics, err := listen(ctx, s.MetricsAddr)
	if err != nil {
		_ = listener.Close()
		return err
	}
	return s.Serve(ctx, listener, metrics)
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %s (is the port taken?): %w", addr, err)
	}
	return listener, nil
}

// Serve serves on listeners that are open already; metrics may be nil.
func (s *Server) Serve(ctx context.Context, listener, metrics net.Listener) error {
	if err := s.DB.InSystem(ctx, func(tx postgres.Tx) error { return platform.SetPublicURL(ctx, tx, strings.TrimRight(s.PublicURL, "/")) }); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() { s.Background(ctx) })
	failed := make(chan error, 2)
	servers := []*http.Server{newHTTPServer(s.handler)}
	running.Go(func() { failed <- servers[0].Serve(listener) })
	if metrics != nil {
		servers = append(servers, newHTTPServer(s.metricsHandler()))
		running.Go(func() { failed <- servers[1].Serve(metrics) })
	}
	slog.Info("serving", "address", listener.Addr().String())
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.sockets.closeAll() // websockets are hijacked: Shutdown would not wait for them, nor end them
	closing, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer done()
	for _, server := range servers {
		if shutdown := server.Shutdown(closing); shutdown != nil {
			_ = server.Close()
		}
	}
	cancel()
	running.Wait()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

// Background runs what the server needs beside its handler, until ctx ends.
func (s *Server) Background(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { s.hub.Run(ctx) })
	running.Go(func() { s.endRevokedSockets(ctx) })
	running.Go(func() { (&watch{Server: s}).run(ctx) })
	if s.ownsPublish {
		running.Go(func() { s.publisher.Run(ctx) })
	}
	running.Wait()
}

func newHTTPServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
}

// originsOf returns the origins whose pages may open a websocket: the public one, and on a loopback address
// each name of it, because people type either.
func originsOf(public *url.URL) map[string]bool {
	origins := map[string]bool{public.Scheme + "://" + public.Host: true}
	host := public.Hostname()
	if host == "localhost" || host == "127.0.0.1" {
		for _, name := range []string{"localhost", "127.0.0.1"} {
			origin := public.Scheme + "://" + name
			if public.Port() != "" {
				origin += ":" + public.Port()
			}
			origins[origin] = true
		}
	}
	return origins
}

func (s *Server) hint() {
	if s.Relay != nil {
		s.Relay.Hint()
	}
}

func (s *Server) changed(company id.ID, kind realtime.Kind, subject id.ID) {
	s.publisher.Publish(realtime.Event{Company: company, Kind: kind, ID: subject})
}
