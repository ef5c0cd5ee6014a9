-- Contacts, their identities and tags, and the service windows they open.

-- name: insertContact :exec
INSERT INTO contacts (company_id, id, name, zone, attributes) VALUES (@company_id, @id, @name, @zone, @attributes);

-- name: insertPhone :exec
INSERT INTO identities (company_id, id, contact_id, kind, value, zones)
VALUES (@company_id, @id, @contact_id, 'phone', @phone, sqlc.arg(zones)::text);

-- name: zonelessPhones :many
SELECT id, value FROM identities WHERE company_id = @company_id AND kind = 'phone' AND zones IS NULL
ORDER BY id LIMIT @row_limit FOR UPDATE SKIP LOCKED;

-- name: setZones :exec
UPDATE identities i SET zones = z.zones FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@zones::text[]) AS zones) z
WHERE i.company_id = @company_id AND i.id = z.id;

-- name: getContacts :many
SELECT c.id, c.name, c.zone, c.attributes, c.opted_out_at, c.created_at, c.updated_at,
       coalesce((SELECT i.value FROM identities i WHERE i.company_id = c.company_id AND i.contact_id = c.id AND i.kind = 'phone'
                 ORDER BY i.id LIMIT 1), '')::text AS phone
FROM contacts c WHERE c.company_id = @company_id AND c.id = ANY(@ids::uuid[]) ORDER BY c.id DESC;

-- name: listIDs :many
SELECT id FROM contacts WHERE company_id = @company_id AND id < @before AND merged_into IS NULL ORDER BY id DESC LIMIT @row_limit;

-- name: listTaggedIDs :many
SELECT contact_id FROM contact_tags WHERE company_id = @company_id AND tag_id = @tag_id AND contact_id < @before
ORDER BY contact_id DESC LIMIT @row_limit;

-- name: searchContacts :many
SELECT search_contacts(sqlc.arg(words)::text[], sqlc.arg(digits)::text, sqlc.arg(before)::uuid, sqlc.arg(row_limit)::int)::uuid;

-- name: countFewContacts :one
SELECT count_few_contacts(sqlc.arg(words)::text[], sqlc.arg(digits)::text)::bigint AS few;

-- name: tagsOf :many
SELECT ct.contact_id, t.id, t.name FROM contact_tags ct JOIN tags t ON t.company_id = ct.company_id AND t.id = ct.tag_id
WHERE ct.company_id = @company_id AND ct.contact_id = ANY(@ids::uuid[]) ORDER BY lower(t.name), t.id;

-- name: countContacts :one
SELECT coalesce(sum(contacts), 0)::bigint FROM contact_counts
WHERE company_id = @company_id AND tag_id = '00000000-0000-0000-0000-000000000000';

-- name: listTags :many
SELECT t.id, t.name, coalesce(n.contacts, 0)::bigint AS contacts, coalesce(n.deltas, 0)::bigint AS deltas
FROM tags t LEFT JOIN (
    SELECT d.tag_id, sum(d.contacts) AS contacts, count(*) AS deltas FROM contact_counts d WHERE d.company_id = @company_id GROUP BY d.tag_id
) n ON n.tag_id = t.id
WHERE t.company_id = @company_id ORDER BY lower(t.name), t.id LIMIT 1000;

-- The rows that this statement deletes are the ones it sums up, whoever else does the same.
-- name: compactCounts :exec
WITH old AS (DELETE FROM contact_counts d WHERE d.company_id = @company_id RETURNING d.tag_id, d.contacts)
INSERT INTO contact_counts (company_id, tag_id, contacts)
SELECT @company_id, o.tag_id, sum(o.contacts) FROM old o GROUP BY o.tag_id;

-- name: tagExists :one
SELECT EXISTS (SELECT FROM tags WHERE company_id = @company_id AND id = @id);

-- name: lockContact :one
SELECT id, name, zone, attributes, opted_out_at FROM contacts WHERE company_id = @company_id AND id = @id AND merged_into IS NULL FOR UPDATE;

-- name: updateContact :exec
UPDATE contacts SET name = @name, zone = @zone, attributes = @attributes, opted_out_at = @opted_out_at, updated_at = now()
WHERE company_id = @company_id AND id = @id;

-- Attribute names that merge fields may use. A list of keys over all contacts would read them all; one page of
-- the newest plus an exact look for each asked name is enough, see attributeInUse.
-- name: recentAttributeNames :many
SELECT DISTINCT k::text AS name FROM (
    SELECT jsonb_object_keys(attributes) AS k
    FROM (SELECT attributes FROM contacts WHERE company_id = @company_id ORDER BY id DESC LIMIT 5000) newest
) keys ORDER BY 1 LIMIT 200;

-- name: attributeInUse :one
SELECT EXISTS (SELECT FROM contacts WHERE company_id = @company_id AND attributes ? @name::text);

-- name: insertTags :exec
INSERT INTO tags (company_id, id, name)
SELECT @company_id, i.id, i.name FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@names::text[]) AS name) i
ON CONFLICT (company_id, name) DO NOTHING;

-- name: tagsByName :many
SELECT id, name FROM tags WHERE company_id = @company_id AND name = ANY(@names::text[]);

-- name: removeOtherTags :exec
DELETE FROM contact_tags WHERE company_id = @company_id AND contact_id = @contact_id AND NOT tag_id = ANY(@keep::uuid[]);

-- name: insertContactTags :many
INSERT INTO contact_tags (company_id, tag_id, contact_id)
SELECT @company_id, i.tag_id, i.contact_id FROM (SELECT unnest(@tag_ids::uuid[]) AS tag_id, unnest(@contact_ids::uuid[]) AS contact_id) i
ORDER BY 2, 3
ON CONFLICT DO NOTHING
RETURNING tag_id, contact_id;

-- name: openWindows :exec
-- Sorted, so that two transactions lock windows in one order.
INSERT INTO service_windows (company_id, connection_id, contact_id, open_until)
SELECT @company_id, @connection_id, w.contact_id, max(w.open_until)
FROM (SELECT unnest(sqlc.arg(contacts)::uuid[]) AS contact_id, unnest(sqlc.arg(open_untils)::timestamptz[]) AS open_until) w
GROUP BY w.contact_id ORDER BY w.contact_id
ON CONFLICT (company_id, connection_id, contact_id)
DO UPDATE SET open_until = EXCLUDED.open_until WHERE service_windows.open_until < EXCLUDED.open_until;

-- name: addressOwners :many
-- Locked in one order, so that none of them changes hands by a merge before what they wrote is stored.
SELECT i.id, i.contact_id, i.kind, i.value, c.name
FROM (SELECT DISTINCT unnest(sqlc.arg(kinds)::text[]) AS kind, unnest(sqlc.arg(vals)::text[]) AS value) a
JOIN identities i ON i.company_id = @company_id AND i.kind = a.kind AND i.scope = '' AND i.value = a.value
JOIN contacts c ON c.company_id = i.company_id AND c.id = i.contact_id
ORDER BY i.kind, i.value FOR KEY SHARE OF i;

-- name: addStrangers :many
-- Contacts of addresses that nobody had. Who comes second waits for the first here, gets no row, and looks again.
WITH stranger AS (
    SELECT unnest(sqlc.arg(ids)::uuid[]) AS id, unnest(sqlc.arg(contacts)::uuid[]) AS contact_id, unnest(sqlc.arg(kinds)::text[]) AS kind,
        unnest(sqlc.arg(vals)::text[]) AS value, unnest(sqlc.arg(names)::text[]) AS name
), added AS (
    INSERT INTO identities (company_id, id, contact_id, kind, value)
    SELECT @company_id, s.id, s.contact_id, s.kind, s.value FROM stranger s ORDER BY s.kind, s.value
    ON CONFLICT (company_id, kind, scope, value) DO NOTHING
    RETURNING id, contact_id, kind, value
), people AS (
    INSERT INTO contacts (company_id, id, name)
    SELECT @company_id, a.contact_id, s.name FROM added a JOIN stranger s ON s.id = a.id
)
SELECT id, contact_id, kind, value FROM added;

-- name: addAddresses :exec
INSERT INTO identities (company_id, id, contact_id, kind, value)
SELECT @company_id, a.id, a.contact_id, a.kind, a.value
FROM (SELECT unnest(sqlc.arg(ids)::uuid[]) AS id, unnest(sqlc.arg(contacts)::uuid[]) AS contact_id, unnest(sqlc.arg(kinds)::text[]) AS kind, unnest(sqlc.arg(vals)::text[]) AS value) a
ORDER BY a.kind, a.value
ON CONFLICT (company_id, kind, scope, value) DO NOTHING;

-- name: nameNameless :exec
UPDATE contacts c SET name = n.name, updated_at = now()
FROM (SELECT unnest(sqlc.arg(contacts)::uuid[]) AS id, unnest(sqlc.arg(names)::text[]) AS name) n
WHERE c.company_id = @company_id AND c.id = n.id AND c.name = '';

-- name: heed :execrows
-- The wish that was written last counts: a stop unless a newer start is known, a start unless a newer stop or opt-out is.
UPDATE contacts c SET opted_out_at = CASE WHEN w.stop THEN coalesce(c.opted_out_at, w.at) END, wished_at = w.at, wished_by = sqlc.arg(wished_by)::text, updated_at = now()
FROM (SELECT unnest(sqlc.arg(contacts)::uuid[]) AS id, unnest(sqlc.arg(stops)::boolean[]) AS stop, unnest(sqlc.arg(ats)::timestamptz[]) AS at) w
WHERE c.company_id = @company_id AND c.id = w.id AND coalesce(c.wished_at <= w.at, true) AND (w.stop OR coalesce(c.opted_out_at < w.at, true));

-- name: listSegments :many
SELECT * FROM segments WHERE company_id = @company_id ORDER BY lower(name), id LIMIT @row_limit;

-- name: countSegments :one
SELECT count(*) FROM segments WHERE company_id = @company_id;

-- name: getSegment :one
SELECT * FROM segments WHERE company_id = @company_id AND id = @id;

-- name: lockSegment :one
SELECT * FROM segments WHERE company_id = @company_id AND id = @id FOR UPDATE;

-- name: insertSegment :one
INSERT INTO segments (company_id, id, name, filter) VALUES (@company_id, @id, @name, @filter) RETURNING *;

-- name: updateSegment :one
UPDATE segments SET name = @name, filter = @filter, version = version + 1, updated_at = now()
WHERE company_id = @company_id AND id = @id RETURNING *;

-- name: deleteSegment :exec
DELETE FROM segments WHERE company_id = @company_id AND id = @id;

-- Campaigns that will ask the segment for its contacts. One that is frozen needs it no more.
-- name: campaignsOfSegment :many
SELECT name FROM campaigns WHERE company_id = @company_id AND state IN ('draft', 'starting', 'scheduled')
  AND frozen_at IS NULL AND audience ->> 'segment_id' = sqlc.arg(segment_id)::text
ORDER BY id DESC LIMIT 20;

-- name: allAttributeNames :many
SELECT DISTINCT k::text AS name FROM (SELECT jsonb_object_keys(c.attributes) AS k FROM contacts c WHERE c.company_id = @company_id) keys ORDER BY 1 LIMIT 500;

-- What became of a contact apart from its messages. One look per import into the index that begins with it.
-- name: contactImports :many
SELECT i.id, i.file_name, r.outcome, r.changed_at FROM imports i
CROSS JOIN LATERAL (SELECT r.outcome, r.changed_at FROM import_rows r
    WHERE r.company_id = i.company_id AND r.import_id = i.id AND r.contact_id = @contact_id AND r.undone IS NULL LIMIT 1) r
WHERE i.company_id = @company_id ORDER BY i.id DESC LIMIT 100;

-- name: findPhone :one
SELECT contact_id, id FROM identities WHERE company_id = @company_id AND kind = 'phone' AND scope = '' AND value = @value;

-- name: backdate :exec
UPDATE contacts SET created_at = @created_at WHERE company_id = @company_id AND id = @id;

-- name: addressesOf :many
SELECT id, kind, scope, value, created_at FROM identities WHERE company_id = @company_id AND contact_id = @contact_id ORDER BY id;

-- name: withPhone :many
SELECT DISTINCT contact_id FROM identities WHERE company_id = @company_id AND contact_id = ANY(sqlc.arg(contacts)::uuid[]) AND kind = 'phone';
