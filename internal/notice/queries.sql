-- name: add :one
-- again tells that this is no news: the hour has a notice of it.
INSERT INTO notices AS n (company_id, id, kind, about, subject_id, hour, at, count)
VALUES (@company_id, @id, @kind, @about, @subject_id, date_bin('1 hour', sqlc.arg(now)::timestamptz, 'epoch'), sqlc.arg(now)::timestamptz, @count)
ON CONFLICT (company_id, kind, subject_id, hour) DO UPDATE SET count = n.count + excluded.count
RETURNING (n.id <> @id)::boolean AS again;

-- name: forget :exec
DELETE FROM notices WHERE company_id = @company_id AND id < sqlc.arg(before)::uuid;

-- name: mailed :many
-- Whom a kind is mailed to: the admins who have switched it so, or not switched it where it is mailed by default; and of
-- the users who see the connection that it is about, those who have switched it so.
SELECT u.id FROM users u LEFT JOIN notice_switches w ON w.company_id = u.company_id AND w.user_id = u.id AND w.kind = @kind
WHERE u.company_id = sqlc.arg(company_id)::uuid AND u.disabled_at IS NULL AND u.verified_at IS NOT NULL
  AND CASE WHEN u.role = 'admin' THEN coalesce(w.mail, sqlc.arg(by_default)::boolean)
    ELSE coalesce(w.mail, false) AND sqlc.arg(about)::text = 'connection' AND EXISTS (SELECT FROM connections c
        WHERE c.company_id = u.company_id AND c.id = sqlc.arg(subject_id)::uuid
          AND in_sight(c.department_id, ARRAY(SELECT d.department_id FROM department_members d WHERE d.company_id = u.company_id AND d.user_id = u.id))) END;

-- name: list :many
-- The newest first. What a person has switched off does not exist for them.
SELECT n.id, n.kind, n.about, n.subject_id, n.at, n.count, coalesce(k.name, c.name, '')::text AS name,
    (r.notice_id IS NOT NULL)::boolean AS read,
    (CASE n.kind WHEN 'campaign_paused' THEN coalesce(k.state = 'paused', false)
        WHEN 'connection_lost' THEN CASE n.about WHEN 'company' THEN h.found_at IS NOT NULL
            ELSE coalesce(s.probing OR s.held_until > sqlc.arg(now)::timestamptz, false) END
        WHEN 'connection_warned' THEN coalesce(c.alert <> '', false) WHEN 'connection_silent' THEN c.silent_since IS NOT NULL ELSE false END)::boolean AS lasts,
    coalesce(CASE n.kind WHEN 'campaign_paused' THEN k.state_detail WHEN 'connection_warned' THEN c.alert WHEN 'connection_lost' THEN coalesce(h.reason, s.held_reason) END, '')::text AS detail
FROM notices n
LEFT JOIN notice_reads r ON r.company_id = n.company_id AND r.user_id = @user_id AND r.notice_id = n.id
LEFT JOIN campaigns k ON n.about = 'campaign' AND k.company_id = n.company_id AND k.id = n.subject_id
LEFT JOIN connections c ON n.about = 'connection' AND c.company_id = n.company_id AND c.id = n.subject_id
LEFT JOIN scopes s ON n.about = 'connection' AND s.company_id = n.company_id AND s.connection_id = n.subject_id
LEFT JOIN restore_holds h ON n.about = 'company' AND h.company_id = n.company_id AND h.released_at IS NULL
WHERE n.company_id = @company_id AND n.id < sqlc.arg(before)::uuid AND n.id >= sqlc.arg(since)::uuid AND n.kind = ANY(sqlc.arg(kinds)::text[])
  AND (sqlc.narg(departments)::uuid[] IS NULL OR (c.id IS NOT NULL AND in_sight(c.department_id, sqlc.narg(departments)::uuid[])))
ORDER BY n.id DESC LIMIT @row_limit;

-- name: unread :one
-- What was before a person came is no news to them.
SELECT count(*)::int FROM (
    SELECT FROM notices n LEFT JOIN connections c ON n.about = 'connection' AND c.company_id = n.company_id AND c.id = n.subject_id
    WHERE n.company_id = @company_id AND (sqlc.narg(departments)::uuid[] IS NULL OR (c.id IS NOT NULL AND in_sight(c.department_id, sqlc.narg(departments)::uuid[])))
      AND n.kind = ANY(sqlc.arg(kinds)::text[]) AND n.id >= sqlc.arg(since)::uuid
      AND n.at >= coalesce((SELECT u.created_at FROM users u WHERE u.id = @user_id), 'epoch')
      AND NOT EXISTS (SELECT FROM notice_reads r WHERE r.company_id = @company_id AND r.user_id = @user_id AND r.notice_id = n.id)
    LIMIT @most) AS found;

-- name: exists :one
SELECT EXISTS (SELECT FROM notices n LEFT JOIN connections c ON n.about = 'connection' AND c.company_id = n.company_id AND c.id = n.subject_id
    WHERE n.company_id = @company_id AND n.id = @id
      AND (sqlc.narg(departments)::uuid[] IS NULL OR (c.id IS NOT NULL AND in_sight(c.department_id, sqlc.narg(departments)::uuid[]))));

-- name: read :exec
INSERT INTO notice_reads (company_id, user_id, notice_id) VALUES (@company_id, @user_id, @notice_id) ON CONFLICT DO NOTHING;

-- name: readAll :exec
-- What the person has seen: notices that are committed, up to the newest of their list.
INSERT INTO notice_reads (company_id, user_id, notice_id)
SELECT n.company_id, @user_id, n.id FROM notices n WHERE n.company_id = @company_id AND n.id <= sqlc.arg(through)::uuid
ON CONFLICT DO NOTHING;

-- name: switches :many
SELECT kind, bell, mail FROM notice_switches WHERE company_id = @company_id AND user_id = @user_id;

-- name: putSwitch :exec
INSERT INTO notice_switches (company_id, user_id, kind, bell, mail) VALUES (@company_id, @user_id, @kind, @bell, @mail)
ON CONFLICT (company_id, user_id, kind) DO UPDATE SET bell = excluded.bell, mail = excluded.mail;

-- name: mailedThrough :exec
INSERT INTO notice_marks AS m (company_id, user_id, mailed_through, mailed_at) VALUES (@company_id, @user_id, sqlc.arg(through)::uuid, sqlc.narg(mailed_at))
ON CONFLICT (company_id, user_id) DO UPDATE SET mailed_through = greatest(m.mailed_through, excluded.mailed_through), mailed_at = coalesce(excluded.mailed_at, m.mailed_at);

-- name: reader :one
-- Who gets a digest, and how far it has come; none who may not, or whose address is not proven.
SELECT u.email, u.name, u.role, ARRAY(SELECT d.department_id FROM department_members d WHERE d.company_id = u.company_id AND d.user_id = u.id)::uuid[] AS departments, c.name AS company, coalesce(m.mailed_through, '00000000-0000-0000-0000-000000000000')::uuid AS mailed_through, m.mailed_at
FROM users u JOIN companies c ON c.company_id = u.company_id LEFT JOIN notice_marks m ON m.company_id = u.company_id AND m.user_id = u.id
WHERE u.company_id = sqlc.arg(company_id)::uuid AND u.id = @user_id AND u.disabled_at IS NULL AND u.verified_at IS NOT NULL;
