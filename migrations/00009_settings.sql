-- Connections that can be disabled and deleted, and what a company's first steps have come to.

-- +goose Up

ALTER TABLE connections
    ADD COLUMN simulated          boolean     NOT NULL DEFAULT false, -- its number lives in the sandbox
    ADD COLUMN checks             jsonb       NOT NULL DEFAULT '[]', -- the last check, line by line
    ADD COLUMN token_expires_at   timestamptz, -- as the provider said; null: never, or not known
    -- Webhooks that were signed before the app secret changed may still be on their way.
    ADD COLUMN sealed_past_secret bytea,
    ADD COLUMN past_secret_until  timestamptz,
    ADD COLUMN disabled_at        timestamptz,
    ADD COLUMN deleted_at         timestamptz; -- the row stays: campaigns and messages name it

-- A deleted connection gives its number free.
ALTER TABLE connections DROP CONSTRAINT connections_company_id_number_id_key;
CREATE UNIQUE INDEX connections_number ON connections (company_id, number_id) WHERE deleted_at IS NULL;

-- closed: held by people, for good, until they open it; no outcome of a send ends such a hold.
ALTER TABLE scopes ADD COLUMN closed boolean NOT NULL DEFAULT false;

UPDATE connections c SET simulated = true FROM companies k
WHERE k.company_id = c.company_id AND k.demo AND c.number_id = '300000000000001';
