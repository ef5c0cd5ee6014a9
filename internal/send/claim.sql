-- name: claimCampaign
-- Runs after lockForClaim in the same transaction, so that it sees what a pause before it has committed.
-- The rows are found again by their place (ctid), which no statistics of an empty table can turn into a scan.
-- The gate: campaign state, the page's fence, a hold (while it probes, one open
-- claim on the connection at a time), expiry, opt-out, the 24-hour window of free text.
-- Lines that begin with --paced belong to the statement of a connection with limits, those with --spaced to that
-- which asks for each contact's gap, too, those with --tiered to that of a number whose portfolio has a tier; $gap, $room
-- and $portfolio get the next numbers of those that are there: variant in limits.go. Without room in the tier, only what it
-- does not count is claimed.
WITH picked AS MATERIALIZED (
    SELECT m.id, m.ctid AS place, m.contact_id, m.identity_id
    FROM messages m
    WHERE m.company_id = $1 AND m.connection_id = $2 AND m.lane = 5 AND m.campaign_id = $3 AND m.zone_set_id = $4 AND m.state = 0
      AND m.id BETWEEN $5 AND $6
      AND (m.retry_at IS NULL OR m.retry_at <= $7::timestamptz)
--tiered       AND ($room::boolean OR tier_of($1, $2, $portfolio::text, m.contact_id, $7) <= 1)
      AND EXISTS (SELECT FROM campaigns k WHERE k.company_id = $1 AND k.id = $3 AND k.state = 'running')
      AND EXISTS (SELECT FROM scopes s WHERE s.company_id = $1 AND s.connection_id = $2 AND s.page_epoch = $8
                  AND s.limits IS NULL AND s.portfolio_id IS NULL -- not paced
                  AND (s.held_until IS NULL OR s.held_until <= $7)
                  AND (NOT s.probing OR NOT EXISTS (SELECT FROM messages o WHERE o.company_id = $1 AND o.connection_id = $2 AND o.state = 1)))
    ORDER BY m.sequence
    LIMIT CASE WHEN (SELECT s.probing FROM scopes s WHERE s.company_id = $1 AND s.connection_id = $2) THEN 1 ELSE $9::integer END
--spaced ), spaced AS MATERIALIZED (
--spaced     SELECT p.*, coalesce(g.free_at, $7) AS free_at FROM picked p
--spaced     CROSS JOIN LATERAL (SELECT contact_free_at($1, $2, p.contact_id, make_interval(secs => $gap::float8), $7) AS free_at) g
--spaced ), postponed AS (
--spaced     UPDATE messages m SET retry_at = s.free_at FROM spaced s
--spaced     WHERE m.company_id = $1 AND m.id = s.id AND m.ctid = s.place AND m.state = 0 AND s.free_at > $7
--spaced     RETURNING m.id
), claimed AS (
    UPDATE messages m SET epoch = $8, attempt_id = $10, claimed_at = $7, retry_at = NULL, attempts = m.attempts + 1,
        state = CASE WHEN m.expires_at <= $7 THEN 8 WHEN c.opted_out_at IS NOT NULL THEN 9
            WHEN $11::boolean AND NOT EXISTS (SELECT FROM service_windows w WHERE w.company_id = $1 AND w.connection_id = $2
                AND w.contact_id = m.contact_id AND w.open_until > $7) THEN 9
            ELSE 1 END
    FROM picked p -- not spaced
--spaced     FROM (SELECT * FROM spaced WHERE free_at <= $7) p
    JOIN contacts c ON c.company_id = $1 AND c.id = p.contact_id
    JOIN identities i ON i.company_id = $1 AND i.id = p.identity_id
    WHERE m.company_id = $1 AND m.id = p.id AND m.ctid = p.place AND m.state = 0
    RETURNING m.id, m.state, m.attempts, m.text_version, i.kind, i.value, c.name, coalesce(c.zone, '') AS zone, c.attributes, m.contact_id
), counted AS (
    INSERT INTO message_counts (company_id, connection_id, campaign_id, queued, sending, expired, suppressed)
    SELECT $1, $2, $3, -count(*), count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 8), count(*) FILTER (WHERE state = 9)
    FROM claimed HAVING count(*) > 0
--paced ), noted AS (
--paced     UPDATE scopes SET taken_at = $12::timestamptz[] || $7, taken = $13::integer[] || c.n, taken_day = $14, taken_today = $15::integer + c.n,
--paced         next_campaign_at = coalesce($16::timestamptz, next_campaign_at), taken_for = $17::uuid, others_at = $18::timestamptz
--paced     FROM (SELECT count(*)::integer AS n FROM claimed WHERE state = 1) c
--paced     WHERE company_id = $1 AND connection_id = $2 AND c.n > 0
--tiered ), reached AS MATERIALIZED (
--tiered     SELECT contact_id, min(tier_of($1, $2, $portfolio::text, contact_id, $7)) AS mark FROM claimed WHERE state = 1 GROUP BY contact_id
--tiered ), contacted AS (
--tiered     INSERT INTO portfolio_contacts (company_id, portfolio_id, contact_id, at) SELECT $1, $portfolio::text, contact_id, $7 FROM reached WHERE mark > 0
--tiered     ON CONFLICT (company_id, portfolio_id, contact_id) DO UPDATE SET at = EXCLUDED.at
--tiered ), tier AS (
--tiered     UPDATE portfolios SET counted = counted + r.n FROM (SELECT count(*)::integer AS n FROM reached WHERE mark = 3) r
--tiered     WHERE company_id = $1 AND id = $portfolio::text AND r.n > 0
)
SELECT id, state, attempts, text_version, kind, value, name, zone, attributes FROM claimed
--spaced UNION ALL SELECT id, 0, 0, 0, '', '', '', '', '{}' FROM postponed
;
