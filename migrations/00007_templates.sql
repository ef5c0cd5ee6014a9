-- What the provider knows and campaigns need: approved templates, a number's quality and messaging limit. And who
-- changed a draft last, so that a second writer can be told.

-- +goose Up

CREATE TABLE templates (
    company_id      uuid        NOT NULL,
    connection_id   uuid        NOT NULL,
    name            text        NOT NULL CHECK (name <> ''),
    language        text        NOT NULL CHECK (language <> ''),
    provider_id     text        NOT NULL DEFAULT '',
    category        text        NOT NULL DEFAULT '', -- the provider's word, such as MARKETING
    status          text        NOT NULL DEFAULT '', -- the provider's word, such as APPROVED
    quality         text        NOT NULL DEFAULT '', -- GREEN, YELLOW, RED or UNKNOWN
    rejected_reason text        NOT NULL DEFAULT '', -- the provider's word
    components      jsonb       NOT NULL,            -- as the provider sent them
    body            text        NOT NULL DEFAULT '', -- with its placeholders, {{1}} {{2}} …
    parameters      integer     NOT NULL DEFAULT 0,  -- how many placeholders the body has
    unfit           text        NOT NULL DEFAULT '', -- why a campaign can't send it, in words; empty: it can
    synced_at       timestamptz NOT NULL,
    PRIMARY KEY (company_id, connection_id, name, language),
    FOREIGN KEY (company_id, connection_id) REFERENCES connections (company_id, id) ON DELETE CASCADE
);

CREATE TABLE template_syncs (
    company_id    uuid NOT NULL,
    connection_id uuid NOT NULL,
    synced_at     timestamptz,                -- the last that succeeded
    problem       text NOT NULL DEFAULT '',   -- why the last one failed, in words; empty: it did not
    PRIMARY KEY (company_id, connection_id),
    FOREIGN KEY (company_id, connection_id) REFERENCES connections (company_id, id) ON DELETE CASCADE
);

ALTER TABLE connections
    ADD COLUMN quality         text    NOT NULL DEFAULT '', -- the provider's word about the number; empty: not known
    ADD COLUMN messaging_limit integer NOT NULL DEFAULT 0;  -- contacts outside an open window in 24 hours; 0: not known, -1: no limit

ALTER TABLE campaigns
    ADD COLUMN changed_at timestamptz, -- when a person last wrote the draft
    ADD COLUMN changed_by uuid;        -- who did

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['templates', 'template_syncs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd

GRANT SELECT, INSERT, UPDATE, DELETE ON templates, template_syncs TO omnidesk_app;
