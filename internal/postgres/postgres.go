// Package postgres is the one door to the database. Nothing else opens a connection.
//
// Every transaction runs under one of two roles, both without any rights of an owner: omnidesk_app sees the
// rows of exactly one company, set for that transaction; omnidesk_system reaches the few tables that hold ids
// and instants, and what a login needs before a company is known.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"

	"omnidesk/internal/id"
)

// Schema is where everything of OmniDesk lives; Temporal has schemas of its own beside it.
const Schema = "omnidesk"

// Names of the roles made by EnsureRoles.
const (
	OwnerRole  = "omnidesk_owner"
	AppRole    = "omnidesk_app"
	SystemRole = "omnidesk_system"
)

// Tx is a transaction whose role and company are already set.
type Tx = pgx.Tx

// DB holds one pool per role.
type DB struct {
	app    *pgxpool.Pool
	system *pgxpool.Pool
	direct string
	seen   atomic.Pointer[Seen]
}

// Options of Open.
type Options struct {
	MaxConns  int    // of the application's pool; 0 means 20. The system pool has a quarter, at least 2.
	DirectURL string // the same database without a pooler between, for LISTEN; empty means that url is direct
}

// Open connects both pools and refuses a database that is not migrated or whose roles could step around
// row-level security.
func Open(ctx context.Context, url string, options Options) (*DB, error) {
	conns := options.MaxConns
	if conns == 0 {
		conns = 20
	}
	app, err := openPool(ctx, url, AppRole, conns)
	if err != nil {
		return nil, err
	}
	system, err := openPool(ctx, url, SystemRole, max(conns/4, 2))
	if err != nil {
		app.Close()
		return nil, err
	}
	db := &DB{app: app, system: system, direct: url}
	if options.DirectURL != "" {
		db.direct = options.DirectURL
	}
	if err := db.assertRoles(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func openPool(ctx context.Context, url, role string, conns int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("reading the database URL: %w", withoutURL(err))
	}
	config.MaxConns = int32(conns)
	config.MaxConnIdleTime = 5 * time.Minute
	config.ConnConfig.RuntimeParams["role"] = role
	config.ConnConfig.RuntimeParams["search_path"] = Schema
	config.ConnConfig.RuntimeParams["application_name"] = "omnidesk " + role
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	// A lost client must not hold a scope's row for hours.
	config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "30000"
	// Without it pgx would write and read every id as text, through database/sql's interfaces.
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		pgxuuid.Register(conn.TypeMap())
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening the database pool: %w", err)
	}
	return pool, nil
}

// withoutURL keeps a password in a malformed URL out of logs.
func withoutURL(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errors.New("it is not of the form postgres://user:password@host:port/database")
	}
	return err
}

func (db *DB) assertRoles(ctx context.Context) error {
	for _, pool := range []*pgxpool.Pool{db.app, db.system} {
		var role string
		var privileged bool
		err := pool.QueryRow(ctx, `SELECT rolname, rolsuper OR rolbypassrls OR pg_has_role(rolname, $1, 'MEMBER')
			FROM pg_roles WHERE rolname = current_user`, OwnerRole).Scan(&role, &privileged)
		if err != nil {
			return fmt.Errorf("connecting to the database (is it migrated? run omnidesk migrate): %w", err)
		}
		if privileged {
			return fmt.Errorf("the database role %s could step around row-level security; it must own nothing and be no superuser", role)
		}
	}
	return nil
}

// Close ends both pools.
func (db *DB) Close() {
	db.app.Close()
	db.system.Close()
}

// URL is where LISTEN connects; a pooler can't serve it.
func (db *DB) URL() string { return db.direct }

// Ping answers nil when the database takes a statement.
func (db *DB) Ping(ctx context.Context) error { return db.app.Ping(ctx) }

// Vitals are what a look at the database finds.
type Vitals struct {
	Latency   time.Duration
	ClockLead time.Duration // of this machine's clock over the database's; negative: behind it
	Stray     int64         // rows in the ledger's default partition, at most 1,000; more than 0 is an alarm
}

// Look measures the database, under the system role.
func (db *DB) Look(ctx context.Context) (v Vitals, err error) {
	err = db.InSystem(ctx, func(tx Tx) error {
		var theirs time.Time
		asked := time.Now()
		if err := tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&theirs); err != nil {
			return err
		}
		v.Latency = time.Since(asked)
		v.ClockLead = asked.Add(v.Latency / 2).Sub(theirs)
		return tx.QueryRow(ctx, `SELECT ensure_message_partitions(0)`).Scan(&v.Stray)
	})
	if err != nil {
		return Vitals{}, fmt.Errorf("looking at the database: %w", err)
	}
	return v, nil
}

// InCompany runs do in a transaction that sees one company's rows, and commits when it returns nil.
func (db *DB) InCompany(ctx context.Context, company id.ID, do func(Tx) error) error {
	// One round trip, and so without parameters; an id has no character that would have to be escaped.
	begin := pgx.TxOptions{BeginQuery: "BEGIN; SELECT set_config('app.company_id', '" + company.String() + "', true)"}
	return inTx(ctx, db.app, begin, func(tx Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		return last(ctx, tx, company)
	})
}

const setCompany = `SELECT set_config('app.company_id', $1::uuid::text, true)`

// InSystem runs do in a transaction of the cross-company role.
func (db *DB) InSystem(ctx context.Context, do func(Tx) error) error {
	return inTx(ctx, db.system, pgx.TxOptions{}, func(tx Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		return last(ctx, tx, id.Nil)
	})
}

type lastKey struct{}

// BeforeCommit returns a context under which every transaction of InCompany and InSystem ends with do, before it
// commits. company is the transaction's, id.Nil under the cross-company role. An error undoes the transaction.
func BeforeCommit(ctx context.Context, do func(ctx context.Context, tx Tx, company id.ID) error) context.Context {
	return context.WithValue(ctx, lastKey{}, do)
}

func last(ctx context.Context, tx Tx, company id.ID) error {
	if do, ok := ctx.Value(lastKey{}).(func(context.Context, Tx, id.ID) error); ok {
		return do(ctx, tx, company)
	}
	return nil
}

func inTx(ctx context.Context, pool *pgxpool.Pool, options pgx.TxOptions, do func(Tx) error) error {
	tx, err := pool.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer func() {
		// After a commit this does nothing; a cancelled context must not leave the transaction open.
		_ = tx.Rollback(context.WithoutCancel(ctx))
	}()
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// Batch sends statements of one company in a single round trip and a single transaction: the company is set
// first, a failure of any statement undoes all. read takes the results in the order they were queued; they
// count only when Batch has returned nil.
func (db *DB) Batch(ctx context.Context, company id.ID, queue func(*pgx.Batch), read func(pgx.BatchResults) error) error {
	var batch pgx.Batch
	batch.Queue(setCompany, company)
	queue(&batch)
	conn, err := db.app.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquiring a connection: %w", err)
	}
	defer conn.Release()
	results := conn.SendBatch(ctx, &batch)
	if _, err := results.Exec(); err != nil {
		_ = results.Close()
		return fmt.Errorf("setting the company: %w", err)
	}
	readErr := read(results)
	// Close reads up to the end of the implicit transaction: only its nil says that all was committed.
	if err := results.Close(); err != nil {
		return err
	}
	return readErr
}

// IsUnique tells whether err breaks the named unique constraint or index.
func IsUnique(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505" && pg.ConstraintName == constraint
}

// IsRetryable tells whether a transaction failed only because of another one: a deadlock, a serialisation
// failure or a lock that did not come in time. Running it again is safe.
func IsRetryable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001" || pg.Code == "55P03")
}

// IsTransient tells a failure of the moment (the database is away, another transaction was in the way) from one
// that would come again.
func IsTransient(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code[:2] {
		case "08", "40", "53", "55", "57":
			return true
		}
		return false
	}
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connect) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// Cause names what the database refused, by its code and the constraint: nothing of a row is in it. Empty: it refused nothing.
func Cause(err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return ""
	}
	return strings.TrimSpace(pg.Code + " " + pg.ConstraintName)
}

// EnsurePartitions makes the ledger's partitions of this month and the next two, and those of raw events for the next
// days; raw events older than eight days are dropped. It returns how many rows lie in the ledger's default partition, at
// most 1,000; more than 0 is an alarm.
func (db *DB) EnsurePartitions(ctx context.Context) (stray int64, err error) {
	err = db.InSystem(ctx, func(tx Tx) error {
		return tx.QueryRow(ctx, `SELECT ensure_message_partitions(2)`).Scan(&stray)
	})
	// Apart, because dropping a day gives way to whoever reads it for long.
	err = errors.Join(err, db.InSystem(ctx, func(tx Tx) error {
		_, err := tx.Exec(ctx, `SELECT ensure_raw_event_partitions(7)`)
		return err
	}))
	if err != nil {
		return stray, fmt.Errorf("making partitions ahead: %w", err)
	}
	return stray, nil
}
