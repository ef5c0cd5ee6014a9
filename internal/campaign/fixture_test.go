package campaign_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

// town is a company with one connection and contacts of several sorts.
type town struct {
	*testing.T
	db                  *postgres.DB
	owner               *pgx.Conn
	company, connection id.ID
	tag                 id.ID // of the contacts in UTC
}

// What newTown puts in.
const (
	inSaoPaulo = 7 // without a zone of their own: the company's
	inUTC      = 5
	inJakarta  = 3
	reachable  = inSaoPaulo + inUTC + inJakarta
	optedOut   = 2
	noPhone    = 4
	windows    = 2 // of those in UTC have an open window, another has one that closed
)

func newTown(t *testing.T) *town {
	t.Helper()
	db := pgtest.New(t)
	w := &town{T: t, db: db, owner: pgtest.Owner(t, db), company: pgtest.Company(t, db), connection: id.New(), tag: id.New()}
	w.exec(`INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug, sealed_app_secret, sealed_token, sealed_verify_token)
		VALUES ($1, $2, 'whatsapp_cloud', 'Main', 'app', 'waba', $2::uuid::text, repeat('s', 22), '', '', '')`, w.company, w.connection)
	w.exec(`INSERT INTO tags (company_id, id, name) VALUES ($1, $2, 'utc')`, w.company, w.tag)
	for range inSaoPaulo {
		w.contact("", true, false)
	}
	for i := range inUTC {
		c := w.contact("UTC", true, false)
		w.exec(`INSERT INTO contact_tags (company_id, tag_id, contact_id) VALUES ($1, $2, $3)`, w.company, w.tag, c)
		if i <= windows {
			w.exec(`INSERT INTO service_windows (company_id, connection_id, contact_id, open_until) VALUES ($1, $2, $3, now() + make_interval(hours => $4))`,
				w.company, w.connection, c, 1-2*(i/windows))
		}
	}
	for range inJakarta {
		w.contact("Asia/Jakarta", true, false)
	}
	for range optedOut {
		w.contact("UTC", true, true)
	}
	for range noPhone {
		w.contact("", false, false)
	}
	return w
}

func (w *town) exec(sql string, args ...any) {
	w.Helper()
	_, err := w.owner.Exec(w.Context(), sql, args...)
	require.NoError(w, err)
}

var people int

func (w *town) contact(zone string, phone, optedOut bool) id.ID {
	w.Helper()
	people++
	c := id.New()
	w.exec(`INSERT INTO contacts (company_id, id, name, zone, attributes, opted_out_at) VALUES ($1, $2, $3, nullif($4, ''), '{"city":"Recife"}', CASE WHEN $5 THEN now() END)`,
		w.company, c, fmt.Sprintf("Person %d", people), zone, optedOut)
	if phone {
		w.exec(`INSERT INTO identities (company_id, id, contact_id, kind, value) VALUES ($1, $2, $3, 'phone', $4)`, w.company, id.New(), c, fmt.Sprintf("+55119%08d", people))
	}
	return c
}

// fields of a campaign that can start.
func (w *town) fields() campaign.Fields {
	return campaign.Fields{Name: "News", Connection: w.connection, Audience: campaign.Audience{All: true},
		Content: campaign.Content{Kind: campaign.KindTemplate, Template: &channel.Template{Name: "order_update", Language: "en_US", Parameters: []string{"{{first_name}}", "{{city}}"}}}}
}

func (w *town) in(do func(postgres.Tx) error) error {
	return w.db.InCompany(context.Background(), w.company, do)
}

func (w *town) tx(do func(postgres.Tx) error) {
	w.Helper()
	require.NoError(w, w.in(do))
}

func (w *town) create(fields campaign.Fields) (c campaign.Campaign) {
	w.Helper()
	w.tx(func(tx postgres.Tx) (err error) {
		c, err = campaign.Create(w.Context(), tx, w.company, fields)
		return err
	})
	return c
}

func (w *town) get(of id.ID) (c campaign.Campaign) {
	w.Helper()
	w.tx(func(tx postgres.Tx) (err error) {
		c, err = campaign.Get(w.Context(), tx, w.company, of)
		return err
	})
	return c
}

func (w *town) start(of id.ID) {
	w.Helper()
	w.tx(func(tx postgres.Tx) error { return campaign.Start(w.Context(), tx, w.company, of, time.Now()) })
}

func (w *town) freeze(of id.ID) {
	w.Helper()
	w.tx(func(tx postgres.Tx) error { return campaign.Freeze(w.Context(), tx, w.company, of, time.Now()) })
}

// running is a campaign whose plan is frozen.
func (w *town) running(fields campaign.Fields) campaign.Campaign {
	w.Helper()
	c := w.create(fields)
	w.start(c.ID)
	w.freeze(c.ID)
	return w.get(c.ID)
}

func (w *town) check(fields campaign.Fields) (result campaign.CheckResult) {
	w.Helper()
	w.tx(func(tx postgres.Tx) (err error) {
		result, err = campaign.Check(w.Context(), tx, w.company, fields, time.Now())
		return err
	})
	return result
}

func (w *town) count(sql string, args ...any) (n int) {
	w.Helper()
	require.NoError(w, w.owner.QueryRow(w.Context(), sql, args...).Scan(&n))
	return n
}
