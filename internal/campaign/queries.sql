-- name: Insert :exec
INSERT INTO campaigns (company_id, id, connection_id, name, content, audience, starts_at, expires_at, changed_at, changed_by)
VALUES (@company_id, @id, @connection_id, @name, @content, @audience, sqlc.narg(starts_at), sqlc.narg(expires_at), now(), sqlc.narg(changed_by));

-- name: Get :one
SELECT sqlc.embed(k), n.name AS connection_name,
    coalesce((SELECT u.name FROM users u WHERE u.company_id = k.company_id AND u.id = k.changed_by), '')::text AS changed_by_name
FROM campaigns k
JOIN connections n ON n.company_id = k.company_id AND n.id = k.connection_id
WHERE k.company_id = @company_id AND k.id = @id;

-- name: Lock :one
SELECT * FROM campaigns WHERE company_id = @company_id AND id = @id FOR UPDATE;

-- name: LockGoingOn :many
SELECT id, state FROM campaigns
WHERE company_id = @company_id AND (state IN ('starting', 'running') OR resumes_at IS NOT NULL OR (state = 'scheduled' AND starts_at <= sqlc.arg(now)::timestamptz))
ORDER BY id FOR UPDATE;

-- name: LockShared :one
SELECT * FROM campaigns WHERE company_id = @company_id AND id = @id FOR SHARE;

-- name: List :many
SELECT sqlc.embed(k), n.name AS connection_name FROM campaigns k
JOIN connections n ON n.company_id = k.company_id AND n.id = k.connection_id
WHERE k.company_id = @company_id AND k.id < sqlc.arg(before_id)::uuid AND (sqlc.arg(state)::text = '' OR k.state = sqlc.arg(state)::text)
ORDER BY k.id DESC LIMIT @row_limit;

-- name: UpdateDraft :execrows
UPDATE campaigns SET connection_id = @connection_id, name = @name, content = @content, audience = @audience,
    starts_at = sqlc.narg(starts_at), expires_at = sqlc.narg(expires_at), changed_at = now(), changed_by = sqlc.narg(changed_by),
    version = version + 1
WHERE company_id = @company_id AND id = @id AND state = 'draft' AND version = @version;

-- name: DeleteDraft :execrows
DELETE FROM campaigns WHERE company_id = @company_id AND id = @id AND state = 'draft';

-- name: SetState :exec
UPDATE campaigns SET state = sqlc.arg(state)::text, state_detail = sqlc.arg(state_detail)::text, version = version + 1,
    paused_code = NULL, resumes_at = NULL,
    started_at = CASE WHEN sqlc.arg(state)::text = 'running' THEN coalesce(started_at, sqlc.arg(now)::timestamptz) ELSE started_at END,
    finished_at = CASE WHEN sqlc.arg(state)::text IN ('finished', 'canceled') THEN sqlc.arg(now)::timestamptz ELSE finished_at END
WHERE company_id = @company_id AND id = @id;

-- name: PauseFor :many
-- Running campaigns of a connection, all or those with one campaign's template, or that one, are paused for an answer of the provider.
WITH met AS (SELECT c.content FROM campaigns c WHERE c.company_id = @company_id AND c.id = sqlc.narg(met_by)::uuid),
stopped AS (SELECT k.id FROM campaigns k
    WHERE k.company_id = @company_id AND k.connection_id = @connection_id AND k.state = 'running'
      AND (sqlc.arg(every)::boolean OR k.id = sqlc.narg(met_by)::uuid
        OR (sqlc.arg(same_template)::boolean AND EXISTS (SELECT FROM met WHERE met.content #>> '{template,name}' = k.content #>> '{template,name}'
            AND met.content #>> '{template,language}' = k.content #>> '{template,language}')))
    ORDER BY k.id FOR UPDATE)
UPDATE campaigns k SET state = 'paused', state_detail = sqlc.arg(reason)::text, paused_code = sqlc.arg(code)::int, resumes_at = sqlc.narg(resumes_at)::timestamptz,
    version = version + 1
FROM stopped WHERE k.company_id = @company_id AND k.id = stopped.id
RETURNING k.id;

-- name: SetFrozen :exec
UPDATE campaigns SET frozen_at = sqlc.arg(frozen_at)::timestamptz, recipients = @recipients, skipped = @skipped
WHERE company_id = @company_id AND id = @id;

-- name: SetAudience :exec
UPDATE campaigns SET audience = @audience WHERE company_id = @company_id AND id = @id;
-- name: Backdate :exec
UPDATE campaigns SET created_at = sqlc.arg(created_at)::timestamptz WHERE company_id = @company_id AND id = @id;

-- name: AddZoneSets :exec
-- The zone sets a freeze will need, before it: the freeze then is one statement over what is there.
INSERT INTO zone_sets (zones)
SELECT c.zone FROM contacts c WHERE c.company_id = @company_id AND c.zone IS NOT NULL
UNION SELECT i.zones FROM identities i WHERE i.company_id = @company_id AND i.zones <> ''
UNION SELECT sqlc.arg(company_zone)::text
ON CONFLICT DO NOTHING;

-- name: KnownAttributes :many
-- Which of the named attributes exist on at least one contact of the company.
SELECT DISTINCT f.field::text AS field FROM (SELECT unnest(sqlc.arg(fields)::text[]) AS field) f
WHERE EXISTS (SELECT FROM contacts c WHERE c.company_id = @company_id AND c.attributes -> f.field IS NOT NULL);

-- name: KnownTags :one
SELECT count(*)::int FROM tags WHERE company_id = @company_id AND id = ANY(sqlc.arg(tag_ids)::uuid[]);

-- name: TagNames :many
SELECT name FROM tags WHERE company_id = @company_id AND id = ANY(sqlc.arg(tag_ids)::uuid[]) ORDER BY lower(name);

-- name: AudienceName :one
-- What people call the segment, the file or the campaign that an audience names; empty when it names none, or one that is gone.
SELECT coalesce((SELECT s.name FROM segments s WHERE s.company_id = @company_id AND s.id = sqlc.narg(segment_id)::uuid),
    (SELECT i.file_name FROM imports i WHERE i.company_id = @company_id AND i.id = sqlc.narg(import_id)::uuid),
    (SELECT k.name FROM campaigns k WHERE k.company_id = @company_id AND k.id = sqlc.narg(failed_of)::uuid), '')::text AS name;

-- name: KnownImport :one
SELECT EXISTS (SELECT FROM imports WHERE company_id = @company_id AND id = @id) AS known;

-- name: TemplateState :one
-- A template as the last sync found it. Without a sync nothing is known and nothing is refused.
SELECT coalesce(y.synced_at IS NOT NULL, false)::boolean AS synced, (t.name IS NOT NULL)::boolean AS known, coalesce(t.unfit, '')::text AS unfit,
    coalesce(t.parameters, 0)::int AS parameters, coalesce(t.body, '')::text AS body
FROM connections n
LEFT JOIN template_syncs y ON y.company_id = n.company_id AND y.connection_id = n.id
LEFT JOIN templates t ON t.company_id = n.company_id AND t.connection_id = n.id
    AND t.name = sqlc.arg(name)::text AND t.language = sqlc.arg(language)::text
WHERE n.company_id = @company_id AND n.id = @connection_id;

-- name: TierUsed :one
-- How many contacts the number's portfolio may write to within 24 hours, and how many of them are used.
SELECT p.contacts_24h, (SELECT count(*) FROM portfolio_contacts c
    WHERE c.company_id = @company_id AND c.portfolio_id = p.id AND c.at > sqlc.arg(since)::timestamptz)::int AS used
FROM scopes s JOIN portfolios p ON p.company_id = s.company_id AND p.id = s.portfolio_id
WHERE s.company_id = @company_id AND s.connection_id = @connection_id;

-- name: ConnectionState :one
-- Shared, so that a connection is not deleted while a campaign on it starts.
SELECT state, state_detail, disabled_at IS NOT NULL AS disabled, deleted_at IS NOT NULL AS deleted
FROM connections WHERE company_id = @company_id AND id = @id FOR SHARE;

-- name: CompanyZone :one
SELECT zone FROM companies WHERE company_id = @company_id;

-- name: Hours :one
-- When the company's campaigns may be sent, in minutes of the day, and where the company is.
SELECT zone, (extract(epoch FROM window_from) / 60)::int AS window_from, (extract(epoch FROM window_until) / 60)::int AS window_until
FROM companies WHERE company_id = @company_id;

-- name: ZonesOf :many
-- The zone sets of a plan, and whether messages of theirs are queued.
SELECT z.zone_set_id, s.zones, z.recipients - z.fed_through AS unfed, EXISTS (SELECT FROM messages m
    WHERE m.company_id = z.company_id AND m.connection_id = k.connection_id AND m.lane = 5 AND m.campaign_id = z.campaign_id
      AND m.zone_set_id = z.zone_set_id AND m.state = 0) AS queued
FROM campaign_zones z
JOIN campaigns k ON k.company_id = z.company_id AND k.id = z.campaign_id
JOIN zone_sets s ON s.id = z.zone_set_id
WHERE z.company_id = @company_id AND z.campaign_id = @campaign_id
ORDER BY z.zone_set_id;

-- name: UnfedZones :many
SELECT z.zone_set_id, s.zones, z.recipients, z.fed_through FROM campaign_zones z
JOIN zone_sets s ON s.id = z.zone_set_id
WHERE z.company_id = @company_id AND z.campaign_id = @campaign_id AND NOT z.done
ORDER BY z.zone_set_id
FOR UPDATE OF z;

-- name: AdvanceZone :exec
UPDATE campaign_zones SET fed_through = @fed_through, done = (@fed_through >= recipients)
WHERE company_id = @company_id AND campaign_id = @campaign_id AND zone_set_id = @zone_set_id;

-- name: CloseZones :exec
UPDATE campaign_zones SET done = true WHERE company_id = @company_id AND campaign_id = @campaign_id;

-- name: HasUnfed :one
SELECT EXISTS (SELECT FROM campaign_zones WHERE company_id = @company_id AND campaign_id = @campaign_id AND NOT done) AS unfed;

-- name: PersonOf :one
-- A contact as merge fields see it, by its oldest phone.
SELECT c.name, coalesce(c.zone, '')::text AS zone, c.attributes, i.value AS phone FROM contacts c
JOIN identities i ON i.company_id = c.company_id AND i.contact_id = c.id AND i.kind = 'phone'
WHERE c.company_id = @company_id AND c.id = @id ORDER BY i.id LIMIT 1;
