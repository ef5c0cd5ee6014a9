package contact

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// batchTries: a contact with the same phone may be added by somebody else between our look and our insert.
const batchTries = 4

// flush writes the batch in one transaction of set statements.
func (i *importer) flush(ctx context.Context) error {
	if len(i.order) == 0 {
		return nil
	}
	var done Report
	var err error
	for range batchTries {
		err = i.db.InCompany(ctx, i.company, func(tx postgres.Tx) (err error) {
			done, err = i.write(ctx, New(tx))
			return err
		})
		if err == nil || !postgres.IsRetryable(err) && !errors.Is(phoneTaken(err), ErrPhoneTaken) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("writing a batch of contacts: %w", err)
	}
	i.report.Added += done.Added
	i.report.Updated += done.Updated
	i.report.Unchanged += done.Unchanged
	i.report.Duplicates += done.Duplicates
	clear(i.batch)
	i.order, i.bytes = i.order[:0], 0
	return nil
}

func (i *importer) write(ctx context.Context, q *Queries) (Report, error) {
	known, err := q.lockByPhone(ctx, i.company, i.order)
	if err != nil {
		return Report{}, fmt.Errorf("finding contacts: %w", err)
	}
	contacts := make(map[string]id.ID, len(i.order))
	update := updateContactsBatchParams{CompanyID: i.company}
	changed := map[id.ID]bool{}
	for _, row := range known {
		contacts[row.Phone] = row.ID
		if name, zone, attributes, differs := i.batch[row.Phone].over(row); differs {
			changed[row.ID] = true
			update.Ids = append(update.Ids, row.ID)
			update.Names = append(update.Names, name)
			update.Zones = append(update.Zones, zone)
			update.Attributes = append(update.Attributes, string(marshal(attributes)))
		}
	}
	if len(update.Ids) > 0 {
		if err := q.updateContactsBatch(ctx, update); err != nil {
			return Report{}, fmt.Errorf("changing contacts: %w", err)
		}
	}
	added, err := i.insert(ctx, q, contacts)
	if err != nil {
		return Report{}, err
	}
	tagged, err := i.tagAll(ctx, q, contacts)
	if err != nil {
		return Report{}, err
	}
	return i.sum(contacts, added, changed, tagged), nil
}

func (i *importer) sum(contacts map[string]id.ID, added, changed, tagged map[id.ID]bool) (done Report) {
	for phone, contact := range contacts {
		switch {
		case added[contact]:
			done.Added++
		case i.batch[phone].repeated:
			done.Duplicates++
		case changed[contact] || tagged[contact]:
			done.Updated++
		default:
			done.Unchanged++
		}
	}
	return done
}

// over lays what a file says over what is known. Empty cells change nothing.
func (e *entry) over(row lockByPhoneRow) (name, zone string, attributes map[string]string, differs bool) {
	known := attributesOf(row.Attributes)
	attributes = maps.Clone(known)
	maps.Copy(attributes, e.attributes)
	name = row.Name
	if e.name != "" {
		name = e.name
	}
	if row.Zone != nil {
		zone = *row.Zone
	}
	differs = name != row.Name || e.zone != "" && e.zone != zone
	if e.zone != "" {
		zone = e.zone
	}
	if len(attributes) > MostAttributes {
		return name, zone, known, differs // what is there stays; a contact can't hold more
	}
	return name, zone, attributes, differs || !maps.Equal(attributes, known)
}

// insert adds a contact for every phone that has none and notes its id in contacts.
func (i *importer) insert(ctx context.Context, q *Queries, contacts map[string]id.ID) (map[id.ID]bool, error) {
	rows := insertContactsBatchParams{CompanyID: i.company}
	var phones, zones []string
	var identities []id.ID
	added := map[id.ID]bool{}
	for _, phone := range i.order {
		if _, known := contacts[phone]; known {
			continue
		}
		e, made := i.batch[phone], id.New()
		contacts[phone], added[made] = made, true
		rows.Ids = append(rows.Ids, made)
		rows.Names = append(rows.Names, e.name)
		rows.Zones = append(rows.Zones, e.zone)
		rows.Attributes = append(rows.Attributes, string(marshal(e.attributes)))
		phones, zones, identities = append(phones, phone), append(zones, PhoneZones(phone)), append(identities, id.New())
	}
	if len(phones) == 0 {
		return added, nil
	}
	if err := q.insertContactsBatch(ctx, rows); err != nil {
		return nil, fmt.Errorf("adding contacts: %w", err)
	}
	if err := q.insertPhonesBatch(ctx, insertPhonesBatchParams{CompanyID: i.company, Ids: identities, ContactIds: rows.Ids, Phones: phones, Zones: zones}); err != nil {
		return nil, fmt.Errorf("adding phones: %w", err)
	}
	return added, nil
}

// tagAll adds the tags of all entries and tells which contacts got one they did not have.
func (i *importer) tagAll(ctx context.Context, q *Queries, contacts map[string]id.ID) (map[id.ID]bool, error) {
	var names []string
	for _, e := range i.batch {
		names = append(names, e.tags...)
	}
	tagged := map[id.ID]bool{}
	if len(names) == 0 {
		return tagged, nil
	}
	known, err := ensureTags(ctx, q, i.company, names)
	if err != nil {
		return nil, err
	}
	var tags, marked []id.ID
	for phone, e := range i.batch {
		for _, name := range e.tags {
			tags, marked = append(tags, known[name]), append(marked, contacts[phone])
		}
	}
	gained, err := q.insertContactTags(ctx, i.company, tags, marked)
	if err != nil {
		return nil, fmt.Errorf("adding tags: %w", err)
	}
	for _, contact := range gained {
		tagged[contact] = true
	}
	return tagged, nil
}

// seen remembers the phones of a file in 16 MiB, whatever the file's size: a Bloom filter. At five million
// phones it mistakes about one in a million for a repeated one, and such a one only moves from one count of the
// report to another.
type seen struct {
	bits []uint64
	a, b maphash.Seed
}

const seenBits = 1 << 27

// add tells whether the phone was there already.
func (s *seen) add(phone string) bool {
	if s.bits == nil {
		s.bits, s.a, s.b = make([]uint64, seenBits/64), maphash.MakeSeed(), maphash.MakeSeed()
	}
	first, step := maphash.String(s.a, phone), maphash.String(s.b, phone)|1
	there := true
	for range 8 {
		word, bit := first%seenBits/64, uint64(1)<<(first%64)
		there = there && s.bits[word]&bit != 0
		s.bits[word] |= bit
		first += step
	}
	return there
}
