-- What superadmins see and do: processes at work, and draining the whole installation before an upgrade.

-- +goose Up

-- From when to when nothing was claimed anywhere, and who said so. No company's data.
CREATE TABLE drains (
    began_at timestamptz PRIMARY KEY,
    began_by uuid NOT NULL,
    ended_at timestamptz, -- null: it lasts
    ended_by uuid
);
CREATE UNIQUE INDEX drains_open ON drains ((true)) WHERE ended_at IS NULL;
GRANT SELECT ON drains TO omnidesk_app;
GRANT SELECT, INSERT, UPDATE ON drains TO omnidesk_system;

-- Processes that serve or work. No company's data.
CREATE TABLE processes (
    id         uuid PRIMARY KEY,
    kind       text        NOT NULL CHECK (kind IN ('serve', 'work')),
    host       text        NOT NULL,
    version    text        NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON processes TO omnidesk_system;
GRANT SELECT ON goose_db_version TO omnidesk_system;

-- Fails when claims must wait: OD001 as ever, OD002 while the installation is drained.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_after_restore(of_company uuid, of_witness uuid, seen_mark bigint, seen_timeline text, seen_lsn bigint) RETURNS void
    LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF EXISTS (SELECT FROM drains d WHERE d.ended_at IS NULL) THEN
        RAISE EXCEPTION 'claims wait: the installation is drained' USING ERRCODE = 'OD002';
    END IF;
    IF EXISTS (SELECT FROM restore_holds h WHERE h.company_id = of_company AND h.released_at IS NULL) THEN
        RAISE EXCEPTION 'claims wait: the database was restored' USING ERRCODE = 'OD001';
    END IF;
    IF of_witness IS NOT NULL AND (
        NOT EXISTS (SELECT FROM positions p WHERE p.witness = of_witness AND p.mark >= seen_mark)
        OR pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0') < seen_lsn
        OR (seen_timeline <> '' AND left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) <> seen_timeline)) THEN
        RAISE EXCEPTION 'claims wait: this database is at an earlier point than this process has seen' USING ERRCODE = 'OD001';
    END IF;
END
$$;
-- +goose StatementEnd
