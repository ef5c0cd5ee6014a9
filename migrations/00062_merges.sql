-- Contacts that were proven to be one.

-- +goose Up

-- Whom a contact was merged into. Such a contact has nothing any more; the mark of an opt-out keeps what might still be
-- queued for it from being sent.
ALTER TABLE contacts ADD COLUMN merged_into uuid;

CREATE TABLE contact_merges (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    winner_id  uuid        NOT NULL,
    loser_id   uuid        NOT NULL,
    by_id      uuid,       -- who said so; null: an identity of both proved it
    at         timestamptz NOT NULL,
    undone_at  timestamptz,
    before     jsonb       NOT NULL, -- what an undo needs
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, winner_id) REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, loser_id) REFERENCES contacts (company_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_merges_winner ON contact_merges (company_id, winner_id);
CREATE INDEX contact_merges_loser ON contact_merges (company_id, loser_id);

-- A merged contact is none of the company's any more, and after an undo it is again.
-- +goose StatementBegin
CREATE FUNCTION count_merged() RETURNS trigger
    LANGUAGE plpgsql SET search_path = omnidesk, pg_temp
AS $$
BEGIN
    INSERT INTO contact_counts (company_id, tag_id, contacts)
    VALUES (NEW.company_id, '00000000-0000-0000-0000-000000000000', CASE WHEN NEW.merged_into IS NULL THEN 1 ELSE -1 END);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER counted_merged AFTER UPDATE OF merged_into ON contacts FOR EACH ROW
    WHEN ((OLD.merged_into IS NULL) <> (NEW.merged_into IS NULL)) EXECUTE FUNCTION count_merged();

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['contact_merges'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd
GRANT SELECT, INSERT, UPDATE ON contact_merges TO omnidesk_app;
GRANT UPDATE (contact_id) ON contact_messages, message_changes TO omnidesk_app;
