package chaos

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/rig"
	"omnidesk/internal/send"
)

const restored = 1500 // recipients: at 32 sends of 450 ms enough for 20 s

// TestRestore goes back to a base backup while a campaign goes on and the worker lives. Until a person releases the
// hold nobody is sent anything again, also after a restart.
func TestRestore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.importContacts(restored)
	h.slow(stormSend)
	campaignID := h.start("restore")
	h.awaitAccepted(restored / 10)
	require.NoError(t, h.rig.Postgres.Backup(t.Context()))
	remembered := h.remembered()
	h.awaitAccepted(h.accepted() + restored/5)
	require.Eventually(t, func() bool { return h.remembered() != remembered }, deadline, poll, "the worker notes how far the database has come")
	require.NotEqual(t, "finished", h.state(campaignID), "the campaign must outlast the backup")

	h.killOnly(rig.Temporal)
	h.killOnly(postgresPart)
	sent := h.quiet()
	require.NoError(t, h.rig.Restore(t.Context()))
	h.revive(rig.Temporal)
	h.requireAlive()
	require.Eventually(t, func() bool { return strings.Contains(h.restoreLine(), "gone back") }, deadline, poll, "the hold is shown")
	h.kill(rig.Work)
	h.awaitHeld(campaignID)
	require.Equal(t, sent, h.accepted(), "nobody is sent anything again before the release")
	figure(t, "restore_resent_before_release", float64(h.accepted()-sent), "messages", restored)

	unknown := 0 // sent, and not known in the backup
	for _, r := range h.rows(campaignID) {
		if r.state == send.Queued {
			unknown++
		}
	}
	unknown = int(sent) - (restored - unknown)
	require.Positive(t, unknown, "the backup must be older than some sends")
	h.api.must(http.MethodPost, "/health/release", map[string]string{"open": "doubt"}, nil)
	require.Empty(t, h.restoreLine())
	h.awaitCampaign(campaignID, "is paused by the release", func(c campaign) bool { return c.State == "paused" && c.Counts.Sending == 0 })
	require.Equal(t, sent, h.accepted(), "a release in doubt sends nothing by itself")

	h.slow(0)
	h.api.must(http.MethodPost, "/campaigns/"+campaignID+"/resume", nil, nil)
	h.awaitCampaign(campaignID, "is finished with nothing open", finished)
	twice, reached := 0, map[string]int{}
	for _, line := range h.ledger(0) {
		if reached[line.To]++; reached[line.To] == 2 {
			twice++
		}
	}
	uncertain := len(h.listed(campaignID, "uncertain"))
	require.GreaterOrEqual(t, len(reached)+uncertain, restored, "nobody is forgotten")
	require.LessOrEqual(t, twice, unknown+bound, "who resumes is told whom it reaches: those that the backup does not know")
	figure(t, "restore_unknown_to_backup", float64(unknown), "messages", restored)
	figure(t, "restore_sent_twice_after_resume", float64(twice), "messages", restored)
}

func (h *house) awaitAccepted(n int64) {
	h.t.Helper()
	require.Eventually(h.t, func() bool { return h.accepted() >= n }, deadline, 10*time.Millisecond, "%d are accepted", n)
}

// quiet returns what was accepted once nothing more is: without a database a worker can only end what it has on the wire.
func (h *house) quiet() (sent int64) {
	require.Eventually(h.t, func() bool {
		before := sent
		sent = h.accepted()
		return sent == before
	}, deadline, providerTimeout/2)
	return sent
}

// remembered is what the worker knows of the database.
func (h *house) remembered() string {
	text, err := os.ReadFile(h.rig.PositionFile())
	require.NoError(h.t, err)
	return string(text)
}

// restoreLine is the red line of the health page; empty without one, or while nobody can tell.
func (h *house) restoreLine() string {
	var health struct {
		Parts []struct{ Name, Detail string }
	}
	if h.api.get("/health", &health) != nil {
		return ""
	}
	for _, part := range health.Parts {
		if part.Name == "restore" {
			return part.Detail
		}
	}
	return ""
}

func (h *house) state(campaignID string) string {
	var c campaign
	require.NoError(h.t, h.api.get("/campaigns/"+campaignID, &c))
	return c.State
}

// awaitHeld returns when workflows of the restarted worker have looked at campaign and connection and found the hold.
func (h *house) awaitHeld(campaignID string) {
	h.api.must(http.MethodPost, "/campaigns/"+campaignID+"/pause", nil, nil)
	h.api.must(http.MethodPost, "/campaigns/"+campaignID+"/resume", nil, nil)
	require.Eventually(h.t, func() bool {
		var live struct{ Detail string }
		return h.api.get("/campaigns/"+campaignID+"/live", &live) == nil && strings.Contains(live.Detail, "gone back")
	}, deadline, poll, "the campaign says what it waits for")
}
