package worker_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/campaign"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/send"
)

// watched looks at the runs of a scheduled campaign and of its sender while they go on and afterwards, as the page of
// an admin does.
func (s *stage) watched(t *testing.T) {
	k := s.newShop(t, 60)
	k.slow(80 * time.Millisecond)
	at := time.Now().Add(3 * time.Second)
	c := k.launch(&at)
	look := func(target flow.Target) flow.Run {
		run, err := k.flow.Run(t.Context(), k.company, target, "", 0, 200)
		if err != nil {
			require.ErrorIs(t, err, flow.ErrNotRunning)
		}
		return run
	}
	eventually(t, "it waits for its start", func() bool {
		waits := ofKind(look(flow.Campaign(c)), flow.MomentTimer)
		return len(waits) > 0 && waits[0].Words == "waits for its start time" && waits[0].Outcome == "open" && waits[0].Until.Sub(at).Abs() < time.Second
	})
	eventually(t, "a page is under way", func() bool {
		run := look(flow.Sender(k.connection))
		return len(run.Doing) == 1 && run.Doing[0].Name == flow.SendPage && run.Doing[0].Running && run.Doing[0].Summary != "" && run.State == "running"
	})
	k.awaitState(c, campaign.Finished)
	require.Equal(t, send.Counts{Sent: 60}, k.settle(c))
	k.awaitEnd(flow.Sender(k.connection))
	k.awaitEnd(flow.Campaign(c))

	run := look(flow.Campaign(c))
	require.Equal(t, "finished", run.State)
	require.NotNil(t, run.ClosedAt)
	require.Empty(t, run.Doing)
	require.Equal(t, flow.MomentEnded, run.Moments[0].Kind)
	require.Equal(t, flow.MomentStarted, run.Moments[len(run.Moments)-1].Kind)
	var done []string
	for _, m := range ofKind(run, flow.MomentActivity) {
		require.Equal(t, "done", m.Outcome)
		require.NotEmpty(t, m.Words)
		done = append(done, m.Name)
	}
	require.Subset(t, done, []string{flow.FreezeAudience, flow.BeginCampaign, flow.FeedCampaign, flow.FinishCampaign})
	require.Contains(t, words(ofKind(run, flow.MomentLook)), "freezing the audience")
	require.Contains(t, []string{"fired", "woken"}, ofKind(run, flow.MomentTimer)[len(ofKind(run, flow.MomentTimer))-1].Outcome)
	pages := ofKind(look(flow.Sender(k.connection)), flow.MomentActivity)
	require.NotEmpty(t, pages)
	require.Contains(t, pages[len(pages)-1].Detail, "sent")

	raw, err := json.Marshal([]flow.Run{run, look(flow.Sender(k.connection))})
	require.NoError(t, err)
	for _, secret := range append(canaries, k.company.String()) {
		require.NotContains(t, string(raw), secret)
	}
	k.pagesOf(run, flow.Campaign(c))
	k.runsAreTheCompanysOwn(run, flow.Campaign(c))
}

// pagesOf reads the same moments a few at a time.
func (k *shop) pagesOf(whole flow.Run, target flow.Target) {
	var moments []flow.Moment
	for before := int64(0); ; {
		page, err := k.flow.Run(k.Context(), k.company, target, whole.ID, before, 3)
		require.NoError(k, err)
		require.LessOrEqual(k, len(page.Moments), 3)
		moments = append(moments, page.Moments...)
		if before = page.Before; before == 0 {
			break
		}
	}
	require.Equal(k, whole.Moments, moments)
}

func (k *shop) runsAreTheCompanysOwn(run flow.Run, target flow.Target) {
	other := id.New()
	_, err := k.flow.Run(k.Context(), other, target, "", 0, 10)
	require.ErrorIs(k, err, flow.ErrNotRunning)
	for _, unknown := range []string{id.New().String(), "nonsense"} {
		_, err = k.flow.Run(k.Context(), k.company, target, unknown, 0, 10)
		require.ErrorIs(k, err, flow.ErrNotRunning, unknown)
	}
	eventually(k.T, "the run is listed", func() bool {
		runs, err := k.flow.Runs(k.Context(), k.company, target)
		require.NoError(k, err)
		return len(runs) == 1 && runs[0].ID == run.ID && runs[0].State == "finished"
	})
	runs, err := k.flow.Runs(k.Context(), other, target)
	require.NoError(k, err)
	require.Empty(k, runs)
}

func ofKind(run flow.Run, kind string) (found []flow.Moment) {
	for _, m := range run.Moments {
		if m.Kind == kind {
			found = append(found, m)
		}
	}
	return found
}

func words(moments []flow.Moment) (all []string) {
	for _, m := range moments {
		all = append(all, m.Words)
	}
	return all
}
