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
	counted     bool // all of it waits for the tier, which is used up
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

// turn writes outcomes down and takes up to most rows of one source, in one transaction: a row that is done makes room
// for the next at the same instant. The claim runs after the scope is locked, so that it sees whatever a pause before
// it has committed. Without limits that is one round trip; with limits the claim is a second one, because how much it may
// take is decided about what the first has locked.
type turn struct {
	*page
	from     source
	most     int
	epoch    int32
	attempt  id.ID
	at       time.Time
	written  *record
	fenced   bool
	pacing   pacing
	limited  bool         // the statement that claims notes what it takes
	tiered   bool         // and whom it reaches
	tierWait pace.Verdict // what the tier leaves of the source
	got      harvest
}

// turn takes one. An error means that nothing is known of either half, errDry, errFenced and a waiting that the
// outcomes are written and nothing was claimed. It does not end with ctx: a claim that commits must be known, or its
// rows would wait to become uncertain.
func (p *page) turn(ctx context.Context, from source, most int, outcomes []Event) (harvest, error) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), onWireWithin)
	defer cancel()
	t := &turn{page: p, from: from, most: most, epoch: p.epoch.Load(), attempt: id.New(), at: p.now().Truncate(time.Microsecond),
		written: newRecord(outcomes), limited: p.limited, tiered: p.tiered}
	if !from.schedule.Open(t.at) {
		t.most = 0
	}
	var err error
	if t.limited {
		err = p.db.Steps(bounded, p.Company, postgres.Step{Queue: t.lock, Read: t.readLock}, postgres.Step{Queue: t.claim, Read: t.readClaim})
	} else {
		err = p.db.Batch(bounded, p.Company, func(b *pgx.Batch) { t.lock(b); t.claim(b) }, func(results pgx.BatchResults) error {
			return errors.Join(t.readLock(results), t.readClaim(results))
		})
	}
	if postgres.IsRetryable(err) || postgres.IsRefused(err) { // the database says that it has undone it
		return harvest{}, err
	}
	if err != nil {
		return harvest{}, errors.Join(err, p.giveBack(ctx, t.attempt))
	}
	p.recordLate(ctx, t.written)
	if !from.single() {
		p.explain(ctx, t.got.ended, t.at)
	}
	return t.got, t.verdict()
}

// lock takes the scope and writes the outcomes.
func (t *turn) lock(b *pgx.Batch) {
	b.Queue(settings)
	b.Queue(lockForClaim, t.Company, t.Connection, t.at, t.Urgent)
	t.queueTier(b)
	t.db.QueueGuard(b, t.Company)
	t.written.queue(b, t.page)
}

func (t *turn) readLock(results pgx.BatchResults) error {
	if _, err := results.Exec(); err != nil {
		return fmt.Errorf("setting up a turn: %w", err)
	}
	var epoch int32
	var last time.Time
	var unhealed bool
	var row LimitsRow
	if err := results.QueryRow().Scan(&epoch, &last, &unhealed, &row.Limits, &row.TakenAt, &row.Taken, &row.TakenDay, &row.TakenToday,
		&row.NextCampaignAt, &row.TakenFor, &row.OthersAt, &row.PortfolioID); err != nil {
		return fmt.Errorf("locking the connection: %w", err)
	}
	used, err := t.readTier(results)
	if err != nil {
		return err
	}
	if _, err := results.Exec(); err != nil {
		return fmt.Errorf("asking whether claims are allowed: %w", err)
	}
	t.saw(last, unhealed)
	t.fenced = epoch != t.epoch
	t.page.tiered = row.PortfolioID != nil
	t.page.limited = row.Limits != nil || t.page.tiered
	if err := t.written.read(results); err != nil {
		return err
	}
	if !t.limited {
		return nil
	}
	if t.pacing, err = pacingOf(row); err != nil {
		return err
	}
	if t.page.tiered {
		t.pacing.share(used, t.at)
	}
	t.at = later(t.now().Truncate(time.Microsecond), t.pacing.lastTake())
	t.plan()
	return nil
}

// plan decides how much may be claimed, and in which lanes, now that nobody else can take anything.
func (t *turn) plan() {
	if t.page.tiered && !t.tiered { // it came to a portfolio meanwhile, which is not locked
		t.most = 0
		return
	}
	room := t.pacing.room(t.from, t.zone, t.at)
	t.most = min(t.most, room.Room)
	if t.tierWait = t.pacing.tierOf(t.from, t.at); t.tierWait.Room > 0 { // else what the tier does not count
		t.most = min(t.most, t.tierWait.Room)
	}
	if room.Room == 0 { // else a lane that may go is looked at again soon, whatever another one waits for
		t.got.wait = room.wait
	}
	if t.from.single() && room.Room > 0 {
		t.from.lanes = t.from.lanes[:room.lanes]
	}
}

func (t *turn) claim(b *pgx.Batch) {
	if t.limited && t.most == 0 {
		return
	}
	from, oldest, newest := t.from, id.Floor(t.from.since), id.Floor(t.at.Add(time.Minute))
	if from.single() {
		t.queueClaim(b, &singlesClaims, []any{t.Company, t.Connection, from.lanes[0], from.lanes[len(from.lanes)-1], oldest, newest, t.at, t.epoch, t.most, t.attempt, t.Urgent})
		return
	}
	t.queueClaim(b, &campaignClaims, []any{t.Company, t.Connection, from.campaign, from.zoneSet, oldest, newest, t.at, t.epoch, t.most, t.attempt, from.needsWindow})
}

func (t *turn) readClaim(results pgx.BatchResults) error {
	if t.limited && t.most == 0 {
		return nil
	}
	t.got.asked = t.most
	return t.got.read(results, Claim{Attempt: t.attempt, Campaign: t.from.campaign, At: t.at, until: t.from.schedule.Closes(t.at)}, t.from.single())
}

// verdict tells a turn that claimed nothing why.
func (t *turn) verdict() error {
	got := &t.got
	switch {
	case t.fenced:
		return errFenced
	case len(got.claims)+len(got.ended)+got.postponed > 0, t.page.limited != t.limited, t.page.tiered != t.tiered: // its limits came or went meanwhile: another turn
		return nil
	case got.wait.Reason.Kind != pace.None:
		return waiting(got.wait)
	case t.tierWait.Reason.Kind != pace.None && !t.from.single(): // an answer that the tier does not count may come at any instant
		return waiting(t.tierWait)
	default:
		return errDry
	}
}

// waiting says that limits let nothing of a source go before an instant.
type waiting pace.Verdict

func (w waiting) Error() string { return "the connection's limits let nothing go" }

// harvest is what a claim brought.
type harvest struct {
	asked     int // how many it might have taken
	claims    []Claim
	ended     []id.ID      // what the gate did not let through
	postponed int          // until the gap to the contact's last message is over
	wait      pace.Verdict // when the limits let nothing go
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
		var content *string
		if single {
			into = append(into, &content)
		}
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("reading a claim: %w", err)
		}
		c.content = deref(content)
		switch State(state) {
		case Sending:
			h.claims = append(h.claims, c)
		case Queued:
			h.postponed++
		default:
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
	p.fencing.Store(true)
	defer p.fencing.Store(false)
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
	case o.Class == channel.Refused && (o.Scope == channel.ScopeMessage || (o.Scope.Pauses() && c.Campaign == id.Nil)): // nobody would resume the latter
		e.State = Failed
	default: // nothing was accepted: the row waits its turn again
		e.State = Queued
		retry := at.Add(retryAfter(o, c.Attempts))
		e.RetryAt = &retry
	}
	return e
}

// retryAfter is the provider's time, or else 5 s doubling with every attempt up to 10 minutes. What waits for a hold or a
// pause goes on when people or the provider end that, not at a time of its own. A pair's time grows with each try.
func retryAfter(o channel.Outcome, attempts int) time.Duration {
	switch {
	case o.Scope > channel.ScopePair && o.Class != channel.NotWritten:
		return time.Second
	case o.Scope == channel.ScopePair:
		return max(o.RetryAfter, time.Second<<min(2*attempts, 12))
	case o.RetryAfter > 0:
		return o.RetryAfter
	}
	return min(5*time.Second<<min(max(attempts-1, 0), 10), 10*time.Minute)
}
