-- Templates as the provider has them, replaced as a set by each sync.

-- name: noteSync :exec
-- Also the lock that keeps two syncs of one connection apart. A failed one keeps the instant of the last good one.
INSERT INTO template_syncs (company_id, connection_id, synced_at, problem)
VALUES (@company_id, @connection_id, sqlc.narg(synced_at), @problem)
ON CONFLICT (company_id, connection_id) DO UPDATE
SET synced_at = coalesce(excluded.synced_at, template_syncs.synced_at), problem = excluded.problem;

-- name: put :exec
INSERT INTO templates (company_id, connection_id, name, language, provider_id, category, status, quality, rejected_reason,
                       components, body, parameters, unfit, synced_at)
SELECT @company_id, sqlc.arg(connection_id)::uuid, t.value ->> 'name', t.value ->> 'language', t.value ->> 'provider_id', t.value ->> 'category',
       t.value ->> 'status', t.value ->> 'quality', t.value ->> 'rejected_reason', t.value -> 'components', t.value ->> 'body',
       (t.value ->> 'parameters')::int, t.value ->> 'unfit', sqlc.arg(synced_at)::timestamptz
FROM jsonb_array_elements(sqlc.arg(templates)::jsonb) AS t(value)
ON CONFLICT (company_id, connection_id, name, language) DO UPDATE
SET provider_id = excluded.provider_id, category = excluded.category, status = excluded.status, quality = excluded.quality,
    rejected_reason = excluded.rejected_reason, components = excluded.components, body = excluded.body,
    parameters = excluded.parameters, unfit = excluded.unfit, synced_at = excluded.synced_at;

-- name: newlyRefused :one
-- How many of these templates the provider has refused or stopped since the last sync; none in a first one, which finds them so.
SELECT count(*)::int FROM jsonb_array_elements(sqlc.arg(templates)::jsonb) AS t(value)
LEFT JOIN templates o ON o.company_id = @company_id AND o.connection_id = sqlc.arg(connection_id)::uuid AND o.name = t.value ->> 'name' AND o.language = t.value ->> 'language'
WHERE upper(t.value ->> 'status') IN ('REJECTED', 'PAUSED', 'DISABLED') AND coalesce(upper(o.status), '') NOT IN ('REJECTED', 'PAUSED', 'DISABLED')
  AND EXISTS (SELECT FROM template_syncs y WHERE y.company_id = @company_id AND y.connection_id = sqlc.arg(connection_id)::uuid AND y.synced_at IS NOT NULL);

-- name: dropOlder :exec
-- What the provider no longer has.
DELETE FROM templates WHERE company_id = @company_id AND connection_id = @connection_id AND synced_at <> sqlc.arg(synced_at)::timestamptz;

-- name: list :many
SELECT t.* FROM templates t
JOIN connections n ON n.company_id = t.company_id AND n.id = t.connection_id AND in_sight(n.department_id, sqlc.narg(departments)::uuid[])
WHERE t.company_id = @company_id AND (sqlc.narg(connection_id)::uuid IS NULL OR t.connection_id = sqlc.narg(connection_id)::uuid)
  AND (t.connection_id, t.name, t.language) > (sqlc.arg(after_connection)::uuid, sqlc.arg(after_name)::text, sqlc.arg(after_language)::text)
ORDER BY t.connection_id, t.name, t.language LIMIT @row_limit;

-- name: syncs :many
SELECT n.id AS connection_id, y.synced_at, coalesce(y.problem, '')::text AS problem FROM connections n
LEFT JOIN template_syncs y ON y.company_id = n.company_id AND y.connection_id = n.id
WHERE n.company_id = @company_id AND in_sight(n.department_id, sqlc.narg(departments)::uuid[]) ORDER BY n.id;

-- name: refused :many
-- How many templates of each connection the provider has refused or stopped.
SELECT t.connection_id, n.name, count(*)::int AS count FROM templates t
JOIN connections n ON n.company_id = t.company_id AND n.id = t.connection_id AND n.deleted_at IS NULL
WHERE t.company_id = @company_id AND upper(t.status) IN ('REJECTED', 'PAUSED', 'DISABLED')
GROUP BY t.connection_id, n.name ORDER BY t.connection_id;

-- name: find :one
SELECT * FROM templates WHERE company_id = @company_id AND connection_id = @connection_id AND name = @name AND language = @language;
