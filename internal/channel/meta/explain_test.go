package meta

import (
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
)

// A code that is on one list must be on the other, or the page would name a failure and not what to do about it.
func TestEveryRefusalOfAMessageHasARemedy(t *testing.T) {
	for code, v := range verdicts {
		_, known := remedies[code]
		require.Equal(t, v.class == channel.Refused && v.scope == channel.ScopeMessage, known, code)
	}
}

func TestExplainingACode(t *testing.T) {
	a := &Adapter{}
	gone := a.Explain(131026)
	require.Contains(t, gone.Meaning, "not on WhatsApp")
	require.False(t, gone.Again)
	require.True(t, a.Explain(131049).Again, "held back for a day")
	require.True(t, a.Explain(131016).Again, "Meta was overloaded")
	require.Contains(t, a.Explain(0).Meaning, "no code")
	unknown := a.Explain(999999)
	require.Contains(t, unknown.Meaning, "999999")
	require.NotEmpty(t, unknown.Remedy)
	require.False(t, unknown.Again)
}
