package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// What can be set is found in the documents, under the names it has.
func TestEverySettingIsInTheDocs(t *testing.T) {
	text, err := os.ReadFile("docs/setup.md")
	require.NoError(t, err)
	parser, err := kong.New(&program{}, kong.Vars{"version": ""})
	require.NoError(t, err)
	settings := 0
	for _, command := range parser.Model.Leaves(true) {
		for _, flag := range command.Flags {
			for _, env := range flag.Envs {
				settings++
				require.Contains(t, string(text), "`"+env+"`", "omnidesk %s", command.Name)
				require.Contains(t, string(text), "`--"+flag.Name+"`", "omnidesk %s", command.Name)
			}
		}
	}
	require.Greater(t, settings, 30)
}

func TestHealthFailsUnlessTheProcessSaysItIsWell(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	ask := func() error { return (&healthCommand{URL: server.URL}).Run(context.Background()) }
	require.NoError(t, ask())
	status = http.StatusServiceUnavailable
	require.ErrorContains(t, ask(), "503")
	server.Close()
	require.ErrorContains(t, ask(), "asking")
}
