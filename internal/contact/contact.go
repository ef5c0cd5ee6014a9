// Package contact keeps the people whom a company writes to: names, phones, zones, tags, attributes, the
// opt-out mark, and the service windows that they open by writing.
package contact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Limits of what a contact may hold.
const (
	MostAttributes  = 50
	longestName     = 200 // characters; also of a tag
	longestAttrName = 40
	longestAttr     = 1000
	MostTags        = 50
)

// serviceWindow is how long free text may be sent after a contact wrote. Meta's rule.
const serviceWindow = 24 * time.Hour

// Errors of the package.
var (
	ErrNotFound   = errors.New("no such contact")
	ErrNoTag      = errors.New("no such tag")
	ErrStale      = errors.New("somebody else has changed the contact meanwhile; load it again")
	ErrPhoneTaken = errors.New("another contact of this company has this phone number")
)

// InvalidError names a field that is unfit and says why, without repeating its value.
type InvalidError struct{ Field, Reason string }

func (e InvalidError) Error() string { return e.Field + ": " + e.Reason }

// Tag marks contacts.
type Tag struct {
	ID   id.ID
	Name string
}

// TagCount is a tag and how many contacts have it.
type TagCount struct {
	Tag
	Contacts int64
}

// Contact is a person whom a company writes to.
type Contact struct {
	ID         id.ID
	Name       string
	Phone      string  // E.164 with its plus sign, or empty
	Zone       *string // IANA; nil: the number's region decides
	Tags       []Tag
	Attributes map[string]string
	OptedOutAt *time.Time
	CreatedAt  time.Time
	Version    string // of all of it; an edit names the one it has seen
}

// Draft holds what a person enters for a new contact.
type Draft struct {
	Name, Phone string
	Zone        *string
	Tags        []string
	Attributes  map[string]string
}

// Change holds what a person edits; nil leaves a value as it is. An empty zone removes it. Tags and Attributes
// replace all.
type Change struct {
	Name, Zone *string
	Tags       *[]string
	Attributes *map[string]string
	OptedOut   *bool
	Version    string // the one that was seen; empty: whichever is there
}

// Create adds a contact. It answers ErrPhoneTaken or an InvalidError.
func Create(ctx context.Context, tx postgres.Tx, company id.ID, draft Draft) (Contact, error) {
	phone, err := Phone(draft.Phone, "")
	if err != nil {
		return Contact{}, InvalidError{"phone", err.Error()}
	}
	clean, err := check(draft.Name, draft.Zone, draft.Tags, draft.Attributes)
	if err != nil {
		return Contact{}, err
	}
	q, contact := New(tx), id.New()
	err = q.insertContact(ctx, insertContactParams{CompanyID: company, ID: contact, Name: clean.name, Zone: clean.zone, Attributes: clean.json()})
	if err != nil {
		return Contact{}, fmt.Errorf("adding a contact: %w", err)
	}
	if err := q.insertPhone(ctx, insertPhoneParams{CompanyID: company, ID: id.New(), ContactID: contact, Phone: phone, Zones: PhoneZones(phone)}); err != nil {
		return Contact{}, phoneTaken(fmt.Errorf("adding a phone: %w", err))
	}
	if err := setTags(ctx, q, company, contact, clean.tags); err != nil {
		return Contact{}, err
	}
	return Get(ctx, tx, company, contact)
}

// Reach returns the contact with a phone and its identity; when there is none, it is added under name. It answers an
// InvalidError about the phone.
func Reach(ctx context.Context, tx postgres.Tx, company id.ID, phone, name string) (contact, identity id.ID, err error) {
	clean, err := Phone(phone, "")
	if err != nil {
		return id.Nil, id.Nil, InvalidError{"phone", err.Error()}
	}
	q := New(tx)
	found, err := q.findPhone(ctx, company, clean)
	if errors.Is(err, pgx.ErrNoRows) {
		if _, err = Create(ctx, tx, company, Draft{Name: name, Phone: clean}); err != nil {
			return id.Nil, id.Nil, err
		}
		found, err = q.findPhone(ctx, company, clean)
	}
	if err != nil {
		return id.Nil, id.Nil, fmt.Errorf("looking for a phone: %w", err)
	}
	return found.ContactID, found.ID, nil
}

// Get returns one contact, or ErrNotFound.
func Get(ctx context.Context, tx postgres.Tx, company, contact id.ID) (Contact, error) {
	found, err := load(ctx, New(tx), company, []id.ID{contact})
	if err != nil {
		return Contact{}, err
	}
	if len(found) == 0 {
		return Contact{}, ErrNotFound
	}
	return found[0], nil
}

// compactAbove is how many changes of counts a company may have before a reader sums them up.
const compactAbove = 2000

// Tags returns the first 1,000 tags by name.
func Tags(ctx context.Context, tx postgres.Tx, company id.ID) ([]TagCount, error) {
	q := New(tx)
	rows, err := q.listTags(ctx, company)
	if err != nil {
		return nil, fmt.Errorf("listing tags: %w", err)
	}
	tags, deltas := make([]TagCount, len(rows)), int64(0)
	for i, row := range rows {
		tags[i] = TagCount{Tag{row.ID, row.Name}, row.Contacts}
		deltas += row.Deltas
	}
	if deltas > compactAbove+int64(len(rows)) {
		if err := q.compactCounts(ctx, company); err != nil {
			return nil, fmt.Errorf("compacting counts: %w", err)
		}
	}
	return tags, nil
}

// Update changes a contact. It answers ErrNotFound, ErrStale or an InvalidError.
func Update(ctx context.Context, tx postgres.Tx, company, contact id.ID, change Change, now time.Time) (Contact, error) {
	q := New(tx)
	row, err := q.lockContact(ctx, company, contact)
	if errors.Is(err, pgx.ErrNoRows) {
		return Contact{}, ErrNotFound
	}
	if err != nil {
		return Contact{}, fmt.Errorf("reading a contact: %w", err)
	}
	if change.Version != "" {
		seen, err := Get(ctx, tx, company, contact)
		if err != nil {
			return Contact{}, err
		}
		if seen.Version != change.Version {
			return Contact{}, ErrStale
		}
	}
	name, zone, attributes := row.Name, row.Zone, attributesOf(row.Attributes)
	if change.Name != nil {
		name = *change.Name
	}
	if change.Zone != nil {
		zone = change.Zone
	}
	if change.Attributes != nil {
		attributes = *change.Attributes
	}
	var tags []string
	if change.Tags != nil {
		tags = *change.Tags
	}
	clean, err := check(name, zone, tags, attributes)
	if err != nil {
		return Contact{}, err
	}
	optedOut := row.OptedOutAt
	if change.OptedOut != nil && *change.OptedOut != (optedOut != nil) {
		if optedOut = nil; *change.OptedOut {
			optedOut = &now
		}
	}
	err = q.updateContact(ctx, updateContactParams{CompanyID: company, ID: contact, Name: clean.name, Zone: clean.zone,
		Attributes: clean.json(), OptedOutAt: optedOut})
	if err != nil {
		return Contact{}, fmt.Errorf("changing a contact: %w", err)
	}
	if change.Tags != nil {
		if err := setTags(ctx, q, company, contact, clean.tags); err != nil {
			return Contact{}, err
		}
	}
	return Get(ctx, tx, company, contact)
}

// AttributeNames returns attribute names in use, for an editor's suggestions: those of the newest 5,000
// contacts, at most 200.
func AttributeNames(ctx context.Context, tx postgres.Tx, company id.ID) ([]string, error) {
	names, err := New(tx).recentAttributeNames(ctx, company)
	if err != nil {
		return nil, fmt.Errorf("reading attribute names: %w", err)
	}
	return names, nil
}

// AttributeInUse tells whether any contact has the attribute: a merge field that no one has is a mistake.
func AttributeInUse(ctx context.Context, tx postgres.Tx, company id.ID, name string) (bool, error) {
	used, err := New(tx).attributeInUse(ctx, company, name)
	if err != nil {
		return false, fmt.Errorf("looking for an attribute: %w", err)
	}
	return used, nil
}

func load(ctx context.Context, q *Queries, company id.ID, ids []id.ID) ([]Contact, error) {
	rows, err := q.getContacts(ctx, company, ids)
	if err != nil {
		return nil, fmt.Errorf("reading contacts: %w", err)
	}
	marks, err := q.tagsOf(ctx, company, ids)
	if err != nil {
		return nil, fmt.Errorf("reading tags: %w", err)
	}
	tags := map[id.ID][]Tag{}
	for _, mark := range marks {
		tags[mark.ContactID] = append(tags[mark.ContactID], Tag{mark.ID, mark.Name})
	}
	contacts := make([]Contact, len(rows))
	for i, row := range rows {
		contacts[i] = Contact{ID: row.ID, Name: row.Name, Phone: row.Phone, Zone: row.Zone, Tags: tags[row.ID],
			Attributes: attributesOf(row.Attributes), OptedOutAt: row.OptedOutAt, CreatedAt: row.CreatedAt}
		contacts[i].Version = version(row.UpdatedAt, tags[row.ID])
	}
	return contacts, nil
}

// version changes with the contact's row and with its tags, which are put on and taken off without touching the row.
func version(updated time.Time, tags []Tag) string {
	sum := fnv.New64a()
	fmt.Fprint(sum, updated.UnixMicro())
	for _, tag := range tags {
		fmt.Fprint(sum, tag.ID)
	}
	return strconv.FormatUint(sum.Sum64(), 36)
}

// setTags makes names the tags of a contact, adding those that the company does not have.
func setTags(ctx context.Context, q *Queries, company, contact id.ID, names []string) error {
	known, err := ensureTags(ctx, q, company, names)
	if err != nil {
		return err
	}
	tagIDs := make([]id.ID, 0, len(names))
	contacts := make([]id.ID, 0, len(names))
	for _, name := range names {
		tagIDs, contacts = append(tagIDs, known[name]), append(contacts, contact)
	}
	if err := q.removeOtherTags(ctx, company, contact, tagIDs); err != nil {
		return fmt.Errorf("removing tags: %w", err)
	}
	if _, err := q.insertContactTags(ctx, company, tagIDs, contacts); err != nil {
		return fmt.Errorf("adding tags: %w", err)
	}
	return nil
}

// ensureTags returns the ids of tags by name. They are added in one order, so that two imports with the same
// new tags don't wait for each other.
func ensureTags(ctx context.Context, q *Queries, company id.ID, names []string) (map[string]id.ID, error) {
	known := map[string]id.ID{}
	if len(names) == 0 {
		return known, nil
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	rows, err := q.tagsByName(ctx, company, names)
	if err == nil && len(rows) < len(names) {
		ids := make([]id.ID, len(names))
		for i := range ids {
			ids[i] = id.New()
		}
		if err = q.insertTags(ctx, company, ids, names); err == nil {
			rows, err = q.tagsByName(ctx, company, names)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("adding tags: %w", err)
	}
	for _, row := range rows {
		known[row.Name] = row.ID
	}
	return known, nil
}

func attributesOf(raw json.RawMessage) map[string]string {
	attributes := map[string]string{}
	// Written by this package alone; what another hand wrote is left out rather than failing a list.
	_ = json.Unmarshal(raw, &attributes)
	return attributes
}

func marshal(attributes map[string]string) json.RawMessage {
	raw, err := json.Marshal(attributes)
	if err != nil {
		panic(err) // a map of strings always marshals
	}
	return raw
}

func phoneTaken(err error) error {
	if postgres.IsUnique(err, "identities_company_id_kind_scope_value_key") {
		return ErrPhoneTaken
	}
	return err
}

// Backdate lets a contact have been added at an earlier instant, for demo data.
func Backdate(ctx context.Context, tx postgres.Tx, company, contact id.ID, created time.Time) error {
	if err := New(tx).backdate(ctx, created, company, contact); err != nil {
		return fmt.Errorf("backdating a contact: %w", err)
	}
	return nil
}
