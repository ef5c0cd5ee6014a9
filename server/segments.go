package server

import (
	"context"
	"net/http"
	"time"

	"omnidesk/internal/audit"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
)

// Segment is a saved filter. Who is in it is asked anew each time.
type Segment struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Filter    string    `json:"filter"`
	Version   int       `json:"version" doc:"a change names the one it has seen"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// SegmentList is a whole list.
type SegmentList struct {
	Items []Segment `json:"items"`
}

// SegmentInput is a new segment.
type SegmentInput struct {
	Name   string `json:"name" minLength:"1" maxLength:"200"`
	Filter string `json:"filter" minLength:"1" maxLength:"8000"`
}

// SegmentPatch changes some fields.
type SegmentPatch struct {
	Version int     `json:"version" doc:"the one that was seen; another one in the meantime is a conflict"`
	Name    *string `json:"name,omitempty" minLength:"1" maxLength:"200" nullable:"false"`
	Filter  *string `json:"filter,omitempty" minLength:"1" maxLength:"8000" nullable:"false"`
}

type segmentIn struct{ Body SegmentInput }

type segmentPatchIn struct {
	IDPath
	Body SegmentPatch
}

func (s *Server) segmentRoutes() {
	register(s, op("listSegments", http.MethodGet, "/segments", "contacts", "All segments, by name"), s.listSegments)
	register(s, op("createSegment", http.MethodPost, "/segments", "contacts", "Save a filter as a segment", status(http.StatusCreated)), s.createSegment)
	register(s, op("getSegment", http.MethodGet, "/segments/{id}", "contacts", "One segment"), s.getSegment)
	register(s, op("updateSegment", http.MethodPatch, "/segments/{id}", "contacts", "Change a segment"), s.updateSegment)
	register(s, op("deleteSegment", http.MethodDelete, "/segments/{id}", "contacts", "Delete a segment that no campaign waits for", status(http.StatusNoContent)), s.deleteSegment)
}

func (s *Server) listSegments(ctx context.Context, _ *struct{}) (*Out[SegmentList], error) {
	company, list := companyOf(ctx), SegmentList{Items: []Segment{}}
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		segments, err := contact.Segments(ctx, tx, company)
		for _, segment := range segments {
			list.Items = append(list.Items, segmentView(segment))
		}
		return err
	})
	return out(list), err
}

func (s *Server) getSegment(ctx context.Context, in *IDPath) (*Out[Segment], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	return s.oneSegment(ctx, func(tx postgres.Tx, company id.ID) (contact.Segment, error) {
		return contact.GetSegment(ctx, tx, company, wanted)
	})
}

func (s *Server) createSegment(ctx context.Context, in *segmentIn) (*Out[Segment], error) {
	made, err := s.oneSegment(ctx, func(tx postgres.Tx, company id.ID) (contact.Segment, error) {
		made, err := contact.CreateSegment(ctx, tx, company, in.Body.Name, in.Body.Filter)
		audit.About(ctx, made.ID)
		return made, err
	})
	if err == nil {
		s.changed(companyOf(ctx), realtime.Contacts, id.Nil)
	}
	return made, err
}

func (s *Server) updateSegment(ctx context.Context, in *segmentPatchIn) (*Out[Segment], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	changed, err := s.oneSegment(ctx, func(tx postgres.Tx, company id.ID) (contact.Segment, error) {
		return contact.UpdateSegment(ctx, tx, company, wanted, in.Body.Version, in.Body.Name, in.Body.Filter)
	})
	if err == nil {
		s.changed(companyOf(ctx), realtime.Contacts, id.Nil)
	}
	return changed, err
}

func (s *Server) deleteSegment(ctx context.Context, in *IDPath) (*struct{}, error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error { return contact.DeleteSegment(ctx, tx, company, wanted) })
	if err == nil {
		s.changed(company, realtime.Contacts, id.Nil)
	}
	return nil, err
}

func (s *Server) oneSegment(ctx context.Context, do func(postgres.Tx, id.ID) (contact.Segment, error)) (*Out[Segment], error) {
	company := companyOf(ctx)
	var segment contact.Segment
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		segment, err = do(tx, company)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out(segmentView(segment)), nil
}

func segmentView(s contact.Segment) Segment {
	return Segment{ID: s.ID.String(), Name: s.Name, Filter: s.Filter, Version: s.Version, CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC()}
}
