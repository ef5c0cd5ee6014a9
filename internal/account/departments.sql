-- Departments of a company and who is in them. Under the role of one company.

-- name: insertDepartment :exec
INSERT INTO departments (company_id, id, name, created_at) VALUES (@company_id, @id, @name, @now);

-- name: countDepartments :one
SELECT count(*) FROM departments WHERE company_id = @company_id AND deleted_at IS NULL;

-- name: listDepartments :many
SELECT d.id, d.name,
    ARRAY(SELECT m.user_id FROM department_members m JOIN users u ON u.company_id = m.company_id AND u.id = m.user_id AND u.removed_at IS NULL
        WHERE m.company_id = d.company_id AND m.department_id = d.id ORDER BY m.user_id)::uuid[] AS members
FROM departments d WHERE d.company_id = @company_id AND d.deleted_at IS NULL ORDER BY lower(d.name), d.id;

-- name: departmentConnections :many
-- Those that are not deleted, by their departments.
SELECT id, name, department_id FROM connections
WHERE company_id = @company_id AND department_id IS NOT NULL AND deleted_at IS NULL
  AND (sqlc.narg(department_id)::uuid IS NULL OR department_id = sqlc.narg(department_id)::uuid)
ORDER BY id;

-- name: renameDepartment :execrows
UPDATE departments SET name = @name WHERE company_id = @company_id AND id = @id AND deleted_at IS NULL;

-- name: lockDepartment :one
SELECT id FROM departments WHERE company_id = @company_id AND id = @id AND deleted_at IS NULL FOR UPDATE;

-- name: buryDepartment :exec
UPDATE departments SET deleted_at = @now WHERE company_id = @company_id AND id = @id;

-- name: emptyDepartment :exec
DELETE FROM department_members WHERE company_id = @company_id AND department_id = @department_id;

-- name: leaveDepartments :exec
DELETE FROM department_members WHERE company_id = @company_id AND user_id = @user_id;

-- name: addMembers :execrows
INSERT INTO department_members (company_id, user_id, department_id)
SELECT u.company_id, u.id, sqlc.arg(department_id)::uuid FROM users u
WHERE u.company_id = sqlc.arg(company_id)::uuid AND u.id = ANY(sqlc.arg(people)::uuid[]) AND u.removed_at IS NULL;
