package contact

import (
	"context"
	"fmt"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Selection is either some contacts by their ids or, without ids, all for whom a query holds.
type Selection struct {
	IDs   []id.ID
	Query Query
}

// where is the condition about contacts c of a selection.
func (s Selection) where(company id.ID) (where string, args []any) {
	if s.IDs != nil {
		return `c.company_id = $1::uuid AND c.id = ANY($2::uuid[])`, []any{company, s.IDs}
	}
	where, args = s.Query.where(company)
	if s.Query.searched() {
		words, digits := searchTerms(s.Query.Search)
		args = append(args, words, digits, First)
		where += fmt.Sprintf(` AND c.id IN (SELECT search_contacts($%d::text[], $%d, $%d, 2147483647))`, len(args)-2, len(args)-1, len(args))
	}
	return where, args
}

// Parts of both statements: the contacts, locked in one order so that two taggings at the same time wait instead of
// running into each other; and their new updated_at, by which the undo of an import sees that they were edited.
const (
	chosen  = `chosen AS MATERIALIZED (SELECT c.id FROM contacts c WHERE %s ORDER BY c.id FOR NO KEY UPDATE)`
	touched = `touched AS (
		UPDATE contacts t SET updated_at = now() WHERE t.company_id = $1 AND t.id IN (SELECT contact_id FROM changed))
		SELECT count(DISTINCT contact_id) FROM changed`
)

// AddTags puts tags on all contacts of a selection, making those the company does not have. It tells how many contacts
// lacked at least one, and answers ErrNoTag or an InvalidError.
func AddTags(ctx context.Context, tx postgres.Tx, company id.ID, selection Selection, names []string) (changed int64, err error) {
	tags, err := selection.tags(ctx, tx, company, names)
	if err != nil {
		return 0, err
	}
	known, err := ensureTags(ctx, New(tx), company, tags)
	if err != nil {
		return 0, err
	}
	ids := make([]id.ID, 0, len(known))
	for _, tag := range known {
		ids = append(ids, tag)
	}
	where, args := selection.where(company)
	args = append(args, ids)
	return countChanged(ctx, tx, fmt.Sprintf(`WITH `+chosen+`, changed AS (
		INSERT INTO contact_tags (company_id, tag_id, contact_id)
		SELECT $1, g.id, c.id FROM chosen c CROSS JOIN unnest($%d::uuid[]) AS g (id) ORDER BY 2, 3
		ON CONFLICT DO NOTHING RETURNING contact_id), `+touched, where, len(args)), args)
}

// RemoveTags takes tags off all contacts of a selection. It tells how many had at least one. Names that are no tag are
// passed over.
func RemoveTags(ctx context.Context, tx postgres.Tx, company id.ID, selection Selection, names []string) (changed int64, err error) {
	tags, err := selection.tags(ctx, tx, company, names)
	if err != nil {
		return 0, err
	}
	where, args := selection.where(company)
	args = append(args, tags)
	return countChanged(ctx, tx, fmt.Sprintf(`WITH `+chosen+`, changed AS (
		DELETE FROM contact_tags m USING chosen c WHERE m.company_id = $1 AND m.contact_id = c.id
		AND m.tag_id = ANY(ARRAY(SELECT t.id FROM tags t WHERE t.company_id = $1 AND t.name = ANY($%d::text[])))
		RETURNING m.contact_id), `+touched, where, len(args)), args)
}

func (s Selection) tags(ctx context.Context, tx postgres.Tx, company id.ID, names []string) ([]string, error) {
	clean, err := cleanTags(names)
	if err != nil {
		return nil, err
	}
	if len(clean) == 0 {
		return nil, InvalidError{"tags", "name at least one tag"}
	}
	return clean, s.Query.check(ctx, tx, company)
}

func countChanged(ctx context.Context, tx postgres.Tx, sql string, args []any) (changed int64, err error) {
	if err := tx.QueryRow(ctx, sql, args...).Scan(&changed); err != nil {
		return 0, fmt.Errorf("tagging contacts: %w", err)
	}
	return changed, nil
}
