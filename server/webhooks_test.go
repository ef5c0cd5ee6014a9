package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/postgres/pgtest"
)

func sign(secret, body string) func(*http.Request) {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return header("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

func (x *site) path(connection Connection) string {
	return strings.TrimPrefix(connection.WebhookURL, x.PublicURL)
}

// hook is a webhook with a status and an inbound message for each number.
func hook(numbers ...string) string {
	entries := ""
	for i, number := range numbers {
		if i > 0 {
			entries += ","
		}
		entries += fmt.Sprintf(`{"id":"2001","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550001000","phone_number_id":%q},
			"statuses":[{"id":"wamid.%s","status":"delivered","timestamp":"%d","recipient_id":"5511990000100"}],
			"messages":[{"from":"5511990000100","id":"wamid.in.%s","timestamp":"%d","type":"text","text":{"body":"Canary text"}}]}}]}`,
			number, number, time.Now().Unix(), number, time.Now().Unix())
	}
	return `{"object":"whatsapp_business_account","entry":[` + entries + `]}`
}

// stored counts what webhooks have left in the database of all companies.
func (x *site) stored(t *testing.T) (early, windows, replies int) {
	t.Helper()
	owner := pgtest.Owner(t, x.db)
	require.NoError(t, owner.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM omnidesk.early_statuses), (SELECT count(*) FROM omnidesk.service_windows),
		(SELECT coalesce(sum(replies), 0) FROM omnidesk.message_counts)`).Scan(&early, &windows, &replies))
	return early, windows, replies
}

func TestAWebhookIsTakenOnlyWithItsOwnSignature(t *testing.T) {
	x := newSite(t)
	c, meta := x.signIn(t, "ana@example.com"), x.anonymous(t)
	connection := c.connect("3001")
	as[Contact](t, c.do(http.MethodPost, "/api/v1/contacts", `{"name":"Ana","phone":"+5511990000100"}`), http.StatusCreated)
	body, path := hook("3001"), x.path(connection)
	for name, change := range map[string]func(*http.Request){
		"none":           func(*http.Request) {},
		"empty":          header("X-Hub-Signature-256", ""),
		"another secret": sign("another-secret-of-32-characters!", body),
		"no secret":      sign("", body),
		"another body":   sign(appSecret, body+" "),
		"without prefix": func(r *http.Request) {
			sign(appSecret, body)(r)
			r.Header.Set("X-Hub-Signature-256", r.Header.Get("X-Hub-Signature-256")[7:])
		},
		"sha1 of the api": header("X-Hub-Signature", "sha1=0000000000000000000000000000000000000000"),
		"a session":       func(r *http.Request) { r.AddCookie(c.cookie) },
	} {
		t.Run(name, func(t *testing.T) {
			meta.do(http.MethodPost, path, body, change).problem(t, http.StatusUnauthorized)
		})
	}
	early, windows, replies := x.stored(t)
	require.Zero(t, early+windows+replies, "nothing of an unsigned webhook is stored")

	meta.do(http.MethodPost, "/api/webhooks/meta/AAAAAAAAAAAAAAAAAAAAAA", body, sign(appSecret, body)).problem(t, http.StatusNotFound)
	huge := strings.Repeat(" ", mostWebhook+1)
	meta.do(http.MethodPost, path, huge, sign(appSecret, huge)).problem(t, http.StatusRequestEntityTooLarge)

	for range 2 {
		require.Equal(t, http.StatusOK, meta.do(http.MethodPost, path, body, sign(appSecret, body)).status)
		early, windows, replies = x.stored(t)
		require.Equal(t, []int{1, 1, 1}, []int{early, windows, replies}, "the second time changes nothing")
	}
	require.Equal(t, http.StatusOK, meta.do(http.MethodPost, path, "[]", sign(appSecret, "[]")).status, "what can't be read is not worth sending again")
	require.NotContains(t, x.log.String(), "Canary")
	require.NotContains(t, x.log.String(), "5511990000100")
}

func TestAnEntryCountsOnlyForNumbersThatSignedIt(t *testing.T) {
	x := newSite(t)
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	ana, bob := x.signIn(t, "ana@example.com"), x.signIn(t, "bob@example.com")
	for _, c := range []*caller{ana, bob} {
		as[Contact](t, c.do(http.MethodPost, "/api/v1/contacts", `{"name":"Ana","phone":"+5511990000100"}`), http.StatusCreated)
	}
	first := ana.connect("3001")
	ana.connect("3002") // the same app secret
	other := connectionBody("3003")
	other["app_secret"] = "bob-has-an-app-secret-of-his-own"
	as[Connection](t, bob.do(http.MethodPost, "/api/v1/connections", other), http.StatusCreated)
	claimed := connectionBody("3001") // bob claims ana's number with his secret
	claimed["app_secret"] = other["app_secret"]
	as[Connection](t, bob.do(http.MethodPost, "/api/v1/connections", claimed), http.StatusCreated)

	body := hook("3001", "3002", "3003", "9999")
	a := x.anonymous(t).do(http.MethodPost, x.path(first), body, sign(appSecret, body))
	require.Equal(t, http.StatusOK, a.status, a.body)
	owner := pgtest.Owner(t, x.db)
	rows, err := owner.Query(t.Context(), `SELECT e.company_id, c.number_id FROM omnidesk.early_statuses e
		JOIN omnidesk.connections c ON c.company_id = e.company_id AND c.id = e.connection_id ORDER BY 2`)
	require.NoError(t, err)
	var got []string
	for rows.Next() {
		var company, number string
		require.NoError(t, rows.Scan(&company, &number))
		require.Equal(t, x.mine.String(), company)
		got = append(got, number)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []string{"3001", "3002"}, got)
}

func TestTheChallengeIsAnsweredOnlyForTheVerifyToken(t *testing.T) {
	x := newSite(t)
	connection := x.signIn(t, "ana@example.com").connect("3001")
	ask := func(token, challenge string) answer {
		q := url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {token}, "hub.challenge": {challenge}}
		return x.anonymous(t).do(http.MethodGet, x.path(connection)+"?"+q.Encode(), nil)
	}
	good := ask(connection.VerifyToken, "1234567890")
	require.Equal(t, http.StatusOK, good.status)
	require.Equal(t, "1234567890", good.body)
	require.Contains(t, good.header.Get("Content-Type"), "text/plain")
	ask("another", "1234567890").problem(t, http.StatusForbidden)
	ask("", "1234567890").problem(t, http.StatusForbidden)
	ask(connection.VerifyToken, "<script>").problem(t, http.StatusForbidden)
}

func TestManyPostsShareCommits(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	connection := c.connect("3001")
	done := make(chan int, 40)
	for i := range 40 {
		go func() {
			body := strings.ReplaceAll(hook("3001"), "wamid.3001", fmt.Sprintf("wamid.%d", i))
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, x.http.URL+x.path(connection), strings.NewReader(body))
			if err != nil {
				done <- 0
				return
			}
			sign(appSecret, body)(r)
			response, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				done <- 0
				return
			}
			_ = response.Body.Close()
			done <- response.StatusCode
		}()
	}
	for range 40 {
		require.Equal(t, http.StatusOK, <-done)
	}
	early, _, _ := x.stored(t)
	require.Equal(t, 40, early)
}
