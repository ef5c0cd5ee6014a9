package contact

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"omnidesk/internal/filter"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Query chooses contacts: those for which all of it holds. The zero Query is everyone.
type Query struct {
	Search string // words of a name, or digits of a number
	Tag    *id.ID
	Filter filter.Expr
	Import *id.ID // met by this import, as long as its rows are kept
	// Outcome is what that import did with them: added, updated or unchanged; empty is any.
	Outcome string
}

// First is the before of a list's first page: greater than every id.
var First = id.ID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// Bounds of one page: how many contacts that a search has found, or of all contacts the newest, are held against a filter.
const (
	candidates = 2_000
	lookedAt   = 5_000
)

// List returns up to limit contacts made before the contact before, newest first. next is the before of the page that
// follows, or nil on the last one; a page may be short, even empty, when another follows. A tag that does not exist
// answers ErrNoTag.
func List(ctx context.Context, tx postgres.Tx, company id.ID, query Query, before id.ID, limit int) (contacts []Contact, next *id.ID, err error) {
	ids, next, err := find(ctx, tx, company, query, before, limit)
	if err != nil {
		return nil, nil, fmt.Errorf("listing contacts: %w", err)
	}
	contacts, err = load(ctx, New(tx), company, ids)
	return contacts, next, err
}

func find(ctx context.Context, tx postgres.Tx, company id.ID, query Query, before id.ID, limit int) (ids []id.ID, next *id.ID, err error) {
	if err := query.check(ctx, tx, company); err != nil {
		return nil, nil, err
	}
	ids, more, err := query.ids(ctx, tx, company, before, limit+1)
	if err != nil {
		return nil, nil, err
	}
	if len(ids) > limit {
		ids = ids[:limit]
		return ids, &ids[limit-1], nil
	}
	return ids, more, nil
}

func (query Query) check(ctx context.Context, tx postgres.Tx, company id.ID) error {
	if query.Tag == nil {
		return nil
	}
	exists, err := New(tx).tagExists(ctx, company, *query.Tag)
	if err != nil {
		return fmt.Errorf("looking for a tag: %w", err)
	}
	if !exists {
		return ErrNoTag
	}
	return nil
}

// ids returns up to limit matches. When it could not look at all, next is the contact before which to go on.
func (query Query) ids(ctx context.Context, tx postgres.Tx, company, before id.ID, limit int) (ids []id.ID, next *id.ID, err error) {
	q, narrow := New(tx), query.narrow()
	switch {
	case query.searched():
		return query.searchIDs(ctx, tx, company, before, limit, narrow)
	case query.Tag != nil && query.Import == nil && query.Filter.Everyone():
		ids, err = q.listTaggedIDs(ctx, company, *query.Tag, before, int32(limit))
	case narrow:
		return query.filterIDs(ctx, tx, company, before, limit)
	default:
		ids, err = q.listIDs(ctx, company, before, int32(limit))
	}
	return ids, nil, err
}

// filterIDs looks at so many contacts at a time: what few match would otherwise be looked for among all.
func (query Query) filterIDs(ctx context.Context, tx postgres.Tx, company, before id.ID, limit int) (ids []id.ID, next *id.ID, err error) {
	where, args := query.where(company)
	args = append(args, company, before, limit)
	n := len(args)
	ids, err = collect(ctx, tx, fmt.Sprintf(`SELECT c.id FROM (SELECT * FROM contacts WHERE company_id = $%d AND id < $%d ORDER BY id DESC LIMIT %d) c
		WHERE %s ORDER BY c.id DESC LIMIT $%d`, n-2, n-1, lookedAt, where, n), args)
	if err != nil || len(ids) == limit {
		return ids, nil, err
	}
	end, err := collect(ctx, tx, fmt.Sprintf(`SELECT id FROM contacts WHERE company_id = $1 AND id < $2 ORDER BY id DESC LIMIT 2 OFFSET %d`, lookedAt-1), []any{company, before})
	if err == nil && len(end) == 2 { // the last one looked at, and one more
		next = &end[0]
	}
	return ids, next, err
}

func (query Query) searchIDs(ctx context.Context, tx postgres.Tx, company, before id.ID, limit int, narrow bool) (ids []id.ID, next *id.ID, err error) {
	most := limit
	if narrow {
		most = max(limit, candidates)
	}
	words, digits := searchTerms(query.Search)
	found, err := New(tx).searchContacts(ctx, words, digits, before, int32(most))
	if err != nil || !narrow {
		return found, nil, err
	}
	where, args := query.where(company)
	args = append(args, found, limit)
	ids, err = collect(ctx, tx, fmt.Sprintf(`SELECT c.id FROM contacts c WHERE %s AND c.id = ANY($%d) ORDER BY c.id DESC LIMIT $%d`, where, len(args)-1, len(args)), args)
	if len(found) == most {
		next = &found[most-1]
	}
	return ids, next, err
}

// searched tells whether there is anything to search for.
func (query Query) searched() bool {
	words, digits := searchTerms(query.Search)
	return len(words) > 0 || digits != ""
}

// narrow tells whether where leaves anybody out.
func (query Query) narrow() bool {
	return query.Tag != nil || query.Import != nil || !query.Filter.Everyone()
}

// where is the condition about contacts c of tag, import and filter, without the search.
func (query Query) where(company id.ID) (where string, args []any) {
	where, args = query.Filter.SQL("c", nil, company)
	if query.Tag != nil {
		args = append(args, company, *query.Tag)
		where += fmt.Sprintf(` AND EXISTS (SELECT FROM contact_tags t WHERE t.company_id = $%d AND t.tag_id = $%d AND t.contact_id = c.id)`, len(args)-1, len(args))
	}
	if query.Import != nil {
		args = append(args, company, *query.Import, query.Outcome)
		where += fmt.Sprintf(` AND EXISTS (SELECT FROM import_rows r WHERE r.company_id = $%d AND r.import_id = $%d AND r.contact_id = c.id AND $%d::text IN ('', r.outcome))`,
			len(args)-2, len(args)-1, len(args))
	}
	return where, args
}

func collect(ctx context.Context, tx postgres.Tx, sql string, args []any) ([]id.ID, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[id.ID])
}

const mostWords = 5

// searchTerms makes what a person types into patterns for search_contacts: of a number's digits when there is nothing
// else in it, else of words. A word of one or two letters is looked for at the beginnings of words only, for which the
// index has trigrams; so are two digits.
func searchTerms(typed string) (words []string, digits string) {
	number := strings.TrimFunc(typed, unicode.IsSpace)
	if number != "" && strings.Trim(number, "+-()./ 0123456789") == "" {
		bare := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, number)
		switch {
		case bare == "":
			return nil, ""
		case strings.HasPrefix(number, "00") && len(bare) > 2:
			return nil, "+" + bare[2:] + "%"
		case strings.HasPrefix(number, "+") || len(bare) < 3:
			return nil, "+" + bare + "%"
		}
		return nil, "%" + bare + "%"
	}
	words = []string{}
	for _, word := range strings.Fields(foldName(typed)) {
		if len(words) == mostWords {
			break
		}
		pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(word) + "%"
		if len([]rune(word)) < 3 {
			pattern = "% " + pattern[1:]
		}
		words = append(words, pattern)
	}
	return words, ""
}

// foldName is the database's function searchable, without its leading space.
var foldName = func() func(string) string {
	accents := []rune("àáâãäåçèéêëìíîïñòóôõöùúûüýÿ")
	plain := []rune("aaaaaaceeeeiiiinooooouuuuyy")
	fold := map[rune]rune{}
	for i, accent := range accents {
		fold[accent] = plain[i]
	}
	return func(name string) string {
		return strings.Map(func(r rune) rune {
			if to, ok := fold[r]; ok {
				return to
			}
			return r
		}, strings.ToLower(name))
	}
}()

// Size of a query's answer.
type Size struct {
	Contacts int64
	AtLeast  bool // not all were looked at: there are at least so many
}

// Bounds of counting.
const (
	countSome  = 5_000 // contacts that a quick count looks at
	countFound = 1_000 // matches of a search that it counts
	countMost  = 10_000
	countTime  = 600 * time.Millisecond // of an exact count
)

// Count tells how many contacts a query holds for, as it is asked while somebody types: beyond the newest few thousand
// contacts it says that there are more. A tag that does not exist answers ErrNoTag.
func Count(ctx context.Context, tx postgres.Tx, company id.ID, query Query) (Size, error) {
	return query.count(ctx, tx, company, countFound, func(where string, args []any) (Size, error) {
		return query.countNewest(ctx, tx, company, where, args)
	})
}

// CountExactly is Count over all contacts. When that takes too long, it is a quick count's answer again; of a search it
// counts 10,000 matches.
func CountExactly(ctx context.Context, tx postgres.Tx, company id.ID, query Query) (Size, error) {
	return query.count(ctx, tx, company, countMost, func(where string, args []any) (Size, error) {
		n, err := countWithin(ctx, tx, `SELECT count(*) FROM contacts c WHERE `+where, args)
		if timedOut(err) {
			return query.countNewest(ctx, tx, company, where, args)
		}
		return Size{Contacts: n}, err
	})
}

func (query Query) count(ctx context.Context, tx postgres.Tx, company id.ID, most int, filtered func(where string, args []any) (Size, error)) (size Size, err error) {
	if err := query.check(ctx, tx, company); err != nil {
		return Size{}, err
	}
	switch {
	case query.searched():
		var ids []id.ID
		var next *id.ID
		ids, next, err = query.ids(ctx, tx, company, First, most)
		size = Size{int64(len(ids)), next != nil || len(ids) == most}
	case !query.narrow():
		size.Contacts, err = New(tx).countContacts(ctx, company)
	default:
		size, err = filtered(query.where(company))
	}
	if err != nil {
		return Size{}, fmt.Errorf("counting contacts: %w", err)
	}
	return size, nil
}

func (query Query) countNewest(ctx context.Context, tx postgres.Tx, company id.ID, where string, args []any) (size Size, err error) {
	args = append(args, company)
	err = tx.QueryRow(ctx, fmt.Sprintf(`SELECT count(*) FROM (SELECT * FROM contacts WHERE company_id = $%d ORDER BY id DESC LIMIT %d) c WHERE %s`,
		len(args), countSome, where), args...).Scan(&size.Contacts)
	if err != nil {
		return size, err
	}
	all, err := New(tx).countContacts(ctx, company)
	size.AtLeast = all > countSome
	return size, err
}

// countWithin runs a count inside a savepoint, so that running out of time leaves the transaction usable.
func countWithin(ctx context.Context, tx postgres.Tx, sql string, args []any) (n int64, err error) {
	err = pgx.BeginFunc(ctx, tx, func(inner pgx.Tx) error {
		if _, err := inner.Exec(ctx, fmt.Sprintf(`SET LOCAL statement_timeout = %d`, countTime.Milliseconds())); err != nil {
			return err
		}
		if err := inner.QueryRow(ctx, sql, args...).Scan(&n); err != nil {
			return err
		}
		_, err := inner.Exec(ctx, `SET LOCAL statement_timeout TO DEFAULT`)
		return err
	})
	return n, err
}

func timedOut(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "57014"
}
