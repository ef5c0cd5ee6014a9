package send_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

func (r *running) holdForRestore() {
	_, err := pgOwner(r).Exec(r.Context(), `INSERT INTO restore_holds (company_id, found_at, reason) VALUES ($1, now(), 'The database was restored.')`, r.company)
	require.NoError(r, err)
}

// A page that runs when the hold is found claims nothing more, and what it has on the wire is recorded.
func TestAHoldAfterARestoreStopsARunningPage(t *testing.T) {
	r := newRunning(t, 60)
	held := make(chan struct{})
	provider := newScript(func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 1 {
			r.holdForRestore()
			close(held)
		}
		<-held
		return accept(out, nth)
	})
	r.page(provider)
	counts := r.rows()
	require.Equal(t, r.counts(), counts)
	require.Equal(t, provider.sends(), counts.Sent, "what was sent is known")
	require.LessOrEqual(t, counts.Sent, 2*8, "no more than what was claimed before")
	require.Equal(t, 60-counts.Sent, counts.Queued)

	o := r.outlook()
	require.True(t, o.Closed)
	require.Equal(t, "The database was restored.", o.HeldReason)
	r.page(provider)
	require.Equal(t, counts, r.rows(), "and another page claims nothing")

	_, err := pgOwner(r).Exec(t.Context(), `UPDATE restore_holds SET released_at = now()`)
	require.NoError(t, err)
	require.False(t, r.outlook().Closed)
	r.page(provider)
	require.Equal(t, 60, r.rows().Sent)
}

// The page notices an earlier database by itself, before anybody has written a hold down.
func TestAnEarlierDatabaseIsNotSentFrom(t *testing.T) {
	r := newRunning(t, 10)
	provider := newScript(accept)
	r.db.SetSeen(postgres.Seen{Witness: id.New(), Mark: 7})
	r.page(provider)
	require.Zero(t, provider.sends())
	require.Equal(t, 10, r.rows().Queued)
}

func TestWhatARestoredDatabaseHasQueuedIsDoubted(t *testing.T) {
	r := newRunning(t, 3)
	doubtful := r.queue(r.single(1, send.LaneUrgent, greeting))
	r.tx(func(tx postgres.Tx) error { return send.DoubtQueued(t.Context(), tx, r.company, time.Now()) })
	rows := r.rows()
	require.Equal(t, 1, rows.Uncertain)
	require.Equal(t, 3, rows.Queued, "campaigns are stopped as a whole")
	r.tx(func(tx postgres.Tx) error {
		listed, err := send.ListUncertain(t.Context(), tx, r.company, id.Nil, contact.First, 10)
		require.Len(t, listed, 1)
		require.Equal(t, doubtful[0], listed[0].ID)
		return err
	})
	require.Zero(t, r.told().Queued, "the counts agree")
}
