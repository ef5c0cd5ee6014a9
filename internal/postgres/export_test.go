package postgres

import "github.com/jackc/pgx/v5/pgxpool"

// App is the application's pool without the door: what a connection is like between two transactions.
func (db *DB) App() *pgxpool.Pool { return db.app }
