package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/migrations"
)

func TestPartitionsAreMadeAheadAndStraysAreCounted(t *testing.T) {
	w := newTwo(t)
	ctx := t.Context()
	owner := pgtest.Owner(t, w.db)
	stray, err := w.db.EnsurePartitions(ctx)
	require.NoError(t, err)
	require.Zero(t, stray)
	now := time.Now().UTC()
	month := func(n int) time.Time {
		return time.Date(now.Year(), now.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	}
	partition := func(at time.Time) (name string) {
		message := id.Floor(at)
		message[15] = 1
		require.NoError(t, w.db.InCompany(ctx, w.a, func(tx postgres.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, lane) VALUES ($1, $2, $3, $3, $3, 5)`, w.a, message, id.New())
			return err
		}))
		require.NoError(t, owner.QueryRow(ctx, `SELECT tableoid::regclass::text FROM messages WHERE id = $1`, message).Scan(&name))
		return name
	}
	for n := range 3 {
		want := "messages_" + month(n).Format("2006_01")
		require.Equal(t, want, partition(month(n)), "the first instant of a month")
		require.Equal(t, want, partition(month(n+1).Add(-time.Millisecond)), "the last one")
	}
	require.Equal(t, "messages_default", partition(month(3)))
	require.Equal(t, "messages_default", partition(month(40)))
	stray, err = w.db.EnsurePartitions(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 2, stray)
	// What has been made ahead by hand takes rows and is left alone by the next call.
	require.NoError(t, w.db.InSystem(ctx, func(tx postgres.Tx) error {
		_, err := tx.Exec(ctx, `SELECT ensure_message_partitions(2)`)
		return err
	}))
	found, unused, err := findings(ctx, owner)
	require.NoError(t, err)
	require.Empty(t, found, "a new partition carries grants")
	require.Empty(t, unused)
}

// The function runs as the owner: a temporary schema of the caller's must not lend it tables or functions. Those
// schemas outlive their sessions, so here they are older than ours.
func TestPartitionFunctionIgnoresTheCallersSchema(t *testing.T) {
	ctx := t.Context()
	fresh := freshURL(t)
	var early []*pgx.Conn
	for range 24 {
		conn, err := pgx.Connect(ctx, fresh)
		require.NoError(t, err)
		_, err = conn.Exec(ctx, `CREATE TEMPORARY TABLE old ()`)
		require.NoError(t, err)
		early = append(early, conn)
	}
	for _, conn := range early {
		require.NoError(t, conn.Close(ctx))
	}
	require.NoError(t, postgres.Migrate(ctx, fresh))
	db, err := postgres.Open(ctx, fresh, postgres.Options{MaxConns: 2})
	require.NoError(t, err)
	defer db.Close()
	var made int
	require.NoError(t, db.InSystem(ctx, func(tx postgres.Tx) error {
		_, err := tx.Exec(ctx, `CREATE FUNCTION pg_temp.ensure_message_partitions(integer) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'`)
		if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT omnidesk.ensure_message_partitions(4)`).Scan(&made); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT count(*) FROM pg_class WHERE relname LIKE 'messages\_20%' AND relkind = 'r' AND relnamespace = 'omnidesk'::regnamespace`).Scan(&made)
	}))
	require.Equal(t, 5, made, "this month and four more")
}

func TestMigratingAgainChangesNothing(t *testing.T) {
	migrated := pgtest.NewURL(t)
	db, err := postgres.Open(t.Context(), migrated, postgres.Options{MaxConns: 2})
	require.NoError(t, err)
	defer db.Close()
	owner := pgtest.Owner(t, db)
	before := schema(t, owner)
	require.NoError(t, postgres.Migrate(t.Context(), migrated))
	require.Equal(t, before, schema(t, owner))
}

func TestSeveralProcessesMayMigrateAtOnce(t *testing.T) {
	fresh := freshURL(t)
	const processes = 3
	failed := make([]error, processes)
	var group sync.WaitGroup
	for i := range processes {
		group.Go(func() { failed[i] = postgres.Migrate(context.Background(), fresh) })
	}
	group.Wait()
	for _, err := range failed {
		require.NoError(t, err)
	}
	files, err := migrations.FS.ReadDir(".")
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), fresh)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var applied int
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM omnidesk.goose_db_version WHERE version_id > 0 AND is_applied`).Scan(&applied))
	require.Equal(t, len(files), applied)
}

// freshURL is the superuser's URL of a database that nobody has migrated.
func freshURL(t *testing.T) string {
	t.Helper()
	admin, err := url.Parse(pgtest.AdminURL(t))
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), admin.String())
	require.NoError(t, err)
	name := "fresh_" + strings.ReplaceAll(id.New().String(), "-", "")
	_, err = conn.Exec(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := conn.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
		require.NoError(t, err)
		conn.Close(context.Background())
	})
	admin.Path = "/" + name
	return admin.String()
}

// schema describes every table, column, index and policy, and the applied migrations.
func schema(t *testing.T, conn *pgx.Conn) (text string) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT string_agg(line, E'\n' ORDER BY line) FROM (
		SELECT format('%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), c.relacl) AS line FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'omnidesk'::regnamespace
		UNION ALL SELECT format('%s %s', polrelid::regclass, polname) FROM pg_policy
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'omnidesk'
		UNION ALL SELECT format('%s %s', id, version_id) FROM omnidesk.goose_db_version) lines`).Scan(&text))
	return text
}
