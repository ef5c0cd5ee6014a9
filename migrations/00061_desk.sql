-- What agents do with conversations: whose they are, how urgent, what they are about, when they come back, and notes.

-- +goose Up

ALTER TABLE conversations
    ADD COLUMN version       integer  NOT NULL DEFAULT 1, -- of what agents set; what contacts write leaves it as it is
    ADD COLUMN assignee_id   uuid,
    ADD COLUMN department_id uuid,                        -- null: that of the connection
    ADD COLUMN priority      smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 3), -- none, low, high, urgent
    ADD COLUMN snoozed_until timestamptz,                 -- while snoozed; null: until the contact writes
    ADD FOREIGN KEY (company_id, assignee_id) REFERENCES users (company_id, id),
    ADD FOREIGN KEY (company_id, department_id) REFERENCES departments (company_id, id),
    DROP CONSTRAINT conversations_state_check,
    ADD CONSTRAINT conversations_state_check CHECK (state IN ('open', 'snoozed', 'closed') AND (state = 'snoozed' OR snoozed_until IS NULL));
CREATE INDEX conversations_newest ON conversations (company_id, last_id);
CREATE INDEX conversations_assignee ON conversations (company_id, assignee_id, state, last_id);
CREATE INDEX conversations_department ON conversations (company_id, department_id, state, last_id) WHERE department_id IS NOT NULL;
CREATE INDEX conversations_unread ON conversations (company_id, assignee_id) WHERE unread > 0 AND state = 'open';

-- Who may see a conversation, and what was said in it. The rule of in_sight, with the department that it was moved to.
-- +goose StatementBegin
CREATE FUNCTION talk_in_sight(moved_to uuid, of_connection uuid, departments uuid[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT departments IS NULL OR coalesce(moved_to, of_connection) IS NULL OR coalesce(moved_to, of_connection) = ANY (departments)
$$;
-- +goose StatementEnd

CREATE TABLE labels (
    company_id uuid NOT NULL REFERENCES companies,
    id         uuid NOT NULL,
    name       text NOT NULL CHECK (name <> ''),
    colour     text NOT NULL CHECK (colour IN ('gray', 'red', 'orange', 'yellow', 'green', 'teal', 'blue', 'violet', 'pink')),
    PRIMARY KEY (company_id, id)
);
CREATE UNIQUE INDEX labels_name ON labels (company_id, lower(name));

CREATE TABLE conversation_labels (
    company_id      uuid NOT NULL,
    conversation_id uuid NOT NULL,
    label_id        uuid NOT NULL,
    PRIMARY KEY (company_id, conversation_id, label_id),
    FOREIGN KEY (company_id, conversation_id) REFERENCES conversations (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, label_id) REFERENCES labels (company_id, id) ON DELETE CASCADE
);
CREATE INDEX conversation_labels_label ON conversation_labels (company_id, label_id);

-- What agents write for each other. Never sent.
CREATE TABLE conversation_notes (
    company_id      uuid NOT NULL,
    conversation_id uuid NOT NULL,
    id              uuid NOT NULL,
    author_id       uuid NOT NULL, -- no foreign key: a superadmin who has entered the company writes, too
    body            text NOT NULL CHECK (body <> ''),
    PRIMARY KEY (company_id, conversation_id, id),
    FOREIGN KEY (company_id, conversation_id) REFERENCES conversations (company_id, id) ON DELETE CASCADE
);

-- The names are those of internal/flow, which alone writes them; a list here would have to grow with every workflow.
ALTER TABLE wakes DROP CONSTRAINT wakes_workflow_check, ADD CONSTRAINT wakes_workflow_check CHECK (workflow ~ '^[a-z]{1,40}$');

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['labels', 'conversation_labels', 'conversation_notes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd
GRANT SELECT, INSERT, UPDATE, DELETE ON labels, conversation_labels, conversation_notes TO omnidesk_app;
