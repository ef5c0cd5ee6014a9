package campaign

import (
	"context"
	"errors"
	"strings"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

const longestName = 200 // runes

// Duplicate makes a draft with the content and audience of another campaign. Its times are left out: they are over, or
// the other one's. A segment that is gone leaves the filter that it had at the other's start.
func Duplicate(ctx context.Context, tx postgres.Tx, company id.ID, of Campaign, by id.ID) (Campaign, error) {
	audience := of.Audience
	if audience.SegmentID != nil {
		audience.Filter = "" // it follows the segment anew
		if err := audience.known(ctx, tx, company); errors.Is(err, ErrSegment) && of.Audience.Filter != "" {
			audience = Audience{Filter: of.Audience.Filter}
		}
	}
	return Create(ctx, tx, company, Fields{Name: named(of.Name, "copy"), Connection: of.Connection, Content: of.Content, Audience: audience, By: by})
}

// SendAgain makes a draft for the recipients of a campaign whose message has failed, with codes only with one of these.
func SendAgain(ctx context.Context, tx postgres.Tx, company id.ID, of Campaign, codes []int32, by id.ID) (Campaign, error) {
	if of.State == Draft {
		return Campaign{}, &StateError{"be sent again", of.State, "started"}
	}
	return Create(ctx, tx, company, Fields{Name: named(of.Name, "again"), Connection: of.Connection, Content: of.Content,
		Audience: Audience{FailedOf: &of.ID, FailedCodes: codes}, By: by})
}

// named adds a word to a name, once: "Offer (copy)" stays as it is.
func named(name, word string) string {
	suffix := " (" + word + ")"
	name = strings.TrimSuffix(name, suffix)
	if runes := []rune(name); len(runes) > longestName-len(suffix) {
		name = string(runes[:longestName-len(suffix)])
	}
	return name + suffix
}
