package campaign_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/campaign"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// outcomes gives the first contacts of a campaign's plan messages of some states and codes and returns the contacts.
func (w *town) outcomes(of campaign.Campaign, messages ...[2]int) (contacts []id.ID) {
	w.Helper()
	for i, m := range messages {
		var contact id.ID
		require.NoError(w, w.owner.QueryRow(w.Context(), `SELECT contact_id FROM recipients WHERE campaign_id = $1 ORDER BY contact_id OFFSET $2 LIMIT 1`, of.ID, i).Scan(&contact))
		w.exec(`INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, campaign_id, zone_set_id, lane, state, error_code)
			VALUES ($1, $2, $3, $4, $2, $5, 1, 5, $6, nullif($7::int, 0))`, w.company, id.New(), w.connection, contact, of.ID, m[0], m[1])
		contacts = append(contacts, contact)
	}
	return contacts
}

const (
	failed    = 3
	delivered = 4
	uncertain = 6
)

func TestSendingAgainReachesWhoseMessageFailedAndNobodyElse(t *testing.T) {
	w := newTown(t)
	first := w.running(w.fields())
	people := w.outcomes(first, [2]int{failed, 131026}, [2]int{failed, 131049}, [2]int{failed, 0}, [2]int{delivered, 0}, [2]int{uncertain, 131000}, [2]int{failed, 131049})
	again := func(codes ...int32) (made campaign.Campaign) {
		w.tx(func(tx postgres.Tx) (err error) {
			made, err = campaign.SendAgain(t.Context(), tx, w.company, first, codes, id.Nil)
			return err
		})
		return made
	}
	all := again()
	require.Equal(t, "News (again)", all.Name)
	require.Equal(t, campaign.Draft, all.State)
	require.Equal(t, first.Content, all.Content)
	require.Equal(t, 4, w.check(all.Fields).Recipients)
	require.Equal(t, 1, w.check(again(0).Fields).Recipients)
	require.Zero(t, w.check(again(7).Fields).Recipients)
	require.NotEmpty(t, w.check(again(7).Fields).Problems)

	// Who is in it is decided when it starts: one has opted out, one more has failed since.
	later := again(131049)
	require.Equal(t, 2, w.check(later.Fields).Recipients)
	w.exec(`UPDATE contacts SET opted_out_at = now() WHERE id = $1`, people[1])
	w.exec(`UPDATE messages SET state = 3, error_code = 131049 WHERE contact_id = $1`, people[3])
	w.start(later.ID)
	w.freeze(later.ID)
	require.Equal(t, 2, w.get(later.ID).Recipients)
	require.Equal(t, campaign.Skipped{OptedOut: 1}, w.get(later.ID).Skipped)
	require.Equal(t, 2, w.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1 AND contact_id = ANY($2)`, later.ID, []id.ID{people[3], people[5]}))
}

func TestSendingAgainNeedsACampaignThatHasStarted(t *testing.T) {
	w := newTown(t)
	draft := w.create(w.fields())
	err := w.in(func(tx postgres.Tx) error {
		_, err := campaign.SendAgain(t.Context(), tx, w.company, draft, nil, id.Nil)
		return err
	})
	var state *campaign.StateError
	require.ErrorAs(t, err, &state)
	for _, of := range []id.ID{draft.ID, id.New()} {
		fields := w.fields()
		fields.Audience = campaign.Audience{FailedOf: &of}
		require.ErrorIs(t, w.in(func(tx postgres.Tx) error {
			_, err := campaign.Create(t.Context(), tx, w.company, fields)
			return err
		}), campaign.ErrFailedOf)
	}
}

func TestDuplicatingACampaign(t *testing.T) {
	w := newTown(t)
	fields := w.fields()
	fields.Name, fields.Audience = strings.Repeat("ã", 200), campaign.Audience{TagIDs: []id.ID{w.tag}}
	at := time.Now().Add(time.Hour)
	fields.StartsAt = &at
	duplicate := func(of campaign.Campaign) (made campaign.Campaign) {
		w.tx(func(tx postgres.Tx) (err error) {
			made, err = campaign.Duplicate(t.Context(), tx, w.company, of, id.Nil)
			return err
		})
		return made
	}
	first := w.running(fields)
	copied := duplicate(first)
	require.Equal(t, strings.Repeat("ã", 193)+" (copy)", copied.Name)
	require.Equal(t, copied.Name, duplicate(copied).Name)
	require.Equal(t, campaign.Draft, copied.State)
	require.Equal(t, first.Content, copied.Content)
	require.Equal(t, first.Audience, copied.Audience)
	require.Nil(t, copied.StartsAt)
	require.Zero(t, copied.Recipients)
}
