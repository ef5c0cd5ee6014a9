package contact

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/filter"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// MostSegments of one company.
const MostSegments = 500

// Errors about segments.
var (
	ErrNoSegment    = errors.New("no such segment")
	ErrSegmentName  = errors.New("another segment of this company has this name")
	ErrSegmentStale = errors.New("somebody else has changed the segment meanwhile; load it again")
)

// SegmentInUseError refuses to delete a segment that campaigns are still going to ask for its contacts.
type SegmentInUseError struct{ Campaigns []string } // names, at most 20

func (e *SegmentInUseError) Error() string {
	return fmt.Sprintf("it is the audience of %d campaigns that have not started: %s; choose another audience for them first",
		len(e.Campaigns), strings.Join(e.Campaigns, ", "))
}

// Segment is a saved filter. Who is in it is asked anew each time.
type Segment struct {
	ID                   id.ID
	Name                 string
	Filter               string // as it was written; it parses
	Version              int
	CreatedAt, UpdatedAt time.Time
}

// Segments returns all segments by name.
func Segments(ctx context.Context, tx postgres.Tx, company id.ID) ([]Segment, error) {
	rows, err := New(tx).listSegments(ctx, company, MostSegments)
	if err != nil {
		return nil, fmt.Errorf("listing segments: %w", err)
	}
	segments := make([]Segment, len(rows))
	for i, row := range rows {
		segments[i] = segmentOf(row)
	}
	return segments, nil
}

// GetSegment returns one segment, or ErrNoSegment.
func GetSegment(ctx context.Context, tx postgres.Tx, company, segment id.ID) (Segment, error) {
	row, err := New(tx).getSegment(ctx, company, segment)
	if err != nil {
		return Segment{}, segmentError("reading a segment", err)
	}
	return segmentOf(row), nil
}

// CreateSegment adds a segment. It answers ErrSegmentName, an InvalidError, or a *filter.Error about the filter.
func CreateSegment(ctx context.Context, tx postgres.Tx, company id.ID, name, text string) (Segment, error) {
	name, err := checkSegment(name, text)
	if err != nil {
		return Segment{}, err
	}
	q := New(tx)
	if n, err := q.countSegments(ctx, company); err != nil || n >= MostSegments {
		if err == nil {
			err = InvalidError{"name", fmt.Sprintf("a company has at most %d segments; delete one first", MostSegments)}
		}
		return Segment{}, err
	}
	row, err := q.insertSegment(ctx, company, id.New(), name, text)
	if err != nil {
		return Segment{}, segmentError("adding a segment", err)
	}
	return segmentOf(row), nil
}

// UpdateSegment changes the version of a segment that somebody has seen; nil leaves a value as it is. It answers as
// CreateSegment does, or ErrNoSegment or ErrSegmentStale.
func UpdateSegment(ctx context.Context, tx postgres.Tx, company, segment id.ID, version int, name, text *string) (Segment, error) {
	q := New(tx)
	row, err := q.lockSegment(ctx, company, segment)
	if err != nil {
		return Segment{}, segmentError("reading a segment", err)
	}
	if int(row.Version) != version {
		return Segment{}, ErrSegmentStale
	}
	if name != nil {
		row.Name = *name
	}
	if text != nil {
		row.Filter = *text
	}
	if row.Name, err = checkSegment(row.Name, row.Filter); err != nil {
		return Segment{}, err
	}
	row, err = q.updateSegment(ctx, row.Name, row.Filter, company, segment)
	if err != nil {
		return Segment{}, segmentError("changing a segment", err)
	}
	return segmentOf(row), nil
}

// DeleteSegment removes a segment. It answers ErrNoSegment or a *SegmentInUseError.
func DeleteSegment(ctx context.Context, tx postgres.Tx, company, segment id.ID) error {
	q := New(tx)
	if _, err := q.lockSegment(ctx, company, segment); err != nil {
		return segmentError("reading a segment", err)
	}
	campaigns, err := q.campaignsOfSegment(ctx, company, segment.String())
	if err != nil {
		return fmt.Errorf("looking for campaigns of a segment: %w", err)
	}
	if len(campaigns) > 0 {
		return &SegmentInUseError{campaigns}
	}
	if err := q.deleteSegment(ctx, company, segment); err != nil {
		return fmt.Errorf("deleting a segment: %w", err)
	}
	return nil
}

func checkSegment(name, text string) (clean string, err error) {
	if clean, err = cleanText("name", name, longestName); err != nil {
		return "", err
	}
	if clean == "" {
		return "", InvalidError{"name", "is empty"}
	}
	parsed, err := filter.Parse(text)
	if err != nil {
		return "", err
	}
	if parsed.Everyone() {
		return "", &filter.Error{Message: `A segment needs a condition, for example tag:"vip"; for everyone no segment is needed.`}
	}
	return clean, nil
}

func segmentOf(row SegmentRow) Segment {
	return Segment{ID: row.ID, Name: row.Name, Filter: row.Filter, Version: int(row.Version), CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt}
}

func segmentError(doing string, err error) error {
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return ErrNoSegment
	case postgres.IsUnique(err, "segments_name"):
		return ErrSegmentName
	}
	return fmt.Errorf("%s: %w", doing, err)
}
