package send

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/mutant"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
)

// Claim is one message that this process may, and must, put on the wire or give back.
type Claim struct {
	ID          id.ID
	Attempt     id.ID
	Attempts    int   // this one included
	Campaign    id.ID // Nil outside campaigns
	TextVersion int
	To          channel.Address
	Name, Zone  string
	Attributes  json.RawMessage
	At          time.Time
	content     string    // of a message outside campaigns, which was rendered when it was queued
	until       time.Time // when the recipient's window closes; zero: it does not
}

// source is a run of queued rows to claim from: a campaign's rows of one zone set, or, without a campaign, the
// messages outside campaigns.
type source struct {
	campaign    id.ID
	zoneSet     int32
	since       time.Time // no row is older
	needsWindow bool
	schedule    pace.Schedule
	lanes       []int16 // outside campaigns, in their order
}

func (s source) single() bool { return s.campaign == id.Nil }

// settings hold for one turn or record. Who can't have the connection's mutex in a second tries again. Plans are
// made once, whatever is in the arrays, and without a sort: only messages_claim has the order of the sequence,
// while the bounds of ids would tempt the planner to walk the whole campaign along the primary key.
const settings = `SELECT set_config('lock_timeout', '1s', true), set_config('enable_sort', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)`

// Both find rows by their place and so can't be read by sqlc.
//
// claimCampaign takes: company, connection, campaign, zone set, smallest and largest id, now, epoch, limit,
// attempt, whether the text needs an open window.
//
//go:embed claim.sql
var claimCampaign string

// claimSingles takes: company, connection, lowest and highest lane, smallest and largest id, now, epoch, limit,
// attempt, whether the run is urgent.
//
//go:embed claim_single.sql
var claimSingles string

func (p *page) queueClaim(b *pgx.Batch, from source, limit int, attempt id.ID, epoch int32, now time.Time) {
	oldest, newest := id.Floor(from.since), id.Floor(now.Add(time.Minute))
	if from.single() {
		b.Queue(claimSingles, p.Company, p.Connection, from.lanes[0], from.lanes[len(from.lanes)-1], oldest, newest, now, epoch, limit, attempt, p.Urgent)
		return
	}
	b.Queue(claimCampaign, p.Company, p.Connection, from.campaign, from.zoneSet, oldest, newest, now, epoch, limit, attempt, from.needsWindow)
}

// turn writes outcomes down and takes up to limit rows of one source, in one transaction and one round trip: a
// row that is done makes room for the next at the same instant. The claim runs after the scope is locked, so
// that it sees whatever a pause before it has committed. An error means that nothing is known of either half,
// errDry and errFenced that the outcomes are written and nothing was claimed.
// It does not end with ctx: a claim that commits must be known, or its rows would wait to become uncertain.
func (p *page) turn(ctx context.Context, from source, limit int, outcomes []Event) ([]Claim, error) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), onWireWithin)
	defer cancel()
	epoch, attempt, now := p.epoch.Load(), id.New(), p.now()
	if !from.schedule.Open(now) {
		limit = 0
	}
	var got harvest
	var fenced bool
	written := newRecord(outcomes)
	err := p.db.Batch(bounded, p.Company, func(b *pgx.Batch) {
		b.Queue(settings)
		b.Queue(lockForClaim, p.Company, p.Connection, now, p.Urgent)
		written.queue(b, p)
		p.queueClaim(b, from, limit, attempt, epoch, now)
	}, func(results pgx.BatchResults) error {
		if _, err := results.Exec(); err != nil {
			return fmt.Errorf("setting up a turn: %w", err)
		}
		var current int32
		var last time.Time
		var unhealed bool
		if err := results.QueryRow().Scan(&current, &last, &unhealed); err != nil {
			return fmt.Errorf("locking the connection: %w", err)
		}
		p.saw(last, unhealed)
		fenced = current != epoch
		if err := written.read(results); err != nil {
			return err
		}
		return got.read(results, Claim{Attempt: attempt, Campaign: from.campaign, At: now, until: from.schedule.Closes(now)}, from.single())
	})
	if postgres.IsRetryable(err) { // the database says that it has undone it
		return nil, err
	}
	if err != nil {
		return nil, errors.Join(err, p.giveBack(ctx, attempt))
	}
	p.recordLate(ctx, written)
	if !from.single() {
		p.explain(ctx, got.ended, now)
	}
	switch {
	case fenced:
		return nil, errFenced
	case len(got.claims)+len(got.ended) == 0:
		return nil, errDry
	}
	return got.claims, nil
}

// harvest is what a claim brought.
type harvest struct {
	claims []Claim
	ended  []id.ID // what the gate did not let through
}

func (h *harvest) read(results pgx.BatchResults, like Claim, single bool) error {
	rows, err := results.Query()
	if err != nil {
		return fmt.Errorf("claiming messages: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		c := like
		var state int16
		into := []any{&c.ID, &state, &c.Attempts, &c.TextVersion, &c.To.Kind, &c.To.Value, &c.Name, &c.Zone, &c.Attributes}
		if single {
			into = append(into, &c.content)
		}
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("reading a claim: %w", err)
		}
		if State(state) == Sending {
			h.claims = append(h.claims, c)
		} else {
			h.ended = append(h.ended, c.ID)
		}
	}
	return rows.Err()
}

// explain says why messages were not let through.
func (p *page) explain(ctx context.Context, ended []id.ID, now time.Time) {
	if len(ended) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	err := p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error { return New(tx).ExplainEnded(ctx, now, p.Company, ended) })
	if err != nil {
		slog.Warn("messages that may not be sent stay without a reason", "count", len(ended), "error", err)
	}
}

// giveBack undoes a claim whose answer was lost: it may have committed, or may yet, but nothing of it was sent.
// The run takes a new epoch first, so that a claim still on its way finds itself fenced.
func (p *page) giveBack(ctx context.Context, attempt id.ID) error {
	ctx = context.WithoutCancel(ctx)
	var epoch int32
	err := retrying(ctx, func() error {
		return p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) (err error) {
			q := New(tx)
			epoch, err = q.BumpEpoch(ctx, p.Urgent, p.Company, p.Connection, p.epoch.Load())
			if errors.Is(err, pgx.ErrNoRows) { // a newer run has fenced it
				p.halt(errFenced)
			} else if err != nil {
				return err
			}
			return q.GiveBack(ctx, p.Company, p.Connection, &attempt)
		})
	})
	if err == nil && epoch != 0 {
		p.epoch.Store(epoch)
	}
	return err
}

// outcomeEvent translates what the adapter learnt into what the ledger keeps.
func outcomeEvent(c Claim, o channel.Outcome, content string, at time.Time) Event {
	e := Event{Message: c.ID, Attempt: c.Attempt, At: at, ProviderID: o.ProviderID, Code: int32(o.Code), Detail: o.Detail, Content: content}
	switch {
	case o.Class == channel.Accepted:
		e.State = Sent
	case o.Class == channel.Unknown && !mutant.BlindRetry:
		e.State = Uncertain
	case o.Class == channel.Refused && o.Scope == channel.ScopeMessage:
		e.State = Failed
	default: // nothing was accepted: the row waits its turn again
		e.State = Queued
		retry := at.Add(retryAfter(o, c.Attempts))
		e.RetryAt = &retry
	}
	return e
}

// retryAfter is the provider's time, or else 5 s doubling with every attempt up to 10 minutes.
func retryAfter(o channel.Outcome, attempts int) time.Duration {
	if o.RetryAfter > 0 {
		return o.RetryAfter
	}
	return min(5*time.Second<<min(max(attempts-1, 0), 10), 10*time.Minute)
}
