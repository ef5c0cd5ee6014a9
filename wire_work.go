package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"omnidesk/internal/config"
	"omnidesk/internal/connection"
	"omnidesk/internal/id"
	"omnidesk/internal/platform"
	"omnidesk/internal/realtime"
	"omnidesk/internal/restore"
	"omnidesk/worker"
)

type workCommand struct {
	config.Database
	config.Secrets
	config.Temporal
	config.Sandbox
	config.Provider
	config.Position
	config.Metrics
	config.LinkLifetimes
	config.Mail
	config.Media
	Slots       int `name:"slots" env:"OMNIDESK_SLOTS" default:"64" help:"Sends at once on one connection."`
	Pages       int `name:"pages" env:"OMNIDESK_PAGES" default:"8" help:"Connections sending at once in this process."`
	Connections int `name:"database-connections" env:"OMNIDESK_DATABASE_CONNECTIONS" default:"20" help:"Connections to the database at most."`
}

// Run works until it is asked to stop, and then records what is on the wire before it ends.
func (c *workCommand) Run(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // a page's live heap is small: memory is cheaper here than a tenth of the processor
	}
	sealer, _, err := openSecrets(c.Secrets)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, c.Database, c.Connections)
	if err != nil {
		return err
	}
	defer db.Close()
	temporal, err := dialTemporal(c.Temporal)
	if err != nil {
		return err
	}
	defer temporal.Close()
	if _, err := temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("asking Temporal at %s (set TEMPORAL_ADDRESS): %w", c.Address, err)
	}
	if err := errors.Join(c.Provider.Require(), c.Position.Require()); err != nil {
		return err
	}
	adapters, err := newAdapters(c.Sandbox, c.ProviderTimeout)
	if err != nil {
		return err
	}
	mailer, err := newMailer(ctx, c.Mail, c.Sandbox)
	if err != nil {
		return err
	}
	lives, err := lifetimes(config.Lifetimes{LinkLifetimes: c.LinkLifetimes})
	if err != nil {
		return err
	}
	files, closeFiles, err := openMedia(ctx, c.Media)
	if err != nil {
		return err
	}
	defer closeFiles()
	publisher := realtime.NewPublisher(db)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveMetrics(ctx, c.MetricsAddress) })
	group.Go(func() error { publisher.Run(ctx); return nil })
	group.Go(func() error { platform.Attend(ctx, db, "work", version()); return nil })
	group.Go(func() error {
		keeper := &restore.Keeper{DB: db, File: c.PositionFile, Lossless: c.LosslessFailover}
		if err := keeper.Check(ctx); err != nil { // nothing is claimed before it is known that this is no restored backup
			return err
		}
		group.Go(func() error { keeper.Keep(ctx); return nil })
		return worker.Run(ctx, worker.Options{
			DB: db, Temporal: temporal, Connections: connection.NewStore(sealer), Adapters: adapters, Slots: c.Slots, Pages: c.Pages, Mailer: mailer, Lifetimes: lives, Media: files,
			Changed: func(company, campaign id.ID) {
				publisher.Publish(realtime.Event{Company: company, Kind: realtime.Campaign, ID: campaign})
			},
			Conversed: func(company, conversation id.ID) {
				publisher.Publish(realtime.Event{Company: company, Kind: realtime.Conversation, ID: conversation})
			},
			Imported: func(company, imported id.ID) {
				publisher.Publish(realtime.Event{Company: company, Kind: realtime.Import, ID: imported})
				publisher.Publish(realtime.Event{Company: company, Kind: realtime.Contacts})
			},
		})
	})
	return group.Wait()
}

// serveMetrics serves health, metrics and profiles of a process that has no other listener, until ctx ends.
func serveMetrics(ctx context.Context, address string) error {
	if address == "" {
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"status":"ok"}`)) })
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listening for metrics (set OMNIDESK_METRICS_ADDRESS): %w", err)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving metrics: %w", err)
	}
	return nil
}
