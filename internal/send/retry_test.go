package send_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/postgres"
)

// TestALookFindsTheNextRetryByItsIndex explains the look-up as the application does it: a sender looks often, and thousands
// of messages may be queued.
func TestALookFindsTheNextRetryByItsIndex(t *testing.T) {
	r := newRunning(t, 2000)
	_, err := pgOwner(r).Exec(t.Context(), `ANALYZE`)
	require.NoError(t, err)
	r.tx(func(tx postgres.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL plan_cache_mode = force_generic_plan`); err != nil {
			return err
		}
		rows, err := tx.Query(t.Context(), `EXPLAIN SELECT m.retry_at FROM messages m LEFT JOIN campaigns k ON k.company_id = m.company_id AND k.id = m.campaign_id
			WHERE m.company_id = $1 AND m.connection_id = $2 AND m.lane BETWEEN $3 AND $4 AND m.state = 0 AND m.retry_at IS NOT NULL AND m.retry_at > $5
			AND (m.campaign_id IS NULL OR k.state = 'running') ORDER BY m.retry_at LIMIT 1`, r.company, r.connection, 3, 5, time.Now())
		if err != nil {
			return err
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.Contains(t, fmt.Sprint(plan), "connection_id_retry_at_idx")
		return err
	})
}
