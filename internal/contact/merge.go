package contact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Errors of merging.
var (
	ErrSame        = errors.New("choose another contact: nobody is merged with themselves")
	ErrMerged      = errors.New("one of the contacts was merged with another meanwhile; load the page again")
	ErrLaterMerge  = errors.New("the contact was merged again since; undo that first")
	ErrUndone      = errors.New("this was undone already")
	ErrNoSuchMerge = errors.New("no such merge")
)

// Merge is a record that two contacts are one. The loser has become a part of the winner.
type Merge struct {
	ID, Winner, Loser id.ID
	At                time.Time
	UndoneAt          *time.Time
	Identities        []id.ID         // the loser's
	Conversations     json.RawMessage // what the noun conversation needs for an undo
	before            image
}

// image is what two contacts were, and what a merge made of the winner.
type image struct {
	Winner, Loser, After person
	Identities           []id.ID
	Tags, NewTags        []id.ID             // the loser's; those of them that the winner had not
	Windows, OldWindows  map[id.ID]time.Time // the loser's; the winner's, by connection
	Conversations        json.RawMessage
}

type person struct {
	Name       string
	Zone       *string
	Attributes map[string]string
	OptedOutAt *time.Time
}

// BeginMerge makes loser a part of winner: identities, tags, windows, and what the winner lacks of name, zone and
// attributes; where both have an attribute, the winner's stays. The strictest consent counts: who has opted out under
// one address has under all. It locks both; what else they have is the caller's to move before KeepMerge. Errors:
// ErrSame, ErrNotFound, ErrMerged.
func BeginMerge(ctx context.Context, tx postgres.Tx, company, winner, loser id.ID, now time.Time) (*Merge, error) {
	if winner == loser {
		return nil, ErrSame
	}
	w, l, err := lockBoth(ctx, tx, company, winner, loser)
	if err != nil {
		return nil, err
	}
	m := &Merge{ID: id.New(), Winner: winner, Loser: loser, At: now, before: image{Winner: w, Loser: l, After: together(w, l)}}
	after := m.before.After
	steps := []func() error{
		func() (err error) {
			m.Identities, err = ids(ctx, tx, `UPDATE identities SET contact_id = $2 WHERE company_id = $1 AND contact_id = $3 RETURNING id`, company, winner, loser)
			return err
		},
		func() (err error) {
			m.before.Tags, err = ids(ctx, tx, `DELETE FROM contact_tags WHERE company_id = $1 AND contact_id = $2 RETURNING tag_id`, company, loser)
			return err
		},
		func() (err error) {
			m.before.NewTags, err = ids(ctx, tx, `INSERT INTO contact_tags (company_id, tag_id, contact_id) SELECT $1, unnest($3::uuid[]), $2 ON CONFLICT DO NOTHING RETURNING tag_id`,
				company, winner, m.before.Tags)
			return err
		},
		func() (err error) {
			m.before.OldWindows, err = windows(ctx, tx, `SELECT connection_id, open_until FROM service_windows WHERE company_id = $1 AND contact_id = $2`, company, winner)
			return err
		},
		func() (err error) {
			m.before.Windows, err = windows(ctx, tx, `DELETE FROM service_windows WHERE company_id = $1 AND contact_id = $2 RETURNING connection_id, open_until`, company, loser)
			return err
		},
		func() error { return putWindows(ctx, tx, company, winner, m.before.Windows) },
		func() error { return putPerson(ctx, tx, company, winner, after, nil) },
		func() error {
			return putPerson(ctx, tx, company, loser, person{Attributes: map[string]string{}, OptedOutAt: &now}, &winner)
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, fmt.Errorf("merging contacts: %w", err)
		}
	}
	return m, nil
}

// KeepMerge keeps the record of a merge with which everything was moved.
func KeepMerge(ctx context.Context, tx postgres.Tx, company id.ID, m *Merge, by *id.ID) error {
	m.before.Identities, m.before.Conversations = m.Identities, m.Conversations
	before, err := json.Marshal(m.before)
	if err == nil {
		_, err = tx.Exec(ctx, `INSERT INTO contact_merges (company_id, id, winner_id, loser_id, by_id, at, before) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			company, m.ID, m.Winner, m.Loser, by, m.At, before)
	}
	if err != nil {
		return fmt.Errorf("keeping the record of a merge: %w", err)
	}
	return nil
}

// BeginUndo makes the loser of a merge a contact of its own again, with the identities that it had. What was changed
// since stays with the winner. What else belongs to the identities is the caller's to move back. Errors:
// ErrNoSuchMerge, ErrUndone, ErrLaterMerge.
func BeginUndo(ctx context.Context, tx postgres.Tx, company, merge id.ID, now time.Time) (*Merge, error) {
	m := &Merge{ID: merge}
	var before []byte
	err := tx.QueryRow(ctx, `SELECT winner_id, loser_id, at, undone_at, before FROM contact_merges WHERE company_id = $1 AND id = $2`, company, merge).
		Scan(&m.Winner, &m.Loser, &m.At, &m.UndoneAt, &before)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNoSuchMerge
	}
	if err == nil {
		err = json.Unmarshal(before, &m.before)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a merge: %w", err)
	}
	m.Identities, m.Conversations = m.before.Identities, m.before.Conversations
	if err := m.mayUndo(ctx, tx, company, now); err != nil {
		return nil, err
	}
	return m, m.giveBack(ctx, tx, company)
}

// mayUndo locks both and marks the merge as undone.
func (m *Merge) mayUndo(ctx context.Context, tx postgres.Tx, company id.ID, now time.Time) error {
	if _, err := lock(ctx, tx, company, m.Winner, m.Loser); err != nil {
		return err
	}
	var later bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM contact_merges o WHERE o.company_id = $1 AND o.undone_at IS NULL AND o.id > $2
		AND ($3 IN (o.winner_id, o.loser_id) OR $4 IN (o.winner_id, o.loser_id)))`, company, m.ID, m.Winner, m.Loser).Scan(&later)
	if err != nil {
		return fmt.Errorf("looking for later merges: %w", err)
	}
	if later {
		return ErrLaterMerge
	}
	done, err := tx.Exec(ctx, `UPDATE contact_merges SET undone_at = $3 WHERE company_id = $1 AND id = $2 AND undone_at IS NULL`, company, m.ID, now)
	if err != nil {
		return fmt.Errorf("marking a merge as undone: %w", err)
	}
	if done.RowsAffected() == 0 {
		return ErrUndone
	}
	return nil
}

func (m *Merge) giveBack(ctx context.Context, tx postgres.Tx, company id.ID) error {
	b := m.before
	var now person
	var attributes []byte
	err := tx.QueryRow(ctx, `SELECT name, zone, attributes, opted_out_at FROM contacts WHERE company_id = $1 AND id = $2`, company, m.Winner).
		Scan(&now.Name, &now.Zone, &attributes, &now.OptedOutAt)
	if err != nil {
		return fmt.Errorf("reading a merged contact: %w", err)
	}
	now.Attributes = attributesOf(attributes)
	steps := []func() error{
		func() error { return putPerson(ctx, tx, company, m.Winner, b.apart(now), nil) },
		func() error { return putPerson(ctx, tx, company, m.Loser, b.Loser, nil) },
		func() error {
			return exec(ctx, tx, `UPDATE identities SET contact_id = $2 WHERE company_id = $1 AND id = ANY($3) AND contact_id = $4`, company, m.Loser, m.Identities, m.Winner)
		},
		func() error {
			return exec(ctx, tx, `DELETE FROM contact_tags WHERE company_id = $1 AND contact_id = $2 AND tag_id = ANY($3)`, company, m.Winner, b.NewTags)
		},
		func() error {
			return exec(ctx, tx, `INSERT INTO contact_tags (company_id, tag_id, contact_id) SELECT $1, t.id, $2 FROM tags t WHERE t.company_id = $1 AND t.id = ANY($3) ON CONFLICT DO NOTHING`,
				company, m.Loser, b.Tags)
		},
		func() error { return b.partWindows(ctx, tx, company, m.Winner, m.Loser) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("undoing a merge: %w", err)
		}
	}
	return nil
}

// together is what becomes of the winner.
func together(winner, loser person) person {
	after := person{Name: winner.Name, Zone: winner.Zone, Attributes: maps.Clone(winner.Attributes), OptedOutAt: winner.OptedOutAt}
	if after.Name == "" {
		after.Name = loser.Name
	}
	if after.Zone == nil {
		after.Zone = loser.Zone
	}
	for name, value := range loser.Attributes {
		if _, has := after.Attributes[name]; !has && len(after.Attributes) < MostAttributes {
			after.Attributes[name] = value
		}
	}
	if at := loser.OptedOutAt; at != nil && (after.OptedOutAt == nil || at.Before(*after.OptedOutAt)) {
		after.OptedOutAt = at
	}
	return after
}

// apart takes from the winner, as it is now, what it got by the merge and still has.
func (b image) apart(now person) person {
	if now.Name == b.After.Name {
		now.Name = b.Winner.Name
	}
	if same(now.Zone, b.After.Zone) {
		now.Zone = b.Winner.Zone
	}
	for name, value := range b.After.Attributes {
		if _, had := b.Winner.Attributes[name]; !had && now.Attributes[name] == value {
			delete(now.Attributes, name)
		}
	}
	if now.OptedOutAt != nil && b.After.OptedOutAt != nil && now.OptedOutAt.Equal(*b.After.OptedOutAt) {
		now.OptedOutAt = b.Winner.OptedOutAt
	}
	return now
}

func same[T comparable](a, b *T) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}

func (b image) partWindows(ctx context.Context, tx postgres.Tx, company, winner, loser id.ID) error {
	for connection, until := range b.Windows {
		old := b.OldWindows[connection]
		if !until.After(old) {
			continue // the winner's own was the longer one
		}
		sql, args := `DELETE FROM service_windows WHERE company_id = $1 AND connection_id = $2 AND contact_id = $3 AND open_until = $4`, []any{company, connection, winner, until}
		if !old.IsZero() {
			sql, args = `UPDATE service_windows SET open_until = $5 WHERE company_id = $1 AND connection_id = $2 AND contact_id = $3 AND open_until = $4`, append(args, old)
		}
		if err := exec(ctx, tx, sql, args...); err != nil {
			return err
		}
	}
	return putWindows(ctx, tx, company, loser, b.Windows)
}

func putWindows(ctx context.Context, tx postgres.Tx, company, contact id.ID, open map[id.ID]time.Time) error {
	for connection, until := range open {
		if err := New(tx).openWindows(ctx, company, connection, []id.ID{contact}, []time.Time{until}); err != nil {
			return err
		}
	}
	return nil
}

func putPerson(ctx context.Context, tx postgres.Tx, company, contact id.ID, p person, into *id.ID) error {
	return exec(ctx, tx, `UPDATE contacts SET name = $3, zone = $4, attributes = $5, opted_out_at = $6, merged_into = $7, updated_at = clock_timestamp() WHERE company_id = $1 AND id = $2`,
		company, contact, p.Name, p.Zone, marshal(p.Attributes), p.OptedOutAt, into)
}

type locked struct {
	ID, MergedInto *id.ID
	person
}

// lock locks the identities of two contacts and then the contacts, each in one order, and returns the contacts by id.
func lock(ctx context.Context, tx postgres.Tx, company, one, other id.ID) (map[id.ID]locked, error) {
	both := []id.ID{one, other}
	if err := exec(ctx, tx, `SELECT FROM identities WHERE company_id = $1 AND contact_id = ANY($2) ORDER BY kind, scope, value FOR UPDATE`, company, both); err != nil {
		return nil, fmt.Errorf("locking identities: %w", err)
	}
	rows, err := tx.Query(ctx, `SELECT id, merged_into, name, zone, attributes, opted_out_at FROM contacts WHERE company_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE`, company, both)
	if err != nil {
		return nil, fmt.Errorf("locking contacts: %w", err)
	}
	found := map[id.ID]locked{}
	var l locked
	var of id.ID
	var attributes []byte
	_, err = pgx.ForEachRow(rows, []any{&of, &l.MergedInto, &l.Name, &l.Zone, &attributes, &l.OptedOutAt}, func() error {
		l.Attributes = attributesOf(attributes)
		found[of] = l
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("locking contacts: %w", err)
	}
	if len(found) < 2 {
		return nil, ErrNotFound
	}
	return found, nil
}

func lockBoth(ctx context.Context, tx postgres.Tx, company, winner, loser id.ID) (w, l person, err error) {
	found, err := lock(ctx, tx, company, winner, loser)
	if err != nil {
		return w, l, err
	}
	if found[winner].MergedInto != nil || found[loser].MergedInto != nil {
		return w, l, ErrMerged
	}
	return found[winner].person, found[loser].person, nil
}

// Merges returns the merges that have a contact as their winner and stand, the newest first.
func Merges(ctx context.Context, tx postgres.Tx, company, contact id.ID) (list []Merge, err error) {
	rows, err := tx.Query(ctx, `SELECT id, winner_id, loser_id, at, before -> 'Loser' ->> 'Name' FROM contact_merges WHERE company_id = $1 AND winner_id = $2 AND undone_at IS NULL ORDER BY id DESC LIMIT 100`, company, contact)
	if err != nil {
		return nil, fmt.Errorf("listing merges: %w", err)
	}
	var m Merge
	_, err = pgx.ForEachRow(rows, []any{&m.ID, &m.Winner, &m.Loser, &m.At, &m.before.Loser.Name}, func() error {
		list = append(list, m)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing merges: %w", err)
	}
	return list, nil
}

// LoserName is what the loser was called.
func (m Merge) LoserName() string { return m.before.Loser.Name }

// LivingOf returns the contact that a contact has become a part of, or the contact itself.
func LivingOf(ctx context.Context, tx postgres.Tx, company, contact id.ID) (id.ID, error) {
	living := contact
	err := tx.QueryRow(ctx, `WITH RECURSIVE chain AS (
			SELECT id, merged_into, 1 AS step FROM contacts WHERE company_id = $1 AND id = $2
			UNION ALL SELECT c.id, c.merged_into, n.step + 1 FROM chain n JOIN contacts c ON c.company_id = $1 AND c.id = n.merged_into
		) SELECT id FROM chain WHERE merged_into IS NULL ORDER BY step DESC LIMIT 1`, company, contact).Scan(&living)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return id.Nil, fmt.Errorf("looking for a merged contact: %w", err)
	}
	return living, nil
}

func exec(ctx context.Context, tx postgres.Tx, sql string, args ...any) error {
	_, err := tx.Exec(ctx, sql, args...)
	return err
}

func ids(ctx context.Context, tx postgres.Tx, sql string, args ...any) ([]id.ID, error) {
	list, err := collect(ctx, tx, sql, args)
	return append([]id.ID{}, list...), err
}

func windows(ctx context.Context, tx postgres.Tx, sql string, args ...any) (map[id.ID]time.Time, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	open := map[id.ID]time.Time{}
	var connection id.ID
	var until time.Time
	_, err = pgx.ForEachRow(rows, []any{&connection, &until}, func() error { open[connection] = until; return nil })
	return open, err
}
