package channeltest

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/sandbox/world"
)

// runSandbox compares each outcome with the sandbox's ledger.
func runSandbox(t *testing.T, pair Pair) {
	t.Run("Accepted", func(t *testing.T) {
		b := newBench(t, pair, long)
		message := pair.message()
		outcome := b.sender.Send(t.Context(), message)
		require.Equal(t, channel.Accepted, outcome.Class, outcome.Detail)
		entries := b.ledger(t)[message.ID.String()]
		require.Len(t, entries, 1)
		require.Equal(t, entries[0].ProviderID, outcome.ProviderID)
		require.Equal(t, pair.Account.NumberID, entries[0].From)
	})
	t.Run("Refused", func(t *testing.T) {
		b := newBench(t, pair, long)
		outcome := b.sender.Send(t.Context(), channel.Outgoing{ID: id.New(), To: pair.To, Content: pair.Refused})
		require.Equal(t, channel.Refused, outcome.Class)
		require.Equal(t, channel.ScopeMessage, outcome.Scope)
		require.NotZero(t, outcome.Code)
		require.NotEmpty(t, outcome.Detail)
		require.Empty(t, b.ledger(t))
	})
	t.Run("RetryLater", func(t *testing.T) {
		b := newBench(t, pair, long)
		b.fault(t, world.Fault{Code: pair.RetryLaterCode, RetryAfterS: 7})
		outcome := b.sender.Send(t.Context(), pair.message())
		require.Equal(t, channel.NotAccepted, outcome.Class)
		require.Equal(t, pair.RetryLaterCode, outcome.Code)
		require.Equal(t, 7*time.Second, outcome.RetryAfter)
		require.Empty(t, b.ledger(t))
	})
	t.Run("TooManyRequestsWithoutCode", func(t *testing.T) {
		b := newBench(t, pair, long)
		b.fault(t, world.Fault{HTTPStatus: http.StatusTooManyRequests, RetryAfterS: 3})
		outcome := b.sender.Send(t.Context(), pair.message())
		require.Equal(t, channel.NotAccepted, outcome.Class)
		require.Equal(t, 3*time.Second, outcome.RetryAfter)
	})
	t.Run("SlowIsNotLost", func(t *testing.T) {
		b := newBench(t, pair, long)
		b.fault(t, world.Fault{DelayMS: 200})
		require.Equal(t, channel.Accepted, b.sender.Send(t.Context(), pair.message()).Class)
	})
	// What is accepted or not is known to the ledger alone; for the sender the outcome is unknown.
	for _, one := range []struct {
		name     string
		fault    world.Fault
		accepted bool
	}{
		{"Hang", world.Fault{Hang: true}, false},
		{"AcceptThenHang", world.Fault{AcceptThenHang: true}, true},
		{"Drop", world.Fault{Drop: true}, false},
		{"AcceptThenDrop", world.Fault{AcceptThenDrop: true}, true},
		{"AcceptThenHalfAnAnswer", world.Fault{AcceptThenHalf: true}, true},
		{"AcceptThenGarbage", world.Fault{Garbage: true}, true},
		{"ServerErrorWithoutCode", world.Fault{HTTPStatus: http.StatusBadGateway}, false},
	} {
		t.Run(one.name, func(t *testing.T) { unknownOutcome(t, pair, one.fault, one.accepted) })
	}
	t.Run("ManyAtOnce", func(t *testing.T) { manyAtOnce(t, pair) })
}

func unknownOutcome(t *testing.T, pair Pair, fault world.Fault, accepted bool) {
	b := newBench(t, pair, short)
	b.fault(t, fault)
	message := pair.message()
	began := time.Now()
	outcome := b.sender.Send(t.Context(), message)
	require.Less(t, time.Since(began), short+5*time.Second)
	require.Equal(t, channel.Unknown, outcome.Class, outcome.Detail)
	require.Empty(t, outcome.ProviderID)
	require.NotEmpty(t, outcome.Detail)
	want := 0
	if accepted {
		want = 1
	}
	require.Len(t, b.ledger(t)[message.ID.String()], want)

	b.fault(t) // the next send is as good as ever
	require.Equal(t, channel.Accepted, b.sender.Send(t.Context(), pair.message()).Class)
}

// manyAtOnce sends from all slots while a fifth of the answers is lost, and compares every outcome.
func manyAtOnce(t *testing.T, pair Pair) {
	b := newBench(t, pair, long)
	share := 0.2
	b.fault(t, world.Fault{AcceptThenDrop: true, Probability: &share, Seed: 3})
	const slots, each = 32, 10
	outcomes := make([]map[string]channel.Outcome, slots)
	var group sync.WaitGroup
	for slot := range slots {
		outcomes[slot] = map[string]channel.Outcome{}
		group.Go(func() {
			for range each {
				message := pair.message()
				outcomes[slot][message.ID.String()] = b.sender.Send(context.WithoutCancel(t.Context()), message)
			}
		})
	}
	group.Wait()
	ledger := b.ledger(t)
	require.Len(t, ledger, slots*each)
	unknown := 0
	for _, of := range outcomes {
		for message, outcome := range of {
			require.Len(t, ledger[message], 1)
			if outcome.Class == channel.Unknown {
				unknown++
				continue
			}
			require.Equal(t, channel.Accepted, outcome.Class)
			require.Equal(t, ledger[message][0].ProviderID, outcome.ProviderID)
		}
	}
	require.Greater(t, unknown, slots*each/10)
	require.Less(t, unknown, slots*each/3)
}
