package meta

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExplainingACode(t *testing.T) {
	a := &Adapter{}
	gone := a.Explain(131026)
	require.Contains(t, gone.Meaning, "not on WhatsApp")
	require.False(t, gone.Again)
	require.True(t, a.Explain(131049).Again, "held back for a day")
	require.True(t, a.Explain(131016).Again, "Meta was overloaded")
	require.True(t, a.Explain(132016).Again, "with another template")
	require.Contains(t, a.Explain(131042).Remedy, "payment method")
	require.Contains(t, a.Explain(0).Meaning, "no code")
	unknown := a.Explain(999999)
	require.Contains(t, unknown.Meaning, "999999")
	require.NotEmpty(t, unknown.Remedy)
	require.False(t, unknown.Again)
}
