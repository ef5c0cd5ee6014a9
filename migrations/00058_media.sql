-- +goose Up
-- Files that people of a company and its contacts send. Their bytes lie in the blob store under the hash of their content,
-- once per company; here is what is known about them.
CREATE TABLE media (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    sha256     text        NOT NULL, -- in hex
    size       bigint      NOT NULL, -- bytes
    type       text        NOT NULL, -- MIME, found by looking at the content
    width      integer     NOT NULL DEFAULT 0, -- of a picture that has a thumbnail
    height     integer     NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (company_id, sha256) INCLUDE (size)
);

-- Files on their way: an inbound message's from the provider into the store, an outgoing one's from the store to the
-- provider. One message has at most one file.
CREATE TABLE media_transfers (
    company_id    uuid        NOT NULL,
    message_id    uuid        NOT NULL,
    connection_id uuid        NOT NULL,
    outbound      boolean     NOT NULL,
    state         text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed')),
    media_id      uuid,       -- of an inbound one known when it is done
    provider_id   text,       -- of an outbound one known when it is done
    sha256        text        NOT NULL DEFAULT '', -- as the provider says, in hex
    attempts      integer     NOT NULL DEFAULT 0,
    retry_at      timestamptz NOT NULL DEFAULT now(),
    gives_up_at   timestamptz NOT NULL,
    done_at       timestamptz,
    detail        text        NOT NULL DEFAULT '', -- why it failed or waits, in our words
    PRIMARY KEY (company_id, message_id)
);
CREATE INDEX media_transfers_pending ON media_transfers (company_id, connection_id, retry_at) WHERE state = 'pending';
CREATE INDEX media_transfers_handed ON media_transfers (company_id, connection_id, media_id, done_at) WHERE outbound AND state = 'done';

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['media', 'media_transfers'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;
-- +goose StatementEnd
GRANT SELECT, INSERT, UPDATE, DELETE ON media, media_transfers TO omnidesk_app;
ALTER TABLE wakes DROP CONSTRAINT wakes_workflow_check, ADD CONSTRAINT wakes_workflow_check CHECK (workflow ~ '^[a-z]{1,40}$');
