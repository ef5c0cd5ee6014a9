-- What keeps a restored database from sending again what was sent after its backup.

-- +goose Up

-- How often each process that claims has seen this database alive. The process keeps the same number, with where the
-- write-ahead log was, outside the database: a lower one here means that the database has gone back in time. No
-- company's data.
CREATE TABLE positions (
    witness uuid PRIMARY KEY,
    mark    bigint      NOT NULL,
    at      timestamptz NOT NULL
);
GRANT SELECT ON positions TO omnidesk_app;
GRANT SELECT, INSERT, UPDATE ON positions TO omnidesk_system;

-- What was open in a company when a restore was found waits until a person releases it. Rows are kept: they tell who.
CREATE TABLE restore_holds (
    company_id  uuid        NOT NULL REFERENCES companies,
    found_at    timestamptz NOT NULL,
    reason      text        NOT NULL CHECK (reason <> ''),
    released_at timestamptz,
    released_by uuid, -- null while it is open; the nil id: an operator at the command line
    PRIMARY KEY (company_id, found_at)
);
CREATE UNIQUE INDEX restore_holds_open ON restore_holds (company_id) WHERE released_at IS NULL;
ALTER TABLE restore_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE restore_holds FORCE ROW LEVEL SECURITY;
CREATE POLICY company ON restore_holds TO omnidesk_app
    USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()));
CREATE POLICY owner ON restore_holds TO omnidesk_owner USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON restore_holds TO omnidesk_app;

-- Fails (OD001) when the company is on hold, or when this is not the database that the process has last seen, or that
-- one at an earlier time. Called in the transaction of each claim. A null witness asks for the hold alone, an empty
-- timeline for any.
-- +goose StatementBegin
CREATE FUNCTION refuse_after_restore(of_company uuid, of_witness uuid, seen_mark bigint, seen_timeline text, seen_lsn bigint) RETURNS void
    LANGUAGE plpgsql STABLE
AS $$
BEGIN
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
