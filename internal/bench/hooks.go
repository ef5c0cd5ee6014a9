package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// hookWorkers is how many POSTs are open at once, at most: far more than there are when the server keeps up.
const hookWorkers = 1_000

// The waits of a sender that is refused: they double, as a provider's do, but end sooner.
const (
	firstRetry = 250 * time.Millisecond
	slowRetry  = 4 * time.Second
)

// hook is one POST of a provider, signed.
type hook struct {
	due       time.Duration // counted from the beginning of the run
	url       string
	body      []byte
	signature string
}

// newHook makes a POST of one number's items, each the JSON of a status or of a message with its contact.
func newHook(to hookTarget, due time.Duration, kind string, items []string) hook {
	body := fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"200","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550783881","phone_number_id":%q},%s[%s]}}]}]}`, to.number, kind, strings.Join(items, ","))
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write(body)
	return hook{due, to.url, body, "sha256=" + hex.EncodeToString(mac.Sum(nil))}
}

const hookSecret = "bench-secret"

// hookTarget is a number and where its webhooks go.
type hookTarget struct{ url, number string }

// deliver posts each hook when it is due, however long others take, until it is answered 200. It returns how long each
// took from when it was due, the quickest first, and how many POSTs were refused. Without retry a refusal is an error.
func deliver(ctx context.Context, hooks []hook, retry bool) (took []time.Duration, refused int, err error) {
	sender := hookSender{
		client: http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: hookWorkers}},
		due:    make(chan int, len(hooks)), hooks: hooks, took: make([]time.Duration, len(hooks)), began: time.Now().Add(time.Second), retry: retry,
	}
	defer sender.client.CloseIdleConnections()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sender.fail = cancel
	sender.open.Add(len(hooks))
	var workers sync.WaitGroup
	for range hookWorkers {
		workers.Go(func() { sender.work(ctx) })
	}
	for i, one := range hooks {
		if wait := time.Until(sender.began.Add(one.due)); wait > time.Millisecond {
			time.Sleep(wait)
		}
		sender.due <- i
		if ctx.Err() != nil {
			break
		}
	}
	go func() { sender.open.Wait(); cancel(errDelivered) }()
	workers.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, errDelivered) {
		return nil, 0, cause
	}
	slices.Sort(sender.took)
	return sender.took, sender.refused, nil
}

var errDelivered = errors.New("all are delivered")

type hookSender struct {
	client http.Client
	hooks  []hook
	took   []time.Duration
	due    chan int
	began  time.Time
	retry  bool
	open   sync.WaitGroup
	fail   context.CancelCauseFunc

	mu      sync.Mutex
	refused int
}

func (s *hookSender) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case i := <-s.due:
			s.try(ctx, i, firstRetry)
		}
	}
}

// try posts one hook; a refused one comes again after a wait that holds up no other.
func (s *hookSender) try(ctx context.Context, i int, wait time.Duration) {
	err := s.post(ctx, &s.hooks[i])
	if err == nil {
		s.took[i] = time.Since(s.began.Add(s.hooks[i].due))
		s.open.Done()
		return
	}
	s.mu.Lock()
	s.refused++
	s.mu.Unlock()
	if !s.retry {
		s.fail(err)
		return
	}
	time.AfterFunc(wait, func() {
		if ctx.Err() == nil {
			s.try(ctx, i, min(2*wait, slowRetry))
		}
	})
}

func (s *hookSender) post(ctx context.Context, one *hook) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, one.url, bytes.NewReader(one.body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Hub-Signature-256", one.signature)
	answer, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("a webhook was answered %s: %s", answer.Status, text)
	}
	return err
}
