// Command temporal-dev is the local Temporal server: all its services in one process, on the PostgreSQL that the
// application uses too, with the web UI. It is a module of its own so that the application never compiles it.
//
// It prints one line, "ready" and its address, once a client can list workflows, and stops on SIGINT or SIGTERM.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// startTimeout bounds everything from the first connection to the first list.
const startTimeout = 2 * time.Minute

func main() {
	err := run(os.Args[1:])
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "temporal-dev:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	s, err := readSettings(args)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	logger := newLogger(s.LogLevel)
	main, visibility, err := stores(s.Database)
	if err != nil {
		return err
	}
	if err := prepareSchemas(s.Database, main, visibility, logger); err != nil {
		return err
	}
	server, err := newServer(s, main, visibility, logger)
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("starting the Temporal server: %w", err)
	}
	defer server.Stop() //nolint:errcheck // the process ends either way
	failed := make(chan error, 1)
	if !s.headless {
		ui := newUI(s)
		go func() { failed <- ui.Start() }()
		defer ui.Stop()
	}
	starting, done := context.WithTimeout(ctx, startTimeout)
	defer done()
	if err := prepareNamespace(starting, s); err != nil {
		if ctx.Err() != nil {
			return nil // asked to stop while starting
		}
		return err
	}
	fmt.Printf("ready %s\n", s.address(s.Ports.Frontend))
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return fmt.Errorf("the UI stopped: %w", err)
	}
}
