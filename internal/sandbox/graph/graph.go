// Package graph simulates the part of Meta's Graph API that carries WhatsApp: real HTTP shapes, ids, error
// envelopes and signed webhooks. It shares no code with the client that speaks to it, so that a mistake in
// one is not made again in the other.
package graph

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"omnidesk/internal/sandbox/world"
)

const (
	// Host is the name under which Graph is asked for.
	Host = "graph.facebook.com"
	// DefaultSecret signs the webhooks of numbers whose app secret nobody told the sandbox.
	DefaultSecret = "sandbox"
	oldestVersion = 23
	// retellFor is how far back statuses are told again after a restart. Those told before come twice, as
	// Meta's may.
	retellFor = 15 * time.Minute
)

// Options says how a Server behaves.
type Options struct {
	// StatePath is the file that keeps numbers, apps, subscriptions and templates. Empty keeps them in memory.
	StatePath string
	// Sink leaves out phones and statuses, for benchmarks.
	Sink bool
	// Strict answers for registered numbers alone. Otherwise a number is registered by its first use.
	Strict bool
}

// Server answers as graph.facebook.com.
type Server struct {
	options  Options
	world    *world.World
	registry *registry
	hooks    *world.Queue[event]
	away     away
	boot     [5]byte // keeps ids of two starts apart
	counter  atomic.Uint32
}

// New returns a server on a world, with the state of its last run. Close it.
func New(ground *world.World, options Options) (*Server, error) {
	registry, err := loadRegistry(options.StatePath)
	if err != nil {
		return nil, fmt.Errorf("loading Graph's state: %w", err)
	}
	s := &Server{options: options, world: ground, registry: registry}
	rand.Read(s.boot[:]) //nolint:errcheck // crypto/rand.Read never fails
	s.hooks = world.NewQueue(s.render)
	s.hooks.Disturb(ground.Faults.Hooks)
	if err := s.retell(); err != nil {
		s.hooks.Close()
		return nil, fmt.Errorf("planning statuses again: %w", err)
	}
	return s, nil
}

// Close stops the webhooks.
func (s *Server) Close() { s.hooks.Close() }

// HookStats returns what happened to webhooks since the start.
func (s *Server) HookStats() world.HookStats { return s.hooks.Stats() }

// retell plans the statuses of the latest messages again: the queue lives in memory alone.
func (s *Server) retell() error {
	if s.options.Sink {
		return nil
	}
	return s.world.Ledger.Since(time.Now().Add(-retellFor), func(entry world.Entry) {
		if number := s.registry.number(entry.From); number != nil {
			s.planStatuses(number, message{to: entry.To, opaque: entry.ID, wamid: entry.ProviderID}, entry.At)
		}
	})
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Host == MediaHost {
		s.download(w, r)
		return
	}
	version, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !supported(version) {
		fail(w, &apiError{status: 400, code: 2635, message: "(#2635) You are calling a deprecated version of the Graph API. Please update to the latest version."})
		return
	}
	token, refused := authorize(r)
	if refused != nil {
		fail(w, refused)
		return
	}
	object, edge, _ := strings.Cut(rest, "/")
	if edge == "messages" && r.Method == http.MethodPost {
		s.postMessage(w, r, object, token)
		return
	}
	if object == "debug_token" && r.Method == http.MethodGet {
		s.debugToken(w, r, token)
		return
	}
	if !isDigits(object) {
		fail(w, unknownObject(r.Method, object))
		return
	}
	switch r.Method + " " + edge {
	case "GET ":
		switch {
		case s.getMedia(w, object):
		case r.URL.Query().Has("phone_number_id"): // asked for media
			fail(w, unknownObject(r.Method, object))
		default:
			s.getNumber(w, r, object, token)
		}
	case "DELETE ":
		s.deleteMedia(w, r, object)
	case "POST media":
		s.postMedia(w, r, object, token)
	case "GET phone_numbers":
		s.listNumbers(w, object, token)
	case "GET subscribed_apps":
		s.listSubscriptions(w, object, token)
	case "POST subscribed_apps":
		s.subscribe(w, r, object, token)
	case "DELETE subscribed_apps":
		s.unsubscribe(w, object)
	case "GET message_templates":
		s.listTemplates(w, r)
	default:
		fail(w, unknownObject(r.Method, object))
	}
}

// supported tells whether a version such as v25.0 is still served.
func supported(version string) bool {
	major, minor, ok := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	n, err := strconv.Atoi(major)
	return ok && version[0] == 'v' && err == nil && n >= oldestVersion && n < 1000 && isDigits(minor)
}

// authorize returns the token of a call. All tokens are good but those that begin with a word that says
// otherwise, so that each refusal can be shown.
func authorize(r *http.Request) (string, *apiError) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok || token == "" || strings.HasPrefix(token, "invalid"):
		return "", &apiError{status: 401, code: 190, subcode: 467, message: "Invalid OAuth access token - Cannot parse access token"}
	case strings.HasPrefix(token, "expired"):
		return "", &apiError{status: 401, code: 190, subcode: 463, message: "Error validating access token: Session has expired."}
	case strings.HasPrefix(token, "denied"):
		return "", &apiError{status: 403, code: 10, message: "(#10) Application does not have permission for this action"}
	}
	return token, nil
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
