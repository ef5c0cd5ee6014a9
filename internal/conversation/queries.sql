-- name: claimProviderIDs :many
-- What has come before keeps its first id. Sorted, so that two transactions wait for each other in one order.
INSERT INTO provider_ids (company_id, connection_id, provider_id, message_id)
SELECT @company_id, @connection_id, n.provider_id, n.message_id
FROM (SELECT unnest(sqlc.arg(provider_ids)::text[]) AS provider_id, unnest(sqlc.arg(ids)::uuid[]) AS message_id) n
ORDER BY n.provider_id
ON CONFLICT (company_id, connection_id, provider_id) DO NOTHING
RETURNING message_id;

-- name: insertMessages :exec
WITH received AS (
    INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, direction, lane, state, provider_id, content)
    SELECT @company_id, n.id, @connection_id, n.contact_id, n.identity_id, 1, 0, 10, n.provider_id, n.content
    FROM (SELECT unnest(sqlc.arg(ids)::uuid[]) AS id, unnest(sqlc.arg(contacts)::uuid[]) AS contact_id, unnest(sqlc.arg(identities)::uuid[]) AS identity_id,
            unnest(sqlc.arg(provider_ids)::text[]) AS provider_id, unnest(sqlc.arg(contents)::text[]) AS content) n
    RETURNING company_id, contact_id, id
)
INSERT INTO contact_messages (company_id, contact_id, message_id) SELECT company_id, contact_id, id FROM received;

-- name: insertChanges :exec
INSERT INTO message_changes (company_id, connection_id, provider_id, id, contact_id, kind, words)
SELECT @company_id, @connection_id, n.provider_id, n.id, n.contact_id, n.kind, n.words
FROM (SELECT unnest(sqlc.arg(provider_ids)::text[]) AS provider_id, unnest(sqlc.arg(ids)::uuid[]) AS id, unnest(sqlc.arg(contacts)::uuid[]) AS contact_id,
        unnest(sqlc.arg(kinds)::text[]) AS kind, unnest(sqlc.arg(words)::text[]) AS words) n;

-- name: receive :many
-- Sorted, so that two transactions lock conversations in one order.
INSERT INTO conversations AS c (company_id, id, connection_id, contact_id, last_id, last_inbound_id, unread)
SELECT @company_id, n.id, @connection_id, n.contact_id, n.last_id, n.last_id, n.unread
FROM (SELECT unnest(sqlc.arg(ids)::uuid[]) AS id, unnest(sqlc.arg(contacts)::uuid[]) AS contact_id, unnest(sqlc.arg(last_ids)::uuid[]) AS last_id, unnest(sqlc.arg(unread)::int[]) AS unread) n
ORDER BY n.contact_id
ON CONFLICT (company_id, connection_id, contact_id) DO UPDATE SET
    last_id = greatest(c.last_id, EXCLUDED.last_id),
    last_inbound_id = greatest(c.last_inbound_id, EXCLUDED.last_inbound_id),
    unread = c.unread + EXCLUDED.unread,
    reopened_at = CASE WHEN c.state = 'closed' OR c.last_inbound_id < uuid_floor(sqlc.arg(now)::timestamptz - interval '24 hours') THEN sqlc.arg(now)::timestamptz ELSE c.reopened_at END,
    state = 'open'
RETURNING c.id;

-- name: conversationsOf :many
SELECT id FROM conversations WHERE company_id = @company_id AND connection_id = @connection_id AND contact_id = ANY(sqlc.arg(contacts)::uuid[]);

-- name: wrote :one
-- Somebody of the company wrote: the conversation moves up, and what the contact wrote is seen.
INSERT INTO conversations AS c (company_id, id, connection_id, contact_id, last_id)
VALUES (@company_id, @id, @connection_id, @contact_id, @last_id)
ON CONFLICT (company_id, connection_id, contact_id) DO UPDATE SET last_id = greatest(c.last_id, EXCLUDED.last_id), unread = 0, state = 'open'
RETURNING c.id;

-- name: listConversations :many
-- Along conversations_recent, the newest first.
WITH page AS (
    SELECT v.*, n.name AS connection_name FROM conversations v
    JOIN connections n ON n.company_id = v.company_id AND n.id = v.connection_id AND in_sight(n.department_id, sqlc.narg(departments)::uuid[])
    WHERE v.company_id = @company_id AND v.state = @state AND v.last_id < sqlc.arg(before)::uuid
    ORDER BY v.last_id DESC LIMIT @row_limit
)
SELECT v.id, v.connection_id, v.connection_name, v.contact_id, c.name AS contact_name, coalesce(i.value, '')::text AS address,
    v.state, v.last_id, v.unread, v.reopened_at, w.open_until, c.opted_out_at, coalesce(m.direction, 0)::smallint AS direction, m.content
FROM page v
JOIN contacts c ON c.company_id = v.company_id AND c.id = v.contact_id
LEFT JOIN messages m ON m.company_id = v.company_id AND m.id = v.last_id
LEFT JOIN identities i ON i.company_id = v.company_id AND i.id = m.identity_id
LEFT JOIN service_windows w ON w.company_id = v.company_id AND w.connection_id = v.connection_id AND w.contact_id = v.contact_id
ORDER BY v.last_id DESC;

-- name: getConversation :one
SELECT v.id, v.connection_id, n.name AS connection_name, v.contact_id, c.name AS contact_name, coalesce(i.value, '')::text AS address,
    v.state, v.last_id, v.unread, v.reopened_at, w.open_until, c.opted_out_at, coalesce(m.direction, 0)::smallint AS direction, m.content
FROM conversations v
JOIN connections n ON n.company_id = v.company_id AND n.id = v.connection_id AND in_sight(n.department_id, sqlc.narg(departments)::uuid[])
JOIN contacts c ON c.company_id = v.company_id AND c.id = v.contact_id
LEFT JOIN messages m ON m.company_id = v.company_id AND m.id = v.last_id
LEFT JOIN identities i ON i.company_id = v.company_id AND i.id = m.identity_id
LEFT JOIN service_windows w ON w.company_id = v.company_id AND w.connection_id = v.connection_id AND w.contact_id = v.contact_id
WHERE v.company_id = @company_id AND v.id = @id;

-- name: answerTo :one
-- The identity that the contact wrote from last.
SELECT m.identity_id FROM conversations v JOIN messages m ON m.company_id = v.company_id AND m.id = coalesce(v.last_inbound_id, v.last_id)
WHERE v.company_id = @company_id AND v.id = @id;

-- name: countUnread :one
SELECT count(*) FROM (
    SELECT FROM conversations v
    JOIN connections n ON n.company_id = v.company_id AND n.id = v.connection_id AND in_sight(n.department_id, sqlc.narg(departments)::uuid[])
    WHERE v.company_id = @company_id AND v.state = 'open' AND v.unread > 0 LIMIT 100
) v;

-- name: markRead :execrows
UPDATE conversations SET unread = 0 WHERE company_id = @company_id AND id = @id;

-- name: setState :execrows
UPDATE conversations SET state = @state, unread = CASE WHEN sqlc.arg(state)::text = 'closed' THEN 0 ELSE unread END WHERE company_id = @company_id AND id = @id;

-- name: thread :many
-- A contact's messages on one connection, the newest first, by the table that notes each message under its contact.
SELECT m.id, m.direction, m.lane, m.state, m.content, m.provider_id, m.campaign_id, coalesce(k.name, '')::text AS campaign_name,
    m.error_code, m.error_detail, m.sent_at, m.delivered_at, m.read_at
FROM contact_messages x
JOIN messages m ON m.company_id = x.company_id AND m.id = x.message_id AND m.connection_id = @connection_id
LEFT JOIN campaigns k ON k.company_id = m.company_id AND k.id = m.campaign_id
WHERE x.company_id = @company_id AND x.contact_id = @contact_id AND x.message_id < sqlc.arg(before)::uuid
ORDER BY x.message_id DESC LIMIT @row_limit;

-- name: changesOf :many
SELECT provider_id, kind, words FROM message_changes
WHERE company_id = @company_id AND connection_id = @connection_id AND provider_id = ANY(sqlc.arg(provider_ids)::text[])
ORDER BY id;

-- name: keyMessage :execrows
INSERT INTO client_keys (company_id, key, message_id) VALUES (@company_id, @key, @message_id) ON CONFLICT (company_id, key) DO NOTHING;

-- name: messageOfKey :one
SELECT message_id FROM client_keys WHERE company_id = @company_id AND key = @key;
