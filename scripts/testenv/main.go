// Command testenv runs a command with a throw-away PostgreSQL and Temporal server on free ports, named in its
// environment, and clears both away afterwards:
//
//	go run ./scripts/testenv go test ./...
//
// Its exit code is that of the command.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"omnidesk/internal/dev/process"
	"omnidesk/internal/postgres/cluster"
)

const startTimeout = 2 * time.Minute

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		code = 1
	}
	os.Exit(code)
}

func run(command []string) (int, error) {
	if len(command) == 0 {
		return 0, errors.New("name the command to run")
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	dir, err := os.MkdirTemp("", "omnidesk-testenv-")
	if err != nil {
		return 0, fmt.Errorf("making a directory: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL may run as another user
		return 0, fmt.Errorf("opening the directory: %w", err)
	}
	postgres, err := cluster.Start(ctx, cluster.Options{Dir: filepath.Join(dir, "postgres")})
	if err != nil {
		return 0, err
	}
	defer postgres.Stop()
	if err := postgres.CreateDatabase(ctx, "temporal"); err != nil {
		return 0, err
	}
	temporal, address, err := startTemporal(ctx, dir, postgres.URL("temporal"))
	if err != nil {
		return 0, err
	}
	defer stop(temporal)
	return execute(ctx, command, append(os.Environ(),
		"OMNIDESK_TEST_POSTGRES="+postgres.URL("postgres"),
		"OMNIDESK_TEST_TEMPORAL="+address,
	))
}

// startTemporal returns once the server can list workflows, with its address.
func startTemporal(ctx context.Context, dir, databaseURL string) (*process.Child, string, error) {
	log, err := os.Create(filepath.Join(dir, "temporal.log"))
	if err != nil {
		return nil, "", fmt.Errorf("opening the log of Temporal: %w", err)
	}
	defer log.Close()
	read, write, err := os.Pipe()
	if err != nil {
		return nil, "", fmt.Errorf("making a pipe: %w", err)
	}
	child, err := process.Start(process.Spec{
		Path: binary(), Args: []string{"--headless", "--port", "0", "--metrics-port", "0"},
		Env: append(os.Environ(), "TEMPORAL_DATABASE_URL="+databaseURL), Out: log, Stdout: write,
	})
	write.Close()
	if err != nil {
		return nil, "", fmt.Errorf("%w (build it with: make temporal)", err)
	}
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(read)
		for lines.Scan() {
			if address, found := strings.CutPrefix(lines.Text(), "ready "); found {
				ready <- address
			}
		}
	}()
	select {
	case address := <-ready:
		return child, address, nil
	case <-child.Done():
		text, _ := os.ReadFile(log.Name())
		return nil, "", fmt.Errorf("the Temporal server ended while starting:\n%s", text)
	case <-ctx.Done():
		child.Kill()
		return nil, "", ctx.Err()
	case <-time.After(startTimeout):
		child.Kill()
		return nil, "", errors.New("the Temporal server did not become ready")
	}
}

func binary() string {
	if path := os.Getenv("OMNIDESK_TEMPORAL_BINARY"); path != "" {
		return path
	}
	return ".data/bin/temporal-dev"
}

func stop(child *process.Child) {
	child.Signal(syscall.SIGTERM)
	select {
	case <-child.Done():
	case <-time.After(15 * time.Second):
		child.Kill()
	}
}

// execute passes Ctrl-C on by itself: the command is in our process group. SIGTERM it gets from us.
func execute(ctx context.Context, command, environment []string) (int, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = environment
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}
