-- What providers say of accounts, templates and wishes, and connections that are not heard from.

-- +goose Up

-- The last wish of a contact, by the provider's clock: a webhook may bring an older one later.
ALTER TABLE contacts ADD COLUMN wished_at timestamptz, ADD COLUMN wished_by text CHECK (wished_by IN ('keyword', 'provider'));

ALTER TABLE connections
    ADD COLUMN alert        text NOT NULL DEFAULT '', -- what the provider warned of last; a check that finds all well ends it
    ADD COLUMN alert_at     timestamptz,
    ADD COLUMN silent_since timestamptz; -- nothing was heard since then, longer than usual, while it sends

ALTER TABLE notices DROP CONSTRAINT notices_kind_check;
ALTER TABLE notices ADD CONSTRAINT notices_kind_check
    CHECK (kind IN ('campaign_finished', 'campaign_paused', 'connection_lost', 'connection_warned', 'connection_silent', 'template_stopped', 'messages_uncertain'));

-- When a connection was last heard from, and how often it usually is.
CREATE INDEX raw_events_connection ON raw_events (company_id, connection_id, id);
