package wake_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/wake"
)

// crowd answers no signal before so many are under way.
type crowd struct {
	wanted  int
	refused func(flow.Target, int) error // by the target and how often it was signalled; may be nil

	mu          sync.Mutex
	under, most int
	complete    chan struct{}
	signalled   map[flow.Target]int
}

func newCrowd(wanted int) *crowd {
	return &crowd{wanted: wanted, complete: make(chan struct{}), signalled: map[flow.Target]int{}}
}

func (c *crowd) Wake(_ context.Context, _ id.ID, target flow.Target) error {
	c.mu.Lock()
	c.under++
	c.most = max(c.most, c.under)
	c.signalled[target]++
	nth := c.signalled[target]
	if c.under == c.wanted {
		c.wanted = -1
		close(c.complete)
	}
	c.mu.Unlock()
	defer func() { c.mu.Lock(); c.under--; c.mu.Unlock() }()
	select {
	case <-c.complete:
	case <-time.After(10 * time.Second):
		return errors.New("the others did not come")
	}
	if c.refused != nil {
		return c.refused(target, nth)
	}
	return nil
}

func (c *crowd) times() map[flow.Target]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.signalled
}

func newBusyOutbox(t *testing.T, c *crowd, targets int) (o *outbox, list []flow.Target) {
	o = newOutbox(t)
	o.relay = wake.NewRelay(o.db, c)
	for range targets {
		target := flow.Sender(id.New())
		list = append(list, target)
		o.append(target, true)
	}
	o.run()
	return o, list
}

// One company's slow signal must not make the others wait: eight go at once, and no more.
func TestSignalsGoEightAtATime(t *testing.T) {
	c := newCrowd(8)
	o, targets := newBusyOutbox(t, c, 20)
	o.awaitEmpty()
	require.Equal(t, 8, c.most)
	for _, target := range targets {
		require.Equal(t, 1, c.times()[target])
	}
}

// A failure keeps its own wake and those that were not tried; what the others have told stays told.
func TestAFailedSignalAmongOthersAloneIsRepeated(t *testing.T) {
	c := newCrowd(8)
	var failing flow.Target
	var once sync.Once
	c.refused = func(target flow.Target, nth int) error {
		once.Do(func() { failing = target })
		if target == failing && nth == 1 {
			return errors.New("Temporal has too much to do")
		}
		return nil
	}
	o, targets := newBusyOutbox(t, c, 20)
	o.awaitEmpty()
	for _, target := range targets {
		want := 1
		if target == failing {
			want = 2
		}
		require.Equal(t, want, c.times()[target])
	}
}
