package server

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/send"
)

// sendPast makes a campaign that wrote to a contact so long ago; its message is in a state.
func (i *inbox) sendPast(contact, connection string, ago time.Duration, state send.State) (campaign string) {
	i.t.Helper()
	campaign = as[Campaign](i.t, i.do(http.MethodPost, "/api/v1/campaigns", campaignBodyWith(connection)), http.StatusCreated).ID
	message, at := id.At(time.Now().Add(-ago), 0), time.Now().Add(-ago)
	i.site.exec(i.t, `INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, campaign_id, zone_set_id, lane, state, claimed_at, sent_at)
		SELECT company_id, $3, $4, contact_id, id, $5, 1, 5, $6, $7, $7 FROM identities WHERE company_id = $1 AND contact_id = $2`, i.site.mine, contact, message, connection, campaign, int(state), at)
	i.site.exec(i.t, `INSERT INTO contact_messages (company_id, contact_id, message_id) VALUES ($1, $2, $3)`, i.site.mine, contact, message)
	i.site.exec(i.t, `UPDATE campaigns SET state = 'finished', recipients = 1 WHERE id = $1`, campaign)
	return campaign
}

func (i *inbox) replied(campaign string) (count int, messages int) {
	i.t.Helper()
	view := as[Campaign](i.t, i.do(http.MethodGet, "/api/v1/campaigns/"+campaign, nil), http.StatusOK)
	list := as[MessageList](i.t, i.do(http.MethodGet, "/api/v1/campaigns/"+campaign+"/messages?replied=true", nil), http.StatusOK)
	return view.Replied, len(list.Items)
}

func TestRepliesCountForTheNewestCampaignOfThreeDays(t *testing.T) {
	i := newInbox(t)
	other := i.connect("3002")
	contact := as[Contact](t, i.do(http.MethodPost, "/api/v1/contacts", `{"name":"Bia","phone":"+5511990000100"}`), http.StatusCreated).ID
	long := i.sendPast(contact, i.connection.ID, 73*time.Hour, send.Read)
	i.hear("5511990000100", wrote("wamid.1", "Hello"))
	require.Equal(t, []int{0, 0}, pair(i.replied(long)), "three days are over")

	earlier := i.sendPast(contact, i.connection.ID, 71*time.Hour, send.Delivered)
	elsewhere := i.sendPast(contact, other.ID, time.Hour, send.Read)
	failed := i.sendPast(contact, i.connection.ID, time.Minute, send.Failed)
	i.hear("5511990000100", wrote("wamid.2", "Is it open?"), wrote("wamid.3", "Hello?"))
	i.hear("5511990000100", wrote("wamid.3", "Hello?"), wrote("wamid.4", "Well"))
	require.Equal(t, []int{1, 1}, pair(i.replied(earlier)), "each recipient once")
	require.Equal(t, []int{0, 0}, pair(i.replied(elsewhere)), "they wrote to another number")
	require.Equal(t, []int{0, 0}, pair(i.replied(failed)), "it never arrived")

	later := i.sendPast(contact, i.connection.ID, time.Second, send.Sending) // the reply overtook the provider's answer
	i.hear("5511990000100", wrote("wamid.5", "Thank you"))
	require.Equal(t, []int{1, 1}, pair(i.replied(later)))
	require.Equal(t, []int{1, 1}, pair(i.replied(earlier)), "what they write now is for the newest one alone")

	_, _, replies := i.site.stored(t)
	require.Equal(t, 5, replies, "of the connection: messages")
	before := i.shares()
	require.NoError(t, send.RollUp(t.Context(), i.site.db))
	require.Equal(t, before, i.shares(), "rolled up or not")
	require.Equal(t, map[string]int{earlier: 1, later: 1}, before)
	require.Equal(t, []int{1, 1}, pair(i.replied(earlier)))

	i.do(http.MethodGet, "/api/v1/campaigns/"+later+"/messages?replied=true&phone=%2B5511990000100", nil).is(t, http.StatusUnprocessableEntity)
	require.Empty(t, as[MessageList](t, i.do(http.MethodGet, "/api/v1/campaigns/"+later+"/messages?replied=true&state=read", nil), http.StatusOK).Items)
}

func pair(a, b int) []int { return []int{a, b} }

// shares are the dashboard's replies by campaign.
func (i *inbox) shares() map[string]int {
	i.t.Helper()
	found := map[string]int{}
	for _, item := range as[TrafficShares](i.t, i.do(http.MethodGet, "/api/v1/dashboard/campaigns?range=7d", nil), http.StatusOK).Items {
		found[item.ID] = item.Replies
	}
	return found
}

func TestMessagesOfAConnection(t *testing.T) {
	i := newInbox(t)
	other := i.connect("3002")
	contact := as[Contact](t, i.do(http.MethodPost, "/api/v1/contacts", `{"name":"Bia","phone":"+5511990000100"}`), http.StatusCreated).ID
	i.hear("5511990000100", wrote("wamid.1", "Hello"))
	for ago, state := range map[time.Duration]send.State{3 * time.Hour: send.Read, 2 * time.Hour: send.Failed, time.Hour: send.Sent} {
		i.sendPast(contact, i.connection.ID, ago, state)
	}
	i.sendPast(contact, other.ID, time.Minute, send.Read)
	list := func(query string) (states []string, next string) {
		t.Helper()
		page := as[MessageList](t, i.do(http.MethodGet, "/api/v1/connections/"+i.connection.ID+"/messages"+query, nil), http.StatusOK)
		for _, m := range page.Items {
			states = append(states, m.State)
		}
		return states, page.NextCursor
	}
	all, next := list("")
	require.Equal(t, []string{"sent", "failed", "read"}, all, "the newest first; what they wrote is in the inbox")
	require.Empty(t, next)
	first, next := list("?limit=2")
	rest, end := list("?limit=2&cursor=" + next)
	require.Equal(t, []any{[]string{"sent", "failed"}, []string{"read"}, ""}, []any{first, rest, end})
}
