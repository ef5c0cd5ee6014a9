package send_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/send"
)

func TestAMessageIsFoundByItsContactThroughAllItsStates(t *testing.T) {
	r := newRunning(t, 3)
	var contact, other id.ID
	r.tx(func(tx postgres.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT contact_id FROM recipients WHERE sequence = 2`).Scan(&contact)
	})
	other = pgtest.Company(t, r.db)
	last := id.ID{0xff}
	list := func() (found []send.ContactMessage) {
		r.tx(func(tx postgres.Tx) (err error) {
			found, err = send.ListContact(t.Context(), tx, r.company, contact, last, nil, 10)
			return err
		})
		return found
	}
	queued := list()
	require.Len(t, queued, 1)
	require.Equal(t, []any{"Person 2", "Test", send.Queued, &r.campaign}, []any{queued[0].ContactName, queued[0].CampaignName, send.State(queued[0].State), queued[0].CampaignID})
	r.page(newScript(accept))
	sent := list()
	require.Len(t, sent, 1)
	require.Equal(t, []any{queued[0].ID, send.Sent}, []any{sent[0].ID, send.State(sent[0].State)})
	last = sent[0].ID
	require.Empty(t, list(), "the page after it")
	require.NoError(t, r.db.InCompany(t.Context(), other, func(tx postgres.Tx) error {
		foreign, err := send.ListContact(t.Context(), tx, r.company, contact, id.ID{0xff}, nil, 10)
		require.Empty(t, foreign)
		return err
	}))
}
