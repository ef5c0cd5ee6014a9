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
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/wake"
)

// temporal notes every signal with its instant, and fails while it is told to.
type temporal struct {
	mu      sync.Mutex
	failing error
	before  func(flow.Target) // runs at each signal, before it counts
	signals []signal
	arrived chan struct{}
}

type signal struct {
	company id.ID
	target  flow.Target
	at      time.Time
	failed  bool
}

func newTemporal() *temporal { return &temporal{arrived: make(chan struct{}, 1000)} }

func (f *temporal) Wake(_ context.Context, company id.ID, target flow.Target) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.before != nil {
		f.before(target)
	}
	f.signals = append(f.signals, signal{company, target, time.Now(), f.failing != nil})
	f.arrived <- struct{}{}
	return f.failing
}

func (f *temporal) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failing = err
}

func (f *temporal) all() []signal {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]signal(nil), f.signals...)
}

// await waits for n more signals, for as long as two sweeps at most.
func (f *temporal) await(t *testing.T, n int) {
	t.Helper()
	deadline := time.After(12 * time.Second)
	for range n {
		select {
		case <-f.arrived:
		case <-deadline:
			require.FailNow(t, "too few signals")
		}
	}
}

type outbox struct {
	*testing.T
	db       *postgres.DB
	company  id.ID
	temporal *temporal
	relay    *wake.Relay
}

func newOutbox(t *testing.T) *outbox {
	t.Parallel() // they mostly wait
	db := pgtest.New(t)
	o := &outbox{T: t, db: db, company: pgtest.Company(t, db), temporal: newTemporal()}
	o.relay = wake.NewRelay(db, o.temporal)
	return o
}

func (o *outbox) run() {
	o.Helper()
	ctx, stop := context.WithCancel(context.Background())
	relay, done := o.relay, make(chan struct{})
	go func() { defer close(done); relay.Run(ctx) }()
	o.Cleanup(func() { stop(); <-done })
}

func (o *outbox) append(target flow.Target, urgent bool) {
	o.Helper()
	require.NoError(o, o.db.InCompany(context.Background(), o.company, func(tx postgres.Tx) error {
		return wake.Append(context.Background(), tx, o.company, target, urgent)
	}))
}

func (o *outbox) wake(target flow.Target, urgent bool) {
	o.Helper()
	o.append(target, urgent)
	o.relay.Hint()
}

func (o *outbox) left() (n int) {
	o.Helper()
	require.NoError(o, o.db.InSystem(context.Background(), func(tx postgres.Tx) error {
		return tx.QueryRow(context.Background(), `SELECT count(*) FROM wakes`).Scan(&n)
	}))
	return n
}

func (o *outbox) awaitEmpty() {
	o.Helper()
	require.Eventually(o, func() bool { return o.left() == 0 }, 12*time.Second, 10*time.Millisecond)
}

func TestWakeGoesOutOnceAndIsDeleted(t *testing.T) {
	o := newOutbox(t)
	o.run()
	target := flow.Campaign(id.New())
	began := time.Now()
	o.wake(target, false)
	o.temporal.await(t, 1)
	require.Less(t, time.Since(began), 3*time.Second) // the hint, not the sweep
	o.awaitEmpty()
	sent := o.temporal.all()
	require.Len(t, sent, 1)
	require.Equal(t, o.company, sent[0].company)
	require.Equal(t, target, sent[0].target)
}

func TestRolledBackWakeIsNeverSeen(t *testing.T) {
	o := newOutbox(t)
	failed := errors.New("the work failed")
	err := o.db.InCompany(t.Context(), o.company, func(tx postgres.Tx) error {
		if err := wake.Append(t.Context(), tx, o.company, flow.Sender(id.New()), true); err != nil {
			return err
		}
		return failed
	})
	require.ErrorIs(t, err, failed)
	require.Zero(t, o.left())
}

// The first wake of a target goes at once; those that follow share one signal per gap.
func TestWakesOfOneTargetArePaced(t *testing.T) {
	for name, c := range map[string]struct {
		urgent bool
		gap    time.Duration
	}{"urgent": {true, 250 * time.Millisecond}, "others": {false, 2 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			o := newOutbox(t)
			o.run()
			target := flow.Sender(id.New())
			began := time.Now()
			o.wake(target, c.urgent)
			o.temporal.await(t, 1)
			for range 40 {
				o.wake(target, c.urgent)
			}
			o.temporal.await(t, 1)
			o.awaitEmpty()
			sent := o.temporal.all()
			spent := time.Since(began)
			require.LessOrEqual(t, len(sent), 2+int(spent/c.gap))
			for i := 1; i < len(sent); i++ {
				require.GreaterOrEqual(t, sent[i].at.Sub(sent[i-1].at), c.gap-20*time.Millisecond)
			}
			require.Less(t, sent[1].at.Sub(sent[0].at), c.gap+1500*time.Millisecond) // by its own timer, not by the sweep
		})
	}
}

func TestUrgentWakeDoesNotWaitForTheCommonGap(t *testing.T) {
	o := newOutbox(t)
	o.run()
	target := flow.Sender(id.New())
	o.wake(target, false)
	o.temporal.await(t, 1)
	o.wake(target, true)
	o.temporal.await(t, 1)
	sent := o.temporal.all()
	require.Less(t, sent[1].at.Sub(sent[0].at), 1500*time.Millisecond)
}

func TestOneTargetDoesNotPaceAnother(t *testing.T) {
	o := newOutbox(t)
	o.run()
	began := time.Now()
	for range 20 {
		o.append(flow.Sender(id.New()), false)
	}
	o.relay.Hint()
	o.temporal.await(t, 20)
	require.Less(t, time.Since(began), 3*time.Second)
	o.awaitEmpty()
}

// While Temporal is away the rows stay; when it is back they go out.
func TestWakesStayWhileTemporalIsAway(t *testing.T) {
	o := newOutbox(t)
	o.temporal.fail(errors.New("no connection"))
	o.run()
	target := flow.Campaign(id.New())
	o.wake(target, false)
	o.temporal.await(t, 1)
	require.Equal(t, 1, o.left())
	o.temporal.fail(nil)
	o.temporal.await(t, 1) // no hint: the sweep finds it
	o.awaitEmpty()
	sent := o.temporal.all()
	require.True(t, sent[0].failed)
	require.False(t, sent[len(sent)-1].failed)
}

// A wake that is appended while the signal is under way means something that the signalled look may not have
// seen: it must not be deleted with those that were read.
func TestOnlyWhatWasReadIsDeleted(t *testing.T) {
	o := newOutbox(t)
	target := flow.Sender(id.New())
	late := 3
	o.temporal.before = func(flow.Target) {
		for ; late > 0; late-- {
			o.append(target, false)
		}
	}
	o.append(target, false)
	o.run()
	o.temporal.await(t, 1)
	require.Eventually(t, func() bool { return o.left() == 3 }, 1500*time.Millisecond, 5*time.Millisecond)
	o.temporal.await(t, 1) // and so they cause a signal of their own
	o.awaitEmpty()
	require.Len(t, o.temporal.all(), 2)
}

// A sender whose page is live looks by itself; its wakes wait for the end of the page. Urgent ones don't.
func TestSenderIsNotWokenWhileItsPageIsLive(t *testing.T) {
	o := newOutbox(t)
	live, other := id.New(), id.New()
	owner := pgtest.Owner(t, o.db)
	_, err := owner.Exec(t.Context(), `INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug, sealed_app_secret, sealed_token, sealed_verify_token)
		SELECT $1, c, 'whatsapp_cloud', 'C', '1', '2', c::text, c::text, '', '', '' FROM unnest($2::uuid[]) c`, o.company, []id.ID{live, other})
	require.NoError(t, err)
	_, err = owner.Exec(t.Context(), `INSERT INTO scopes (company_id, connection_id, page_live_until) VALUES ($1, $2, now() + interval '1 hour'), ($1, $3, now() - interval '1 second')`, o.company, live, other)
	require.NoError(t, err)
	o.append(flow.Sender(live), false)
	o.append(flow.Sender(other), false)
	o.append(flow.Campaign(live), false) // another workflow that happens to have the same id
	o.run()
	o.temporal.await(t, 2)
	require.Eventually(t, func() bool { return o.left() == 1 }, time.Second, 5*time.Millisecond)
	for _, s := range o.temporal.all() {
		require.NotEqual(t, flow.Sender(live), s.target)
	}
	o.wake(flow.Sender(live), true)
	o.temporal.await(t, 1)
	require.Equal(t, flow.Sender(live), o.temporal.all()[2].target)
	require.Eventually(t, func() bool { return o.left() == 1 }, time.Second, 5*time.Millisecond) // the common one still waits
	_, err = owner.Exec(t.Context(), `UPDATE scopes SET page_live_until = NULL`)
	require.NoError(t, err)
	o.relay.Hint()
	o.temporal.await(t, 1)
	o.awaitEmpty()
}

// Several processes relay at once: a wake may be signalled twice, which does no harm, but none is left or lost.
func TestSeveralRelaysLoseNothing(t *testing.T) {
	o := newOutbox(t)
	targets := map[flow.Target]bool{}
	for range 100 {
		target := flow.Campaign(id.New())
		targets[target] = true
		o.append(target, false)
	}
	for range 3 {
		o.relay = wake.NewRelay(o.db, o.temporal)
		o.run()
	}
	o.awaitEmpty()
	for _, s := range o.temporal.all() {
		delete(targets, s.target)
	}
	require.Empty(t, targets)
}

func TestHintNeverBlocks(t *testing.T) {
	relay := wake.NewRelay(nil, nil)
	for range 1000 {
		relay.Hint()
	}
}
