-- The demo company can be removed, once and for all.

-- +goose Up

-- What happens once per installation. No company's data.
CREATE TABLE once (
    name text PRIMARY KEY,
    at   timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON once TO omnidesk_system;

-- Deletes up to most rows of each table that a demo company has rows in, and returns how many went. What other rows
-- refer to goes with a later call. Companies, users, sessions and wakes stay: see drop_demo_company, and the relay.
-- Runs as its owner: the application may delete no company, and of no company but a demo does this delete a row.
-- +goose StatementBegin
CREATE FUNCTION delete_demo_rows(demo uuid, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home    text := (SELECT nspname FROM pg_namespace n JOIN pg_proc p ON p.pronamespace = n.oid
                     WHERE p.proname = 'delete_demo_rows' AND pg_get_userbyid(p.proowner) = current_user LIMIT 1);
    is_demo boolean;
    part    text;
    gone    bigint;
    total   bigint := 0;
    blocked text;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.companies WHERE company_id = $1 AND demo)', home) INTO is_demo USING demo;
    IF NOT is_demo THEN
        RAISE EXCEPTION 'company % is no demo company', demo;
    END IF;
    FOR part IN
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = home AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND c.relname NOT IN ('companies', 'users', 'sessions', 'wakes')
          AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'company_id' AND NOT a.attisdropped)
        ORDER BY c.relname
    LOOP
        BEGIN
            EXECUTE format('DELETE FROM %1$I.%2$I WHERE company_id = $1 AND (tableoid, ctid) IN
                (SELECT tableoid, ctid FROM %1$I.%2$I WHERE company_id = $1 LIMIT $2)', home, part) USING demo, most;
            GET DIAGNOSTICS gone = ROW_COUNT;
            total := total + gone;
        EXCEPTION WHEN foreign_key_violation THEN
            blocked := part;
        END;
    END LOOP;
    IF total = 0 AND blocked IS NOT NULL THEN
        RAISE EXCEPTION 'rows of % are referred to by something that stays', blocked;
    END IF;
    RETURN total;
END
$$;
-- +goose StatementEnd

-- Ends an emptied demo company with its people. heir, if not null, is one of them who goes on in the company fresh.
-- +goose StatementBegin
CREATE FUNCTION drop_demo_company(demo uuid, heir uuid, fresh uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home text := (SELECT nspname FROM pg_namespace n JOIN pg_proc p ON p.pronamespace = n.oid
                  WHERE p.proname = 'drop_demo_company' AND pg_get_userbyid(p.proowner) = current_user LIMIT 1);
    gone bigint;
BEGIN
    EXECUTE format('DELETE FROM %1$I.sessions WHERE company_id = $1 OR user_id IN (SELECT id FROM %1$I.users WHERE company_id = $1)', home) USING demo;
    EXECUTE format('UPDATE %I.users SET company_id = $3 WHERE id = $2 AND company_id = $1', home) USING demo, heir, fresh;
    EXECUTE format('DELETE FROM %I.users WHERE company_id = $1', home) USING demo;
    EXECUTE format('DELETE FROM %I.companies WHERE company_id = $1 AND demo', home) USING demo;
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone = 0 THEN
        RAISE EXCEPTION 'company % is no demo company', demo;
    END IF;
END
$$;
-- +goose StatementEnd

REVOKE EXECUTE ON FUNCTION delete_demo_rows(uuid, integer), drop_demo_company(uuid, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delete_demo_rows(uuid, integer), drop_demo_company(uuid, uuid, uuid) TO omnidesk_system;
