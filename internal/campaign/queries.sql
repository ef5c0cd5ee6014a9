-- name: Insert :exec
INSERT INTO campaigns (company_id, id, connection_id, name, content, audience, starts_at, expires_at)
VALUES (@company_id, @id, @connection_id, @name, @content, @audience, sqlc.narg(starts_at), sqlc.narg(expires_at));

-- name: Get :one
SELECT sqlc.embed(k), n.name AS connection_name FROM campaigns k
JOIN connections n ON n.company_id = k.company_id AND n.id = k.connection_id
WHERE k.company_id = @company_id AND k.id = @id;

-- name: Lock :one
SELECT * FROM campaigns WHERE company_id = @company_id AND id = @id FOR UPDATE;

-- name: LockShared :one
SELECT * FROM campaigns WHERE company_id = @company_id AND id = @id FOR SHARE;

-- name: List :many
SELECT sqlc.embed(k), n.name AS connection_name FROM campaigns k
JOIN connections n ON n.company_id = k.company_id AND n.id = k.connection_id
WHERE k.company_id = @company_id AND k.id < sqlc.arg(before_id)::uuid AND (sqlc.arg(state)::text = '' OR k.state = sqlc.arg(state)::text)
ORDER BY k.id DESC LIMIT @row_limit;

-- name: UpdateDraft :execrows
UPDATE campaigns SET connection_id = @connection_id, name = @name, content = @content, audience = @audience,
    starts_at = sqlc.narg(starts_at), expires_at = sqlc.narg(expires_at), version = version + 1
WHERE company_id = @company_id AND id = @id AND state = 'draft' AND version = @version;

-- name: DeleteDraft :execrows
DELETE FROM campaigns WHERE company_id = @company_id AND id = @id AND state = 'draft';

-- name: SetState :exec
UPDATE campaigns SET state = sqlc.arg(state)::text, state_detail = sqlc.arg(state_detail)::text, version = version + 1,
    started_at = CASE WHEN sqlc.arg(state)::text = 'running' THEN coalesce(started_at, sqlc.arg(now)::timestamptz) ELSE started_at END,
    finished_at = CASE WHEN sqlc.arg(state)::text IN ('finished', 'canceled') THEN sqlc.arg(now)::timestamptz ELSE finished_at END
WHERE company_id = @company_id AND id = @id;

-- name: SetFrozen :exec
UPDATE campaigns SET frozen_at = sqlc.arg(frozen_at)::timestamptz, recipients = @recipients, skipped = @skipped
WHERE company_id = @company_id AND id = @id;

-- name: AddZoneSets :exec
-- The zone sets a freeze will need, before it: the freeze then is one statement over what is there.
INSERT INTO zone_sets (zones)
SELECT c.zone FROM contacts c WHERE c.company_id = @company_id AND c.zone IS NOT NULL
UNION SELECT i.zones FROM identities i WHERE i.company_id = @company_id AND i.zones <> ''
UNION SELECT sqlc.arg(company_zone)::text
ON CONFLICT DO NOTHING;

-- name: Freeze :one
-- The audience, frozen in one statement: one recipient per contact, by its oldest phone; a sequence per zone set.
WITH member AS (
    SELECT c.id, c.zone, c.opted_out_at IS NOT NULL AS opted_out
    FROM contacts c
    WHERE c.company_id = @company_id
      AND (sqlc.arg(everyone)::boolean OR EXISTS (SELECT FROM contact_tags t
          WHERE t.company_id = c.company_id AND t.contact_id = c.id AND t.tag_id = ANY(sqlc.arg(tag_ids)::uuid[])))
), phone AS (
    -- Joined as a set: a look-up per contact would take as long as everything else together.
    SELECT DISTINCT ON (i.contact_id) i.contact_id, i.id AS identity_id, i.zones
    FROM identities i JOIN member m ON m.id = i.contact_id
    WHERE i.company_id = @company_id AND i.kind = 'phone'
    ORDER BY i.contact_id, i.id
), reach AS (
    -- The contact's own zone, else those of the number, else the company's.
    SELECT m.id, m.opted_out, coalesce(m.zone, nullif(p.zones, ''), sqlc.arg(company_zone)::text) AS zones, p.identity_id, NOT sqlc.arg(needs_window)::boolean OR w.contact_id IS NOT NULL AS reachable
    FROM member m
    LEFT JOIN phone p ON p.contact_id = m.id
    LEFT JOIN service_windows w ON w.company_id = @company_id AND w.connection_id = sqlc.arg(connection_id)::uuid
        AND w.contact_id = m.id AND w.open_until > sqlc.arg(now)::timestamptz
), fit AS (
    SELECT r.*, z.id AS zone_set_id, (row_number() OVER (PARTITION BY z.id ORDER BY r.id))::int AS sequence
    FROM reach r JOIN zone_sets z ON z.zones = r.zones
    WHERE NOT r.opted_out AND r.identity_id IS NOT NULL AND r.reachable
), planned AS (
    INSERT INTO recipients (company_id, campaign_id, zone_set_id, sequence, contact_id, identity_id, text_version)
    SELECT @company_id, sqlc.arg(campaign_id)::uuid, zone_set_id, sequence, id, identity_id, sqlc.arg(text_version)::int FROM fit
), zoned AS (
    INSERT INTO campaign_zones (company_id, campaign_id, zone_set_id, recipients)
    SELECT @company_id, sqlc.arg(campaign_id)::uuid, zone_set_id, count(*) FROM fit GROUP BY zone_set_id
)
SELECT (SELECT count(*) FROM fit)::int AS recipients,
    count(*) FILTER (WHERE opted_out)::int AS opted_out,
    count(*) FILTER (WHERE NOT opted_out AND identity_id IS NULL)::int AS no_phone,
    count(*) FILTER (WHERE NOT opted_out AND identity_id IS NOT NULL AND NOT reachable)::int AS window_shut
FROM reach;

-- name: Preview :one
-- What Freeze would plan.
WITH member AS (
    SELECT c.id, coalesce(c.zone, sqlc.arg(company_zone)::text) AS zone, c.opted_out_at IS NOT NULL AS opted_out
    FROM contacts c
    WHERE c.company_id = @company_id
      AND (sqlc.arg(everyone)::boolean OR EXISTS (SELECT FROM contact_tags t
          WHERE t.company_id = c.company_id AND t.contact_id = c.id AND t.tag_id = ANY(sqlc.arg(tag_ids)::uuid[])))
), phone AS (
    -- Joined as a set: a look-up per contact would take as long as everything else together.
    SELECT DISTINCT ON (i.contact_id) i.contact_id, i.id AS identity_id
    FROM identities i JOIN member m ON m.id = i.contact_id
    WHERE i.company_id = @company_id AND i.kind = 'phone'
    ORDER BY i.contact_id, i.id
), reach AS (
    SELECT m.*, p.identity_id, NOT sqlc.arg(needs_window)::boolean OR w.contact_id IS NOT NULL AS reachable
    FROM member m
    LEFT JOIN phone p ON p.contact_id = m.id
    LEFT JOIN service_windows w ON w.company_id = @company_id AND w.connection_id = sqlc.arg(connection_id)::uuid
        AND w.contact_id = m.id AND w.open_until > sqlc.arg(now)::timestamptz
)
SELECT count(*) FILTER (WHERE NOT opted_out AND identity_id IS NOT NULL AND reachable)::int AS recipients,
    count(*) FILTER (WHERE opted_out)::int AS opted_out,
    count(*) FILTER (WHERE NOT opted_out AND identity_id IS NULL)::int AS no_phone,
    count(*) FILTER (WHERE NOT opted_out AND identity_id IS NOT NULL AND NOT reachable)::int AS window_shut
FROM reach;

-- name: Reaches :one
-- Whether Freeze would plan anybody; it stops at the first.
SELECT EXISTS (
    SELECT FROM contacts c
    WHERE c.company_id = @company_id AND c.opted_out_at IS NULL
      AND (sqlc.arg(everyone)::boolean OR EXISTS (SELECT FROM contact_tags t
          WHERE t.company_id = c.company_id AND t.contact_id = c.id AND t.tag_id = ANY(sqlc.arg(tag_ids)::uuid[])))
      AND EXISTS (SELECT FROM identities i WHERE i.company_id = c.company_id AND i.contact_id = c.id AND i.kind = 'phone')
      AND (NOT sqlc.arg(needs_window)::boolean OR EXISTS (SELECT FROM service_windows w WHERE w.company_id = c.company_id
          AND w.connection_id = sqlc.arg(connection_id)::uuid AND w.contact_id = c.id AND w.open_until > sqlc.arg(now)::timestamptz))
) AS anybody;

-- name: Samples :many
SELECT c.id, c.name, coalesce(c.zone, '') AS zone, c.attributes, i.value AS phone
FROM contacts c
JOIN identities i ON i.company_id = c.company_id AND i.contact_id = c.id AND i.kind = 'phone'
WHERE c.company_id = @company_id AND c.opted_out_at IS NULL
  AND (sqlc.arg(everyone)::boolean OR EXISTS (SELECT FROM contact_tags t
      WHERE t.company_id = c.company_id AND t.contact_id = c.id AND t.tag_id = ANY(sqlc.arg(tag_ids)::uuid[])))
ORDER BY c.id LIMIT @row_limit;

-- name: KnownAttributes :many
-- Which of the named attributes exist on at least one contact of the company.
SELECT DISTINCT f.field::text AS field FROM (SELECT unnest(sqlc.arg(fields)::text[]) AS field) f
WHERE EXISTS (SELECT FROM contacts c WHERE c.company_id = @company_id AND c.attributes -> f.field IS NOT NULL);

-- name: KnownTags :one
SELECT count(*)::int FROM tags WHERE company_id = @company_id AND id = ANY(sqlc.arg(tag_ids)::uuid[]);

-- name: ConnectionState :one
-- Shared, so that a connection is not deleted while a campaign on it starts.
SELECT state, state_detail, disabled_at IS NOT NULL AS disabled, deleted_at IS NOT NULL AS deleted
FROM connections WHERE company_id = @company_id AND id = @id FOR SHARE;

-- name: CompanyZone :one
SELECT zone FROM companies WHERE company_id = @company_id;

-- name: UnfedZones :many
SELECT zone_set_id, recipients, fed_through FROM campaign_zones
WHERE company_id = @company_id AND campaign_id = @campaign_id AND NOT done
ORDER BY zone_set_id
FOR UPDATE;

-- name: AdvanceZone :exec
UPDATE campaign_zones SET fed_through = @fed_through, done = (@fed_through >= recipients)
WHERE company_id = @company_id AND campaign_id = @campaign_id AND zone_set_id = @zone_set_id;

-- name: CloseZones :exec
UPDATE campaign_zones SET done = true WHERE company_id = @company_id AND campaign_id = @campaign_id;

-- name: HasUnfed :one
SELECT EXISTS (SELECT FROM campaign_zones WHERE company_id = @company_id AND campaign_id = @campaign_id AND NOT done) AS unfed;
