-- Which recipients of a campaign answered it.

-- name: noteReplies :exec
-- A contact's newest hundred messages before the reply are looked at. Sorted, so that two transactions wait for each
-- other in one order.
WITH reply AS (
    SELECT unnest(sqlc.arg(ids)::uuid[]) AS id, unnest(sqlc.arg(contacts)::uuid[]) AS contact_id, unnest(sqlc.arg(instants)::timestamptz[]) AS at
), answered AS (
    SELECT DISTINCT ON (s.message_id) s.campaign_id, s.message_id, r.id AS reply_id
    FROM reply r CROSS JOIN LATERAL (
        SELECT m.campaign_id, m.id AS message_id
        FROM (SELECT x.message_id FROM contact_messages x
            WHERE x.company_id = @company_id AND x.contact_id = r.contact_id AND x.message_id < r.id
            ORDER BY x.message_id DESC LIMIT 100) l
        JOIN messages m ON m.company_id = @company_id AND m.id = l.message_id AND m.connection_id = @connection_id
            AND m.campaign_id IS NOT NULL AND m.state IN (1, 2, 4, 5, 6)
        WHERE coalesce(m.sent_at, m.claimed_at) >= r.at - interval '72 hours'
        ORDER BY coalesce(m.sent_at, m.claimed_at) DESC LIMIT 1
    ) s
    ORDER BY s.message_id, r.id
), noted AS (
    INSERT INTO campaign_replies (company_id, campaign_id, message_id, reply_id)
    SELECT @company_id, campaign_id, message_id, reply_id FROM answered ORDER BY campaign_id, message_id
    ON CONFLICT (company_id, campaign_id, message_id) DO NOTHING
    RETURNING campaign_id, reply_id
)
INSERT INTO message_counts (company_id, connection_id, campaign_id, replied, at)
SELECT @company_id, @connection_id, n.campaign_id, count(*), min(r.at) FROM noted n JOIN reply r ON r.id = n.reply_id GROUP BY n.campaign_id;

-- name: ListReplied :many
-- Those of ListCampaign whose recipients answered.
SELECT m.id, m.contact_id, c.name AS contact_name, i.value AS address, m.state, m.attempts, m.content, m.provider_id, m.error_code, m.error_detail,
    m.claimed_at, m.sent_at, m.delivered_at, m.read_at, m.ended_at, m.retry_at, m.text_version
FROM campaign_replies r
JOIN messages m ON m.company_id = r.company_id AND m.id = r.message_id AND m.state = ANY(sqlc.arg(states)::smallint[])
JOIN contacts c ON c.company_id = m.company_id AND c.id = m.contact_id
JOIN identities i ON i.company_id = m.company_id AND i.id = m.identity_id
WHERE r.company_id = @company_id AND r.campaign_id = @campaign_id AND r.message_id > sqlc.arg(after_id)::uuid
ORDER BY r.message_id LIMIT @row_limit;
