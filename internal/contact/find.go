package contact

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"

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

// Bounds of one page or count: how many contacts that a search has found, or of all contacts the newest, are held against
// a filter. One that asks what became of campaigns goes along all messages of each contact.
const (
	candidates   = 2_000
	lookedAt     = 4_000
	lookedDeeply = 300
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
	n, portion := len(args), query.portion()
	ids, err = collect(ctx, tx, fmt.Sprintf(`SELECT c.id FROM (SELECT * FROM contacts WHERE company_id = $%d AND id < $%d ORDER BY id DESC LIMIT %d) c
		WHERE %s ORDER BY c.id DESC LIMIT $%d`, n-2, n-1, portion, where, n), args)
	if err != nil || len(ids) == limit {
		return ids, nil, err
	}
	end, err := collect(ctx, tx, fmt.Sprintf(`SELECT id FROM contacts WHERE company_id = $1 AND id < $2 ORDER BY id DESC LIMIT 2 OFFSET %d`, portion-1), []any{company, before})
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

// portion is how many contacts are looked at, one after another, within some hundredths of a second.
func (query Query) portion() int {
	switch {
	case query.Filter.OfCampaigns():
		return lookedDeeply
	case query.searched(): // a part of its time is gone for the question whether few match
		return lookedAt / 2
	}
	return lookedAt
}

// where is the condition about contacts c of tag, import and filter, without the search.
func (query Query) where(company id.ID) (where string, args []any) {
	where, args = query.Filter.SQL("c", nil, company)
	where = "c.merged_into IS NULL AND " + where
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

// Size of a query's answer, as far as was looked.
type Size struct {
	Contacts int64
	Next     *id.ID // the contact before which to count on; nil: all were looked at
}

// Count counts, among the contacts made before the contact before, those for which a query holds: a few thousand at a
// time, so that each call takes some hundredths of a second however many there are. The sum of all calls is the whole
// count. A tag that does not exist answers ErrNoTag.
func Count(ctx context.Context, tx postgres.Tx, company id.ID, query Query, before id.ID) (Size, error) {
	if err := query.check(ctx, tx, company); err != nil {
		return Size{}, err
	}
	size, known, err := query.countAtOnce(ctx, tx, company, before)
	if err == nil && !known {
		size, err = query.countPortion(ctx, tx, company, before)
	}
	if err != nil {
		return Size{}, fmt.Errorf("counting contacts: %w", err)
	}
	return size, nil
}

// countAtOnce counts everybody, or what a search finds when that is not much.
func (query Query) countAtOnce(ctx context.Context, tx postgres.Tx, company, before id.ID) (size Size, known bool, err error) {
	switch {
	case before != First || query.narrow():
		return Size{}, false, nil
	case query.searched():
		words, digits := searchTerms(query.Search)
		few, err := New(tx).countFewContacts(ctx, words, digits)
		return Size{Contacts: few}, few >= 0, err
	}
	size.Contacts, err = New(tx).countContacts(ctx, company)
	return size, true, err
}

func (query Query) countPortion(ctx context.Context, tx postgres.Tx, company, before id.ID) (size Size, err error) {
	where, args := query.where(company)
	if query.searched() {
		where, args = searchSQL(query.Search, company, where, args)
	}
	args = append(args, company, before)
	var looked int
	var last *id.ID
	err = tx.QueryRow(ctx, fmt.Sprintf(`SELECT count(*) FILTER (WHERE %s), count(*), (array_agg(c.id ORDER BY c.id))[1]
		FROM (SELECT * FROM contacts WHERE company_id = $%d AND id < $%d ORDER BY id DESC LIMIT %d) c`, where, len(args)-1, len(args), query.portion()), args...).
		Scan(&size.Contacts, &looked, &last)
	if looked == query.portion() {
		size.Next = last
	}
	return size, err
}

// searchSQL puts what a person looks for before a condition about contacts c, for a look at one after another.
func searchSQL(typed string, company id.ID, where string, args []any) (string, []any) {
	words, digits := searchTerms(typed)
	search := ""
	for _, word := range words {
		args = append(args, word)
		search += fmt.Sprintf("searchable(c.name) LIKE $%d AND ", len(args))
	}
	if digits != "" {
		args = append(args, company, digits)
		search += fmt.Sprintf("EXISTS (SELECT FROM identities i WHERE i.company_id = $%d AND i.contact_id = c.id AND i.kind = 'phone' AND i.value LIKE $%d) AND ", len(args)-1, len(args))
	}
	return search + where, args
}
