-- Single rows of the ledger, and what an operator decides about uncertain ones.

-- name: GetMessage :one
SELECT m.id, m.contact_id, coalesce(c.name, '') AS contact_name, coalesce(i.value, '') AS address, m.state, m.attempts, m.content, m.provider_id, m.error_code, m.error_detail,
    m.claimed_at, m.sent_at, m.delivered_at, m.read_at, m.ended_at, m.retry_at, m.text_version,
    m.connection_id, m.campaign_id, m.lane, m.supersedes, m.superseded_by
FROM messages m
LEFT JOIN contacts c ON c.company_id = m.company_id AND c.id = m.contact_id
LEFT JOIN identities i ON i.company_id = m.company_id AND i.id = m.identity_id
JOIN connections n ON n.company_id = m.company_id AND n.id = m.connection_id
WHERE m.company_id = @company_id AND m.id = @id AND in_sight(n.department_id, sqlc.narg(departments)::uuid[]);

-- name: ListUncertain :many
-- Newest first. Those that were sent again by hand are settled as far as anybody can.
WITH page AS (
    SELECT m.* FROM messages m
    WHERE m.company_id = @company_id AND m.state = 6 AND m.superseded_by IS NULL AND m.id < sqlc.arg(before_id)::uuid
      AND (sqlc.narg(campaign_id)::uuid IS NULL OR m.campaign_id = sqlc.narg(campaign_id)::uuid)
    ORDER BY m.id DESC LIMIT @row_limit
)
SELECT m.id, m.contact_id, coalesce(c.name, '') AS contact_name, coalesce(i.value, '') AS address, m.state, m.attempts, m.content, m.provider_id, m.error_code, m.error_detail,
    m.claimed_at, m.sent_at, m.delivered_at, m.read_at, m.ended_at, m.retry_at, m.text_version,
    m.connection_id, m.campaign_id, m.lane, m.supersedes, m.superseded_by, coalesce(k.name, '') AS campaign_name
FROM page m
LEFT JOIN contacts c ON c.company_id = m.company_id AND c.id = m.contact_id
LEFT JOIN identities i ON i.company_id = m.company_id AND i.id = m.identity_id
LEFT JOIN campaigns k ON k.company_id = m.company_id AND k.id = m.campaign_id
ORDER BY m.id DESC;

-- name: DoubtQueued :exec
-- What a restored database has queued outside campaigns may have been sent already.
WITH doubtful AS (
    UPDATE messages SET state = 6, ended_at = sqlc.arg(now)::timestamptz, retry_at = NULL, error_detail = sqlc.arg(detail)::text
    WHERE company_id = @company_id AND campaign_id IS NULL AND state = 0
    RETURNING connection_id
)
INSERT INTO message_counts (company_id, connection_id, queued, uncertain)
SELECT @company_id, connection_id, -count(*), count(*) FROM doubtful GROUP BY connection_id;

-- name: CountUncertain :one
-- Along messages_uncertain, and no further than it is worth counting.
SELECT count(*)::int FROM (SELECT FROM messages m
    WHERE m.company_id = @company_id AND m.state = 6 AND m.superseded_by IS NULL
      AND (sqlc.narg(campaign_id)::uuid IS NULL OR m.campaign_id = sqlc.narg(campaign_id)::uuid)
    LIMIT @most) u;

-- name: UncertainBy :many
-- By campaign, and outside campaigns, as CountUncertain counts.
SELECT m.campaign_id, coalesce(k.name, '') AS name, m.n::int AS uncertain
FROM (SELECT u.campaign_id, count(*) AS n FROM (SELECT q.campaign_id FROM messages q
        WHERE q.company_id = @company_id AND q.state = 6 AND q.superseded_by IS NULL LIMIT @most) u GROUP BY u.campaign_id) m
LEFT JOIN campaigns k ON k.company_id = @company_id AND k.id = m.campaign_id
ORDER BY m.n DESC, m.campaign_id DESC
LIMIT @row_limit;

-- name: LockUncertain :many
-- The scope is locked first, as everywhere.
SELECT m.id, m.connection_id, m.campaign_id, m.contact_id, m.identity_id, m.lane, m.text_version, m.content,
    coalesce(i.kind, '') AS kind, coalesce(i.value, '') AS value, coalesce(c.name, '') AS name, coalesce(c.zone, '') AS zone, coalesce(c.attributes, '{}') AS attributes
FROM messages m
LEFT JOIN contacts c ON c.company_id = m.company_id AND c.id = m.contact_id
LEFT JOIN identities i ON i.company_id = m.company_id AND i.id = m.identity_id AND i.contact_id = m.contact_id
WHERE m.company_id = @company_id AND m.id = ANY(sqlc.arg(ids)::uuid[]) AND m.state = 6 AND m.superseded_by IS NULL
ORDER BY m.id
FOR UPDATE OF m;

-- name: UncertainConnections :many
SELECT DISTINCT m.connection_id FROM messages m
WHERE m.company_id = @company_id AND m.id = ANY(sqlc.arg(ids)::uuid[]) AND m.state = 6 AND m.superseded_by IS NULL
ORDER BY 1;

-- name: Supersede :exec
UPDATE messages m SET superseded_by = p.new
FROM (SELECT unnest(sqlc.arg(olds)::uuid[]) AS old, unnest(sqlc.arg(news)::uuid[]) AS new) p
WHERE m.company_id = @company_id AND m.id = p.old;
