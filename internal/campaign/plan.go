package campaign

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// Sample is the text one contact would get.
type Sample struct {
	Contact id.ID
	Name    string
	Phone   string
	Text    string
	Lacking []string // merge fields without a value and without a default
}

// Warning is something that a start does not prevent and a person should know.
type Warning struct {
	Field   string // of the form
	Message string
	Count   int    // of contacts
	Filter  string // describes them, as package filter reads it; empty when nothing does
}

// CheckResult says what a start would do.
type CheckResult struct {
	Recipients int
	Outside    int       // of the recipients, those without an open window
	FirstAt    time.Time // when the first message may go, by the clocks of the recipients; zero: never, or nobody is chosen
	Asleep     int       // of the recipients, those whose hours begin later than FirstAt
	Skipped    Skipped
	Problems   []Problem
	Warnings   []Warning
	Samples    []Sample
}

// Check tells what starting these fields would do, what keeps them from starting, and what a person should know.
func Check(ctx context.Context, tx postgres.Tx, company id.ID, fields Fields, now time.Time) (result CheckResult, err error) {
	audience, err := fields.Audience.resolve(ctx, tx, company)
	if errors.Is(err, ErrSegment) {
		result.Problems = []Problem{{"audience.segment_id", sentence(ErrSegment)}}
		return result, nil
	}
	if err != nil {
		return result, err
	}
	hours, err := HoursOf(ctx, tx, company)
	if err != nil {
		return result, err
	}
	bare := fields.Content.bareFields()
	sum, err := count(ctx, tx, company, hours.Zone.String(), fields, audience, now, bare)
	if err != nil {
		return result, err
	}
	result.Recipients, result.Skipped, result.Outside = sum.recipients, sum.skipped, sum.outside
	if result.FirstAt, result.Asleep, err = firstHours(hours, sum.zones, laterOf(now, fields.StartsAt)); err != nil {
		return result, err
	}
	state, err := readTemplate(ctx, tx, company, fields)
	if err != nil {
		return result, err
	}
	if result.Problems, err = problems(ctx, New(tx), company, fields, state, now, result.Recipients > 0); err != nil {
		return result, err
	}
	if result.Warnings, err = warnings(ctx, tx, company, fields, audience, bare, sum.lacking); err != nil {
		return result, err
	}
	tier, err := tierWarning(ctx, New(tx), company, fields.Connection, sum.fresh, now)
	if err != nil {
		return result, err
	}
	result.Warnings = append(result.Warnings, tier...)
	result.Samples, err = samples(ctx, tx, company, fields, audience, state.Body, now, id.Nil, 3)
	return result, err
}

// Samples shows what contacts of the audience would get: up to limit of them, by id, after one.
func Samples(ctx context.Context, tx postgres.Tx, company id.ID, fields Fields, now time.Time, after id.ID, limit int) ([]Sample, error) {
	audience, err := fields.Audience.resolve(ctx, tx, company)
	if errors.Is(err, ErrSegment) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	state, err := readTemplate(ctx, tx, company, fields)
	if err != nil {
		return nil, err
	}
	return samples(ctx, tx, company, fields, audience, state.Body, now, after, limit)
}

func samples(ctx context.Context, tx postgres.Tx, company id.ID, fields Fields, audience Audience, body string, now time.Time, after id.ID, limit int) ([]Sample, error) {
	people, err := some(ctx, tx, company, fields, audience, now, after, limit)
	if err != nil {
		return nil, err
	}
	list := make([]Sample, 0, len(people))
	if fields.Content.Kind == KindTemplate && fields.Content.Template == nil {
		return list, nil
	}
	renderer, bare := fields.Content.Renderer(), fields.Content.bareFields()
	for _, one := range people {
		sample := Sample{Contact: one.id, Name: one.name, Phone: one.Phone, Text: wordsIn(renderer.Render(one.Person), body)}
		for _, name := range bare {
			if one.value(name) == "" {
				sample.Lacking = append(sample.Lacking, name)
			}
		}
		list = append(list, sample)
	}
	return list, nil
}

// readTemplate reads what the last sync knows of the template; of free text, nothing.
func readTemplate(ctx context.Context, tx postgres.Tx, company id.ID, fields Fields) (TemplateStateRow, error) {
	name, language := "", ""
	if t := fields.Content.Template; t != nil {
		name, language = t.Name, t.Language
	}
	state, err := New(tx).TemplateState(ctx, name, language, company, fields.Connection)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return state, fmt.Errorf("reading a template: %w", err)
	}
	return state, nil
}

// checkStart finds what keeps a campaign from starting, without counting the whole audience.
func checkStart(ctx context.Context, tx postgres.Tx, company id.ID, fields Fields, now time.Time) ([]Problem, error) {
	somebody, err := anybody(ctx, tx, company, fields, fields.Audience, now)
	if err != nil {
		return nil, err
	}
	state, err := readTemplate(ctx, tx, company, fields)
	if err != nil {
		return nil, err
	}
	return problems(ctx, New(tx), company, fields, state, now, somebody)
}

func problems(ctx context.Context, q *Queries, company id.ID, fields Fields, state TemplateStateRow, now time.Time, anybody bool) ([]Problem, error) {
	found := fields.Content.problems()
	if len(found) == 0 {
		found = templateProblems(fields.Content, state)
	}
	if !anybody {
		found = append(found, Problem{"audience", "Nobody would get it: choose other contacts, import some, or wait for open windows."})
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

// templateProblems holds the content against what the last sync found. Without a sync nothing is known.
func templateProblems(content Content, state TemplateStateRow) []Problem {
	if content.Kind != KindTemplate || !state.Synced {
		return nil
	}
	given := len(content.Template.Parameters)
	switch {
	case !state.Known:
		return []Problem{{"content.template", "The number has no template of this name and language: choose another one, or sync the templates."}}
	case state.Unfit != "":
		return []Problem{{"content.template", state.Unfit}}
	case given != int(state.Parameters):
		return []Problem{{"content.template.parameters", fmt.Sprintf("The template has %d parameters and %d are filled; fill each of them.", state.Parameters, given)}}
	}
	return nil
}

func warnings(ctx context.Context, tx postgres.Tx, company id.ID, fields Fields, audience Audience, bare []string, lacking []int) ([]Warning, error) {
	var found []Warning
	words, described, err := audience.words(ctx, tx, company)
	if err != nil {
		return nil, err
	}
	for i, name := range bare {
		if lacking[i] == 0 {
			continue
		}
		consequence := "the text has a gap there"
		if fields.Content.Kind == KindTemplate {
			consequence = "Meta refuses a parameter that is empty"
		}
		warning := Warning{Field: fields.Content.placeOf(name), Count: lacking[i],
			Message: fmt.Sprintf("They have no %s, and %s. Give a default: {{%s|…}}.", name, consequence, name)}
		if described && name != "first_name" {
			warning.Filter = words + "not has " + fieldWord(name)
		}
		found = append(found, warning)
	}
	return found, nil
}

// tierWarning tells how many of those who are new to the number's portfolio have to wait for its tier.
func tierWarning(ctx context.Context, q *Queries, company, connection id.ID, fresh int, now time.Time) ([]Warning, error) {
	tier, err := q.TierUsed(ctx, company, now.Add(-24*time.Hour), connection)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("counting the contacts of the last 24 hours: %w", err)
	}
	limit, used := int(tier.Contacts24h), int(tier.Used)
	most := limit - limit/pace.Kept
	waiting := fresh - max(most-used, 0)
	if waiting <= 0 {
		return nil, nil
	}
	return []Warning{{Field: "audience", Count: waiting, Message: fmt.Sprintf("They have to wait: Meta lets the numbers of this business write to %d contacts outside an open window in 24 hours, "+
		"campaigns to %d of them, and %d are used. They go by themselves as the 24 hours pass; to be done sooner, send to fewer.", limit, most, used)}}, nil
}

// fieldWord names a merge field in a filter.
func fieldWord(name string) string {
	if name == "name" || name == "zone" {
		return name
	}
	return quoted(name)
}

func connectionProblems(ctx context.Context, q *Queries, company id.ID, fields Fields) ([]Problem, error) {
	state, err := q.ConnectionState(ctx, company, fields.Connection)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrConnection
	}
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
			problems = append(problems, Problem{fields.Content.placeOf(name), fmt.Sprintf("No contact has the field {{%s}}; correct its name or import it first.", name)})
		}
	}
	return problems, nil
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
	if c.Audience, err = c.Audience.resolve(ctx, tx, company); err != nil {
		return err
	}
	plan, err := freeze(ctx, tx, c, company, zone, now)
	if err != nil {
		return err
	}
	if err := keepAudience(ctx, tx, company, c); err != nil {
		return err
	}
	skipped, err := json.Marshal(plan.skipped)
	if err != nil {
		return fmt.Errorf("writing the skipped counts: %w", err)
	}
	err = q.SetFrozen(ctx, SetFrozenParams{CompanyID: company, ID: campaign, FrozenAt: now, Recipients: int32(plan.recipients), Skipped: skipped})
	if err != nil {
		return fmt.Errorf("keeping the frozen plan: %w", err)
	}
	if c.StartsAt != nil && c.StartsAt.After(now) {
		return putState(ctx, tx, company, campaign, Scheduled, "", now)
	}
	return putState(ctx, tx, company, campaign, Running, "", now)
}

// keepAudience writes down what a segment said, so that the campaign can tell it when the segment is another one.
func keepAudience(ctx context.Context, tx postgres.Tx, company id.ID, c Campaign) error {
	if c.Audience.SegmentID == nil {
		return nil
	}
	raw, err := json.Marshal(c.Audience)
	if err != nil {
		return fmt.Errorf("writing the audience: %w", err)
	}
	if err := New(tx).SetAudience(ctx, raw, company, c.ID); err != nil {
		return fmt.Errorf("keeping the audience: %w", err)
	}
	return nil
}

// Begin takes a campaign whose time has come to running: a scheduled one, or one that the provider's answer has paused
// until now. It wakes the connection's sender.
func Begin(ctx context.Context, tx postgres.Tx, company, campaign id.ID, now time.Time) error {
	row, err := New(tx).Lock(ctx, company, campaign)
	if err != nil {
		return readError("locking a campaign", err)
	}
	at := row.StartsAt
	if State(row.State) == Paused {
		at = row.ResumesAt
	}
	if (State(row.State) != Scheduled && State(row.State) != Paused) || at == nil || at.After(now) {
		return nil
	}
	if err := putState(ctx, tx, company, campaign, Running, "", now); err != nil {
		return err
	}
	return wake.Append(ctx, tx, company, flow.Sender(row.ConnectionID), false)
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
	if err := putState(ctx, tx, company, campaign, Finished, "", now); err != nil {
		return err
	}
	return notice.Add(ctx, tx, company, notice.CampaignFinished, notice.Campaign(campaign), 1, now)
}

// Unfed tells whether recipients of the plan are not in the ledger yet.
func Unfed(ctx context.Context, tx postgres.Tx, company, campaign id.ID) (bool, error) {
	unfed, err := New(tx).HasUnfed(ctx, company, campaign)
	if err != nil {
		return false, fmt.Errorf("reading the plan: %w", err)
	}
	return unfed, nil
}
