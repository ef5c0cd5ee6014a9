package server

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres/pgtest"
)

func TestUncertainMessagesAreDecidedAboutByHand(t *testing.T) {
	x := newSite(t)
	r := x.newResults(t)
	owner := pgtest.Owner(t, x.db)
	_, err := owner.Exec(t.Context(), `UPDATE messages SET state = 6, error_code = NULL WHERE company_id = $1 AND state = 3`, x.mine)
	require.NoError(t, err)
	list := as[UncertainList](t, r.do(http.MethodGet, "/api/v1/uncertain?campaign_id="+r.campaign, nil), http.StatusOK)
	require.Len(t, list.Items, 3)
	require.NotEmpty(t, list.Items[0].CampaignName)
	require.Equal(t, UncertainCount{Count: 3}, as[UncertainCount](t, r.do(http.MethodGet, "/api/v1/uncertain/count", nil), http.StatusOK))
	first := as[UncertainList](t, r.do(http.MethodGet, "/api/v1/uncertain?limit=2", nil), http.StatusOK)
	rest := as[UncertainList](t, r.do(http.MethodGet, "/api/v1/uncertain?limit=2&cursor="+first.NextCursor, nil), http.StatusOK)
	require.Equal(t, list.Items, append(first.Items, rest.Items...))

	settle := func(verdict string, messages ...string) SettlingResult {
		t.Helper()
		body := map[string]any{"verdict": verdict, "message_ids": messages}
		return as[SettlingResult](t, r.do(http.MethodPost, "/api/v1/uncertain/settle", body), http.StatusOK)
	}
	a, b, c := list.Items[0].ID, list.Items[1].ID, list.Items[2].ID
	require.Equal(t, SettlingResult{Settled: 1, Again: []string{}, Gone: []string{}}, settle("sent", a))
	require.Equal(t, SettlingResult{Settled: 1, Left: 1, Again: []string{}, Gone: []string{}}, settle("failed", a, b))
	again := settle("again", c)
	require.Len(t, again.Again, 1)
	one := func(message string) MessageDetail {
		t.Helper()
		return as[MessageDetail](t, r.do(http.MethodGet, "/api/v1/messages/"+message, nil), http.StatusOK)
	}
	require.Equal(t, "sent", one(a).State)
	require.Equal(t, "failed", one(b).State)
	require.Equal(t, "uncertain", one(c).State)
	require.Equal(t, again.Again[0], *one(c).SupersededBy)
	require.Equal(t, c, *one(again.Again[0]).Supersedes)
	require.Len(t, one(a).Decisions, 1)
	require.Equal(t, "message.marked_sent", one(a).Decisions[0].Action)
	require.NotEmpty(t, one(a).Decisions[0].By)
	require.Empty(t, as[UncertainList](t, r.do(http.MethodGet, "/api/v1/uncertain", nil), http.StatusOK).Items)
	require.Len(t, r.auditLog("?action=message.marked_sent"), 1)
}

func TestUnfitDecisionsAreRefused(t *testing.T) {
	x := newSite(t)
	r := x.newResults(t)
	post := func(verdict, message string) answer {
		return r.do(http.MethodPost, "/api/v1/uncertain/settle", fmt.Sprintf(`{"verdict":%q,"message_ids":[%s]}`, verdict, message))
	}
	require.Equal(t, []string{"body.verdict"}, post("maybe", fmt.Sprintf("%q", id.New())).problem(t, http.StatusUnprocessableEntity).fields())
	require.Equal(t, []string{"body.message_ids"}, post("sent", "").problem(t, http.StatusUnprocessableEntity).fields())
	require.Equal(t, []string{"body.message_ids"}, post("sent", `"nonsense"`).problem(t, http.StatusUnprocessableEntity).fields())
	require.Equal(t, []string{"query.campaign_id"}, r.do(http.MethodGet, "/api/v1/uncertain?campaign_id=x", nil).problem(t, http.StatusUnprocessableEntity).fields())
	require.Equal(t, 1, as[SettlingResult](t, post("sent", fmt.Sprintf("%q", id.New())), http.StatusOK).Left, "one that nobody knows is left alone")
}
