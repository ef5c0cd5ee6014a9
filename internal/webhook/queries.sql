-- What webhooks have said, as it came.

-- name: keep :exec
INSERT INTO raw_events (company_id, connection_id, id, kind, state, reason, stray, sealed)
SELECT @company_id, @connection_id, unnest(sqlc.arg(ids)::uuid[]), unnest(sqlc.arg(kinds)::text[]), unnest(sqlc.arg(states)::smallint[]),
    unnest(sqlc.arg(reasons)::text[]), unnest(sqlc.arg(strays)::boolean[]), unnest(sqlc.arg(sealed)::bytea[]);

-- name: listTaken :many
SELECT r.id, r.connection_id, coalesce(n.name, '')::text AS connection, r.kind, r.state, r.reason, r.stray, r.settled_at, length(r.sealed)::int AS size
FROM raw_events r LEFT JOIN connections n ON n.company_id = r.company_id AND n.id = r.connection_id
WHERE r.company_id = @company_id AND r.id < sqlc.arg(before)::uuid AND r.id >= sqlc.arg(since)::uuid AND r.state = 0
ORDER BY r.id DESC LIMIT @row_limit;

-- name: listNotable :many
-- Those that were parked once, by their own index.
SELECT r.id, r.connection_id, coalesce(n.name, '')::text AS connection, r.kind, r.state, r.reason, r.stray, r.settled_at, length(r.sealed)::int AS size
FROM raw_events r LEFT JOIN connections n ON n.company_id = r.company_id AND n.id = r.connection_id
WHERE r.company_id = @company_id AND r.id < sqlc.arg(before)::uuid AND r.id >= sqlc.arg(since)::uuid AND r.state = @state AND r.state > 0
ORDER BY r.id DESC LIMIT @row_limit;

-- name: countParked :one
SELECT count(*)::int FROM (SELECT FROM raw_events r
    WHERE r.company_id = @company_id AND r.id >= sqlc.arg(since)::uuid AND r.state = 1 AND r.state > 0 LIMIT @most) p;

-- name: get :one
SELECT * FROM raw_events WHERE company_id = @company_id AND id = @id;

-- name: lock :one
SELECT * FROM raw_events WHERE company_id = @company_id AND id = @id FOR UPDATE;

-- name: settle :exec
UPDATE raw_events SET state = @state, reason = @reason, settled_at = sqlc.narg(settled_at) WHERE company_id = @company_id AND id = @id;

-- name: discard :execrows
UPDATE raw_events SET state = 3, settled_at = @settled_at
WHERE company_id = @company_id AND id = ANY(sqlc.arg(ids)::uuid[]) AND id >= sqlc.arg(low)::uuid AND id <= sqlc.arg(high)::uuid AND state = 1;
