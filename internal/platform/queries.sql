-- name: publicURL :one
SELECT public_url FROM platform;

-- name: setPublicURL :exec
UPDATE platform SET public_url = @public_url WHERE public_url <> @public_url;

-- name: openDrain :one
SELECT d.began_at, coalesce(u.name, '')::text AS by_name FROM drains d LEFT JOIN users u ON u.id = d.began_by WHERE d.ended_at IS NULL;

-- name: drain :execrows
INSERT INTO drains (began_at, began_by) VALUES (clock_timestamp(), @by) ON CONFLICT DO NOTHING;

-- name: resume :execrows
UPDATE drains SET ended_at = clock_timestamp(), ended_by = sqlc.arg(by)::uuid WHERE ended_at IS NULL;

-- name: busyCompanies :many
-- Which companies may have a message on the wire: something was claimed lately. A claim is settled within minutes.
SELECT DISTINCT company_id FROM scopes WHERE last_instant > sqlc.arg(since)::timestamptz;

-- name: inFlight :many
SELECT m.connection_id, c.name, count(*)::int AS messages, min(m.claimed_at)::timestamptz AS oldest FROM messages m
JOIN connections c ON c.company_id = m.company_id AND c.id = m.connection_id
WHERE m.company_id = @company_id AND m.state = 1 GROUP BY 1, 2 ORDER BY 2;

-- name: figures :one
SELECT (SELECT count(*) FROM users u WHERE u.company_id = sqlc.arg(company_id)::uuid AND u.disabled_at IS NULL)::int AS people,
    (SELECT count(*) FROM connections c WHERE c.company_id = sqlc.arg(company_id)::uuid AND c.deleted_at IS NULL)::int AS connections,
    (SELECT coalesce(sum(t.sent), 0) FROM traffic t WHERE t.company_id = sqlc.arg(company_id)::uuid AND t.at > sqlc.arg(since)::timestamptz)::bigint AS sent,
    (SELECT coalesce(max(s.last_seen_at), 'epoch') FROM sessions s WHERE s.company_id = sqlc.arg(company_id)::uuid)::timestamptz AS last_seen;

-- name: stamp :exec
INSERT INTO processes (id, kind, host, version, started_at, seen_at) VALUES (@id, @kind, @host, @version, clock_timestamp(), clock_timestamp())
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at;

-- name: leave :exec
DELETE FROM processes WHERE id = @id OR seen_at < clock_timestamp() - interval '1 day';

-- name: processes :many
SELECT id, kind, host, version, started_at, seen_at FROM processes WHERE seen_at > clock_timestamp() - interval '2 minutes' ORDER BY kind, host, id;
