package openai_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/llm"
	"omnidesk/internal/llm/llmtest"
	"omnidesk/internal/llm/openai"
)

func newAdapter(t *testing.T, wire llm.Wire) llm.Model {
	t.Helper()
	adapter, err := openai.New(wire)
	require.NoError(t, err)
	return adapter
}

func TestTheSuite(t *testing.T) {
	llmtest.Run(t, llmtest.Pair{Adapter: newAdapter, Writer: "gpt-4o-mini", Embedder: "text-embedding-3-small", Dimensions: 1536,
		QuotaCode: "insufficient_quota", RateCode: "rate_limit_exceeded"})
}

// An address that a company named leads into a private network only where the operator allows it.
func TestACompanysAddress(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"object":"list","data":[{"id":"llama3"},{"id":"nomic-embed-text"},{"id":"whisper-1"}]}`)) //nolint:errcheck // a test's server
	}))
	defer server.Close()
	local := llm.Access{Key: "any", BaseURL: server.URL + "/v1/"}

	_, err := newAdapter(t, llm.Wire{}).Models(context.Background(), local)
	var refused *llm.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, llm.CodePrivate, refused.Code)
	require.Empty(t, asked)

	offers, err := newAdapter(t, llm.Wire{PrivateHosts: true}).Models(context.Background(), local)
	require.NoError(t, err)
	require.Equal(t, []llm.Offer{{Name: "llama3", Writes: true}, {Name: "nomic-embed-text", Embeds: true}, {Name: "whisper-1"}}, offers)
	require.Equal(t, []string{"/v1/models"}, asked)
}

// A redirect would carry the key to another host.
func TestNoRedirectIsFollowed(t *testing.T) {
	var stolen bool
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen = true }))
	defer thief.Close()
	server := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	_, err := newAdapter(t, llm.Wire{PrivateHosts: true}).Models(context.Background(), llm.Access{Key: "any", BaseURL: server.URL})
	var refused *llm.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, llm.Refused, refused.Class)
	require.False(t, stolen)
}
