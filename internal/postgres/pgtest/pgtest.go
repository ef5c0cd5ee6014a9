// Package pgtest gives each test a migrated database of its own, on a throw-away cluster.
//
// scripts/test starts one cluster for all packages and names it in OMNIDESK_TEST_POSTGRES. Without it, as when one
// package is tested by hand, the first test starts a cluster for its process.
package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/migrations"
)

// Env names the admin URL of a cluster to use instead of starting one.
const Env = "OMNIDESK_TEST_POSTGRES"

// New opens an empty, migrated database that is dropped when the test ends.
func New(t testing.TB) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), NewURL(t), postgres.Options{MaxConns: 8})
	require.NoError(t, err)
	t.Cleanup(db.Close) // registered after the drop of NewURL, so it runs before
	return db
}

// NewURL is the superuser's URL of an empty, migrated database that is dropped when the test ends.
func NewURL(t testing.TB) string {
	t.Helper()
	admin := AdminURL(t)
	template, err := migrated(t.Context(), admin)
	require.NoError(t, err)
	name := "test_" + strings.ReplaceAll(id.New().String(), "-", "")
	require.NoError(t, onAdmin(t.Context(), admin, "CREATE DATABASE "+name+" TEMPLATE "+template))
	t.Cleanup(func() {
		// The test's own context has ended by now.
		require.NoError(t, onAdmin(context.Background(), admin, "DROP DATABASE "+name+" WITH (FORCE)"))
	})
	return withDatabase(admin, name)
}

// AdminURL is the superuser's URL of the cluster's own database.
func AdminURL(t testing.TB) string {
	t.Helper()
	if admin := os.Getenv(Env); admin != "" {
		return admin
	}
	started, err := ownCluster()
	require.NoError(t, err)
	return started.url
}

// Owner opens a connection of the superuser to the database of db, for what no role of the application may do.
func Owner(t testing.TB, db *postgres.DB) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(db.URL())
	require.NoError(t, err)
	config.RuntimeParams["search_path"] = postgres.Schema
	config.RuntimeParams["timezone"] = "UTC"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Company inserts a company in the zone America/Sao_Paulo that may send at any hour, so that tests pass at any hour.
func Company(t testing.TB, db *postgres.DB) id.ID {
	t.Helper()
	company := id.New()
	_, err := Owner(t, db).Exec(t.Context(),
		`INSERT INTO companies (company_id, name, zone, window_from, window_until) VALUES ($1, $2, 'America/Sao_Paulo', '00:00', '24:00')`,
		company, "Company "+company.String())
	require.NoError(t, err)
	return company
}

var templates sync.Map // admin URL → func() (string, error)

// migrated returns the template database of today's migrations, making it when no process has.
func migrated(ctx context.Context, admin string) (string, error) {
	once, _ := templates.LoadOrStore(admin, sync.OnceValues(func() (string, error) {
		return makeTemplate(context.WithoutCancel(ctx), admin)
	}))
	return once.(func() (string, error))()
}

// makeTemplate migrates under another name and renames, so that a template that exists is complete.
func makeTemplate(ctx context.Context, admin string) (string, error) {
	hash, err := migrationsHash()
	if err != nil {
		return "", err
	}
	name := "omnidesk_template_" + hash
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return "", fmt.Errorf("connecting to the test cluster: %w", err)
	}
	defer conn.Close(ctx)
	// Packages are tested by several processes at once; the lock ends with the connection.
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtext($1))`, name); err != nil {
		return "", fmt.Errorf("locking the template database: %w", err)
	}
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists); err != nil {
		return "", fmt.Errorf("looking for the template database: %w", err)
	}
	if exists {
		return name, nil
	}
	draft := name + "_draft"
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + draft + " WITH (FORCE)", "CREATE DATABASE " + draft} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return "", fmt.Errorf("making the template database: %w", err)
		}
	}
	if err := postgres.Migrate(ctx, withDatabase(admin, draft)); err != nil {
		return "", err
	}
	// Nobody may stay connected to a template while it is being copied.
	for _, statement := range []string{
		"ALTER DATABASE " + draft + " WITH ALLOW_CONNECTIONS false",
		"ALTER DATABASE " + draft + " RENAME TO " + name,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return "", fmt.Errorf("finishing the template database: %w", err)
		}
	}
	return name, nil
}

func migrationsHash() (string, error) {
	hash := sha256.New()
	err := fs.WalkDir(migrations.FS, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations.FS, path)
		fmt.Fprintf(hash, "%s %d\n%s", path, len(text), text)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading the migrations: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}

func onAdmin(ctx context.Context, admin, statement string) error {
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return fmt.Errorf("connecting to the test cluster: %w", err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

func withDatabase(admin, name string) string {
	u, err := url.Parse(admin)
	if err != nil {
		panic(fmt.Sprintf("%s is not a URL", Env)) // never show it: it holds a password
	}
	u.Path = "/" + name
	return u.String()
}
