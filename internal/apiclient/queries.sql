-- Clients of the external API, their calls and their messages.

-- name: insertClient :exec
WITH client AS (
    INSERT INTO api_clients (company_id, id, name, scopes, connection_ids, networks, lane, per_minute, per_day, expires_at, sealed_secret)
    VALUES (@company_id, @id, @name, @scopes, @connection_ids, @networks, @lane, @per_minute, @per_day, sqlc.narg(expires_at), @sealed_secret)
    RETURNING company_id, id
)
INSERT INTO api_turns (company_id, client_id) SELECT company_id, id FROM client;

-- name: listClients :many
SELECT sqlc.embed(c), t.last_at, coalesce(d.used, 0)::int AS used
FROM api_clients c JOIN api_turns t ON t.company_id = c.company_id AND t.client_id = c.id
LEFT JOIN api_days d ON d.company_id = c.company_id AND d.client_id = c.id
    AND d.day = (sqlc.arg(now)::timestamptz AT TIME ZONE (SELECT k.zone FROM companies k WHERE k.company_id = c.company_id))::date
WHERE c.company_id = @company_id AND c.id > sqlc.arg(after)::uuid AND (sqlc.narg(id)::uuid IS NULL OR c.id = sqlc.narg(id)::uuid)
ORDER BY c.id LIMIT @row_limit;

-- name: getClient :one
SELECT * FROM api_clients WHERE company_id = @company_id AND id = @id;

-- name: lockClient :one
SELECT * FROM api_clients WHERE company_id = @company_id AND id = @id FOR NO KEY UPDATE;

-- name: changeClient :exec
UPDATE api_clients SET name = @name, scopes = @scopes, connection_ids = @connection_ids, networks = @networks, lane = @lane,
    per_minute = @per_minute, per_day = @per_day, expires_at = sqlc.narg(expires_at), version = version + 1
WHERE company_id = @company_id AND id = @id;

-- name: setSecrets :exec
UPDATE api_clients SET sealed_secret = @sealed_secret, sealed_previous = @sealed_previous, previous_until = sqlc.narg(previous_until), version = version + 1
WHERE company_id = @company_id AND id = @id;

-- name: revoke :exec
UPDATE api_clients SET revoked_at = sqlc.arg(now)::timestamptz, sealed_secret = '', sealed_previous = '', previous_until = NULL, version = version + 1
WHERE company_id = @company_id AND id = @id;

-- name: countConnections :one
SELECT count(*)::int FROM connections WHERE company_id = @company_id AND id = ANY(sqlc.arg(connections)::uuid[]) AND deleted_at IS NULL;

-- name: takeTurn :one
-- Puts the client's calls in one order, until the transaction ends.
SELECT calls FROM api_turns WHERE company_id = @company_id AND client_id = @client_id FOR UPDATE;

-- name: minute :many
-- The first call of the last minute that was let in, if any. The clock is the database's: two servers share one minute.
SELECT number, extract(epoch FROM at + interval '1 minute' - clock_timestamp())::float8 AS leaves_in FROM api_calls
WHERE company_id = @company_id AND client_id = @client_id AND number > 0 AND at > clock_timestamp() - interval '1 minute'
ORDER BY at, number LIMIT 1;

-- name: noteCall :execrows
INSERT INTO api_calls (company_id, client_id, nonce, at, number) VALUES (@company_id, @client_id, @nonce, clock_timestamp(), @number)
ON CONFLICT (company_id, client_id, nonce) DO NOTHING;

-- name: letIn :exec
UPDATE api_turns SET calls = @calls, last_at = clock_timestamp() WHERE company_id = @company_id AND client_id = @client_id;

-- name: forgetCalls :exec
-- Eleven minutes: a call may be dated five minutes ahead and is fresh for five minutes after that.
DELETE FROM api_calls WHERE company_id = @company_id AND client_id = @client_id AND at < clock_timestamp() - interval '11 minutes';

-- name: spend :execrows
INSERT INTO api_days AS d (company_id, client_id, day, used)
SELECT c.company_id, c.id, (sqlc.arg(now)::timestamptz AT TIME ZONE k.zone)::date, 1
FROM api_clients c JOIN companies k ON k.company_id = c.company_id WHERE c.company_id = @company_id AND c.id = @client_id
ON CONFLICT (company_id, client_id, day) DO UPDATE SET used = d.used + 1 WHERE d.used < sqlc.arg(most)::int;

-- name: nextDay :one
-- When the company's next calendar day begins.
SELECT (((sqlc.arg(now)::timestamptz AT TIME ZONE zone)::date + 1)::timestamp AT TIME ZONE zone)::timestamptz AS at FROM companies WHERE company_id = @company_id;

-- name: messageOf :one
SELECT message_id, fingerprint FROM api_messages WHERE company_id = @company_id AND client_id = @client_id AND key = @key;

-- name: keepMessage :execrows
INSERT INTO api_messages (company_id, client_id, key, fingerprint, message_id) VALUES (@company_id, @client_id, @key, @fingerprint, @message_id)
ON CONFLICT (company_id, client_id, key) DO NOTHING;

-- name: keyOf :one
SELECT key FROM api_messages WHERE company_id = @company_id AND client_id = @client_id AND message_id = @message_id;
