-- name: AppendWake :exec
INSERT INTO wakes (company_id, workflow, subject_id, urgent) VALUES ($1, $2, $3, $4);

-- name: PendingWakes :many
-- A sender whose page is live looks by itself; its wakes stay until the page has ended.
SELECT w.id, w.company_id, w.workflow, w.subject_id, w.urgent
FROM wakes w
WHERE NOT (w.workflow = 'sender' AND NOT w.urgent AND EXISTS (
    SELECT FROM scopes s WHERE s.company_id = w.company_id AND s.connection_id = w.subject_id AND s.page_live_until > now()))
ORDER BY w.id
LIMIT $1;

-- name: DeleteWakes :exec
DELETE FROM wakes WHERE id = ANY($1::bigint[]);
