package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"omnidesk/internal/channel"
	"omnidesk/internal/channel/meta"
	"omnidesk/internal/id"
	"omnidesk/internal/sandbox"
	"omnidesk/internal/sandbox/graph"
	"omnidesk/internal/sandbox/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	numberID = "106540352242922"
	secret   = "s3cret"
	ana      = "5511999990001"
)

var account = channel.Account{AppID: "4711", AccountID: "100200", NumberID: numberID, Token: "EAAtoken"}

// house is a sandbox, a client of it, and a platform that hears its webhooks.
type house struct {
	*sandbox.Sandbox
	url        string
	adapter    *meta.Adapter
	deliveries chan channel.Event
	answer     chan int // HTTP statuses to answer webhooks with; 200 when empty
}

func newHouse(t *testing.T, options sandbox.Options) *house {
	t.Helper()
	if options.DataDir == "" {
		options.DataDir = t.TempDir()
	}
	simulator, err := sandbox.New(options)
	require.NoError(t, err)
	h := &house{Sandbox: simulator, deliveries: make(chan channel.Event, 1000), answer: make(chan int, 10)}
	server := httptest.NewServer(simulator)
	platform := httptest.NewServer(http.HandlerFunc(h.hear))
	h.url = server.URL
	h.adapter, err = meta.New(meta.Options{SandboxURL: server.URL})
	require.NoError(t, err)
	t.Cleanup(func() {
		h.adapter.Close()
		server.Close()
		require.NoError(t, simulator.Close())
		platform.Close()
	})
	h.call(t, http.MethodPut, "/sandbox/numbers/"+numberID, map[string]any{
		"display_phone_number": "+1 201-555-0142", "account_id": "100200", "app_id": "4711", "app_secret": secret, "webhook_url": platform.URL,
	}, http.StatusNoContent)
	return h
}

// hear takes a webhook as the platform's server does.
func (h *house) hear(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !meta.VerifySignature(secret, body, r.Header.Get("X-Hub-Signature-256")) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	select {
	case status := <-h.answer:
		w.WriteHeader(status)
		return
	default:
	}
	for _, event := range meta.ParseWebhook(body) {
		if event.Problem != "" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		h.deliveries <- event
	}
}

func (h *house) call(t *testing.T, method, path string, body any, want int) []byte {
	t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, h.url+path, bytes.NewReader(raw))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, want, response.StatusCode, string(got))
	return got
}

func (h *house) send(t *testing.T, to string, content channel.Content) (channel.Outgoing, channel.Outcome) {
	t.Helper()
	out := channel.Outgoing{ID: id.New(), To: channel.Address{Kind: "phone", Value: "+" + to}, Content: content}
	return out, h.adapter.Open(account, 1).Send(t.Context(), out)
}

func order() channel.Content {
	return channel.Content{Template: &channel.Template{Name: "order_update", Language: "pt_BR", Parameters: []string{"Ana", "{{1}}"}}}
}

// statuses waits for n statuses.
func (h *house) statuses(t *testing.T, n int) []channel.Status {
	t.Helper()
	var got []channel.Status
	for len(got) < n {
		select {
		case delivery := <-h.deliveries:
			require.Equal(t, numberID, delivery.NumberID)
			got = append(got, delivery.Statuses...)
		case <-time.After(10 * time.Second):
			require.Failf(t, "too few statuses", "%d of %d", len(got), n)
		}
	}
	return got
}

func (h *house) hooks(t *testing.T) world.HookStats {
	t.Helper()
	var stats world.HookStats
	require.NoError(t, json.Unmarshal(h.call(t, http.MethodGet, "/sandbox/webhooks", nil, http.StatusOK), &stats))
	return stats
}

func (h *house) curve(t *testing.T, curve string) {
	t.Helper()
	h.call(t, http.MethodPut, "/sandbox/statuses", json.RawMessage(curve), http.StatusNoContent)
}

const quick = `{"sent_after_ms":0,"delivered_after_ms":20,"read_after_ms":40,"read_share":1,"jitter":0}`

func TestStatusesFollowASend(t *testing.T) {
	h := newHouse(t, sandbox.Options{})
	h.curve(t, quick)
	out, outcome := h.send(t, ana, order())
	require.Equal(t, channel.Accepted, outcome.Class, outcome.Detail)
	require.True(t, strings.HasPrefix(outcome.ProviderID, "wamid.HBgN"))
	kinds := map[channel.StatusKind]bool{}
	for _, status := range h.statuses(t, 3) {
		require.Equal(t, out.ID, status.MessageID)
		require.Equal(t, outcome.ProviderID, status.ProviderID)
		require.WithinDuration(t, time.Now(), status.At, time.Minute)
		kinds[status.Kind] = true
	}
	require.Equal(t, map[channel.StatusKind]bool{channel.StatusSent: true, channel.StatusDelivered: true, channel.StatusRead: true}, kinds)

	page := string(h.call(t, http.MethodGet, "/?phone="+ana, nil, http.StatusOK))
	require.Contains(t, page, "Oi Ana, seu pedido {{1}} está a caminho.")
	require.Contains(t, page, `class="tick read"`)
}

func TestStatusesOffLateDoubledAndFailed(t *testing.T) {
	h := newHouse(t, sandbox.Options{})
	h.curve(t, `{"sent_after_ms":0,"failed_share":1,"duplicate_share":1,"jitter":0,"shuffle":true,"seed":4}`)
	h.send(t, ana, order())
	for _, status := range h.statuses(t, 2) {
		require.Equal(t, channel.StatusFailed, status.Kind)
		require.Equal(t, 131026, status.Code)
		require.NotEmpty(t, status.Detail)
	}
	h.curve(t, `{"off":true}`)
	h.send(t, ana, order())
	require.Eventually(t, func() bool {
		stats := h.hooks(t)
		return stats.Pending == 0 && stats.Told == 2
	}, 5*time.Second, 10*time.Millisecond, "nothing is told about the second send")
	h.call(t, http.MethodPut, "/sandbox/statuses", json.RawMessage(`{"read_share":2}`), http.StatusUnprocessableEntity)
	h.call(t, http.MethodPut, "/sandbox/statuses", json.RawMessage(`{"readshare":1}`), http.StatusUnprocessableEntity)
}

func TestWebhooksAreTriedAgain(t *testing.T) {
	h := newHouse(t, sandbox.Options{})
	h.curve(t, `{"sent_after_ms":0,"delivered_after_ms":0,"read_share":0,"jitter":0}`)
	h.answer <- http.StatusInternalServerError
	h.answer <- http.StatusServiceUnavailable
	h.send(t, ana, order())
	require.Len(t, h.statuses(t, 2), 2)
}

func TestManyStatusesShareAPost(t *testing.T) {
	h := newHouse(t, sandbox.Options{})
	h.curve(t, `{"sent_after_ms":400,"delivered_after_ms":0,"read_share":0,"jitter":0}`)
	for range 100 {
		_, outcome := h.send(t, ana, order())
		require.Equal(t, channel.Accepted, outcome.Class)
	}
	require.Len(t, h.statuses(t, 200), 200)
	require.Less(t, h.hooks(t).Posts, int64(60))
}

func TestReplyOpensTheWindow(t *testing.T) {
	h := newHouse(t, sandbox.Options{})
	_, outcome := h.send(t, ana, channel.Content{Text: "free"})
	require.Equal(t, channel.Refused, outcome.Class)
	require.Equal(t, 131047, outcome.Code)

	h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/reply", map[string]string{"number_id": numberID, "text": "Olá \"<b>\" 👍", "name": "Ana"}, http.StatusNoContent)
	delivery := <-h.deliveries
	require.Len(t, delivery.Inbound, 1)
	require.Equal(t, "Olá \"<b>\" 👍", delivery.Inbound[0].Said.Text)
	require.Equal(t, "Ana", delivery.Inbound[0].Name)
	require.Equal(t, channel.Address{Kind: "phone", Value: "+" + ana}, delivery.Inbound[0].From)

	_, outcome = h.send(t, ana, channel.Content{Text: "free"})
	require.Equal(t, channel.Accepted, outcome.Class, outcome.Detail)
	h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/reply", map[string]string{"number_id": "1", "text": "x"}, http.StatusUnprocessableEntity)
	page := string(h.call(t, http.MethodGet, "/?phone="+ana, nil, http.StatusOK))
	require.NotContains(t, page, "<b>\"", "what a person writes is text")
}

func TestReadAndBlock(t *testing.T) {
	h := newHouse(t, sandbox.Options{})
	h.curve(t, `{"sent_after_ms":0,"delivered_after_ms":0,"read_share":0,"jitter":0}`)
	out, _ := h.send(t, ana, order())
	h.statuses(t, 2)
	h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/read", nil, http.StatusNoContent)
	read := h.statuses(t, 1)
	require.Equal(t, channel.StatusRead, read[0].Kind)
	require.Equal(t, out.ID, read[0].MessageID)

	h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/block", map[string]bool{"blocked": true}, http.StatusNoContent)
	h.send(t, ana, order())
	require.Equal(t, channel.StatusFailed, h.statuses(t, 1)[0].Kind)
}

// TestRestart checks that ledger, numbers, people and curve survive, and that fresh statuses are told again.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	simulator, err := sandbox.New(sandbox.Options{DataDir: dir})
	require.NoError(t, err)
	server := httptest.NewServer(simulator)
	first := &house{Sandbox: simulator, url: server.URL}
	first.adapter, err = meta.New(meta.Options{SandboxURL: server.URL})
	require.NoError(t, err)
	first.call(t, http.MethodPut, "/sandbox/numbers/"+numberID, map[string]any{"verified_name": "Kept", "app_secret": secret, "webhook_url": "http://127.0.0.1:1"}, http.StatusNoContent)
	first.curve(t, quick)
	out, outcome := first.send(t, ana, order())
	require.Equal(t, channel.Accepted, outcome.Class)
	first.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/reply", map[string]string{"number_id": numberID, "text": "x"}, http.StatusNoContent)
	first.adapter.Close()
	server.Close()
	require.NoError(t, simulator.Close())

	h := newHouse(t, sandbox.Options{DataDir: dir})
	require.Contains(t, string(h.call(t, http.MethodGet, "/sandbox/ledger", nil, http.StatusOK)), out.ID.String())
	require.JSONEq(t, `{"count":1}`, string(h.call(t, http.MethodGet, "/sandbox/ledger/count", nil, http.StatusOK)))
	require.Contains(t, string(h.call(t, http.MethodGet, "/sandbox/numbers", nil, http.StatusOK)), `"verified_name":"Kept"`)
	require.NotContains(t, string(h.call(t, http.MethodGet, "/sandbox/numbers", nil, http.StatusOK)), secret)
	require.Contains(t, string(h.call(t, http.MethodGet, "/sandbox/statuses", nil, http.StatusOK)), `"read_after_ms":40`)
	_, outcome = h.send(t, ana, channel.Content{Text: "the window is still open"})
	require.Equal(t, channel.Accepted, outcome.Class, outcome.Detail)

	again, err := sandbox.New(sandbox.Options{DataDir: dir})
	require.NoError(t, err)
	defer func() { require.NoError(t, again.Close()) }()
	h.statuses(t, 3+3+3) // those of the second send, and both sends told again by the third start
}

func TestSubscribe(t *testing.T) {
	h := newHouse(t, sandbox.Options{})
	other := channel.Account{AppID: "302", AppSecret: graph.DefaultSecret, AccountID: "300", NumberID: "301", Token: "EAAother"}
	heard := make(chan string, 10)
	platform := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if answer, ok := meta.Challenge(r.URL.Query(), "tok"); ok {
				io.WriteString(w, answer) //nolint:errcheck
				return
			}
			w.WriteHeader(http.StatusForbidden)
			return
		}
		body, _ := io.ReadAll(r.Body)
		if meta.VerifySignature(graph.DefaultSecret, body, r.Header.Get("X-Hub-Signature-256")) {
			heard <- string(body)
		}
	}))
	t.Cleanup(platform.Close)

	check := h.adapter.Check(t.Context(), other) // made-up ids work, and the number finds its account by the token
	require.True(t, check.OK, check.Detail)
	require.Contains(t, check.Detail, "not subscribed")
	require.ErrorContains(t, h.adapter.Subscribe(t.Context(), other, platform.URL, "wrong"), "subscribing")
	require.NoError(t, h.adapter.Subscribe(t.Context(), other, platform.URL, "tok"))
	require.NotContains(t, h.adapter.Check(t.Context(), other).Detail, "not subscribed")

	outcome := h.adapter.Open(other, 1).Send(t.Context(), channel.Outgoing{ID: id.New(), To: channel.Address{Kind: "phone", Value: "+" + ana}, Content: order()})
	require.Equal(t, channel.Accepted, outcome.Class)
	require.Contains(t, <-heard, outcome.ProviderID)
}

func TestSinkTellsNothing(t *testing.T) {
	h := newHouse(t, sandbox.Options{Sink: true})
	h.curve(t, quick)
	out, outcome := h.send(t, ana, order())
	require.Equal(t, channel.Accepted, outcome.Class)
	require.Contains(t, string(h.call(t, http.MethodGet, "/sandbox/ledger", nil, http.StatusOK)), out.ID.String())
	require.Equal(t, world.HookStats{}, h.hooks(t))
	require.Equal(t, "[]\n", string(h.call(t, http.MethodGet, "/sandbox/phones", nil, http.StatusOK)))
}

func TestControlRefusesOtherSites(t *testing.T) {
	h := newHouse(t, sandbox.Options{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, h.url+"/sandbox/faults", nil)
	require.NoError(t, err)
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusForbidden, response.StatusCode)
}

func TestPagesAndFaultSwitches(t *testing.T) {
	h := newHouse(t, sandbox.Options{})
	require.Contains(t, string(h.call(t, http.MethodGet, "/", nil, http.StatusOK)), "No message has arrived yet")
	require.Contains(t, string(h.call(t, http.MethodGet, "/docs", nil, http.StatusOK)), "PUT    /sandbox/faults")
	h.call(t, http.MethodPut, "/sandbox/faults", json.RawMessage(`[{"drop":true},{"match":{"to":"1"},"hang":true}]`), http.StatusNoContent)
	page := string(h.call(t, http.MethodGet, "/", nil, http.StatusOK))
	require.Contains(t, page, `data-fault="cut" checked`)
	require.Contains(t, page, "1 more set by the control API")
	h.call(t, http.MethodPut, "/sandbox/faults", json.RawMessage(`[{"webhooks":{"shuffle":true}}]`), http.StatusNoContent)
	page = string(h.call(t, http.MethodGet, "/", nil, http.StatusOK))
	require.Contains(t, page, `data-fault="shuffle" checked`)
	require.NotContains(t, page, `data-fault="batch" checked`)
	h.call(t, http.MethodPut, "/sandbox/faults", json.RawMessage(`[{"probability":2}]`), http.StatusUnprocessableEntity)
	h.call(t, http.MethodDelete, "/sandbox/faults", nil, http.StatusNoContent)
	require.Equal(t, "[]\n", string(h.call(t, http.MethodGet, "/sandbox/faults", nil, http.StatusOK)))
	require.Contains(t, string(h.call(t, http.MethodGet, "/assets/app.js", nil, http.StatusOK)), "use strict")
	h.call(t, http.MethodGet, "/sandbox/ledger?since=x", nil, http.StatusUnprocessableEntity)
}

// TestRunStops checks that Run ends soon although a send hangs and a client keeps its connection.
func TestRunStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- sandbox.Run(ctx, sandbox.Options{Addr: "127.0.0.1:0", DataDir: t.TempDir(), Fsync: true, Ready: func(addr net.Addr) { ready <- addr }})
	}()
	h := &house{url: "http://" + (<-ready).String()}
	var err error
	h.adapter, err = meta.New(meta.Options{SandboxURL: h.url})
	require.NoError(t, err)
	defer h.adapter.Close()
	_, outcome := h.send(t, ana, order())
	require.Equal(t, channel.Accepted, outcome.Class)
	h.call(t, http.MethodPut, "/sandbox/faults", json.RawMessage(`[{"hang":true}]`), http.StatusNoContent)
	hung := make(chan channel.Outcome, 1)
	go func() { _, outcome := h.send(t, ana, order()); hung <- outcome }()
	cancel()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		require.Fail(t, "Run did not stop")
	}
	require.NotEqual(t, channel.Accepted, (<-hung).Class)
}
