package meta

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
)

func envelope(code, subcode int, transient bool) []byte {
	return fmt.Appendf(nil, `{"error":{"message":"(#%d) to +5511999990001","type":"OAuthException","code":%d,"error_subcode":%d,
		"error_data":{"messaging_product":"whatsapp","details":"number +5511999990001"},"is_transient":%t,"fbtrace_id":"Axx"}}`,
		code, code, subcode, transient)
}

// TestClassify holds documented answers against what the ledger must do with them.
func TestClassify(t *testing.T) {
	t.Parallel()
	const message = channel.ScopeMessage
	for _, one := range []struct {
		name    string
		status  int
		header  http.Header
		body    []byte
		class   channel.Class
		scope   channel.Scope
		retryIn time.Duration
	}{
		{"token expired", 401, nil, envelope(190, 463, false), channel.Refused, connection, 0},
		{"token invalid, as 400", 400, nil, envelope(190, 467, false), channel.Refused, connection, 0},
		{"token, code 0", 401, nil, envelope(0, 0, false), channel.Refused, connection, 0},
		{"permission", 403, nil, envelope(10, 0, false), channel.Refused, connection, 0},
		{"permission in the 200s", 403, nil, envelope(294, 0, false), channel.Refused, connection, 0},
		{"account locked", 403, nil, envelope(131031, 0, false), channel.Refused, connection, 0},
		{"policy block", 403, nil, envelope(368, 0, false), channel.Refused, connection, 0},
		{"payment", 400, nil, envelope(131042, 0, false), channel.Refused, connection, 0},
		{"object does not exist", 400, nil, envelope(100, 33, false), channel.Refused, connection, 0},
		{"invalid parameter", 400, nil, envelope(100, 0, false), channel.Refused, message, 0},
		{"undeliverable", 400, nil, envelope(131026, 0, false), channel.Refused, message, 0},
		{"window closed", 400, nil, envelope(131047, 0, false), channel.Refused, message, 0},
		{"parameter of a wrong format", 400, nil, envelope(132012, 0, false), channel.Refused, message, 0},
		{"too much marketing for one contact", 400, nil, envelope(131049, 0, false), channel.Refused, message, 0},
		{"parameters do not fit", 400, nil, envelope(132000, 0, false), channel.Refused, template, 0},
		{"template unknown", 404, nil, envelope(132001, 0, false), channel.Refused, template, 0},
		{"template against a policy", 400, nil, envelope(132007, 0, false), channel.Refused, template, 0},
		{"template paused", 400, nil, envelope(132015, 0, false), channel.NotAccepted, template, 3 * time.Hour},
		{"template disabled", 400, nil, envelope(132016, 0, false), channel.Refused, template, 0},
		{"spam", 429, nil, envelope(131048, 0, false), channel.NotAccepted, campaigns, 4 * time.Hour},
		{"spam, Retry-After", 429, http.Header{"Retry-After": {"600"}}, envelope(131048, 0, false), channel.NotAccepted, campaigns, 10 * time.Minute},
		{"limit cut for the wrong category", 400, nil, envelope(131064, 0, false), channel.Refused, campaigns, 0},
		{"not registered", 400, nil, envelope(133010, 0, false), channel.Refused, connection, 0},
		{"unlisted code", 400, nil, envelope(139999, 0, false), channel.Refused, message, 0},
		{"app limit with header", 400, http.Header{"X-Business-Use-Case-Usage": {`{"100200":[{"type":"messaging","call_count":100,"estimated_time_to_regain_access":19}]}`}}, envelope(4, 0, false), channel.NotAccepted, connection, 19 * time.Minute},
		{"account limit", 400, nil, envelope(80007, 0, false), channel.NotAccepted, connection, time.Minute},
		{"throughput", 429, nil, envelope(130429, 0, false), channel.NotAccepted, connection, 2 * time.Second},
		{"throughput, Retry-After", 400, http.Header{"Retry-After": {"9"}}, envelope(130429, 0, false), channel.NotAccepted, connection, 9 * time.Second},
		{"pair limit", 400, nil, envelope(131056, 2494055, false), channel.NotAccepted, pair, 6 * time.Second},
		{"maintenance, as 503", 503, nil, envelope(131057, 0, true), channel.NotAccepted, connection, 10 * time.Minute},
		{"registered too often", 400, nil, envelope(133016, 0, false), channel.NotAccepted, connection, 72 * time.Hour},
		{"429 without an envelope", 429, nil, []byte("slow down"), channel.NotAccepted, connection, time.Minute},
		{"429, unlisted and transient", 429, nil, envelope(139999, 0, true), channel.NotAccepted, connection, time.Minute},
		{"something went wrong", 500, nil, envelope(131000, 0, false), channel.Unknown, message, 0},
		{"service unavailable", 503, nil, envelope(131016, 0, true), channel.Unknown, message, 0},
		{"unknown API error, as 400", 400, nil, envelope(1, 0, false), channel.Unknown, message, 0},
		{"transient, unlisted", 400, nil, envelope(139999, 0, true), channel.Unknown, message, 0},
		{"500, unlisted", 500, nil, envelope(139999, 0, false), channel.Unknown, message, 0},
		{"bad gateway", 502, nil, []byte("<html>"), channel.Unknown, message, 0},
		{"redirect", 302, http.Header{"Location": {"https://example.org"}}, nil, channel.Unknown, message, 0},
		{"202", 202, nil, []byte("{}"), channel.Unknown, message, 0},
		{"request timeout", 408, nil, nil, channel.Unknown, message, 0},
		{"403 without an envelope", 403, nil, []byte("<html>"), channel.Refused, connection, 0},
		{"413 without an envelope", 413, nil, nil, channel.Refused, message, 0},
		{"null error", 500, nil, []byte(`{"error":null}`), channel.Unknown, message, 0},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			if one.header == nil {
				one.header = http.Header{}
			}
			outcome := classify(one.status, one.header, one.body, time.Now())
			require.Equal(t, one.class, outcome.Class, outcome.Detail)
			require.Equal(t, one.scope, outcome.Scope)
			require.Equal(t, one.retryIn, outcome.RetryAfter)
			require.NotEmpty(t, outcome.Detail)
			require.NotContains(t, outcome.Detail, "5511999990001")
		})
	}
}

// TestVerdicts checks each line of the table against the rules that all lines obey.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	sentence := regexp.MustCompile(`^[A-Z].*\.$`)
	for code, one := range verdicts {
		require.Regexp(t, sentence, one.detail, code)
		require.Contains(t, []channel.Class{channel.NotAccepted, channel.Refused, channel.Unknown}, one.class, code)
		require.Equal(t, one.class == channel.NotAccepted, one.wait > 0, code)
		if one.class == channel.Refused { // who reads about it must learn what to do
			require.Regexp(t, sentence, one.remedy, code)
		}
		require.False(t, one.suspect && (one.class != channel.Refused || one.scope != channel.ScopeMessage), "%d stops its campaign at once", code)
	}
}

// What a status says of a failure reaches as far as the same answer to a send would.
func TestAFailedStatusSaysHowFarItReaches(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]channel.Status{131042: {Scope: connection}, 131048: {Scope: campaigns, RetryAfter: 4 * time.Hour}, 132015: {Scope: template, RetryAfter: 3 * time.Hour},
		131026: {}, 139999: {}} {
		status, known, err := readStatus(&rawStatus{ID: "wamid.1", Status: "failed", Errors: []struct {
			Code int `json:"code"`
		}{{code}}})
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, want.Scope, status.Scope, code)
		require.Equal(t, want.RetryAfter, status.RetryAfter, code)
		require.Equal(t, describe(code), status.Detail)
	}
}

func TestWaitFor(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              5 * time.Second,
		"120":                           2 * time.Minute,
		"0":                             5 * time.Second,
		"-3":                            5 * time.Second,
		"soon":                          5 * time.Second,
		"99999999":                      72 * time.Hour,
		"99999999999999999999":          5 * time.Second,
		"Sat, 21 Nov 2026 12:00:30 GMT": 30 * time.Second,
		"Sat, 21 Nov 2026 11:00:00 GMT": 5 * time.Second,
	} {
		require.Equal(t, want, waitFor(http.Header{"Retry-After": {value}}, now, 5*time.Second), value)
	}
	for value, want := range map[string]time.Duration{
		`{"1":[{"estimated_time_to_regain_access":2}],"2":[{"estimated_time_to_regain_access":7.5}]}`: 450 * time.Second,
		`{"1":[{"estimated_time_to_regain_access":0}]}`:                                               5 * time.Second,
		`{"1":[{"estimated_time_to_regain_access":1e300}]}`:                                           72 * time.Hour,
		`{"1":7}`:  5 * time.Second,
		`nonsense`: 5 * time.Second,
	} {
		require.Equal(t, want, waitFor(http.Header{"X-Business-Use-Case-Usage": {value}}, now, 5*time.Second), value)
	}
}

func TestMessageID(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"messaging_product":"whatsapp","contacts":[{"input":"1","wa_id":"1"}],"messages":[{"id":"wamid.HBgN/+=","message_status":"accepted"}]}`: "wamid.HBgN/+=",
		"\n{ \"messages\" : [ { \"message_status\":\"accepted\", \"id\" : \"wamid.A\" } ] }\n":                                                    "wamid.A",
		`{"contacts":[{"input":"\"messages\":[{\"id\":\"wamid.FAKE\"}"}],"messages":[{"id":"wamid.B"}]}`:                                          "wamid.B",
		`{"messages":[{"id":"a\u0062c"}]}`: "abc",
		`{"messages":[{"id":""}]}`:         "",
		`{"messages":[]}`:                  "",
		`{"messages":[{"id":7}]}`:          "",
		`{"messages":[{"id":"wamid.C`:      "",
		`{"success":true}`:                 "",
		`<html>`:                           "",
		``:                                 "",
	} {
		require.Equal(t, want, messageID([]byte(body)), body)
	}
}
