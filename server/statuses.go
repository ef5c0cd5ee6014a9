package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/conversation"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/send"
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

type statusQueue struct{ waiting []*statusPost }

type statusPost struct {
	route    connection.Route
	delivery channel.Delivery
	done     chan error
}

func newStatusQueues(s *Server) *statusQueues {
	return &statusQueues{server: s, queues: map[id.ID]*statusQueue{}}
}

// apply returns once the delivery is committed, or has failed.
func (q *statusQueues) apply(ctx context.Context, route connection.Route, delivery channel.Delivery) error {
	post := &statusPost{route: route, delivery: delivery, done: make(chan error, 1)}
	q.mu.Lock()
	queue, working := q.queues[route.Connection]
	if !working {
		queue = &statusQueue{}
		q.queues[route.Connection] = queue
		go q.work(route.Connection, queue)
	}
	queue.waiting = append(queue.waiting, post)
	q.mu.Unlock()
	select {
	case err := <-post.done:
		return err
	case <-ctx.Done():
		return ctx.Err() // it may still be committed; the provider sends it again and that changes nothing
	}
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
		err := q.commit(posts)
		if err != nil && len(posts) > 1 && !postgres.IsTransient(err) {
			for _, post := range posts { // one of them is bad: the others must not fail with it
				post.done <- q.commit([]*statusPost{post})
			}
			continue
		}
		for _, post := range posts {
			post.done <- err
		}
	}
}

// take moves posts from the front until they hold most items; always one, if there is one.
func take(waiting *[]*statusPost, most int) []*statusPost {
	items, n := 0, 0
	for n < len(*waiting) && (n == 0 || items < most) {
		items += len((*waiting)[n].delivery.Statuses) + len((*waiting)[n].delivery.Inbound)
		n++
	}
	posts := slices.Clone((*waiting)[:n])
	*waiting = slices.Delete(*waiting, 0, n)
	return posts
}

// commit writes posts of one connection in one transaction and tells browsers. A deadlock with the recorder is
// tried again.
func (q *statusQueues) commit(posts []*statusPost) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), applyTime) // not one post's context: others share the commit
	defer cancel()
	route := posts[0].route
	var statuses []channel.Status
	var inbound []channel.Inbound
	for _, post := range posts {
		statuses = append(statuses, post.delivery.Statuses...)
		inbound = append(inbound, post.delivery.Inbound...)
	}
	var campaigns []id.ID
	var news conversation.News
	for range applyTries {
		err = q.server.DB.InCompany(ctx, route.Company, func(tx postgres.Tx) (err error) {
			if campaigns, err = applyStatuses(ctx, tx, route, statuses); err != nil {
				return err
			}
			news, err = receive(ctx, tx, route, inbound, time.Now())
			return err
		})
		if !postgres.IsRetryable(err) {
			break
		}
	}
	if err != nil {
		return err
	}
	m := q.server.metrics.items
	m.WithLabelValues("status", "applied").Add(float64(len(statuses)))
	m.WithLabelValues("inbound", "applied").Add(float64(len(inbound)))
	q.server.hint()
	for _, changed := range campaigns {
		q.server.changed(route.Company, realtime.Campaign, changed)
	}
	for _, changed := range news.Conversations {
		q.server.changed(route.Company, realtime.Conversation, changed)
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
