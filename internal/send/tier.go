package send

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/mutant"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// The tier: how many contacts outside an open window the numbers of a portfolio may write to within 24 hours. A claim on
// such a number locks the portfolio after its scope, forgets whose 24 hours are over, and notes whom it reaches. Rows that the
// tier does not count are claimed although it is used up: to open windows, and to contacts that are counted already.

// SetTier keeps what a check said about the portfolio that a number belongs to: it is shared by its numbers. A negative limit
// is none; with 0, nothing is known and what was known stays. Hint the relay after the commit.
func SetTier(ctx context.Context, tx postgres.Tx, company, connection id.ID, portfolio string, limit int, now time.Time) error {
	if limit == 0 || portfolio == "" {
		return nil
	}
	if err := LockScope(ctx, tx, company, connection); err != nil {
		return err
	}
	if err := enterPortfolio(ctx, New(tx), company, connection, portfolio, limit, now); err != nil {
		return fmt.Errorf("keeping the limit of a portfolio: %w", err)
	}
	numbers, err := New(tx).OtherNumbers(ctx, company, portfolio, connection)
	if err != nil {
		return fmt.Errorf("reading the numbers of a portfolio: %w", err)
	}
	for _, number := range append(numbers, connection) { // each may wait for the tier
		if err := wake.Append(ctx, tx, company, flow.Sender(number), false); err != nil {
			return err
		}
	}
	return nil
}

func enterPortfolio(ctx context.Context, q *Queries, company, connection id.ID, portfolio string, limit int, now time.Time) error {
	if limit < 0 {
		_, err := q.JoinPortfolio(ctx, nil, company, connection)
		return err
	}
	if err := q.KeepPortfolio(ctx, company, portfolio, int32(limit)); err != nil {
		return err
	}
	joined, err := q.JoinPortfolio(ctx, &portfolio, company, connection)
	if err != nil || joined == 0 {
		return err
	}
	if err := q.CountContacted(ctx, company, portfolio, connection, now); err != nil {
		return err
	}
	return q.RecountPortfolio(ctx, company, portfolio)
}

// share takes over what a portfolio has used as of an instant: a log of as many takes as decide when the tier has room again.
func (s *pacing) share(tier tierRow, now time.Time) {
	s.limits.Contacts24h = int(tier.Contacts24h)
	if mutant.ForgetContacts {
		return
	}
	s.used.Contacts = nil
	used, noted, most := int(tier.Used), 0, s.limits.Contacts24h
	for _, last := range []struct {
		at   time.Time
		most int
	}{{tier.LastAt, most}, {tier.LastOfCampaigns, most - most/pace.Kept}} {
		if last.at.Unix() == 0 { // it is not used up
			continue
		}
		gone := used - last.most + 1 // these end before there is room again
		s.used.Contacts = append(s.used.Contacts, pace.Take{At: last.at, N: gone - noted})
		noted = gone
	}
	s.used.Contacts = append(s.used.Contacts, pace.Take{At: now, N: used - noted})
}

// contactedLately is when a number's portfolio has written to contacts that its tier counts, in full.
func contactedLately(ctx context.Context, q *Queries, company, connection id.ID, now time.Time) (pace.Log, error) {
	rows, err := q.Contacted(ctx, company, connection, now.Add(-24*time.Hour))
	if err != nil {
		return nil, fmt.Errorf("reading whom a portfolio has written to: %w", err)
	}
	log := make(pace.Log, len(rows))
	for i, row := range rows {
		log[i] = pace.Take{At: row.At, N: int(row.N)}
	}
	return log, nil
}

// queueTier locks the portfolio, if the number has one, and asks what of its tier is used.
func (t *turn) queueTier(b *pgx.Batch) {
	if t.tiered {
		b.Queue(lockPortfolio, t.Company, t.Connection)
		b.Queue(forgetContacts, t.Company, t.Connection, t.at)
		b.Queue(tier, t.Company, t.Connection, t.at, pace.Kept)
	}
}

func (t *turn) readTier(results pgx.BatchResults) (row tierRow, err error) {
	if !t.tiered {
		return row, nil
	}
	for range 2 {
		if _, err := results.Exec(); err != nil {
			return row, fmt.Errorf("locking the portfolio: %w", err)
		}
	}
	err = results.QueryRow().Scan(&row.Contacts24h, &row.Used, &row.LastAt, &row.LastOfCampaigns)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) { // the number has left it
		return row, fmt.Errorf("reading what the portfolio has used: %w", err)
	}
	return row, nil
}

// tier is what the tier leaves of a lane; unlimited when there is none.
func (s pacing) tier(lane pace.Lane, now time.Time) pace.Verdict {
	if s.portfolio == nil {
		return pace.Verdict{Room: pace.Unlimited, At: now}
	}
	return s.limits.Tier(s.used.Contacts, lane, now)
}

// tierOf is what the tier leaves of a source. One that goes to open windows alone does not count.
func (s pacing) tierOf(from source, now time.Time) pace.Verdict {
	switch {
	case from.needsWindow:
		return pace.Verdict{Room: pace.Unlimited, At: now}
	case from.single():
		return s.tier(pace.Queue, now) // which it leaves as much as every other lane outside campaigns
	}
	return s.tier(pace.Campaign, now)
}

// markCounted marks the sources that wait for the tier, because it is used up and counts all they have queued.
func (s pacing) markCounted(ctx context.Context, q *Queries, company, connection id.ID, sources []source, now time.Time) error {
	if s.tier(pace.Campaign, now).Room > 0 {
		return nil
	}
	rows, err := q.Uncounted(ctx, company, connection, now, *s.portfolio)
	if err != nil {
		return fmt.Errorf("looking for messages that the tier does not count: %w", err)
	}
	some := map[UncountedRow]bool{}
	for _, row := range rows {
		some[row] = true
	}
	for i := range sources {
		sources[i].counted = !sources[i].needsWindow && !some[UncountedRow{sources[i].campaign, sources[i].zoneSet}]
	}
	return nil
}

// laneVerdict is what lets messages of a lane outside campaigns wait: the tier only if it counts all of them.
func (s pacing) laneVerdict(ctx context.Context, q *Queries, company, connection id.ID, lane Lane, zone *time.Location, now time.Time) (pace.Verdict, error) {
	if s.tier(pace.Lane(lane), now).Room > 0 {
		return s.lane(pace.Lane(lane), zone, now), nil
	}
	some, err := q.UncountedSingle(ctx, UncountedSingleParams{CompanyID: company, ConnectionID: connection, Lane: int16(lane), Now: now, PortfolioID: *s.portfolio})
	switch {
	case err != nil:
		return pace.Verdict{}, fmt.Errorf("looking for messages that the tier does not count: %w", err)
	case some:
		return s.lane(pace.Lane(lane), zone, now), nil
	}
	return s.limits.Reach(s.used, pace.Lane(lane), zone, now), nil
}
