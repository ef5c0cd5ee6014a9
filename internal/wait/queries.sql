-- name: EndOthers :exec
UPDATE waits SET ended_at = @now::timestamptz
WHERE company_id = @company_id AND subject_id = @subject_id AND ended_at IS NULL AND reason <> @reason;

-- name: Begin :exec
INSERT INTO waits (company_id, subject_id, reason, began_at, until_at)
VALUES (@company_id, @subject_id, @reason, @now::timestamptz, sqlc.narg(until)::timestamptz)
ON CONFLICT (company_id, subject_id) WHERE ended_at IS NULL DO UPDATE SET until_at = excluded.until_at;
