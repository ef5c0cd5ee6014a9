-- How many different contacts the numbers of a portfolio may write to first within 24 hours (Meta's tier), and to whom they have.

-- +goose Up

-- What several numbers share. A claim that may reach new contacts locks its number's scope, then this row.
CREATE TABLE portfolios (
    company_id   uuid    NOT NULL REFERENCES companies,
    id           text    NOT NULL CHECK (id <> ''), -- the provider's: Meta's business, or the WhatsApp account while that is not known
    contacts_24h integer NOT NULL CHECK (contacts_24h > 0),
    counted      integer NOT NULL DEFAULT 0, -- rows of portfolio_contacts
    PRIMARY KEY (company_id, id)
);
-- Contacts written to outside an open window, and when last. Older than 24 hours they count no more and are deleted by the next claim.
CREATE TABLE portfolio_contacts (
    company_id   uuid        NOT NULL,
    portfolio_id text        NOT NULL,
    contact_id   uuid        NOT NULL, -- no reference: who was deleted or merged counts on
    at           timestamptz NOT NULL,
    PRIMARY KEY (company_id, portfolio_id, contact_id),
    FOREIGN KEY (company_id, portfolio_id) REFERENCES portfolios (company_id, id) ON DELETE CASCADE
);
CREATE INDEX portfolio_contacts_at ON portfolio_contacts (company_id, portfolio_id, at);

-- Null: no tier is known, or it has no limit, and nothing is counted.
ALTER TABLE scopes ADD COLUMN portfolio_id text;

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['portfolios', 'portfolio_contacts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd
GRANT SELECT, INSERT, UPDATE, DELETE ON portfolios, portfolio_contacts TO omnidesk_app;

-- Connections whose tier is known already; which business owns them is learnt with the next check.
INSERT INTO portfolios (company_id, id, contacts_24h)
SELECT company_id, account_id, max(messaging_limit) FROM connections
WHERE messaging_limit > 0 AND account_id <> '' AND deleted_at IS NULL GROUP BY company_id, account_id;
INSERT INTO scopes (company_id, connection_id, portfolio_id)
SELECT company_id, id, account_id FROM connections WHERE messaging_limit > 0 AND account_id <> '' AND deleted_at IS NULL
ON CONFLICT (company_id, connection_id) DO UPDATE SET portfolio_id = EXCLUDED.portfolio_id;
INSERT INTO portfolio_contacts (company_id, portfolio_id, contact_id, at)
SELECT m.company_id, s.portfolio_id, m.contact_id, max(m.claimed_at)
FROM scopes s JOIN messages m ON m.company_id = s.company_id AND m.connection_id = s.connection_id
WHERE s.portfolio_id IS NOT NULL AND m.id >= uuid_floor(now() - interval '4 days') AND m.state BETWEEN 1 AND 6 AND m.claimed_at > now() - interval '24 hours'
GROUP BY 1, 2, 3;
UPDATE portfolios p SET counted = c.n
FROM (SELECT company_id, portfolio_id, count(*)::integer AS n FROM portfolio_contacts GROUP BY 1, 2) c
WHERE p.company_id = c.company_id AND p.id = c.portfolio_id;

-- What a message to a contact is for the tier: 0 within an open window and so not counted, 1 to somebody who is counted already,
-- 2 to somebody whose row is older than 24 hours, 3 to somebody new. Of its own, so that its plan is kept and never a scan.
-- +goose StatementBegin
CREATE FUNCTION tier_of(company uuid, connection uuid, portfolio text, contact uuid, now timestamptz) RETURNS integer
    LANGUAGE plpgsql STABLE
AS $$
DECLARE
    last timestamptz;
BEGIN
    IF EXISTS (SELECT FROM service_windows w WHERE w.company_id = company AND w.connection_id = connection AND w.contact_id = contact AND w.open_until > now) THEN
        RETURN 0;
    END IF;
    SELECT c.at INTO last FROM portfolio_contacts c WHERE c.company_id = company AND c.portfolio_id = portfolio AND c.contact_id = contact;
    RETURN CASE WHEN last > now - interval '24 hours' THEN 1 WHEN last IS NOT NULL THEN 2 ELSE 3 END;
END
$$;
-- +goose StatementEnd
