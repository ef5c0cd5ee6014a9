package send

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/mutant"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wait"
	"omnidesk/internal/wake"
)

// pacing is what a scope keeps of a connection's limits. A claim reads it under the scope's lock, decides, and
// notes what it took in the same transaction. What was taken counts, whatever becomes of it: given back and uncertain, too.
type pacing struct {
	limits  pace.Limits
	limited bool
	used    pace.Used
	lastFor *id.ID    // who took last: a campaign, or Nil for messages outside campaigns; nil: not known
	others  time.Time // when anybody else last took
	// The number's portfolio; nil: it has no tier. What of the tier is used stands in limits and used.
	portfolio *string
}

func pacingOf(row LimitsRow) (pacing, error) {
	if row.Limits == nil && row.PortfolioID == nil {
		return pacing{}, nil
	}
	s := pacing{limited: true, lastFor: row.TakenFor, others: row.OthersAt, portfolio: row.PortfolioID,
		used: pace.Used{Day: row.TakenDay, Today: int(row.TakenToday), NextCampaign: deref(row.NextCampaignAt), Log: make(pace.Log, len(row.TakenAt))}}
	if row.Limits != nil {
		if err := json.Unmarshal(row.Limits, &s.limits); err != nil {
			return s, err
		}
	}
	if mutant.ForgetTakes {
		s.used = pace.Used{}
		return s, nil
	}
	if len(row.Taken) != len(row.TakenAt) {
		return s, fmt.Errorf("reading what was taken: %d instants and %d counts", len(row.TakenAt), len(row.Taken))
	}
	for i, at := range row.TakenAt {
		s.used.Log[i] = pace.Take{At: at, N: int(row.Taken[i])}
	}
	return s, nil
}

// readPacing reads it without the lock, to tell when something may go.
func readPacing(ctx context.Context, q *Queries, company, connection id.ID, now time.Time) (pacing, error) {
	row, err := q.Limits(ctx, company, connection)
	if errors.Is(err, pgx.ErrNoRows) {
		return pacing{}, nil
	}
	if err != nil {
		return pacing{}, fmt.Errorf("reading a connection's limits: %w", err)
	}
	s, err := pacingOf(row)
	if err != nil || s.portfolio == nil {
		return s, err
	}
	tier, err := q.tier(ctx, company, connection, now, pace.Kept)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return s, fmt.Errorf("reading what a portfolio has used: %w", err)
	}
	s.share(tier, now)
	return s, nil
}

// lastTake is when something was last taken; zero when that is more than an hour ago.
func (s pacing) lastTake() time.Time {
	if n := len(s.used.Log); n > 0 {
		return s.used.Log[n-1].At
	}
	return time.Time{}
}

// lane tells how many messages of a lane may go now.
func (s pacing) lane(lane pace.Lane, zone *time.Location, now time.Time) pace.Verdict {
	if !s.limited {
		return pace.Verdict{Room: pace.Unlimited, At: now}
	}
	return s.limits.Room(s.used, lane, zone, now)
}

// sourceRoom is what the limits let go of a source.
type sourceRoom struct {
	pace.Verdict
	lanes int          // outside campaigns: of the source's lanes, the first ones that may go
	wait  pace.Verdict // of those that may not
}

// room decides about a source. Of its lanes, a later one never has more room than one before it.
func (s pacing) room(from source, zone *time.Location, now time.Time) (r sourceRoom) {
	if !from.single() {
		if r.Verdict = s.lane(pace.Campaign, zone, now); r.Room == 0 {
			r.wait = r.Verdict
		}
		return r
	}
	for _, lane := range from.lanes {
		v := s.lane(pace.Lane(lane), zone, now)
		if v.Room == 0 {
			r.wait = v
			break
		}
		r.Verdict, r.lanes = v, r.lanes+1
	}
	return r
}

// othersTook is when anybody but the source last took something.
func (s pacing) othersTook(source id.ID) time.Time {
	if s.lastFor == nil || *s.lastFor == source {
		return s.others
	}
	return later(s.others, s.lastTake())
}

// spaced tells whether a claim must ask when each contact got its last message. A campaign has each contact once: it need
// not when nobody else has sent anything of late, answers that have borrowed from the future included.
func (s pacing) spaced(from source, now time.Time) bool {
	const memory = 12 // gaps: the ten that an answer may borrow, and its own
	return s.limits.ContactGap > 0 && (from.single() || s.othersTook(from.campaign).After(now.Add(-memory*s.limits.ContactGap)))
}

// claims are the statements that claim from one kind of source: of connections without limits; and with limits, without and
// with a gap to be asked for, and a tier.
type claims struct {
	plain string
	paced map[asking]string
}

// asking is what a claim has to ask about each contact.
type asking struct{ gap, tier bool }

var campaignClaims, singlesClaims = claimsOf(claimCampaign), claimsOf(claimSingles)

func claimsOf(text string) claims {
	return claims{plain: text, paced: map[asking]string{{}: variant(text, "paced"), {gap: true}: variant(text, "paced", "spaced"),
		{tier: true}: variant(text, "paced", "tiered"), {gap: true, tier: true}: variant(text, "paced", "spaced", "tiered")}}
}

// pacedArguments is how many arguments a claim has with limits, before those that have names.
const pacedArguments = 18

// variant puts in the lines that begin with --word, leaves out those that end with "not word", and gives the named
// arguments that are left the next numbers.
func variant(text string, words ...string) string {
	var b strings.Builder
lines:
	for line := range strings.Lines(text) {
		for _, word := range words {
			if strings.HasSuffix(line, "-- not "+word+"\n") {
				continue lines
			}
			line = strings.TrimPrefix(line, "--"+word+" ")
		}
		if len(line) < 3 || line[:2] != "--" || line[2] == ' ' { // else it belongs to another variant
			b.WriteString(line)
		}
	}
	text, last := b.String(), pacedArguments
	for _, name := range []string{"$gap", "$room", "$portfolio"} {
		if strings.Contains(text, name+"::") {
			last++
			text = strings.ReplaceAll(text, name+"::", fmt.Sprintf("$%d::", last))
		}
	}
	return text
}

// queueClaim adds the statement that fits and, with limits, what it writes into the scope if it takes something.
func (t *turn) queueClaim(b *pgx.Batch, from *claims, args []any) {
	if !t.limited {
		b.Queue(from.plain, args...)
		return
	}
	used, next := t.pacing.used.At(t.zone, t.at), (*time.Time)(nil)
	if !t.from.single() && t.pacing.limits.GapUntil > 0 {
		ends := gapAfter(t.pacing.limits, t.at)
		next = &ends
	}
	ats, counts := make([]time.Time, len(used.Log)), make([]int32, len(used.Log))
	for i, take := range used.Log {
		ats[i], counts[i] = take.At, int32(take.N)
	}
	args = append(args, ats, counts, used.Day, int32(used.Today), next, t.from.campaign, t.pacing.othersTook(t.from.campaign))
	about := asking{gap: t.pacing.spaced(t.from, t.at), tier: t.pacing.portfolio != nil}
	if about.gap {
		args = append(args, t.pacing.limits.ContactGap.Seconds())
	}
	if about.tier {
		args = append(args, t.tierWait.Room > 0, *t.pacing.portfolio)
	}
	b.Queue(from.paced[about], args...)
}

// gapAfter draws when the gap after a campaign message ends.
func gapAfter(limits pace.Limits, at time.Time) time.Time {
	return at.Add(limits.Draw(rand.Float64())) //nolint:gosec // nobody gains by guessing it
}

// SetLimits sets a connection's limits, or takes them away; it works within the next claim, and the sender looks
// again. The caller has checked them (pace.Limits.Problems). Hint the relay after the commit.
func SetLimits(ctx context.Context, tx postgres.Tx, company, connection id.ID, limits pace.Limits, now time.Time) error {
	if err := LockScope(ctx, tx, company, connection); err != nil {
		return err
	}
	params := SetLimitsParams{CompanyID: company, ConnectionID: connection, Now: now}
	if !limits.None() {
		before, err := readPacing(ctx, New(tx), company, connection, now)
		if err != nil {
			return err
		}
		if params.Limits, err = json.Marshal(limits); err != nil {
			return fmt.Errorf("writing a connection's limits: %w", err)
		}
		ends := gapAfter(limits, before.lastTake())
		params.GapEnds = &ends
	}
	if err := New(tx).SetLimits(ctx, params); err != nil {
		return fmt.Errorf("setting a connection's limits: %w", err)
	}
	return wake.Append(ctx, tx, company, flow.Sender(connection), false)
}

// Governor is a connection's limits, and what of them is used as of an instant.
type Governor struct {
	Limits pace.Limits
	Used   pace.Used
	Zone   *time.Location // the company's
}

// GovernorOf reads a connection's limits.
func GovernorOf(ctx context.Context, tx postgres.Tx, company, connection id.ID, now time.Time) (Governor, error) {
	q := New(tx)
	hours, err := hoursOf(ctx, q, company)
	if err != nil {
		return Governor{}, err
	}
	s, err := readPacing(ctx, q, company, connection, now)
	if err == nil && s.portfolio != nil {
		s.used.Contacts, err = contactedLately(ctx, q, company, connection, now)
	}
	return Governor{Limits: s.limits, Used: s.used.At(hours.Zone, now), Zone: hours.Zone}, err
}

// noteWaits writes down what each campaign, or the connection outside campaigns, waits for, and returns about whom. A campaign
// that was paused since it was looked at, or is being paused, keeps that as its reason.
func noteWaits(ctx context.Context, tx postgres.Tx, company, connection id.ID, waits map[id.ID]pace.Verdict, now time.Time) ([]id.ID, error) {
	if len(waits) == 0 {
		return nil, nil
	}
	subjects, err := New(tx).LockRunning(ctx, company, slices.Collect(maps.Keys(waits)))
	if err != nil {
		return nil, fmt.Errorf("locking campaigns that wait: %w", err)
	}
	if _, outside := waits[connection]; outside {
		subjects = append(subjects, connection)
	}
	for _, subject := range subjects {
		reason, until := noted(waits[subject], now)
		if err := wait.Note(ctx, tx, company, subject, reason, until, now); err != nil {
			return nil, err
		}
	}
	return subjects, nil
}

// noted is what is kept of a verdict: nothing when something may go, now or in a moment.
func noted(v pace.Verdict, now time.Time) (reason string, until *time.Time) {
	switch {
	case v.Reason.Kind == pace.None:
		return "", nil
	case v.At.IsZero():
		return v.Reason.String(), nil
	case v.At.Sub(now) <= shortWait:
		return "", nil
	}
	return v.Reason.String(), &v.At
}
