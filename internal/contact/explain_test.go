package contact

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

// many makes 200,000 contacts of one company beside 50,000 of another, each with a number and one of a hundred tags.
func many(t *testing.T) (db *postgres.DB, company, tag id.ID) {
	t.Helper()
	db = pgtest.New(t)
	company = pgtest.Company(t, db)
	owner := pgtest.Owner(t, db)
	for of, rows := range map[id.ID]int{company: 200_000, pgtest.Company(t, db): 50_000} {
		for _, sql := range []string{`INSERT INTO tags (company_id, id, name) SELECT $1, gen_random_uuid(), 'tag ' || n FROM generate_series(1, 100) n WHERE $2 > 0`,
			`WITH c AS (
				INSERT INTO contacts (company_id, id, name) SELECT $1, (lpad(to_hex(n), 12, '0') || substr(md5(n::text), 1, 20))::uuid,
					(ARRAY['Ana','José','Maria','Luiz','Beatriz'])[1 + n % 5] || ' ' || (ARRAY['Souza','Silva','Lima'])[1 + n / 5 % 3] || ' ' || substr(md5(n::text), 1, 3)
				FROM generate_series(1, $2::int) n RETURNING id), p AS (
				INSERT INTO identities (company_id, id, contact_id, kind, value)
				SELECT $1, id, id, 'phone', '+5511' || 900000000 + row_number() OVER () FROM c)
			INSERT INTO contact_tags (company_id, tag_id, contact_id)
			SELECT $1, tags.id, c.id FROM (SELECT id, 1 + row_number() OVER () % 100 AS n FROM c) c JOIN tags ON tags.company_id = $1 AND tags.name = 'tag ' || c.n`} {
			_, err := owner.Exec(t.Context(), sql, of, rows)
			require.NoError(t, err)
		}
	}
	_, err := owner.Exec(t.Context(), `INSERT INTO contacts (company_id, id, name) VALUES ($1, $2, 'Zuleika Ångström')`, company, id.Floor(id.Time(id.Nil)))
	require.NoError(t, err)
	_, err = owner.Exec(t.Context(), `VACUUM ANALYZE contacts, identities, contact_tags, tags, contact_counts`)
	require.NoError(t, err)
	require.NoError(t, owner.QueryRow(t.Context(), `SELECT id FROM tags WHERE company_id = $1 AND name = 'tag 7'`, company).Scan(&tag))
	return db, company, tag
}

// blocks is how many pages of 8 KiB a statement of the application looks at; contacts alone have over 2,500.
func blocks(t *testing.T, db *postgres.DB, company id.ID, sql string, args ...any) (touched int, plan string) {
	t.Helper()
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		return tx.QueryRow(t.Context(), `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) `+sql, args...).Scan(&plan)
	}))
	var top []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(plan), &top))
	return top[0].Plan.Hit + top[0].Plan.Read, plan
}

// Bounded by what is read rather than by a clock: rare words, frequent ones, and such as are in no name.
func TestListsAndSearchesOfManyReadLittle(t *testing.T) {
	db, company, tag := many(t)
	for _, typed := range []string{"zuleika", "angstrom zu", "ana", "a", "ana souza", "souza ana lu", "nobody", "zz", "qx", "+5511900012345", "900012345", "12345", "551", "55", "000000", "7"} {
		words, digits := searchTerms(typed)
		touched, _ := blocks(t, db, company, searchContacts, words, digits, First, 51)
		require.Less(t, touched, 2300, typed)
	}
	for name, statement := range map[string]struct {
		sql   string
		args  []any
		index string
		most  int
	}{
		"newest": {listIDs, []any{company, First, 51}, "contacts_pkey", 100},
		"by tag": {listTaggedIDs, []any{company, tag, First, 51}, "contact_tags_pkey", 200},
		"one page": {getContacts, []any{company, func() []id.ID {
			ids, err := firstIDs(t, db, company)
			require.NoError(t, err)
			return ids
		}()}, "identities_contact", 1000},
		"tags":  {listTags, []any{company}, "", 100},
		"count": {countContacts, []any{company}, "", 50},
	} {
		touched, plan := blocks(t, db, company, statement.sql, statement.args...)
		require.Less(t, touched, statement.most, "%s: %s", name, plan)
		if statement.index != "" {
			require.Contains(t, plan, fmt.Sprintf("%q", statement.index), name)
			require.False(t, strings.Contains(plan, "Seq Scan"), "%s: %s", name, plan)
		}
	}
}

func firstIDs(t *testing.T, db *postgres.DB, company id.ID) (ids []id.ID, err error) {
	err = db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		ids, err = New(tx).listIDs(t.Context(), company, First, 50)
		return err
	})
	return ids, err
}
