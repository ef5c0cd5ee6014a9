package meta

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	// idlePerHost holds every slot of many connections; a pool that is too small dials for each send.
	idlePerHost = 1024
	// idleFor is shorter than the time after which providers close an idle connection: a send that meets a
	// closing connection may have an unknown outcome.
	idleFor     = 30 * time.Second
	dialTimeout = 10 * time.Second
)

// newTransport returns a transport that never repeats a POST: it speaks HTTP/1.1 alone (HTTP/2 repeats a
// request on some resets), and requests carry a body without GetBody and no Idempotency-Key header. There is
// no http.Client above it, so no redirect is followed and a token never reaches a second host.
func newTransport(timeout time.Duration, proxied bool) *http.Transport {
	dialer := &net.Dialer{Timeout: min(dialTimeout, timeout), KeepAlive: 15 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &wire{Conn: conn}, nil
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    min(dialTimeout, timeout),
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleFor,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		Protocols:              protocols,
	}
	if proxied {
		transport.Proxy = http.ProxyFromEnvironment
	}
	return transport
}

// wire is a connection that counts the bytes the system took from us.
type wire struct {
	net.Conn
	written atomic.Int64
}

// Write counts after the fact: net/http ends its writer before it reports a failed request, so whoever reads
// the count after an error reads the final one.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.written.Add(int64(n))
	return n, err
}

// track tells whether a request can have reached the wire. It is conservative: a connection that it does not
// know counts as written to.
type track struct {
	trace  httptrace.ClientTrace
	got    bool
	conn   *wire
	before int64
}

// follow returns a context under which net/http reports the connection it takes.
func (t *track) follow(ctx context.Context) context.Context {
	t.trace.GotConn = func(info httptrace.GotConnInfo) {
		conn := info.Conn
		if secure, ok := conn.(*tls.Conn); ok {
			conn = secure.NetConn()
		}
		t.got = true
		if t.conn, _ = conn.(*wire); t.conn != nil {
			t.before = t.conn.written.Load()
		}
	}
	return httptrace.WithClientTrace(ctx, &t.trace)
}

func (t *track) touchedWire() bool {
	return t.got && (t.conn == nil || t.conn.written.Load() != t.before)
}
