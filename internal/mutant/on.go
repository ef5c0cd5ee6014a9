//go:build mutants

// Package mutant brings known bugs back; see off.go.
package mutant

import "os"

// chosen is the bug of this run.
var chosen = os.Getenv("OMNIDESK_MUTANT")

// The bugs.
var (
	BlindRetry              = chosen == "blind-retry"
	MarkBeforeSend          = chosen == "mark-before-send"
	AcknowledgeBeforeInsert = chosen == "acknowledge-before-insert"
	RetryUncertain          = chosen == "retry-uncertain"
	ForgetTakes             = chosen == "forget-takes"
	ForgetContacts          = chosen == "forget-contacts"
)

// Schema is SQL that damages the schema after a migration.
func Schema() string {
	switch chosen {
	case "table-without-policy":
		return `DROP POLICY company ON contacts; ALTER TABLE contacts DISABLE ROW LEVEL SECURITY`
	case "unique-without-company":
		return `ALTER TABLE tags DROP CONSTRAINT tags_company_id_name_key; ALTER TABLE tags ADD UNIQUE (name)`
	case "claim-after-restore":
		return `CREATE OR REPLACE FUNCTION refuse_after_restore(of_company uuid, of_witness uuid, seen_mark bigint, seen_timeline text, seen_lsn bigint) RETURNS void
			LANGUAGE plpgsql STABLE AS 'BEGIN END'`
	}
	return ""
}
