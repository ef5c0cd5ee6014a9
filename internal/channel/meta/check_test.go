package meta_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/channel/meta"
	"omnidesk/internal/id"
	"omnidesk/internal/sandbox"
	"omnidesk/internal/sandbox/graph"
)

// TestCheck asks a strict sandbox about accounts that are right and wrong in each way.
func TestCheck(t *testing.T) {
	t.Parallel()
	simulator, err := sandbox.New(sandbox.Options{DataDir: t.TempDir(), Strict: true})
	require.NoError(t, err)
	server := httptest.NewServer(simulator)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, simulator.Close())
	})
	require.NoError(t, simulator.PutNumber(graph.Number{
		ID: account.NumberID, Display: "+1 201-555-0142", Name: "Demo shop", AccountID: account.AccountID, AppID: account.AppID, AppSecret: "x",
		Quality: "YELLOW", Tier: "TIER_2K",
	}))
	require.NoError(t, simulator.PutNumber(graph.Number{ID: "999", Status: "BANNED"}))
	adapter := newAdapter(t, server.URL, 5*time.Second)

	good := adapter.Check(t.Context(), account)
	require.Equal(t, channel.Check{OK: true, Number: "+12015550142", Name: "Demo shop", Detail: "The number answers and its webhooks are subscribed.",
		Quality: "YELLOW", Limit: 2000}, good)

	deaf := account
	deaf.AppID = "4712"
	check := adapter.Check(t.Context(), deaf)
	require.True(t, check.OK)
	require.Contains(t, check.Detail, "not subscribed")

	for _, one := range []struct {
		name   string
		change func(*channel.Account)
		says   string
	}{
		{"bad token", func(a *channel.Account) { a.Token = "invalid" }, "access token"},
		{"expired token", func(a *channel.Account) { a.Token = "expired-1" }, "put a new one"},
		{"no permission", func(a *channel.Account) { a.Token = "denied" }, "permission"},
		{"empty token", func(a *channel.Account) { a.Token = "" }, "access token"},
		{"token with a newline", func(a *channel.Account) { a.Token = "inva\r\nlid" }, "access token"},
		{"unknown number", func(a *channel.Account) { a.NumberID = "1" }, "does not know this phone number id"},
		{"number that is no id", func(a *channel.Account) { a.NumberID = "../me" }, "digits only"},
		{"account that is no id", func(a *channel.Account) { a.AccountID = "" }, "digits only"},
		{"banned number", func(a *channel.Account) { a.NumberID = "999" }, "banned"},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			wrong := account
			one.change(&wrong)
			check := adapter.Check(context.WithoutCancel(t.Context()), wrong)
			require.False(t, check.OK)
			require.Contains(t, check.Detail, one.says)
			require.NotContains(t, check.Detail, "EAAtoken")
		})
	}
}

func TestCheckWithoutProvider(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	check := newAdapter(t, "http://"+listener.Addr().String(), time.Second).Check(t.Context(), account)
	require.False(t, check.OK)
	require.Contains(t, check.Detail, "could not be reached")
}

func TestCheckOfSomethingElse(t *testing.T) {
	t.Parallel()
	for status, says := range map[int]string{200: "was not Meta", 503: "trouble of its own", 302: "HTTP 302"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(status)
			w.Write([]byte("<html>")) //nolint:errcheck
		}))
		check := newAdapter(t, server.URL, time.Second).Check(t.Context(), account)
		server.Close()
		require.False(t, check.OK)
		require.Contains(t, check.Detail, says)
	}
}

// TestUntrustedCertificate checks that a failed TLS handshake counts as nothing written.
func TestUntrustedCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = nil
	server.StartTLS()
	defer server.Close()
	outcome := newAdapter(t, server.URL, 5*time.Second).Open(account, 1).Send(t.Context(), channel.Outgoing{
		ID: id.New(), To: channel.Address{Kind: "phone", Value: "+5511999990001"}, Content: channel.Content{Text: "hi"},
	})
	require.Equal(t, channel.NotWritten, outcome.Class)
	require.Contains(t, outcome.Detail, "certificate")
}

// TestRequest pins what goes over the wire.
func TestRequest(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Clone(context.Background()) }))
	defer server.Close()
	outcome := newAdapter(t, server.URL, 5*time.Second).Open(account, 1).Send(t.Context(), channel.Outgoing{
		ID: id.New(), To: channel.Address{Kind: "phone", Value: "+5511999990001"}, Content: channel.Content{Text: "hi"},
	})
	require.Equal(t, channel.Unknown, outcome.Class, "200 without an id proves nothing")
	request := <-got
	require.Equal(t, "graph.facebook.com", request.Host)
	require.Equal(t, "/v25.0/106540352242922/messages", request.URL.Path)
	require.Equal(t, "Bearer EAAtoken", request.Header.Get("Authorization"))
	require.Equal(t, "application/json", request.Header.Get("Content-Type"))
	require.Empty(t, request.Header.Get("Idempotency-Key"))
	require.Empty(t, request.Header.Get("X-Idempotency-Key"))
	require.Empty(t, request.TransferEncoding)
}

func TestNewRefusesOptions(t *testing.T) {
	t.Parallel()
	for _, options := range []meta.Options{{Version: "25"}, {Version: "v25.0/../"}, {SandboxURL: "127.0.0.1:8090"}, {SandboxURL: "ftp://x"}, {SandboxURL: "http://"}} {
		_, err := meta.New(options)
		require.Error(t, err, options)
	}
}
