-- The frame: companies and their people, contacts, connections, campaigns and the ledger.
--
-- Every table with a company_id has forced row-level security; the catalogue test fails for one without.
-- Roles (made by postgres.EnsureRoles, because roles belong to the cluster and not to one database):
--   omnidesk_owner   owns everything, never logs in
--   omnidesk_app     one company at a time: sees the rows of the company set for its transaction
--   omnidesk_system  cross-company jobs: reaches tables that hold ids and instants only, and what a login needs

-- +goose Up

-- The smallest UUIDv7 of an instant: partition bounds and id ranges are built from it.
-- +goose StatementBegin
CREATE FUNCTION uuid_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;
-- +goose StatementEnd

-- Fails closed: without a company set, the setting is missing or empty and the cast raises an error.
-- +goose StatementBegin
CREATE FUNCTION current_company() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT current_setting('app.company_id')::uuid
$$;
-- +goose StatementEnd

-- ---------------------------------------------------------------- account

CREATE TABLE companies (
    company_id uuid PRIMARY KEY,
    name       text        NOT NULL CHECK (name <> ''),
    zone       text        NOT NULL,
    demo       boolean     NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A superadmin belongs to the platform and has no company; everyone else has exactly one.
CREATE TABLE users (
    id                   uuid PRIMARY KEY,
    company_id           uuid REFERENCES companies,
    email                text        NOT NULL CHECK (email = lower(email)),
    name                 text        NOT NULL,
    role                 text        NOT NULL CHECK (role IN ('superadmin', 'admin', 'user')),
    password_hash        bytea       NOT NULL,
    must_change_password boolean     NOT NULL DEFAULT false,
    created_at           timestamptz NOT NULL DEFAULT now(),
    disabled_at          timestamptz,
    CHECK ((role = 'superadmin') = (company_id IS NULL))
);
CREATE UNIQUE INDEX users_email ON users (email);
CREATE INDEX users_company ON users (company_id, id);

CREATE TABLE sessions (
    id           uuid PRIMARY KEY,
    user_id      uuid        NOT NULL REFERENCES users,
    company_id   uuid REFERENCES companies, -- the company the session acts in; a superadmin may have none
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    user_agent   text        NOT NULL DEFAULT ''
);
CREATE INDEX sessions_user ON sessions (user_id, created_at);

-- ---------------------------------------------------------------- connections

CREATE TABLE connections (
    company_id          uuid        NOT NULL REFERENCES companies,
    id                  uuid        NOT NULL,
    channel             text        NOT NULL CHECK (channel IN ('whatsapp_cloud')),
    name                text        NOT NULL CHECK (name <> ''),
    app_id              text        NOT NULL,
    account_id          text        NOT NULL, -- Meta: the WABA
    number_id           text        NOT NULL, -- Meta: phone_number_id
    number              text        NOT NULL DEFAULT '', -- E.164, as the provider's check reported it
    webhook_slug        text        NOT NULL CHECK (length(webhook_slug) >= 22),
    sealed_app_secret   bytea       NOT NULL,
    sealed_token        bytea       NOT NULL,
    sealed_verify_token bytea       NOT NULL,
    state               text        NOT NULL DEFAULT 'unchecked' CHECK (state IN ('unchecked', 'connected', 'failing')),
    state_detail        text        NOT NULL DEFAULT '',
    checked_at          timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (company_id, number_id)
);

-- Where a webhook leads: ids only, so that the system role may read it before the company is known.
CREATE TABLE webhook_routes (
    company_id    uuid NOT NULL,
    connection_id uuid NOT NULL,
    slug          text NOT NULL,
    number_id     text NOT NULL,
    PRIMARY KEY (company_id, connection_id),
    FOREIGN KEY (company_id, connection_id) REFERENCES connections (company_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX webhook_routes_slug ON webhook_routes (slug);
CREATE INDEX webhook_routes_number ON webhook_routes (number_id);

-- ---------------------------------------------------------------- contacts

CREATE TABLE contacts (
    company_id   uuid        NOT NULL REFERENCES companies,
    id           uuid        NOT NULL,
    name         text        NOT NULL DEFAULT '',
    zone         text, -- IANA; null: the number's region decides, then the company
    attributes   jsonb       NOT NULL DEFAULT '{}',
    opted_out_at timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id)
);

CREATE TABLE identities (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    contact_id uuid        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('phone', 'lid', 'bsuid', 'igsid', 'psid')),
    scope      text        NOT NULL DEFAULT '', -- the page or portfolio within which a scoped id means anything
    value      text        NOT NULL CHECK (value <> ''), -- a phone is stored as E.164 with its plus sign
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (company_id, kind, scope, value),
    FOREIGN KEY (company_id, contact_id) REFERENCES contacts (company_id, id) ON DELETE CASCADE
);
CREATE INDEX identities_contact ON identities (company_id, contact_id, kind);

CREATE TABLE tags (
    company_id uuid NOT NULL REFERENCES companies,
    id         uuid NOT NULL,
    name       text NOT NULL CHECK (name <> ''),
    PRIMARY KEY (company_id, id),
    UNIQUE (company_id, name)
);

CREATE TABLE contact_tags (
    company_id uuid NOT NULL,
    tag_id     uuid NOT NULL,
    contact_id uuid NOT NULL,
    PRIMARY KEY (company_id, tag_id, contact_id),
    FOREIGN KEY (company_id, tag_id) REFERENCES tags (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, contact_id) REFERENCES contacts (company_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_tags_contact ON contact_tags (company_id, contact_id);

-- The 24-hour service window of a contact on a connection, opened by what the contact writes.
CREATE TABLE service_windows (
    company_id    uuid        NOT NULL,
    connection_id uuid        NOT NULL,
    contact_id    uuid        NOT NULL,
    open_until    timestamptz NOT NULL,
    PRIMARY KEY (company_id, connection_id, contact_id),
    FOREIGN KEY (company_id, connection_id) REFERENCES connections (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, contact_id) REFERENCES contacts (company_id, id) ON DELETE CASCADE
);

-- ---------------------------------------------------------------- campaigns

-- A set of IANA zones, sorted and joined by a comma: a number of several zones needs all of them open.
CREATE TABLE zone_sets (
    id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    zones text NOT NULL UNIQUE CHECK (zones <> '')
);

CREATE TABLE campaigns (
    company_id        uuid        NOT NULL REFERENCES companies,
    id                uuid        NOT NULL,
    connection_id     uuid        NOT NULL,
    name              text        NOT NULL CHECK (name <> ''),
    state             text        NOT NULL DEFAULT 'draft'
        CHECK (state IN ('draft', 'starting', 'scheduled', 'running', 'paused', 'finished', 'canceled')),
    state_detail      text        NOT NULL DEFAULT '', -- why it is in this state, in words
    content           jsonb       NOT NULL, -- {"kind":"template","template":{…}} or {"kind":"text","text":"…"}
    audience          jsonb       NOT NULL, -- {"all":true} or {"tag_ids":["…"]}
    text_version      integer     NOT NULL DEFAULT 1,
    starts_at         timestamptz,
    expires_at        timestamptz,
    version           integer     NOT NULL DEFAULT 1, -- of the whole row; an edit names the one it has seen
    recipients        integer     NOT NULL DEFAULT 0, -- the frozen plan's size
    skipped           jsonb       NOT NULL DEFAULT '{}', -- contacts left out when frozen, by reason
    created_at        timestamptz NOT NULL DEFAULT now(),
    frozen_at         timestamptz,
    started_at        timestamptz,
    finished_at       timestamptz,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, connection_id) REFERENCES connections (company_id, id)
);
CREATE INDEX campaigns_connection ON campaigns (company_id, connection_id, state);

-- One row per zone set of a frozen plan: how many recipients it has and up to which sequence they are fed.
CREATE TABLE campaign_zones (
    company_id  uuid    NOT NULL,
    campaign_id uuid    NOT NULL,
    zone_set_id integer NOT NULL REFERENCES zone_sets,
    recipients  integer NOT NULL,
    fed_through integer NOT NULL DEFAULT 0,
    done        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (company_id, campaign_id, zone_set_id),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id) ON DELETE CASCADE
);

CREATE TABLE recipients (
    company_id   uuid    NOT NULL,
    campaign_id  uuid    NOT NULL,
    zone_set_id  integer NOT NULL,
    sequence     integer NOT NULL,
    contact_id   uuid    NOT NULL,
    identity_id  uuid    NOT NULL,
    text_version integer NOT NULL,
    text         text, -- generated for this recipient; null: the campaign's text with merge fields
    -- No foreign key: only drafts are deleted, they have no plan, and a check per row would double a freeze.
    PRIMARY KEY (company_id, campaign_id, zone_set_id, sequence)
);

-- ---------------------------------------------------------------- the ledger

-- state: 0 queued · 1 sending · 2 sent · 3 failed · 4 delivered · 5 read · 6 uncertain · 7 canceled · 8 expired · 9 suppressed
-- (internal/send/state.go). direction: 0 outgoing, 1 inbound.
CREATE TABLE messages (
    company_id    uuid        NOT NULL,
    id            uuid        NOT NULL,
    connection_id uuid        NOT NULL,
    contact_id    uuid        NOT NULL,
    identity_id   uuid        NOT NULL,
    campaign_id   uuid,
    zone_set_id   integer,
    sequence      integer     NOT NULL DEFAULT 0,
    text_version  integer     NOT NULL DEFAULT 1,
    direction     smallint    NOT NULL DEFAULT 0,
    lane          smallint    NOT NULL CHECK (lane BETWEEN 1 AND 5),
    state         smallint    NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 9),
    attempts      smallint    NOT NULL DEFAULT 0,
    epoch         integer,
    attempt_id    uuid,
    retry_at      timestamptz,
    expires_at    timestamptz,
    claimed_at    timestamptz,
    sent_at       timestamptz,
    delivered_at  timestamptz,
    read_at       timestamptz,
    ended_at      timestamptz, -- failed, canceled, expired, suppressed, or when it became uncertain
    error_code    integer,
    error_detail  text,
    provider_id   text,
    content       text, -- what was sent, as rendered at claim
    PRIMARY KEY (company_id, id)
) PARTITION BY RANGE (id);

-- Beside its key a row is in exactly one index at a time, by its state: a claim and its record cost one entry each.
CREATE INDEX messages_claim ON messages (company_id, connection_id, lane, campaign_id, zone_set_id, sequence) WHERE state = 0;
CREATE INDEX messages_sending ON messages (company_id, connection_id, claimed_at) WHERE state = 1;
CREATE INDEX messages_campaign ON messages (company_id, campaign_id, state, id) WHERE state >= 2;

CREATE TABLE messages_default PARTITION OF messages DEFAULT;

CREATE TABLE provider_ids (
    company_id    uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider_id   text NOT NULL,
    message_id    uuid NOT NULL,
    PRIMARY KEY (company_id, connection_id, provider_id)
);

-- Statuses that came before the row knew its provider id and without our own id.
CREATE TABLE early_statuses (
    company_id    uuid        NOT NULL,
    connection_id uuid        NOT NULL,
    provider_id   text        NOT NULL,
    state         smallint    NOT NULL,
    at            timestamptz NOT NULL,
    error_code    integer,
    error_detail  text,
    received_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, connection_id, provider_id, state)
);

-- Changes of a campaign's counts, one row per batch; a sum over them is the count, compaction keeps them few.
CREATE TABLE message_counts (
    company_id  uuid        NOT NULL,
    campaign_id uuid        NOT NULL,
    id          bigint GENERATED ALWAYS AS IDENTITY,
    at          timestamptz NOT NULL DEFAULT now(),
    queued      integer     NOT NULL DEFAULT 0,
    sending     integer     NOT NULL DEFAULT 0,
    sent        integer     NOT NULL DEFAULT 0,
    failed      integer     NOT NULL DEFAULT 0,
    delivered   integer     NOT NULL DEFAULT 0,
    read        integer     NOT NULL DEFAULT 0,
    uncertain   integer     NOT NULL DEFAULT 0,
    canceled    integer     NOT NULL DEFAULT 0,
    expired     integer     NOT NULL DEFAULT 0,
    suppressed  integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (company_id, campaign_id, id)
);

-- The connection's mutex and its fences. Everything that claims, pauses or cancels locks this row first.
CREATE TABLE scopes (
    company_id      uuid        NOT NULL,
    connection_id   uuid        NOT NULL,
    page_epoch      integer     NOT NULL DEFAULT 0,
    page_live_until timestamptz, -- while it is in the future, wakes for the sender are not needed
    last_instant    timestamptz NOT NULL DEFAULT 'epoch',
    held_until      timestamptz, -- claims stop until then
    held_reason     text,
    holds           integer     NOT NULL DEFAULT 0, -- in a row; each doubles the next one's length
    probing         boolean     NOT NULL DEFAULT false, -- outcomes were unknown: one send at a time until one is known
    PRIMARY KEY (company_id, connection_id),
    FOREIGN KEY (company_id, connection_id) REFERENCES connections (company_id, id) ON DELETE CASCADE
);

-- Wakes: an outbox of "look again". Ids only.
CREATE TABLE wakes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company_id uuid        NOT NULL,
    workflow   text        NOT NULL CHECK (workflow IN ('campaign', 'sender')),
    subject_id uuid        NOT NULL,
    urgent     boolean     NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- ---------------------------------------------------------------- partitions, made ahead

-- Makes the partitions of this month and the next ones. Runs as its owner: the application may add
-- a month, but owns nothing. Returns how many rows lie in the default partition: more than 0 is an alarm.
-- +goose StatementBegin
CREATE FUNCTION ensure_message_partitions(months_ahead integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Its own schema. A function of this name in a caller's temporary schema has another owner.
    home  text := (SELECT nspname FROM pg_namespace n JOIN pg_proc p ON p.pronamespace = n.oid
                   WHERE p.proname = 'ensure_message_partitions' AND pg_get_userbyid(p.proowner) = current_user LIMIT 1);
    month timestamptz := date_trunc('month', now(), 'UTC');
    part  text;
    stray bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('ensure_message_partitions'));
    FOR i IN 0..months_ahead LOOP
        part := 'messages_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
        IF to_regclass(format('%I.%I', home, part)) IS NULL THEN
            EXECUTE format('CREATE TABLE %1$I.%2$I PARTITION OF %1$I.messages FOR VALUES FROM (%1$I.uuid_floor(%3$L)) TO (%1$I.uuid_floor(%4$L))',
                           home, part, month, (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
        END IF;
        month := (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC';
    END LOOP;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %I.messages_default LIMIT 1000) d', home) INTO stray;
    RETURN stray;
END
$$;
-- +goose StatementEnd
SELECT ensure_message_partitions(2);

-- ---------------------------------------------------------------- row-level security and grants

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['companies', 'users', 'sessions', 'connections', 'webhook_routes', 'contacts', 'identities',
        'tags', 'contact_tags', 'service_windows', 'campaigns', 'campaign_zones', 'recipients', 'messages', 'provider_ids',
        'early_statuses', 'message_counts', 'scopes', 'wakes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
    END LOOP;
    -- The owner is bound by FORCE as well: data migrations and the partition alarm need to see rows.
    FOREACH t IN ARRAY ARRAY['companies', 'users', 'sessions', 'connections', 'webhook_routes', 'contacts', 'identities',
        'tags', 'contact_tags', 'service_windows', 'campaigns', 'campaign_zones', 'recipients', 'messages', 'provider_ids',
        'early_statuses', 'message_counts', 'scopes', 'wakes'] LOOP
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
    -- Login and routing happen before a company is known; sweeps and wakes run over all companies.
    FOREACH t IN ARRAY ARRAY['companies', 'users', 'sessions', 'webhook_routes', 'wakes', 'scopes'] LOOP
        EXECUTE format('CREATE POLICY system ON %I TO omnidesk_system USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd

GRANT SELECT, INSERT, UPDATE, DELETE ON connections, webhook_routes, contacts, identities, tags, contact_tags, service_windows,
    campaigns, campaign_zones, recipients, messages, provider_ids, early_statuses, message_counts, scopes TO omnidesk_app;
GRANT SELECT, UPDATE ON companies TO omnidesk_app;
GRANT SELECT, INSERT, UPDATE ON users TO omnidesk_app;
GRANT SELECT, UPDATE ON sessions TO omnidesk_app;
GRANT SELECT, INSERT ON zone_sets TO omnidesk_app;
GRANT INSERT ON wakes TO omnidesk_app;

GRANT SELECT, INSERT, UPDATE ON companies, users, sessions TO omnidesk_system;
GRANT SELECT ON webhook_routes, scopes TO omnidesk_system;
GRANT SELECT, INSERT, DELETE ON wakes TO omnidesk_system;

REVOKE EXECUTE ON FUNCTION ensure_message_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_message_partitions(integer) TO omnidesk_system;

