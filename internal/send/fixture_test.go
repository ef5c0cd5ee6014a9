package send_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/send"
)

// running is a company with one connection and one running campaign whose plan is fed.
type running struct {
	*testing.T
	db                            *postgres.DB
	company, connection, campaign id.ID
}

// newRunning queues n messages.
func newRunning(t *testing.T, n int) *running {
	t.Helper()
	db := pgtest.New(t)
	r := &running{T: t, db: db, company: pgtest.Company(t, db), connection: id.New(), campaign: id.New()}
	owner := pgtest.Owner(t, db)
	run := func(sql string, args ...any) {
		t.Helper()
		_, err := owner.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	run(`INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug, sealed_app_secret, sealed_token, sealed_verify_token)
		VALUES ($1, $2, 'whatsapp_cloud', 'Main', 'app', 'waba', $2::uuid::text, repeat('s', 22), '', '', '')`, r.company, r.connection)
	run(`INSERT INTO zone_sets (zones) VALUES ('America/Sao_Paulo') ON CONFLICT DO NOTHING`)
	run(`INSERT INTO campaigns (company_id, id, connection_id, name, state, content, audience, recipients, frozen_at)
		VALUES ($1, $2, $3, 'Test', 'running', '{"kind":"template","template":{"name":"hello_world","language":"en_US"}}', '{"all":true}', $4, now() - interval '1 second')`,
		r.company, r.campaign, r.connection, n)
	run(`INSERT INTO campaign_zones (company_id, campaign_id, zone_set_id, recipients) SELECT $1, $2, id, $3 FROM zone_sets`, r.company, r.campaign, n)
	run(`WITH person AS (SELECT gen_random_uuid() AS id, gen_random_uuid() AS identity, g FROM generate_series(1, $3::int) g),
		c AS (INSERT INTO contacts (company_id, id, name) SELECT $1, id, 'Person ' || g FROM person),
		i AS (INSERT INTO identities (company_id, id, contact_id, kind, value) SELECT $1, identity, id, 'phone', '+55119' || lpad(g::text, 8, '0') FROM person)
		INSERT INTO recipients (company_id, campaign_id, zone_set_id, sequence, contact_id, identity_id, text_version)
		SELECT $1, $2, z.id, g, person.id, identity, 1 FROM person, zone_sets z`, r.company, r.campaign, n)
	var zoneSet int32
	require.NoError(t, owner.QueryRow(t.Context(), `SELECT id FROM zone_sets`).Scan(&zoneSet))
	r.tx(func(tx postgres.Tx) error {
		_, err := send.QueueRecipients(t.Context(), tx, r.company, r.connection, r.campaign, zoneSet, 0, int32(n), nil)
		return err
	})
	return r
}

func (r *running) tx(do func(postgres.Tx) error) {
	r.Helper()
	require.NoError(r, r.db.InCompany(r.Context(), r.company, do))
}

func (r *running) counts() (counts send.Counts) {
	r.Helper()
	r.tx(func(tx postgres.Tx) error {
		all, err := send.CountsOf(r.Context(), tx, r.company, r.campaign)
		counts = all[r.campaign]
		return err
	})
	return counts
}

// rows counts the rows themselves, which the counts must agree with.
func (r *running) rows() (counts send.Counts) {
	r.Helper()
	r.tx(func(tx postgres.Tx) error {
		return tx.QueryRow(r.Context(), `SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2),
			count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 4), count(*) FILTER (WHERE state = 5), count(*) FILTER (WHERE state = 6),
			count(*) FILTER (WHERE state = 7), count(*) FILTER (WHERE state = 8), count(*) FILTER (WHERE state = 9) FROM messages`).
			Scan(&counts.Queued, &counts.Sending, &counts.Sent, &counts.Failed, &counts.Delivered, &counts.Read, &counts.Uncertain,
				&counts.Canceled, &counts.Expired, &counts.Suppressed)
	})
	return counts
}

func (r *running) options(sender channel.Sender) send.Options {
	return send.Options{Company: r.company, Connection: r.connection, Sender: sender, Timeout: 30 * time.Second, Slots: 8, MaxDuration: 20 * time.Second,
		Render:   func(send.Claim) (channel.Content, error) { return channel.Content{Text: "Hello"}, nil },
		Progress: func(flow.PageResult) {}, Changed: func(id.ID) {}, Hint: func() {}}
}

func (r *running) page(sender channel.Sender) flow.PageResult {
	r.Helper()
	result, err := send.RunPage(r.Context(), r.db, r.options(sender))
	require.NoError(r, err)
	return result
}

// script is a provider that answers as told and remembers what it was sent.
type script struct {
	answer func(out channel.Outgoing, nth int) channel.Outcome
	mu     sync.Mutex
	seen   map[id.ID]int
	order  []id.ID
}

func newScript(answer func(channel.Outgoing, int) channel.Outcome) *script {
	return &script{answer: answer, seen: map[id.ID]int{}}
}

func accept(out channel.Outgoing, _ int) channel.Outcome {
	return channel.Outcome{Class: channel.Accepted, ProviderID: "wamid." + out.ID.String()}
}

func (s *script) Send(_ context.Context, out channel.Outgoing) channel.Outcome {
	s.mu.Lock()
	s.seen[out.ID]++
	s.order = append(s.order, out.ID)
	nth := len(s.order)
	s.mu.Unlock()
	return s.answer(out, nth)
}

func (s *script) sends() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.order)
}
