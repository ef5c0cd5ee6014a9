package llm

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRulesAreUsedUpInTheirOrderAndSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "models.json")
	s, err := New(path)
	require.NoError(t, err)
	require.NoError(t, s.Put(Settings{Rules: []Rule{{Match: Match{Contains: "ORDER"}, Text: "first", Times: 1}, {Match: Match{Model: "gpt-4o"}, Text: "second"}}}))
	require.Equal(t, "first", s.rule("gpt-4o", "my order").Text)
	require.Equal(t, "second", s.rule("gpt-4o", "my order").Text)
	require.Empty(t, s.rule("gpt-5", "my order").Text)

	again, err := New(path)
	require.NoError(t, err)
	require.Equal(t, s.Settings(), again.Settings())

	for _, wrong := range []Rule{{HTTPStatus: 200}, {Code: "x"}, {Bytes: -1}, {Stop: "now"}, {Times: -1}, {Arguments: []byte("{}")}} {
		require.ErrorContains(t, s.Put(Settings{Rules: []Rule{wrong}}), "rule 0")
	}
	require.Error(t, s.Put(Settings{LatencyMS: -1}))
	require.Len(t, s.Settings().Rules, 2, "what is wrong changes nothing")
}

func TestTheLimitOpensAgainAfterAMinute(t *testing.T) {
	s, err := New("")
	require.NoError(t, err)
	require.NoError(t, s.Put(Settings{RequestsPerMinute: 2}))
	now := time.Unix(1000, 0)
	require.Zero(t, s.limited("k", now))
	require.Zero(t, s.limited("k", now.Add(time.Second)))
	require.Equal(t, 30, s.limited("k", now.Add(30*time.Second)))
	require.Zero(t, s.limited("k", now.Add(time.Minute)))
}

func TestAnExampleObeysItsSchema(t *testing.T) {
	schema := map[string]any{"type": "object", "$defs": map[string]any{"step": map[string]any{"const": "go"}}, "properties": map[string]any{
		"step": map[string]any{"$ref": "#/$defs/step"}, "self": map[string]any{"$ref": "#"}, "short": map[string]any{"type": "string", "maxLength": 3.0},
		"maybe": map[string]any{"type": []any{"null", "integer"}, "minimum": 4.0}, "either": map[string]any{"anyOf": []any{map[string]any{"type": "boolean"}}},
	}}
	value := example(schema, schema, "hello", 0).(map[string]any)
	require.Equal(t, "go", value["step"])
	require.Equal(t, "hel", value["short"])
	require.InDelta(t, 4.0, value["maybe"], 0)
	require.IsType(t, true, value["either"])
	depth := 0
	for at, ok := value, true; ok; at, ok = at["self"].(map[string]any) {
		depth++
	}
	require.Less(t, depth, mostDepth+2, "a schema that contains itself ends")
}

func TestVectorsAreUnitLongAndLikeTextsAreNear(t *testing.T) {
	near := func(a, b string) (sum float64) {
		x, y := vector(a, 256), vector(b, 256)
		for i := range x {
			sum += float64(x[i]) * float64(y[i])
		}
		return sum
	}
	for _, text := range []string{"", "one", "the quick brown fox", "你好"} {
		require.InDelta(t, 1, near(text, text), 1e-5, text)
		for _, value := range vector(text, 256) {
			require.False(t, math.IsNaN(float64(value)))
		}
	}
	require.Greater(t, near("refund for my order", "a refund of my orders"), near("refund for my order", "opening hours on Sunday")+0.4)
}
