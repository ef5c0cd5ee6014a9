package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"omnidesk/internal/id"
	"omnidesk/web"
)

type requestKey struct{}

// request is what belongs to one request: its name in logs and answers.
type request struct{ id string }

func requestID(ctx context.Context) string {
	if r, ok := ctx.Value(requestKey{}).(request); ok {
		return r.id
	}
	return ""
}

func instance(ctx context.Context) string {
	if name := requestID(ctx); name != "" {
		return "urn:uuid:" + name
	}
	return ""
}

// outer is what every request passes before it is routed: a name, security headers, and the two sides. The
// provider's side has no cookie and no page; the browser's side refuses changes from pages of other origins.
func (s *Server) outer(inner http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := problemOf(http.StatusForbidden, "cross-origin", "A page of another site may not do this.")
		p.Instance = instance(r.Context())
		writeProblem(w, p)
	}))
	browser := protection.Handler(inner)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := id.New().String() // never the client's: a log line must not say what a stranger chose
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, request{name}))
		w.Header().Set("X-Request-Id", name)
		secureHeaders(w.Header(), r)
		if s.secure(r) {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		if strings.HasPrefix(r.URL.Path, webhookPath) {
			r.Header.Del("Cookie")
			inner.ServeHTTP(w, r)
			return
		}
		if isExternal(r) {
			s.serveExternal(w, r, inner)
			return
		}
		browser.ServeHTTP(w, r)
	})
}

func secureHeaders(h http.Header, r *http.Request) {
	h.Set("Content-Security-Policy", web.ContentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	if strings.HasPrefix(r.URL.Path, "/api/") {
		h.Set("Cache-Control", "no-store")
	}
}

// access writes one line per request, without query and body: both may hold what must not be in a log.
func (s *Server) access(c *gin.Context) {
	began := time.Now()
	c.Next()
	route := c.FullPath()
	if route == "" {
		route = "other" // a path that a stranger made up is no label and no log text
	}
	took, status := time.Since(began), c.Writer.Status()
	s.metrics.requests.WithLabelValues(c.Request.Method, route, statusClass(status)).Observe(took.Seconds())
	levelOf := slog.LevelInfo
	if route == "/healthz" || route == "/readyz" || strings.HasPrefix(route, webhookPath) {
		levelOf = slog.LevelDebug // asked all the time
	}
	slog.Log(c.Request.Context(), levelOf, "request", "method", c.Request.Method, "route", route, "status", status,
		"bytes", max(c.Writer.Size(), 0), "took", took, "request", requestID(c.Request.Context()))
}

func statusClass(status int) string {
	return string([]byte{'0' + byte(status/100%10), 'x', 'x'})
}

// recovered answers a panic with a problem instead of a cut connection.
func (s *Server) recovered(c *gin.Context) {
	defer func() {
		caught := recover()
		if caught == nil {
			return
		}
		if err, ok := caught.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(caught)
		}
		slog.Error("a handler panicked", "panic", caught, "request", requestID(c.Request.Context()), "stack", string(debug.Stack()))
		if !c.Writer.Written() {
			s.writeProblem(c, problemOf(http.StatusInternalServerError, "", "Something went wrong on our side."))
		}
	}()
	c.Next()
}

// secure tells whether a request came over TLS: to us, or to a configured proxy that says so.
func (s *Server) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	_, trusted := s.peer(r)
	return trusted && slices.Equal(r.Header.Values("X-Forwarded-Proto"), []string{"https"})
}

// peer is who holds the other end of the connection, and whether it is a configured proxy.
func (s *Server) peer(r *http.Request) (address netip.Addr, trusted bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	address = peer.Addr().Unmap()
	return address, contains(s.TrustedProxies, address)
}

// clientIP is the address that limits count by. A forwarded header is believed only from a configured proxy,
// and then exactly one header and its last entry, which that proxy wrote itself.
func (s *Server) clientIP(r *http.Request) netip.Addr {
	address, trusted := s.peer(r)
	if s.ProxyHeader == "" || !trusted {
		return address
	}
	values := r.Header.Values(s.ProxyHeader)
	if len(values) == 0 {
		return address
	}
	entries := strings.Split(values[len(values)-1], ",")
	named, err := netip.ParseAddr(strings.TrimSpace(entries[len(entries)-1]))
	if err != nil {
		return address
	}
	return named.Unmap()
}

func contains(prefixes []netip.Prefix, address netip.Addr) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}
