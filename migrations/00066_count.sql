-- How many contacts a search finds, when they are few.

-- +goose Up

-- -1 when they are more than 2,000: then it is cheaper to look at one contact after another. See search_contacts.
-- +goose StatementBegin
CREATE FUNCTION count_few_contacts(words text[], digits text) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off SET enable_bitmapscan = on SET jit = off
AS $$
DECLARE
    company  uuid := omnidesk.current_company();
    few      constant integer := 2000;
    matching text;
    looked   bigint;
    found    bigint;
BEGIN
    IF digits <> '' THEN
        EXECUTE 'SELECT count(*), count(DISTINCT f.contact_id) FROM (SELECT i.contact_id FROM omnidesk.identities i
            WHERE i.company_id = $1 AND i.kind = ''phone'' AND i.value LIKE $2 LIMIT $3) f'
            INTO looked, found USING company, digits, few + 1;
    ELSE
        SELECT string_agg(format('omnidesk.searchable(c.name) LIKE $2[%s]', n), ' AND ') INTO matching FROM generate_subscripts(words, 1) n;
        EXECUTE 'SELECT count(*), count(*) FROM (SELECT FROM omnidesk.contacts c WHERE c.company_id = $1 AND ' || matching || ' LIMIT $3) f'
            INTO looked, found USING company, words, few + 1;
    END IF;
    RETURN CASE WHEN looked > few THEN -1 ELSE found END;
END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION count_few_contacts(text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_few_contacts(text[], text) TO omnidesk_app;
