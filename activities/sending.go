package activities

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// pageFor bounds a page, so that the sender's workflow takes a breath every minute.
const pageFor = 55 * time.Second

// Sending does what the workflow of a connection's sender orders.
type Sending struct {
	DB          *postgres.DB
	Connections *connection.Store
	Adapters    map[channel.Kind]channel.Adapter
	Slots       int // sends at once on one connection
	Hint        func()
	Changed     func(company, campaign id.ID)
}

// LookAtSender says what a connection's sender has to do. It only reads.
func (a *Sending) LookAtSender(ctx context.Context, ref flow.Ref) (look flow.Look, err error) {
	now := time.Now()
	err = a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		outlook, err := send.OutlookOf(ctx, tx, ref.Company, ref.Subject, now)
		look = a.verdict(outlook, now)
		return err
	})
	return look, err
}

func (a *Sending) verdict(o send.Outlook, now time.Time) flow.Look {
	held := o.HeldUntil != nil && o.HeldUntil.After(now)
	var owned time.Time // when the oldest open claim counts as without an owner
	if o.OldestClaim != nil {
		owned = o.OldestClaim.Add(send.ClaimLifetime(a.longestSend()))
	}
	switch {
	case !owned.IsZero() && !owned.After(now):
		return flow.Look{Step: flow.StepPage, State: "working", Reason: "claims without an owner become uncertain"}
	case o.Closed && owned.IsZero():
		return flow.Look{Step: flow.StepEnd, State: "closed", Reason: o.HeldReason}
	case o.Closed:
		return flow.Look{Step: flow.StepWait, State: "closed", Until: owned, Reason: o.HeldReason}
	case o.Claimable && !held:
		return flow.Look{Step: flow.StepPage, State: "working", Reason: "sending what is queued"}
	case held && o.Claimable:
		return flow.Look{Step: flow.StepWait, State: "held", Until: earlier(*o.HeldUntil, owned), Reason: o.HeldReason}
	case o.NextRetry != nil:
		return flow.Look{Step: flow.StepWait, State: "waiting", Until: earlier(*o.NextRetry, owned), Reason: "waits for the next retry"}
	case !owned.IsZero():
		return flow.Look{Step: flow.StepWait, State: "waiting", Until: owned, Reason: "waits for outcomes that are still open"}
	default:
		return flow.Look{Step: flow.StepEnd, State: "idle", Reason: "nothing is queued"}
	}
}

func (a *Sending) longestSend() time.Duration {
	var longest time.Duration
	for _, adapter := range a.Adapters {
		longest = max(longest, adapter.Timeout())
	}
	return longest
}

func earlier(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// SendPage sends what is queued on a connection for at most a minute. It is never retried: the ledger's rows
// say what happened, and the next page begins with them.
func (a *Sending) SendPage(ctx context.Context, ref flow.Ref) (flow.PageResult, error) {
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
		Company: ref.Company, Connection: ref.Subject, Sender: adapter.Open(account, a.Slots), Timeout: adapter.Timeout(),
		Slots: a.Slots, MaxDuration: pageFor, Hint: a.Hint,
		Render:   func(c send.Claim) (channel.Content, error) { return texts.render(ctx, c) },
		Progress: func(r flow.PageResult) { activity.RecordHeartbeat(ctx, r) },
		Changed:  func(campaign id.ID) { a.Changed(ref.Company, campaign) },
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
