-- name: Note :execrows
-- Only a transaction that has written something has a number by now. A call that commits several of them is noted by
-- the first. What is done often to one subject is noted once in a while.
INSERT INTO audit (company_id, id, user_id, action, at, kind, address, request_id)
SELECT @company_id::uuid, @id::uuid, @user_id::uuid, @action::text, sqlc.arg(at)::timestamptz, @kind::text, @address::text, sqlc.narg(request_id)::uuid
WHERE (sqlc.arg(always)::boolean OR pg_current_xact_id_if_assigned() IS NOT NULL)
  AND NOT EXISTS (SELECT FROM audit_subjects s JOIN audit a ON a.company_id = s.company_id AND a.id = s.audit_id
      WHERE s.company_id = @company_id::uuid AND s.subject_id = sqlc.arg(often)::uuid AND s.audit_id >= sqlc.arg(lately)::uuid
        AND a.user_id = @user_id::uuid AND a.action = @action::text)
ON CONFLICT DO NOTHING;

-- name: InsertSubjects :exec
INSERT INTO audit_subjects (company_id, subject_id, audit_id)
SELECT DISTINCT @company_id::uuid, unnest(sqlc.arg(subjects)::uuid[]), @audit_id::uuid ON CONFLICT DO NOTHING;

-- name: Of :many
SELECT a.action, a.at, coalesce(u.name, '') AS by_name
FROM audit_subjects s
JOIN audit a ON a.company_id = s.company_id AND a.id = s.audit_id
LEFT JOIN users u ON u.id = a.user_id
WHERE s.company_id = @company_id AND s.subject_id = @subject_id
ORDER BY a.id;

-- name: List :many
-- Newest first. The nil id stands for everybody, an empty action for all.
SELECT a.id, a.user_id, coalesce(u.name, '') AS by_name, a.action, a.kind, a.address, a.request_id, a.at,
    (SELECT count(*) FROM audit_subjects s WHERE s.company_id = a.company_id AND s.audit_id = a.id)::int AS subjects,
    coalesce((SELECT s.subject_id FROM audit_subjects s WHERE s.company_id = a.company_id AND s.audit_id = a.id ORDER BY s.subject_id LIMIT 1),
        '00000000-0000-0000-0000-000000000000')::uuid AS subject_id
FROM audit a LEFT JOIN users u ON u.id = a.user_id
WHERE a.company_id = @company_id AND a.id < sqlc.arg(before)::uuid AND a.id >= sqlc.arg(since)::uuid
  AND (sqlc.arg(user_id)::uuid = '00000000-0000-0000-0000-000000000000' OR a.user_id = sqlc.arg(user_id)::uuid)
  AND (sqlc.arg(action)::text = '' OR a.action = sqlc.arg(action)::text)
ORDER BY a.id DESC LIMIT sqlc.arg(row_limit)::int;
