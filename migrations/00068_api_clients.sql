-- Other systems that send through a company's connections: who they are, what they called with and what they asked for.

-- +goose Up

CREATE TABLE api_clients (
    company_id      uuid        NOT NULL REFERENCES companies,
    id              uuid        NOT NULL, -- with the company it is the key id
    name            text        NOT NULL CHECK (name <> ''),
    scopes          text[]      NOT NULL CHECK (scopes <@ ARRAY['send', 'read']),
    connection_ids  uuid[]      NOT NULL,
    networks        text[]      NOT NULL, -- in CIDR: where it may call from; none: anywhere
    lane            smallint    NOT NULL CHECK (lane IN (2, 4)),
    per_minute      integer     NOT NULL CHECK (per_minute > 0),
    per_day         integer     NOT NULL CHECK (per_day > 0), -- messages of the company's calendar day
    expires_at      timestamptz,
    revoked_at      timestamptz,
    version         integer     NOT NULL DEFAULT 1, -- of what people set
    sealed_secret   bytea       NOT NULL,           -- empty once revoked
    sealed_previous bytea       NOT NULL DEFAULT '', -- signs until previous_until, so that a caller can change over
    previous_until  timestamptz,
    PRIMARY KEY (company_id, id)
);
CREATE UNIQUE INDEX api_clients_name ON api_clients (company_id, lower(name)) WHERE revoked_at IS NULL;

-- One row for each client. Its lock puts the client's calls in one order over all processes.
CREATE TABLE api_turns (
    company_id uuid        NOT NULL,
    client_id  uuid        NOT NULL,
    calls      bigint      NOT NULL DEFAULT 0, -- that were let in
    last_at    timestamptz,
    PRIMARY KEY (company_id, client_id),
    FOREIGN KEY (company_id, client_id) REFERENCES api_clients (company_id, id) ON DELETE CASCADE
);

-- What a client has called with, for as long as a copy of the call could still pass for fresh. Logged: a crash must not
-- forget it, or every call of the last minutes could be made again.
CREATE TABLE api_calls (
    company_id uuid        NOT NULL,
    client_id  uuid        NOT NULL,
    nonce      text        NOT NULL,
    at         timestamptz NOT NULL,
    number     bigint      NOT NULL, -- among those let in; 0: it was one too many within its minute
    PRIMARY KEY (company_id, client_id, nonce),
    FOREIGN KEY (company_id, client_id) REFERENCES api_clients (company_id, id) ON DELETE CASCADE
);
CREATE INDEX api_calls_at ON api_calls (company_id, client_id, at);
CREATE INDEX api_calls_let_in ON api_calls (company_id, client_id, at, number) WHERE number > 0;

CREATE TABLE api_days (
    company_id uuid    NOT NULL,
    client_id  uuid    NOT NULL,
    day        date    NOT NULL, -- of the company's calendar
    used       integer NOT NULL, -- messages accepted
    PRIMARY KEY (company_id, client_id, day),
    FOREIGN KEY (company_id, client_id) REFERENCES api_clients (company_id, id) ON DELETE CASCADE
);

-- Which message came of which call of a client. It stays as long as the message.
CREATE TABLE api_messages (
    company_id  uuid  NOT NULL,
    client_id   uuid  NOT NULL,
    key         uuid  NOT NULL, -- that the client made: the same again means the same message
    fingerprint bytea NOT NULL, -- of the whole call
    message_id  uuid  NOT NULL,
    PRIMARY KEY (company_id, client_id, key),
    FOREIGN KEY (company_id, client_id) REFERENCES api_clients (company_id, id) ON DELETE CASCADE
);
CREATE INDEX api_messages_message ON api_messages (company_id, message_id);

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['api_clients', 'api_turns', 'api_calls', 'api_days', 'api_messages'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd
GRANT SELECT, INSERT, UPDATE ON api_clients, api_turns, api_days TO omnidesk_app;
GRANT SELECT, INSERT, DELETE ON api_calls TO omnidesk_app;
GRANT SELECT, INSERT ON api_messages TO omnidesk_app;
