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

// Tag marks contacts.
type Tag struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// TagCount is a tag and how many contacts have it.
type TagCount struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Contacts int64  `json:"contacts"`
}

// TagList is a whole list.
type TagList struct {
	Items []TagCount `json:"items"`
}

// Contact is a person whom the company writes to.
type Contact struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Phone      *string           `json:"phone,omitempty" doc:"E.164"`
	Zone       *string           `json:"zone,omitempty" doc:"IANA zone; absent: the number's region decides"`
	Tags       []Tag             `json:"tags"`
	Attributes map[string]string `json:"attributes"`
	OptedOutAt *time.Time        `json:"opted_out_at,omitempty"`
	CreatedAt  time.Time         `json:"created_at"`
	Version    string            `json:"version" doc:"a change may name the one it has seen"`
}

// ContactList is one page.
type ContactList struct {
	Items      []Contact `json:"items"`
	NextCursor string    `json:"next_cursor" doc:"empty on the last page"`
}

// ContactInput is a new contact.
type ContactInput struct {
	Name       string            `json:"name" maxLength:"200"`
	Phone      string            `json:"phone" minLength:"1" maxLength:"60" doc:"with its country code"`
	Zone       *string           `json:"zone,omitempty" maxLength:"64"`
	Tags       []string          `json:"tags,omitempty" maxItems:"50" doc:"names; new ones are made"`
	Attributes map[string]string `json:"attributes,omitempty" doc:"merge fields; names of lower-case letters, digits and _"`
}

// ContactPatch changes some fields. Tags and attributes replace all.
type ContactPatch struct {
	Name       *string            `json:"name,omitempty" maxLength:"200" nullable:"false"`
	Zone       Optional[string]   `json:"zone,omitempty"`
	Tags       *[]string          `json:"tags,omitempty" maxItems:"50"`
	Attributes *map[string]string `json:"attributes,omitempty"`
	OptedOut   *bool              `json:"opted_out,omitempty" nullable:"false"`
	Version    string             `json:"version,omitempty" maxLength:"20" doc:"the one that was seen: another one in the meantime is a conflict; without it the change is made in any case"`
}

type contactsIn struct {
	PageQuery
	ContactQuery
}

type contactIn struct{ Body ContactInput }

type contactPatchIn struct {
	IDPath
	Body ContactPatch
}

func (s *Server) contactRoutes() {
	register(s, op("listContacts", http.MethodGet, "/contacts", "contacts", "Contacts, newest first; all of them, or those for whom everything that is asked holds"), s.listContacts)
	register(s, op("countContacts", http.MethodGet, "/contacts/count", "contacts", "How many contacts a choice of them has",
		describe("In parts, the newest contacts first: each call looks at some thousand contacts, and the next one goes on at the cursor. Everybody, and what a search finds when that is not much, are counted at once.")), s.countContacts)
	register(s, op("createContact", http.MethodPost, "/contacts", "contacts", "Add a contact", status(http.StatusCreated), body(128<<10)), s.createContact)
	register(s, op("getContact", http.MethodGet, "/contacts/{id}", "contacts", "One contact"), s.getContact)
	register(s, op("updateContact", http.MethodPatch, "/contacts/{id}", "contacts", "Change a contact", body(128<<10)), s.updateContact)
	register(s, op("tagContacts", http.MethodPost, "/contacts/tags", "contacts", "Put tags on many contacts, or take them off",
		describe("Either the contacts with these ids, or all that are chosen as in a list."), body(128<<10)), s.tagContacts)
	register(s, op("exportContacts", http.MethodGet, "/contacts/export", "contacts", "Contacts as a file, CSV or XLSX", asSheet,
		describe("The columns are those of an import. In CSV, a cell that a spreadsheet could take for a formula begins with an apostrophe; so does every phone number.")), s.exportContacts)
	register(s, op("contactAttributes", http.MethodGet, "/contacts/attributes", "contacts", "Names of attributes in use"), s.contactAttributes)
	register(s, op("contactTimeline", http.MethodGet, "/contacts/{id}/timeline", "contacts", "What became of a contact, newest first"), s.contactTimeline)
	register(s, op("listTags", http.MethodGet, "/tags", "contacts", "All tags, by name"), s.listTags)
}

func (s *Server) listContacts(ctx context.Context, in *contactsIn) (*Out[ContactList], error) {
	before, err := in.after(contact.First)
	if err != nil {
		return nil, err
	}
	company, list := companyOf(ctx), ContactList{Items: []Contact{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		query, err := in.read(ctx, tx, company)
		if err != nil {
			return err
		}
		contacts, next, err := contact.List(ctx, tx, company, query, before, in.Limit)
		for _, c := range contacts {
			list.Items = append(list.Items, contactView(c))
		}
		if next != nil {
			list.NextCursor = cursorOf(*next)
		}
		return err
	})
	return out(list), in.problem(err)
}

type countIn struct {
	ContactQuery
	Cursor string `query:"cursor" maxLength:"64" doc:"next_cursor of the part before"`
}

func (s *Server) countContacts(ctx context.Context, in *countIn) (*Out[Count], error) {
	before, err := PageQuery{Cursor: in.Cursor}.after(contact.First)
	if err != nil {
		return nil, err
	}
	company, part := companyOf(ctx), Count{}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		query, err := in.read(ctx, tx, company)
		if err != nil {
			return err
		}
		size, err := contact.Count(ctx, tx, company, query, before)
		if part.Count = size.Contacts; size.Next != nil {
			part.NextCursor = cursorOf(*size.Next)
		}
		return err
	})
	return out(part), in.problem(err)
}

func (s *Server) createContact(ctx context.Context, in *contactIn) (*Out[Contact], error) {
	b, company := in.Body, companyOf(ctx)
	draft := contact.Draft{Name: b.Name, Phone: b.Phone, Zone: b.Zone, Tags: b.Tags, Attributes: b.Attributes}
	var made contact.Contact
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		made, err = contact.Create(ctx, tx, company, draft)
		audit.About(ctx, made.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.changed(company, realtime.Contacts, id.Nil)
	return out(contactView(made)), nil
}

func (s *Server) getContact(ctx context.Context, in *IDPath) (*Out[Contact], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var found contact.Contact
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		found, err = contact.Get(ctx, tx, company, wanted)
		return err
	})
	return out(contactView(found)), err
}

func (s *Server) updateContact(ctx context.Context, in *contactPatchIn) (*Out[Contact], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	b, company := in.Body, companyOf(ctx)
	change := contact.Change{Name: b.Name, Tags: b.Tags, Attributes: b.Attributes, OptedOut: b.OptedOut, Version: b.Version}
	if b.Zone.Sent {
		none := ""
		if change.Zone = b.Zone.Value; change.Zone == nil {
			change.Zone = &none
		}
	}
	var changed contact.Contact
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		changed, err = contact.Update(ctx, tx, company, wanted, change, s.now())
		return err
	})
	if err != nil {
		return nil, err
	}
	s.changed(company, realtime.Contacts, id.Nil)
	return out(contactView(changed)), nil
}

func (s *Server) listTags(ctx context.Context, _ *struct{}) (*Out[TagList], error) {
	company, list := companyOf(ctx), TagList{Items: []TagCount{}}
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		tags, err := contact.Tags(ctx, tx, company)
		for _, tag := range tags {
			list.Items = append(list.Items, TagCount{ID: tag.ID.String(), Name: tag.Name, Contacts: tag.Contacts})
		}
		return err
	})
	return out(list), err
}

func contactView(c contact.Contact) Contact {
	view := Contact{ID: c.ID.String(), Name: c.Name, Zone: c.Zone, Tags: []Tag{}, Attributes: c.Attributes,
		OptedOutAt: utc(c.OptedOutAt), CreatedAt: c.CreatedAt.UTC(), Version: c.Version}
	if c.Phone != "" {
		view.Phone = &c.Phone
	}
	for _, tag := range c.Tags {
		view.Tags = append(view.Tags, Tag{ID: tag.ID.String(), Name: tag.Name})
	}
	if view.Attributes == nil {
		view.Attributes = map[string]string{}
	}
	return view
}
