package server

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRecentIsBelievedForASecond(t *testing.T) {
	t.Parallel()
	var of recent[string, int]
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	_, known := of.get("a", at)
	require.False(t, known)
	of.keep("a", 1, at)
	of.keep("a", 2, at)
	value, known := of.get("a", at.Add(believedFor-1))
	require.True(t, known)
	require.Equal(t, 2, value)
	_, known = of.get("a", at.Add(believedFor))
	require.False(t, known)
	_, known = of.get("b", at)
	require.False(t, known)
	for key := range mostRecent {
		of.keep(string(rune(key)), key, at)
	}
	require.LessOrEqual(t, len(of.kept), mostRecent)
}
