-- Which recipients of a campaign answered it.

-- +goose Up

-- One row for each recipient who wrote on the campaign's connection within 72 hours after their message was sent. What
-- a contact writes counts for the newest such message alone.
CREATE TABLE campaign_replies (
    company_id  uuid NOT NULL,
    campaign_id uuid NOT NULL,
    message_id  uuid NOT NULL, -- what was sent
    reply_id    uuid NOT NULL, -- the first that they wrote after it
    PRIMARY KEY (company_id, campaign_id, message_id)
);
ALTER TABLE campaign_replies ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_replies FORCE ROW LEVEL SECURITY;
CREATE POLICY company ON campaign_replies TO omnidesk_app
    USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()));
CREATE POLICY owner ON campaign_replies TO omnidesk_owner USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON campaign_replies TO omnidesk_app;

-- Recipients who answered; replies are messages.
ALTER TABLE message_counts ADD COLUMN replied integer NOT NULL DEFAULT 0;
ALTER TABLE campaign_counts ADD COLUMN replied integer NOT NULL DEFAULT 0;
ALTER TABLE campaign_traffic ADD COLUMN replied integer NOT NULL DEFAULT 0;
