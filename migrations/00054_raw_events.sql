-- What providers' webhooks have said, as it came: sealed, one row for each entry, for eight days.

-- +goose Up

CREATE TABLE raw_events (
    company_id    uuid     NOT NULL,
    id            uuid     NOT NULL, -- its instant is that of receipt
    connection_id uuid     NOT NULL, -- that it was taken for; of a stray, the one whose address it came to
    kind          text     NOT NULL,
    state         smallint NOT NULL, -- 0 taken · 1 parked · 2 replayed · 3 discarded
    reason        text     NOT NULL DEFAULT '', -- why it was parked: places in it, never its content
    stray         boolean  NOT NULL DEFAULT false, -- it names what is no connection of this company's: its content is shown to nobody
    settled_at    timestamptz, -- replayed or discarded
    sealed        bytea    NOT NULL,
    PRIMARY KEY (company_id, id),
    CHECK (state BETWEEN 0 AND 3)
) PARTITION BY RANGE (id);
-- What is sealed does not become smaller by compressing it again.
ALTER TABLE raw_events ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX raw_events_notable ON raw_events (company_id, state, id) WHERE state > 0;
CREATE TABLE raw_events_default PARTITION OF raw_events DEFAULT;

-- Makes the partitions of today and the next days and drops those older than eight. Runs as its owner. A day that rows in
-- the default partition belong to gets no partition: they are found there as well, and leave after their eight days.
-- The lock time-out keeps webhooks from waiting behind whoever reads an old day for long; the next call tries again.
-- +goose StatementBegin
CREATE FUNCTION ensure_raw_event_partitions(days_ahead integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
    home  text := (SELECT nspname FROM pg_namespace n JOIN pg_proc p ON p.pronamespace = n.oid
                   WHERE p.proname = 'ensure_raw_event_partitions' AND pg_get_userbyid(p.proowner) = current_user LIMIT 1);
    today timestamptz := date_trunc('day', now(), 'UTC');
    day   timestamptz;
    part  text;
    stray boolean;
    oldest text := 'raw_events_' || to_char((today - interval '8 days') AT TIME ZONE 'UTC', 'YYYY_MM_DD');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('ensure_raw_event_partitions'));
    FOR i IN 0..days_ahead LOOP
        day := today + make_interval(hours => 24 * i);
        part := 'raw_events_' || to_char(day AT TIME ZONE 'UTC', 'YYYY_MM_DD');
        CONTINUE WHEN to_regclass(format('%I.%I', home, part)) IS NOT NULL;
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.raw_events_default WHERE id >= %1$I.uuid_floor(%2$L) AND id < %1$I.uuid_floor(%3$L))',
                       home, day, day + interval '24 hours') INTO stray;
        IF NOT stray THEN
            EXECUTE format('CREATE TABLE %1$I.%2$I PARTITION OF %1$I.raw_events FOR VALUES FROM (%1$I.uuid_floor(%3$L)) TO (%1$I.uuid_floor(%4$L))',
                           home, part, day, day + interval '24 hours');
        END IF;
    END LOOP;
    FOR part IN SELECT c.relname FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
                WHERE h.inhparent = format('%I.raw_events', home)::regclass AND c.relname <> 'raw_events_default' AND c.relname < oldest LOOP
        EXECUTE format('DROP TABLE %I.%I', home, part);
    END LOOP;
    EXECUTE format('DELETE FROM %1$I.raw_events_default WHERE id < %1$I.uuid_floor(%2$L)', home, today - interval '8 days');
END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION ensure_raw_event_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_raw_event_partitions(integer) TO omnidesk_system;

ALTER TABLE raw_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE raw_events FORCE ROW LEVEL SECURITY;
CREATE POLICY company ON raw_events TO omnidesk_app
    USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()));
CREATE POLICY owner ON raw_events TO omnidesk_owner USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON raw_events TO omnidesk_app;
SELECT ensure_raw_event_partitions(3);

-- Entries about an account, not a number, lead to the connections that have it.
ALTER TABLE webhook_routes ADD COLUMN account_id text NOT NULL DEFAULT '';
UPDATE webhook_routes w SET account_id = c.account_id FROM connections c WHERE c.company_id = w.company_id AND c.id = w.connection_id;
CREATE INDEX webhook_routes_account ON webhook_routes (account_id);
