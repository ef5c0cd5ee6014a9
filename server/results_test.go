package server

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"omnidesk/internal/account"
	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/sheet"
)

// results is a company with a campaign of which something became: one message of each of some states.
type results struct {
	*caller
	campaign  string
	messages  map[string]id.ID
	startedAt time.Time
}

func (x *site) newResults(t *testing.T) *results {
	t.Helper()
	r := &results{caller: x.signIn(t, "ana@example.com"), messages: map[string]id.ID{}, startedAt: time.Now().Add(-10 * time.Minute).UTC().Truncate(time.Second)}
	connection := r.connect("3001")
	r.campaign = as[Campaign](t, r.do(http.MethodPost, "/api/v1/campaigns", campaignBodyWith(connection.ID)), http.StatusCreated).ID
	owner := pgtest.Owner(t, x.db)
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := owner.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	exec(`UPDATE campaigns SET state = 'finished', recipients = 6, name = 'Sofás: =20%/off' WHERE id = $1`, r.campaign)
	for i, m := range []struct {
		name         string
		state        int
		code, detail any
	}{
		{"queued", 0, nil, nil}, {"delivered", 4, nil, nil}, {"read", 5, nil, nil},
		{"gone", 3, 131026, "Not on WhatsApp."}, {"gone too", 3, 131026, "Not on WhatsApp."}, {"no code", 3, nil, "Refused."},
	} {
		contact, identity, message := id.New(), id.New(), id.Floor(r.startedAt.Add(time.Duration(i)*time.Millisecond))
		exec(`INSERT INTO contacts (company_id, id, name) VALUES ($1, $2, $3)`, x.mine, contact, "="+m.name)
		exec(`INSERT INTO identities (company_id, id, contact_id, kind, value) VALUES ($1, $2, $3, 'phone', '+55119900001' || lpad($4::int::text, 2, '0'))`, x.mine, identity, contact, i)
		exec(`INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, campaign_id, zone_set_id, lane, state, error_code, error_detail, content, claimed_at, attempts)
			VALUES ($1, $2, $3, $4, $5, $6, 1, 5, $7::smallint, $8, $9, '{"text":"Olá, \"você\""}', CASE WHEN $7::smallint > 0 THEN $10::timestamptz END, 1)`,
			x.mine, message, connection.ID, contact, identity, r.campaign, m.state, m.code, m.detail, r.startedAt.Add(3*time.Minute))
		exec(`INSERT INTO contact_messages (company_id, contact_id, message_id) VALUES ($1, $2, $3)`, x.mine, contact, message)
		r.messages[m.name] = message
	}
	exec(`INSERT INTO failure_counts (company_id, campaign_id, error_code, count) VALUES ($1, $2, 131026, 3), ($1, $2, 131026, -1), ($1, $2, 0, 1), ($1, $2, 5, 1), ($1, $2, 5, -1)`, x.mine, r.campaign)
	return r
}

func (r *results) get(path string) answer {
	r.t.Helper()
	return r.do(http.MethodGet, "/api/v1/campaigns/"+r.campaign+path, nil)
}

func TestFailuresAreToldInWords(t *testing.T) {
	x := newSite(t)
	r := x.newResults(t)
	list := as[FailureList](t, r.get("/failures"), http.StatusOK)
	require.Equal(t, []Failure{{131026, 2, "code 131026", "mend 131026", true}, {0, 1, "code 0", "mend 0", true}}, list.Items)
}

// explain makes the fake adapter a channel.Explainer.
func (f *fakeAdapter) Explain(code int) channel.Explanation {
	text := map[int]string{131026: "131026", 0: "0"}[code]
	return channel.Explanation{Meaning: "code " + text, Remedy: "mend " + text, Again: true}
}

func TestMessagesByStateAndCode(t *testing.T) {
	x := newSite(t)
	r := x.newResults(t)
	names := func(query string) (names []string) {
		for _, m := range as[MessageList](t, r.get("/messages"+query), http.StatusOK).Items {
			names = append(names, m.ContactName)
		}
		return names
	}
	require.Equal(t, []string{"=delivered", "=read"}, names("?state=read&state=delivered"))
	require.Equal(t, []string{"=gone", "=gone too"}, names("?state=failed&code=131026"))
	require.Equal(t, []string{"=no code"}, names("?state=failed&code=0"))
	require.Empty(t, names("?state=failed&code=7"))
	require.Len(t, names(""), 6)
	require.Equal(t, []string{"=read"}, names("?phone=%2B55%2011%2099000-0102"))
	require.Equal(t, []string{"=read"}, names("?phone=5511990000102&state=read"))
	require.Empty(t, names("?phone=5511990000102&state=failed"))
	require.Empty(t, names("?phone=551199000010"))
	for _, query := range []string{"?phone=abc", "?phone=5511&state=failed&code=1"} {
		require.Equal(t, []string{"query.phone"}, r.get("/messages"+query).problem(t, http.StatusUnprocessableEntity).fields(), query)
	}
	first := as[MessageList](t, r.get("/messages?state=failed&code=131026&limit=1"), http.StatusOK)
	require.Equal(t, []string{"=gone too"}, names("?state=failed&code=131026&cursor="+first.NextCursor))
	for _, query := range []string{"?code=131026", "?state=sent&code=131026", "?state=failed&state=sent&code=1"} {
		require.Equal(t, []string{"query.code"}, r.get("/messages"+query).problem(t, http.StatusUnprocessableEntity).fields(), query)
	}
}

func TestResultsAsAFile(t *testing.T) {
	x := newSite(t)
	r := x.newResults(t)
	a := r.get("/export")
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, sheet.CSV.MediaType(), a.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename*=utf-8''Sof%C3%A1s%2020%25off.csv`, a.header.Get("Content-Disposition"))
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 7)
	require.Equal(t, []string{"'+5511990000100", "'=queued", "queued"}, rows[1][:3])
	require.Equal(t, r.startedAt.In(time.UTC).Format("2006"), rows[1][3][:4])
	require.Equal(t, `Olá, "você"`, rows[2][12])
	for _, row := range rows {
		for _, cell := range row {
			require.NotContains(t, "=+-@", (cell + "x")[:1])
		}
	}
	failed := r.get("/export?format=xlsx&state=failed&code=131026")
	require.Equal(t, sheet.XLSX.MediaType(), failed.header.Get("Content-Type"))
	book, err := excelize.OpenReader(bytes.NewReader([]byte(failed.body)))
	require.NoError(t, err)
	defer func() { require.NoError(t, book.Close()) }()
	cells, err := book.GetRows("Sheet1")
	require.NoError(t, err)
	require.Len(t, cells, 3)
	require.Equal(t, []string{"+5511990000103", "=gone"}, cells[1][:2])
	require.Equal(t, []string{"query.format"}, r.get("/export?format=pdf").problem(t, http.StatusUnprocessableEntity).fields())
}

func TestTheStoryOfAMessage(t *testing.T) {
	x := newSite(t)
	r := x.newResults(t)
	_, err := pgtest.Owner(t, x.db).Exec(t.Context(), `INSERT INTO waits (company_id, subject_id, reason, began_at, ended_at) VALUES ($1, $2, 'Paused by an admin.', $3::timestamptz, $3::timestamptz + interval '1 minute')`,
		x.mine, r.campaign, r.startedAt.Add(30*time.Second))
	require.NoError(t, err)
	story := as[Story](t, r.do(http.MethodGet, "/api/v1/messages/"+r.messages["gone"].String()+"/story", nil), http.StatusOK)
	var words []string
	for _, c := range story.Chapters {
		words = append(words, c.Words)
	}
	require.Contains(t, strings.Join(words, "\n"), "Waited 1 min: Paused by an admin.")
	require.Equal(t, "queued", story.Chapters[0].Kind)
}

func TestARunIsOfTheCallersCompany(t *testing.T) {
	x := newSite(t)
	r := x.newResults(t)
	connection := as[Campaign](t, r.get(""), http.StatusOK).ConnectionID
	for _, path := range []string{"/campaigns/" + r.campaign, "/connections/" + connection} {
		x.workflows.err = nil
		known := as[RunAnswer](t, r.do(http.MethodGet, "/api/v1"+path+"/run", nil), http.StatusOK)
		require.Equal(t, "known", known.State)
		require.Equal(t, x.mine.String(), known.Run.ID, "it is asked for the caller's company")
		require.Nil(t, known.WorkflowURL)
		require.Len(t, as[RunList](t, r.do(http.MethodGet, "/api/v1"+path+"/runs", nil), http.StatusOK).Items, 1)
		x.workflows.err = errDown
		down := r.do(http.MethodGet, "/api/v1"+path+"/run", nil)
		require.Equal(t, "unavailable", as[RunAnswer](t, down, http.StatusOK).State)
		require.NotContains(t, down.body, "10.1.2.3")
		require.Equal(t, "unavailable", as[RunList](t, r.do(http.MethodGet, "/api/v1"+path+"/runs", nil), http.StatusOK).State)
		x.workflows.err = flow.ErrNotRunning
		require.Equal(t, "none", as[RunAnswer](t, r.do(http.MethodGet, "/api/v1"+path+"/run", nil), http.StatusOK).State)
	}
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	bob := x.signIn(t, "bob@example.com")
	for _, path := range []string{"/campaigns/" + r.campaign + "/run", "/campaigns/" + r.campaign + "/runs", "/connections/" + connection + "/run", "/connections/" + connection + "/runs"} {
		bob.do(http.MethodGet, "/api/v1"+path, nil).problem(t, http.StatusNotFound)
	}
}

func TestResultsOfAnotherCompanyAreUnknown(t *testing.T) {
	x := newSite(t)
	r := x.newResults(t)
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	bob := x.signIn(t, "bob@example.com")
	for _, path := range []string{"/campaigns/" + r.campaign + "/failures", "/campaigns/" + r.campaign + "/course", "/campaigns/" + r.campaign + "/export",
		"/messages/" + r.messages["gone"].String() + "/story", "/messages/" + id.New().String() + "/story", "/messages/nonsense/story"} {
		bob.do(http.MethodGet, "/api/v1"+path, nil).problem(t, http.StatusNotFound)
	}
}

func TestACampaignAgain(t *testing.T) {
	x := newSite(t)
	r := x.newResults(t)
	path := "/api/v1/campaigns/" + r.campaign
	copied := as[Campaign](t, r.do(http.MethodPost, path+"/duplicate", nil), http.StatusCreated)
	require.Equal(t, "Sofás: =20%/off (copy)", copied.Name)
	require.Equal(t, "draft", copied.State)
	again := as[Campaign](t, r.do(http.MethodPost, path+"/resend", `{"codes":[131026]}`), http.StatusCreated)
	require.Equal(t, Audience{FailedOf: r.campaign, FailedCodes: []int32{131026}}, again.Audience)
	check := as[Check](t, r.do(http.MethodPost, "/api/v1/campaigns/"+again.ID+"/check", nil), http.StatusOK)
	require.Equal(t, 2, check.Recipients+check.Skipped.WindowShut)
	require.Equal(t, Audience{FailedOf: r.campaign}, as[Campaign](t, r.do(http.MethodPost, path+"/resend", `{}`), http.StatusCreated).Audience)
	require.Equal(t, []string{"body.codes"}, r.do(http.MethodPost, path+"/resend", `{"codes":[5]}`).problem(t, http.StatusUnprocessableEntity).fields())
	r.do(http.MethodPost, "/api/v1/campaigns/"+copied.ID+"/resend", `{}`).problem(t, http.StatusUnprocessableEntity)

	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	bob := x.signIn(t, "bob@example.com")
	for _, action := range []string{"duplicate", "resend"} {
		bob.do(http.MethodPost, path+"/"+action, `{}`).problem(t, http.StatusNotFound)
	}
}

func TestAnAudienceIsCalledByItsName(t *testing.T) {
	x := newSite(t)
	r := x.newResults(t)
	of := as[Campaign](t, r.get(""), http.StatusOK)
	segment := as[Segment](t, r.do(http.MethodPost, "/api/v1/segments", `{"name":"Regulars","filter":"city = \"Recife\""}`), http.StatusCreated)
	for audience, want := range map[string]string{
		`{"segment_id":"` + segment.ID + `"}`: "Regulars",
		`{"failed_of":"` + of.ID + `"}`:       of.Name,
		`{"all":true}`:                        "",
		`{"filter":"city = \"Olinda\""}`:      "",
	} {
		body := `{"name":"Again","connection_id":"` + of.ConnectionID + `","content":{"kind":"text","text":"Hi"},"audience":` + audience + `}`
		made := as[Campaign](t, r.do(http.MethodPost, "/api/v1/campaigns", body), http.StatusCreated)
		require.Equal(t, want, as[Campaign](t, r.do(http.MethodGet, "/api/v1/campaigns/"+made.ID, nil), http.StatusOK).AudienceName, audience)
	}
}
