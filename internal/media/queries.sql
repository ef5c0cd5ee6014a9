-- name: fileOfHash :one
SELECT * FROM media WHERE company_id = @company_id AND sha256 = @sha256;

-- name: usage :one
-- Bytes that a company's files take.
SELECT coalesce(sum(size), 0)::bigint FROM media WHERE company_id = @company_id;

-- name: insertFile :exec
INSERT INTO media (company_id, id, sha256, size, type, width, height) VALUES (@company_id, @id, @sha256, @size, @type, @width, @height)
ON CONFLICT (company_id, sha256) DO NOTHING;

-- name: getFile :one
-- Who may see a file: all people of the company as long as no message holds it, then those who may see one of its messages.
SELECT m.* FROM media m
WHERE m.company_id = @company_id AND m.id = @id AND (
    NOT EXISTS (SELECT FROM media_transfers t WHERE t.company_id = m.company_id AND t.media_id = m.id)
    OR EXISTS (SELECT FROM media_transfers t
        JOIN connections n ON n.company_id = t.company_id AND n.id = t.connection_id AND in_sight(n.department_id, sqlc.narg(departments)::uuid[])
        WHERE t.company_id = m.company_id AND t.media_id = m.id));

-- name: expect :exec
-- What has been noted before stays as it is.
INSERT INTO media_transfers (company_id, message_id, connection_id, outbound, provider_id, sha256, retry_at, gives_up_at)
SELECT @company_id, n.message_id, @connection_id, false, n.provider_id, n.sha256, @now, @gives_up_at
FROM (SELECT unnest(sqlc.arg(messages)::uuid[]) AS message_id, unnest(sqlc.arg(provider_ids)::text[]) AS provider_id, unnest(sqlc.arg(hashes)::text[]) AS sha256) n
ON CONFLICT (company_id, message_id) DO NOTHING;

-- name: handOver :exec
INSERT INTO media_transfers (company_id, message_id, connection_id, outbound, media_id, retry_at, gives_up_at)
VALUES (@company_id, @message_id, @connection_id, true, @media_id, @now, @gives_up_at);

-- name: nextTransfer :one
-- The one that has waited longest; whoever else drains the connection passes it over.
SELECT * FROM media_transfers
WHERE company_id = @company_id AND connection_id = @connection_id AND state = 'pending' AND retry_at <= @now
ORDER BY retry_at LIMIT 1;

-- name: nextRetry :one
SELECT min(retry_at)::timestamptz FROM media_transfers WHERE company_id = @company_id AND connection_id = @connection_id AND state = 'pending' HAVING count(*) > 0;

-- name: handedBefore :one
-- Where a file lies at the provider already.
SELECT provider_id FROM media_transfers
WHERE company_id = @company_id AND connection_id = @connection_id AND media_id = sqlc.arg(media_id)::uuid AND outbound AND state = 'done' AND done_at > sqlc.arg(since)::timestamptz
ORDER BY done_at DESC LIMIT 1;

-- name: doneTransfer :execrows
UPDATE media_transfers SET state = 'done', media_id = sqlc.arg(media_id)::uuid, provider_id = @provider_id, done_at = @now, detail = @detail
WHERE company_id = @company_id AND message_id = @message_id AND state = 'pending';

-- name: postponeTransfer :execrows
UPDATE media_transfers SET attempts = attempts + 1, retry_at = @retry_at, detail = @detail, state = @state
WHERE company_id = @company_id AND message_id = @message_id AND state = 'pending';

-- name: tryAgain :one
UPDATE media_transfers SET state = 'pending', attempts = 0, retry_at = @now, gives_up_at = @gives_up_at, detail = ''
WHERE company_id = @company_id AND message_id = @message_id AND state = 'failed' AND NOT outbound
RETURNING connection_id;

-- name: transfersOf :many
SELECT t.message_id, t.state, t.detail, m.id, m.type, m.size, m.width, m.height FROM media_transfers t
LEFT JOIN media m ON m.company_id = t.company_id AND m.id = t.media_id
WHERE t.company_id = @company_id AND t.message_id = ANY(sqlc.arg(messages)::uuid[]);
