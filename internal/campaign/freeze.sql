-- After reach.sql: the plan, one recipient per contact by its oldest phone, a sequence per zone set. $6 campaign ·
-- $7 text version.
, fit AS (
    SELECT r.*, z.id AS zone_set_id, (row_number() OVER (PARTITION BY z.id ORDER BY r.id))::int AS sequence
    FROM reach r JOIN zone_sets z ON z.zones = r.zones
    WHERE NOT r.opted_out AND r.identity_id IS NOT NULL AND r.reachable
), planned AS (
    INSERT INTO recipients (company_id, campaign_id, zone_set_id, sequence, contact_id, identity_id, text_version)
    SELECT $1, $6::uuid, zone_set_id, sequence, id, identity_id, $7::int FROM fit
), zoned AS (
    INSERT INTO campaign_zones (company_id, campaign_id, zone_set_id, recipients)
    SELECT $1, $6::uuid, zone_set_id, count(*) FROM fit GROUP BY zone_set_id
)
SELECT (SELECT count(*) FROM fit)::int,
    count(*) FILTER (WHERE opted_out)::int,
    count(*) FILTER (WHERE NOT opted_out AND identity_id IS NULL)::int,
    count(*) FILTER (WHERE NOT opted_out AND identity_id IS NOT NULL AND NOT reachable)::int
FROM reach
