-- Roll-ups: message_counts becomes an outbox of changes, and the worker carries them on into sums. A change is
-- deleted and added in one statement, so that no crash can lose it or count it twice.

-- +goose Up

-- A message without a campaign counts as well, so a change names its connection. An older program leaves it empty;
-- its campaign knows it.
ALTER TABLE message_counts DROP CONSTRAINT message_counts_pkey;
ALTER TABLE message_counts ALTER COLUMN campaign_id DROP NOT NULL;
ALTER TABLE message_counts ADD PRIMARY KEY (company_id, id);
ALTER TABLE message_counts ADD COLUMN connection_id uuid;
ALTER TABLE message_counts ADD COLUMN replies integer NOT NULL DEFAULT 0; -- messages that contacts wrote

-- Counts of a campaign's messages by their present state, up to the changes still in message_counts.
CREATE TABLE campaign_counts (
    company_id  uuid    NOT NULL,
    campaign_id uuid    NOT NULL,
    queued      integer NOT NULL,
    sending     integer NOT NULL,
    sent        integer NOT NULL,
    failed      integer NOT NULL,
    delivered   integer NOT NULL,
    read        integer NOT NULL,
    uncertain   integer NOT NULL,
    canceled    integer NOT NULL,
    expired     integer NOT NULL,
    suppressed  integer NOT NULL,
    PRIMARY KEY (company_id, campaign_id)
);

-- What became known in a span of time: sent counts messages accepted (delivered and read ones, too), delivered
-- counts read ones, too. A message that fails after it was accepted takes back its 1 at the instant that is known.

-- Per campaign: at is the start of a minute, or of an hour once it is two days old.
CREATE TABLE campaign_traffic (
    company_id  uuid        NOT NULL,
    campaign_id uuid        NOT NULL,
    at          timestamptz NOT NULL,
    sent        integer     NOT NULL,
    delivered   integer     NOT NULL,
    read        integer     NOT NULL,
    failed      integer     NOT NULL,
    uncertain   integer     NOT NULL,
    PRIMARY KEY (company_id, campaign_id, at)
);
CREATE INDEX campaign_traffic_at ON campaign_traffic (company_id, at);

-- Per connection, with messages of every kind: at is the start of a quarter of an hour, so that a day of any zone is exact.
CREATE TABLE traffic (
    company_id    uuid        NOT NULL,
    connection_id uuid        NOT NULL,
    at            timestamptz NOT NULL,
    sent          integer     NOT NULL,
    delivered     integer     NOT NULL,
    read          integer     NOT NULL,
    failed        integer     NOT NULL,
    uncertain     integer     NOT NULL,
    replies       integer     NOT NULL,
    PRIMARY KEY (company_id, at, connection_id)
);

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['campaign_counts', 'campaign_traffic', 'traffic'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd

GRANT SELECT, INSERT, UPDATE, DELETE ON campaign_counts, campaign_traffic, traffic TO omnidesk_app;

-- The worker asks which companies have changes to carry on.
CREATE POLICY system ON message_counts FOR SELECT TO omnidesk_system USING (true);
GRANT SELECT (company_id) ON message_counts TO omnidesk_system;
