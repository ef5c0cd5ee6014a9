package filter

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

// person is a contact as the naive evaluator sees it.
type person struct {
	id          id.ID
	name, zone  string
	attributes  map[string]string
	optedOut    bool
	created     time.Time
	phone       string
	tags        []string
	became      int // the state of the message of the campaign "Spring sale"; -1: none
	now         time.Time
	companyZone *time.Location
}

var (
	plainNumber = regexp.MustCompile(`^\s*(-?[0-9]{1,15}(?:\.[0-9]{1,10})?)\s*$`)
	plainDay    = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}`)
)

func (p person) fulfils(n node) bool {
	switch n := n.(type) {
	case both:
		return p.fulfils(n.left) && p.fulfils(n.right)
	case either:
		return p.fulfils(n.left) || p.fulfils(n.right)
	case not:
		return !p.fulfils(n.of)
	}
	c := n.(condition)
	if c.operator == differs {
		c.operator = equals
		return !p.fulfils(c)
	}
	switch c.of {
	case optedOut:
		return p.optedOut
	case campaign:
		reached := map[string][]int{"sent": {2, 4, 5}, "delivered": {4, 5}, "read": {5}, "failed": {3}}
		return strings.EqualFold(c.value.text, "Spring sale") && slices.Contains(reached[c.name], p.became)
	case tag:
		return slices.ContainsFunc(p.tags, func(tag string) bool { return c.operator == exists || strings.EqualFold(tag, c.value.text) })
	case phone:
		return p.phone != "" && p.phoneFulfils(c)
	case created:
		return ordered(c.operator, strings.Compare(p.created.In(p.companyZone).Format(time.DateOnly), p.day(c.value)))
	case name:
		return p.textFulfils(c, p.name)
	case zone:
		return p.textFulfils(c, p.zone)
	}
	return p.textFulfils(c, p.attributes[c.name])
}

func (p person) day(v value) string {
	if v.kind == ago {
		return p.now.In(p.companyZone).AddDate(0, 0, -v.days).Format(time.DateOnly)
	}
	return v.text
}

func (p person) phoneFulfils(c condition) bool {
	number := digits(c.value.text)
	switch c.operator {
	case exists:
		return true
	case starts:
		return strings.HasPrefix(p.phone, "+"+number)
	case contains:
		return strings.Contains(p.phone, number)
	}
	return p.phone == "+"+number
}

func (p person) textFulfils(c condition, has string) bool {
	switch {
	case c.operator == exists:
		return has != ""
	case c.operator == contains:
		return strings.Contains(strings.ToLower(has), strings.ToLower(c.value.text))
	case c.operator == starts:
		return strings.HasPrefix(strings.ToLower(has), strings.ToLower(c.value.text))
	case c.value.kind == number:
		found := plainNumber.FindStringSubmatch(has)
		if found == nil {
			return false
		}
		a, _ := strconv.ParseFloat(found[1], 64)
		b, _ := strconv.ParseFloat(c.value.text, 64)
		return a < b && ordered(c.operator, -1) || a == b && ordered(c.operator, 0) || a > b && ordered(c.operator, 1)
	case c.value.kind != text:
		found := plainDay.FindString(has)
		return found != "" && ordered(c.operator, strings.Compare(found, p.day(c.value)))
	}
	return strings.EqualFold(has, c.value.text)
}

func ordered(o operator, compared int) bool {
	return compared < 0 && (o == less || o == most) || compared > 0 && (o == more || o == least) ||
		compared == 0 && (o == equals || o == most || o == least)
}

func TestSQLAnswersAsTheNaiveEvaluatorDoes(t *testing.T) {
	db := pgtest.New(t)
	company, other := pgtest.Company(t, db), pgtest.Company(t, db)
	people := somePeople(t, db, company, 250)
	somePeople(t, db, other, 250)
	rapid.Check(t, func(t *rapid.T) {
		expr := Expr{anyNode(3).Draw(t, "filter")}
		var want []id.ID
		for _, p := range people {
			if p.fulfils(expr.root) {
				want = append(want, p.id)
			}
		}
		require.Equal(t, want, matching(t, db, company, expr), expr.String())
	})
	require.Len(t, matching(t, db, company, Expr{}), len(people), "the empty filter holds for everyone of the company")
}

// A filter made for another company finds nobody, whatever the transaction may see.
func TestAFilterNamesItsCompany(t *testing.T) {
	db := pgtest.New(t)
	company, other := pgtest.Company(t, db), pgtest.Company(t, db)
	somePeople(t, db, company, 5)
	var found int
	where, args := Expr{}.SQL("c", nil, other)
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM contacts c WHERE `+where, args...).Scan(&found)
	}))
	require.Zero(t, found)
}

type fataler interface {
	require.TestingT
	Helper()
}

func matching(t fataler, db *postgres.DB, company id.ID, expr Expr) (found []id.ID) {
	t.Helper()
	where, args := expr.SQL("c", nil, company)
	ctx := context.Background()
	err := db.InCompany(ctx, company, func(tx postgres.Tx) error {
		rows, err := tx.Query(ctx, `SELECT c.id FROM contacts c WHERE `+where+` ORDER BY c.id`, args...)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowTo[id.ID])
		return err
	})
	require.NoError(t, err, expr.String())
	if len(found) == 0 {
		return nil
	}
	return found
}

// somePeople writes random contacts with a finished campaign, ordered by their ids.
func somePeople(t *testing.T, db *postgres.DB, company id.ID, count int) []person {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 11))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	saoPaulo, err := time.LoadLocation("America/Sao_Paulo")
	require.NoError(t, err)
	now := time.Now()
	people := make([]person, count)
	for i := range people {
		p := person{id: id.New(), name: pick(append(someWords, "Ana São")...), zone: pick("", "America/Recife", "Asia/Jakarta"), attributes: map[string]string{},
			optedOut: random.IntN(5) == 0, became: random.IntN(11) - 1, now: now, companyZone: saoPaulo,
			created: now.Add(-time.Duration(random.IntN(70*24)) * time.Hour)}
		if random.IntN(8) > 0 {
			p.phone = fmt.Sprintf("+5511990000%03d", i)
		}
		for _, tag := range []string{"VIP", "Recife", `it's "so" \`} {
			if random.IntN(3) == 0 {
				p.tags = append(p.tags, tag)
			}
		}
		for _, attribute := range []string{"city", "age", "birthday", "tag", "and"} {
			if random.IntN(3) > 0 {
				p.attributes[attribute] = pick("Recife", "são", "vip", "18", " 17.5 ", "-2.5", "007", "x7", "2026-01-05", "2026-01-04T23:00:00Z", "2026-02-30", "", "today",
					now.In(saoPaulo).Format(time.DateOnly), strings.Repeat("9", 40))
			}
		}
		people[i] = p
	}
	owner := pgtest.Owner(t, db)
	insert := func(query string, args ...any) {
		_, err := owner.Exec(t.Context(), query, args...)
		require.NoError(t, err)
	}
	connection, campaignID := id.New(), id.New()
	insert(`INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug, sealed_app_secret, sealed_token, sealed_verify_token)
		VALUES ($1, $2, 'whatsapp_cloud', 'n', 'a', 'a', $3, 'xxxxxxxxxxxxxxxxxxxxxxx' || $3, '', '', '')`, company, connection, connection.String())
	insert(`INSERT INTO campaigns (company_id, id, connection_id, name, content, audience) VALUES ($1, $2, $3, 'Spring Sale', '{}', '{}')`, company, campaignID, connection)
	tags := map[string]id.ID{}
	for _, tag := range []string{"VIP", "Recife", `it's "so" \`} {
		tags[tag] = id.New()
		insert(`INSERT INTO tags (company_id, id, name) VALUES ($1, $2, $3)`, company, tags[tag], tag)
	}
	for _, p := range people {
		attributes, err := json.Marshal(p.attributes)
		require.NoError(t, err)
		insert(`INSERT INTO contacts (company_id, id, name, zone, attributes, opted_out_at, created_at)
			VALUES ($1, $2, $3, nullif($4, ''), $5, CASE WHEN $6 THEN now() END, $7)`, company, p.id, p.name, p.zone, attributes, p.optedOut, p.created)
		if p.phone != "" {
			insert(`INSERT INTO identities (company_id, id, contact_id, kind, value) VALUES ($1, $2, $3, 'phone', $4)`, company, id.New(), p.id, p.phone)
		}
		for _, tag := range p.tags {
			insert(`INSERT INTO contact_tags (company_id, tag_id, contact_id) VALUES ($1, $2, $3)`, company, tags[tag], p.id)
		}
		if p.became >= 0 {
			insert(`WITH m AS (INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, campaign_id, lane, state) VALUES ($1, $2, $3, $4, $2, $5, 5, $6) RETURNING *)
				INSERT INTO contact_messages (company_id, contact_id, message_id) SELECT company_id, contact_id, id FROM m`,
				company, id.New(), connection, p.id, campaignID, p.became)
		}
	}
	return people
}
