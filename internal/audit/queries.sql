-- name: Insert :exec
INSERT INTO audit (company_id, id, user_id, action, at) VALUES (@company_id, @id, @user_id, @action, @at);

-- name: InsertSubjects :exec
INSERT INTO audit_subjects (company_id, subject_id, audit_id)
SELECT @company_id, unnest(sqlc.arg(subjects)::uuid[]), sqlc.arg(audit_id)::uuid
ON CONFLICT DO NOTHING;

-- name: About :many
SELECT a.action, a.at, coalesce(u.name, '') AS by_name
FROM audit_subjects s
JOIN audit a ON a.company_id = s.company_id AND a.id = s.audit_id
LEFT JOIN users u ON u.id = a.user_id
WHERE s.company_id = @company_id AND s.subject_id = @subject_id
ORDER BY a.id;
