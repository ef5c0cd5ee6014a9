package chaos

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/rig"
	"omnidesk/internal/sandbox/world"
	"omnidesk/internal/send"
)

const faulty = 1000 // recipients

// TestProviderFaults needs no kills: the parts live, the provider or a neighbour misbehaves.
func TestProviderFaults(t *testing.T) {
	h := newHouse(t)
	h.importContacts(faulty)
	t.Run("accepts and drops a fifth", func(t *testing.T) { h.in(t).acceptThenDrop() })
	t.Run("stalls", func(t *testing.T) { h.in(t).stalls() })
	t.Run("Temporal is away while campaigns start", func(t *testing.T) { h.in(t).outage() })
}

// acceptThenDrop cuts the connection after every fifth accepted send. Before statuses come exactly those are
// uncertain; afterwards none is, and nobody got two.
func (h *house) acceptThenDrop() {
	faults := []world.Fault{}
	dropped := map[string]bool{}
	for i := 0; i < faulty; i += 5 {
		to := fmt.Sprintf("55119%08d", firstNumber+i)
		dropped["+"+to] = true
		faults = append(faults, world.Fault{Match: world.Match{To: to}, AcceptThenDrop: true, Times: 1})
	}
	h.sandbox.must(http.MethodPut, "/faults", faults, nil)
	release := h.hooks.hold(h.t)
	since := h.accepted()
	campaignID := h.start("accept then drop")
	h.awaitCampaign(campaignID, "is finished with nothing open", finished)
	unsure := map[string]bool{}
	for _, r := range h.rows(campaignID) {
		if r.state == send.Uncertain {
			unsure[r.phone] = true
		}
	}
	require.Equal(h.t, dropped, unsure, "uncertain is exactly what was dropped")
	before := h.compare(campaignID, since)
	release()
	h.slow(0)
	h.awaitSettled(campaignID, before)
	after := h.compare(campaignID, since)
	require.Zero(h.t, after.uncertain)
	require.Equal(h.t, faulty, after.accepted)
	figure(h.t, "drop_uncertain_before", float64(before.uncertain), "messages", faulty)
	figure(h.t, "drop_uncertain_after", float64(after.uncertain), "messages", faulty)
	figure(h.t, "drop_duplicated", float64(after.duplicated), "messages", faulty)
}

// stalls lets sends hang unaccepted until the adapter gives up: they are uncertain, the others go on.
func (h *house) stalls() {
	const hanging = 4 // fewer in a row than would stop the connection
	h.sandbox.must(http.MethodPut, "/faults", []world.Fault{{Hang: true, Times: hanging}}, nil)
	since := h.accepted()
	campaignID := h.start("stalls")
	h.awaitCampaign(campaignID, "is finished with nothing open", finished)
	h.awaitSettled(campaignID, figures{accepted: faulty - hanging, uncertain: hanging})
	f := h.compare(campaignID, since)
	require.Equal(h.t, hanging, f.uncertain)
	require.Equal(h.t, faulty-hanging, f.accepted)
	h.slow(0)
}

// outage starts a campaign while Temporal is away: the API accepts it, and it runs once Temporal is back.
func (h *house) outage() {
	since := h.accepted()
	h.killOnly(rig.Temporal)
	campaignID := h.start("outage")
	require.Equal(h.t, "starting", h.awaitCampaign(campaignID, "can be read", func(campaign) bool { return true }).State)
	var made struct{ ID id.ID }
	h.api.must(http.MethodPost, "/contacts", map[string]any{"name": "Accepted meanwhile", "phone": "+5511920000000", "attributes": map[string]string{"city": "Recife"}}, &made)
	c := h.awaitCampaign(campaignID, "says that Temporal is away", func(c campaign) bool { return len(c.Waits) == 1 && c.Waits[0].Kind == "temporal" })
	require.Equal(h.t, "starting", c.State)
	require.Equal(h.t, since, h.accepted(), "nothing is sent without Temporal")
	h.revive(rig.Temporal)
	c = h.awaitCampaign(campaignID, "is finished with nothing open", finished)
	require.Empty(h.t, c.Waits)
	h.awaitSettled(campaignID, figures{accepted: c.Recipients})
	require.Equal(h.t, figures{messages: c.Recipients, accepted: c.Recipients}, h.compare(campaignID, since))
}
