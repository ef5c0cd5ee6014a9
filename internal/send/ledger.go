package send

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wait"
	"omnidesk/internal/wake"
)

// Counts of a campaign's messages by their present state.
type Counts struct {
	Queued, Sending, Sent, Failed, Delivered, Read, Uncertain, Canceled, Expired, Suppressed int

	Replied int // recipients who replied; their messages are among the above (see NoteReplies)
}

// Open counts the messages to which something is still going to happen by itself.
func (c Counts) Open() int { return c.Queued + c.Sending }

// Total counts all messages.
func (c Counts) Total() int {
	return c.Queued + c.Sending + c.Sent + c.Failed + c.Delivered + c.Read + c.Uncertain + c.Canceled + c.Expired + c.Suppressed
}

// add changes the count of one state.
func (c *Counts) add(state State, n int) {
	field := [...]*int{&c.Queued, &c.Sending, &c.Sent, &c.Failed, &c.Delivered, &c.Read, &c.Uncertain, &c.Canceled, &c.Expired, &c.Suppressed}[state]
	*field += n
}

// CountsOf returns the counts of several campaigns; one without messages is missing in the answer.
func CountsOf(ctx context.Context, tx postgres.Tx, company id.ID, campaigns ...id.ID) (map[id.ID]Counts, error) {
	rows, err := New(tx).Counts(ctx, company, campaigns)
	if err != nil {
		return nil, fmt.Errorf("counting messages: %w", err)
	}
	counts := make(map[id.ID]Counts, len(rows))
	for _, r := range rows {
		counts[r.CampaignID] = Counts{int(r.Queued), int(r.Sending), int(r.Sent), int(r.Failed), int(r.Delivered), int(r.Read),
			int(r.Uncertain), int(r.Canceled), int(r.Expired), int(r.Suppressed), int(r.Replied)}
	}
	return counts, nil
}

// addCount appends a change; campaign is id.Nil for messages without one.
func addCount(ctx context.Context, tx postgres.Tx, company, connection, campaign id.ID, c Counts) error {
	return addCountAt(ctx, tx, company, connection, campaign, c, nil)
}

// addCountAt appends a change that became known at an instant, or now.
func addCountAt(ctx context.Context, tx postgres.Tx, company, connection, campaign id.ID, c Counts, at *time.Time) error {
	var of *id.ID
	if campaign != id.Nil {
		of = &campaign
	}
	err := New(tx).InsertCount(ctx, InsertCountParams{CompanyID: company, ConnectionID: connection, CampaignID: of, At: at,
		Queued: int32(c.Queued), Sending: int32(c.Sending), Sent: int32(c.Sent), Failed: int32(c.Failed), Delivered: int32(c.Delivered),
		Read: int32(c.Read), Uncertain: int32(c.Uncertain), Canceled: int32(c.Canceled), Expired: int32(c.Expired), Suppressed: int32(c.Suppressed)})
	if err != nil {
		return fmt.Errorf("counting a change: %w", err)
	}
	return nil
}

// LockScope takes the connection's mutex until the transaction ends. Whoever pauses or cancels calls it
// first: once that transaction has committed, nothing more is claimed.
func LockScope(ctx context.Context, tx postgres.Tx, company, connection id.ID) error {
	if err := New(tx).EnsureScope(ctx, company, connection); err != nil {
		return fmt.Errorf("making the connection's scope: %w", err)
	}
	if _, err := New(tx).LockScope(ctx, company, connection); err != nil {
		return fmt.Errorf("locking the connection: %w", err)
	}
	return nil
}

// holdForReport holds a connection for what the provider reported. The caller has locked the scope.
func holdForReport(ctx context.Context, tx postgres.Tx, company, connection id.ID, h hold, now time.Time) error {
	until, err := New(tx).HoldByReport(ctx, HoldByReportParams{CompanyID: company, ConnectionID: connection, Endless: h.first == 0, Now: now,
		Seconds: h.first.Seconds(), HeldReason: h.reason})
	if errors.Is(err, pgx.ErrNoRows) { // it is held for longer, or closed
		return nil
	}
	if err != nil {
		return fmt.Errorf("holding the connection: %w", err)
	}
	if err := noteLoss(ctx, tx, company, connection, h.probing, until, now); err != nil {
		return err
	}
	return wait.Note(ctx, tx, company, connection, h.reason, h.foreseen(until), now)
}

// ReleaseHold lets claims go on after whatever held the connection has been mended, and wakes its sender.
func ReleaseHold(ctx context.Context, tx postgres.Tx, company, connection id.ID) error {
	n, err := New(tx).ReleaseHold(ctx, company, connection)
	if err != nil {
		return fmt.Errorf("releasing the connection: %w", err)
	}
	if n == 0 {
		return nil
	}
	if err := wait.Note(ctx, tx, company, connection, "", nil, time.Now()); err != nil {
		return err
	}
	return wake.Append(ctx, tx, company, flow.Sender(connection), false)
}

// Close stops claims on a connection until Open: whatever the provider says meanwhile. The caller has locked the
// scope. reason is a sentence that says how to go on.
func Close(ctx context.Context, tx postgres.Tx, company, connection id.ID, reason string, now time.Time) error {
	if err := New(tx).CloseScope(ctx, reason, company, connection); err != nil {
		return fmt.Errorf("closing the connection: %w", err)
	}
	return wait.Note(ctx, tx, company, connection, reason, nil, now)
}

// Open lets claims go on after Close, and wakes the connection's sender.
func Open(ctx context.Context, tx postgres.Tx, company, connection id.ID, now time.Time) error {
	n, err := New(tx).OpenScope(ctx, company, connection)
	if err != nil {
		return fmt.Errorf("opening the connection: %w", err)
	}
	if n == 0 {
		return nil
	}
	if err := wait.Note(ctx, tx, company, connection, "", nil, now); err != nil {
		return err
	}
	return wake.Append(ctx, tx, company, flow.Sender(connection), false)
}

// HeldFor says in words why a connection claims nothing as of now; empty when it does.
func HeldFor(ctx context.Context, tx postgres.Tx, company, connection id.ID, now time.Time) (string, error) {
	held, err := heldAt(ctx, tx, company, connection, now)
	return deref(held.HeldReason), err
}

// forever is the end of a hold that only people end, as CloseScope has it.
var forever = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)

// drained is why nothing is claimed in the whole installation.
var drained = "OmniDesk is drained for an upgrade: nothing is sent, and nothing is lost. Sending goes on when its operator resumes it."

// endless tells whether a hold lasts until a person ends it.
func endless(until *time.Time) bool { return until != nil && !until.Before(never) }

// heldAt reads a connection's hold; one that is over has neither instant nor reason.
func heldAt(ctx context.Context, tx postgres.Tx, company, connection id.ID, now time.Time) (HeldRow, error) {
	held, err := New(tx).Held(ctx, company, connection)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return held, fmt.Errorf("looking for a hold: %w", err)
	}
	if held.HeldUntil != nil && !held.HeldUntil.After(now) {
		held.HeldUntil, held.HeldReason = nil, nil
	}
	if held.Drained && held.RestoreReason == nil {
		held.RestoreReason = &drained
	}
	if held.RestoreReason != nil { // only people end it
		held.HeldUntil, held.HeldReason, held.Closed = &forever, held.RestoreReason, true
	}
	held.Closed = held.Closed || endless(held.HeldUntil)
	return held, nil
}

// QueueRecipients puts a run of a campaign's recipients into the ledger: zone set, after < sequence <= through.
func QueueRecipients(ctx context.Context, tx postgres.Tx, company, connection, campaign id.ID, zoneSet, after, through int32, expires *time.Time) (int, error) {
	ids := make([]id.ID, through-after)
	for i := range ids {
		ids[i] = id.New()
	}
	n, err := New(tx).QueueRecipients(ctx, QueueRecipientsParams{CompanyID: company, ConnectionID: connection, CampaignID: campaign,
		ZoneSetID: zoneSet, AfterSequence: after, ThroughSequence: through, Ids: ids, ExpiresAt: expires})
	if err != nil {
		return 0, fmt.Errorf("queueing recipients: %w", err)
	}
	if int(n) != len(ids) {
		return 0, fmt.Errorf("queueing recipients: the plan has %d where %d were expected", n, len(ids))
	}
	return int(n), addCount(ctx, tx, company, connection, campaign, Counts{Queued: int(n)})
}

// CancelQueued ends a campaign's queued messages. The caller holds the connection's scope.
func CancelQueued(ctx context.Context, tx postgres.Tx, company, connection, campaign id.ID, now time.Time) error {
	n, err := New(tx).CancelQueued(ctx, now, company, connection, &campaign)
	if err != nil {
		return fmt.Errorf("canceling queued messages: %w", err)
	}
	if n == 0 {
		return nil
	}
	return addCount(ctx, tx, company, connection, campaign, Counts{Queued: -int(n), Canceled: int(n)})
}

// ListCampaign returns up to limit messages of a campaign after an id, in the order they were queued.
// No states means any.
func ListCampaign(ctx context.Context, tx postgres.Tx, company, connection, campaign, after id.ID, states []State, limit int) ([]ListCampaignRow, error) {
	rows, err := New(tx).ListCampaign(ctx, ListCampaignParams{CompanyID: company, ConnectionID: connection, CampaignID: &campaign, AfterID: after,
		States: numbersOf(states), RowLimit: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("listing messages: %w", err)
	}
	return rows, nil
}

// numbersOf are states as stored; no states means any.
func numbersOf(states []State) []int16 {
	numbers := make([]int16, 0, len(stateNames))
	for _, s := range states {
		numbers = append(numbers, int16(s))
	}
	for s := range stateNames {
		if len(states) == 0 {
			numbers = append(numbers, int16(s))
		}
	}
	return numbers
}

// Outlook is what a sender would find to do: of the page's lanes 3 to 5, and of the urgent lanes 1 and 2.
type Outlook struct {
	Claimable   bool
	NextRetry   *time.Time
	Urgent      bool // lanes 1 and 2 have something claimable
	UrgentRetry *time.Time
	OldestClaim *time.Time // of the claims without a recorded outcome, in any lane
	HeldUntil   *time.Time
	HeldReason  string
	Closed      bool         // held until a person ends it
	Probing     bool         // one open claim at a time
	Wait        pace.Verdict // why the page may claim nothing of what is queued
	UrgentWait  pace.Verdict // why an urgent run may claim nothing of what is queued
	connection  id.ID
	waits       map[id.ID]pace.Verdict
}

// OutlookOf looks at a connection's rows as of now.
func OutlookOf(ctx context.Context, tx postgres.Tx, company, connection id.ID, now time.Time) (Outlook, error) {
	q := New(tx)
	o := Outlook{connection: connection}
	if err := o.ask(ctx, tx, company, connection, now); err != nil {
		return o, err
	}
	held, err := heldAt(ctx, tx, company, connection, now)
	o.HeldUntil, o.HeldReason, o.Closed, o.Probing = held.HeldUntil, deref(held.HeldReason), held.Closed, held.Probing
	if err != nil || o.HeldUntil != nil || o.Closed || (!o.Claimable && !o.Urgent) {
		return o, err
	}
	return o, o.obey(ctx, q, company, connection, now)
}

// ask looks at the queue and the open claims in one round trip: an urgent message waits for the look that finds it.
func (o *Outlook) ask(ctx context.Context, tx postgres.Tx, company, connection id.ID, now time.Time) error {
	var b pgx.Batch
	b.Queue(claimable, company, connection, now).QueryRow(func(row pgx.Row) error { return row.Scan(&o.Claimable) })
	b.Queue(urgentClaimable, company, connection, now).QueryRow(func(row pgx.Row) error { return row.Scan(&o.Urgent) })
	for _, instant := range []struct {
		into **time.Time
		sql  string
		args []any
	}{
		{&o.NextRetry, nextRetry, []any{company, connection, LaneAutomation, laneCampaign, now}},
		{&o.UrgentRetry, nextRetry, []any{company, connection, LaneReply, LaneUrgent, now}},
		{&o.OldestClaim, oldestClaim, []any{company, connection}},
	} {
		b.Queue(instant.sql, instant.args...).QueryRow(func(row pgx.Row) error {
			if err := row.Scan(instant.into); !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			return nil
		})
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("looking for queued messages and open claims: %w", err)
	}
	return nil
}

// obey takes back what windows and limits do not let go yet, and keeps until when.
func (o *Outlook) obey(ctx context.Context, q *Queries, company, connection id.ID, now time.Time) error {
	hours, err := hoursOf(ctx, q, company)
	if err != nil {
		return err
	}
	limits, err := readPacing(ctx, q, company, connection, now)
	if err != nil {
		return err
	}
	var sources []source
	if o.Claimable {
		if sources, err = sourcesOf(ctx, q, company, connection, hours, now); err != nil {
			return err
		}
		if err := limits.markCounted(ctx, q, company, connection, sources, now); err != nil {
			return err
		}
		if o.Wait, err = lanesWait(ctx, q, company, connection, hours, limits, now, LaneAutomation, LaneQueue); err != nil {
			return err
		}
	}
	switch {
	case o.Urgent && !limits.limited: // no window either
		o.UrgentWait = pace.Verdict{Room: pace.Unlimited, At: now}
	case o.Urgent:
		if o.UrgentWait, err = lanesWait(ctx, q, company, connection, hours, limits, now, LaneReply, LaneUrgent); err != nil {
			return err
		}
	}
	o.waits = campaignWaits(sources, limits, hours.Zone, now)
	outside := o.Wait.Sooner(o.UrgentWait)
	for _, s := range sources {
		o.Wait = o.Wait.Sooner(o.waits[s.campaign])
	}
	o.waits[connection] = outside
	o.Claimable, o.Wait = goes(o.Claimable, o.Wait)
	o.Urgent, o.UrgentWait = goes(o.Urgent, o.UrgentWait)
	return nil
}

// goes tells whether something may go as of a verdict, which is kept only when nothing may.
func goes(queued bool, wait pace.Verdict) (bool, pace.Verdict) {
	if wait.Room > 0 {
		return queued, pace.Verdict{}
	}
	return false, wait
}

// Note keeps what campaigns, and messages outside them, wait for; what waits no more ends its wait. Whoever holds or
// closes a connection, or pauses a campaign, notes that by itself.
func (o Outlook) Note(ctx context.Context, tx postgres.Tx, company id.ID, now time.Time) error {
	if o.Probing {
		return nil
	}
	_, err := noteWaits(ctx, tx, company, o.connection, o.waits, now)
	return err
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
