-- name: AppendWake :exec
INSERT INTO wakes (company_id, workflow, subject_id, urgent) VALUES ($1, $2, $3, $4);

-- name: PendingWakes :many
-- A sender whose page is live looks by itself; its wakes stay until the page has ended. The same is true of urgent wakes
-- and the urgent run, but a page is no reason to hold an urgent wake back.
SELECT w.id, w.company_id, w.workflow, w.subject_id, w.urgent
FROM wakes w
WHERE NOT (w.workflow = 'sender' AND EXISTS (
    SELECT FROM scopes s WHERE s.company_id = w.company_id AND s.connection_id = w.subject_id
        AND CASE WHEN w.urgent THEN s.urgent_live_until ELSE s.page_live_until END > now()))
ORDER BY w.id
LIMIT $1;

-- name: DeleteWakes :exec
DELETE FROM wakes WHERE id = ANY($1::bigint[]);

-- name: Oldest :one
-- The oldest wake and how many there are, up to 10,000.
SELECT count(*)::int AS waiting, min(w.created_at)::timestamptz AS oldest FROM (SELECT created_at FROM wakes ORDER BY id LIMIT 10000) w
HAVING count(*) > 0;

-- name: AppendSenders :exec
-- Of all companies.
INSERT INTO wakes (company_id, workflow, subject_id) SELECT company_id, 'sender', connection_id FROM scopes;
