-- name: claimSingles
-- Runs after lockForClaim in the same transaction, as claim.sql does. Lower lanes go first, then older messages.
-- The gate: the run's fence, a hold (while it probes, one open claim on the connection at a time), a contact that is gone,
-- expiry, an opt-out (which stops lanes 3 and 4 only), the 24-hour window of everything but templates.
-- As in claim.sql, lines that begin with --paced, --spaced or --tiered belong to connections with limits. A message is spaced from the
-- contact's others of the same claim, too; an answer may borrow ten gaps from the future.
WITH picked AS MATERIALIZED (
    SELECT m.id, m.ctid AS place, m.lane, m.contact_id, m.identity_id, m.expires_at, m.content
    FROM messages m
    WHERE m.company_id = $1 AND m.connection_id = $2 AND m.lane BETWEEN $3 AND $4 AND m.campaign_id IS NULL AND m.state = 0
      AND m.id BETWEEN $5 AND $6
      AND (m.retry_at IS NULL OR m.retry_at <= $7::timestamptz)
--tiered       AND ($room::boolean OR m.content::jsonb -> 'template' IS NULL OR tier_of($1, $2, $portfolio::text, m.contact_id, $7) <= 1)
      AND EXISTS (SELECT FROM scopes s WHERE s.company_id = $1 AND s.connection_id = $2
                  AND CASE WHEN $11::boolean THEN s.urgent_epoch ELSE s.page_epoch END = $8
                  AND s.limits IS NULL AND s.portfolio_id IS NULL -- not paced
                  AND (s.held_until IS NULL OR s.held_until <= $7)
                  AND (NOT s.probing OR NOT EXISTS (SELECT FROM messages o WHERE o.company_id = $1 AND o.connection_id = $2 AND o.state = 1)))
    ORDER BY m.lane, m.id
    LIMIT CASE WHEN (SELECT s.probing FROM scopes s WHERE s.company_id = $1 AND s.connection_id = $2) THEN 1 ELSE $9::integer END
--spaced ), spaced AS MATERIALIZED (
--spaced     SELECT p.*, greatest(contact_free_at($1, $2, p.contact_id, make_interval(secs => $gap::float8), $7), $7)
--spaced         + make_interval(secs => $gap::float8 * (row_number() OVER (PARTITION BY p.contact_id ORDER BY p.lane, p.id) - 1
--spaced             - CASE WHEN p.lane = 1 THEN 10 ELSE 0 END)) AS free_at
--spaced     FROM picked p
--spaced ), postponed AS (
--spaced     UPDATE messages m SET retry_at = s.free_at FROM spaced s
--spaced     WHERE m.company_id = $1 AND m.id = s.id AND m.ctid = s.place AND m.state = 0 AND s.free_at > $7
--spaced     RETURNING m.id
), judged AS (
    SELECT p.id, p.place, i.kind, i.value, c.name, c.zone, c.attributes, CASE
        WHEN i.id IS NULL THEN 'Not sent: the contact does not exist any more.'
        WHEN p.expires_at <= $7 THEN 'It expired before it could be sent.'
        WHEN p.lane >= 3 AND c.opted_out_at IS NOT NULL THEN 'Not sent: the contact has opted out.'
        WHEN p.content::jsonb -> 'template' IS NULL AND NOT EXISTS (SELECT FROM service_windows w WHERE w.company_id = $1 AND w.connection_id = $2
            AND w.contact_id = p.contact_id AND w.open_until > $7) THEN 'Not sent: the 24-hour window for free text has closed.'
        END AS refusal,
        CASE WHEN p.expires_at <= $7 THEN 8 ELSE 9 END AS refused
    FROM picked p -- not spaced
--spaced     FROM (SELECT * FROM spaced WHERE free_at <= $7) p
    LEFT JOIN contacts c ON c.company_id = $1 AND c.id = p.contact_id
    LEFT JOIN identities i ON i.company_id = $1 AND i.id = p.identity_id AND c.id IS NOT NULL
), claimed AS (
    UPDATE messages m SET epoch = $8, retry_at = NULL,
        state = CASE WHEN j.refusal IS NULL THEN 1 ELSE j.refused END,
        attempts = m.attempts + CASE WHEN j.refusal IS NULL THEN 1 ELSE 0 END,
        attempt_id = CASE WHEN j.refusal IS NULL THEN $10::uuid END,
        claimed_at = CASE WHEN j.refusal IS NULL THEN $7 ELSE m.claimed_at END,
        ended_at = CASE WHEN j.refusal IS NOT NULL THEN $7 END,
        error_detail = j.refusal
    FROM judged j
    WHERE m.company_id = $1 AND m.id = j.id AND m.ctid = j.place AND m.state = 0
    RETURNING m.id, m.state, m.attempts, m.text_version, coalesce(j.kind, '') AS kind, coalesce(j.value, '') AS value, coalesce(j.name, '') AS name,
        coalesce(j.zone, '') AS zone, coalesce(j.attributes, '{}') AS attributes, m.content, m.contact_id
), counted AS (
    INSERT INTO message_counts (company_id, connection_id, queued, sending, expired, suppressed)
    SELECT $1, $2, -count(*), count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 8), count(*) FILTER (WHERE state = 9)
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
SELECT id, state, attempts, text_version, kind, value, name, zone, attributes, content FROM claimed
--spaced UNION ALL SELECT id, 0, 0, 0, '', '', '', '', '{}', NULL FROM postponed
;
