package sandbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/channel/meta"
	"omnidesk/internal/id"
	"omnidesk/internal/sandbox"
	"omnidesk/internal/sandbox/graph"
)

// BenchmarkSend sends from 64 goroutines for each core to a sandbox in the same process, over real sockets:
// into the sink, and with phones, ledger and three webhook statuses for each message.
func BenchmarkSend(b *testing.B) {
	b.Run("sink", func(b *testing.B) { benchmarkSend(b, sandbox.Options{Sink: true}) })
	b.Run("statuses", func(b *testing.B) { benchmarkSend(b, sandbox.Options{}) })
}

func benchmarkSend(b *testing.B, options sandbox.Options) {
	options.DataDir = b.TempDir()
	simulator, err := sandbox.New(options)
	require.NoError(b, err)
	server := httptest.NewServer(simulator)
	platform := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) //nolint:errcheck
	}))
	adapter, err := meta.New(meta.Options{SandboxURL: server.URL})
	require.NoError(b, err)
	b.Cleanup(func() {
		adapter.Close()
		server.Close()
		require.NoError(b, simulator.Close())
		platform.Close()
	})
	require.NoError(b, simulator.PutNumber(graph.Number{ID: numberID, WebhookURL: platform.URL}))
	const slots = 64
	sender := adapter.Open(account, slots)
	var wrong atomic.Int64
	b.SetParallelism(slots) // times GOMAXPROCS
	b.ReportAllocs()
	b.RunParallel(func(loop *testing.PB) {
		for loop.Next() {
			outcome := sender.Send(b.Context(), channel.Outgoing{
				ID: id.New(), To: channel.Address{Kind: "phone", Value: "+5511999990001"}, Content: order(),
			})
			if outcome.Class != channel.Accepted {
				wrong.Add(1)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sends/s")
	require.Zero(b, wrong.Load())
}
