package chaos

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// links is the network between the parts: one proxy for each pair, made when the first part looks for the other.
type links struct {
	t       *testing.T
	server  *toxiproxy.ApiServer
	mu      sync.Mutex
	proxies map[string]*toxiproxy.Proxy
}

func newLinks(t *testing.T) *links {
	l := &links{t: t, server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), proxies: map[string]*toxiproxy.Proxy{}}
	t.Cleanup(func() {
		for _, proxy := range l.proxies {
			proxy.Stop()
		}
	})
	return l
}

func linkName(from, to string) string { return from + " → " + to }

// reach is where one part finds another.
func (l *links) reach(from, to, address string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := linkName(from, to)
	if l.proxies[name] == nil {
		proxy := toxiproxy.NewProxy(l.server, name, "127.0.0.1:0", address)
		require.NoError(l.t, proxy.Start())
		l.proxies[name] = proxy
	}
	return l.proxies[name].Listen
}

// A toxic is what may be wrong with a link for a while.
const (
	slowLink   = `{"type":"latency","attributes":{"latency":500,"jitter":250}}`
	blackHole  = `{"type":"timeout","attributes":{"timeout":0}}`
	resets     = `{"type":"reset_peer","attributes":{"timeout":0}}`
	cutAnswers = `{"type":"limit_data","attributes":{"bytes":300}}` // in the middle of one
)

// spoil makes a link bad until the function it returns is called.
func (l *links) spoil(name, toxic string) (heal func()) {
	l.mu.Lock()
	proxy := l.proxies[name]
	l.mu.Unlock()
	require.NotNil(l.t, proxy, "there is no link %q", name)
	added, err := proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name":"fault",%s`, toxic[1:])))
	require.NoError(l.t, err)
	return func() { require.NoError(l.t, proxy.Toxics.RemoveToxic(context.Background(), added.Name)) }
}
