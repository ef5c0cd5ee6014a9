package send

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Claim is one message that this process may, and must, put on the wire or give back.
type Claim struct {
	ID          id.ID
	Attempt     id.ID
	Attempts    int // this one included
	Campaign    id.ID
	TextVersion int
	To          channel.Address
	Name, Zone  string
	Attributes  json.RawMessage
	At          time.Time
}

// source is a run of queued rows to claim from: a campaign's rows of one zone set.
type source struct {
	campaign    id.ID
	zoneSet     int32
	since       time.Time // no row is older
	needsWindow bool
}

// claimSettings hold for one claim. Who can't have the connection's mutex in a second tries again. The plan is
// made once, without a sort: only messages_claim has the order of the sequence, while the bounds of ids would
// tempt the planner to walk the whole campaign along the primary key.
const claimSettings = `SELECT set_config('lock_timeout', '1s', true), set_config('enable_sort', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)`

// recordSettings hold for one record: its plan never depends on what is in the arrays.
const recordSettings = `SELECT set_config('plan_cache_mode', 'force_generic_plan', true)`

// claimCampaign takes: company, connection, campaign, zone set, smallest and largest id, now, epoch, limit,
// attempt, whether the text needs an open window.
//
//go:embed claim.sql
var claimCampaign string

// claim takes up to limit rows of one source, in one transaction and one round trip. The second statement
// runs after the first has locked the scope, so that it sees whatever a pause before it has committed.
// It returns errFenced when a newer page owns the connection; verdicts other than sending are recorded there.
// It does not end with ctx: a claim that commits must be known, or its rows would wait to become uncertain.
func (p *page) claim(ctx context.Context, from source, limit int) ([]Claim, error) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), onWireWithin)
	defer cancel()
	epoch := p.epoch.Load()
	attempt, now := id.New(), p.now()
	var claims []Claim
	var ended []id.ID // what the gate did not let through
	var fenced bool
	err := p.db.Batch(bounded, p.Company, func(b *pgx.Batch) {
		b.Queue(claimSettings)
		b.Queue(lockForClaim, p.Company, p.Connection, now)
		b.Queue(claimCampaign, p.Company, p.Connection, from.campaign, from.zoneSet, id.Floor(from.since), id.Floor(now.Add(time.Minute)),
			now, epoch, limit, attempt, from.needsWindow)
	}, func(results pgx.BatchResults) error {
		if _, err := results.Exec(); err != nil {
			return fmt.Errorf("setting up a claim: %w", err)
		}
		var current int32
		var last time.Time
		if err := results.QueryRow().Scan(&current, &last); err != nil {
			return fmt.Errorf("locking the connection: %w", err)
		}
		p.sawInstant(last)
		fenced = current != epoch
		rows, err := results.Query()
		if err != nil {
			return fmt.Errorf("claiming messages: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			c := Claim{Attempt: attempt, Campaign: from.campaign, At: now}
			var state int16
			if err := rows.Scan(&c.ID, &state, &c.Attempts, &c.TextVersion, &c.To.Kind, &c.To.Value, &c.Name, &c.Zone, &c.Attributes); err != nil {
				return fmt.Errorf("reading a claim: %w", err)
			}
			if State(state) == Sending {
				claims = append(claims, c)
			} else {
				ended = append(ended, c.ID)
			}
		}
		return rows.Err()
	})
	switch {
	case err != nil:
		return nil, errors.Join(err, p.giveBack(ctx, attempt))
	case fenced:
		return nil, errFenced
	case len(claims)+len(ended) == 0:
		return nil, errDry
	case len(ended) > 0:
		err = p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error { return New(tx).ExplainEnded(ctx, now, p.Company, ended) })
		if err != nil {
			slog.Warn("messages that may not be sent stay without a reason", "count", len(ended), "error", err)
		}
	}
	return claims, nil
}

// giveBack undoes a claim whose answer was lost: it may have committed, or may yet, but nothing of it was sent.
// The page takes a new epoch first, so that a claim still on its way finds itself fenced.
func (p *page) giveBack(ctx context.Context, attempt id.ID) error {
	ctx = context.WithoutCancel(ctx)
	var epoch int32
	err := retrying(ctx, func() error {
		return p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) (err error) {
			q := New(tx)
			epoch, err = q.BumpEpoch(ctx, p.Company, p.Connection, p.epoch.Load())
			if errors.Is(err, pgx.ErrNoRows) { // a newer page has fenced it
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

// record writes the outcomes of a batch in one transaction and one round trip. Rows that moved on meanwhile
// take the slow path.
func (p *page) record(ctx context.Context, outcomes []Event) error {
	slices.SortFunc(outcomes, func(a, b Event) int { return slices.Compare(a.Message[:], b.Message[:]) })
	n := len(outcomes)
	var (
		ids, attempts     = make(pgtype.FlatArray[pgtype.UUID], n), make(pgtype.FlatArray[pgtype.UUID], n)
		states            = make([]int16, n)
		providers         = make([]string, n)
		codes             = make([]int32, n)
		details, contents = make([]string, n), make(pgtype.FlatArray[*string], n)
		ats               = make([]time.Time, n)
		retries           = make(pgtype.FlatArray[*time.Time], n)
	)
	for i, e := range outcomes {
		ids[i], attempts[i] = pgtype.UUID{Bytes: e.Message, Valid: true}, pgtype.UUID{Bytes: e.Attempt, Valid: true}
		states[i], providers[i] = int16(e.State), e.ProviderID
		codes[i], details[i], ats[i], retries[i] = e.Code, e.Detail, e.At, e.RetryAt
		if e.Content != "" {
			contents[i] = &outcomes[i].Content
		}
	}
	recorded := make(map[id.ID]struct{}, n)
	err := p.db.Batch(ctx, p.Company, func(b *pgx.Batch) {
		b.Queue(recordSettings)
		b.Queue(recordOutcomes, p.Company, ids, attempts, states, providers, codes, details, ats, retries, contents, ids[0], ids[n-1], p.Connection)
	}, func(results pgx.BatchResults) error {
		if _, err := results.Exec(); err != nil {
			return err
		}
		rows, err := results.Query()
		if err != nil {
			return err
		}
		var recordedID id.ID
		_, err = pgx.ForEachRow(rows, []any{&recordedID}, func() error {
			recorded[recordedID] = struct{}{}
			return nil
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("recording outcomes: %w", err)
	}
	if len(recorded) == n {
		return nil
	}
	late := slices.DeleteFunc(slices.Clone(outcomes), func(e Event) bool { _, ok := recorded[e.Message]; return ok })
	return p.db.InCompany(ctx, p.Company, func(tx postgres.Tx) error {
		_, err := applyEvents(ctx, tx, p.Company, p.Connection, late)
		return err
	})
}

// outcomeEvent translates what the adapter learnt into what the ledger keeps.
func outcomeEvent(c Claim, o channel.Outcome, content string, at time.Time) Event {
	e := Event{Message: c.ID, Attempt: c.Attempt, At: at, ProviderID: o.ProviderID, Code: int32(o.Code), Detail: o.Detail, Content: content}
	switch {
	case o.Class == channel.Accepted:
		e.State = Sent
	case o.Class == channel.Unknown:
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
