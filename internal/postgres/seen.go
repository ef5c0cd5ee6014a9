package postgres

import (
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"omnidesk/internal/id"
)

// Seen is how far this process has seen the database come; see package restore.
type Seen struct {
	Witness  id.ID
	Mark     int64
	Timeline string // empty: any
	LSN      int64
}

// SetSeen is called after every stamp.
func (db *DB) SetSeen(s Seen) { db.seen.Store(&s) }

// QueueGuard adds the statement that every transaction with claims begins with. It fails, and so undoes all of the
// batch, when the installation is drained, when the company is on hold after a restore, or when the database is not as far as this process has seen it;
// IsRefused tells. Its result has no row that matters.
func (db *DB) QueueGuard(b *pgx.Batch, company id.ID) {
	var witness *id.ID
	var seen Seen
	if known := db.seen.Load(); known != nil {
		seen, witness = *known, &known.Witness
	}
	b.Queue(`SELECT refuse_after_restore($1, $2, $3, $4, $5)`, company, witness, seen.Mark, seen.Timeline, seen.LSN)
}

// IsRefused tells that claims were refused because of a restore, or because the installation is drained.
func IsRefused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "OD001" || pg.Code == "OD002")
}

// IsRestored tells that claims were refused because of a restore.
func IsRestored(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "OD001"
}
