package campaign

import (
	"context"
	"fmt"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// LockOpen locks the campaigns that may still feed, so that none feeds from a plan that is being changed.
func LockOpen(ctx context.Context, tx postgres.Tx, company id.ID) error {
	_, err := tx.Exec(ctx, `SELECT FROM campaigns WHERE company_id = $1 AND state IN ('starting', 'scheduled', 'running', 'paused') ORDER BY id FOR UPDATE`, company)
	if err != nil {
		return fmt.Errorf("locking campaigns: %w", err)
	}
	return nil
}

// GivePlace gives a contact's place in the plans of open campaigns to another one, whom none of these has yet. Where a
// plan has both, the place stays; a merged contact's message is not sent. With identities, only places of these are
// given. The caller holds LockOpen.
func GivePlace(ctx context.Context, tx postgres.Tx, company, from, to id.ID, identities []id.ID) error {
	_, err := tx.Exec(ctx, `UPDATE recipients r SET contact_id = $3 FROM campaigns k
		WHERE k.company_id = $1 AND k.state IN ('starting', 'scheduled', 'running', 'paused') AND r.company_id = $1 AND r.campaign_id = k.id AND r.contact_id = $2 AND ($4::uuid[] IS NULL OR r.identity_id = ANY($4))
			AND NOT EXISTS (SELECT FROM recipients o WHERE o.company_id = $1 AND o.campaign_id = k.id AND o.contact_id = $3)`, company, from, to, identities)
	if err != nil {
		return fmt.Errorf("giving a place in campaigns to another contact: %w", err)
	}
	return nil
}
