// Package meta speaks the WhatsApp Cloud API of Meta: it sends, checks a number and reads webhooks. There is
// no official Go client, so this is our own, small and built for the hot path of a campaign.
package meta

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"omnidesk/internal/channel"
)

const (
	// DefaultVersion is the Graph version spoken when Options names none. Meta keeps it until July 2028.
	DefaultVersion = "v25.0"
	// DefaultTimeout bounds one send when Options names no bound.
	DefaultTimeout = 30 * time.Second
	// graphHost is the name in the Host header, in production and towards the sandbox.
	graphHost = "graph.facebook.com"
	userAgent = "omnidesk"
)

var versionPattern = regexp.MustCompile(`^v[0-9]{1,3}\.[0-9]{1,2}$`)

// Options says which Graph to speak to.
type Options struct {
	// Version is the Graph version in each path, such as v25.0. Defaults to DefaultVersion.
	Version string
	// SandboxURL, such as http://127.0.0.1:8090, sends every request to that address instead of Meta. The
	// Host header stays graph.facebook.com, by which the sandbox tells the providers apart.
	SandboxURL string
	// Timeout bounds one send, from looking for a connection to the last byte of the answer. Defaults to
	// DefaultTimeout.
	Timeout time.Duration
}

// Adapter is the channel.Adapter of the WhatsApp Cloud API. All its accounts share one pool of connections.
type Adapter struct {
	base      url.URL
	version   string
	timeout   time.Duration
	transport *http.Transport
}

// New returns an adapter, or an error when the options make no sense. Close it to drop its idle connections.
func New(options Options) (*Adapter, error) {
	if options.Version == "" {
		options.Version = DefaultVersion
	}
	if !versionPattern.MatchString(options.Version) {
		return nil, fmt.Errorf("reading the Graph version %q: want the form v25.0", options.Version)
	}
	if options.Timeout <= 0 {
		options.Timeout = DefaultTimeout
	}
	base := url.URL{Scheme: "https", Host: graphHost}
	if options.SandboxURL != "" {
		sandbox, err := url.Parse(options.SandboxURL)
		if err != nil {
			return nil, fmt.Errorf("reading the sandbox URL: %w", err)
		}
		if sandbox.Host == "" || (sandbox.Scheme != "http" && sandbox.Scheme != "https") {
			return nil, fmt.Errorf("reading the sandbox URL %q: want the form http://127.0.0.1:8090", options.SandboxURL)
		}
		base.Scheme, base.Host = sandbox.Scheme, sandbox.Host
	}
	return &Adapter{
		base:      base,
		version:   options.Version,
		timeout:   options.Timeout,
		transport: newTransport(options.Timeout, options.SandboxURL == ""),
	}, nil
}

// Close drops the idle connections. Sends under way go on.
func (a *Adapter) Close() { a.transport.CloseIdleConnections() }

// Open returns a Sender for an account. The pool grows by demand, so slots needs no room of its own here.
func (a *Adapter) Open(account channel.Account, _ int) channel.Sender {
	return &sender{adapter: a, request: a.newRequest(http.MethodPost, account, "/"+account.NumberID+"/messages", "")}
}

// Timeout bounds one Send.
func (a *Adapter) Timeout() time.Duration { return a.timeout }

// newRequest makes a request without a context and body. Requests of one account share its URL and headers,
// which neither we nor the transport change.
func (a *Adapter) newRequest(method string, account channel.Account, path, query string) *http.Request {
	target := a.base
	target.Path = "/" + a.version + path
	target.RawQuery = query
	header := http.Header{
		"Authorization": {"Bearer " + headerSafe(account.Token)},
		"User-Agent":    {userAgent},
		"Accept":        {"application/json"},
	}
	if method == http.MethodPost {
		header["Content-Type"] = []string{"application/json"}
	}
	return &http.Request{
		Method: method, URL: &target, Host: graphHost, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// headerSafe drops what a pasted token may carry and a header may not. Without it net/http would refuse the
// request with an error that prints the token.
func headerSafe(token string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, token)
}

var _ channel.Adapter = (*Adapter)(nil)

// bounded returns a context that ends after the adapter's timeout at the latest.
func (a *Adapter) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, a.timeout)
}
