// Package llmtest holds the suite that every adapter passes together with its provider's sandbox: an answer is whole
// and fit or an error says what to do, a call is made once, and a key shows nowhere.
package llmtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/llm"
	"omnidesk/internal/sandbox"
	simulated "omnidesk/internal/sandbox/llm"
)

// Pair is an adapter and the names of its provider's models.
type Pair struct {
	Adapter          func(t *testing.T, wire llm.Wire) llm.Model
	Writer, Embedder string
	Dimensions       int // of the embedder
	// QuotaCode and RateCode are the words for a used-up quota and for too many requests.
	QuotaCode, RateCode string
}

const (
	key    = "sk-canary-key"
	canary = "canary-prompt"
)

var access = llm.Access{Key: key}

// house is a sandbox behind a listener that notes what arrives.
type house struct {
	pair  Pair
	url   string
	model llm.Model

	mu   sync.Mutex
	urls []string
}

func newHouse(t *testing.T, pair Pair) *house {
	t.Helper()
	simulator, err := sandbox.New(sandbox.Options{DataDir: t.TempDir()})
	require.NoError(t, err)
	h := &house{pair: pair}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/sandbox/") {
			h.mu.Lock()
			h.urls = append(h.urls, r.URL.String())
			h.mu.Unlock()
		}
		simulator.ServeHTTP(w, r)
	}))
	h.url = server.URL
	h.model = pair.Adapter(t, llm.Wire{SandboxURL: server.URL, Timeout: 20 * time.Second})
	t.Cleanup(func() {
		server.CloseClientConnections() // those that a rule holds
		server.Close()
		require.NoError(t, simulator.Close())
	})
	return h
}

func (h *house) set(t *testing.T, settings simulated.Settings) {
	t.Helper()
	body, err := json.Marshal(settings)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, h.url+"/sandbox/models", bytes.NewReader(body))
	require.NoError(t, err)
	response, err := new(http.Client).Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, response.StatusCode, string(said))
}

func (h *house) rule(t *testing.T, rule simulated.Rule) {
	t.Helper()
	h.set(t, simulated.Settings{Rules: []simulated.Rule{rule}})
}

func (h *house) calls() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.urls)
}

func (h *house) ask(text string) llm.Request {
	return llm.Request{Model: h.pair.Writer, Messages: []llm.Message{{Role: llm.User, Text: text}}}
}

// both asks once whole and once as a stream, and expects the same error.
func (h *house) both(t *testing.T, request llm.Request, access llm.Access) *llm.Error {
	t.Helper()
	_, err := h.model.Generate(t.Context(), access, request)
	var whole, streamed *llm.Error
	require.ErrorAs(t, err, &whole)
	_, err = h.model.Stream(t.Context(), access, request, func(string) error { return nil })
	require.ErrorAs(t, err, &streamed)
	require.Equal(t, whole.Class, streamed.Class)
	for _, one := range []*llm.Error{whole, streamed} {
		require.NotContains(t, one.Error(), "canary")
		require.NotEmpty(t, one.Explain())
	}
	return whole
}

// Run runs the suite.
func Run(t *testing.T, pair Pair) {
	for name, test := range map[string]func(*testing.T, *house){
		"Writes": writes, "Streams": streams, "Tools": tools, "JSON": inJSON, "Embeds": embeds, "Models": models,
		"Refusals": refusals, "Unfit": unfit, "RateLimit": rateLimit, "Timeout": timeout, "Cancel": cancel, "KeyShowsNowhere": keyShowsNowhere,
	} {
		t.Run(name, func(t *testing.T) { test(t, newHouse(t, pair)) })
	}
}

func writes(t *testing.T, h *house) {
	request := h.ask("Write a greeting.\nName: Ana Souza\nLanguage: Portuguese")
	request.System = "You write for a shop."
	first, err := h.model.Generate(t.Context(), access, request)
	require.NoError(t, err)
	require.Contains(t, first.Text, "Olá Ana Souza")
	require.Positive(t, first.Usage.In)
	require.Positive(t, first.Usage.Out)
	require.False(t, first.Usage.Estimated)
	again, err := h.model.Generate(t.Context(), access, request)
	require.NoError(t, err)
	require.Equal(t, first, again, "the same request gets the same answer")
	_, err = h.model.Generate(t.Context(), access, llm.Request{Model: h.pair.Writer})
	require.ErrorContains(t, err, "needs a model and a message")
}

func streams(t *testing.T, h *house) {
	request := h.ask("Write to Name: Budi in Indonesian")
	whole, err := h.model.Generate(t.Context(), access, request)
	require.NoError(t, err)
	var pieces []string
	streamed, err := h.model.Stream(t.Context(), access, request, func(piece string) error {
		pieces = append(pieces, piece)
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(pieces), 2)
	require.Equal(t, whole.Text, strings.Join(pieces, ""))
	require.Equal(t, whole, streamed)

	enough := errors.New("enough")
	_, err = h.model.Stream(t.Context(), access, request, func(string) error { return enough })
	require.ErrorIs(t, err, enough)
}

func tools(t *testing.T, h *house) {
	request := h.ask("Please use find_order for me")
	request.Tools = []llm.Tool{{Name: "find_order", Description: "Finds an order",
		Parameters: json.RawMessage(`{"type":"object","properties":{"number":{"type":"string"}},"required":["number"]}`)}}
	asked, err := h.model.Generate(t.Context(), access, request)
	require.NoError(t, err)
	require.Len(t, asked.Calls, 1)
	require.Equal(t, "find_order", asked.Calls[0].Name)
	require.Contains(t, string(asked.Calls[0].Arguments), `"number"`)
	streamed, err := h.model.Stream(t.Context(), access, request, func(string) error { return nil })
	require.NoError(t, err)
	require.Equal(t, asked.Calls, streamed.Calls)

	request.Messages = append(request.Messages, llm.Message{Role: llm.Assistant, Calls: asked.Calls}, llm.Message{Role: llm.Result, Call: asked.Calls[0], Text: "order 4711 is on its way"})
	told, err := h.model.Generate(t.Context(), access, request)
	require.NoError(t, err)
	require.Contains(t, told.Text, "order 4711 is on its way")

	h.rule(t, simulated.Rule{Tool: "delete_everything"})
	require.Equal(t, llm.CodeBadCall, h.both(t, request, access).Code, "a tool that was not offered is not called")
}

func inJSON(t *testing.T, h *house) {
	request := h.ask("Name: Ana")
	request.JSON = &llm.Shape{Name: "text", Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"required":["text","tone","words","ok","tags"],"properties":{
		"text":{"type":"string"},"tone":{"type":"string","enum":["warm","plain"]},"words":{"type":"integer"},"ok":{"type":"boolean"},"tags":{"type":"array","items":{"type":"string"}}}}`)}
	answer, err := h.model.Generate(t.Context(), access, request)
	require.NoError(t, err)
	var shaped struct {
		Text  string
		Tone  string
		Words *int
		OK    *bool
		Tags  []string
	}
	require.NoError(t, json.Unmarshal([]byte(answer.Text), &shaped))
	require.Contains(t, shaped.Text, "Ana")
	require.Contains(t, []string{"warm", "plain"}, shaped.Tone)
	require.NotNil(t, shaped.Words)
	require.NotNil(t, shaped.OK)
	require.NotEmpty(t, shaped.Tags)

	request.JSON = &llm.Shape{}
	answer, err = h.model.Generate(t.Context(), access, request)
	require.NoError(t, err)
	require.True(t, json.Valid([]byte(answer.Text)))

	h.rule(t, simulated.Rule{Text: "Sure! Here is your JSON: {"})
	require.Equal(t, llm.CodeNotJSON, h.both(t, request, access).Code)
}

func embeds(t *testing.T, h *house) {
	texts := []string{"Where is my order? It has not been delivered", "My order was not delivered, where is it", "Our bakery opens at seven on Sundays"}
	vectors, err := h.model.Embed(t.Context(), access, h.pair.Embedder, 0, texts)
	require.NoError(t, err)
	require.Len(t, vectors.Values, 3)
	require.Len(t, vectors.Values[0], h.pair.Dimensions)
	require.Positive(t, vectors.Usage.In)
	like, unlike := llm.Near(vectors.Values[0], vectors.Values[1]), llm.Near(vectors.Values[0], vectors.Values[2])
	require.Greater(t, like, 0.5)
	require.Less(t, unlike, 0.3)
	require.InDelta(t, 1, llm.Near(vectors.Values[2], vectors.Values[2]), 1e-6)

	short, err := h.model.Embed(t.Context(), access, h.pair.Embedder, 256, texts[:1])
	require.NoError(t, err)
	require.Len(t, short.Values[0], 256)
	require.InDelta(t, 1, llm.Near(short.Values[0], short.Values[0]), 1e-6)

	for _, wrong := range [][]string{nil, {""}, make([]string, llm.MostInputs+1)} {
		_, err = h.model.Embed(t.Context(), access, h.pair.Embedder, 0, wrong)
		require.ErrorContains(t, err, "from 1 to")
	}
	_, err = h.model.Embed(t.Context(), access, "gone-model", 0, texts)
	var refused *llm.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, llm.Gone, refused.Class)
}

func models(t *testing.T, h *house) {
	offers, err := h.model.Models(t.Context(), access)
	require.NoError(t, err)
	require.Contains(t, offers, llm.Offer{Name: h.pair.Writer, Writes: true})
	require.Contains(t, offers, llm.Offer{Name: h.pair.Embedder, Embeds: true})
	_, err = h.model.Models(t.Context(), llm.Access{Key: "invalid"})
	var refused *llm.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, llm.Key, refused.Class)
}

func refusals(t *testing.T, h *house) {
	for word, class := range map[string]llm.Class{"invalid-canary": llm.Key, "denied-canary": llm.Key, "broke-canary": llm.Quota} {
		require.Equal(t, class, h.both(t, h.ask(canary), llm.Access{Key: word}).Class, word)
	}
	gone := h.ask(canary)
	gone.Model = "gone-model"
	require.Equal(t, llm.Gone, h.both(t, gone, access).Class)
	require.NotEqual(t, llm.Retry, h.both(t, h.ask(strings.Repeat("long ", 130_000)), access).Class, "too long a prompt is not asked again")

	for _, c := range []struct {
		status int
		code   string
		after  int
		class  llm.Class
	}{
		{429, h.pair.RateCode, 7, llm.Retry}, {429, h.pair.QuotaCode, 0, llm.Quota}, {500, "", 0, llm.Retry}, {503, "", 3, llm.Retry},
		{529, "", 0, llm.Retry}, {408, "", 0, llm.Retry}, {400, "", 0, llm.Refused}, {402, "", 0, llm.Quota}, {422, "", 0, llm.Refused},
	} {
		h.rule(t, simulated.Rule{HTTPStatus: c.status, Code: c.code, RetryAfterS: c.after})
		before := h.calls()
		said := h.both(t, h.ask(canary), access)
		require.Equal(t, c.class, said.Class, "%d %s", c.status, c.code)
		require.Equal(t, c.status, said.Status)
		require.Equal(t, time.Duration(c.after)*time.Second, said.RetryAfter)
		require.Zero(t, said.Usage, "a provider that says no takes nothing")
		require.Equal(t, before+2, h.calls(), "each call is made once")
	}
}

func unfit(t *testing.T, h *house) {
	for name, c := range map[string]struct {
		rule  simulated.Rule
		class llm.Class
		code  string
	}{
		"empty":    {simulated.Rule{Empty: true}, llm.Unfit, llm.CodeEmpty},
		"declined": {simulated.Rule{Refuse: true}, llm.Refused, llm.CodeDeclined},
		"100 kB":   {simulated.Rule{Bytes: llm.MostAnswer + 1}, llm.Unfit, llm.CodeTooLong},
		"4 MB":     {simulated.Rule{Bytes: 4 << 20}, llm.Unfit, llm.CodeTooLong},
		"half":     {simulated.Rule{Text: "Hello, we", Stop: "length"}, llm.Unfit, llm.CodeCut},
		"garbage":  {simulated.Rule{Garbage: true}, llm.Unfit, ""},
	} {
		h.rule(t, c.rule)
		said := h.both(t, h.ask(canary), access)
		require.Equal(t, c.class, said.Class, name)
		if c.code != "" {
			require.Equal(t, c.code, said.Code, name)
		}
		require.Positive(t, said.Usage.In, "%s: it was paid", name)
	}
	h.rule(t, simulated.Rule{Bytes: llm.MostAnswer})
	whole, err := h.model.Generate(t.Context(), access, h.ask("long"))
	require.NoError(t, err)
	require.Len(t, whole.Text, llm.MostAnswer)

	h.rule(t, simulated.Rule{Text: "one two three four five six", CutStream: true})
	heard := ""
	_, err = h.model.Stream(t.Context(), access, h.ask("cut"), func(piece string) error {
		heard += piece
		return nil
	})
	var broken *llm.Error
	require.ErrorAs(t, err, &broken)
	require.Equal(t, llm.Unfit, broken.Class)
	require.NotEmpty(t, heard, "some of it had arrived, and still it is no answer")
	require.Positive(t, broken.Usage.In)
}

func rateLimit(t *testing.T, h *house) {
	h.set(t, simulated.Settings{RequestsPerMinute: 1})
	_, err := h.model.Generate(t.Context(), access, h.ask("one"))
	require.NoError(t, err)
	said := h.both(t, h.ask("two"), access)
	require.Equal(t, llm.Retry, said.Class)
	require.Equal(t, llm.CodeRate, said.Code)
	require.Positive(t, said.RetryAfter)
	require.LessOrEqual(t, said.RetryAfter, time.Minute)
	_, err = h.model.Generate(t.Context(), llm.Access{Key: "sk-another"}, h.ask("one"))
	require.NoError(t, err, "the limit is of a key")
}

func timeout(t *testing.T, h *house) {
	h.rule(t, simulated.Rule{Hang: true})
	h.model = h.pair.Adapter(t, llm.Wire{SandboxURL: h.url, Timeout: 200 * time.Millisecond})
	said := h.both(t, h.ask(canary), access)
	require.Equal(t, llm.Retry, said.Class)
	require.Equal(t, llm.CodeTimeout, said.Code)
	require.Positive(t, said.Usage.In, "it may have been paid")

	h.model = h.pair.Adapter(t, llm.Wire{SandboxURL: "http://127.0.0.1:1"})
	require.Equal(t, llm.CodeUnreachable, h.both(t, h.ask(canary), access).Code)
}

func cancel(t *testing.T, h *house) {
	h.rule(t, simulated.Rule{Hang: true})
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, stop)
	_, err := h.model.Generate(ctx, access, h.ask(canary))
	require.ErrorIs(t, err, context.Canceled)
	var ours *llm.Error
	require.False(t, errors.As(err, &ours), "that is no error of the provider")
}

func keyShowsNowhere(t *testing.T, h *house) {
	_, err := h.model.Generate(t.Context(), access, h.ask("one"))
	require.NoError(t, err)
	_, err = h.model.Embed(t.Context(), access, h.pair.Embedder, 0, []string{"one"})
	require.NoError(t, err)
	_, err = h.model.Models(t.Context(), access)
	require.NoError(t, err)
	require.Equal(t, 3, h.calls())
	for _, url := range h.urls {
		require.NotContains(t, url, "canary")
		require.NotContains(t, url, "key=")
	}
	h.model = h.pair.Adapter(t, llm.Wire{SandboxURL: "http://127.0.0.1:1"})
	_, err = h.model.Models(t.Context(), access)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "canary")
}
