package gemini_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/llm"
	"omnidesk/internal/llm/gemini"
	"omnidesk/internal/llm/llmtest"
)

func newAdapter(t *testing.T, wire llm.Wire) llm.Model {
	t.Helper()
	adapter, err := gemini.New(wire)
	require.NoError(t, err)
	return adapter
}

func TestTheSuite(t *testing.T) {
	llmtest.Run(t, llmtest.Pair{Adapter: newAdapter, Writer: "gemini-2.5-flash", Embedder: "gemini-embedding-001", Dimensions: 3072,
		QuotaCode: "insufficient_quota", RateCode: "RESOURCE_EXHAUSTED"})
}

func TestASchemaThatGeminiHasNoWordFor(t *testing.T) {
	request := llm.Request{Model: "gemini-2.5-flash", Messages: []llm.Message{{Role: llm.User, Text: "x"}},
		JSON: &llm.Shape{Schema: json.RawMessage(`{"type":"object","properties":{"next":{"$ref":"#"}}}`)}}
	_, err := newAdapter(t, llm.Wire{SandboxURL: "http://127.0.0.1:1"}).Generate(t.Context(), llm.Access{Key: "any"}, request)
	require.ErrorContains(t, err, "plain type")
}
