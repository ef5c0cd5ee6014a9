-- name: providerIDOf :one
-- Of a message of one conversation: what its provider calls it.
SELECT coalesce(provider_id, '')::text FROM messages
WHERE company_id = @company_id AND id = @id AND connection_id = @connection_id AND contact_id = @contact_id;

-- name: quoted :many
-- The messages that others answer, by their provider's ids.
SELECT p.provider_id, m.id, m.direction, m.content FROM provider_ids p
JOIN messages m ON m.company_id = p.company_id AND m.id = p.message_id AND m.contact_id = @contact_id
WHERE p.company_id = @company_id AND p.connection_id = @connection_id AND p.provider_id = ANY(sqlc.arg(provider_ids)::text[]);

-- name: conversationOf :one
-- Of a message that somebody in some departments may see.
SELECT v.id FROM messages m
JOIN conversations v ON v.company_id = m.company_id AND v.connection_id = m.connection_id AND v.contact_id = m.contact_id
JOIN connections n ON n.company_id = v.company_id AND n.id = v.connection_id AND in_sight(n.department_id, sqlc.narg(departments)::uuid[])
WHERE m.company_id = @company_id AND m.id = @id;
