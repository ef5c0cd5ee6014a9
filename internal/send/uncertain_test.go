package send_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// doubtful is a campaign whose n messages are all uncertain.
func doubtful(t *testing.T, n int) (*running, []id.ID) {
	t.Helper()
	r := newRunning(t, n)
	provider := newScript(func(channel.Outgoing, int) channel.Outcome { return channel.Outcome{Class: channel.Unknown} })
	for provider.sends() < n { // a hold stops each page
		_, err := pgOwner(r).Exec(t.Context(), `UPDATE scopes SET held_until = NULL, probing = false, holds = 0`)
		require.NoError(t, err)
		r.page(provider)
	}
	require.Equal(t, send.Counts{Uncertain: n}, r.counts())
	return r, provider.order
}

func (r *running) settle(verdict send.Verdict, messages ...id.ID) (done send.Settled) {
	r.Helper()
	r.tx(func(tx postgres.Tx) (err error) {
		done, err = send.Settle(context.Background(), tx, r.company, verdict, messages, time.Now(), func(c send.Claim) (channel.Content, error) {
			return channel.Content{Text: "Made anew for " + c.To.Value}, nil
		})
		return err
	})
	return done
}

func (r *running) listUncertain() (listed []id.ID) {
	r.Helper()
	r.tx(func(tx postgres.Tx) error {
		rows, err := send.ListUncertain(context.Background(), tx, r.company, id.Nil, contact.First, 100)
		for _, row := range rows {
			listed = append(listed, row.ID)
		}
		n, counted := send.CountUncertain(context.Background(), tx, r.company, r.campaign, 100)
		require.NoError(r, counted)
		require.Equal(r, len(rows), n)
		return err
	})
	return listed
}

func TestUncertainMessagesAreSettledByHand(t *testing.T) {
	r, messages := doubtful(t, 6)
	require.ElementsMatch(t, messages, r.listUncertain())

	require.Equal(t, messages[:2], inOrder(r.settle(send.MarkSent, messages[0], messages[1]).Messages, messages))
	require.Equal(t, messages[2:3], r.settle(send.MarkFailed, messages[2]).Messages)
	require.Equal(t, send.Counts{Sent: 2, Failed: 1, Uncertain: 3}, r.counts())
	require.Equal(t, r.rows(), r.counts())
	require.ElementsMatch(t, messages[3:], r.listUncertain())
	require.Empty(t, r.settle(send.MarkFailed, messages[0]).Messages, "what is settled is left alone")

	// A status tells the truth afterwards, too.
	r.statuses(channel.Status{ProviderID: "wamid.x", MessageID: messages[2], Kind: channel.StatusDelivered, At: time.Now()})
	require.Equal(t, send.Counts{Sent: 2, Delivered: 1, Uncertain: 3}, r.counts())
}

func TestSendAgainMakesANewMessageThatNamesTheOld(t *testing.T) {
	r, messages := doubtful(t, 4)
	owner := pgOwner(r)
	_, err := owner.Exec(t.Context(), `UPDATE messages SET content = NULL WHERE id = $1`, messages[1]) // its worker died
	require.NoError(t, err)
	_, err = owner.Exec(t.Context(), `DELETE FROM contacts USING messages m WHERE contacts.id = m.contact_id AND m.id = $1`, messages[2])
	require.NoError(t, err)

	done := r.settle(send.SendAgain, messages[0], messages[1], messages[2])
	require.ElementsMatch(t, messages[:2], done.Messages)
	require.Equal(t, messages[2:3], done.Gone)
	require.Len(t, done.Again, 2)
	require.ElementsMatch(t, messages[2:], r.listUncertain())
	for i, old := range done.Messages {
		r.tx(func(tx postgres.Tx) error {
			before, err := send.Get(t.Context(), tx, r.company, old, nil)
			require.NoError(t, err)
			require.Equal(t, send.Uncertain, send.State(before.State), "the old one stays as it is")
			require.Equal(t, done.Again[i], *before.SupersededBy)
			after, err := send.Get(t.Context(), tx, r.company, done.Again[i], nil)
			require.Equal(t, old, *after.Supersedes)
			require.Equal(t, before.ContactID, after.ContactID)
			require.Equal(t, send.Queued, send.State(after.State))
			if old == messages[1] {
				require.Contains(t, *after.Content, "Made anew for +55")
			} else {
				require.JSONEq(t, `{"text":"Hello"}`, *after.Content)
			}
			return err
		})
	}
	require.Empty(t, r.settle(send.SendAgain, messages[0]).Again, "nobody gets a third one by a second click")
	require.Equal(t, 4, r.counts().Uncertain)
}

// inOrder sorts found as in all.
func inOrder(found, all []id.ID) (sorted []id.ID) {
	for _, one := range all {
		for _, f := range found {
			if f == one {
				sorted = append(sorted, one)
			}
		}
	}
	return sorted
}
