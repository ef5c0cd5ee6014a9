package dev

import (
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/config"
)

func TestTakenPortsAreNamedWithTheirFlagAndVariable(t *testing.T) {
	// Below the range that outgoing connections draw from: those would take the neighbours that are expected free.
	base := freePorts(t)
	taken := base.MetricsPort + 2
	listener, err := net.Listen("tcp", config.Address(loopback, taken))
	require.NoError(t, err)
	defer listener.Close()
	for _, c := range []struct {
		set       func(*config.Dev)
		flag, env string
	}{
		{func(d *config.Dev) { d.Port = taken }, "--port", "PORT"},
		{func(d *config.Dev) { d.SandboxPort = taken }, "--sandbox-port", "OMNIDESK_SANDBOX_PORT"},
		{func(d *config.Dev) { d.TemporalPort = taken }, "--temporal-port", "OMNIDESK_TEMPORAL_PORT"},
		{func(d *config.Dev) { d.UIPort = taken }, "--temporal-ui-port", "OMNIDESK_TEMPORAL_UI_PORT"},
		{func(d *config.Dev) { d.MetricsPort = taken - 2 }, "--metrics-port", "OMNIDESK_METRICS_PORT"},
	} {
		settings := base
		settings.MetricsPort += 3
		c.set(&settings)
		err := checkPorts(settings, 0)
		require.ErrorContains(t, err, strconv.Itoa(taken))
		require.ErrorContains(t, err, c.flag+" or "+c.env)
	}
	require.NoError(t, checkPorts(freePorts(t), 0))
}

func TestOnePortForTwoIsRefused(t *testing.T) {
	settings := freePorts(t)
	settings.SandboxPort = settings.Port
	require.ErrorContains(t, checkPorts(settings, 0), "wanted by both the application and the sandbox")
}

func TestNoLocalTemporalNeedsNoPortsForIt(t *testing.T) {
	require.Len(t, ports(config.Dev{TemporalUsed: "temporal.example:7233"}), len(ports(config.Dev{}))-3)
}

// freePorts are free at this moment, and so are the three after them; three in a row are needed for the metrics.
func freePorts(t *testing.T) config.Dev {
	t.Helper()
	for first := 21000; first < 32000; first += 12 {
		all := true
		for number := first; number < first+11; number++ {
			all = all && free(number)
		}
		if all {
			return config.Dev{Port: first, SandboxPort: first + 1, TemporalPort: first + 2, UIPort: first + 3,
				PostgresPort: first + 4, MetricsPort: first + 5}
		}
	}
	require.Fail(t, "no free ports")
	return config.Dev{}
}
