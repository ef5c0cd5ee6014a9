package server

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/postgres/pgtest"
)

func (c *caller) auditLog(query string) []AuditLine {
	c.t.Helper()
	lines := as[AuditPage](c.t, c.do(http.MethodGet, "/api/v1/audit"+query, nil), http.StatusOK).Items
	for _, line := range lines {
		require.NotEqual(c.t, line.Action, line.Words, "every action has words")
	}
	return lines
}

// said is a log without what differs from run to run, the oldest first.
func said(lines []AuditLine) (said []string) {
	for _, line := range lines {
		said = append([]string{line.Action + " " + line.Kind}, said...)
	}
	return said
}

func TestWhatChangesSomethingStandsInTheAuditLog(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	made := as[Segment](t, c.do(http.MethodPost, "/api/v1/segments", map[string]string{"name": "Recife", "filter": `city = "Recife"`}), http.StatusCreated)
	changed := c.do(http.MethodPatch, "/api/v1/segments/"+made.ID, map[string]any{"version": made.Version, "name": "Olinda"})
	require.Equal(t, http.StatusOK, changed.status, changed.body)

	lines := c.auditLog("")
	require.Equal(t, []string{"login auth", "createSegment segments", "updateSegment segments"}, said(lines))
	last := lines[0]
	require.Equal(t, "A Person", last.By)
	require.Equal(t, "Change a segment", last.Words)
	require.Equal(t, made.ID, last.SubjectID)
	require.Equal(t, made.ID, lines[1].SubjectID, "a row that was added is named, too")
	require.Equal(t, "127.0.0.1", last.Address)
	require.Equal(t, changed.header.Get("X-Request-Id"), last.RequestID)
	require.WithinDuration(t, time.Now(), last.At, time.Minute)

	// What is refused, reads or changes nothing is not there; nor is what happened elsewhere.
	c.do(http.MethodPatch, "/api/v1/segments/"+made.ID, map[string]any{"version": made.Version, "name": "Too late"}).problem(t, http.StatusConflict)
	c.do(http.MethodPost, "/api/v1/segments", map[string]string{"name": "Bad", "filter": "city ="}).problem(t, http.StatusUnprocessableEntity)
	require.Equal(t, http.StatusOK, c.do(http.MethodGet, "/api/v1/segments", nil).status)
	require.Equal(t, lines, c.auditLog(""))
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	require.Equal(t, []string{"login auth"}, said(x.signIn(t, "bob@example.com").auditLog("")))
}

// The line and the change stand or fall together.
func TestNoChangeWithoutItsLine(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	_, err := pgtest.Owner(t, x.db).Exec(t.Context(), `ALTER TABLE audit ADD CHECK (action <> 'createSegment')`)
	require.NoError(t, err)
	c.do(http.MethodPost, "/api/v1/segments", map[string]string{"name": "Recife", "filter": `city = "Recife"`}).problem(t, http.StatusInternalServerError)
	require.Empty(t, as[SegmentList](t, c.do(http.MethodGet, "/api/v1/segments", nil), http.StatusOK).Items)
}

func TestTheAuditLogIsChosenFromAndDownloaded(t *testing.T) {
	x := newSite(t)
	x.addUser(t, &x.mine, "eva@example.com", account.Admin, false)
	ana, eva := x.signIn(t, "ana@example.com"), x.signIn(t, "eva@example.com")
	for i, c := range []*caller{ana, eva, ana} {
		a := c.do(http.MethodPost, "/api/v1/contacts", map[string]any{"name": "Rui", "phone": fmt.Sprintf("+551198765432%d", i)})
		require.Equal(t, http.StatusCreated, a.status, a.body)
	}
	require.Len(t, ana.auditLog(""), 5)
	require.Len(t, ana.auditLog("?action=createContact"), 3)
	me := as[Me](t, eva.do(http.MethodGet, "/api/v1/auth/me", nil), http.StatusOK).User.ID
	require.Len(t, ana.auditLog("?user_id="+me), 2)
	require.Len(t, ana.auditLog("?action=createContact&user_id="+me), 1)
	require.Empty(t, ana.auditLog("?since="+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
	first := as[AuditPage](t, ana.do(http.MethodGet, "/api/v1/audit?limit=3", nil), http.StatusOK)
	rest := as[AuditPage](t, ana.do(http.MethodGet, "/api/v1/audit?limit=3&cursor="+first.NextCursor, nil), http.StatusOK)
	require.Equal(t, ana.auditLog(""), append(first.Items, rest.Items...))
	require.NotEmpty(t, first.Actions)
	require.Empty(t, rest.Actions)

	file := ana.do(http.MethodGet, "/api/v1/audit/export?action=createContact", nil)
	require.Equal(t, http.StatusOK, file.status)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.body, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	require.Equal(t, "Add a contact", rows[1][2])
	require.Equal(t, "exportAudit audit", said(ana.auditLog("?action=exportAudit"))[0], "a download is noted although it changes nothing")
	ana.do(http.MethodGet, "/api/v1/audit?user_id=x", nil).problem(t, http.StatusUnprocessableEntity)
}

// A draft saves itself every few seconds; the log says so once.
func TestADraftThatSavesItselfIsNotedOnce(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	connection := c.connect("3001")
	draft := as[Campaign](t, c.do(http.MethodPost, "/api/v1/campaigns", map[string]any{"name": "May", "connection_id": connection.ID,
		"content": map[string]any{"kind": "text", "text": "Hello"}, "audience": map[string]any{"all": true}}), http.StatusCreated)
	for _, name := range []string{"June", "July", "August"} {
		draft = as[Campaign](t, c.do(http.MethodPatch, "/api/v1/campaigns/"+draft.ID, map[string]any{"version": draft.Version, "name": name}), http.StatusOK)
	}
	require.Len(t, c.auditLog("?action=updateCampaign"), 1)
	later := x.now().Add(time.Hour)
	x.now = func() time.Time { return later }
	as[Campaign](t, c.do(http.MethodPatch, "/api/v1/campaigns/"+draft.ID, map[string]any{"version": draft.Version, "name": "Again"}), http.StatusOK)
	require.Len(t, c.auditLog("?action=updateCampaign"), 2)
}

// Who looks into a company from outside is seen by its admins.
func TestASuperadminsVisitIsNoted(t *testing.T) {
	x := newSite(t)
	x.addUser(t, nil, "root@example.com", account.Superadmin, false)
	root := x.signIn(t, "root@example.com")
	as[Me](t, root.do(http.MethodPost, "/api/v1/auth/company", map[string]any{"company_id": x.mine.String()}), http.StatusOK)
	lines := x.signIn(t, "ana@example.com").auditLog("?action=enterCompany")
	require.Len(t, lines, 1)
	require.Empty(t, lines[0].By, "one of the platform")
	require.Equal(t, "enterCompany", root.auditLog("")[1].Action)
}
