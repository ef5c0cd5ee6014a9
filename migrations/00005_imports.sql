-- Imports of contacts, and the zones a phone number says its owner is in.

-- +goose Up

-- What the number's prefix tells about the time where its owner is: IANA zones, sorted and joined by a comma. Written with
-- the identity, because to compute it needs a table of prefixes that SQL has not. '' means that nothing can be told; null,
-- not asked yet.
ALTER TABLE identities ADD COLUMN zones text;
CREATE INDEX identities_zoneless ON identities (company_id, id) WHERE kind = 'phone' AND zones IS NULL;

-- A contact that is deleted takes its windows along.
CREATE INDEX service_windows_contact ON service_windows (company_id, contact_id);

CREATE TABLE imports (
    company_id   uuid        NOT NULL REFERENCES companies,
    id           uuid        NOT NULL,
    state        text        NOT NULL DEFAULT 'uploading'
        CHECK (state IN ('uploading', 'uploaded', 'ready', 'running', 'finished', 'stopped', 'undoing', 'undone')),
    state_detail text        NOT NULL DEFAULT '', -- why it is in this state, in words
    file_name    text        NOT NULL,
    bytes        bigint      NOT NULL DEFAULT 0,
    columns      jsonb       NOT NULL DEFAULT '[]', -- titles and the first cells of each; the cells go when it ends
    mapping      jsonb       NOT NULL DEFAULT '[]', -- which field each column fills
    options      jsonb       NOT NULL DEFAULT '{}',
    preview      jsonb, -- what a run would do; null until the file has been read with this mapping
    counts       jsonb       NOT NULL DEFAULT '{}',
    cursor       integer     NOT NULL DEFAULT 0, -- run and undo: the last row that is done
    version      integer     NOT NULL DEFAULT 1, -- of mapping and options; an edit names the one it has seen
    created_by   uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,
    finished_at  timestamptz,
    undo_at      timestamptz, -- when the undo began
    undone_at    timestamptz,
    PRIMARY KEY (company_id, id)
);

-- The file, until the import has ended.
CREATE TABLE import_chunks (
    company_id uuid    NOT NULL,
    import_id  uuid    NOT NULL,
    number     integer NOT NULL,
    data       bytea   NOT NULL CHECK (length(data) <= 262144),
    PRIMARY KEY (company_id, import_id, number),
    FOREIGN KEY (company_id, import_id) REFERENCES imports (company_id, id) ON DELETE CASCADE
);
ALTER TABLE import_chunks ALTER COLUMN data SET STORAGE EXTERNAL; -- it lives for minutes: not worth compressing

-- What an import did with each contact it met: one row per contact, by the line on which it stands in the file.
CREATE TABLE import_rows (
    company_id uuid        NOT NULL,
    import_id  uuid        NOT NULL,
    row        integer     NOT NULL, -- the line of the file
    contact_id uuid        NOT NULL,
    outcome    text        NOT NULL CHECK (outcome IN ('added', 'updated', 'unchanged')),
    before     jsonb, -- what an undo restores; null: the contact was new, or nothing was changed
    changed_at timestamptz NOT NULL, -- the contact's updated_at after it: another one means somebody has edited it since
    undone     text CHECK (undone IN ('deleted', 'restored', 'used', 'edited', 'gone')), -- used and edited: kept
    -- No foreign keys: an undo deletes the contact and keeps the row, and a check per row would slow an import down.
    PRIMARY KEY (company_id, import_id, row)
);
-- The second row of one contact in one file is refused by this, whoever runs the import.
CREATE UNIQUE INDEX import_rows_contact ON import_rows (company_id, import_id, contact_id);

-- Rows that could not be used, with their cells, to be mended and imported again.
CREATE TABLE import_refused (
    company_id uuid    NOT NULL,
    import_id  uuid    NOT NULL,
    row        integer NOT NULL,
    title      text    NOT NULL DEFAULT '', -- of the column; empty when the row as a whole is unfit
    reason     text    NOT NULL,
    cells      text[]  NOT NULL DEFAULT '{}',
    PRIMARY KEY (company_id, import_id, row),
    FOREIGN KEY (company_id, import_id) REFERENCES imports (company_id, id) ON DELETE CASCADE
);

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['imports', 'import_chunks', 'import_rows', 'import_refused'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd

GRANT SELECT, INSERT, UPDATE, DELETE ON imports, import_chunks, import_rows, import_refused TO omnidesk_app;

ALTER TABLE wakes DROP CONSTRAINT wakes_workflow_check, ADD CONSTRAINT wakes_workflow_check CHECK (workflow IN ('campaign', 'sender', 'import'));
