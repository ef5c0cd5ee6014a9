package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/send"
	"omnidesk/internal/webhook"
)

// Bounds of one commit of webhook items.
const (
	mostPerCommit = 2000
	applyTime     = 20 * time.Second
	applyTries    = 4
)

// statusQueues lets posts about one connection share commits: while one is being written, those that come
// meanwhile gather and go together in the next. Each post waits for the commit that holds it.
type statusQueues struct {
	server *Server
	mu     sync.Mutex
	queues map[id.ID]*statusQueue
}

type statusQueue struct{ waiting []*post }

func newStatusQueues(s *Server) *statusQueues {
	return &statusQueues{server: s, queues: map[id.ID]*statusQueue{}}
}

// add queues a post; its done hears of the commit.
func (q *statusQueues) add(p *post) {
	q.mu.Lock()
	defer q.mu.Unlock()
	queue, working := q.queues[p.route.Connection]
	if !working {
		queue = &statusQueue{}
		q.queues[p.route.Connection] = queue
		go q.work(p.route.Connection, queue)
	}
	queue.waiting = append(queue.waiting, p)
}

// work writes what waits until nothing does.
func (q *statusQueues) work(key id.ID, queue *statusQueue) {
	for {
		q.mu.Lock()
		posts := take(&queue.waiting, mostPerCommit)
		if len(posts) == 0 {
			delete(q.queues, key)
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		var events []webhook.Event
		for _, p := range posts {
			events = append(events, p.events...)
		}
		// Not one post's context: others share the commit.
		ctx, cancel := context.WithTimeout(context.Background(), applyTime)
		err := q.server.write(ctx, posts[0].route, events)
		cancel()
		for _, p := range posts {
			p.done <- err
		}
	}
}

// take takes posts from the front until they hold most items; always one, if there is one.
func take(waiting *[]*post, most int) []*post {
	items, n := 0, 0
	for n < len(*waiting) && (n == 0 || items < most) {
		for _, event := range (*waiting)[n].events {
			items += 1 + len(event.Statuses) + len(event.Inbound)
		}
		n++
	}
	posts := slices.Clone((*waiting)[:n])
	*waiting = slices.Delete(*waiting, 0, n)
	return posts
}

// write stores events of one connection and what they say, and tells browsers. An event that fails for a reason of its own
// is parked, the others are not held up by it.
func (s *Server) write(ctx context.Context, route connection.Route, events []webhook.Event) error {
	err := s.commit(ctx, route, func(ctx context.Context, tx postgres.Tx) error { return s.absorb(ctx, tx, route, events) })
	if err != nil && !postgres.IsTransient(err) {
		err = s.sift(ctx, route, events)
	}
	if err == nil {
		s.metrics.count(events)
	}
	return err
}

// mostSavepoints of one transaction: from 64 on PostgreSQL keeps them where every look at a row is slower.
const mostSavepoints = 50

// sift writes events of which at least one makes a transaction fail: in groups with a savepoint each. A group that fails is
// sifted by itself, an event that fails alone is parked.
func (s *Server) sift(ctx context.Context, route connection.Route, events []webhook.Event) error {
	var bad [][]webhook.Event
	err := s.commit(ctx, route, func(ctx context.Context, tx postgres.Tx) error {
		bad = nil
		for group := range slices.Chunk(events, (len(events)+mostSavepoints-1)/mostSavepoints) {
			err := s.guarded(ctx, tx, func(tx postgres.Tx) error { return s.absorb(ctx, tx, route, group) })
			switch {
			case err == nil:
			case postgres.IsTransient(err):
				return err
			case len(group) > 1:
				bad = append(bad, group)
			default:
				if err := s.park(ctx, tx, route, group[0], err); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, group := range bad {
		if err == nil {
			err = s.sift(ctx, route, group)
		}
	}
	return err
}

// guarded runs do in a savepoint.
func (s *Server) guarded(ctx context.Context, tx postgres.Tx, do func(postgres.Tx) error) error {
	point, err := tx.Begin(ctx)
	if err != nil {
		return fmt.Errorf("setting a savepoint: %w", err)
	}
	if err := do(point); err != nil {
		return errors.Join(err, point.Rollback(ctx))
	}
	return point.Commit(ctx)
}

// park keeps an event without what it says.
func (s *Server) park(ctx context.Context, tx postgres.Tx, route connection.Route, event webhook.Event, why error) error {
	event.Reason = parkedFor(why)
	slog.Error("an event is parked", "connection", route.Connection, "event", event.ID, "kind", event.Kind, "error", why)
	s.metrics.items.WithLabelValues("event", "parked").Inc()
	return webhook.Keep(ctx, tx, route.Company, route.Connection, []webhook.Event{event})
}

// parkedFor says why an event could not be written, without anything of it.
func parkedFor(err error) string {
	if cause := postgres.Cause(err); cause != "" {
		return "the database refuses it (" + cause + ")"
	}
	return "OmniDesk failed to take it in; its log names the error beside the event's id"
}

// commit runs do in one transaction of a connection's company and tells browsers of what it has announced. What another
// transaction was in the way of is tried again.
func (s *Server) commit(ctx context.Context, route connection.Route, do func(context.Context, postgres.Tx) error) (err error) {
	for range applyTries {
		gathering, news := realtime.Gather(ctx)
		err = s.DB.InCompany(gathering, route.Company, func(tx postgres.Tx) error { return do(gathering, tx) })
		if err == nil {
			s.publisher.Publish(news.All()...)
			s.hint()
		}
		if !postgres.IsRetryable(err) {
			break
		}
	}
	return err
}

// absorb stores events and what they say.
func (s *Server) absorb(ctx context.Context, tx postgres.Tx, route connection.Route, events []webhook.Event) error {
	if err := webhook.Keep(ctx, tx, route.Company, route.Connection, events); err != nil {
		return err
	}
	return s.heed(ctx, tx, route, events)
}

// heed does what events say. Doing it again changes nothing. A panic about one event must not take all of them along, and
// the process with them: the provider would send it again for days.
func (s *Server) heed(ctx context.Context, tx postgres.Tx, route connection.Route, events []webhook.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.Error("reading events panicked", "connection", route.Connection, "stack", string(debug.Stack()))
			err = errors.New("reading events panicked")
		}
	}()
	var statuses []channel.Status
	var inbound []channel.Inbound
	for _, event := range events {
		if !event.Stray {
			statuses = append(statuses, event.Statuses...)
			inbound = append(inbound, event.Inbound...)
		}
	}
	changed, err := applyStatuses(ctx, tx, route, statuses)
	if err != nil {
		return err
	}
	news, err := receive(ctx, tx, route, inbound, time.Now())
	if err != nil {
		return err
	}
	if err := s.heedNews(ctx, tx, route, events); err != nil {
		return err
	}
	if err := announce(ctx, tx, route.Company, realtime.Campaign, changed); err != nil {
		return err
	}
	return announce(ctx, tx, route.Company, realtime.Conversation, news.Conversations)
}

// heedNews does what events say beside messages and their statuses: wishes, the account.
func (s *Server) heedNews(ctx context.Context, tx postgres.Tx, route connection.Route, events []webhook.Event) error {
	now := time.Now()
	var told []channel.Wish
	for _, event := range events {
		if event.Stray || event.Account == nil {
			if !event.Stray {
				told = append(told, event.Wishes...)
			}
			continue
		}
		at := event.At.Add(time.Second - time.Millisecond) // providers count seconds; of one instant with a sync or a check the event is news
		if event.At.IsZero() || at.After(now) {
			at = now
		}
		if err := connection.Note(ctx, tx, route.Company, route.Connection, *event.Account, at, now); err != nil {
			return err
		}
		if err := announce(ctx, tx, route.Company, realtime.Connection, []id.ID{route.Connection}); err != nil {
			return err
		}
	}
	return heedTold(ctx, tx, route, told, now)
}

func announce(ctx context.Context, tx postgres.Tx, company id.ID, kind realtime.Kind, subjects []id.ID) error {
	for _, subject := range subjects {
		if err := realtime.Announce(ctx, tx, realtime.Event{Company: company, Kind: kind, ID: subject}); err != nil {
			return err
		}
	}
	return nil
}

// applyStatuses writes down what became of messages, and pauses the campaigns that their failures are about. It returns
// the campaigns that have changed.
func applyStatuses(ctx context.Context, tx postgres.Tx, route connection.Route, statuses []channel.Status) ([]id.ID, error) {
	now := time.Now()
	applied, err := send.ApplyStatuses(ctx, tx, route.Company, route.Connection, statuses, now)
	if err != nil {
		return nil, err
	}
	changed := applied.Campaigns
	for _, stop := range applied.Stops {
		paused, err := campaign.PauseFor(ctx, tx, route.Company, route.Connection, campaign.Halt(stop), now)
		if err != nil {
			return nil, err
		}
		changed = append(changed, paused...)
	}
	return changed, nil
}
