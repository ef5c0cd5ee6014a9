// Package migrations holds the schema's history: SQL files that goose runs forward, never back.
package migrations

import "embed"

// FS holds the migrations.
//
//go:embed *.sql
var FS embed.FS
