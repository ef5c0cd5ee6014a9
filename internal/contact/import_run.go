package contact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

const (
	batchRows   = 2000
	batchBytes  = 4 << 20
	batchTries  = 4
	mostRefused = 20_000 // kept with their cells; more are only counted
)

// RunImport takes a running import from the last row that is done to its end, in batches of one transaction each: the
// contacts, what was done with each, and the line up to which all is done are written together, so that a process that
// dies doubles nothing and loses nothing. after is called after each batch; when it returns false, RunImport ends and a
// later call goes on.
func RunImport(ctx context.Context, db *postgres.DB, company, wanted id.ID, after func() bool) error {
	r := runner{db: db, company: company}
	err := db.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		r.of, err = GetImport(ctx, tx, company, wanted)
		return err
	})
	if err != nil || r.of.State != ImportRunning {
		return err
	}
	if r.in, err = newIntake(&chunks{ctx: ctx, db: db, company: company, of: wanted}, r.of); err != nil {
		return err
	}
	r.through = int(r.of.cursor)
	read, err := r.in.skip(r.through)
	for {
		if err == nil {
			r.take(read)
		}
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return err
		}
		if ended || r.full() {
			if err := r.flush(ctx, ended); err != nil {
				if errors.Is(err, errMoved) {
					return nil
				}
				return err
			}
			if goOn := after(); ended || !goOn {
				return nil
			}
		}
		read, err = r.in.raw()
	}
}

type runner struct {
	db      *postgres.DB
	company id.ID
	of      Import // its counts and cursor as they were committed last
	in      *intake

	order   []*entry
	byPhone map[string]*entry
	refused []*Refused
	counts  ImportCounts // of this batch
	through int          // the last line of this batch
	bytes   int
}

func (r *runner) take(read row) {
	e, refused := r.in.read(read)
	r.counts.Read++
	r.through = max(r.through, read.line)
	if refused != nil {
		r.counts.Refused++
		r.refuse(refused)
		return
	}
	r.bytes += e.bytes
	if first := r.byPhone[e.phone]; first != nil {
		r.duplicate(e, first.line, read.fields)
		return
	}
	if r.byPhone == nil {
		r.byPhone = map[string]*entry{}
	}
	r.byPhone[e.phone] = e
	e.cells = read.fields
	r.order = append(r.order, e)
}

func (r *runner) refuse(refused *Refused) {
	for _, cell := range refused.Cells {
		r.bytes += len(cell)
	}
	r.refused = append(r.refused, refused)
}

func (r *runner) duplicate(e *entry, first int, cells []string) {
	r.counts.Duplicates++
	r.refuse(&Refused{Row: e.line, Title: r.phoneTitle(), Reason: "The number is that of line " + strconv.Itoa(first) + ", which counts.", Cells: cells})
}

func (r *runner) phoneTitle() string {
	for i, target := range r.of.Mapping {
		if target.Field == FieldPhone {
			return r.of.Columns[i].Title
		}
	}
	return ""
}

func (r *runner) full() bool {
	return len(r.order)+len(r.refused) >= batchRows || r.bytes >= batchBytes
}

// flush writes a batch in one transaction. A deadlock, and a phone that somebody else adds at this moment, are tried again.
func (r *runner) flush(ctx context.Context, ended bool) error {
	read, refused := r.counts, len(r.refused)
	var err error
	var done ImportCounts
	for range batchTries {
		r.counts, r.refused = read, r.refused[:refused]
		err = r.db.InCompany(ctx, r.company, func(tx postgres.Tx) (err error) {
			done, err = r.write(ctx, tx, ended)
			return err
		})
		if err == nil || !postgres.IsRetryable(err) && !errors.Is(phoneTaken(err), ErrPhoneTaken) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("writing a batch of contacts: %w", err)
	}
	r.of.Counts, r.of.cursor = done, int32(r.through)
	clear(r.byPhone)
	clear(r.order)
	clear(r.refused)
	r.order, r.refused, r.counts, r.bytes = r.order[:0], r.refused[:0], ImportCounts{}, 0
	return nil
}

func (r *runner) write(ctx context.Context, tx postgres.Tx, ended bool) (ImportCounts, error) {
	now, err := lockImport(ctx, tx, r.company, r.of.ID)
	if err != nil {
		return ImportCounts{}, err
	}
	if now.State != ImportRunning || now.cursor != r.of.cursor {
		return ImportCounts{}, errMoved // stopped, or another process does this work
	}
	w := batch{q: New(tx), company: r.company, of: r.of.ID, keepExisting: r.of.Options.KeepExisting}
	if w.entries, err = r.unseen(ctx, w.q); err != nil {
		return ImportCounts{}, err
	}
	if err := w.write(ctx); err != nil {
		return ImportCounts{}, err
	}
	if err := r.keepRefused(ctx, w.q); err != nil {
		return ImportCounts{}, err
	}
	total := r.of.Counts
	total.Read += r.counts.Read
	total.Refused += r.counts.Refused
	total.Duplicates += r.counts.Duplicates
	total.Added += w.counts.Added
	total.Updated += w.counts.Updated
	total.Unchanged += w.counts.Unchanged
	if err := w.q.advanceImport(ctx, int32(r.through), asJSON(total), r.company, r.of.ID); err != nil {
		return ImportCounts{}, fmt.Errorf("keeping how far an import is: %w", err)
	}
	if ended {
		return total, endImport(ctx, tx, r.company, r.of.ID, ImportFinished, "", time.Now())
	}
	return total, nil
}

// unseen returns the entries whose phone came in no earlier batch.
func (r *runner) unseen(ctx context.Context, q *Queries) ([]*entry, error) {
	phones := make([]string, len(r.order))
	for i, e := range r.order {
		phones[i] = e.phone
	}
	rows, err := q.importedPhones(ctx, r.of.ID, r.company, phones)
	if err != nil {
		return nil, fmt.Errorf("looking for numbers that came before: %w", err)
	}
	before := map[string]int{}
	for _, row := range rows {
		before[row.Phone] = int(row.Row)
	}
	var fresh []*entry
	for _, e := range r.order {
		if first, again := before[e.phone]; again {
			r.duplicate(e, first, e.cells)
			continue
		}
		fresh = append(fresh, e)
	}
	return fresh, nil
}

// keepRefused keeps rows with their cells while there are not too many of them.
func (r *runner) keepRefused(ctx context.Context, q *Queries) error {
	room := mostRefused - r.of.Counts.Refused - r.of.Counts.Duplicates
	params := insertRefusedParams{CompanyID: r.company, ImportID: r.of.ID}
	for _, refused := range r.refused[:max(0, min(room, len(r.refused)))] {
		params.Rows = append(params.Rows, int32(refused.Row))
		params.Titles = append(params.Titles, refused.Title)
		params.Reasons = append(params.Reasons, refused.Reason)
		cells := make([]string, len(refused.Cells))
		for i, text := range refused.Cells {
			cells[i] = cut(text, longestAttr)
		}
		params.Cells = append(params.Cells, string(asJSON(cells)))
	}
	if len(params.Rows) == 0 {
		return nil
	}
	if err := q.insertRefused(ctx, params); err != nil {
		return fmt.Errorf("keeping refused rows: %w", err)
	}
	return nil
}

// batch is one transaction's entries on their way into contacts, in statements over all of them.
type batch struct {
	q            *Queries
	company, of  id.ID
	keepExisting bool
	entries      []*entry
	counts       ImportCounts
}

// before is what an undo restores of a contact that was changed.
type before struct {
	Name       string            `json:"name"`
	Zone       string            `json:"zone,omitempty"`
	Attributes map[string]string `json:"attributes"`
	Tags       []id.ID           `json:"tags,omitempty"` // those that the import added
}

func (b *batch) write(ctx context.Context) error {
	if len(b.entries) == 0 {
		return nil
	}
	phones := make([]string, len(b.entries))
	for i, e := range b.entries {
		phones[i] = e.phone
	}
	rows, err := b.q.lockByPhone(ctx, b.company, phones)
	if err != nil {
		return fmt.Errorf("finding contacts: %w", err)
	}
	known := make(map[string]lockByPhoneRow, len(rows))
	for _, row := range rows {
		known[row.Phone] = row
	}
	contacts := make(map[*entry]id.ID, len(b.entries))
	if err := b.insert(ctx, known, contacts); err != nil {
		return err
	}
	changed, err := b.update(ctx, known)
	if err != nil {
		return err
	}
	gained, err := b.tag(ctx, known, contacts)
	if err != nil {
		return err
	}
	return b.note(ctx, known, contacts, changed, gained)
}

func (b *batch) insert(ctx context.Context, known map[string]lockByPhoneRow, contacts map[*entry]id.ID) error {
	rows, phones := insertContactsBatchParams{CompanyID: b.company}, insertPhonesBatchParams{CompanyID: b.company}
	for _, e := range b.entries {
		if row, there := known[e.phone]; there {
			contacts[e] = row.ID
			continue
		}
		made := id.New()
		contacts[e] = made
		rows.Ids = append(rows.Ids, made)
		rows.Names = append(rows.Names, e.name)
		rows.Zones = append(rows.Zones, e.zone)
		rows.Attributes = append(rows.Attributes, string(marshal(e.attributes)))
		phones.Ids = append(phones.Ids, id.New())
		phones.Phones = append(phones.Phones, e.phone)
		phones.Zones = append(phones.Zones, e.zones)
	}
	if len(rows.Ids) == 0 {
		return nil
	}
	phones.ContactIds = rows.Ids
	if err := b.q.insertContactsBatch(ctx, rows); err != nil {
		return fmt.Errorf("adding contacts: %w", err)
	}
	if err := b.q.insertPhonesBatch(ctx, phones); err != nil {
		return fmt.Errorf("adding phones: %w", err)
	}
	return nil
}

func (b *batch) update(ctx context.Context, known map[string]lockByPhoneRow) (map[id.ID]bool, error) {
	rows, changed := updateContactsBatchParams{CompanyID: b.company}, map[id.ID]bool{}
	for _, e := range b.entries {
		row, there := known[e.phone]
		if !there || b.keepExisting {
			continue
		}
		if name, zone, attributes, differs := e.over(row); differs {
			changed[row.ID] = true
			rows.Ids = append(rows.Ids, row.ID)
			rows.Names = append(rows.Names, name)
			rows.Zones = append(rows.Zones, zone)
			rows.Attributes = append(rows.Attributes, string(marshal(attributes)))
		}
	}
	if len(rows.Ids) == 0 {
		return changed, nil
	}
	if err := b.q.updateContactsBatch(ctx, rows); err != nil {
		return nil, fmt.Errorf("changing contacts: %w", err)
	}
	return changed, nil
}

// over lays an entry over the contact that has its phone; empty cells leave what is there.
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

// tag returns which tags each contact has gained.
func (b *batch) tag(ctx context.Context, known map[string]lockByPhoneRow, contacts map[*entry]id.ID) (map[id.ID][]id.ID, error) {
	var names []string
	for _, e := range b.entries {
		names = append(names, e.tags...)
	}
	gained := map[id.ID][]id.ID{}
	if len(names) == 0 {
		return gained, nil
	}
	ids, err := ensureTags(ctx, b.q, b.company, names)
	if err != nil {
		return nil, err
	}
	var tags, marked []id.ID
	for _, e := range b.entries {
		if _, there := known[e.phone]; there && b.keepExisting {
			continue
		}
		for _, name := range e.tags {
			tags, marked = append(tags, ids[name]), append(marked, contacts[e])
		}
	}
	rows, err := b.q.insertContactTags(ctx, b.company, tags, marked)
	if err != nil {
		return nil, fmt.Errorf("adding tags: %w", err)
	}
	for _, row := range rows {
		gained[row.ContactID] = append(gained[row.ContactID], row.TagID)
	}
	return gained, nil
}

// note writes what was done with each contact, and what it was before.
func (b *batch) note(ctx context.Context, known map[string]lockByPhoneRow, contacts map[*entry]id.ID, changed map[id.ID]bool, gained map[id.ID][]id.ID) error {
	rows := insertImportRowsParams{CompanyID: b.company, ImportID: b.of}
	var touched []id.ID
	for _, e := range b.entries {
		contact, outcome, image := contacts[e], "unchanged", ""
		row, there := known[e.phone]
		switch {
		case !there:
			outcome = "added"
			b.counts.Added++
		case changed[contact] || len(gained[contact]) > 0:
			outcome, image = "updated", string(asJSON(imageOf(row, gained[contact])))
			b.counts.Updated++
			if !changed[contact] {
				touched = append(touched, contact)
			}
		default:
			b.counts.Unchanged++
		}
		rows.Rows = append(rows.Rows, int32(e.line))
		rows.ContactIds = append(rows.ContactIds, contact)
		rows.Outcomes = append(rows.Outcomes, outcome)
		rows.Befores = append(rows.Befores, image)
	}
	if err := b.q.touchContacts(ctx, b.company, touched); err != nil {
		return fmt.Errorf("marking contacts as changed: %w", err)
	}
	if err := b.q.insertImportRows(ctx, rows); err != nil {
		return fmt.Errorf("noting what was done with each row: %w", err)
	}
	return nil
}

func imageOf(row lockByPhoneRow, gained []id.ID) before {
	image := before{Name: row.Name, Attributes: attributesOf(row.Attributes), Tags: gained}
	if row.Zone != nil {
		image.Zone = *row.Zone
	}
	return image
}

// RefusedRows returns what a run could not use, in the order of the file: up to limit rows after a line.
func RefusedRows(ctx context.Context, tx postgres.Tx, company, wanted id.ID, after, limit int) ([]Refused, error) {
	found, err := New(tx).listRefused(ctx, company, wanted, int32(after), int32(limit))
	if err != nil {
		return nil, fmt.Errorf("reading refused rows: %w", err)
	}
	rows := make([]Refused, len(found))
	for i, row := range found {
		rows[i] = Refused{int(row.Row), row.Title, row.Reason, row.Cells}
	}
	return rows, nil
}
