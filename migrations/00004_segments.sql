-- Segments, the search for contacts, their counts, and which messages each of them was sent.

-- +goose Up

-- ---------------------------------------------------------------- segments

-- A saved filter (internal/filter). Who is in it is asked anew each time.
CREATE TABLE segments (
    company_id uuid        NOT NULL REFERENCES companies,
    id         uuid        NOT NULL,
    name       text        NOT NULL CHECK (name <> ''),
    filter     text        NOT NULL CHECK (filter <> ''),
    version    integer     NOT NULL DEFAULT 1, -- an edit names the one it has seen
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id)
);
CREATE UNIQUE INDEX segments_name ON segments (company_id, lower(name));

-- ---------------------------------------------------------------- counts of contacts

-- Changes of a tag's count of contacts, one row per statement and tag; the nil tag counts all contacts. A sum over them
-- is the count, and a reader who finds many sums them up. Triggers write them: an undone import deletes contacts, and
-- with them their tags.
CREATE TABLE contact_counts (
    company_id uuid    NOT NULL,
    tag_id     uuid    NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    contacts   integer NOT NULL,
    PRIMARY KEY (company_id, tag_id, id)
);

-- +goose StatementBegin
CREATE FUNCTION count_contacts() RETURNS trigger
    LANGUAGE plpgsql SET search_path = omnidesk, pg_temp
AS $$
BEGIN
    IF TG_TABLE_NAME = 'contacts' THEN
        INSERT INTO contact_counts (company_id, tag_id, contacts)
        SELECT company_id, '00000000-0000-0000-0000-000000000000', CASE TG_OP WHEN 'DELETE' THEN -count(*) ELSE count(*) END
        FROM changed GROUP BY company_id;
    ELSE
        INSERT INTO contact_counts (company_id, tag_id, contacts)
        SELECT company_id, tag_id, CASE TG_OP WHEN 'DELETE' THEN -count(*) ELSE count(*) END
        FROM changed GROUP BY company_id, tag_id;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER counted_in AFTER INSERT ON contacts REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_contacts();
CREATE TRIGGER counted_out AFTER DELETE ON contacts REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_contacts();
CREATE TRIGGER counted_in AFTER INSERT ON contact_tags REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_contacts();
CREATE TRIGGER counted_out AFTER DELETE ON contact_tags REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_contacts();

INSERT INTO contact_counts (company_id, tag_id, contacts)
SELECT company_id, '00000000-0000-0000-0000-000000000000', count(*) FROM contacts GROUP BY company_id
UNION ALL SELECT company_id, tag_id, count(*) FROM contact_tags GROUP BY company_id, tag_id;

-- ---------------------------------------------------------------- search

-- A name as it is searched: without case and accents, and with a space before its first word, too.
-- +goose StatementBegin
CREATE FUNCTION searchable(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT ' ' || translate(lower(name), 'àáâãäåçèéêëìíîïñòóôõöùúûüýÿ', 'aaaaaaceeeeiiiinooooouuuuyy')
$$;
-- +goose StatementEnd

-- The operator classes are those of extensions that the migrating role has made, in whatever schema they are. The
-- company leads, so that a search costs by the size of one company only.
-- +goose StatementBegin
DO $$
DECLARE
    trigrams text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm');
    scalars  text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'btree_gin');
BEGIN
    EXECUTE format('CREATE INDEX contacts_name ON contacts USING gin (company_id %1$I.uuid_ops, searchable(name) %2$I.gin_trgm_ops)
        WITH (gin_pending_list_limit = 1024)', scalars, trigrams);
    EXECUTE format('CREATE INDEX identities_digits ON identities USING gin (company_id %1$I.uuid_ops, value %2$I.gin_trgm_ops)
        WITH (gin_pending_list_limit = 1024) WHERE kind = ''phone''', scalars, trigrams);
END
$$;
-- +goose StatementEnd

-- Contacts of the transaction's company, newest first, made before one: by a number's digits when some are given, else by
-- all of the words, which come folded like searchable and escaped for LIKE. At most so many.
--
-- It runs as its owner because under row-level security LIKE is no condition on an index: it could leak. So it names the
-- company itself. First the index is asked, unordered, for the matches; when they are too many to be sorted, the newest
-- contacts are walked instead, where such a word is soon met. Left to itself the planner guesses wrong for words
-- that are rarer than their letters.
-- +goose StatementBegin
CREATE FUNCTION search_contacts(words text[], digits text, before uuid, most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off
    SET enable_bitmapscan = on SET enable_sort = on SET jit = off -- named here, so that what is set below ends with the function
AS $$
DECLARE
    company  uuid := omnidesk.current_company();
    few      constant integer := 2000;
    matching text;
    found    uuid[];
BEGIN
    IF digits <> '' THEN
        matching := 'i.company_id = $1 AND i.kind = ''phone'' AND i.value LIKE $3';
        EXECUTE 'SELECT array_agg(f.contact_id) FROM (SELECT i.contact_id FROM omnidesk.identities i WHERE ' || matching || ' LIMIT $4) f'
            INTO found USING company, words, digits, few + 1;
        matching := 'EXISTS (SELECT FROM omnidesk.identities i WHERE i.contact_id = c.id AND ' || matching || ')';
    ELSE
        SELECT string_agg(format('omnidesk.searchable(c.name) LIKE $2[%s]', n), ' AND ') INTO matching FROM generate_subscripts(words, 1) n;
        EXECUTE 'SELECT array_agg(f.id) FROM (SELECT c.id FROM omnidesk.contacts c WHERE c.company_id = $1 AND ' || matching || ' LIMIT $4) f'
            INTO found USING company, words, digits, few + 1;
    END IF;
    IF coalesce(cardinality(found), 0) <= few THEN
        RETURN QUERY SELECT DISTINCT f.id FROM unnest(found) f (id) WHERE f.id < before ORDER BY f.id DESC LIMIT most;
        RETURN;
    END IF;
    PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_indexonlyscan', 'on', true),
        set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true);
    RETURN QUERY EXECUTE 'SELECT c.id FROM omnidesk.contacts c WHERE c.company_id = $1 AND c.id < $4 AND ' || matching || ' ORDER BY c.id DESC LIMIT $5'
        USING company, words, digits, before, most;
END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION search_contacts(text[], text, uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_contacts(text[], text, uuid, integer) TO omnidesk_app;

-- ---------------------------------------------------------------- a contact's messages

-- Written with a message and never changed: an index on messages would take an entry at each change of a state.
CREATE TABLE contact_messages (
    company_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    message_id uuid NOT NULL,
    PRIMARY KEY (company_id, contact_id, message_id)
);
INSERT INTO contact_messages (company_id, contact_id, message_id) SELECT company_id, contact_id, id FROM messages;

-- ---------------------------------------------------------------- row-level security and grants

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['segments', 'contact_counts', 'contact_messages'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd

GRANT SELECT, INSERT, UPDATE, DELETE ON segments TO omnidesk_app;
GRANT SELECT, INSERT, DELETE ON contact_counts TO omnidesk_app;
GRANT SELECT, INSERT ON contact_messages TO omnidesk_app;
