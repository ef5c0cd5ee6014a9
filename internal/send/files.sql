-- name: holdQueued :execrows
UPDATE messages SET retry_at = @retry_at WHERE company_id = @company_id AND id = @id AND state = 0;

-- name: releaseQueued :execrows
UPDATE messages SET retry_at = NULL, content = jsonb_set(content::jsonb, '{file,provider_id}', to_jsonb(sqlc.arg(provider_id)::text))::text
WHERE company_id = @company_id AND id = @id AND state = 0;

-- name: dropQueued :execrows
UPDATE messages SET state = 3, ended_at = sqlc.arg(now)::timestamptz, retry_at = NULL, error_detail = sqlc.arg(detail)::text
WHERE company_id = @company_id AND id = @id AND state = 0;
