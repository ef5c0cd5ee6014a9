package mail_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/mail"
	"omnidesk/internal/sandbox"
)

var message = mail.Message{To: "ana@example.com", Subject: "Olá", Text: "https://desk.example/verify#abc\n"}

func TestTheSandboxKeepsMails(t *testing.T) {
	options := sandbox.Options{DataDir: t.TempDir()}
	box, err := sandbox.New(options)
	require.NoError(t, err)
	server := httptest.NewServer(box)
	defer server.Close()
	mailer := mail.NewSandbox(server.URL, "OmniDesk <desk@omnidesk.example>")
	require.NoError(t, mailer.Send(t.Context(), message))
	require.ErrorAs(t, mailer.Send(t.Context(), mail.Message{To: "nobody", Subject: "x", Text: "y"}), &mail.RefusedError{})
	get := func(path string) string {
		response, err := http.Get(server.URL + path) //nolint:noctx // a test's own server
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(body)
	}
	var kept []sandbox.Mail
	require.NoError(t, json.Unmarshal([]byte(get("/sandbox/mails?to=ANA@example.com")), &kept))
	require.Len(t, kept, 1)
	require.Equal(t, message.Text, kept[0].Text)
	require.Contains(t, get("/mailbox"), `<a href="https://desk.example/verify#abc"`)
	require.NotContains(t, get("/mailbox?to=bia@example.com"), "verify")
	require.NoError(t, box.Close())
	again, err := sandbox.New(options)
	require.NoError(t, err)
	defer func() { require.NoError(t, again.Close()) }()
	other := httptest.NewServer(again)
	defer other.Close()
	server.Config.Handler = again
	require.Contains(t, get("/sandbox/mails"), "verify#abc", "a restart keeps them")
}

func TestSESTakesOrRefuses(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "not a real one")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	var got map[string]any
	status, kind := http.StatusOK, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/email/outbound-emails" || json.NewDecoder(r.Body).Decode(&got) != nil {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Amzn-ErrorType", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"MessageId":"1","message":"Email address ana@example.com is not good"}`)
	}))
	defer server.Close()
	mailer, err := mail.NewSES(t.Context(), mail.SESOptions{Region: "eu-central-1", From: "desk@omnidesk.example", Endpoint: server.URL})
	require.NoError(t, err)
	require.NoError(t, mailer.Send(t.Context(), message))
	require.Equal(t, "desk@omnidesk.example", got["FromEmailAddress"])
	require.Equal(t, map[string]any{"ToAddresses": []any{"ana@example.com"}}, got["Destination"])

	status, kind = http.StatusBadRequest, "MessageRejected"
	err = mailer.Send(t.Context(), message)
	require.ErrorAs(t, err, &mail.RefusedError{})
	require.NotContains(t, err.Error(), "ana@", "SES's words hold addresses")
	status, kind = http.StatusTooManyRequests, "TooManyRequestsException"
	err = mailer.Send(t.Context(), message)
	require.ErrorContains(t, err, "TooManyRequestsException")
	require.NotErrorAs(t, err, &mail.RefusedError{})
	server.Close()
	require.EqualError(t, mailer.Send(t.Context(), message), "sending by Amazon SES: no answer")
}
