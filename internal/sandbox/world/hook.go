package world

import (
	"bytes"
	"container/heap"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxBatch    = 500                   // items of one POST
	linger      = 15 * time.Millisecond // what falls due in this time shares a POST
	postsAtOnce = 4                     // to one address
	shuffledBy  = 500 * time.Millisecond
	doubledIn   = 2 * time.Second

	// A POST that is refused comes again after half the time since its first try, for seven days, as Meta's do.
	firstBackoff = 250 * time.Millisecond
	maxBackoff   = 15 * time.Minute
	givenUpAfter = 7 * 24 * time.Hour
)

// Target is where webhooks go, and the secret that signs them.
type Target struct {
	URL    string
	Secret string
}

// Queue tells items to webhooks when they fall due, many in one POST, each until it is answered 200 or given
// up. At least once and in no promised order, as providers do.
type Queue[T any] struct {
	render func([]T) []byte
	client *http.Client
	ctx    context.Context
	stop   context.CancelFunc
	group  sync.WaitGroup
	stats  hookCounters
	faults func() HookFault

	mu     sync.Mutex
	lanes  map[Target]*lane[T]
	random *rand.Rand
}

// HookStats counts what happened to webhooks.
type HookStats struct {
	Pending int64 `json:"pending"` // items that wait for their time or for another try
	Told    int64 `json:"told"`    // items whose POST was answered 200
	Posts   int64 `json:"posts"`   // POSTs tried
	Refused int64 `json:"refused"` // POSTs not answered 200
	GivenUp int64 `json:"given_up"`
}

type hookCounters struct{ pending, told, posts, refused, givenUp atomic.Int64 }

// NewQueue returns a queue whose POSTs carry what render makes of their items. Close it.
func NewQueue[T any](render func([]T) []byte) *Queue[T] {
	ctx, stop := context.WithCancel(context.Background())
	return &Queue[T]{
		render: render, ctx: ctx, stop: stop, lanes: map[Target]*lane[T]{},
		faults: func() HookFault { return HookFault{} }, random: rand.New(rand.NewPCG(1, 1)), //nolint:gosec // the same in each run
		client: &http.Client{
			Timeout:       10 * time.Second,
			Transport:     &http.Transport{MaxIdleConnsPerHost: postsAtOnce, IdleConnTimeout: 30 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Disturb sets what tells the faults in force. Call it before the first Add.
func (q *Queue[T]) Disturb(faults func() HookFault) { q.faults = faults }

// Add queues an item for a target at an instant, or at those that the faults make of it.
func (q *Queue[T]) Add(target Target, due time.Time, item T) {
	instants := []time.Time{due}
	if fault := q.faults(); fault != (HookFault{}) {
		instants = q.disturbed(fault, due)
	}
	lane := q.laneOf(target)
	for _, at := range instants {
		q.stats.pending.Add(1)
		lane.push(parcel[T]{due: at, item: item})
	}
}

func (q *Queue[T]) disturbed(fault HookFault, due time.Time) []time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	if fault.Shuffle {
		due = due.Add(time.Duration(q.random.Int64N(int64(shuffledBy))))
	}
	if q.random.Float64() < fault.LateShare {
		due = due.Add(time.Duration(fault.LateByMS) * time.Millisecond)
	}
	instants := []time.Time{due}
	if q.random.Float64() < fault.DoubleShare {
		instants = append(instants, due.Add(time.Duration(q.random.Int64N(int64(doubledIn)))))
	}
	if fault.Batch {
		for i, at := range instants {
			instants[i] = at.Truncate(time.Second).Add(time.Second)
		}
	}
	return instants
}

// Hurry tries at once what was refused and waits.
func (q *Queue[T]) Hurry() {
	q.mu.Lock()
	lanes := slices.Collect(maps.Values(q.lanes))
	q.mu.Unlock()
	for _, one := range lanes {
		one.hurry()
	}
}

// Stats returns the counts since the start.
func (q *Queue[T]) Stats() HookStats {
	return HookStats{
		Pending: q.stats.pending.Load(), Told: q.stats.told.Load(), Posts: q.stats.posts.Load(),
		Refused: q.stats.refused.Load(), GivenUp: q.stats.givenUp.Load(),
	}
}

// Close stops telling. What is pending is dropped.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	q.stop()
	q.mu.Unlock()
	q.group.Wait()
	q.client.CloseIdleConnections()
}

func (q *Queue[T]) laneOf(target Target) *lane[T] {
	q.mu.Lock()
	defer q.mu.Unlock()
	found := q.lanes[target]
	if found == nil {
		found = &lane[T]{queue: q, target: target, wake: make(chan struct{}, 1), slots: make(chan struct{}, postsAtOnce)}
		q.lanes[target] = found
		if q.ctx.Err() == nil {
			q.group.Go(found.run)
		}
	}
	return found
}

// lane holds what is pending for one target.
type lane[T any] struct {
	queue  *Queue[T]
	target Target
	wake   chan struct{}
	slots  chan struct{}

	mu      sync.Mutex
	parcels parcels[T]
}

// parcel is one item, or a batch that was refused and is tried again as it was.
type parcel[T any] struct {
	due   time.Time
	item  T
	batch []T
	since time.Time // of a batch: its first try
}

func (l *lane[T]) push(p parcel[T]) {
	l.mu.Lock()
	heap.Push(&l.parcels, p)
	first := l.parcels[0].due.Equal(p.due)
	l.mu.Unlock()
	if first {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

func (l *lane[T]) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(l.untilNext())
		select {
		case <-l.queue.ctx.Done():
			return
		case <-l.wake:
			continue
		case <-timer.C:
		}
		for batch, since := l.take(); batch != nil; batch, since = l.take() {
			select {
			case <-l.queue.ctx.Done():
				return
			case l.slots <- struct{}{}:
			}
			l.queue.group.Go(func() {
				defer func() { <-l.slots }()
				l.post(batch, since)
			})
		}
	}
}

func (l *lane[T]) untilNext() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.parcels) == 0 {
		return time.Hour
	}
	return max(0, time.Until(l.parcels[0].due)) + linger
}

// take returns what is due, and since when it is tried: new items together, or one refused batch. Nil means nothing is due.
func (l *lane[T]) take() ([]T, time.Time) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	var batch []T
	for len(l.parcels) > 0 && len(batch) < maxBatch && !l.parcels[0].due.After(now) {
		if first := l.parcels[0]; first.batch != nil {
			if batch == nil {
				heap.Pop(&l.parcels)
				return first.batch, first.since
			}
			return batch, now
		}
		batch = append(batch, heap.Pop(&l.parcels).(parcel[T]).item)
	}
	return batch, now
}

func (l *lane[T]) post(batch []T, since time.Time) {
	stats := &l.queue.stats
	stats.posts.Add(1)
	if l.deliver(l.queue.render(batch)) == nil {
		stats.told.Add(int64(len(batch)))
		stats.pending.Add(-int64(len(batch)))
		return
	}
	stats.refused.Add(1)
	age := time.Since(since)
	if age > givenUpAfter {
		stats.givenUp.Add(int64(len(batch)))
		stats.pending.Add(-int64(len(batch)))
		return
	}
	wait := min(max(age/2, firstBackoff), maxBackoff)
	l.push(parcel[T]{due: time.Now().Add(wait), batch: batch, since: since})
}

func (l *lane[T]) hurry() {
	now := time.Now()
	l.mu.Lock()
	for i := range l.parcels {
		if l.parcels[i].batch != nil && l.parcels[i].due.After(now) {
			l.parcels[i].due = now
		}
	}
	heap.Init(&l.parcels)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane[T]) deliver(body []byte) error {
	request, err := http.NewRequestWithContext(l.queue.ctx, http.MethodPost, l.target.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("making a webhook: %w", err)
	}
	mac := hmac.New(sha256.New, []byte(l.target.Secret))
	mac.Write(body)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "facebookexternalua")
	request.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	response, err := l.queue.client.Do(request)
	if err != nil {
		return fmt.Errorf("posting a webhook: %w", err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20)); err != nil {
		return fmt.Errorf("reading a webhook's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("posting a webhook: HTTP %d", response.StatusCode)
	}
	return nil
}

// parcels is a heap by due time.
type parcels[T any] []parcel[T]

func (p parcels[T]) Len() int           { return len(p) }
func (p parcels[T]) Less(i, j int) bool { return p[i].due.Before(p[j].due) }
func (p parcels[T]) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *parcels[T]) Push(x any)        { *p = append(*p, x.(parcel[T])) }
func (p *parcels[T]) Pop() any {
	old := *p
	last := old[len(old)-1]
	old[len(old)-1] = parcel[T]{}
	*p = old[:len(old)-1]
	return last
}
