package realtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
)

const (
	behindMost  = 256 // events that one browser may lag before it is dropped
	firstRetry  = 100 * time.Millisecond
	longestWait = 5 * time.Second
	listenIdle  = 30 * time.Second // silence after which the connection is proved alive
)

// Hub listens to Postgres on a connection of its own and hands each event to the subscribers of its company.
type Hub struct {
	url  string
	mu   sync.Mutex
	subs map[id.ID]map[*Subscription]struct{}
	up   chan struct{} // closed while the first LISTEN stands; for tests and readiness
	once sync.Once
}

// NewHub returns a hub that Run starts. url leads to Postgres directly: a pooler can't LISTEN.
func NewHub(url string) *Hub {
	return &Hub{url: url, subs: map[id.ID]map[*Subscription]struct{}{}, up: make(chan struct{})}
}

// Subscription gets the events of one company.
type Subscription struct {
	Events  <-chan Event // closed when the subscriber lagged too far behind or Close was called
	events  chan Event
	hub     *Hub
	company id.ID
}

// Subscribe begins a subscription; Close ends it.
func (h *Hub) Subscribe(company id.ID) *Subscription {
	events := make(chan Event, behindMost)
	sub := &Subscription{Events: events, events: events, hub: h, company: company}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.subs[company] == nil {
		h.subs[company] = map[*Subscription]struct{}{}
	}
	h.subs[company][sub] = struct{}{}
	return sub
}

// Close ends the subscription. It may be called more than once.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.drop(s)
}

// drop is called under the lock.
func (h *Hub) drop(sub *Subscription) {
	if _, there := h.subs[sub.company][sub]; !there {
		return
	}
	delete(h.subs[sub.company], sub)
	if len(h.subs[sub.company]) == 0 {
		delete(h.subs, sub.company)
	}
	close(sub.events)
}

// Listening is closed once the hub has first reached Postgres.
func (h *Hub) Listening() <-chan struct{} { return h.up }

// Run listens until ctx ends. After each reconnect every subscriber is told to read all again, because what was
// said meanwhile is lost.
func (h *Hub) Run(ctx context.Context) {
	wait := firstRetry
	for ctx.Err() == nil {
		listened, err := h.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if listened {
			wait = firstRetry
		}
		slog.Warn("realtime lost Postgres", "error", err, "retry_in", wait)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		wait = min(2*wait, longestWait)
	}
}

// listen stays in one connection until it breaks. listened tells whether it came to LISTEN.
func (h *Hub) listen(ctx context.Context) (listened bool, err error) {
	conn, err := pgx.Connect(ctx, h.url)
	if err != nil {
		return false, errors.New("connecting to listen failed") // the driver's words may repeat the URL
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+channelName); err != nil {
		return false, fmt.Errorf("listening: %w", err)
	}
	h.once.Do(func() { close(h.up) })
	h.tellAll()
	for {
		if err := h.next(ctx, conn); err != nil {
			return true, err
		}
	}
}

func (h *Hub) next(ctx context.Context, conn *pgx.Conn) error {
	waiting, cancel := context.WithTimeout(ctx, listenIdle)
	defer cancel()
	notification, err := conn.WaitForNotification(waiting)
	if err != nil {
		if ctx.Err() == nil && errors.Is(waiting.Err(), context.DeadlineExceeded) {
			return conn.Ping(ctx)
		}
		return fmt.Errorf("waiting for changes: %w", err)
	}
	events, err := decode(notification.Payload)
	if err != nil {
		slog.Warn("a change announcement can't be read", "error", err)
		return nil
	}
	for _, event := range events {
		h.deliver(event)
	}
	return nil
}

func (h *Hub) deliver(event Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for sub := range h.subs[event.Company] {
		h.give(sub, event)
	}
}

func (h *Hub) tellAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for company, subs := range h.subs {
		for sub := range subs {
			h.give(sub, Event{Company: company, Kind: Refetch})
		}
	}
}

// give drops a subscriber whose buffer is full: it reconnects and reads all again, the others don't wait.
func (h *Hub) give(sub *Subscription, event Event) {
	select {
	case sub.events <- event:
	default:
		h.drop(sub)
	}
}
