-- People who confirm their address, are invited and removed; links sent by mail; the outbox of mails.

-- +goose Up

-- Who was there before has proven their address to whoever made them.
ALTER TABLE users
    ADD COLUMN verified_at timestamptz DEFAULT now(), -- null: the address is not confirmed, and little is allowed
    ADD COLUMN removed_at  timestamptz, -- the row stays, because decisions name it; the address is free again
    ADD CHECK (removed_at IS NULL OR disabled_at IS NOT NULL);
DROP INDEX users_email;
CREATE UNIQUE INDEX users_email ON users (email) WHERE removed_at IS NULL;

CREATE TABLE invitations (
    company_id  uuid        NOT NULL REFERENCES companies,
    id          uuid        NOT NULL,
    email       text        NOT NULL CHECK (email = lower(email)),
    role        text        NOT NULL CHECK (role IN ('admin', 'user')),
    invited_by  uuid        NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    accepted_at timestamptz,
    revoked_at  timestamptz,
    PRIMARY KEY (company_id, id)
);
CREATE UNIQUE INDEX invitations_open ON invitations (company_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL;

-- What a link of a mail stands for. The link's own secret is kept nowhere.
CREATE TABLE tokens (
    hash          bytea PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256 of 256 random bits
    purpose       text        NOT NULL CHECK (purpose IN ('verify', 'reset', 'invite', 'email')),
    company_id    uuid REFERENCES companies, -- null: of a superadmin
    user_id       uuid REFERENCES users ON DELETE CASCADE,
    invitation_id uuid,
    email         text        NOT NULL, -- where it was sent to
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz,
    CHECK ((user_id IS NULL) = (purpose = 'invite')),
    CHECK ((invitation_id IS NULL) = (purpose <> 'invite'))
);
CREATE INDEX tokens_user ON tokens (user_id, purpose, created_at);
CREATE INDEX tokens_invitation ON tokens (company_id, invitation_id) WHERE invitation_id IS NOT NULL;
CREATE INDEX tokens_expired ON tokens (expires_at);

-- Mails to be sent: an outbox without texts. What they say, and their links, are made when they are sent.
CREATE TABLE mails (
    id         uuid PRIMARY KEY,
    company_id uuid REFERENCES companies, -- null: no company is known
    kind       text        NOT NULL CHECK (kind IN ('verify', 'reset', 'known', 'invite', 'change', 'changed')),
    email      text        NOT NULL,
    subject_id uuid, -- the user or invitation it is about; null: whoever has the address when it is sent
    base       text        NOT NULL, -- what links begin with
    created_at timestamptz NOT NULL
);

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['invitations', 'tokens', 'mails'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY system ON %I TO omnidesk_system USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd

GRANT SELECT, INSERT, UPDATE ON invitations TO omnidesk_app;
GRANT INSERT ON mails TO omnidesk_app;
GRANT SELECT, UPDATE ON invitations TO omnidesk_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON tokens TO omnidesk_system;
GRANT SELECT, INSERT, DELETE ON mails TO omnidesk_system;

ALTER TABLE wakes DROP CONSTRAINT wakes_workflow_check, ADD CONSTRAINT wakes_workflow_check CHECK (workflow IN ('campaign', 'sender', 'import', 'mail'));

-- ---------------------------------------------------------------- one active superadmin always remains

-- Such changes wait for each other, before any of them has locked a row: two superadmins who remove each other at once
-- would otherwise both still see the other.
-- +goose StatementBegin
CREATE FUNCTION superadmins_in_turn() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('omnidesk superadmins'));
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- Locking the one who remains makes an older snapshot fail instead of counting somebody who is gone.
-- +goose StatementBegin
CREATE FUNCTION superadmin_remains() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    remaining integer;
BEGIN
    IF OLD.role = 'superadmin' AND OLD.disabled_at IS NULL THEN
        EXECUTE format('SELECT 1 FROM %I.users WHERE role = %L AND disabled_at IS NULL ORDER BY id LIMIT 1 FOR UPDATE', TG_TABLE_SCHEMA, 'superadmin') INTO remaining;
        IF remaining IS NULL THEN
            RAISE EXCEPTION 'at least one active superadmin must remain' USING ERRCODE = 'check_violation', CONSTRAINT = 'users_superadmin_remains';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER users_superadmins_in_turn BEFORE UPDATE OF role, company_id, disabled_at, removed_at OR DELETE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION superadmins_in_turn();
CREATE TRIGGER users_superadmin_remains AFTER UPDATE OF role, company_id, disabled_at, removed_at OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION superadmin_remains();
