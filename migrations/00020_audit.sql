-- The audit log: one line per call that changed something, written in the transaction of its change.

-- +goose Up

-- company_id is the nil id for what belongs to the platform. kind tells what the subjects are: contacts, campaigns …
ALTER TABLE audit
    ADD COLUMN kind       text NOT NULL DEFAULT '',
    ADD COLUMN address    text NOT NULL DEFAULT '', -- where the call came from
    ADD COLUMN request_id uuid;                     -- names the same call in the logs
CREATE INDEX audit_user ON audit (company_id, user_id, id);
CREATE INDEX audit_action ON audit (company_id, action, id);

-- Calls that act before or beside a company (a superadmin enters one) are noted by the cross-company role, which reads
-- the platform's own lines only.
-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['audit', 'audit_subjects'] LOOP
        EXECUTE format('CREATE POLICY system_notes ON %I FOR INSERT TO omnidesk_system WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY system_reads ON %I FOR SELECT TO omnidesk_system
            USING (company_id = ''00000000-0000-0000-0000-000000000000'')', t);
    END LOOP;
END
$$;
-- +goose StatementEnd
GRANT SELECT, INSERT ON audit, audit_subjects TO omnidesk_system;
