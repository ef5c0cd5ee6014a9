package send_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/send"
)

func pgOwner(r *running) *pgx.Conn { return pgtest.Owner(r, r.db) }

func (r *running) statuses(list ...channel.Status) {
	r.Helper()
	r.tx(func(tx postgres.Tx) error {
		_, err := send.ApplyStatuses(r.Context(), tx, r.company, r.connection, list, time.Now())
		return err
	})
}

func TestStatusesInAnyOrderRepeatedAndEarlyGiveOneResult(t *testing.T) {
	r := newRunning(t, 40)
	provider := newScript(accept)
	r.page(provider)
	base := time.Now().UTC().Truncate(time.Second)
	var all []channel.Status
	for i, message := range provider.order {
		s := channel.Status{ProviderID: "wamid." + message.String(), At: base}
		if i%2 == 0 {
			s.MessageID = message
		}
		for n, kind := range []channel.StatusKind{channel.StatusSent, channel.StatusDelivered, channel.StatusRead} {
			if kind == channel.StatusRead && i%4 == 0 {
				continue // never read
			}
			s.Kind, s.At = kind, base.Add(time.Duration(n)*time.Second)
			all = append(all, s, s)
		}
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for len(all) > 0 {
		n := min(len(all), 1+rand.IntN(30))
		r.statuses(all[:n]...)
		all = all[n:]
	}
	require.Equal(t, send.Counts{Delivered: 10, Read: 30}, r.rows())
	require.Equal(t, r.rows(), r.counts())
}

func TestStatusQuickerThanTheRecordIsKept(t *testing.T) {
	r := newRunning(t, 5)
	provider := newScript(nil)
	provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		r.statuses(channel.Status{ProviderID: "wamid." + out.ID.String(), MessageID: out.ID, Kind: channel.StatusDelivered, At: time.Now()})
		return accept(out, nth)
	}
	r.page(provider)
	require.Equal(t, send.Counts{Delivered: 5}, r.rows())
	require.Equal(t, r.rows(), r.counts())
}

func TestStatusWithoutOurIDWaitsForTheProviderID(t *testing.T) {
	r := newRunning(t, 5)
	provider := newScript(nil)
	provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		r.statuses(channel.Status{ProviderID: "wamid." + out.ID.String(), Kind: channel.StatusDelivered, At: time.Now()})
		return accept(out, nth)
	}
	r.page(provider)
	require.Equal(t, send.Counts{Delivered: 5}, r.rows())
}

func TestStatusSettlesAnUncertainMessage(t *testing.T) {
	r := newRunning(t, 3)
	provider := newScript(func(channel.Outgoing, int) channel.Outcome { return channel.Outcome{Class: channel.Unknown} })
	r.page(provider)
	require.Equal(t, send.Counts{Uncertain: 3}, r.rows())
	r.statuses(channel.Status{ProviderID: "wamid.a", MessageID: provider.order[0], Kind: channel.StatusSent, At: time.Now()},
		channel.Status{ProviderID: "wamid.b", MessageID: provider.order[1], Kind: channel.StatusFailed, Code: 131026, At: time.Now()})
	require.Equal(t, send.Counts{Uncertain: 1, Sent: 1, Failed: 1}, r.rows())
	require.Equal(t, r.rows(), r.counts())
}

func TestStatusOfAnotherConnectionChangesNothing(t *testing.T) {
	r := newRunning(t, 1)
	provider := newScript(accept)
	r.page(provider)
	r.tx(func(tx postgres.Tx) error {
		_, err := send.ApplyStatuses(t.Context(), tx, r.company, id.New(), []channel.Status{{ProviderID: "x", MessageID: provider.order[0], Kind: channel.StatusRead, At: time.Now()}}, time.Now())
		return err
	})
	require.Equal(t, send.Counts{Sent: 1}, r.rows())
}
