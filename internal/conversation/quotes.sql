-- name: providerIDOf :one
-- Of a message of one conversation: what its provider calls it.
SELECT coalesce(provider_id, '')::text FROM messages
WHERE company_id = @company_id AND id = @id AND connection_id = @connection_id AND contact_id = @contact_id;

-- name: quoted :many
-- The messages that others answer, by their provider's ids.
SELECT p.provider_id, m.id, m.direction, m.content FROM provider_ids p
JOIN messages m ON m.company_id = p.company_id AND m.id = p.message_id AND m.contact_id = @contact_id
WHERE p.company_id = @company_id AND p.connection_id = @connection_id AND p.provider_id = ANY(sqlc.arg(provider_ids)::text[]);
