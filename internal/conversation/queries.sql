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
-- Sorted, so that two transactions lock conversations in one order. The look into the same table in RETURNING sees the
-- row as it was before: one that was asleep until an instant has a workflow that need not wait for it.
INSERT INTO conversations AS c (company_id, id, connection_id, contact_id, last_id, last_inbound_id, unread)
SELECT @company_id, n.id, @connection_id, n.contact_id, n.last_id, n.last_id, n.unread
FROM (SELECT unnest(sqlc.arg(ids)::uuid[]) AS id, unnest(sqlc.arg(contacts)::uuid[]) AS contact_id, unnest(sqlc.arg(last_ids)::uuid[]) AS last_id, unnest(sqlc.arg(unread)::int[]) AS unread) n
ORDER BY n.contact_id
ON CONFLICT (company_id, connection_id, contact_id) DO UPDATE SET
    last_id = greatest(c.last_id, EXCLUDED.last_id),
    last_inbound_id = greatest(c.last_inbound_id, EXCLUDED.last_inbound_id),
    unread = c.unread + EXCLUDED.unread,
    reopened_at = CASE WHEN c.state <> 'open' OR c.last_inbound_id < uuid_floor(sqlc.arg(now)::timestamptz - interval '24 hours') THEN sqlc.arg(now)::timestamptz ELSE c.reopened_at END,
    state = 'open', snoozed_until = NULL
RETURNING c.id, coalesce((SELECT o.snoozed_until IS NOT NULL FROM conversations o WHERE o.company_id = c.company_id AND o.id = c.id), false)::boolean AS slept;

-- name: conversationsOf :many
SELECT id FROM conversations WHERE company_id = @company_id AND connection_id = @connection_id AND contact_id = ANY(sqlc.arg(contacts)::uuid[]);

-- name: wrote :one
-- Somebody of the company wrote: the conversation moves up, and what the contact wrote is seen.
INSERT INTO conversations AS c (company_id, id, connection_id, contact_id, last_id)
VALUES (@company_id, @id, @connection_id, @contact_id, @last_id)
ON CONFLICT (company_id, connection_id, contact_id) DO UPDATE SET last_id = greatest(c.last_id, EXCLUDED.last_id), unread = 0, state = 'open', snoozed_until = NULL
RETURNING c.id, coalesce((SELECT o.snoozed_until IS NOT NULL FROM conversations o WHERE o.company_id = c.company_id AND o.id = c.id), false)::boolean AS slept;

-- name: answerTo :one
-- The identity that the contact wrote from last.
SELECT m.identity_id FROM conversations v JOIN messages m ON m.company_id = v.company_id AND m.id = coalesce(v.last_inbound_id, v.last_id)
WHERE v.company_id = @company_id AND v.id = @id;

-- name: markRead :execrows
UPDATE conversations SET unread = 0 WHERE company_id = @company_id AND id = @id;

-- name: lockConversation :one
SELECT v.version, v.state, v.assignee_id, v.snoozed_until, n.department_id AS connection_department, coalesce(v.department_id, n.department_id) AS department_id
FROM conversations v JOIN connections n ON n.company_id = v.company_id AND n.id = v.connection_id
WHERE v.company_id = @company_id AND v.id = @id FOR UPDATE OF v;

-- name: setState :exec
UPDATE conversations SET state = @state, snoozed_until = sqlc.narg(until), version = version + 1,
    unread = CASE WHEN sqlc.arg(state)::text = 'closed' THEN 0 ELSE unread END
WHERE company_id = @company_id AND id = @id;

-- name: setAssignee :exec
UPDATE conversations SET assignee_id = sqlc.narg(assignee_id), version = version + 1 WHERE company_id = @company_id AND id = @id;

-- name: setDepartment :exec
UPDATE conversations SET department_id = sqlc.narg(department_id), assignee_id = sqlc.narg(assignee_id), version = version + 1
WHERE company_id = @company_id AND id = @id;

-- name: setPriority :exec
UPDATE conversations SET priority = @priority, version = version + 1 WHERE company_id = @company_id AND id = @id;

-- name: touch :exec
UPDATE conversations SET version = version + 1 WHERE company_id = @company_id AND id = @id;

-- name: maySee :one
-- Whether somebody of the company, who is still in it, may see what belongs to a department.
SELECT EXISTS (SELECT FROM users u WHERE u.company_id = sqlc.arg(company_id)::uuid AND u.id = @person AND u.disabled_at IS NULL AND (u.role = 'admin'
    OR in_sight(sqlc.narg(department_id)::uuid, ARRAY(SELECT m.department_id FROM department_members m WHERE m.company_id = u.company_id AND m.user_id = u.id))));

-- name: liveDepartment :one
SELECT EXISTS (SELECT FROM departments WHERE company_id = @company_id AND id = @id AND deleted_at IS NULL);

-- name: choosePeople :many
SELECT u.id, u.name, (u.role = 'admin')::boolean AS everything,
    ARRAY(SELECT m.department_id FROM department_members m WHERE m.company_id = u.company_id AND m.user_id = u.id)::uuid[] AS departments
FROM users u WHERE u.company_id = sqlc.arg(company_id)::uuid AND u.disabled_at IS NULL ORDER BY lower(u.name), u.id LIMIT 1000;

-- name: chooseDepartments :many
SELECT id, name FROM departments WHERE company_id = @company_id AND deleted_at IS NULL ORDER BY lower(name), id;

-- name: listLabels :many
SELECT id, name, colour FROM labels WHERE company_id = @company_id ORDER BY lower(name), id;

-- name: countLabels :one
SELECT count(*) FROM labels WHERE company_id = @company_id;

-- name: insertLabel :exec
INSERT INTO labels (company_id, id, name, colour) VALUES (@company_id, @id, @name, @colour);

-- name: updateLabel :execrows
UPDATE labels SET name = @name, colour = @colour WHERE company_id = @company_id AND id = @id;

-- name: deleteLabel :execrows
DELETE FROM labels WHERE company_id = @company_id AND id = @id;

-- name: dropLabels :exec
DELETE FROM conversation_labels WHERE company_id = @company_id AND conversation_id = @conversation_id AND NOT label_id = ANY(sqlc.arg(keep)::uuid[]);

-- name: addLabels :execrows
-- Puts on all that there are and returns how many that is, those that were on it included.
INSERT INTO conversation_labels (company_id, conversation_id, label_id)
SELECT @company_id, @conversation_id, l.id FROM labels l WHERE l.company_id = @company_id AND l.id = ANY(sqlc.arg(labels)::uuid[])
ON CONFLICT (company_id, conversation_id, label_id) DO UPDATE SET label_id = EXCLUDED.label_id;

-- name: insertNote :exec
INSERT INTO conversation_notes (company_id, conversation_id, id, author_id, body) VALUES (@company_id, @conversation_id, @id, @author_id, @body);

-- name: notes :many
SELECT o.id, o.body, coalesce(u.name, '')::text AS author FROM conversation_notes o
LEFT JOIN users u ON u.company_id = o.company_id AND u.id = o.author_id
WHERE o.company_id = @company_id AND o.conversation_id = @conversation_id AND o.id < sqlc.arg(before)::uuid
ORDER BY o.id DESC LIMIT @row_limit;

-- name: asleepUntil :one
SELECT snoozed_until FROM conversations WHERE company_id = @company_id AND id = @id AND state = 'snoozed' AND snoozed_until IS NOT NULL;

-- name: rouse :execrows
-- What comes back is to be looked at, so it counts as unread.
UPDATE conversations SET state = 'open', snoozed_until = NULL, unread = greatest(unread, 1)
WHERE company_id = @company_id AND id = @id AND state = 'snoozed' AND snoozed_until <= sqlc.arg(now)::timestamptz;

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

-- name: ofMessage :one
SELECT v.id FROM messages m JOIN conversations v ON v.company_id = m.company_id AND v.connection_id = m.connection_id AND v.contact_id = m.contact_id
WHERE m.company_id = @company_id AND m.id = @id;

-- name: openUntil :one
SELECT open_until FROM service_windows WHERE company_id = @company_id AND connection_id = @connection_id AND contact_id = @contact_id;
