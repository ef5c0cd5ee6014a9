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
		ID: account.NumberID, Display: "+1 201-555-0142", Name: "Demo shop", AccountID: account.AccountID, AppID: account.AppID, AppSecret: account.AppSecret,
		Quality: "YELLOW", Tier: "TIER_2K",
	}))
	require.NoError(t, simulator.PutNumber(graph.Number{ID: "999", Status: "BANNED"}))
	adapter := newAdapter(t, server.URL, 5*time.Second)

	good := adapter.Check(t.Context(), account)
	require.Equal(t, channel.Check{OK: true, Number: "+12015550142", Name: "Demo shop", Detail: "The quality is medium: some people block or report the number. It may write first to 2000 contacts in 24 hours.",
		Quality: "YELLOW", Limit: 2000, Portfolio: "9" + account.AccountID, Lines: []channel.Line{
			{Subject: "token", Verdict: channel.Good, Detail: "The access token is valid and does not expire."},
			{Subject: "app", Verdict: channel.Good, Detail: "App id and app secret fit, and the token is this app's."},
			{Subject: "number", Verdict: channel.Good, Detail: "The number +1 201-555-0142 answers as “Demo shop”."},
			{Subject: "account", Verdict: channel.Good, Detail: "The number belongs to this WhatsApp Business Account."},
			{Subject: "webhook", Verdict: channel.Good, Detail: "The app is subscribed, and Meta reports to this server."},
			{Subject: "quality", Verdict: channel.Poor, Detail: "The quality is medium: some people block or report the number. It may write first to 2000 contacts in 24 hours."},
		}}, good)

	deaf := account
	deaf.AppID = "4712"
	check := adapter.Check(t.Context(), deaf)
	require.True(t, check.OK)
	require.Contains(t, check.Detail, "not subscribed")

	soon := account
	soon.Token = "expiring"
	check = adapter.Check(t.Context(), soon)
	require.True(t, check.OK)
	require.Contains(t, check.Detail, "expires on")
	require.WithinDuration(t, time.Now().Add(72*time.Hour), *check.TokenEnds, time.Minute)

	for _, one := range []struct {
		name   string
		change func(*channel.Account)
		says   string
	}{
		{"bad token", func(a *channel.Account) { a.Token = "invalid" }, "access token"},
		{"expired token", func(a *channel.Account) { a.Token = "expired-1" }, "Put a new one"},
		{"no permission", func(a *channel.Account) { a.Token = "denied" }, "permission"},
		{"empty token", func(a *channel.Account) { a.Token = "" }, "access token"},
		{"token with a newline", func(a *channel.Account) { a.Token = "inva\r\nlid" }, "access token"},
		{"token without a permission", func(a *channel.Account) { a.Token = "limited" }, "lacks the permission whatsapp_business_management"},
		{"token of another app", func(a *channel.Account) { a.Token = "other" }, "belongs to another app"},
		{"app secret of another app", func(a *channel.Account) { a.AppSecret = "another" }, "does not know this app id with this app secret"},
		{"foreign account", func(a *channel.Account) { a.AccountID = "4713" }, "does not belong to this WhatsApp Business Account"},
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

// TestCheckOfWhatHasBeenTyped follows a form as it is filled in: what can't be looked at yet is no fault.
func TestCheckOfWhatHasBeenTyped(t *testing.T) {
	t.Parallel()
	simulator, err := sandbox.New(sandbox.Options{DataDir: t.TempDir()})
	require.NoError(t, err)
	server := httptest.NewServer(simulator)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, simulator.Close())
	})
	adapter := newAdapter(t, server.URL, 5*time.Second)
	typed := channel.Account{Kind: channel.WhatsAppCloud}
	for _, step := range []struct {
		add  func()
		want map[string]channel.Verdict
	}{
		{func() {}, map[string]channel.Verdict{"token": channel.Unseen, "app": channel.Unseen, "number": channel.Unseen, "account": channel.Unseen, "webhook": channel.Unseen}},
		{func() { typed.Token = "EAA" }, map[string]channel.Verdict{"token": channel.Good, "app": channel.Unseen, "number": channel.Unseen, "account": channel.Unseen, "webhook": channel.Unseen}},
		{func() { typed.NumberID = "3" }, map[string]channel.Verdict{"token": channel.Good, "app": channel.Unseen, "number": channel.Good, "quality": channel.Good, "account": channel.Unseen, "webhook": channel.Unseen}},
		{func() { typed.AccountID = "x" }, map[string]channel.Verdict{"token": channel.Good, "app": channel.Unseen, "number": channel.Good, "quality": channel.Good, "account": channel.Bad, "webhook": channel.Unseen}},
		{func() { typed.AccountID, typed.AppID = "2", "1" }, map[string]channel.Verdict{"token": channel.Good, "app": channel.Unseen, "number": channel.Good, "quality": channel.Good, "account": channel.Good, "webhook": channel.Poor}},
		{func() { typed.AppSecret = "s" }, map[string]channel.Verdict{"token": channel.Good, "app": channel.Good, "number": channel.Good, "quality": channel.Good, "account": channel.Good, "webhook": channel.Poor}},
	} {
		step.add()
		check := adapter.Check(t.Context(), typed)
		got := map[string]channel.Verdict{}
		for _, line := range check.Lines {
			got[line.Subject] = line.Verdict
		}
		require.Equal(t, step.want, got)
		require.Equal(t, typed.AppSecret != "", check.OK, check.Detail)
	}
	require.NoError(t, simulator.PutNumber(graph.Number{ID: "3", Status: "BANNED"}))
	require.False(t, adapter.Check(t.Context(), typed).OK)
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
