package llm

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "0.5": 500 * time.Millisecond, "-3": 0, "soon": 0, "NaN": 0, "99999999999": mostWait,
		"Sun, 22 Nov 2026 12:00:30 GMT": 30 * time.Second, "Sun, 22 Nov 2026 11:00:00 GMT": 0,
	} {
		said := classify(http.StatusTooManyRequests, http.Header{"Retry-After": {value}}, nil, now)
		require.Equal(t, want, said.RetryAfter, value)
	}
	body := []byte(`{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}}`)
	require.Equal(t, 34500*time.Millisecond, classify(http.StatusTooManyRequests, http.Header{}, body, now).RetryAfter)
}

func FuzzClassify(f *testing.F) {
	f.Add(429, "7", []byte(`{"error":{"code":"insufficient_quota"}}`))
	f.Add(503, "x", []byte(`{"error":{"code":14,"details":[{"retryDelay":"-9h"}]}}`))
	f.Fuzz(func(t *testing.T, status int, after string, body []byte) {
		said := classify(status, http.Header{"Retry-After": {after}}, body, time.Unix(0, 0))
		require.NotEmpty(t, said.Class)
		require.NotEmpty(t, said.Explain())
		require.GreaterOrEqual(t, said.RetryAfter, time.Duration(0))
		require.LessOrEqual(t, said.RetryAfter, mostWait)
	})
}

func TestOnlyThePublicInternetIsPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700:4700::1111": true,
		"127.0.0.1": false, "10.1.2.3": false, "192.168.0.1": false, "172.16.9.9": false, "169.254.169.254": false, "0.0.0.0": false,
		"100.64.0.1": false, "198.18.0.1": false, "224.0.0.1": false, "255.255.255.255": false,
		"::1": false, "fe80::1": false, "fd00::1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001:db8::1": false, "ff02::1": false,
	} {
		require.Equal(t, want, public(netip.MustParseAddr(address)), address)
	}
	require.Error(t, refusePrivate("tcp", "[::ffff:127.0.0.1]:443", nil), "mapped addresses are what they map to")
	require.NoError(t, refusePrivate("tcp", "8.8.8.8:443", nil))
}

func TestCheckBase(t *testing.T) {
	for base, says := range map[string]string{
		"": "", "https://llm.example.com/v1": "", "http://llm.example.com": "https://", "llm.example.com": "no address", "ftp://x": "no address",
		"https://u:p@x": "no user", "https://x/v1?key=1": "no user",
	} {
		err := Wire{}.CheckBase(base)
		if says == "" {
			require.NoError(t, err, base)
			continue
		}
		require.ErrorContains(t, err, says, base)
	}
	require.NoError(t, Wire{PrivateHosts: true}.CheckBase("http://127.0.0.1:11434/v1"))
}
