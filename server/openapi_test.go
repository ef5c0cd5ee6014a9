package server

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The document in the repository is what the web app is generated from: make generate writes it.
func TestTheOpenAPIDocumentInTheRepositoryIsCurrent(t *testing.T) {
	document, err := OpenAPI()
	require.NoError(t, err)
	require.True(t, json.Valid(document))
	kept, err := os.ReadFile("../openapi.json")
	require.NoError(t, err)
	require.Equal(t, string(kept), string(document), "run: make generate")
}

func TestOpenAPIHasEveryOperationOnce(t *testing.T) {
	document, err := OpenAPI()
	require.NoError(t, err)
	var read struct {
		Info  struct{ Version string }
		Paths map[string]map[string]struct{ OperationID string }
	}
	require.NoError(t, json.Unmarshal(document, &read))
	require.Equal(t, "1", read.Info.Version)
	seen := map[string]bool{}
	for _, methods := range read.Paths {
		for _, operation := range methods {
			require.False(t, seen[operation.OperationID], operation.OperationID)
			require.Contains(t, table, operation.OperationID)
			seen[operation.OperationID] = true
		}
	}
	plain := []string{"externalSend", "externalMessage", "externalOpenapi", "realtime", "temporalUI", "webhookMeta", "healthz", "readyz", "openapi", "docs"}
	for name := range table {
		require.True(t, seen[name] != slices.Contains(plain, name), name)
	}
}
