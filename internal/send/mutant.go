package send

import (
	"context"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// requeue is the bug RetryUncertain of package mutant: it sends again what nobody knows the outcome of.
func requeue(ctx context.Context, tx postgres.Tx, company id.ID, ids []id.ID) error {
	_, err := tx.Exec(ctx, `WITH back AS (UPDATE messages SET state = 0 WHERE company_id = $1 AND id = ANY($2) AND state = 1 RETURNING campaign_id)
		INSERT INTO message_counts (company_id, campaign_id, queued, sending) SELECT $1, campaign_id, count(*), -count(*) FROM back GROUP BY campaign_id`, company, ids)
	return err
}
