package campaign

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/filter"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Audience chooses contacts: everyone, those with at least one of some tags, those of a segment, those a filter
// describes, those of one import, or those whom another campaign did not reach. Exactly one is given.
type Audience struct {
	All       bool    `json:"all,omitempty"`
	TagIDs    []id.ID `json:"tag_ids,omitempty"`
	SegmentID *id.ID  `json:"segment_id,omitempty"`
	// Filter is the audience itself, or with a segment its filter as it was when the campaign started and was frozen.
	Filter   string `json:"filter,omitempty"`
	ImportID *id.ID `json:"import_id,omitempty"`
	// FailedOf are the recipients of a campaign whose message has failed when this one starts, with FailedCodes only those
	// with one of these codes of the provider's; 0: it gave none. Uncertain ones are never among them.
	FailedOf    *id.ID  `json:"failed_of,omitempty"`
	FailedCodes []int32 `json:"failed_codes,omitempty"`
}

//go:embed reach.sql
var reachSQL string

//go:embed freeze.sql
var freezeSQL string

// reachArgs is how many parameters reach.sql takes.
const reachArgs = 5

// resolve looks up what a segment says now. A segment that is gone leaves the filter that was kept at the start;
// without one it is ErrSegment.
func (a Audience) resolve(ctx context.Context, tx postgres.Tx, company id.ID) (Audience, error) {
	if a.SegmentID == nil {
		return a, nil
	}
	var now string
	err := tx.QueryRow(ctx, `SELECT filter FROM segments WHERE company_id = $1 AND id = $2`, company, *a.SegmentID).Scan(&now)
	switch {
	case errors.Is(err, pgx.ErrNoRows) && a.Filter == "":
		return a, ErrSegment
	case errors.Is(err, pgx.ErrNoRows):
		return a, nil
	case err != nil:
		return a, fmt.Errorf("reading a segment: %w", err)
	}
	a.Filter = now
	return a, nil
}

// known refuses an audience that names what the company does not have, or a filter that can't be read.
func (a Audience) known(ctx context.Context, tx postgres.Tx, company id.ID) error {
	q := New(tx)
	switch {
	case len(a.TagIDs) > 0:
		known, err := q.KnownTags(ctx, company, a.TagIDs)
		if err != nil {
			return fmt.Errorf("looking up the audience's tags: %w", err)
		}
		if int(known) != len(a.TagIDs) {
			return ErrTag
		}
	case a.SegmentID != nil:
		a.Filter = ""
		_, err := a.resolve(ctx, tx, company)
		return err
	case a.ImportID != nil:
		known, err := q.KnownImport(ctx, company, *a.ImportID)
		if err != nil {
			return fmt.Errorf("looking up the audience's import: %w", err)
		}
		if !known {
			return ErrImport
		}
	case a.FailedOf != nil:
		found, err := Get(ctx, tx, company, *a.FailedOf)
		if errors.Is(err, ErrNotFound) || err == nil && found.State == Draft {
			return ErrFailedOf
		}
		return err
	case a.Filter != "":
		if _, err := filter.Parse(a.Filter); err != nil {
			return &FilterError{err}
		}
	}
	return nil
}

// FilterError says what is wrong with the filter of an audience.
type FilterError struct{ Reason error }

func (e *FilterError) Error() string {
	return "the filter of the audience can't be read: " + e.Reason.Error()
}
func (e *FilterError) Unwrap() error { return e.Reason }

// members is the condition on the alias c of contacts, with its parameters after args. It is asked of a resolved audience.
func (a Audience) members(args []any, company id.ID) (string, []any, error) {
	const own = "c.company_id = $1 AND c.merged_into IS NULL" // $1 is the company in each statement
	place := "$" + strconv.Itoa(len(args)+1)
	switch {
	case a.All:
		return own, args, nil
	case len(a.TagIDs) > 0:
		return own + ` AND EXISTS (SELECT FROM contact_tags t WHERE t.company_id = c.company_id AND t.contact_id = c.id AND t.tag_id = ANY(` + place + `::uuid[]))`,
			append(args, a.TagIDs), nil
	case a.ImportID != nil:
		return own + ` AND EXISTS (SELECT FROM import_rows r WHERE r.company_id = c.company_id AND r.import_id = ` + place + `::uuid AND r.contact_id = c.id AND r.undone IS NULL)`,
			append(args, *a.ImportID), nil
	case a.FailedOf != nil:
		return own + fmt.Sprintf(` AND c.id IN (SELECT m.contact_id FROM messages m WHERE m.company_id = $1 AND m.campaign_id = $%d::uuid AND m.state = 3
			AND ($%d::int[] IS NULL OR coalesce(m.error_code, 0) = ANY($%[2]d::int[])))`, len(args)+1, len(args)+2), append(args, *a.FailedOf, a.FailedCodes), nil
	case a.Filter != "":
		chosen, err := filter.Parse(a.Filter)
		if err != nil {
			return "", nil, fmt.Errorf("reading the filter of an audience: %w", err)
		}
		text, args := chosen.SQL("c", args, company)
		return own + " AND " + text, args, nil
	}
	return own + " AND false", args, nil
}

// reach begins a statement over the contacts that an audience reaches; more parameters follow its five at once.
func reach(fields Fields, audience Audience, company id.ID, zone string, now time.Time, columns string, more ...any) (string, []any, error) {
	args := append([]any{company, fields.Connection, zone, fields.Content.NeedsWindow(), now}, more...)
	members, args, err := audience.members(args, company)
	if err != nil {
		return "", nil, err
	}
	body := reachSQL[strings.Index(reachSQL, "\nWITH "):] // its head names the placeholders in words
	return strings.NewReplacer("/* members */", members, "/* columns */", columns).Replace(body), args, nil
}

// planned is what a freeze did, or would do.
type planned struct {
	recipients int
	skipped    Skipped
}

func freeze(ctx context.Context, tx postgres.Tx, c Campaign, company id.ID, zone string, now time.Time) (result planned, err error) {
	head, args, err := reach(c.Fields, c.Audience, company, zone, now, "", c.ID, c.TextVersion)
	if err != nil {
		return result, err
	}
	err = tx.QueryRow(ctx, head+freezeSQL, args...).Scan(&result.recipients, &result.skipped.OptedOut, &result.skipped.NoPhone, &result.skipped.WindowShut)
	if err != nil {
		return result, fmt.Errorf("freezing the audience: %w", err)
	}
	return result, nil
}

// tally is what Freeze would plan, and more about those it would.
type tally struct {
	planned
	outside int            // without an open 24-hour window
	fresh   int            // of those, who are new to the number's portfolio within 24 hours
	lacking []int          // for whom each wanted field is empty
	zones   map[string]int // by zone set
}

// count tallies the audience: one row per zone set, summed here.
func count(ctx context.Context, tx postgres.Tx, company id.ID, zone string, fields Fields, audience Audience, now time.Time, wanted []string) (tally, error) {
	const fit = "NOT opted_out AND identity_id IS NOT NULL AND reachable"
	columns, counts, more := "", "", []any{}
	for i, name := range wanted {
		var empty string
		switch name {
		case "name":
			empty = "c.name = ''"
		case "zone":
			empty = "c.zone IS NULL"
		default:
			more = append(more, name)
			empty = fmt.Sprintf("coalesce(c.attributes ->> $%d::text, '') = ''", reachArgs+len(more))
		}
		if name == "first_name" {
			empty += " AND btrim(c.name) = ''"
		}
		columns += fmt.Sprintf(", %s AS lacks%d", empty, i)
		counts += fmt.Sprintf(", count(*) FILTER (WHERE %s AND lacks%d)::int", fit, i)
	}
	head, args, err := reach(fields, audience, company, zone, now, columns, more...)
	if err != nil {
		return tally{}, err
	}
	rows, err := tx.Query(ctx, head+`SELECT zones, count(*) FILTER (WHERE `+fit+`)::int,
		count(*) FILTER (WHERE opted_out)::int,
		count(*) FILTER (WHERE NOT opted_out AND identity_id IS NULL)::int,
		count(*) FILTER (WHERE NOT opted_out AND identity_id IS NOT NULL AND NOT reachable)::int,
		count(*) FILTER (WHERE `+fit+` AND NOT open)::int,
		count(*) FILTER (WHERE `+fit+` AND NOT open AND t.contact_id IS NULL)::int`+counts+`
		FROM reach LEFT JOIN portfolio_contacts t ON t.company_id = $1 AND t.contact_id = reach.id AND t.at > $5::timestamptz - interval '24 hours'
			AND t.portfolio_id = (SELECT s.portfolio_id FROM scopes s WHERE s.company_id = $1 AND s.connection_id = $2)
		GROUP BY zones`, args...)
	if err != nil {
		return tally{}, fmt.Errorf("counting the audience: %w", err)
	}
	return addUp(rows, len(wanted))
}

func addUp(rows pgx.Rows, wanted int) (tally, error) {
	sum, one, zones := tally{lacking: make([]int, wanted), zones: map[string]int{}}, tally{lacking: make([]int, wanted)}, ""
	into := []any{&zones, &one.recipients, &one.skipped.OptedOut, &one.skipped.NoPhone, &one.skipped.WindowShut, &one.outside, &one.fresh}
	for i := range one.lacking {
		into = append(into, &one.lacking[i])
	}
	_, err := pgx.ForEachRow(rows, into, func() error {
		sum.recipients += one.recipients
		sum.skipped.OptedOut += one.skipped.OptedOut
		sum.skipped.NoPhone += one.skipped.NoPhone
		sum.skipped.WindowShut += one.skipped.WindowShut
		sum.outside += one.outside
		sum.fresh += one.fresh
		for i, n := range one.lacking {
			sum.lacking[i] += n
		}
		if one.recipients > 0 {
			sum.zones[zones] = one.recipients
		}
		return nil
	})
	if err != nil {
		return tally{}, fmt.Errorf("counting the audience: %w", err)
	}
	return sum, nil
}

// anybody tells whether a freeze would plan at least one; it stops at the first.
func anybody(ctx context.Context, tx postgres.Tx, company id.ID, fields Fields, audience Audience, now time.Time) (found bool, err error) {
	members, args, err := audience.members([]any{company, fields.Connection, fields.Content.NeedsWindow(), now}, company)
	if err != nil {
		return false, err
	}
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM contacts c WHERE `+members+` AND c.opted_out_at IS NULL
		AND EXISTS (SELECT FROM identities i WHERE i.company_id = c.company_id AND i.contact_id = c.id AND i.kind = 'phone')
		AND (NOT $3::boolean OR EXISTS (SELECT FROM service_windows w WHERE w.company_id = c.company_id
			AND w.connection_id = $2 AND w.contact_id = c.id AND w.open_until > $4::timestamptz)))`, args...).Scan(&found)
	if err != nil {
		return false, fmt.Errorf("looking for an audience: %w", err)
	}
	return found, nil
}

// AudienceName is what people call the segment, the imported file or the campaign that an audience names; empty when it
// names none, or one that is gone.
func AudienceName(ctx context.Context, tx postgres.Tx, company id.ID, a Audience) (string, error) {
	name, err := New(tx).AudienceName(ctx, company, a.SegmentID, a.ImportID, a.FailedOf)
	if err != nil {
		return "", fmt.Errorf("reading the name of an audience: %w", err)
	}
	return name, nil
}

// somebody is a contact that would get the campaign.
type somebody struct {
	id   id.ID
	name string
	Person
}

// some reads up to limit contacts who would get it, in the order of their ids, after one.
func some(ctx context.Context, tx postgres.Tx, company id.ID, fields Fields, audience Audience, now time.Time, after id.ID, limit int) ([]somebody, error) {
	members, args, err := audience.members([]any{company, fields.Connection, fields.Content.NeedsWindow(), now, after, limit}, company)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `SELECT c.id, c.name, coalesce(c.zone, ''), c.attributes, i.value
		FROM contacts c
		CROSS JOIN LATERAL (SELECT i.value FROM identities i WHERE i.company_id = c.company_id AND i.contact_id = c.id AND i.kind = 'phone' ORDER BY i.id LIMIT 1) i
		WHERE `+members+` AND c.opted_out_at IS NULL AND c.id > $5::uuid
		AND (NOT $3::boolean OR EXISTS (SELECT FROM service_windows w WHERE w.company_id = c.company_id
			AND w.connection_id = $2 AND w.contact_id = c.id AND w.open_until > $4::timestamptz))
		ORDER BY c.id LIMIT $6::int`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading contacts of the audience: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (one somebody, err error) {
		var attributes json.RawMessage
		err = row.Scan(&one.id, &one.name, &one.Zone, &attributes, &one.Phone)
		one.Name, one.Attributes = one.name, attributes
		return one, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading contacts of the audience: %w", err)
	}
	return found, nil
}

// words is a filter that describes the audience, to be joined with a further condition; false when there is none.
func (a Audience) words(ctx context.Context, tx postgres.Tx, company id.ID) (string, bool, error) {
	switch {
	case a.All:
		return "", true, nil
	case a.Filter != "":
		return "(" + a.Filter + ") and ", true, nil
	case len(a.TagIDs) == 0:
		return "", false, nil
	}
	names, err := New(tx).TagNames(ctx, company, a.TagIDs)
	if err != nil {
		return "", false, fmt.Errorf("reading the audience's tags: %w", err)
	}
	for i, name := range names {
		names[i] = "tag:" + quoted(name)
	}
	return "(" + strings.Join(names, " or ") + ") and ", true, nil
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
