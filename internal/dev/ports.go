package dev

import (
	"fmt"
	"net"
	"time"

	"omnidesk/internal/config"
)

// port is one TCP port on the loopback that a child will listen on.
type port struct {
	number int
	of     string // who listens
	flag   string // how to change it
	env    string
}

func (p port) hint() string {
	return fmt.Sprintf("stop that program, or choose another port with --%s or %s", p.flag, p.env)
}

func postgresPort(c config.Dev) port {
	return port{c.PostgresPort, "PostgreSQL", "postgres-port", "OMNIDESK_POSTGRES_PORT"}
}

// ports are those to check before anything starts. PostgreSQL's is not among them: one left over from an earlier
// start may still be shutting down, and the cluster waits for it.
func ports(c config.Dev) []port {
	all := []port{
		{c.Port, "the application", "port", "PORT"},
		{c.SandboxPort, "the sandbox", "sandbox-port", "OMNIDESK_SANDBOX_PORT"},
		{c.MetricsPort, "the server's metrics", "metrics-port", "OMNIDESK_METRICS_PORT"},
		{c.MetricsPort + 1, "the worker's metrics", "metrics-port", "OMNIDESK_METRICS_PORT"},
	}
	if c.TemporalUsed == "" {
		all = append(all,
			port{c.TemporalPort, "Temporal", "temporal-port", "OMNIDESK_TEMPORAL_PORT"},
			port{c.UIPort, "the Temporal UI", "temporal-ui-port", "OMNIDESK_TEMPORAL_UI_PORT"},
			port{c.MetricsPort + 2, "Temporal's metrics", "metrics-port", "OMNIDESK_METRICS_PORT"},
		)
	}
	return all
}

// checkPorts names the first port that is taken or wanted twice. After a supervisor was killed its children need
// a moment to go, so a taken port is given that long.
func checkPorts(c config.Dev, patience time.Duration) error {
	seen := map[int]string{}
	if c.PostgresPort != 0 {
		seen[c.PostgresPort] = "PostgreSQL"
	}
	deadline := time.Now().Add(patience)
	for _, p := range ports(c) {
		if other, twice := seen[p.number]; twice {
			return fmt.Errorf("port %d is wanted by both %s and %s: choose another with --%s or %s", p.number, other, p.of, p.flag, p.env)
		}
		seen[p.number] = p.of
		for !free(p.number) {
			if !time.Now().Before(deadline) {
				return fmt.Errorf("port %d, wanted for %s, is taken by another program: %s", p.number, p.of, p.hint())
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}

func free(number int) bool {
	listener, err := net.Listen("tcp", config.Address(loopback, number))
	if err != nil {
		return false
	}
	_ = listener.Close()
	return true
}
