package send

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// GiveMessages makes messages of one contact another's, in both directions: all of them, or those of some identities.
// States, identities and what was sent stay. The caller has locked both contacts' identities, so none is added meanwhile.
func GiveMessages(ctx context.Context, tx postgres.Tx, company, from, to id.ID, identities []id.ID) error {
	_, err := tx.Exec(ctx, `WITH moved AS (
			SELECT m.id FROM contact_messages x JOIN messages m ON m.company_id = x.company_id AND m.id = x.message_id
			WHERE x.company_id = $1 AND x.contact_id = $2 AND ($4::uuid[] IS NULL OR m.identity_id = ANY($4))
			ORDER BY m.id FOR UPDATE OF m
		), given AS (
			UPDATE messages m SET contact_id = $3 FROM moved WHERE m.company_id = $1 AND m.id = moved.id
		)
		UPDATE contact_messages x SET contact_id = $3 FROM moved WHERE x.company_id = $1 AND x.contact_id = $2 AND x.message_id = moved.id`,
		company, from, to, identities)
	if err != nil {
		return fmt.Errorf("moving messages to another contact: %w", err)
	}
	return nil
}

// CancelDoubles ends what is queued for a contact by campaigns that have another contact in their plan, too: the two
// have turned out to be one person.
func CancelDoubles(ctx context.Context, tx postgres.Tx, company, contact, other id.ID, now time.Time) error {
	rows, err := tx.Query(ctx, `WITH ended AS (
			UPDATE messages m SET state = $5, ended_at = $4, retry_at = NULL FROM contact_messages x
			WHERE x.company_id = $1 AND x.contact_id = $2 AND m.company_id = $1 AND m.id = x.message_id AND m.state = $6 AND m.campaign_id IS NOT NULL
				AND EXISTS (SELECT FROM recipients r WHERE r.company_id = $1 AND r.campaign_id = m.campaign_id AND r.contact_id = $3)
			RETURNING m.connection_id, m.campaign_id
		) SELECT connection_id, campaign_id, count(*)::int FROM ended GROUP BY 1, 2`, company, contact, other, now, int16(Canceled), int16(Queued))
	if err != nil {
		return fmt.Errorf("canceling a merged contact's second messages: %w", err)
	}
	type ended struct {
		Connection, Campaign id.ID
		N                    int
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ended])
	if err != nil {
		return fmt.Errorf("canceling a merged contact's second messages: %w", err)
	}
	for _, e := range list {
		if err := addCount(ctx, tx, company, e.Connection, e.Campaign, Counts{Queued: -e.N, Canceled: e.N}); err != nil {
			return err
		}
	}
	return nil
}
