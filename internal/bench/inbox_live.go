package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"omnidesk/internal/account"
	"omnidesk/internal/connection"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/rig"
	"omnidesk/internal/secret"
)

const (
	livePeople  = 20
	liveRate    = 50 // messages a second
	liveThreads = 100
	liveGather  = 30 * time.Millisecond // as the web app: what changes in this time is fetched together
	liveWarm    = 2 * time.Second       // of messages that are not counted
)

// inboxLive measures how long a message takes from the beginning of its webhook's POST until another browser has read it: a
// browser has a session and a websocket of its own, gathers what changed for 30 ms, then fetches the list and the threads of
// all changed conversations at once, and does not fetch again before that is done.
func inboxLive(ctx context.Context, during time.Duration) error {
	b, err := newLiveBench(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, 2)
	for _, one := range b.browsers {
		if err := one.listen(ctx); err != nil {
			return err
		}
		go func() { failed <- one.run(ctx, b.seen) }()
	}
	note("%d messages a second of %d people for %s, two browsers", liveRate, livePeople, during)
	if err := b.post(ctx, during+liveWarm, failed); err != nil {
		return err
	}
	for i, one := range b.browsers {
		took := b.waits(one)
		if len(took) == 0 {
			return fmt.Errorf("browser %d saw nothing", i+1)
		}
		at := func(share float64) float64 {
			return float64(took[min(len(took)-1, int(share*float64(len(took))))].Microseconds()) / 1000
		}
		note("  browser %d: p50 %.1f ms · p99 %.1f ms · slowest %.1f ms of %d", i+1, at(0.5), at(0.99), at(1), len(took))
		if i == 1 {
			figure("inbox_live", "p99_ms", at(0.99), "ms", len(took))
		}
	}
	return nil
}

type liveBench struct {
	rig      *rig.Rig
	to       hookTarget
	browsers []*liveBrowser

	mu    sync.Mutex
	began map[string]time.Time // by the text of the message
}

func newLiveBench(ctx context.Context) (*liveBench, error) {
	dir, err := os.MkdirTemp("", "omnidesk-bench-")
	if err != nil {
		return nil, err
	}
	note("starting PostgreSQL, Temporal, a server and a worker in %s", dir)
	r, err := rig.New(ctx, rig.Options{Dir: dir, Durable: true, Binary: os.Getenv("OMNIDESK_BINARY"), TemporalBinary: os.Getenv("OMNIDESK_TEMPORAL_BINARY"),
		TemporalConfig: "temporal-dev.yaml", SandboxArgs: []string{"--sink"}})
	if err != nil {
		return nil, err
	}
	for _, part := range []string{rig.Temporal, rig.Sandbox, rig.Work, rig.Serve} {
		if err := r.Start(ctx, part); err != nil {
			return nil, err
		}
	}
	b := &liveBench{rig: r, began: map[string]time.Time{}}
	company, err := b.seed(ctx)
	if err != nil {
		return nil, err
	}
	for n := range 2 {
		one, err := b.browser(ctx, company, n)
		if err != nil {
			return nil, err
		}
		b.browsers = append(b.browsers, one)
	}
	return b, nil
}

func (b *liveBench) close() {
	if err := b.rig.Close(); err != nil {
		note("closing: %v", err)
	}
	_ = os.RemoveAll(b.rig.Dir)
}

func (b *liveBench) seed(ctx context.Context) (company id.ID, err error) {
	sealer, err := secret.Open(b.rig.Keyset)
	if err != nil {
		return company, err
	}
	err = b.rig.DB.InSystem(ctx, func(tx postgres.Tx) error {
		created, err := account.CreateCompany(ctx, tx, "Bench", "America/Sao_Paulo", false)
		company = created.ID
		return err
	})
	if err != nil {
		return company, err
	}
	return company, b.rig.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		view, err := connection.NewStore(sealer).Create(ctx, tx, company, connection.Draft{Name: "Bench", AppID: "1", AppSecret: hookSecret, AccountID: "200", NumberID: "300", Token: "bench-token"})
		b.to = hookTarget{b.rig.AppURL() + "/api/webhooks/meta/" + view.Slug, view.NumberID}
		return err
	})
}

// browser signs a user of its own in.
func (b *liveBench) browser(ctx context.Context, company id.ID, n int) (*liveBrowser, error) {
	hash, err := account.HashPassword(ctx, readsPassword)
	if err != nil {
		return nil, err
	}
	email := fmt.Sprintf("bench%d@example.com", n)
	err = b.rig.DB.InSystem(ctx, func(tx postgres.Tx) error {
		_, err := account.CreateUser(ctx, tx, account.NewUser{Home: &company, Email: email, Name: "Bench", Role: account.Admin, Hash: hash})
		return err
	})
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	one := &liveBrowser{url: b.rig.AppURL(), seen: map[string]time.Time{}, hints: make(chan string, 10_000),
		client: http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: livePeople + 1}}}
	body := fmt.Sprintf(`{"email":%q,"password":%q}`, email, readsPassword)
	return one, one.fetch(ctx, http.MethodPost, "/auth/login", body, nil)
}

// post sends one webhook after the other at the rate, and returns when both browsers have seen all of them.
func (b *liveBench) post(ctx context.Context, during time.Duration, failed <-chan error) error {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: hookWorkers}}
	refused := make(chan error, 1)
	total := int(during.Seconds() * liveRate)
	began := time.Now()
	var open sync.WaitGroup
	for i := range total {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / liveRate)))
		open.Go(func() {
			text := fmt.Sprint("Hello ", i, ".")
			one := newHook(b.to, 0, fmt.Sprintf(`"contacts":[{"profile":{"name":"Person"},"wa_id":"%[1]d"}],"messages":`, 5511990000000+i%livePeople),
				[]string{fmt.Sprintf(`{"from":"%d","id":"wamid.live%d","timestamp":"%d","type":"text","text":{"body":%q}}`, 5511990000000+i%livePeople, i, time.Now().Unix(), text)})
			sender := hookSender{client: client}
			b.mu.Lock()
			b.began[text] = time.Now()
			b.mu.Unlock()
			if err := sender.post(ctx, &one); err != nil {
				select {
				case refused <- err:
				default:
				}
			}
		})
	}
	open.Wait()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-failed:
			return err
		case err := <-refused:
			return err
		default:
		}
		if b.browsers[0].count() == total && b.browsers[1].count() == total {
			return nil
		}
	}
	return fmt.Errorf("the browsers saw %d and %d of %d messages", b.browsers[0].count(), b.browsers[1].count(), total)
}

// seen notes the texts that one browser has read for the first time.
func (b *liveBench) seen(one *liveBrowser, texts []string, at time.Time) {
	one.mu.Lock()
	defer one.mu.Unlock()
	for _, text := range texts {
		if _, before := one.seen[text]; !before {
			one.seen[text] = at
		}
	}
}

// waits returns how long each message took to one browser, the quickest first, without those of the beginning.
func (b *liveBench) waits(one *liveBrowser) []time.Duration {
	first := time.Now()
	for _, at := range b.began {
		if at.Before(first) {
			first = at
		}
	}
	var took []time.Duration
	for text, at := range b.began {
		if at.Sub(first) >= liveWarm {
			took = append(took, one.seen[text].Sub(at))
		}
	}
	slices.Sort(took)
	return took
}

type liveBrowser struct {
	url    string
	client http.Client
	hints  chan string // conversations that changed

	mu   sync.Mutex
	seen map[string]time.Time
}

func (l *liveBrowser) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.seen)
}

// listen opens the websocket.
func (l *liveBrowser) listen(ctx context.Context) error {
	conn, _, err := websocket.Dial(ctx, strings.Replace(l.url, "http", "ws", 1)+"/api/v1/realtime", //nolint:bodyclose // Dial says that it need never be closed
		&websocket.DialOptions{HTTPClient: &http.Client{Jar: l.client.Jar}, HTTPHeader: http.Header{"Origin": {l.url}}})
	if err != nil {
		return fmt.Errorf("opening a websocket: %w", err)
	}
	go func() {
		defer close(l.hints)
		defer conn.CloseNow() //nolint:errcheck // the run is over
		for {
			_, raw, err := conn.Read(ctx)
			if err != nil {
				return
			}
			var change struct{ Type, ID string }
			if json.Unmarshal(raw, &change) == nil && change.Type == "conversation" {
				l.hints <- change.ID
			}
		}
	}()
	return nil
}

var errSocket = errors.New("a websocket ended")

// run fetches what the hints are about.
func (l *liveBrowser) run(ctx context.Context, seen func(*liveBrowser, []string, time.Time)) error {
	for {
		changed := map[string]bool{}
		first, open := <-l.hints
		if !open {
			return errSocket
		}
		changed[first] = true
		gathered := time.After(liveGather)
	gather:
		for {
			select {
			case one := <-l.hints:
				changed[one] = true
			case <-gathered:
				break gather
			}
		}
		if err := l.refetch(ctx, changed, seen); err != nil {
			return err
		}
	}
}

// refetch reads the list and the threads, all at once.
func (l *liveBrowser) refetch(ctx context.Context, changed map[string]bool, seen func(*liveBrowser, []string, time.Time)) error {
	failed := make(chan error, len(changed)+1)
	go func() { failed <- l.fetch(ctx, http.MethodGet, "/conversations?limit=50", "", nil) }()
	for conversation := range changed {
		go func() {
			var thread struct{ Items []struct{ Text string } }
			err := l.fetch(ctx, http.MethodGet, fmt.Sprintf("/conversations/%s/messages?limit=%d", url.PathEscape(conversation), liveThreads), "", &thread)
			at := time.Now()
			texts := make([]string, len(thread.Items))
			for i, item := range thread.Items {
				texts[i] = item.Text
			}
			seen(l, texts, at)
			failed <- err
		}()
	}
	var all error
	for range len(changed) + 1 {
		all = errors.Join(all, <-failed)
	}
	return all
}

func (l *liveBrowser) fetch(ctx context.Context, method, path, body string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, l.url+"/api/v1"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := l.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	if err == nil && into != nil {
		err = json.Unmarshal(text, into)
	}
	return err
}
