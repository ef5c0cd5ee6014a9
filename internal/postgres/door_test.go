package postgres_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

func requireDenied(t *testing.T, err error) {
	t.Helper()
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	require.Equal(t, "42501", pg.Code, pg.Message) // insufficient privilege, or against a policy
}

// two are companies with one row in each of several tables.
type two struct {
	db   *postgres.DB
	a, b id.ID
}

func newTwo(t *testing.T) *two {
	t.Helper()
	db := pgtest.New(t)
	w := &two{db: db, a: pgtest.Company(t, db), b: pgtest.Company(t, db)}
	owner := pgtest.Owner(t, db)
	for _, company := range []id.ID{w.a, w.b} {
		one := strings.NewReplacer("$c", "'"+company.String()+"'", "$x", "'"+id.New().String()+"'").Replace(rows)
		_, err := owner.PgConn().Exec(t.Context(), one).ReadAll()
		require.NoError(t, err)
	}
	return w
}

// $c is the company, $x an id that all rows share.
const rows = `
INSERT INTO users (id, company_id, email, name, role, password_hash) VALUES ($x, $c, $x || '@example.org', 'N', 'admin', '');
INSERT INTO sessions (id, user_id, company_id, expires_at) VALUES ($x, $x, $c, now());
INSERT INTO departments (company_id, id, name) VALUES ($c, $x, 'D');
INSERT INTO department_members (company_id, user_id, department_id) VALUES ($c, $x, $x);
INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug, sealed_app_secret, sealed_token, sealed_verify_token)
	VALUES ($c, $x, 'whatsapp_cloud', 'C', '1', '2', $x, $x, '', '', '');
INSERT INTO webhook_routes (company_id, connection_id, slug, number_id) VALUES ($c, $x, $x, '3');
INSERT INTO templates (company_id, connection_id, name, language, components, synced_at) VALUES ($c, $x, 'hello', 'en', '[]', now());
INSERT INTO template_syncs (company_id, connection_id) VALUES ($c, $x);
INSERT INTO contacts (company_id, id, name) VALUES ($c, $x, 'N');
INSERT INTO identities (company_id, id, contact_id, kind, value) VALUES ($c, $x, $x, 'phone', '+5511999999999');
INSERT INTO imports (company_id, id, file_name) VALUES ($c, $x, 'people.csv');
INSERT INTO import_chunks (company_id, import_id, number, data) VALUES ($c, $x, 0, 'phone');
INSERT INTO import_rows (company_id, import_id, row, contact_id, outcome, changed_at) VALUES ($c, $x, 2, $x, 'added', now());
INSERT INTO import_refused (company_id, import_id, row, reason) VALUES ($c, $x, 3, 'The phone is empty.');
INSERT INTO tags (company_id, id, name) VALUES ($c, $x, 'T');
INSERT INTO contact_tags (company_id, tag_id, contact_id) VALUES ($c, $x, $x);
INSERT INTO service_windows (company_id, connection_id, contact_id, open_until) VALUES ($c, $x, $x, now());
INSERT INTO zone_sets (zones) VALUES ('UTC') ON CONFLICT DO NOTHING;
INSERT INTO campaigns (company_id, id, connection_id, name, content, audience) VALUES ($c, $x, $x, 'K', '{}', '{}');
INSERT INTO campaign_zones (company_id, campaign_id, zone_set_id, recipients) SELECT $c, $x, id, 1 FROM zone_sets;
INSERT INTO recipients (company_id, campaign_id, zone_set_id, sequence, contact_id, identity_id, text_version) SELECT $c, $x, id, 1, $x, $x, 1 FROM zone_sets;
INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, lane) VALUES ($c, $x, $x, $x, $x, 1);
INSERT INTO provider_ids (company_id, connection_id, provider_id, message_id) VALUES ($c, $x, 'wamid', $x);
INSERT INTO early_statuses (company_id, connection_id, provider_id, state, at) VALUES ($c, $x, 'wamid', 2, now());
INSERT INTO message_counts (company_id, connection_id, campaign_id) VALUES ($c, $x, $x);
INSERT INTO failure_counts (company_id, campaign_id, error_code, count) VALUES ($c, $x, 1, 1);
INSERT INTO waits (company_id, subject_id, reason, began_at) VALUES ($c, $x, 'R', now());
INSERT INTO tries (company_id, message_id, attempt_id, at, state, error_code, error_detail) VALUES ($c, $x, $x, now(), 0, 0, 'D');
INSERT INTO campaign_counts SELECT $c, $x, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0;
INSERT INTO campaign_replies (company_id, campaign_id, message_id, reply_id) VALUES ($c, $x, $x, $x);
INSERT INTO campaign_traffic SELECT $c, $x, now(), 0, 0, 0, 0, 0;
INSERT INTO traffic SELECT $c, $x, now(), 0, 0, 0, 0, 0, 0;
INSERT INTO scopes (company_id, connection_id) VALUES ($c, $x);
INSERT INTO portfolios (company_id, id, contacts_24h) VALUES ($c, $x::text, 250);
INSERT INTO portfolio_contacts (company_id, portfolio_id, contact_id, at) VALUES ($c, $x::text, $x, now());
INSERT INTO segments (company_id, id, name, filter) VALUES ($c, $x, 'S', 'opted_out');
INSERT INTO contact_messages (company_id, contact_id, message_id) VALUES ($c, $x, $x);
INSERT INTO conversations (company_id, id, connection_id, contact_id, last_id) VALUES ($c, $x, $x, $x, $x);
INSERT INTO labels (company_id, id, name, colour) VALUES ($c, $x, 'L', 'red');
INSERT INTO conversation_labels (company_id, conversation_id, label_id) VALUES ($c, $x, $x);
INSERT INTO conversation_notes (company_id, conversation_id, id, author_id, body) VALUES ($c, $x, $x, $x, 'B');
INSERT INTO contact_merges (company_id, id, winner_id, loser_id, at, before) VALUES ($c, $x, $x, $x, now(), '{}');
INSERT INTO message_changes (company_id, connection_id, provider_id, id, contact_id, kind, words) VALUES ($c, $x, 'wamid', $x, $x, 'edit', 'W');
INSERT INTO media (company_id, id, sha256, size, type) VALUES ($c, $x, 'H', 1, 'text/plain');
INSERT INTO media_transfers (company_id, message_id, connection_id, outbound, gives_up_at) VALUES ($c, $x, $x, false, now());
INSERT INTO client_keys (company_id, key, message_id) VALUES ($c, 'K', $x);
INSERT INTO api_clients (company_id, id, name, scopes, connection_ids, networks, lane, per_minute, per_day, sealed_secret) VALUES ($c, $x, 'N', '{send}', ARRAY[$x]::uuid[], '{}', 4, 1, 1, '');
INSERT INTO api_turns (company_id, client_id) VALUES ($c, $x);
INSERT INTO api_calls (company_id, client_id, nonce, at, number) VALUES ($c, $x, 'N', now(), 1);
INSERT INTO api_days (company_id, client_id, day, used) VALUES ($c, $x, now(), 1);
INSERT INTO api_messages (company_id, client_id, key, fingerprint, message_id) VALUES ($c, $x, $x, '', $x);
INSERT INTO raw_events (company_id, id, connection_id, kind, state, sealed) VALUES ($c, $x, $x, 'messages', 1, '');
DELETE FROM contact_counts WHERE company_id = $c AND tag_id = $x; -- one row per table: a trigger has counted contact and tag
INSERT INTO wakes (company_id, workflow, subject_id) VALUES ($c, 'sender', $x);
INSERT INTO invitations (company_id, id, email, role, invited_by, created_at, expires_at) VALUES ($c, $x, 'e@example.com', 'user', $x, now(), now());
INSERT INTO tokens (hash, purpose, company_id, invitation_id, email, created_at, expires_at) VALUES (sha256($x::text::bytea), 'invite', $c, $x, 'e@example.com', now(), now());
INSERT INTO mails (id, company_id, kind, email, base, created_at) VALUES ($x, $c, 'verify', 'e@example.com', 'http://localhost', now());
INSERT INTO notices (company_id, id, kind, about, subject_id, hour, at) VALUES ($c, $x, 'campaign_finished', 'campaign', $x, now(), now());
INSERT INTO notice_reads (company_id, user_id, notice_id) VALUES ($c, $x, $x);
INSERT INTO notice_marks (company_id, user_id, mailed_through) VALUES ($c, $x, $x);
INSERT INTO notice_switches (company_id, user_id, kind, bell, mail) VALUES ($c, $x, 'campaign_paused', true, true);
INSERT INTO restore_holds (company_id, found_at, reason) VALUES ($c, now(), 'R');
INSERT INTO audit (company_id, id, user_id, action, at) VALUES ($c, $x, $x, 'tested', now());
INSERT INTO audit_subjects (company_id, subject_id, audit_id) VALUES ($c, $x, $x);`

// companyTables are all tables with a company, as the catalogue has them: a new one is tested without a word.
func companyTables(t *testing.T, db *postgres.DB) []string {
	t.Helper()
	found, err := pgtest.Owner(t, db).Query(t.Context(), `SELECT c.relname FROM pg_class c WHERE `+ofCompany+` ORDER BY 1`)
	require.NoError(t, err)
	names, err := pgx.CollectRows(found, pgx.RowTo[string])
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(names), 19)
	return names
}

func TestNoCompanyReachesTheRowsOfAnother(t *testing.T) {
	w := newTwo(t)
	ctx := t.Context()
	for _, table := range companyTables(t, w.db) {
		t.Run(table, func(t *testing.T) {
			in := func(do func(postgres.Tx) error) error { return w.db.InCompany(ctx, w.a, do) }
			exec := func(sql string, args ...any) (n int64, err error) {
				err = in(func(tx postgres.Tx) error {
					tag, err := tx.Exec(ctx, sql, args...)
					n = tag.RowsAffected()
					return err
				})
				return n, err
			}
			var total int
			require.NoError(t, pgtest.Owner(t, w.db).QueryRow(ctx, `SELECT count(*) FROM `+table).Scan(&total))
			require.GreaterOrEqual(t, total, 2, "the fixture lacks rows of both companies")
			if !slices.Contains([]string{"wakes", "mails", "tokens"}, table) { // which the application only writes, or does not reach
				var own, foreign int
				require.NoError(t, in(func(tx postgres.Tx) error {
					return tx.QueryRow(ctx, `SELECT count(*) FILTER (WHERE company_id = $1), count(*) FILTER (WHERE company_id IS DISTINCT FROM $1) FROM `+table, w.a).Scan(&own, &foreign)
				}))
				require.Equal(t, 1, own)
				require.Zero(t, foreign)
			}
			for _, sql := range []string{`UPDATE ` + table + ` SET company_id = company_id WHERE company_id = $1`, `DELETE FROM ` + table + ` WHERE company_id = $1`} {
				n, err := exec(sql, w.b)
				if err != nil {
					requireDenied(t, err) // no such right at all
				}
				require.Zero(t, n, sql)
			}
			// A row of the other company, made by giving an own one away or by a copy, is refused.
			_, err := exec(`INSERT INTO `+table+` SELECT (jsonb_populate_record(t, jsonb_build_object('company_id', $1::uuid))).* FROM `+table+` t`, w.b)
			requireRefused(t, err)
			n, err := exec(`UPDATE `+table+` SET company_id = $1`, w.b)
			require.Zero(t, n)
			requireDenied(t, err)
		})
	}
}

// requireRefused also takes "generated always": that column stops the copy even before the policy.
func requireRefused(t *testing.T, err error) {
	t.Helper()
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	require.Contains(t, []string{"42501", "428C9"}, pg.Code, pg.Message)
}

func TestWithoutACompanyNothingIsRead(t *testing.T) {
	w := newTwo(t)
	for _, table := range companyTables(t, w.db) {
		err := w.db.InCompany(t.Context(), w.a, func(tx postgres.Tx) error {
			// As if somebody had forgotten to set it.
			if _, err := tx.Exec(t.Context(), `SELECT set_config('app.company_id', '', true)`); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), `SELECT FROM `+table)
			return err
		})
		require.Error(t, err, table)
	}
	// The nil id is no company: it reads nothing and writes nothing.
	err := w.db.InCompany(t.Context(), id.Nil, func(tx postgres.Tx) error {
		var n int
		require.NoError(t, tx.QueryRow(t.Context(), `SELECT count(*) FROM contacts`).Scan(&n))
		require.Zero(t, n)
		_, err := tx.Exec(t.Context(), `INSERT INTO contacts (company_id, id) VALUES ($1, $2)`, w.a, id.New())
		return err
	})
	requireDenied(t, err)
}

func TestCrossCompanyRoleReachesOnlyItsTables(t *testing.T) {
	w := newTwo(t)
	for _, table := range companyTables(t, w.db) {
		err := w.db.InSystem(t.Context(), func(tx postgres.Tx) error {
			var n int
			return tx.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n)
		})
		if exceptions["system "+table] != "" {
			require.NoError(t, err, table)
			continue
		}
		requireDenied(t, err)
	}
}

func TestNeitherRoleCanChangeTheRules(t *testing.T) {
	w := newTwo(t)
	system := func(do func(postgres.Tx) error) error { return w.db.InSystem(t.Context(), do) }
	app := func(do func(postgres.Tx) error) error { return w.db.InCompany(t.Context(), w.a, do) }
	for _, sql := range []string{
		`TRUNCATE contacts`, `TRUNCATE wakes`, `ALTER TABLE contacts DISABLE ROW LEVEL SECURITY`, `DROP POLICY company ON contacts`, `DROP TABLE wakes`,
		`CREATE TABLE omnidesk.mine (id int)`, `CREATE TABLE public.mine (id int)`, `SELECT FROM messages_default`, `INSERT INTO companies (company_id, name, zone) SELECT uuid_floor(now()), 'X', 'UTC' FROM contacts`,
		`CREATE TRIGGER t BEFORE INSERT ON contacts EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
	} {
		for name, in := range map[string]func(func(postgres.Tx) error) error{"app": app, "system": system} {
			err := in(func(tx postgres.Tx) error { _, err := tx.Exec(t.Context(), sql); return err })
			require.Error(t, err, "%s: %s", name, sql)
			requireDenied(t, err)
		}
	}
	requireDenied(t, app(func(tx postgres.Tx) error {
		_, err := tx.Exec(t.Context(), `SELECT ensure_message_partitions(1)`)
		return err
	}))
}

// Row-level security turned off for a session makes statements fail, it does not open the rows.
func TestRowSecurityCannotBeSwitchedOff(t *testing.T) {
	w := newTwo(t)
	err := w.db.InCompany(t.Context(), w.a, func(tx postgres.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL row_security = off`); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), `SELECT FROM contacts`)
		return err
	})
	requireDenied(t, err)
}

// Whatever ends a transaction, the next one on its connection sees its own company and nothing else.
func TestPoolNeverLeaksACompany(t *testing.T) {
	w := newTwo(t)
	companies := []id.ID{w.a, w.b}
	const goroutines, each = 50, 60
	var ended, foreign, panics, reads atomic.Int64
	var group sync.WaitGroup
	for g := range goroutines {
		random := rand.New(rand.NewPCG(7, uint64(g)))
		group.Go(func() {
			for range each {
				company := companies[random.IntN(2)]
				ctx, cancel := context.WithCancel(context.Background())
				way := random.IntN(6)
				if way == 0 {
					time.AfterFunc(time.Duration(random.IntN(2000))*time.Microsecond, cancel)
				}
				look(ctx, w.db, company, way, &foreign, &panics, &reads)
				cancel()
				ended.Add(1)
			}
		})
	}
	group.Wait()
	require.EqualValues(t, goroutines*each, ended.Load())
	require.Zero(t, foreign.Load())
	require.Positive(t, panics.Load())
	require.Greater(t, reads.Load(), int64(goroutines*each/2))
	// No connection is lost to a panic or a cancel: the whole pool can still be taken at once.
	var all sync.WaitGroup
	held := make(chan struct{})
	for range 8 {
		all.Add(1)
		go func() {
			_ = w.db.InCompany(t.Context(), w.a, func(postgres.Tx) error { all.Done(); <-held; return nil })
		}()
	}
	all.Wait()
	close(held)
}

// look reads all contacts of a company and ends its transaction in one of six ways.
func look(ctx context.Context, db *postgres.DB, company id.ID, way int, foreign, panics, reads *atomic.Int64) {
	defer func() {
		if recover() != nil {
			panics.Add(1)
		}
	}()
	read := func(tx interface {
		QueryRow(context.Context, string, ...any) pgx.Row
	}) error {
		var others int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FILTER (WHERE company_id <> $1) FROM contacts`, company).Scan(&others); err != nil {
			return err
		}
		reads.Add(1)
		foreign.Add(others)
		return nil
	}
	if way == 1 {
		_ = db.Batch(ctx, company, func(b *pgx.Batch) { b.Queue(`SELECT count(*) FILTER (WHERE company_id <> $1) FROM contacts`, company) },
			func(results pgx.BatchResults) error {
				var others int64
				err := results.QueryRow().Scan(&others)
				foreign.Add(others)
				reads.Add(1)
				return err
			})
		return
	}
	_ = db.InCompany(ctx, company, func(tx postgres.Tx) error {
		if err := read(tx); err != nil {
			return err
		}
		switch way {
		case 2:
			panic("in the middle of a transaction")
		case 3:
			return errors.New("rolled back")
		case 4:
			_, err := tx.Exec(ctx, `SELECT 1 / 0`)
			return err
		}
		return read(tx)
	})
}

func TestBatchUndoesAllWhenOneStatementFails(t *testing.T) {
	w := newTwo(t)
	fresh := id.New()
	err := w.db.Batch(t.Context(), w.a, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO contacts (company_id, id, name) VALUES ($1, $2, 'First')`, w.a, fresh)
		b.Queue(`INSERT INTO tags (company_id, id, name) VALUES ($1, $2, '')`, w.a, fresh) // a check refuses it
		b.Queue(`INSERT INTO contacts (company_id, id, name) VALUES ($1, $2, 'Last')`, w.a, id.New())
	}, func(results pgx.BatchResults) error {
		_, err := results.Exec()
		require.NoError(t, err) // the first one went well, until the second did not
		return nil
	})
	require.Error(t, err)
	require.Equal(t, 1, contacts(t, w.db, w.a))
}

// What a transaction sets ends with it, however it ends: between two, a connection has no company at all.
func TestCompanyEndsWithItsTransaction(t *testing.T) {
	db, err := postgres.Open(t.Context(), pgtest.NewURL(t), postgres.Options{MaxConns: 1})
	require.NoError(t, err)
	defer db.Close()
	ctx, company := t.Context(), pgtest.Company(t, db)
	insert := func(b *pgx.Batch) {
		b.Queue(`INSERT INTO contacts (company_id, id) VALUES ($1, $2)`, company, id.New())
	}
	for name, do := range map[string]func() error{
		"batch": func() error {
			return db.Batch(ctx, company, insert, func(r pgx.BatchResults) error { _, err := r.Exec(); return err })
		},
		"unread batch": func() error { return db.Batch(ctx, company, insert, func(pgx.BatchResults) error { return nil }) },
		"transaction":  func() error { return db.InCompany(ctx, company, func(postgres.Tx) error { return nil }) },
		"rollback":     func() error { return db.InCompany(ctx, company, func(postgres.Tx) error { return errors.New("undo") }) },
	} {
		if err := do(); name != "rollback" {
			require.NoError(t, err, name)
		}
		var left string
		require.NoError(t, db.App().QueryRow(ctx, `SELECT coalesce(current_setting('app.company_id', true), '')`).Scan(&left))
		require.Empty(t, left, name)
		_, err := db.App().Exec(ctx, `SELECT FROM contacts`)
		require.Error(t, err, "a statement without a company must fail, not find nothing")
	}
	require.Equal(t, 2, contacts(t, db, company))
}

func TestFailedReadOfABatchIsReportedAlthoughItIsCommitted(t *testing.T) {
	w := newTwo(t)
	own := errors.New("the reader gave up")
	err := w.db.Batch(t.Context(), w.a, func(b *pgx.Batch) { b.Queue(`SELECT 1`) }, func(pgx.BatchResults) error { return own })
	require.ErrorIs(t, err, own)
}

func contacts(t *testing.T, db *postgres.DB, company id.ID) (n int) {
	t.Helper()
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM contacts`).Scan(&n)
	}))
	return n
}

// A malformed URL holds a password as well as a good one.
func TestErrorOfOpenDoesNotShowTheURL(t *testing.T) {
	_, err := postgres.Open(t.Context(), "postgres://me:secret@%zz/x", postgres.Options{})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
}
