package server

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
)

// TagContacts puts tags on contacts or takes them off: those with the ids, or without ids all that the rest chooses.
type TagContacts struct {
	Add       []string `json:"add,omitempty" maxItems:"50" doc:"names; new ones are made"`
	Remove    []string `json:"remove,omitempty" maxItems:"50"`
	IDs       []string `json:"ids,omitempty" maxItems:"1000" doc:"absent: all that are chosen by the other fields"`
	Q         string   `json:"q,omitempty" maxLength:"200"`
	TagID     string   `json:"tag_id,omitempty"`
	SegmentID string   `json:"segment_id,omitempty"`
	Filter    string   `json:"filter,omitempty" maxLength:"8000"`
	ImportID  string   `json:"import_id,omitempty"`
	Outcome   string   `json:"outcome,omitempty" enum:"added,updated,unchanged"`
}

// Changed counts what a change of many has changed.
type Changed struct {
	Changed int64 `json:"changed"`
}

// AttributeNames in use.
type AttributeNames struct {
	Items []string `json:"items"`
}

type tagContactsIn struct{ Body TagContacts }

func (s *Server) tagContacts(ctx context.Context, in *tagContactsIn) (*Out[Changed], error) {
	b, company := in.Body, companyOf(ctx)
	if (len(b.Add) == 0) == (len(b.Remove) == 0) {
		return nil, unfit("add", "name tags to add or tags to remove")
	}
	choice := ContactQuery{Q: b.Q, TagID: b.TagID, SegmentID: b.SegmentID, Filter: b.Filter, ImportID: b.ImportID, Outcome: b.Outcome}
	var changed Changed
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		selection, err := b.selection(ctx, tx, company, choice)
		if err != nil {
			return err
		}
		if len(b.Add) > 0 {
			changed.Changed, err = contact.AddTags(ctx, tx, company, selection, b.Add)
		} else {
			changed.Changed, err = contact.RemoveTags(ctx, tx, company, selection, b.Remove)
		}
		return err
	})
	if err != nil {
		return nil, choice.problem(err)
	}
	s.changed(company, realtime.Contacts, id.Nil)
	return out(changed), nil
}

func (b TagContacts) selection(ctx context.Context, tx postgres.Tx, company id.ID, choice ContactQuery) (selection contact.Selection, err error) {
	if b.IDs == nil {
		selection.Query, err = choice.read(ctx, tx, company)
		return selection, err
	}
	if choice != (ContactQuery{}) {
		return selection, unfit("ids", "give either ids or what chooses contacts")
	}
	selection.IDs = make([]id.ID, len(b.IDs))
	for i, raw := range b.IDs {
		if selection.IDs[i], err = idIn("ids", raw); err != nil {
			return selection, err
		}
	}
	return selection, nil
}

func (s *Server) contactAttributes(ctx context.Context, _ *struct{}) (*Out[AttributeNames], error) {
	company, list := companyOf(ctx), AttributeNames{Items: []string{}}
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		names, err := contact.AttributeNames(ctx, tx, company)
		list.Items = append(list.Items, names...)
		return err
	})
	return out(list), err
}

type exportContactsIn struct {
	ContactQuery
	SheetQuery
}

// exportContactsPage is how many contacts one transaction reads.
const exportContactsPage = 1_000

func (s *Server) exportContacts(ctx context.Context, in *exportContactsIn) (*huma.StreamResponse, error) {
	company := companyOf(ctx)
	var query contact.Query
	var attributes []string
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		if query, err = in.read(ctx, tx, company); err != nil {
			return err
		}
		if _, _, err = contact.List(ctx, tx, company, query, contact.First, 1); err != nil { // what is unfit is told before the first byte
			return err
		}
		attributes, err = contact.AllAttributeNames(ctx, tx, company)
		return err
	})
	if err != nil {
		return nil, in.problem(err)
	}
	return s.stream(in.Format, "contacts", func(ctx context.Context, row func(...string) error) error {
		if err := row(append([]string{"name", "phone", "zone", "tags", "opted out", "created"}, attributes...)...); err != nil {
			return err
		}
		for next := &contact.First; next != nil; {
			var page []contact.Contact
			err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
				page, next, err = contact.List(ctx, tx, company, query, *next, exportContactsPage)
				return err
			})
			if err != nil {
				return err
			}
			for _, c := range page {
				if err := row(contactRow(c, attributes)...); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func contactRow(c contact.Contact, attributes []string) []string {
	var zone, optedOut string
	if c.Zone != nil {
		zone = *c.Zone
	}
	if c.OptedOutAt != nil {
		optedOut = c.OptedOutAt.UTC().Format("2006-01-02")
	}
	tags := make([]string, len(c.Tags))
	for i, tag := range c.Tags {
		tags[i] = tag.Name
	}
	cells := []string{c.Name, c.Phone, zone, strings.Join(tags, ";"), optedOut, c.CreatedAt.UTC().Format("2006-01-02")}
	for _, name := range attributes {
		cells = append(cells, c.Attributes[name])
	}
	return cells
}
