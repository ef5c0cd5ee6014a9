// Package channeltest holds the suite that every adapter passes together with its provider's sandbox. It
// proves what the ledger of messages relies on: what an outcome says about the wire is true, and no message is
// put on the wire twice.
package channeltest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/sandbox"
	"omnidesk/internal/sandbox/world"
)

// Pair is an adapter and what its provider's sandbox takes and refuses.
type Pair struct {
	// Adapter returns an adapter that speaks to a URL instead of the provider.
	Adapter func(t *testing.T, url string, timeout time.Duration) channel.Adapter
	Account channel.Account
	To      channel.Address
	// Accepted is content that the provider takes at any time; Refused is content that it never takes.
	Accepted, Refused channel.Content
	// Kinds is every kind of content that the provider takes in an open window, by name. Files have no id at the provider
	// yet: the suite hands them over. Unfit is content that the adapter itself must refuse, by the field to blame.
	Kinds map[string]channel.Content
	Unfit map[string]channel.Content
	// Classes says what a sender makes of the provider's codes.
	Classes map[int]Verdict
	// RetryLaterCode is a provider's code that means "not accepted, come later".
	RetryLaterCode int
	// Answer is the body of an answer 200 that accepts a message.
	Answer string
	// MessageID finds our id in the body of a request.
	MessageID func(body []byte) string
}

// Verdict is what is known after a send that met a code.
type Verdict struct {
	Class channel.Class
	Scope channel.Scope
}

const (
	// long is a timeout that no healthy send meets; short is one that a test waits for.
	long  = 20 * time.Second
	short = 250 * time.Millisecond
)

// Run runs the suite.
func Run(t *testing.T, pair Pair) {
	t.Run("Sandbox", func(t *testing.T) { runSandbox(t, pair) })
	t.Run("Kinds", func(t *testing.T) { runKinds(t, pair) })
	t.Run("Wire", func(t *testing.T) { runWire(t, pair) })
}

// bench is a sandbox with a sender that speaks to it.
type bench struct {
	pair    Pair
	url     string
	adapter channel.Adapter
	sender  channel.Sender
}

func newBench(t *testing.T, pair Pair, timeout time.Duration) *bench {
	t.Helper()
	simulator, err := sandbox.New(sandbox.Options{DataDir: t.TempDir()})
	require.NoError(t, err)
	server := httptest.NewServer(simulator)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, simulator.Close())
	})
	adapter := pair.Adapter(t, server.URL, timeout)
	return &bench{pair: pair, url: server.URL, adapter: adapter, sender: adapter.Open(pair.Account, 64)}
}

func open(t *testing.T, pair Pair, url string, timeout time.Duration) channel.Sender {
	t.Helper()
	adapter := pair.Adapter(t, url, timeout)
	require.Equal(t, timeout, adapter.Timeout())
	return adapter.Open(pair.Account, 64)
}

func (p *Pair) message() channel.Outgoing {
	return channel.Outgoing{ID: id.New(), To: p.To, Content: p.Accepted}
}

// fault puts faults in force.
func (b *bench) fault(t *testing.T, faults ...world.Fault) {
	t.Helper()
	body, err := json.Marshal(faults)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, b.url+"/sandbox/faults", bytes.NewReader(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusNoContent, response.StatusCode)
}

// ledger returns the accepted sends by our id.
func (b *bench) ledger(t *testing.T) map[string][]world.Entry {
	t.Helper()
	response, err := http.Get(b.url + "/sandbox/ledger")
	require.NoError(t, err)
	defer response.Body.Close()
	entries := map[string][]world.Entry{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		var entry world.Entry
		require.NoError(t, json.Unmarshal(lines.Bytes(), &entry))
		entries[entry.ID] = append(entries[entry.ID], entry)
	}
	require.NoError(t, lines.Err())
	return entries
}

// provider is a bare TCP server that answers requests by a script and counts the messages it read.
type provider struct {
	listener net.Listener
	pair     Pair
	script   func(conn net.Conn, requestOfConn int) bool // true: go on with the connection

	mu     sync.Mutex
	counts map[string]int
	open   map[net.Conn]bool
	group  sync.WaitGroup
}

func newProvider(t *testing.T, pair Pair, script func(conn net.Conn, requestOfConn int) bool) *provider {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &provider{listener: listener, pair: pair, script: script, counts: map[string]int{}, open: map[net.Conn]bool{}}
	p.group.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *provider) url() string { return "http://" + p.listener.Addr().String() }

func (p *provider) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.open[conn] = true
		p.mu.Unlock()
		p.group.Go(func() { p.serve(conn) })
	}
}

func (p *provider) serve(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for n := 1; ; n++ {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.counts[p.pair.MessageID(body)]++
		p.mu.Unlock()
		if !p.script(conn, n) {
			return
		}
	}
}

// seen returns how often a message arrived whole.
func (p *provider) seen(message id.ID) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[message.String()]
}

func (p *provider) close() {
	p.listener.Close()
	p.mu.Lock()
	for conn := range p.open {
		conn.Close()
	}
	p.mu.Unlock()
	p.group.Wait()
}
