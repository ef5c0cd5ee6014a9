package worker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"

	"omnidesk/internal/conversation"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

// snoozed puts a conversation away, lets its time come, and lets the contact be quicker the next time.
func (s *stage) snoozed(t *testing.T) {
	k := s.newShop(t, 1)
	var talk id.ID
	state := func() (now string) {
		require.NoError(t, pgtest.Owner(t, s.db).QueryRow(t.Context(), `SELECT state FROM conversations WHERE id = $1`, talk).Scan(&now))
		return now
	}
	snooze := func(until time.Time) {
		k.tx(func(tx postgres.Tx) error {
			change, err := conversation.Begin(t.Context(), tx, k.company, talk, 0)
			require.NoError(t, err)
			return change.Snooze(t.Context(), &until, time.Now())
		})
		s.relay.Hint()
	}
	var who id.ID
	require.NoError(t, pgtest.Owner(t, s.db).QueryRow(t.Context(), `SELECT id FROM contacts WHERE company_id = $1`, k.company).Scan(&who))
	wrote := func() {
		k.tx(func(tx postgres.Tx) (err error) {
			talk, err = conversation.Wrote(t.Context(), tx, k.company, k.connection, who, id.New())
			return err
		})
		s.relay.Hint()
	}
	wrote()
	snooze(time.Now().Add(time.Hour))
	k.awaitLive(flow.Conversation(talk), func(l flow.Live) bool { return l.State == "snoozed" && l.Until.After(time.Now()) })
	soon := time.Now().Add(2 * time.Second)
	snooze(soon) // another instant is another look
	eventually(t, "it comes back", func() bool { return state() == "open" })
	k.awaitEnd(flow.Conversation(talk))
	h := k.examine(flow.Conversation(talk), "", "conversation", 30)
	require.Positive(t, count(h, enums.EVENT_TYPE_TIMER_FIRED))

	snooze(time.Now().Add(time.Hour))
	k.awaitLive(flow.Conversation(talk), func(l flow.Live) bool { return l.State == "snoozed" })
	wrote()
	k.awaitEnd(flow.Conversation(talk))
	require.Equal(t, "open", state())
}
