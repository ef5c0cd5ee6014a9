-- name: claimCampaign
-- Runs after lockForClaim in the same transaction, so that it sees what a pause before it has committed.
-- The rows are found again by their place (ctid), which no statistics of an empty table can turn into a scan.
-- The gate: campaign state, the page's fence, a hold (while it probes, one open
-- claim on the connection at a time), expiry, opt-out, the 24-hour window of free text.
WITH picked AS MATERIALIZED (
    SELECT m.id, m.ctid AS place, m.contact_id, m.identity_id
    FROM messages m
    WHERE m.company_id = $1 AND m.connection_id = $2 AND m.lane = 5 AND m.campaign_id = $3 AND m.zone_set_id = $4 AND m.state = 0
      AND m.id BETWEEN $5 AND $6
      AND (m.retry_at IS NULL OR m.retry_at <= $7::timestamptz)
      AND EXISTS (SELECT FROM campaigns k WHERE k.company_id = $1 AND k.id = $3 AND k.state = 'running')
      AND EXISTS (SELECT FROM scopes s WHERE s.company_id = $1 AND s.connection_id = $2 AND s.page_epoch = $8
                  AND (s.held_until IS NULL OR s.held_until <= $7)
                  AND (NOT s.probing OR NOT EXISTS (SELECT FROM messages o WHERE o.company_id = $1 AND o.connection_id = $2 AND o.state = 1)))
    ORDER BY m.sequence
    LIMIT CASE WHEN (SELECT s.probing FROM scopes s WHERE s.company_id = $1 AND s.connection_id = $2) THEN 1 ELSE $9::integer END
), claimed AS (
    UPDATE messages m SET epoch = $8, attempt_id = $10, claimed_at = $7, retry_at = NULL, attempts = m.attempts + 1,
        state = CASE WHEN m.expires_at <= $7 THEN 8 WHEN c.opted_out_at IS NOT NULL THEN 9
            WHEN $11::boolean AND NOT EXISTS (SELECT FROM service_windows w WHERE w.company_id = $1 AND w.connection_id = $2
                AND w.contact_id = m.contact_id AND w.open_until > $7) THEN 9
            ELSE 1 END
    FROM picked p
    JOIN contacts c ON c.company_id = $1 AND c.id = p.contact_id
    JOIN identities i ON i.company_id = $1 AND i.id = p.identity_id
    WHERE m.company_id = $1 AND m.id = p.id AND m.ctid = p.place AND m.state = 0
    RETURNING m.id, m.state, m.attempts, m.text_version, i.kind, i.value, c.name, coalesce(c.zone, '') AS zone, c.attributes
), counted AS (
    INSERT INTO message_counts (company_id, connection_id, campaign_id, queued, sending, expired, suppressed)
    SELECT $1, $2, $3, -count(*), count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 8), count(*) FILTER (WHERE state = 9)
    FROM claimed HAVING count(*) > 0
)
SELECT * FROM claimed;
