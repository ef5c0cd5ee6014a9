-- Notices: what people of a company want to hear of without looking, and how each wants to hear it.

-- +goose Up

-- One row per kind, subject and hour: what happens again within it adds to count. Ids and counts only; names are read
-- when a notice is shown or mailed.
CREATE TABLE notices (
    company_id uuid        NOT NULL REFERENCES companies,
    id         uuid        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('campaign_finished', 'campaign_paused', 'connection_lost', 'template_stopped', 'messages_uncertain')),
    about      text        NOT NULL CHECK (about IN ('campaign', 'connection', 'company')),
    subject_id uuid        NOT NULL,
    hour       timestamptz NOT NULL,
    at         timestamptz NOT NULL, -- the first time
    count      integer     NOT NULL DEFAULT 1,
    PRIMARY KEY (company_id, id)
);
CREATE UNIQUE INDEX notices_once ON notices (company_id, kind, subject_id, hour);

-- What one person has read.
CREATE TABLE notice_reads (
    company_id uuid NOT NULL,
    user_id    uuid NOT NULL,
    notice_id  uuid NOT NULL,
    PRIMARY KEY (company_id, user_id, notice_id),
    FOREIGN KEY (company_id, notice_id) REFERENCES notices (company_id, id) ON DELETE CASCADE
);
CREATE INDEX notice_reads_notice ON notice_reads (company_id, notice_id);

-- How far the mails to a person have come. No row: nothing was mailed.
CREATE TABLE notice_marks (
    company_id     uuid NOT NULL REFERENCES companies,
    user_id        uuid NOT NULL,
    mailed_through uuid NOT NULL,
    mailed_at      timestamptz,
    PRIMARY KEY (company_id, user_id)
);

-- What a person has switched. No row: as the program has it.
CREATE TABLE notice_switches (
    company_id uuid    NOT NULL REFERENCES companies,
    user_id    uuid    NOT NULL,
    kind       text    NOT NULL,
    bell       boolean NOT NULL,
    mail       boolean NOT NULL,
    PRIMARY KEY (company_id, user_id, kind)
);

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['notices', 'notice_reads', 'notice_marks', 'notice_switches'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO omnidesk_app', t);
    END LOOP;
END
$$;
-- +goose StatementEnd

ALTER TABLE wakes DROP CONSTRAINT wakes_workflow_check, ADD CONSTRAINT wakes_workflow_check CHECK (workflow IN ('campaign', 'sender', 'import', 'mail', 'digest'));

-- The one row of the whole installation. Links of mails that no request asks for begin with public_url.
CREATE TABLE platform (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    public_url text NOT NULL DEFAULT ''
);
INSERT INTO platform DEFAULT VALUES;
GRANT SELECT ON platform TO omnidesk_app;
GRANT SELECT, UPDATE ON platform TO omnidesk_system;
