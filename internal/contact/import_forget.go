package contact

import (
	"context"
	"fmt"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// ImportMemory is how long it is kept what an import did with each row. Until then it can be undone.
const ImportMemory = 30 * 24 * time.Hour

// ForgetImports deletes what all companies' imports did that ended longer than ImportMemory before now, together with the
// rows they refused. Their counts stay.
func ForgetImports(ctx context.Context, db *postgres.DB, now time.Time) error {
	var companies []id.ID
	err := db.InSystem(ctx, func(tx postgres.Tx) (err error) {
		companies, err = New(tx).companiesOfImports(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("listing companies: %w", err)
	}
	for _, company := range companies {
		if err := forgetImports(ctx, db, company, now); err != nil {
			return err
		}
	}
	return nil
}

func forgetImports(ctx context.Context, db *postgres.DB, company id.ID, now time.Time) error {
	var old []id.ID
	err := db.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		old, err = New(tx).importsEndedBefore(ctx, company, now.Add(-ImportMemory))
		return err
	})
	if err != nil {
		return fmt.Errorf("looking for old imports: %w", err)
	}
	for _, wanted := range old {
		if err := db.InCompany(ctx, company, func(tx postgres.Tx) error { return forget(ctx, tx, company, wanted, now) }); err != nil {
			return fmt.Errorf("forgetting what an import did: %w", err)
		}
	}
	return nil
}

// forget looks once more under the lock: somebody may have begun to undo it meanwhile.
func forget(ctx context.Context, tx postgres.Tx, company, wanted id.ID, now time.Time) error {
	i, err := lockImport(ctx, tx, company, wanted)
	if err != nil || i.State == ImportUndoing {
		return err
	}
	q := New(tx)
	if err := q.deleteImportRows(ctx, company, wanted); err != nil {
		return err
	}
	if err := q.deleteRefused(ctx, company, wanted); err != nil {
		return err
	}
	return q.markForgotten(ctx, &now, company, wanted)
}
