-- What contacts write, and the conversations that it makes.

-- +goose Up

-- direction 1: state 10 (received) and lane 0. An inbound id carries the provider's instant, so that the order of ids is
-- the order of a conversation.
ALTER TABLE messages DROP CONSTRAINT messages_lane_check;
ALTER TABLE messages DROP CONSTRAINT messages_state_check;
ALTER TABLE messages
    ADD CONSTRAINT messages_lane_check CHECK (lane BETWEEN 0 AND 5 AND (lane = 0) = (direction = 1)) NOT VALID,
    ADD CONSTRAINT messages_state_check CHECK (state BETWEEN 0 AND 10 AND (state = 10) = (direction = 1)) NOT VALID;

-- One for each contact on each connection, for ever. It begins when the contact writes or when somebody writes to them.
CREATE TABLE conversations (
    company_id      uuid        NOT NULL,
    id              uuid        NOT NULL,
    connection_id   uuid        NOT NULL,
    contact_id      uuid        NOT NULL,
    state           text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    last_id         uuid        NOT NULL, -- the newest message outside campaigns; its id says when
    last_inbound_id uuid,                 -- the newest that the contact wrote
    unread          integer     NOT NULL DEFAULT 0 CHECK (unread >= 0),
    reopened_at     timestamptz,          -- the contact wrote after 24 hours of silence, or after it was closed
    PRIMARY KEY (company_id, id),
    UNIQUE (company_id, connection_id, contact_id),
    FOREIGN KEY (company_id, connection_id) REFERENCES connections (company_id, id),
    FOREIGN KEY (company_id, contact_id) REFERENCES contacts (company_id, id) ON DELETE CASCADE
);
CREATE INDEX conversations_recent ON conversations (company_id, state, last_id);
CREATE INDEX conversations_contact ON conversations (company_id, contact_id);

-- What contacts did to earlier messages: reactions, edits, deletions. Under the provider's id, because they may come first.
CREATE TABLE message_changes (
    company_id    uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider_id   text NOT NULL, -- of the message that they are about
    id            uuid NOT NULL, -- its order is that of the changes
    contact_id    uuid NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('reaction', 'edit', 'delete')),
    words         text NOT NULL,
    PRIMARY KEY (company_id, connection_id, provider_id, id),
    FOREIGN KEY (company_id, contact_id) REFERENCES contacts (company_id, id) ON DELETE CASCADE
);
CREATE INDEX message_changes_contact ON message_changes (company_id, contact_id);

-- Ids that clients made: whoever sends twice is told what became of the first.
CREATE TABLE client_keys (
    company_id uuid NOT NULL REFERENCES companies,
    key        text NOT NULL CHECK (key <> ''),
    message_id uuid NOT NULL,
    PRIMARY KEY (company_id, key)
);

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['conversations', 'message_changes', 'client_keys'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd
GRANT SELECT, INSERT, UPDATE, DELETE ON conversations TO omnidesk_app;
GRANT SELECT, INSERT, DELETE ON message_changes, client_keys TO omnidesk_app;
