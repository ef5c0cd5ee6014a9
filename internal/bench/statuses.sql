SET search_path = omnidesk;

-- Messages of one campaign that were sent (2) or whose outcome is unknown (6), as the recorder and the roll-ups leave them.
CREATE FUNCTION pg_temp.seed(company uuid, connection uuid, campaign uuid, ids uuid[], state int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    contact  uuid := gen_random_uuid();
    identity uuid := gen_random_uuid();
BEGIN
    INSERT INTO contacts (company_id, id, name) VALUES (company, contact, 'Ana');
    INSERT INTO identities (company_id, id, contact_id, kind, value) VALUES (company, identity, contact, 'phone', '+55' || abs(hashtext(contact::text)));
    INSERT INTO campaigns (company_id, id, connection_id, name, state, content, audience, recipients, frozen_at, started_at, finished_at)
    VALUES (company, campaign, connection, 'Bench', 'finished', '{"kind":"text","text":"Hello"}', '{"all":true}', cardinality(ids), now(), now(), now());
    INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, campaign_id, lane, state, attempts, claimed_at, sent_at, ended_at, provider_id, content)
    SELECT company, message, connection, contact, identity, campaign, 5, seed.state, 1, now(), CASE WHEN seed.state = 2 THEN now() END,
        CASE WHEN seed.state = 6 THEN now() END, CASE WHEN seed.state = 2 THEN 'wamid.' || message END, '{"text":"Hello"}'
    FROM unnest(ids) AS message;
    INSERT INTO provider_ids (company_id, connection_id, provider_id, message_id)
    SELECT company, connection, 'wamid.' || message, message FROM unnest(ids) AS message WHERE seed.state = 2;
    INSERT INTO campaign_counts (company_id, campaign_id, queued, sending, sent, failed, delivered, read, uncertain, canceled, expired, suppressed)
    VALUES (company, campaign, 0, 0, CASE state WHEN 2 THEN cardinality(ids) ELSE 0 END, 0, 0, 0, CASE state WHEN 6 THEN cardinality(ids) ELSE 0 END, 0, 0, 0);
END $$;

-- Every write that takes back what was reported leaves a line.
CREATE TABLE bench_backwards (message uuid);
CREATE FUNCTION bench_backwards() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = omnidesk AS
    $$ BEGIN INSERT INTO bench_backwards VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER bench_backwards AFTER UPDATE OF state ON messages FOR EACH ROW
    WHEN (OLD.state IN (2, 3, 4, 5) AND (NEW.state < OLD.state OR NEW.state > 5)) EXECUTE FUNCTION bench_backwards();

-- Once every status was answered 200, every outgoing message is read and has all its instants, the counts are those of the
-- rows, and every text that people wrote is there once.
CREATE FUNCTION pg_temp.compare(written text[], OUT lost int, OUT doubled int, OUT backwards int) LANGUAGE plpgsql AS $$
BEGIN
    SELECT count(*) FILTER (WHERE state <> 5) + count(*) FILTER (WHERE sent_at IS NULL) + count(*) FILTER (WHERE delivered_at IS NULL)
    INTO lost FROM messages WHERE direction = 0;
    lost := lost + (SELECT count(*) FROM unnest(written) AS w WHERE NOT EXISTS (SELECT FROM messages WHERE direction = 1 AND provider_id = w));
    SELECT COALESCE(sum(abs(counted - rows)), 0) INTO doubled FROM (
        SELECT campaign_id, sum(read) AS counted FROM (
            SELECT campaign_id, read FROM campaign_counts UNION ALL SELECT campaign_id, read FROM message_counts) c
        WHERE campaign_id IS NOT NULL GROUP BY 1) counts
    JOIN (SELECT campaign_id, count(*) AS rows FROM messages WHERE state = 5 GROUP BY 1) ledger USING (campaign_id);
    doubled := doubled + (SELECT COALESCE(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM messages WHERE direction = 1 GROUP BY company_id, connection_id, provider_id) twice);
    SELECT count(*) INTO backwards FROM bench_backwards;
END $$;
