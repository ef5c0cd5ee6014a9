package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"omnidesk/internal/contact"
	"omnidesk/internal/filter"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// ContactQuery chooses contacts: those for whom everything that is given holds.
type ContactQuery struct {
	Q         string `query:"q" maxLength:"200" doc:"words of a name, or digits of a number"`
	TagID     string `query:"tag_id" format:"uuid" doc:"with this tag"`
	SegmentID string `query:"segment_id" format:"uuid" doc:"in this segment"`
	Filter    string `query:"filter" maxLength:"8000" doc:"a filter such as tag:\"vip\" and city = \"Recife\""`
	ImportID  string `query:"import_id" format:"uuid" doc:"met by this import, as long as its rows are kept"`
	Outcome   string `query:"outcome" enum:"added,updated,unchanged" doc:"what that import did with them"`
}

// Count of contacts.
type Count struct {
	Count      int64  `json:"count" doc:"of this part; the whole count is the sum of all parts"`
	NextCursor string `json:"next_cursor" doc:"of the part that follows; empty with the last one"`
}

// errBothFilters: two filters at once could be joined, but nobody has needed that.
var errBothFilters = newProblem(http.StatusUnprocessableEntity, "The request has an unfit field.",
	&huma.ErrorDetail{Location: "query.filter", Message: "give either a filter or a segment"})

// errCampaignFilter: campaigns of other departments would tell by it whom they reached.
var errCampaignFilter = newProblem(http.StatusForbidden, "Your role does not allow to choose contacts by campaigns; ask an admin.")

// read makes the query out of what was asked, in the transaction of the company.
func (in ContactQuery) read(ctx context.Context, tx postgres.Tx, company id.ID) (contact.Query, error) {
	query, text := contact.Query{Search: in.Q}, in.Filter
	if in.TagID != "" {
		tag, err := id.Parse(in.TagID)
		if err != nil {
			return query, contact.ErrNoTag
		}
		query.Tag = &tag
	}
	if err := in.readImport(&query); err != nil {
		return query, err
	}
	if in.SegmentID != "" {
		if in.Filter != "" {
			return query, errBothFilters
		}
		wanted, err := id.Parse(in.SegmentID)
		if err != nil {
			return query, contact.ErrNoSegment
		}
		segment, err := contact.GetSegment(ctx, tx, company, wanted)
		if err != nil {
			return query, err
		}
		text = segment.Filter
	}
	var err error
	query.Filter, err = filter.Parse(text)
	if err == nil && departmentsOf(ctx) != nil && query.Filter.OfCampaigns() {
		err = errCampaignFilter
	}
	return query, err
}

func (in ContactQuery) readImport(query *contact.Query) error {
	if in.ImportID == "" {
		if in.Outcome != "" {
			return unfitQuery("outcome", "is of an import: name it in import_id, too")
		}
		return nil
	}
	wanted, err := id.Parse(in.ImportID)
	if err != nil {
		return unfitQuery("import_id", "is no id of an import")
	}
	query.Import, query.Outcome = &wanted, in.Outcome
	return nil
}

// problem names the unfit part of a query.
func (in ContactQuery) problem(err error) error {
	var wrong *filter.Error
	switch {
	case errors.Is(err, contact.ErrNoTag):
		return newProblem(http.StatusUnprocessableEntity, "The request has an unfit field.",
			&huma.ErrorDetail{Location: "query.tag_id", Message: "there is no such tag"})
	case errors.Is(err, contact.ErrNoSegment):
		return newProblem(http.StatusUnprocessableEntity, "The request has an unfit field.",
			&huma.ErrorDetail{Location: "query.segment_id", Message: "there is no such segment"})
	case errors.As(err, &wrong):
		return filterProblem("query.filter", wrong)
	}
	return err
}

// filterProblem says where a filter is wrong: the value holds at and end, in characters, for underlining.
func filterProblem(location string, wrong *filter.Error) *huma.ErrorModel {
	p := problemOf(http.StatusUnprocessableEntity, "filter", wrong.Message)
	p.Errors = []*huma.ErrorDetail{{Location: location, Message: wrong.Message, Value: map[string]int{"at": wrong.At, "end": wrong.End}}}
	return p
}
