package campaign

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Sample is the text one contact would get.
type Sample struct {
	Contact id.ID
	Name    string
	Text    string
}

// CheckResult says what a start would do.
type CheckResult struct {
	Recipients int
	Skipped    Skipped
	Problems   []Problem
	Samples    []Sample
}

// Check tells what starting these fields would do, and what keeps them from starting.
func Check(ctx context.Context, tx postgres.Tx, company id.ID, fields Fields, now time.Time) (CheckResult, error) {
	var result CheckResult
	q := New(tx)
	preview, err := q.Preview(ctx, PreviewParams{CompanyID: company, ConnectionID: fields.Connection, NeedsWindow: fields.Content.NeedsWindow(),
		Now: now, Everyone: fields.Audience.All, TagIds: fields.Audience.TagIDs})
	if err != nil {
		return result, fmt.Errorf("counting the audience: %w", err)
	}
	result.Recipients = int(preview.Recipients)
	result.Skipped = Skipped{OptedOut: int(preview.OptedOut), NoPhone: int(preview.NoPhone), WindowShut: int(preview.WindowShut)}
	if result.Problems, err = problems(ctx, q, company, fields, now, result.Recipients > 0); err != nil {
		return result, err
	}
	result.Samples, err = sampleTexts(ctx, q, company, fields)
	return result, err
}

// checkStart finds what keeps a campaign from starting, without counting the whole audience.
func checkStart(ctx context.Context, tx postgres.Tx, company id.ID, fields Fields, now time.Time) ([]Problem, error) {
	q := New(tx)
	anybody, err := q.Reaches(ctx, ReachesParams{CompanyID: company, ConnectionID: fields.Connection, NeedsWindow: fields.Content.NeedsWindow(),
		Now: now, Everyone: fields.Audience.All, TagIds: fields.Audience.TagIDs})
	if err != nil {
		return nil, fmt.Errorf("looking for an audience: %w", err)
	}
	return problems(ctx, q, company, fields, now, anybody)
}

func problems(ctx context.Context, q *Queries, company id.ID, fields Fields, now time.Time, anybody bool) ([]Problem, error) {
	found := fields.Content.problems()
	if !anybody {
		found = append(found, Problem{"audience", "Nobody would get it: choose other tags, import contacts, or wait for open windows."})
	}
	if fields.ExpiresAt != nil && !fields.ExpiresAt.After(now) {
		found = append(found, Problem{"expires_at", "It has passed already; choose a later instant."})
	}
	if fields.ExpiresAt != nil && fields.StartsAt != nil && !fields.ExpiresAt.After(*fields.StartsAt) {
		found = append(found, Problem{"expires_at", "It lies before the start; choose a later instant."})
	}
	for _, check := range []func(context.Context, *Queries, id.ID, Fields) ([]Problem, error){connectionProblems, fieldProblems} {
		more, err := check(ctx, q, company, fields)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

func connectionProblems(ctx context.Context, q *Queries, company id.ID, fields Fields) ([]Problem, error) {
	state, err := q.ConnectionState(ctx, company, fields.Connection)
	if err != nil {
		return nil, fmt.Errorf("reading the connection's state: %w", err)
	}
	switch {
	case state.Deleted:
		return []Problem{{"connection_id", "The connection was deleted: choose another."}}, nil
	case state.Disabled:
		return []Problem{{"connection_id", "The connection is disabled: enable it under Connections, or choose another."}}, nil
	case state.State == "failing":
		return []Problem{{"connection_id", "The connection does not work: " + state.StateDetail}}, nil
	}
	return nil, nil
}

// fieldProblems refuses a merge field that no contact of the company has: it would be empty for everyone.
func fieldProblems(ctx context.Context, q *Queries, company id.ID, fields Fields) ([]Problem, error) {
	wanted := fields.Content.Fields()
	if len(wanted) == 0 {
		return nil, nil
	}
	found, err := q.KnownAttributes(ctx, wanted, company)
	if err != nil {
		return nil, fmt.Errorf("looking up merge fields: %w", err)
	}
	known := map[string]bool{}
	for _, name := range found {
		known[name] = true
	}
	var problems []Problem
	for _, name := range wanted {
		if !known[name] {
			problems = append(problems, Problem{fields.Content.textField(), fmt.Sprintf("No contact has the field {{%s}}; correct its name or import it first.", name)})
		}
	}
	return problems, nil
}

func sampleTexts(ctx context.Context, q *Queries, company id.ID, fields Fields) ([]Sample, error) {
	rows, err := q.Samples(ctx, company, fields.Audience.All, fields.Audience.TagIDs, 3)
	if err != nil {
		return nil, fmt.Errorf("reading sample contacts: %w", err)
	}
	list := make([]Sample, 0, len(rows))
	if fields.Content.Kind == KindTemplate && fields.Content.Template == nil {
		return list, nil
	}
	renderer := fields.Content.Renderer()
	for _, row := range rows {
		person := Person{Name: row.Name, Phone: row.Phone, Zone: row.Zone, Attributes: row.Attributes}
		list = append(list, Sample{row.ID, row.Name, Words(renderer.Render(person))})
	}
	return list, nil
}

// Freeze makes the plan of a starting campaign: its audience as it is now, one recipient per contact. A plan
// is frozen once; a second call changes nothing. An audience that has become empty finishes the campaign.
func Freeze(ctx context.Context, tx postgres.Tx, company, campaign id.ID, now time.Time) error {
	q := New(tx)
	row, err := q.Lock(ctx, company, campaign)
	if err != nil {
		return readError("locking a campaign", err)
	}
	if State(row.State) != Starting || row.FrozenAt != nil {
		return nil
	}
	c, err := fromRecord(row, "")
	if err != nil {
		return err
	}
	zone, err := q.CompanyZone(ctx, company)
	if err != nil {
		return fmt.Errorf("reading the company's zone: %w", err)
	}
	if err := q.AddZoneSets(ctx, company, zone); err != nil {
		return fmt.Errorf("adding zone sets: %w", err)
	}
	frozen, err := q.Freeze(ctx, FreezeParams{CompanyID: company, CampaignID: campaign, ConnectionID: c.Connection, CompanyZone: zone,
		NeedsWindow: c.Content.NeedsWindow(), Now: now, Everyone: c.Audience.All, TagIds: c.Audience.TagIDs, TextVersion: row.TextVersion})
	if err != nil {
		return fmt.Errorf("freezing the audience: %w", err)
	}
	skipped, err := json.Marshal(Skipped{OptedOut: int(frozen.OptedOut), NoPhone: int(frozen.NoPhone), WindowShut: int(frozen.WindowShut)})
	if err != nil {
		return fmt.Errorf("writing the skipped counts: %w", err)
	}
	err = q.SetFrozen(ctx, SetFrozenParams{CompanyID: company, ID: campaign, FrozenAt: now, Recipients: frozen.Recipients, Skipped: skipped})
	if err != nil {
		return fmt.Errorf("keeping the frozen plan: %w", err)
	}
	if c.StartsAt != nil && c.StartsAt.After(now) {
		return putState(ctx, tx, company, campaign, Scheduled, "", now)
	}
	return putState(ctx, tx, company, campaign, Running, "", now)
}

// Begin takes a scheduled campaign whose time has come to running.
func Begin(ctx context.Context, tx postgres.Tx, company, campaign id.ID, now time.Time) error {
	row, err := New(tx).Lock(ctx, company, campaign)
	if err != nil {
		return readError("locking a campaign", err)
	}
	if State(row.State) != Scheduled || row.StartsAt == nil || row.StartsAt.After(now) {
		return nil
	}
	return putState(ctx, tx, company, campaign, Running, "", now)
}

// Finish ends a running campaign whose plan is fed. The caller has seen, in this transaction and after this
// lock, that none of its messages is queued or sending: open tells it.
func Finish(ctx context.Context, tx postgres.Tx, company, campaign id.ID, now time.Time, open func() (bool, error)) error {
	q := New(tx)
	row, err := q.Lock(ctx, company, campaign)
	if err != nil {
		return readError("locking a campaign", err)
	}
	unfed, err := q.HasUnfed(ctx, company, campaign)
	if err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	if State(row.State) != Running || unfed {
		return nil
	}
	if stillOpen, err := open(); err != nil || stillOpen {
		return err
	}
	return putState(ctx, tx, company, campaign, Finished, "", now)
}

// Unfed tells whether recipients of the plan are not in the ledger yet.
func Unfed(ctx context.Context, tx postgres.Tx, company, campaign id.ID) (bool, error) {
	unfed, err := New(tx).HasUnfed(ctx, company, campaign)
	if err != nil {
		return false, fmt.Errorf("reading the plan: %w", err)
	}
	return unfed, nil
}

// Slice is a run of recipients of one zone set, by sequence: After < sequence <= Through.
type Slice struct {
	ZoneSet        int32
	After, Through int32
}

// TakeUnfed moves the feed cursors of a running campaign on by up to limit recipients and returns what to put
// into the ledger in the same transaction. It returns nothing when the campaign does not run or all is fed.
func TakeUnfed(ctx context.Context, tx postgres.Tx, company, campaign id.ID, limit int) (Campaign, []Slice, error) {
	q := New(tx)
	// Shared: feeding may run beside claims, but a pause or cancel comes before or after it, never between.
	row, err := q.LockShared(ctx, company, campaign)
	if err != nil {
		return Campaign{}, nil, readError("locking a campaign", err)
	}
	c, err := fromRecord(row, "")
	if err != nil || c.State != Running {
		return c, nil, err
	}
	zones, err := q.UnfedZones(ctx, company, campaign)
	if err != nil {
		return c, nil, fmt.Errorf("reading the plan: %w", err)
	}
	var slices []Slice
	for _, zone := range zones {
		take := min(int32(limit), zone.Recipients-zone.FedThrough)
		if take <= 0 {
			break
		}
		through := zone.FedThrough + take
		if err := q.AdvanceZone(ctx, through, company, campaign, zone.ZoneSetID); err != nil {
			return c, nil, fmt.Errorf("moving the feed cursor: %w", err)
		}
		slices = append(slices, Slice{zone.ZoneSetID, zone.FedThrough, through})
		limit -= int(take)
	}
	return c, slices, nil
}
