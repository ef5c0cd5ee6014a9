// Package llm simulates OpenAI's and Google's model endpoints: real HTTP shapes, streams, error bodies and
// rate limits. The same request always gets the same answer, and rules say what is answered otherwise. It shares no
// code with the clients that speak to it.
package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"omnidesk/internal/sandbox/world"
)

const (
	// OpenAIHost and GeminiHost are the names under which the providers are asked for.
	OpenAIHost = "api.openai.com"
	GeminiHost = "generativelanguage.googleapis.com"

	mostBody    = 8 << 20
	mostLatency = 10 * time.Minute
	contextSize = 128_000 // tokens that a prompt may have
	mostInputs  = 2048    // texts that one call may embed
)

// Settings say how the models answer. They are what the control API reads and writes.
type Settings struct {
	LatencyMS         int    `json:"latency_ms"`          // before the first byte of each answer
	ChunkMS           int    `json:"chunk_ms"`            // between the pieces of a stream
	RequestsPerMinute int    `json:"requests_per_minute"` // of one key; 0 is no limit
	Rules             []Rule `json:"rules"`               // the first that matches is in force
}

// Usage is what was asked since the start.
type Usage struct {
	Answered  int64 `json:"answered"`
	Refused   int64 `json:"refused"` // answered with an error, or not at all
	TokensIn  int64 `json:"tokens_in"`
	TokensOut int64 `json:"tokens_out"`
}

// Server answers for both hosts.
type Server struct {
	statePath string

	mu       sync.Mutex
	settings Settings
	left     []int // how often each rule still applies; -1 is always
	usage    Usage
	minutes  map[string]minute // by key
}

// minute is how much of a key's limit is used.
type minute struct {
	began time.Time
	used  int
}

// New returns a server with the settings of its last run. An empty path keeps them in memory.
func New(statePath string) (*Server, error) {
	s := &Server{statePath: statePath, minutes: map[string]minute{}}
	var settings Settings
	if statePath != "" {
		if err := world.Load(statePath, &settings); err != nil {
			return nil, fmt.Errorf("loading the models' settings: %w", err)
		}
	}
	s.use(settings)
	return s, nil
}

// ServesHost tells whether a host is one of the simulated ones.
func ServesHost(host string) bool { return host == OpenAIHost || host == GeminiHost }

// ServeHTTP routes by host.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	if strings.HasPrefix(r.Host, GeminiHost) {
		s.gemini(w, r)
		return
	}
	s.openAI(w, r)
}

// Settings returns those in force.
func (s *Server) Settings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// Usage returns what was asked since the start.
func (s *Server) Usage() Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.usage
}

// Put puts settings in place of those in force and keeps them for the next start.
func (s *Server) Put(settings Settings) error {
	if settings.LatencyMS < 0 || settings.ChunkMS < 0 || settings.RequestsPerMinute < 0 {
		return errors.New("latency_ms, chunk_ms and requests_per_minute can't be negative")
	}
	for i, rule := range settings.Rules {
		if err := rule.validate(); err != nil {
			return fmt.Errorf("rule %d: %w", i, err)
		}
	}
	s.use(settings)
	if s.statePath == "" {
		return nil
	}
	return world.Save(s.statePath, settings)
}

func (s *Server) use(settings Settings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if settings.Rules == nil {
		settings.Rules = []Rule{}
	}
	s.settings, s.minutes = settings, map[string]minute{}
	s.left = make([]int, len(settings.Rules))
	for i, rule := range settings.Rules {
		if s.left[i] = rule.Times; rule.Times == 0 {
			s.left[i] = -1
		}
	}
}

// rule returns the rule in force for a call, and counts it as used.
func (s *Server) rule(model, text string) Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, rule := range s.settings.Rules {
		if s.left[i] == 0 || !rule.Match.meets(model, text) {
			continue
		}
		if s.left[i] > 0 {
			s.left[i]--
		}
		return rule
	}
	return Rule{}
}

// limited takes one request of a key's minute. Above 0 it is refused, for so many seconds.
func (s *Server) limited(key string, now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := s.settings.RequestsPerMinute
	if limit == 0 {
		return 0
	}
	current := s.minutes[key]
	if now.Sub(current.began) >= time.Minute {
		current = minute{began: now}
	}
	current.used++
	s.minutes[key] = current
	if current.used <= limit {
		return 0
	}
	return max(1, int((time.Minute-now.Sub(current.began)+time.Second-1)/time.Second))
}

func (s *Server) answered(in, out int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usage.Answered++
	s.usage.TokensIn += int64(in)
	s.usage.TokensOut += int64(out)
}

func (s *Server) refused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usage.Refused++
}

// pause waits as the settings and the rule say; false means that the caller has gone.
func (s *Server) pause(r *http.Request, rule Rule) bool {
	wait := time.Duration(s.Settings().LatencyMS+rule.LatencyMS) * time.Millisecond
	if rule.Hang {
		wait = mostLatency
	}
	return sleep(r, wait)
}

func sleep(r *http.Request, wait time.Duration) bool {
	if wait <= 0 {
		return r.Context().Err() == nil
	}
	timer := time.NewTimer(min(wait, mostLatency))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// decode reads a call's body. Fields that the simulator doesn't know are passed over, as the providers do.
func decode(r *http.Request, into any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return errors.New("the body did not arrive whole")
	}
	if err := json.Unmarshal(body, into); err != nil {
		return errors.New("we could not parse the JSON body of your request")
	}
	return nil
}

func send(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "encoding the answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the client is gone
}
