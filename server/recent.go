package server

import (
	"context"
	"sync"
	"time"

	"omnidesk/internal/connection"
	"omnidesk/internal/postgres"
)

const (
	// believedFor is how long what the database said about a webhook's address is believed.
	believedFor = time.Second
	mostRecent  = 10_000 // remembered at once
)

// recent remembers for a moment what the database said about webhooks: providers post thousands of times a second to few
// addresses, and two transactions for each post would cost more than storing what it says. What is not found and what does
// not fit is asked anew, so a new address or secret counts at once; an old one counts for a second longer.
type recent[K comparable, V any] struct {
	mu   sync.Mutex
	kept map[K]believed[V]
}

type believed[V any] struct {
	value V
	until time.Time
}

func (r *recent[K, V]) get(key K, now time.Time) (value V, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := r.kept[key]
	if !now.Before(found.until) {
		return value, false
	}
	return found.value, true
}

func (r *recent[K, V]) keep(key K, value V, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil || len(r.kept) >= mostRecent {
		r.kept = map[K]believed[V]{}
	}
	r.kept[key] = believed[V]{value, now.Add(believedFor)}
}

// routeBySlug finds the connection of a webhook's address; connection.ErrNotFound when there is none.
func (s *Server) routeBySlug(ctx context.Context, slug string) (route connection.Route, err error) {
	now := s.now()
	if route, known := s.slugs.get(slug, now); known {
		return route, nil
	}
	err = s.DB.InSystem(ctx, func(tx postgres.Tx) (err error) {
		route, err = connection.RouteBySlug(ctx, tx, slug)
		return err
	})
	if err == nil {
		s.slugs.keep(slug, route, now)
	}
	return route, err
}
