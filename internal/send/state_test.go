package send

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"omnidesk/internal/id"
)

var (
	epoch   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ours    = id.New() // the attempt the row is in
	foreign = id.New() // an attempt that is over, or of another row
)

// claimed is a row as it is right after a claim, or in any other state from which events can find it.
func claimed(state State) ForUpdateRow {
	attempt := ours
	at := epoch.Add(-time.Minute)
	return ForUpdateRow{ID: id.New(), State: int16(state), AttemptID: &attempt, ClaimedAt: &at}
}

// status is what the provider reports: each kind at its own instant, as often as it likes.
func status(kind State) Event {
	e := Event{State: kind, At: epoch.Add(time.Duration(kind.rank()) * time.Second), ProviderID: "wamid.1"}
	if kind == Failed {
		e.Code, e.Detail = 131026, "not on WhatsApp"
	}
	return e
}

func outcome(attempt id.ID, state State) Event {
	e := Event{Attempt: attempt, State: state, At: epoch, Content: "{}"}
	switch state {
	case Sent:
		e.ProviderID = "wamid.1"
	case Queued:
		retry := epoch.Add(time.Minute)
		e.RetryAt, e.Code = &retry, 130429
	case Failed:
		e.Code = 131026
	}
	return e
}

func anyStatus() *rapid.Generator[Event] {
	return rapid.Map(rapid.SampledFrom([]State{Sent, Failed, Delivered, Read}), status)
}

func anyEvent() *rapid.Generator[Event] {
	return rapid.OneOf(anyStatus(),
		rapid.Map(rapid.SampledFrom([]State{Sent, Failed, Uncertain, Queued}), func(s State) Event { return outcome(ours, s) }),
		rapid.Map(rapid.SampledFrom([]State{Sent, Failed, Uncertain, Queued}), func(s State) Event { return outcome(foreign, s) }),
		rapid.Just(Event{State: Uncertain, At: epoch.Add(time.Hour), Detail: "the owner is gone"}))
}

func anyState() *rapid.Generator[State] {
	return rapid.Custom(func(t *rapid.T) State { return State(rapid.IntRange(int(Queued), int(Suppressed)).Draw(t, "state")) })
}

func TestNoEventTakesAStateBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := claimed(anyState().Draw(t, "first"))
		for _, e := range rapid.SliceOfN(anyEvent(), 1, 12).Draw(t, "events") {
			before := row
			changed := row.apply(e)
			require.GreaterOrEqual(t, State(row.State).rank(), State(before.State).rank(), "%s after %s", State(row.State), State(before.State))
			if !changed {
				require.Equal(t, before, row) // what is not written down must not have moved
			}
			for _, kept := range [][2]*time.Time{{before.SentAt, row.SentAt}, {before.DeliveredAt, row.DeliveredAt}, {before.ReadAt, row.ReadAt}} {
				require.False(t, kept[0] != nil && kept[1] == nil && State(before.State).rank() > 0, "an instant was lost")
			}
		}
	})
}

// Model: after any events the reported rank is the highest that a status, or an outcome accepted in time, gave.
func TestStateIsTheHighestReported(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := claimed(Sending)
		state := Sending
		for _, e := range rapid.SliceOfN(anyEvent(), 0, 12).Draw(t, "events") {
			row.apply(e)
			switch {
			case e.Attempt == foreign:
			case e.Attempt == ours:
				if state == Sending || state == Uncertain {
					state = e.State
				}
			case e.State == Uncertain:
				if state == Sending {
					state = Uncertain
				}
			case e.State.rank() > state.rank():
				state = e.State
			}
			require.Equal(t, state, State(row.State))
		}
	})
}

func TestStatusesGiveOneResultInAnyOrderAndNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.SampledFrom([]State{Sending, Uncertain, Sent}).Draw(t, "first")
		statuses := rapid.SliceOfN(anyStatus(), 1, 8).Draw(t, "statuses")
		start := claimed(first)
		if first == Sent {
			start.apply(outcome(ours, Sent))
			start.SentAt = &epoch
		}
		once, other := start, start
		for _, e := range statuses {
			once.apply(e)
		}
		for _, e := range append(rapid.Permutation(statuses).Draw(t, "order"), statuses...) {
			other.apply(e)
		}
		require.Equal(t, once, other)
	})
}

// Each instant is the report's own, whichever report came first; one that never came is the next one's.
func TestInstantsAreThoseOfTheirReports(t *testing.T) {
	for _, order := range [][]State{{Sent, Delivered, Read}, {Read, Delivered, Sent}, {Delivered, Read, Sent}, {Read, Sent, Delivered}} {
		row := claimed(Sending)
		for _, kind := range order {
			row.apply(status(kind))
		}
		require.Equal(t, status(Sent).At, *row.SentAt, order)
		require.Equal(t, status(Delivered).At, *row.DeliveredAt, order)
		require.Equal(t, status(Read).At, *row.ReadAt, order)
	}
	row := claimed(Sending)
	row.apply(status(Read))
	require.Equal(t, status(Read).At, *row.DeliveredAt)
	require.Equal(t, status(Read).At, *row.SentAt)
}

func TestOutcomeOfAnotherAttemptChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := claimed(anyState().Draw(t, "first"))
		for _, e := range rapid.SliceOfN(anyEvent(), 0, 6).Draw(t, "events") {
			row.apply(e)
		}
		before := row
		for _, state := range []State{Sent, Failed, Uncertain, Queued} {
			require.False(t, row.apply(outcome(foreign, state)))
		}
		require.Equal(t, before, row)
		row.AttemptID = nil // never claimed
		require.False(t, row.apply(outcome(ours, Sent)))
	})
}

func TestLostOwnerMakesOnlyAnOpenClaimUncertain(t *testing.T) {
	lost := Event{State: Uncertain, At: epoch, Detail: "the owner is gone"}
	for state := Queued; state <= Suppressed; state++ {
		row := claimed(state)
		changed := row.apply(lost)
		require.Equal(t, state == Sending, changed, state)
		if state == Sending {
			require.Equal(t, &epoch, row.EndedAt)
			require.Equal(t, "the owner is gone", *row.ErrorDetail)
			require.Equal(t, int16(Uncertain), row.State)
			continue
		}
		require.Equal(t, int16(state), row.State)
	}
}

// What we believed of an uncertain message goes when the truth comes.
func TestLateOutcomeSettlesAnUncertainMessage(t *testing.T) {
	for _, settled := range []State{Sent, Failed, Queued} {
		row := claimed(Sending)
		require.True(t, row.apply(Event{State: Uncertain, At: epoch, Detail: "the owner is gone"}))
		require.True(t, row.apply(outcome(ours, settled)))
		require.Equal(t, settled, State(row.State))
		require.Equal(t, settled == Failed, row.EndedAt != nil)
		if settled == Sent {
			require.Nil(t, row.ErrorDetail)
		}
	}
}

func TestEveryStateHasAWordOfItsOwn(t *testing.T) {
	var words []string
	for s := Queued; s <= Received; s++ {
		parsed, err := ParseState(s.String())
		require.NoError(t, err)
		require.Equal(t, s, parsed)
		require.NotContains(t, words, s.String())
		words = append(words, s.String())
		require.Equal(t, slices.Contains([]State{Queued, Sending}, s), s.Open())
	}
	_, err := ParseState("lost")
	require.Error(t, err)
	require.Equal(t, "state 11", State(11).String())
}
