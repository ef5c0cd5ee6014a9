-- name: EndOthers :exec
UPDATE waits SET ended_at = @now::timestamptz
WHERE company_id = @company_id AND subject_id = @subject_id AND ended_at IS NULL AND reason <> @reason;

-- name: Begin :exec
INSERT INTO waits (company_id, subject_id, reason, began_at, until_at)
VALUES (@company_id, @subject_id, @reason, @now::timestamptz, sqlc.narg(until)::timestamptz)
ON CONFLICT (company_id, subject_id) WHERE ended_at IS NULL DO UPDATE SET until_at = excluded.until_at;

-- name: Away :exec
-- An absence begins after the one before it has ended.
INSERT INTO absences (part, began_at)
SELECT @part, greatest(@began_at::timestamptz, (SELECT max(ended_at) + interval '1 microsecond' FROM absences WHERE part = @part))
WHERE NOT EXISTS (SELECT FROM absences WHERE part = @part AND ended_at IS NULL)
ON CONFLICT DO NOTHING;

-- name: Back :execrows
UPDATE absences SET ended_at = greatest(began_at, @now::timestamptz) WHERE part = @part AND ended_at IS NULL;

-- name: Missing :many
SELECT part, began_at FROM absences WHERE ended_at IS NULL ORDER BY part;
