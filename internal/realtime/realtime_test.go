package realtime

import (
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres/pgtest"
)

func decoded(t *testing.T, notes []string) (events []Event) {
	t.Helper()
	for _, note := range notes {
		require.LessOrEqual(t, len(note), mostBytes)
		read, err := decode(note)
		require.NoError(t, err)
		events = append(events, read...)
	}
	return events
}

func TestNotesAreReadBackAndStaySmall(t *testing.T) {
	first, second := id.New(), id.New()
	few := map[Event]struct{}{{first, Campaign, id.New()}: {}, {first, Connection, id.New()}: {}, {second, Contacts, id.Nil}: {}}
	events := decoded(t, encode(few))
	require.Len(t, events, 3)
	for _, event := range events {
		require.Contains(t, few, event)
	}
	many := map[Event]struct{}{{second, Contacts, id.Nil}: {}}
	for range 500 {
		many[Event{first, Campaign, id.New()}] = struct{}{}
	}
	require.ElementsMatch(t, []Event{{first, Refetch, id.Nil}, {second, Contacts, id.Nil}}, decoded(t, encode(many)))
}

func TestASlowSubscriberIsDroppedAndTheOthersGoOn(t *testing.T) {
	hub, company := NewHub(""), id.New()
	slow, quick, other := hub.Subscribe(company), hub.Subscribe(company), hub.Subscribe(id.New())
	event := Event{company, Contacts, id.Nil}
	for range behindMost + 1 {
		hub.deliver(event)
		require.Equal(t, event, <-quick.Events)
	}
	seen := 0
	for range slow.Events { // ends, because the hub has closed it
		seen++
	}
	require.Equal(t, behindMost, seen)
	require.Empty(t, other.Events)
	slow.Close()
	quick.Close()
	_, open := <-quick.Events
	require.False(t, open)
	require.Len(t, hub.subs, 1)
}

func TestWhatOneProcessPublishesAnotherHears(t *testing.T) {
	db := pgtest.New(t)
	hub, publisher := NewHub(db.URL()), NewPublisher(db)
	go hub.Run(t.Context())
	go publisher.Run(t.Context())
	<-hub.Listening()
	company := id.New()
	sub := hub.Subscribe(company)
	event := Event{company, Campaign, id.New()}
	publisher.Publish(event, event, Event{id.New(), Contacts, id.Nil})
	for got := range sub.Events {
		if got.Kind != Refetch { // the hub's own word after it began to listen
			require.Equal(t, event, got)
			return
		}
	}
}
