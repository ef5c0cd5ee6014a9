package chaos

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// figure appends one JSON line to the file that OMNIDESK_FIGURES names, for make chaos.
func figure(t *testing.T, name string, value float64, unit string, n int) {
	t.Helper()
	t.Logf("%s %v %s", name, value, unit)
	path := os.Getenv("OMNIDESK_FIGURES")
	if path == "" {
		return
	}
	line, err := json.Marshal(struct {
		Bench  string  `json:"bench"`
		Figure string  `json:"figure"`
		Value  float64 `json:"value"`
		Unit   string  `json:"unit"`
		N      int     `json:"n"`
	}{"chaos", name, value, unit, n})
	require.NoError(t, err)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer file.Close()
	_, err = file.Write(append(line, '\n'))
	require.NoError(t, err)
}
