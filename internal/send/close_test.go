package send_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// TestAClosedConnectionSendsNothingUntilItIsOpened checks that neither what the provider says nor a check that
// goes well ends a hold that people have put.
func TestAClosedConnectionSendsNothingUntilItIsOpened(t *testing.T) {
	r := newRunning(t, 200)
	provider := newScript(nil)
	closed := make(chan struct{})
	atClose := 0
	provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 20 {
			r.tx(func(tx postgres.Tx) error {
				if err := send.LockScope(t.Context(), tx, r.company, r.connection); err != nil {
					return err
				}
				return send.Close(t.Context(), tx, r.company, r.connection, "Switched off.", time.Now())
			})
			atClose = r.rows().Queued
			close(closed)
		}
		if nth > 20 {
			<-closed
		}
		return accept(out, nth) // each accepted send would heal a hold of the page's own
	}
	r.page(provider)
	require.Equal(t, atClose, r.rows().Queued, "nothing was claimed after the close")
	require.Positive(t, atClose)

	r.page(newScript(func(channel.Outgoing, int) channel.Outcome {
		t.Error("a closed connection has sent")
		return channel.Outcome{Class: channel.Refused, Scope: channel.ScopeConnection}
	}))
	outlook := func() (o send.Outlook) {
		r.tx(func(tx postgres.Tx) error {
			require.NoError(t, send.ReleaseHold(t.Context(), tx, r.company, r.connection))
			var err error
			o, err = send.OutlookOf(t.Context(), tx, r.company, r.connection, time.Now())
			return err
		})
		return o
	}
	require.True(t, outlook().Closed)
	require.Equal(t, "Switched off.", outlook().HeldReason)

	r.tx(func(tx postgres.Tx) error { return send.Open(t.Context(), tx, r.company, r.connection, time.Now()) })
	require.False(t, outlook().Closed)
	require.Empty(t, outlook().HeldReason)
	r.page(newScript(accept))
	require.Equal(t, 200, r.rows().Sent)
}
