-- People of a company, invitations, links of mails, and mails to be sent.

-- name: insertMail :exec
INSERT INTO mails (id, company_id, kind, email, subject_id, base, created_at)
VALUES (@id, sqlc.narg(company_id), @kind, @email, sqlc.narg(subject_id), @base, @now);

-- name: getMail :one
SELECT id, company_id, kind, email, subject_id, base, created_at FROM mails WHERE id = @id;

-- name: deleteMail :exec
DELETE FROM mails WHERE id = @id;

-- name: mailUser :one
-- Whom a mail is about: by id, or whoever has the address.
SELECT u.id, u.company_id, u.email, u.name, u.verified_at, coalesce(c.name, '')::text AS company_name
FROM users u LEFT JOIN companies c ON c.company_id = u.company_id
WHERE u.disabled_at IS NULL AND CASE WHEN sqlc.narg(id)::uuid IS NULL THEN u.email = @email ELSE u.id = sqlc.narg(id)::uuid END;

-- name: mailInvitation :one
SELECT i.company_id, i.id, i.email, i.role, i.expires_at, i.accepted_at, i.revoked_at, c.name AS company_name, coalesce(u.name, '')::text AS inviter
FROM invitations i JOIN companies c ON c.company_id = i.company_id LEFT JOIN users u ON u.id = i.invited_by AND u.company_id = i.company_id
WHERE i.id = @id AND i.company_id = @company_id;

-- name: insertToken :exec
INSERT INTO tokens (hash, purpose, company_id, user_id, invitation_id, email, created_at, expires_at)
VALUES (@hash, @purpose, sqlc.narg(company_id), sqlc.narg(user_id), sqlc.narg(invitation_id), @email, @now, @expires_at);

-- name: recentTokens :one
SELECT count(*) FROM tokens WHERE purpose = @purpose AND created_at > @since
  AND (user_id = sqlc.narg(user_id) OR (company_id = sqlc.narg(company_id) AND invitation_id = sqlc.narg(invitation_id)));

-- name: forgetTokens :exec
DELETE FROM tokens WHERE expires_at < @before;

-- name: takeToken :one
SELECT purpose, company_id, user_id, invitation_id, email, expires_at, used_at FROM tokens WHERE hash = @hash FOR UPDATE;

-- name: useTokens :exec
-- One that was used takes the others of its purpose along.
UPDATE tokens SET used_at = @now WHERE used_at IS NULL AND purpose = @purpose
  AND (user_id = sqlc.narg(user_id) OR (company_id = sqlc.narg(company_id) AND invitation_id = sqlc.narg(invitation_id)));

-- name: verifyUser :execrows
UPDATE users SET verified_at = coalesce(verified_at, sqlc.arg(now)::timestamptz) WHERE id = @id AND disabled_at IS NULL;

-- name: resetPassword :execrows
UPDATE users SET password_hash = @password_hash, must_change_password = false, verified_at = coalesce(verified_at, sqlc.arg(now)::timestamptz)
WHERE id = @id AND disabled_at IS NULL;

-- name: changeEmail :execrows
UPDATE users SET email = @email WHERE id = @id AND disabled_at IS NULL AND email = @old;

-- name: getUser :one
SELECT id, company_id, email, name, role FROM users WHERE id = @id AND disabled_at IS NULL;

-- name: insertInvitation :exec
INSERT INTO invitations (company_id, id, email, role, invited_by, created_at, expires_at)
VALUES (@company_id, @id, @email, @role, @invited_by, @now, @expires_at);

-- name: listInvitations :many
SELECT i.id, i.email, i.role, i.created_at, i.expires_at, coalesce(u.name, '')::text AS inviter
FROM invitations i LEFT JOIN users u ON u.id = i.invited_by AND u.company_id = i.company_id
WHERE i.company_id = @company_id AND i.accepted_at IS NULL AND i.revoked_at IS NULL
ORDER BY i.created_at DESC, i.id LIMIT 200;

-- name: revokeInvitation :execrows
UPDATE invitations SET revoked_at = @now WHERE company_id = @company_id AND id = @id AND accepted_at IS NULL AND revoked_at IS NULL;

-- name: renewInvitation :one
UPDATE invitations SET expires_at = @expires_at WHERE company_id = @company_id AND id = @id AND accepted_at IS NULL AND revoked_at IS NULL RETURNING email;

-- name: acceptInvitation :execrows
UPDATE invitations SET accepted_at = @now WHERE company_id = @company_id AND id = @id AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > @now;

-- name: listPeople :many
SELECT u.id, u.name, u.email, u.role, u.created_at, u.verified_at, u.disabled_at,
    coalesce(s.last_seen_at, 'epoch')::timestamptz AS last_seen_at -- epoch: never
FROM users u LEFT JOIN LATERAL (SELECT last_seen_at FROM sessions s WHERE s.user_id = u.id AND s.company_id = u.company_id
    ORDER BY s.last_seen_at DESC LIMIT 1) s ON true
WHERE u.company_id = @company_id AND u.removed_at IS NULL AND u.id > @after
ORDER BY u.id LIMIT @most;

-- name: lockCompany :exec
SELECT company_id FROM companies WHERE company_id = @company_id FOR UPDATE;

-- name: getPerson :one
SELECT id, role, verified_at, disabled_at FROM users WHERE company_id = @company_id AND id = @id AND removed_at IS NULL FOR UPDATE;

-- name: otherAdmins :one
SELECT count(*) FROM users WHERE company_id = @company_id AND id <> @id AND role = 'admin' AND disabled_at IS NULL AND verified_at IS NOT NULL;

-- name: changePerson :exec
UPDATE users SET role = @role, disabled_at = sqlc.narg(disabled_at), removed_at = sqlc.narg(removed_at) WHERE company_id = @company_id AND id = @id;

-- name: endSessionsOf :many
UPDATE sessions SET revoked_at = @now WHERE user_id = @user_id AND revoked_at IS NULL RETURNING id;

-- name: emailInCompany :one
SELECT EXISTS (SELECT FROM users WHERE company_id = @company_id AND email = @email AND removed_at IS NULL);

-- name: listSuperadmins :many
SELECT u.id, u.email, u.name, u.must_change_password, u.created_at, coalesce((SELECT max(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id), 'epoch')::timestamptz AS last_seen_at
FROM users u WHERE u.role = 'superadmin' AND u.disabled_at IS NULL ORDER BY u.created_at, u.id LIMIT 200;

-- name: removeSuperadmin :execrows
UPDATE users SET disabled_at = sqlc.arg(now)::timestamptz, removed_at = sqlc.arg(now)::timestamptz WHERE id = @id AND role = 'superadmin' AND disabled_at IS NULL;
