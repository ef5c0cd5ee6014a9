-- A company of $1 = %[1]s with 200,000 contacts and 2,000,000 messages of 20 campaigns over the past 20 days.
SET search_path = omnidesk;
SET synchronous_commit = off;
SET work_mem = '256MB';

-- A UUIDv7 of an instant, so that rows lie in the partitions of their months.
CREATE FUNCTION pg_temp.uuid_at(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE
    AS $$ SELECT (left(omnidesk.uuid_floor(at)::text, 13) || '-7' || substr(gen_random_uuid()::text, 16))::uuid $$;

CREATE TEMP TABLE person AS
SELECT g, pg_temp.uuid_at(now() - interval '30 days' + g * interval '5 seconds') AS contact, gen_random_uuid() AS identity
FROM generate_series(1, 200000) g;
INSERT INTO contacts (company_id, id, name, zone, attributes, opted_out_at)
SELECT '%[1]s', contact,
    (ARRAY['Ana','João','Márcia','Rafael','Beatriz','Thiago','Patrícia','Eduardo','Simone','Lucas','Carla','Diego'])[1 + g %% 12] || ' ' ||
    (ARRAY['Souza','Lima','Fonseca','Teixeira','Barros','Gomes','Ramos','Duarte','Silva','Costa','Alves','Rocha','Nunes'])[1 + g %% 13] || ' ' || g,
    CASE WHEN g %% 10 = 0 THEN 'Europe/Lisbon' END,
    jsonb_build_object('city', (ARRAY['Recife','São Paulo','Olinda','Curitiba','Manaus'])[1 + g %% 5], 'points', g %% 1000),
    CASE WHEN g %% 50 = 0 THEN now() END
FROM person;
INSERT INTO identities (company_id, id, contact_id, kind, value)
SELECT '%[1]s', identity, contact, 'phone', '+55119' || lpad(g::text, 8, '0') FROM person;
INSERT INTO tags (company_id, id, name) SELECT '%[1]s', gen_random_uuid(), 'tag ' || g FROM generate_series(1, 20) g;
INSERT INTO contact_tags (company_id, tag_id, contact_id)
SELECT '%[1]s', t.id, p.contact FROM person p JOIN (SELECT id, row_number() OVER (ORDER BY name) AS n FROM tags WHERE company_id = '%[1]s') t
    ON p.g %% 20 = t.n - 1 OR p.g %% 7 = t.n - 1;

CREATE TEMP TABLE run AS
SELECT n, pg_temp.uuid_at(now() - n * interval '1 day') AS campaign, now() - n * interval '1 day' AS at FROM generate_series(1, 20) n;
INSERT INTO zone_sets (zones) VALUES ('America/Sao_Paulo') ON CONFLICT DO NOTHING;
INSERT INTO campaigns (company_id, id, connection_id, name, state, content, audience, recipients, created_at, frozen_at, started_at, finished_at)
SELECT '%[1]s', campaign, '%[2]s', 'Campaign ' || n, 'finished', '{"kind":"text","text":"Hello {{first_name}}"}', '{"all":true}', 100000,
    at, at, at, at + interval '20 minutes' FROM run;
INSERT INTO campaign_zones (company_id, campaign_id, zone_set_id, recipients, fed_through, done)
SELECT '%[1]s', campaign, (SELECT id FROM zone_sets WHERE zones = 'America/Sao_Paulo'), 100000, 100000, true FROM run;

-- Half of the contacts per campaign, the outcomes as a good list gives them.
CREATE TEMP TABLE line AS
SELECT r.campaign, r.at + p.g * interval '6 milliseconds' AS at, pg_temp.uuid_at(r.at + p.g * interval '6 milliseconds') AS message,
    p.contact, p.identity, (p.g + 1) / 2 AS sequence,
    CASE WHEN x.r < 0.55 THEN 5 WHEN x.r < 0.85 THEN 4 WHEN x.r < 0.93 THEN 2 WHEN x.r < 0.995 THEN 3 WHEN x.r < 0.9955 THEN 6 ELSE 9 END AS state
FROM run r JOIN person p ON p.g %% 2 = r.n %% 2 CROSS JOIN LATERAL (SELECT random() AS r, p.g, r.n) x;
INSERT INTO recipients (company_id, campaign_id, zone_set_id, sequence, contact_id, identity_id, text_version)
SELECT '%[1]s', campaign, (SELECT id FROM zone_sets WHERE zones = 'America/Sao_Paulo'), sequence, contact, identity, 1 FROM line;
INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, campaign_id, zone_set_id, sequence, lane, state, attempts,
    claimed_at, sent_at, delivered_at, read_at, ended_at, error_code, error_detail, provider_id, content)
SELECT '%[1]s', message, '%[2]s', contact, identity, campaign, (SELECT id FROM zone_sets WHERE zones = 'America/Sao_Paulo'), sequence, 5, state, 1,
    at, CASE WHEN state IN (2, 4, 5) THEN at END, CASE WHEN state IN (4, 5) THEN at + interval '2 seconds' END,
    CASE WHEN state = 5 THEN at + interval '1 minute' END, CASE WHEN state IN (3, 6, 9) THEN at END,
    CASE WHEN state = 3 THEN (ARRAY[131026, 131049, 131047])[1 + sequence %% 3] END, CASE WHEN state = 3 THEN 'as the provider said' END,
    'wamid.' || message, '{"kind":"text","text":"Hello"}'
FROM line;
INSERT INTO contact_messages (company_id, contact_id, message_id) SELECT '%[1]s', contact, message FROM line;

-- One in twenty who read it answered, ten minutes later.
CREATE TEMP TABLE reply AS
SELECT campaign, message, contact, identity, at + interval '10 minutes' AS at, pg_temp.uuid_at(at + interval '10 minutes') AS inbound
FROM line WHERE state = 5 AND random() < 0.05;
INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, direction, lane, state, provider_id, content)
SELECT '%[1]s', inbound, '%[2]s', contact, identity, 1, 0, 10, 'wamid.' || inbound, '{"kind":"text","text":"Thank you"}' FROM reply;
INSERT INTO contact_messages (company_id, contact_id, message_id) SELECT '%[1]s', contact, inbound FROM reply;
INSERT INTO campaign_replies (company_id, campaign_id, message_id, reply_id) SELECT '%[1]s', campaign, message, inbound FROM reply;
INSERT INTO conversations (company_id, id, connection_id, contact_id, last_id, last_inbound_id, unread)
SELECT '%[1]s', gen_random_uuid(), '%[2]s', contact, max(inbound::text)::uuid, max(inbound::text)::uuid, 1 FROM reply GROUP BY contact;
INSERT INTO service_windows (company_id, connection_id, contact_id, open_until)
SELECT '%[1]s', '%[2]s', contact, max(at) + interval '24 hours' FROM reply GROUP BY contact;

-- What the roll-ups would have made of them.
INSERT INTO campaign_counts (company_id, campaign_id, queued, sending, sent, failed, delivered, read, uncertain, canceled, expired, suppressed)
SELECT '%[1]s', campaign, 0, 0, count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 4),
    count(*) FILTER (WHERE state = 5), count(*) FILTER (WHERE state = 6), 0, 0, count(*) FILTER (WHERE state = 9)
FROM line GROUP BY campaign;
CREATE TEMP TABLE minute AS
SELECT campaign, date_trunc('minute', at) AS at, count(*) FILTER (WHERE state IN (2, 4, 5)) AS sent, count(*) FILTER (WHERE state IN (4, 5)) AS delivered,
    count(*) FILTER (WHERE state = 5) AS read, count(*) FILTER (WHERE state = 3) AS failed, count(*) FILTER (WHERE state = 6) AS uncertain
FROM line GROUP BY 1, 2;
INSERT INTO campaign_traffic (company_id, campaign_id, at, sent, delivered, read, failed, uncertain)
SELECT '%[1]s', campaign, at, sent, delivered, read, failed, uncertain FROM minute;
INSERT INTO traffic (company_id, connection_id, at, sent, delivered, read, failed, uncertain, replies)
SELECT '%[1]s', '%[2]s', date_bin('15 minutes', at, 'epoch'), sum(sent), sum(delivered), sum(read), sum(failed), sum(uncertain), 7
FROM minute GROUP BY 3;
INSERT INTO failure_counts (company_id, campaign_id, error_code, count)
SELECT '%[1]s', campaign_id, error_code, count(*) FROM messages WHERE state = 3 GROUP BY 2, 3;
