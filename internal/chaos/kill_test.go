package chaos

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/postgres"
	"omnidesk/internal/rig"
	"omnidesk/internal/sandbox/world"
	"omnidesk/internal/send"
)

const (
	recipients = 3000
	deadline   = 2 * time.Minute
	poll       = 50 * time.Millisecond
	sendTime   = 40 * time.Millisecond // of one send, so that a kill meets some on the wire
	unanswered = slots / 2
)

// TestKills runs one campaign after the other in one installation and kills a part in the middle of each.
func TestKills(t *testing.T) {
	t.Parallel() // with the other tests that mostly wait for lost claims; storms have the machine to themselves
	h := newHouse(t)
	h.importContacts(recipients)
	h.slow(sendTime)
	for _, part := range []string{rig.Serve, rig.Temporal, postgresPart} {
		run(t, h, "kill "+part, 0, 1, func(h *house) { h.kill(part) })
	}
	run(t, h, "restart PostgreSQL", 0, 1, func(h *house) {
		h.rig.Postgres.Stop()
		h.revive(postgresPart)
	})
	run(t, h, "kill worker", unanswered, 1, func(h *house) { h.kill(rig.Work) })
	run(t, h, "kill worker, then PostgreSQL while it recovers", unanswered, 1, func(h *house) {
		h.killAndRecover()
		h.kill(postgresPart)
	})
	run(t, h, "kill worker, and again while it recovers", unanswered, 2, func(h *house) {
		h.killAndRecover()
		h.kill(rig.Work)
	})
	run(t, h, "kill Temporal, then the worker while it is away", unanswered, 1, func(h *house) {
		h.killOnly(rig.Temporal)
		h.rig.Kill(rig.Work)
		h.revive(rig.Temporal)
		h.revive(rig.Work)
	})
	t.Run("claims of a dead worker are uncertain soon", func(t *testing.T) { h.in(t).oldClaims() })
	for _, delay := range []time.Duration{500 * time.Millisecond, 2500 * time.Millisecond} {
		t.Run("pause with sends of "+delay.String(), func(t *testing.T) { h.in(t).pause(delay) })
	}
}

// killAndRecover returns when the new worker's page begins.
func (h *house) killAndRecover() {
	before := h.epoch()
	h.kill(rig.Work)
	require.Eventually(h.t, func() bool { return h.epoch() > before }, deadline, poll, "the new worker's page begins")
}

// usualTimeout of one send is what a worker has unless it is set; oldest is how old a claim whose owner is dead may become.
const (
	usualTimeout = 30 * time.Second
	oldest       = 45 * time.Second
)

// oldClaims kills a worker that gives the provider as long as usual.
func (h *house) oldClaims() {
	hurried := h.rig.WorkEnv
	defer func() { h.rig.WorkEnv = hurried; h.kill(rig.Work) }()
	h.rig.WorkEnv = append(slices.Clone(hurried), "OMNIDESK_PROVIDER_TIMEOUT="+usualTimeout.String())
	h.kill(rig.Work)
	h.slow(sendTime)
	since := h.accepted()
	campaignID := h.start("old claims")
	h.awaitAccepted(since + recipients/5)
	release := h.hooks.hold(h.t)
	h.leaveUnanswered(unanswered)
	h.kill(rig.Work)
	h.slow(0)
	h.awaitCampaign(campaignID, "is finished with nothing open", finished)
	before := h.compare(campaignID, since)
	require.GreaterOrEqual(h.t, before.uncertain, unanswered)
	var age float64
	require.NoError(h.t, h.rig.DB.InCompany(h.t.Context(), h.company, func(tx postgres.Tx) error {
		return tx.QueryRow(h.t.Context(), `SELECT extract(epoch FROM max(ended_at - claimed_at))::float8 FROM messages WHERE company_id = $1 AND campaign_id = $2 AND state = $3`,
			h.company, campaignID, int16(send.Uncertain)).Scan(&age)
	}))
	require.LessOrEqual(h.t, age, oldest.Seconds())
	figure(h.t, "old_claims_s", age, "s", before.uncertain)
	release()
	h.awaitSettled(campaignID, before)
}

// run starts a campaign, lets it be damaged in the middle, and compares. So many sends are accepted and not yet
// answered when the damage is done; only a dying worker may be given some, a living one learns that they timed out. deaths
// is how many pages die.
func run(t *testing.T, outer *house, name string, unanswered, deaths int, damage func(*house)) {
	t.Run(name, func(t *testing.T) {
		h := outer.in(t)
		began := time.Now()
		since := h.accepted()
		campaignID := h.start(name)
		require.Eventually(t, func() bool { return h.accepted()-since >= recipients/5 }, deadline, 10*time.Millisecond, "a fifth is sent")
		var release func() // statuses must not settle what is uncertain before it is counted
		if unanswered > 0 {
			release = h.hooks.hold(t)
			h.leaveUnanswered(unanswered)
		}
		openBefore, _ := h.open(campaignID)
		require.NotZero(t, openBefore, "the kill must meet sends in flight")
		require.Less(t, h.accepted()-since, int64(recipients), "the kill must meet a campaign in its middle")
		damage(h)
		h.slow(sendTime)
		h.requireAlive()
		h.awaitCampaign(campaignID, "is finished with nothing open", finished)
		if release == nil { // webhooks were to meet the kill, too
			release = h.hooks.hold(t)
		}
		before := h.compare(campaignID, since)
		require.GreaterOrEqual(t, before.uncertainAccepted, unanswered, "what was on its way is uncertain, not sent again")
		require.LessOrEqual(t, before.uncertain, deaths*bound, "a kill makes at most 2 × slots uncertain")
		require.Equal(t, recipients, before.messages)
		release()
		statuses := time.Now()
		h.awaitSettled(campaignID, before)
		figure(t, "settle_s", time.Since(statuses).Seconds(), "s", before.uncertainAccepted)
		after := h.compare(campaignID, since)
		require.Zero(t, after.uncertainAccepted, "statuses settle what the sandbox accepted")
		require.Equal(t, recipients, after.accepted+after.uncertain)
		t.Logf("messages %d · accepted %d · lost %d · duplicated %d · uncertain %d of at most %d (settled %d) · %s", after.messages, after.accepted,
			after.lost, after.duplicated, before.uncertain, deaths*bound, before.uncertain-after.uncertain, time.Since(began).Round(100*time.Millisecond))
	})
}

// leaveUnanswered returns when the sandbox has accepted n sends that it will never answer, and goes on with others.
func (h *house) leaveUnanswered(n int) {
	if n == 0 {
		return
	}
	before := h.accepted()
	h.sandbox.must(http.MethodPut, "/faults", []world.Fault{{AcceptThenHang: true, Times: int64(n)}, {DelayMS: int(sendTime.Milliseconds())}}, nil)
	require.Eventually(h.t, func() bool { return h.accepted()-before >= int64(4*n) }, providerTimeout/2, 10*time.Millisecond, "the sandbox leaves sends without an answer")
}

func finished(c campaign) bool {
	return c.State == "finished" && c.Counts.Planned+c.Counts.Queued+c.Counts.Sending == 0
}

// awaitSettled waits until the held webhooks have told what became of everything accepted.
func (h *house) awaitSettled(campaignID string, before figures) {
	h.awaitCampaign(campaignID, "has settled what was accepted", func(c campaign) bool {
		return c.Counts.Sent == 0 && c.Counts.Uncertain == before.uncertain-before.uncertainAccepted &&
			c.Counts.Delivered+c.Counts.Read == before.accepted
	})
}

// epoch counts the pages that the connection has had.
func (h *house) epoch() (epoch int) {
	err := h.rig.DB.InCompany(h.t.Context(), h.company, func(tx postgres.Tx) error {
		return tx.QueryRow(h.t.Context(), `SELECT page_epoch FROM scopes WHERE company_id = $1 AND connection_id = $2`, h.company, h.connection).Scan(&epoch)
	})
	if err != nil {
		return -1 // nobody knows while PostgreSQL is away
	}
	return epoch
}

// pause stops a campaign with sends in flight, as slow as they may be, and resumes it.
func (h *house) pause(delay time.Duration) {
	t, since := h.t, h.accepted()
	h.slow(delay)
	campaignID := h.start("pause with sends of " + delay.String())
	h.awaitCampaign(campaignID, "has sends in flight", func(c campaign) bool {
		return c.Counts.Sending >= slots && c.Counts.Sent+c.Counts.Delivered+c.Counts.Read > 0
	})
	h.api.must(http.MethodPost, "/campaigns/"+campaignID+"/pause", nil, nil)
	_, claimed := h.open(campaignID)

	paused := h.awaitCampaign(campaignID, "has drained", func(c campaign) bool { return c.Counts.Sending == 0 })
	require.Equal(t, "paused", paused.State)
	require.NotZero(t, paused.Counts.Queued)
	require.Zero(t, paused.Counts.Uncertain, "an owner that lives leaves nothing uncertain")
	open, claimedNow := h.open(campaignID)
	require.Zero(t, open, "the counts tell of every claim")
	require.LessOrEqual(t, claimedNow, claimed, "nothing is claimed once a pause is answered")
	sent := h.accepted() - since

	h.slow(0)
	h.api.must(http.MethodPost, "/campaigns/"+campaignID+"/resume", nil, nil)
	h.awaitCampaign(campaignID, "is finished with nothing open", finished)
	h.awaitSettled(campaignID, figures{accepted: recipients})
	require.Equal(t, figures{messages: recipients, accepted: recipients}, h.compare(campaignID, since))
	t.Logf("messages %d · accepted while paused %d · lost 0 · duplicated 0 · uncertain 0", recipients, sent)
}
