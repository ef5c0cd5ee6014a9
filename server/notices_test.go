package server

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
)

func TestTheBell(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	<-x.hub.Listening()
	heard := x.hub.Subscribe(x.mine)
	campaign := id.New()
	require.NoError(t, x.db.InCompany(t.Context(), x.mine, func(tx postgres.Tx) error {
		for range 3 { // the last one is the first again
			if err := notice.Add(t.Context(), tx, x.mine, notice.CampaignPaused, notice.Campaign(campaign), 1, x.now()); err != nil {
				return err
			}
		}
		return notice.Add(t.Context(), tx, x.mine, notice.CampaignFinished, notice.Campaign(id.New()), 1, x.now())
	}))
	for event := range heard.Events {
		if event.Kind != realtime.Refetch {
			require.Equal(t, realtime.Notice, event.Kind)
			break
		}
	}
	unread := func() int {
		return as[Unread](t, c.do(http.MethodGet, "/api/v1/notices/unread", nil), http.StatusOK).Count
	}
	require.Equal(t, 2, unread())
	first := as[NoticePage](t, c.do(http.MethodGet, "/api/v1/notices?limit=1", nil), http.StatusOK)
	rest := as[NoticePage](t, c.do(http.MethodGet, "/api/v1/notices?limit=1&cursor="+first.NextCursor, nil), http.StatusOK)
	require.Equal(t, []string{"campaign_finished", "campaign_paused"}, []string{first.Items[0].Kind, rest.Items[0].Kind})
	require.Empty(t, rest.NextCursor)
	require.Equal(t, 3, rest.Items[0].Count)
	require.Equal(t, campaign.String(), rest.Items[0].SubjectID)

	require.Equal(t, http.StatusNoContent, c.do(http.MethodPost, "/api/v1/notices/"+rest.Items[0].ID+"/read", nil).status)
	require.Equal(t, 1, unread())
	require.Equal(t, http.StatusNoContent, c.do(http.MethodPost, "/api/v1/notices/read", map[string]string{"through": first.Items[0].ID}).status)
	require.Zero(t, unread())
	require.Equal(t, []string{"login auth"}, said(c.auditLog("")), "reading is nobody's concern")

	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	bob := x.signIn(t, "bob@example.com")
	require.Empty(t, as[NoticePage](t, bob.do(http.MethodGet, "/api/v1/notices", nil), http.StatusOK).Items)
	bob.do(http.MethodPost, "/api/v1/notices/"+rest.Items[0].ID+"/read", nil).problem(t, http.StatusNotFound)
	c.do(http.MethodPost, "/api/v1/notices/read", map[string]string{"through": "x"}).problem(t, http.StatusUnprocessableEntity)
}

func TestSwitchesOfNotices(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	put := func(items ...map[string]any) answer {
		return c.do(http.MethodPut, "/api/v1/notices/switches", map[string]any{"items": items})
	}
	before := as[NoticeSwitches](t, c.do(http.MethodGet, "/api/v1/notices/switches", nil), http.StatusOK)
	require.Len(t, before.Items, len(notice.Kinds))
	require.Contains(t, before.Items, NoticeSwitch{"connection_lost", true, true})
	require.Contains(t, before.Items, NoticeSwitch{"campaign_finished", true, false})
	after := as[NoticeSwitches](t, put(map[string]any{"kind": "campaign_finished", "bell": false, "mail": true}), http.StatusOK)
	require.Contains(t, after.Items, NoticeSwitch{"campaign_finished", false, true})
	require.Contains(t, after.Items, NoticeSwitch{"connection_lost", true, true})
	require.Equal(t, after, as[NoticeSwitches](t, c.do(http.MethodGet, "/api/v1/notices/switches", nil), http.StatusOK))
	put(map[string]any{"kind": "weather", "bell": true, "mail": true}).problem(t, http.StatusUnprocessableEntity)
	put(map[string]any{"kind": "campaign_paused", "bell": true}).problem(t, http.StatusUnprocessableEntity)
}
