-- What became of a campaign, in words: failures by the provider's code, and what its messages waited for.

-- +goose Up

-- Changes of a campaign's failures by code, one row per batch and code, as message_counts is of its states.
CREATE TABLE failure_counts (
    company_id  uuid    NOT NULL,
    campaign_id uuid    NOT NULL,
    error_code  integer NOT NULL, -- the provider's; 0: it gave none
    id          bigint GENERATED ALWAYS AS IDENTITY,
    count       integer NOT NULL,
    PRIMARY KEY (company_id, campaign_id, error_code, id)
);
INSERT INTO failure_counts (company_id, campaign_id, error_code, count)
SELECT company_id, campaign_id, coalesce(error_code, 0), count(*) FROM messages
WHERE state = 3 AND campaign_id IS NOT NULL GROUP BY 1, 2, 3;

-- Failed messages by code: a list of one code, and whom "send again" is for. No other message has an entry here.
CREATE INDEX messages_failed ON messages (company_id, campaign_id, (coalesce(error_code, 0)), id) WHERE state = 3;

-- What held up a campaign or a connection, from when to when. A message's waits are those that lie in its time.
CREATE TABLE waits (
    company_id uuid        NOT NULL,
    subject_id uuid        NOT NULL, -- a campaign or a connection
    id         bigint GENERATED ALWAYS AS IDENTITY,
    reason     text        NOT NULL CHECK (reason <> ''),
    began_at   timestamptz NOT NULL,
    until_at   timestamptz, -- as foreseen
    ended_at   timestamptz,
    PRIMARY KEY (company_id, subject_id, id)
);
CREATE UNIQUE INDEX waits_open ON waits (company_id, subject_id) WHERE ended_at IS NULL;

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['failure_counts', 'waits'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd
GRANT SELECT, INSERT, UPDATE, DELETE ON failure_counts, waits TO omnidesk_app;
