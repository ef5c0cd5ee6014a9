package activities

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// A run lasts between these two, so that the sender's workflow takes a breath every minute and those of many connections
// that began together don't all take it at the same instant.
const (
	runAtLeast = 40 * time.Second
	runAtMost  = 55 * time.Second
)

// Sending does what the workflow of a connection's sender orders.
type Sending struct {
	DB          *postgres.DB
	Connections *connection.Store
	Adapters    map[channel.Kind]channel.Adapter
	Slots       int // sends at once on one connection
	UrgentSlots int // of urgent messages, beside those
	Hint        func()
	Changed     func(company, campaign id.ID)
}

// LookAtSender says what a connection's sender has to do. It changes nothing but the notes of what waits.
func (a *Sending) LookAtSender(ctx context.Context, ref flow.Ref) (look flow.Look, err error) {
	now := time.Now()
	err = a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		outlook, err := send.OutlookOf(ctx, tx, ref.Company, ref.Subject, now)
		if err != nil {
			return err
		}
		look = a.verdict(outlook, now)
		return outlook.Note(ctx, tx, ref.Company, now)
	})
	return look, err
}

// probeEvery is how soon a sender looks again that sends one message at a time and has one on the wire.
const probeEvery = 2 * time.Second

func (a *Sending) verdict(o send.Outlook, now time.Time) flow.Look {
	stopped, why := stoppedUntil(o, now)
	look := flow.Look{Urgent: o.Urgent && stopped.IsZero(), UrgentAt: earliest(deref(o.UrgentRetry), o.UrgentWait.At)}
	if o.Urgent {
		look.UrgentAt = stopped
	}
	var owned, resumed time.Time // when the oldest open claim counts as without an owner; when the page may go on
	if o.OldestClaim != nil {
		owned = o.OldestClaim.Add(send.ClaimLifetime(a.longestSend()))
	}
	if o.Claimable {
		resumed = stopped
	}
	until := earliest(owned, resumed, o.Wait.At, deref(o.NextRetry), look.UrgentAt)
	say := func(step flow.Step, state, reason string) { look.Step, look.State, look.Reason = step, state, reason }
	switch {
	case !owned.IsZero() && !owned.After(now):
		say(flow.StepPage, "working", "claims without an owner become uncertain")
	case o.Closed && owned.IsZero():
		say(flow.StepEnd, "closed", o.HeldReason)
	case o.Closed:
		say(flow.StepWait, "closed", o.HeldReason)
	case o.Claimable && stopped.IsZero():
		say(flow.StepPage, "working", "sending what is queued")
	case look.Urgent:
		say(flow.StepWait, "working", "sending urgent messages")
	case !stopped.IsZero() && (o.Claimable || o.Urgent):
		say(flow.StepWait, "held", why)
	case o.Wait.Reason.Kind != pace.None:
		say(flow.StepWait, "waiting", o.Wait.Words(now))
	case o.UrgentWait.Reason.Kind != pace.None:
		say(flow.StepWait, "waiting", o.UrgentWait.Words(now))
	case o.NextRetry != nil || o.UrgentRetry != nil:
		say(flow.StepWait, "waiting", "waits for the next retry")
	case !owned.IsZero():
		say(flow.StepWait, "waiting", "waits for outcomes that are still open")
	default:
		say(flow.StepEnd, "idle", "nothing is queued")
	}
	if look.Step == flow.StepWait {
		look.Until = until
	}
	return look
}

// stoppedUntil tells until when nothing may be claimed in any lane, and why; zero: claims go on.
func stoppedUntil(o send.Outlook, now time.Time) (time.Time, string) {
	switch {
	case o.HeldUntil != nil:
		return *o.HeldUntil, o.HeldReason
	case o.Probing && o.OldestClaim != nil:
		return now.Add(probeEvery), "one message at a time, until the provider gives clear answers again"
	}
	return time.Time{}, ""
}

func (a *Sending) longestSend() time.Duration {
	var longest time.Duration
	for _, adapter := range a.Adapters {
		longest = max(longest, adapter.Timeout())
	}
	return longest
}

// earliest returns the first of some instants; zero is none.
func earliest(instants ...time.Time) (first time.Time) {
	for _, at := range instants {
		if first.IsZero() || (!at.IsZero() && at.Before(first)) {
			first = at
		}
	}
	return first
}

func deref(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}

// SendPage sends what is queued on a connection for at most a minute. It is never retried: the ledger's rows
// say what happened, and the next page begins with them.
func (a *Sending) SendPage(ctx context.Context, ref flow.Ref) (flow.PageResult, error) {
	return a.send(ctx, ref, false)
}

// SendUrgent sends what is queued in the urgent lanes of a connection, and what comes within a few seconds after it.
// It runs beside a page and knows nothing of it.
func (a *Sending) SendUrgent(ctx context.Context, ref flow.Ref) (flow.PageResult, error) {
	return a.send(ctx, ref, true)
}

func (a *Sending) send(ctx context.Context, ref flow.Ref, urgent bool) (flow.PageResult, error) {
	slots := a.Slots
	if urgent {
		slots = a.UrgentSlots
	}
	account, err := a.account(ctx, ref)
	if err != nil {
		return flow.PageResult{}, retryClass(err)
	}
	adapter, ok := a.Adapters[account.Kind]
	if !ok {
		return flow.PageResult{}, fmt.Errorf("this worker has no adapter for the channel %s", account.Kind)
	}
	// A worker that is asked to stop ends its page in order: no claim is left open.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-activity.GetWorkerStopChannel(ctx):
			cancel()
		case <-ctx.Done():
		}
	}()
	texts := &texts{db: a.DB, company: ref.Company, known: map[textKey]*campaign.Renderer{}}
	result, err := send.RunPage(ctx, a.DB, send.Options{
		Company: ref.Company, Connection: ref.Subject, Urgent: urgent, Sender: adapter.Open(account, slots), Timeout: adapter.Timeout(),
		Slots: slots, MaxDuration: runAtLeast + rand.N(runAtMost-runAtLeast), Hint: a.Hint, //nolint:gosec // nobody gains by guessing it
		Render:   func(c send.Claim) (channel.Content, error) { return texts.render(ctx, c) },
		Progress: func(r flow.PageResult) { activity.RecordHeartbeat(ctx, r) },
		Changed:  func(campaign id.ID) { a.Changed(ref.Company, campaign) },
		Pause: func(ctx context.Context, tx postgres.Tx, stop send.Stop) ([]id.ID, error) {
			return campaign.PauseFor(ctx, tx, ref.Company, ref.Subject, campaign.Halt(stop), time.Now())
		},
	})
	return result, retryClass(err)
}

func (a *Sending) account(ctx context.Context, ref flow.Ref) (account channel.Account, err error) {
	err = a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		account, err = a.Connections.Account(ctx, tx, ref.Company, ref.Subject)
		return err
	})
	return account, err
}

// texts keeps the contents of the campaigns that a page meets.
type texts struct {
	db      *postgres.DB
	company id.ID
	mu      sync.Mutex
	known   map[textKey]*campaign.Renderer
}

type textKey struct {
	campaign id.ID
	version  int
}

func (t *texts) render(ctx context.Context, c send.Claim) (channel.Content, error) {
	renderer, err := t.renderer(ctx, textKey{c.Campaign, c.TextVersion})
	if err != nil {
		return channel.Content{}, err
	}
	return renderer.Render(campaign.Person{Name: c.Name, Phone: c.To.Value, Zone: c.Zone, Attributes: c.Attributes}), nil
}

func (t *texts) renderer(ctx context.Context, key textKey) (*campaign.Renderer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.known[key]; known != nil {
		return known, nil
	}
	err := t.db.InCompany(context.WithoutCancel(ctx), t.company, func(tx postgres.Tx) error {
		c, err := campaign.Get(ctx, tx, t.company, key.campaign)
		t.known[key] = c.Content.Renderer()
		return err
	})
	if err != nil {
		delete(t.known, key)
		return nil, fmt.Errorf("reading the campaign's text: %w", err)
	}
	return t.known[key], nil
}
