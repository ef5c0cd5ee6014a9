package llm

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var today = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestPrices(t *testing.T) {
	for _, c := range []struct {
		provider Provider
		model    string
		prompt   int
		in, out  int64
	}{
		{OpenAI, "gpt-4o-mini", 100, 150_000, 600_000},
		{OpenAI, "gpt-4o-mini-2024-07-18", 100, 150_000, 600_000},
		{OpenAI, "gpt-4o", 100, 2_500_000, 10_000_000},
		{OpenAI, "text-embedding-3-small", 100, 20_000, 0},
		{Gemini, "gemini-2.5-pro", 200_000, 1_250_000, 10_000_000},
		{Gemini, "gemini-2.5-pro", 200_001, 2_500_000, 15_000_000},
	} {
		price, known := PriceOf(c.provider, c.model, c.prompt, today)
		require.True(t, known, c.model)
		require.Equal(t, c.in, price.In, c.model)
		require.Equal(t, c.out, price.Out, c.model)
	}
	for _, unknown := range []string{"gpt-4o-audio", "gpt-4", "llama3", "gpt-4o-mini-", ""} {
		_, known := PriceOf(OpenAI, unknown, 1, today)
		require.False(t, known, unknown)
	}
	_, known := PriceOf(Gemini, "gpt-4o", 1, today)
	require.False(t, known, "a price is a provider's")
	_, known = PriceOf(OpenAI, "gpt-4o", 1, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	require.False(t, known, "before its day there is no price")
}

func TestALaterPriceHoldsFromItsDayOn(t *testing.T) {
	kept := prices
	defer func() { prices = kept }()
	prices = must(readPrices("h,h,h,h,h,h\nopenai,m,2026-01-01,0,1,2\nopenai,m,2026-12-01,0,3,4.000001\n"))
	before, _ := PriceOf(OpenAI, "m", 1, today)
	after, _ := PriceOf(OpenAI, "m", 1, today.AddDate(0, 1, 0))
	require.EqualValues(t, 1_000_000, before.In)
	require.EqualValues(t, 4_000_001, after.Out)
	for _, wrong := range []string{"openai,m,2026,0,1,2", "openai,m,2026-01-01,x,1,2", "openai,m,2026-01-01,0,1.0000001,2", "openai,m,2026-01-01,0,1,", "openai,m"} {
		_, err := readPrices("h,h,h,h,h,h\n" + wrong + "\n")
		require.Error(t, err, wrong)
	}
}

func TestCostIsRoundedUpAndNeverAboveTheWorst(t *testing.T) {
	price, _ := PriceOf(OpenAI, "gpt-4o-mini", 1, today)
	require.EqualValues(t, 0, price.Cost(Usage{}))
	require.EqualValues(t, 1, price.Cost(Usage{In: 1}))
	require.EqualValues(t, 750_000, price.Cost(Usage{In: 1_000_000, Out: 1_000_000}))
	rapid.Check(t, func(t *rapid.T) {
		request := Request{System: rapid.String().Draw(t, "system"), MostTokens: rapid.IntRange(1, 4000).Draw(t, "most"),
			Messages: []Message{{Role: User, Text: rapid.String().Draw(t, "text")}}}
		used := Usage{In: len(request.System) + len(request.Messages[0].Text), Out: rapid.IntRange(0, request.MostTokens).Draw(t, "out")}
		require.LessOrEqual(t, price.Cost(used), price.Worst(request))
	})
}
