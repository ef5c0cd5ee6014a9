-- What came of tries that did not settle their message: it came back to the queue, or its outcome was not known for a while.
-- The row of a message tells only its last one.

-- +goose Up

CREATE TABLE tries (
    company_id   uuid        NOT NULL,
    message_id   uuid        NOT NULL,
    attempt_id   uuid        NOT NULL,
    at           timestamptz NOT NULL,
    state        smallint    NOT NULL, -- what the message became: queued or uncertain
    error_code   integer     NOT NULL, -- the provider's; 0: it gave none
    error_detail text        NOT NULL,
    PRIMARY KEY (company_id, message_id, attempt_id)
);
ALTER TABLE tries ENABLE ROW LEVEL SECURITY;
ALTER TABLE tries FORCE ROW LEVEL SECURITY;
CREATE POLICY company ON tries TO omnidesk_app
    USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()));
CREATE POLICY owner ON tries TO omnidesk_owner USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON tries TO omnidesk_app;
