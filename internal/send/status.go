package send

import (
	"context"
	"fmt"
	"slices"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/mutant"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// Applied tells what statuses have changed.
type Applied struct {
	Campaigns []id.ID // whose counts changed
	Stops     []Stop  // that messages failed for; the caller pauses the campaigns in the same transaction
}

// ApplyStatuses records what a provider reported about messages of one connection. Our own id finds the row directly,
// else the provider's id does; a status that comes before its row knows the provider's id waits in early_statuses.
// Repeated and late statuses change nothing. A failure that concerns the whole connection holds it.
func ApplyStatuses(ctx context.Context, tx postgres.Tx, company, connection id.ID, statuses []channel.Status, now time.Time) (Applied, error) {
	reaching := slices.ContainsFunc(statuses, func(s channel.Status) bool { return s.Scope > channel.ScopePair })
	if reaching { // it may hold the connection: the scope comes before the messages
		if err := LockScope(ctx, tx, company, connection); err != nil {
			return Applied{}, err
		}
	}
	events := make([]Event, 0, len(statuses))
	var unknown []channel.Status
	for _, s := range statuses {
		if s.MessageID == id.Nil {
			unknown = append(unknown, s)
			continue
		}
		events = append(events, statusEvent(s, s.MessageID))
	}
	found, err := resolve(ctx, tx, company, connection, unknown)
	if err != nil {
		return Applied{}, err
	}
	changed, err := fold(ctx, tx, company, connection, append(events, found...))
	if err != nil {
		return Applied{}, err
	}
	applied := Applied{Campaigns: changed.campaigns()}
	if reaching {
		applied.Stops, err = heed(ctx, tx, changed, statuses, now)
	}
	return applied, err
}

// freshFor is how old a report may be to say something about the present.
const freshFor = 15 * time.Minute

// heed holds the connection for failures that concern it and returns those that pause campaigns. Only messages that failed
// just now count: a report that comes again must not stop what people have let go on.
func heed(ctx context.Context, tx postgres.Tx, changed *changes, statuses []channel.Status, now time.Time) (stops []Stop, err error) {
	reports := map[int]channel.Status{}
	for _, s := range statuses {
		if s.Kind == channel.StatusFailed && s.Scope > channel.ScopePair && now.Sub(s.At) < freshFor {
			reports[s.Code] = s
		}
	}
	for key, n := range changed.failed {
		report, ok := reports[int(key.code)]
		if !ok || n <= 0 {
			continue
		}
		if h, reaches := holdOf(report.Scope, report.RetryAfter, report.Detail); reaches {
			if err := holdForReport(ctx, tx, changed.company, changed.connection, h, now); err != nil {
				return nil, err
			}
			continue
		}
		stop := Stop{Campaign: key.campaign, Scope: report.Scope, Code: report.Code, Reason: report.Detail}
		if report.RetryAfter > 0 {
			until := now.Add(report.RetryAfter)
			stop.Until = &until
		}
		stops = append(stops, stop)
	}
	return stops, nil
}

func statusEvent(s channel.Status, message id.ID) Event {
	state := map[channel.StatusKind]State{channel.StatusSent: Sent, channel.StatusDelivered: Delivered,
		channel.StatusRead: Read, channel.StatusFailed: Failed}[s.Kind]
	return Event{Message: message, State: state, At: s.At, ProviderID: s.ProviderID, Code: int32(s.Code), Detail: s.Detail}
}

// resolve finds rows by the provider's id and keeps the statuses of unknown ones for later.
func resolve(ctx context.Context, tx postgres.Tx, company, connection id.ID, statuses []channel.Status) ([]Event, error) {
	if len(statuses) == 0 {
		return nil, nil
	}
	ids := make([]string, len(statuses))
	for i, s := range statuses {
		ids[i] = s.ProviderID
	}
	rows, err := New(tx).FindByProviderID(ctx, company, connection, ids)
	if err != nil {
		return nil, fmt.Errorf("finding messages by the provider's ids: %w", err)
	}
	known := make(map[string]id.ID, len(rows))
	for _, r := range rows {
		known[r.ProviderID] = r.MessageID
	}
	var events []Event
	early := InsertEarlyParams{CompanyID: company, ConnectionID: connection}
	for _, s := range statuses {
		if message, ok := known[s.ProviderID]; ok {
			events = append(events, statusEvent(s, message))
			continue
		}
		e := statusEvent(s, id.Nil)
		early.ProviderIds = append(early.ProviderIds, s.ProviderID)
		early.States = append(early.States, int16(e.State))
		early.Ats = append(early.Ats, e.At)
		early.ErrorCodes = append(early.ErrorCodes, e.Code)
		early.ErrorDetails = append(early.ErrorDetails, e.Detail)
	}
	if len(early.ProviderIds) > 0 {
		if err := New(tx).InsertEarly(ctx, early); err != nil {
			return nil, fmt.Errorf("keeping early statuses: %w", err)
		}
	}
	return events, nil
}

// applyEarly applies the statuses that waited for provider ids which are known by now.
func applyEarly(ctx context.Context, tx postgres.Tx, company, connection id.ID) error {
	rows, err := New(tx).TakeEarly(ctx, company, connection)
	if err != nil {
		return fmt.Errorf("taking early statuses: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ProviderID
	}
	found, err := New(tx).FindByProviderID(ctx, company, connection, ids)
	if err != nil {
		return fmt.Errorf("finding the messages of early statuses: %w", err)
	}
	message := make(map[string]id.ID, len(found))
	for _, f := range found {
		message[f.ProviderID] = f.MessageID
	}
	events := make([]Event, 0, len(rows))
	for _, r := range rows {
		e := Event{Message: message[r.ProviderID], State: State(r.State), At: r.At, ProviderID: r.ProviderID}
		if r.ErrorCode != nil {
			e.Code = *r.ErrorCode
		}
		if r.ErrorDetail != nil {
			e.Detail = *r.ErrorDetail
		}
		events = append(events, e)
	}
	_, err = applyEvents(ctx, tx, company, connection, events)
	return err
}

// SweepOverdue turns claims made before an instant into uncertain ones: their owner is gone, no outcome can
// come. It returns the campaigns they belong to.
func SweepOverdue(ctx context.Context, tx postgres.Tx, company, connection id.ID, before, now time.Time) ([]id.ID, error) {
	ids, err := New(tx).Overdue(ctx, company, connection, before)
	if err != nil {
		return nil, fmt.Errorf("looking for claims without an owner: %w", err)
	}
	if mutant.RetryUncertain {
		return ids, requeue(ctx, tx, company, ids)
	}
	events := make([]Event, 0, len(ids))
	for _, message := range ids {
		events = append(events, Event{Message: message, State: Uncertain, At: now,
			Detail: "The worker that was sending it died; the provider may have it. A status will settle it, or decide by hand."})
	}
	return applyEvents(ctx, tx, company, connection, events)
}

// applyEvents folds events into their rows under row locks, in the order of ids, and counts the changes. Events
// about rows of another connection are dropped. It wakes campaigns whose open messages became fewer.
func applyEvents(ctx context.Context, tx postgres.Tx, company, connection id.ID, events []Event) ([]id.ID, error) {
	changed, err := fold(ctx, tx, company, connection, events)
	if err != nil {
		return nil, err
	}
	return changed.campaigns(), nil
}

func fold(ctx context.Context, tx postgres.Tx, company, connection id.ID, events []Event) (*changes, error) {
	changes := newChanges(company, connection)
	if len(events) == 0 {
		return changes, nil
	}
	slices.SortStableFunc(events, func(a, b Event) int { return slices.Compare(a.Message[:], b.Message[:]) })
	ids := make([]id.ID, 0, len(events))
	for _, e := range events {
		ids = append(ids, e.Message)
	}
	ids = slices.Compact(ids)
	rows, err := New(tx).ForUpdate(ctx, company, ids, ids[0], ids[len(ids)-1])
	if err != nil {
		return nil, fmt.Errorf("locking messages: %w", err)
	}
	for i := range rows {
		row := &rows[i]
		if row.ConnectionID != connection {
			continue
		}
		before, hadProviderID, code := State(row.State), row.ProviderID != nil, row.ErrorCode
		changed := false
		for at, _ := slices.BinarySearchFunc(events, row.ID, func(e Event, want id.ID) int { return slices.Compare(e.Message[:], want[:]) }); at < len(events) && events[at].Message == row.ID; at++ {
			if row.apply(events[at]) {
				changed = true
				changes.tries.add(events[at], deref(row.AttemptID))
			}
		}
		if changed {
			changes.add(row, before, code, !hadProviderID && row.ProviderID != nil)
		}
	}
	return changes, changes.write(ctx, tx)
}

// changes gathers changed rows for set statements.
type changes struct {
	company, connection id.ID

	rows   []*ForUpdateRow
	known  []*ForUpdateRow   // with a provider id that is new
	counts map[id.ID]*Counts // by campaign; id.Nil for messages without one
	failed map[failureKey]int
	tries  tries
	closed map[id.ID]bool // campaigns with a row that was open and is not any more
}

type failureKey struct {
	campaign id.ID
	code     int32
}

func newChanges(company, connection id.ID) *changes {
	return &changes{company: company, connection: connection, counts: map[id.ID]*Counts{}, failed: map[failureKey]int{}, closed: map[id.ID]bool{}}
}

func (c *changes) add(r *ForUpdateRow, before State, codeBefore *int32, newProviderID bool) {
	c.rows = append(c.rows, r)
	if newProviderID {
		c.known = append(c.known, r)
	}
	after := State(r.State)
	if after == before {
		return
	}
	campaign := deref(r.CampaignID)
	counts := c.counts[campaign]
	if counts == nil {
		counts = &Counts{}
		c.counts[campaign] = counts
	}
	counts.add(before, -1)
	counts.add(after, 1)
	if before == Failed {
		c.failed[failureKey{campaign, deref(codeBefore)}]--
	}
	if after == Failed {
		c.failed[failureKey{campaign, deref(r.ErrorCode)}]++
	}
	if before.Open() && !after.Open() {
		c.closed[campaign] = true
	}
}

// campaigns are those whose counts changed.
func (c *changes) campaigns() []id.ID {
	touched := make([]id.ID, 0, len(c.counts))
	for campaign := range c.counts {
		if campaign != id.Nil {
			touched = append(touched, campaign)
		}
	}
	return touched
}

func (c *changes) write(ctx context.Context, tx postgres.Tx) error {
	if len(c.rows) == 0 {
		return nil
	}
	q := New(tx)
	if _, err := tx.Exec(ctx, writeRows, c.columns()...); err != nil {
		return fmt.Errorf("writing messages: %w", err)
	}
	if len(c.known) > 0 {
		err := q.InsertProviderIDs(ctx, c.company, column(c.known, func(r *ForUpdateRow) id.ID { return r.ConnectionID }),
			column(c.known, func(r *ForUpdateRow) string { return *r.ProviderID }), column(c.known, func(r *ForUpdateRow) id.ID { return r.ID }))
		if err != nil {
			return fmt.Errorf("keeping the provider's ids: %w", err)
		}
	}
	for campaign, counts := range c.counts {
		if err := addCount(ctx, tx, c.company, c.connection, campaign, *counts); err != nil {
			return err
		}
		if c.closed[campaign] && campaign != id.Nil {
			if err := wake.Append(ctx, tx, c.company, flow.Campaign(campaign), false); err != nil {
				return err
			}
		}
	}
	if err := c.tries.write(ctx, tx, c.company); err != nil {
		return err
	}
	return countFailures(ctx, tx, c.company, c.failed)
}

// columns are the arguments of writeRows, in the order of its parameters: generated code can't pass nulls in arrays.
func (c *changes) columns() []any {
	return []any{
		c.company, c.rows[0].ID, c.rows[len(c.rows)-1].ID,
		column(c.rows, func(r *ForUpdateRow) id.ID { return r.ID }),
		column(c.rows, func(r *ForUpdateRow) int16 { return r.State }),
		column(c.rows, func(r *ForUpdateRow) *string { return r.ProviderID }),
		column(c.rows, func(r *ForUpdateRow) *time.Time { return r.SentAt }),
		column(c.rows, func(r *ForUpdateRow) *time.Time { return r.DeliveredAt }),
		column(c.rows, func(r *ForUpdateRow) *time.Time { return r.ReadAt }),
		column(c.rows, func(r *ForUpdateRow) *time.Time { return r.EndedAt }),
		column(c.rows, func(r *ForUpdateRow) *int32 { return r.ErrorCode }),
		column(c.rows, func(r *ForUpdateRow) *string { return r.ErrorDetail }),
		column(c.rows, func(r *ForUpdateRow) *time.Time { return r.RetryAt }),
		column(c.rows, func(r *ForUpdateRow) *string { return r.Content }),
	}
}

func column[T any](rows []*ForUpdateRow, of func(*ForUpdateRow) T) []T {
	values := make([]T, len(rows))
	for i, r := range rows {
		values[i] = of(r)
	}
	return values
}
