-- Where databases are in their history, and what is on hold because one has gone back.

-- name: Now :one
-- Where this database is. The log's position is one that is on disk, so that a crash can't take it back.
SELECT (pg_control_system()).system_identifier::text AS system, left(pg_walfile_name(pg_current_wal_flush_lsn()), 8)::text AS timeline,
    pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint AS lsn, clock_timestamp()::timestamptz AS at;

-- name: KeepCommit :exec
-- A mark that a crash may take back would look like a restore.
SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true);

-- name: Stamp :one
INSERT INTO positions AS p (witness, mark, at) VALUES (@witness, 1, clock_timestamp())
ON CONFLICT (witness) DO UPDATE SET mark = p.mark + 1, at = EXCLUDED.at
RETURNING mark;

-- name: MarkOf :one
SELECT mark FROM positions WHERE witness = @witness;

-- name: Recent :many
-- Processes that have lately seen this database alive.
SELECT witness, mark FROM positions WHERE at > clock_timestamp() - interval '1 minute';

-- name: LastSeen :one
-- How many seconds ago a process that claims has last seen this database; negative: never.
SELECT coalesce(extract(epoch FROM clock_timestamp() - max(at)), -1)::float8 AS ago FROM positions;

-- name: IsNew :one
-- Nobody has ever seen this database, and nothing was ever claimed in it.
SELECT (NOT EXISTS (SELECT FROM positions) AND NOT EXISTS (SELECT FROM scopes WHERE page_epoch > 0 OR urgent_epoch > 0))::boolean AS is_new;

-- name: IsUnseen :one
SELECT NOT EXISTS (SELECT FROM positions) AS is_unseen;

-- name: Companies :many
SELECT company_id FROM companies;

-- name: Hold :execrows
-- A hold that is open, or that was found since the process last saw the database, is about the same restore.
INSERT INTO restore_holds (company_id, found_at, reason)
SELECT @company_id, clock_timestamp(), @reason
WHERE NOT EXISTS (SELECT FROM restore_holds h WHERE h.company_id = @company_id AND (h.released_at IS NULL OR h.found_at >= sqlc.arg(seen_at)::timestamptz));

-- name: OpenHold :one
SELECT found_at, reason FROM restore_holds WHERE company_id = @company_id AND released_at IS NULL;

-- name: Release :execrows
UPDATE restore_holds SET released_at = clock_timestamp(), released_by = sqlc.arg(released_by)::uuid WHERE company_id = @company_id AND released_at IS NULL;

-- name: Connections :many
-- Whose sender waits, and what for once the hold of the restore is gone.
SELECT connection_id, held_until, held_reason FROM scopes WHERE company_id = @company_id;
