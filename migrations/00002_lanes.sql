-- Messages outside campaigns, the urgent lanes beside the page, and what an operator decides about uncertain messages.

-- +goose Up

-- Urgent work (lanes 1 and 2) has its own fence and its own life beside the page.
ALTER TABLE scopes
    ADD COLUMN urgent_epoch      integer NOT NULL DEFAULT 0,
    ADD COLUMN urgent_live_until timestamptz;

-- A message sent again by hand names the old one, which stays uncertain and is marked superseded.
ALTER TABLE messages
    ADD COLUMN supersedes    uuid,
    ADD COLUMN superseded_by uuid;

-- Queued messages outside campaigns, in the order in which they are claimed. Their content is rendered when they are queued.
CREATE INDEX messages_single ON messages (company_id, connection_id, lane, id) WHERE state = 0 AND campaign_id IS NULL;
-- What waits for a status or for an operator.
CREATE INDEX messages_uncertain ON messages (company_id, id) WHERE state = 6 AND superseded_by IS NULL;

-- Who decided what, by hand. Rows are added and read, never changed.
CREATE TABLE audit (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    action     text        NOT NULL CHECK (action <> ''),
    at         timestamptz NOT NULL,
    PRIMARY KEY (company_id, id)
);
-- What a decision was about, so that the story of one row finds the decisions about it.
CREATE TABLE audit_subjects (
    company_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    audit_id   uuid NOT NULL,
    PRIMARY KEY (company_id, subject_id, audit_id),
    FOREIGN KEY (company_id, audit_id) REFERENCES audit (company_id, id)
);
-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['audit', 'audit_subjects'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd
GRANT SELECT, INSERT ON audit, audit_subjects TO omnidesk_app;
