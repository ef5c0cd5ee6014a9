-- Companies, users and sessions. Before a company is known, these run as the system role.

-- name: insertCompany :exec
INSERT INTO companies (company_id, name, zone, demo) VALUES (@company_id, @name, @zone, @demo);

-- name: setWindow :execrows
-- As texts: 24:00 is the end of a day to Postgres, but not to arithmetic with times.
UPDATE companies SET window_from = sqlc.arg(window_from)::text::time, window_until = sqlc.arg(window_until)::text::time
WHERE company_id = @company_id;

-- name: getCompany :one
SELECT company_id, name, zone, demo,
    (CASE WHEN demo OR (setup ->> 'dismissed')::boolean THEN 'done' WHEN setup IS NULL THEN 'new' ELSE 'open' END)::text AS setup
FROM companies WHERE company_id = @company_id;

-- name: listCompanies :many
SELECT company_id, name, zone, demo,
    (CASE WHEN demo OR (setup ->> 'dismissed')::boolean THEN 'done' WHEN setup IS NULL THEN 'new' ELSE 'open' END)::text AS setup
FROM companies ORDER BY lower(name), company_id LIMIT 1000;

-- name: findDemoCompany :one
SELECT company_id, name, zone, demo,
    (CASE WHEN demo OR (setup ->> 'dismissed')::boolean THEN 'done' WHEN setup IS NULL THEN 'new' ELSE 'open' END)::text AS setup
FROM companies WHERE demo ORDER BY company_id LIMIT 1;

-- name: insertUser :exec
INSERT INTO users (id, company_id, email, name, role, password_hash, must_change_password, verified_at)
VALUES (@id, @company_id, @email, @name, @role, @password_hash, @must_change_password, CASE WHEN sqlc.arg(unverified)::boolean THEN NULL ELSE now() END);

-- name: findUserByEmail :one
SELECT id, company_id, email, name, role, password_hash, must_change_password, disabled_at FROM users WHERE email = @email AND removed_at IS NULL;

-- name: getUserPassword :one
SELECT password_hash FROM users WHERE id = @id AND disabled_at IS NULL;

-- name: setPassword :execrows
UPDATE users SET password_hash = @password_hash, must_change_password = false
WHERE id = @id AND disabled_at IS NULL AND password_hash = @old_hash;

-- name: countSuperadmins :one
SELECT count(*) FROM users WHERE role = 'superadmin' AND removed_at IS NULL;

-- name: lockBootstrap :exec
SELECT pg_advisory_xact_lock(hashtext('omnidesk bootstrap'));

-- name: insertSession :exec
INSERT INTO sessions (id, user_id, company_id, created_at, last_seen_at, expires_at, user_agent, network)
VALUES (@id, @user_id, @company_id, @now, @now, @expires_at, @user_agent, @network);

-- Everything a request needs to know about who sends it, in one statement. The instant of the last request is
-- kept to the minute only, so that reading does not write a row each time.
-- name: authenticate :one
WITH found AS (
    SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id AND u.disabled_at IS NULL
    WHERE s.id = @session_id AND s.user_id = @user_id AND s.revoked_at IS NULL AND s.expires_at > @now
      AND s.last_seen_at > CASE WHEN u.role = 'user' THEN sqlc.arg(idle_since)::timestamptz ELSE sqlc.arg(admin_idle_since)::timestamptz END
), seen AS (
    UPDATE sessions SET last_seen_at = @now
    WHERE sessions.id = (SELECT id FROM found) AND sessions.last_seen_at < @seen_before
)
SELECT s.id AS session_id, s.company_id, s.expires_at, s.network,
       u.id AS user_id, u.company_id AS home_company_id, u.email, u.name, u.role, u.must_change_password, (u.verified_at IS NOT NULL)::boolean AS verified,
       c.name AS company_name, c.zone AS company_zone, c.demo AS company_demo,
       (CASE WHEN c.demo OR (c.setup ->> 'dismissed')::boolean THEN 'done' WHEN c.setup IS NULL THEN 'new' ELSE 'open' END)::text AS company_setup,
       ARRAY(SELECT m.department_id FROM department_members m WHERE m.company_id = u.company_id AND m.user_id = u.id)::uuid[] AS departments
FROM found JOIN sessions s ON s.id = found.id JOIN users u ON u.id = s.user_id
LEFT JOIN companies c ON c.company_id = s.company_id;

-- Which of these sessions are still good: asked for open websockets.
-- name: liveSessions :many
SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id AND u.disabled_at IS NULL
WHERE s.id = ANY(@ids::uuid[]) AND s.revoked_at IS NULL AND s.expires_at > @now;

-- name: revokeSession :exec
UPDATE sessions SET revoked_at = @now WHERE id = @id AND revoked_at IS NULL;

-- name: revokeSessionsOf :exec
UPDATE sessions SET revoked_at = @now WHERE user_id = @user_id AND revoked_at IS NULL;

-- name: listSessions :many
SELECT id, created_at, last_seen_at, expires_at, user_agent, network FROM sessions
WHERE user_id = @user_id AND revoked_at IS NULL AND expires_at > @now AND last_seen_at > @idle_since
ORDER BY last_seen_at DESC, id LIMIT 100;

-- name: endOwnSession :execrows
UPDATE sessions SET revoked_at = @now WHERE id = @id AND user_id = @user_id AND revoked_at IS NULL;

-- name: endOtherSessions :many
UPDATE sessions SET revoked_at = @now WHERE user_id = @user_id AND id <> @id AND revoked_at IS NULL RETURNING id;

-- What a company's admin sets. Under the role of one company.

-- name: getSettings :one
SELECT name, zone, to_char(window_from, 'HH24:MI')::text AS window_from, to_char(window_until, 'HH24:MI')::text AS window_until
FROM companies WHERE company_id = @company_id;

-- name: putSettings :execrows
UPDATE companies SET name = @name, zone = @zone, window_from = sqlc.arg(window_from)::text::time, window_until = sqlc.arg(window_until)::text::time,
    setup = coalesce(setup, '{}') || '{"confirmed": true}'
WHERE company_id = @company_id;

-- name: putSetup :exec
UPDATE companies SET setup = coalesce(setup, '{}') || sqlc.arg(said)::jsonb WHERE company_id = @company_id;

-- name: getSetup :one
-- What people said, and what the rows say. One contact may be no more than the phone of a test message.
SELECT coalesce(c.setup, '{}')::jsonb AS said,
    EXISTS (SELECT FROM connections n WHERE n.company_id = c.company_id AND n.deleted_at IS NULL) AS connected,
    (EXISTS (SELECT FROM imports i WHERE i.company_id = c.company_id AND i.state = 'finished')
        OR EXISTS (SELECT FROM contacts k WHERE k.company_id = c.company_id OFFSET 1))::boolean AS imported,
    EXISTS (SELECT FROM messages m WHERE m.company_id = c.company_id AND m.campaign_id IS NULL AND m.state IN (2, 4, 5)) AS tested,
    EXISTS (SELECT FROM campaigns g WHERE g.company_id = c.company_id AND g.state <> 'draft') AS started
FROM companies c WHERE c.company_id = @company_id;

-- name: markOnce :execrows
INSERT INTO once (name) VALUES (@name) ON CONFLICT DO NOTHING;

-- name: deleteDemoRows :one
SELECT delete_demo_rows(@demo, @most) AS deleted;

-- name: dropDemoCompany :exec
SELECT drop_demo_company(@demo, sqlc.narg(heir), @fresh);
