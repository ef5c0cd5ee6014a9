package meta_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/sandbox"
)

func TestListTemplatesReadsEveryPage(t *testing.T) {
	t.Parallel()
	simulator, err := sandbox.New(sandbox.Options{DataDir: t.TempDir()})
	require.NoError(t, err)
	server := httptest.NewServer(simulator)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, simulator.Close())
	})
	for n := range 130 { // more than a page beside those that are built in
		body := fmt.Sprintf(`{"name":"mine_%03d","language":"en","category":"MARKETING","body":"Hi {{1}}","footer":"Bye","status":"REJECTED","rejected_reason":"SCAM"}`, n)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/sandbox/templates", strings.NewReader(body))
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusNoContent, response.StatusCode)
	}
	adapter := newAdapter(t, server.URL, 5*time.Second)
	found, err := adapter.ListTemplates(t.Context(), account)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, one := range found {
		seen[one.Name+" "+one.Language] = true
		switch one.Name {
		case "mine_000":
			require.Equal(t, "REJECTED", one.Status)
			require.Equal(t, "SCAM", one.RejectedReason)
			require.Equal(t, "UNKNOWN", one.Quality)
			require.JSONEq(t, `[{"type":"BODY","text":"Hi {{1}}"},{"type":"FOOTER","text":"Bye"}]`, string(one.Components))
			require.NotEmpty(t, one.ProviderID)
		case "promo_offer":
			require.Equal(t, "APPROVED", one.Status)
			require.Empty(t, one.RejectedReason, "NONE is no reason")
		}
	}
	require.Len(t, seen, len(found), "no page overlaps another")
	require.True(t, seen["mine_000 en"] && seen["mine_129 en"] && seen["promo_offer pt_BR"])

	expired := account
	expired.Token = "expired"
	_, err = adapter.ListTemplates(t.Context(), expired)
	require.ErrorContains(t, err, "Put a new one")
	nowhere := account
	nowhere.AccountID = "../me"
	_, err = adapter.ListTemplates(t.Context(), nowhere)
	require.ErrorContains(t, err, "digits only")
}
