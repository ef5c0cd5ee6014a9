package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"omnidesk/internal/mutant"
	"omnidesk/migrations"
)

// Migrate brings the database to the schema this program was built for. url names a role that may create
// roles and schemas: a superuser, or one with CREATEROLE that owns the database. It may run in several
// processes at once; one works, the others wait.
func Migrate(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("reading the database URL: %w", withoutURL(err))
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connecting to the database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	// Of the session, not of a transaction: it ends with the connection, after the last migration.
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtext('omnidesk migrate'))`); err != nil {
		return fmt.Errorf("waiting for another migration: %w", err)
	}
	// Several statements at once: the simple protocol, with no parameter in it.
	if _, err := conn.PgConn().Exec(ctx, prepare).ReadAll(); err != nil {
		return fmt.Errorf("preparing roles and schema: %w", err)
	}
	owner := config.Copy()
	owner.RuntimeParams["role"] = OwnerRole
	owner.RuntimeParams["search_path"] = Schema
	owner.RuntimeParams["timezone"] = "UTC"
	db := stdlib.OpenDB(*owner)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	if damage := mutant.Schema(); damage != "" {
		_, err = db.ExecContext(ctx, damage)
	}
	return err
}

// roles are of the whole cluster, so several databases of it may be prepared at the same time: the lock is
// per database, the exceptions catch the rest.
const prepare = `
DO $$
DECLARE r text;
BEGIN
    FOREACH r IN ARRAY ARRAY['omnidesk_owner', 'omnidesk_app', 'omnidesk_system'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', r);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
        IF NOT pg_has_role(current_user, r, 'MEMBER') THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', r, current_user);
            EXCEPTION WHEN unique_violation THEN NULL;
            END;
        END IF;
    END LOOP;
END $$;
CREATE SCHEMA IF NOT EXISTS omnidesk AUTHORIZATION omnidesk_owner;
-- Extensions belong to the database and can't be made by the owner's role; those that are there stay where they are.
CREATE SCHEMA IF NOT EXISTS omnidesk_extensions;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA omnidesk_extensions;
CREATE EXTENSION IF NOT EXISTS btree_gin SCHEMA omnidesk_extensions;
GRANT USAGE ON SCHEMA omnidesk_extensions TO omnidesk_owner;
GRANT USAGE ON SCHEMA omnidesk TO omnidesk_app, omnidesk_system;
`
