package llm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

const (
	// DefaultTimeout is how long one call may take, the whole stream of an answer included.
	DefaultTimeout = 90 * time.Second
	dialTimeout    = 5 * time.Second
	mostComplaint  = 64 << 10
	mostOnWire     = 16 << 20 // bytes of an answer: a hundred vectors, or many small events of a long text
)

// Wire says how adapters reach their providers.
type Wire struct {
	SandboxURL   string        // speak to the sandbox at this address instead, under the provider's name
	Timeout      time.Duration // of one call; 0 is DefaultTimeout
	PrivateHosts bool          // an Access may name an address in a private network, without TLS
}

// Bound returns a context that ends with the call's time.
func (w Wire) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := w.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return context.WithTimeout(ctx, timeout)
}

// Client returns a client for a provider's own hosts. Answers that are no success come out of it as an *Error, so that
// no library repeats a call behind our back, and answers are bounded.
func (w Wire) Client() (*http.Client, error) { return w.client(w.transport(nil)) }

// StrangerClient returns a client for addresses that a company named: no proxy, no connection that is kept, and no
// private network unless the operator allows it. The check is of the address that is dialled, not of its name.
func (w Wire) StrangerClient() (*http.Client, error) {
	control := refusePrivate
	if w.PrivateHosts {
		control = nil
	}
	transport := w.transport(control)
	transport.Proxy, transport.DisableKeepAlives = nil, true
	return w.client(transport)
}

func (w Wire) transport(control func(network, address string, _ syscall.RawConn) error) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: control}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: dialTimeout,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
	}
}

func (w Wire) client(next *http.Transport) (*http.Client, error) {
	guard := &guard{next: next}
	if w.SandboxURL != "" {
		sandbox, err := url.Parse(w.SandboxURL)
		if err != nil || sandbox.Host == "" {
			return nil, fmt.Errorf("the sandbox's address %q is no URL", w.SandboxURL)
		}
		guard.sandbox, next.Proxy = sandbox, nil
	}
	return &http.Client{Transport: guard, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// guard turns whatever is no success into an *Error.
type guard struct {
	next    http.RoundTripper
	sandbox *url.URL
}

// RoundTrip makes one call, once.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.sandbox != nil {
		r = r.Clone(r.Context())
		r.Host = r.URL.Host
		r.URL.Scheme, r.URL.Host = g.sandbox.Scheme, g.sandbox.Host
	}
	response, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, broken(err)
	}
	if response.StatusCode == http.StatusOK {
		response.Body = &bounded{body: response.Body, left: mostOnWire}
		return response, nil
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, mostComplaint)) // the status alone will do
	return nil, classify(response.StatusCode, response.Header, said, time.Now())
}

// broken makes an error of a call that got no answer. That the caller has ended it stays what it is.
func broken(err error) error {
	var private *privateError
	var slow net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &private):
		return &Error{Class: Refused, Code: CodePrivate}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return &Error{Class: Retry, Code: CodeTimeout}
	}
	return &Error{Class: Retry, Code: CodeUnreachable}
}

// Failed makes what an adapter returns of what its library said: our own *Error that went through it, the caller's
// end, or an answer that the library could not read. spent is what may have been paid by then; a provider that says no
// takes nothing.
func Failed(ctx context.Context, err error, spent Usage) error {
	var ours *Error
	switch {
	case errors.As(err, &ours):
		seen := *ours
		if seen.Status < http.StatusBadRequest && seen.Code != CodePrivate {
			seen.Usage = spent
		}
		return &seen
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &Error{Class: Retry, Code: CodeTimeout, Usage: spent}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return &Error{Class: Unfit, Code: CodeCut, Status: http.StatusOK, Usage: spent}
	}
	return &Error{Class: Unfit, Code: CodeGarbled, Status: http.StatusOK, Usage: spent}
}

// bounded ends an answer that is longer than any should be.
type bounded struct {
	body io.ReadCloser
	left int
}

// Read fails with an *Error at the bound.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &Error{Class: Unfit, Code: CodeTooLong, Status: http.StatusOK}
	}
	n, err := b.body.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// Close closes the answer.
func (b *bounded) Close() error { return b.body.Close() }

type privateError struct{ address netip.Addr }

// Error names the address.
func (e *privateError) Error() string { return "refusing to call " + e.address.String() }

// refusePrivate lets only addresses of the public internet through, just before they are dialled.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("reading an address: %w", err)
	}
	if ip := at.Addr().Unmap(); !public(ip) {
		return &privateError{ip}
	}
	return nil
}

// special are IPv4 networks that lead to nobody's public server, beyond those that netip knows by name.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"),
}

var globalIPv6 = netip.MustParsePrefix("2000::/3")

func public(ip netip.Addr) bool {
	if ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || ip.Zone() != "" {
		return false
	}
	for _, network := range special {
		if network.Contains(ip) {
			return false
		}
	}
	return ip.Is4() || globalIPv6.Contains(ip)
}

// CheckBase refuses an address that no Access should have. Whether it leads into a private network is seen when it
// is dialled.
func (w Wire) CheckBase(base string) error {
	if base == "" {
		return nil
	}
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return errors.New("this is no address; it should look like https://llm.example.com/v1")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the address must have no user, no question mark and no number sign")
	case u.Scheme != "https" && !w.PrivateHosts:
		return errors.New("the address must begin with https://, because the key travels there")
	}
	return nil
}
