-- Imports: the file while it is needed, what was done with each contact, what could not be used.

-- name: insertImport :exec
INSERT INTO imports (company_id, id, file_name, created_by) VALUES (@company_id, @id, @file_name, sqlc.narg(created_by));

-- name: insertChunk :exec
INSERT INTO import_chunks (company_id, import_id, number, data) VALUES (@company_id, @import_id, @number, @data);

-- name: readChunk :one
SELECT data FROM import_chunks WHERE company_id = @company_id AND import_id = @import_id AND number = @number;

-- name: deleteChunks :exec
DELETE FROM import_chunks WHERE company_id = @company_id AND import_id = @import_id;

-- name: uploadedImport :execrows
UPDATE imports SET state = 'uploaded', bytes = @bytes, columns = @columns, mapping = @mapping, options = @options
WHERE company_id = @company_id AND id = @id AND state = 'uploading';

-- name: getImport :one
SELECT * FROM imports WHERE company_id = @company_id AND id = @id;

-- name: lockImportRow :one
SELECT * FROM imports WHERE company_id = @company_id AND id = @id FOR UPDATE;

-- name: listImports :many
SELECT * FROM imports WHERE company_id = @company_id AND id < @before AND state <> 'uploading' ORDER BY id DESC LIMIT @row_limit;

-- name: deleteImport :exec
DELETE FROM imports WHERE company_id = @company_id AND id = @id;

-- Uploads that broke off together with their process.
-- name: deleteBrokenUploads :exec
DELETE FROM imports WHERE company_id = @company_id AND state = 'uploading' AND created_at < now() - interval '6 hours';

-- name: remapImport :exec
UPDATE imports SET mapping = @mapping, options = @options, state = 'uploaded', state_detail = '', preview = NULL, version = version + 1
WHERE company_id = @company_id AND id = @id;

-- name: setPreview :exec
UPDATE imports SET preview = @preview, state = 'ready' WHERE company_id = @company_id AND id = @id;

-- name: setImportState :exec
UPDATE imports SET state = sqlc.arg(state)::text, state_detail = @state_detail,
    started_at = CASE WHEN sqlc.arg(state)::text = 'running' THEN sqlc.arg(now)::timestamptz ELSE started_at END,
    finished_at = CASE WHEN sqlc.arg(state)::text IN ('finished', 'stopped') THEN sqlc.arg(now)::timestamptz ELSE finished_at END,
    undo_at = CASE WHEN sqlc.arg(state)::text = 'undoing' THEN sqlc.arg(now)::timestamptz ELSE undo_at END,
    undone_at = CASE WHEN sqlc.arg(state)::text = 'undone' THEN sqlc.arg(now)::timestamptz ELSE undone_at END,
    cursor = CASE WHEN sqlc.arg(state)::text IN ('running', 'undoing') THEN 0 ELSE cursor END,
    columns = CASE WHEN sqlc.arg(state)::text IN ('finished', 'stopped')
        THEN (SELECT coalesce(jsonb_agg(c - 'samples' ORDER BY place), '[]') FROM jsonb_array_elements(columns) WITH ORDINALITY AS list(c, place)) ELSE columns END
WHERE company_id = @company_id AND id = @id;

-- name: advanceImport :exec
UPDATE imports SET cursor = @cursor, counts = @counts WHERE company_id = @company_id AND id = @id;

-- name: knownPhones :many
SELECT value FROM identities WHERE company_id = @company_id AND kind = 'phone' AND scope = '' AND value = ANY(@phones::text[]);

-- The rows of this import that had one of these phones already.
-- name: importedPhones :many
SELECT i.value AS phone, r.row FROM identities i
JOIN import_rows r ON r.company_id = i.company_id AND r.import_id = @import_id AND r.contact_id = i.contact_id
WHERE i.company_id = @company_id AND i.kind = 'phone' AND i.scope = '' AND i.value = ANY(@phones::text[]);

-- Locked in the order of their ids, so that two imports of one company can't wait for each other.
-- name: lockByPhone :many
SELECT c.id, i.value AS phone, c.name, c.zone, c.attributes
FROM identities i JOIN contacts c ON c.company_id = i.company_id AND c.id = i.contact_id
WHERE i.company_id = @company_id AND i.kind = 'phone' AND i.scope = '' AND i.value = ANY(@phones::text[])
ORDER BY c.id FOR UPDATE OF c;

-- name: insertContactsBatch :exec
INSERT INTO contacts (company_id, id, name, zone, attributes)
SELECT @company_id, i.id, i.name, nullif(i.zone, ''), i.attributes::jsonb
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@names::text[]) AS name, unnest(@zones::text[]) AS zone, unnest(@attributes::text[]) AS attributes) i;

-- name: insertPhonesBatch :exec
INSERT INTO identities (company_id, id, contact_id, kind, value, zones)
SELECT @company_id, i.id, i.contact_id, 'phone', i.phone, i.zones
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@contact_ids::uuid[]) AS contact_id, unnest(@phones::text[]) AS phone, unnest(@zones::text[]) AS zones) i;

-- name: updateContactsBatch :exec
UPDATE contacts c SET name = i.name, zone = nullif(i.zone, ''), attributes = i.attributes::jsonb, updated_at = now()
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@names::text[]) AS name, unnest(@zones::text[]) AS zone, unnest(@attributes::text[]) AS attributes) i
WHERE c.company_id = @company_id AND c.id = i.id;

-- name: insertImportRows :exec
INSERT INTO import_rows (company_id, import_id, row, contact_id, outcome, before, changed_at)
SELECT @company_id, @import_id, i.row, i.contact_id, i.outcome, nullif(i.before, '')::jsonb, c.updated_at
FROM (SELECT unnest(@rows::int[]) AS row, unnest(@contact_ids::uuid[]) AS contact_id, unnest(@outcomes::text[]) AS outcome, unnest(@befores::text[]) AS before) i
JOIN contacts c ON c.company_id = @company_id AND c.id = i.contact_id;

-- name: insertRefused :exec
INSERT INTO import_refused (company_id, import_id, row, title, reason, cells)
SELECT @company_id, @import_id, i.row, i.title, i.reason, ARRAY(SELECT jsonb_array_elements_text(i.cells::jsonb))
FROM (SELECT unnest(@rows::int[]) AS row, unnest(@titles::text[]) AS title, unnest(@reasons::text[]) AS reason, unnest(@cells::text[]) AS cells) i;

-- name: listRefused :many
SELECT row, title, reason, cells FROM import_refused WHERE company_id = @company_id AND import_id = @import_id AND row > @after
ORDER BY row LIMIT @row_limit;

-- An undo looks once at all that has happened to the new contacts since, and each batch at what has happened since the undo
-- began: a campaign may take them up meanwhile.
-- name: markUsed :exec
UPDATE import_rows r SET undone = 'used' WHERE r.company_id = @company_id AND r.import_id = @import_id AND r.outcome = 'added' AND r.contact_id IN (
    SELECT m.contact_id FROM messages m WHERE m.company_id = @company_id AND m.id >= @since_id::uuid
    UNION SELECT p.contact_id FROM recipients p JOIN campaigns k ON k.company_id = p.company_id AND k.id = p.campaign_id
        WHERE p.company_id = @company_id AND k.state IN ('starting', 'scheduled', 'running', 'paused') AND k.frozen_at >= @since::timestamptz
    UNION SELECT w.contact_id FROM service_windows w WHERE w.company_id = @company_id);

-- name: usedSince :many
SELECT m.contact_id FROM messages m WHERE m.company_id = @company_id AND m.id >= @since_id::uuid AND m.contact_id = ANY(@ids::uuid[])
UNION SELECT p.contact_id FROM recipients p JOIN campaigns k ON k.company_id = p.company_id AND k.id = p.campaign_id
    WHERE p.company_id = @company_id AND k.state IN ('starting', 'scheduled', 'running', 'paused') AND k.frozen_at >= @since::timestamptz AND p.contact_id = ANY(@ids::uuid[])
UNION SELECT w.contact_id FROM service_windows w WHERE w.company_id = @company_id AND w.contact_id = ANY(@ids::uuid[]);

-- What an undo would do now.
-- name: undoForecast :one
WITH used AS MATERIALIZED (
    SELECT m.contact_id FROM messages m WHERE m.company_id = @company_id AND m.id >= @since_id::uuid
    UNION SELECT p.contact_id FROM recipients p JOIN campaigns k ON k.company_id = p.company_id AND k.id = p.campaign_id
        WHERE p.company_id = @company_id AND k.state IN ('starting', 'scheduled', 'running', 'paused') AND k.frozen_at >= @since::timestamptz
    UNION SELECT w.contact_id FROM service_windows w WHERE w.company_id = @company_id
), fate AS (
    SELECT CASE WHEN c.id IS NULL THEN 'gone'
                WHEN r.outcome = 'added' AND u.contact_id IS NOT NULL THEN 'used'
                WHEN c.updated_at <> r.changed_at OR r.outcome = 'added' AND c.opted_out_at IS NOT NULL THEN 'edited'
                WHEN r.outcome = 'added' THEN 'deleted' ELSE 'restored' END AS fate
    FROM import_rows r
    LEFT JOIN contacts c ON c.company_id = @company_id AND c.id = r.contact_id
    LEFT JOIN used u ON u.contact_id = r.contact_id
    WHERE r.company_id = @company_id AND r.import_id = @import_id AND r.outcome <> 'unchanged'
)
SELECT count(*) FILTER (WHERE fate = 'deleted')::int AS deleted, count(*) FILTER (WHERE fate = 'restored')::int AS restored,
    count(*) FILTER (WHERE fate = 'used')::int AS used, count(*) FILTER (WHERE fate = 'edited')::int AS edited, count(*) FILTER (WHERE fate = 'gone')::int AS gone
FROM fate;

-- name: rowsToUndo :many
SELECT row, contact_id, outcome, before, changed_at, undone FROM import_rows
WHERE company_id = @company_id AND import_id = @import_id AND row > @after ORDER BY row LIMIT @row_limit;

-- name: lockContacts :many
SELECT id, updated_at, opted_out_at FROM contacts WHERE company_id = @company_id AND id = ANY(@ids::uuid[]) ORDER BY id FOR UPDATE;

-- name: deleteContacts :exec
DELETE FROM contacts WHERE company_id = @company_id AND id = ANY(@ids::uuid[]);

-- name: removeContactTags :exec
DELETE FROM contact_tags t USING (SELECT unnest(@tag_ids::uuid[]) AS tag_id, unnest(@contact_ids::uuid[]) AS contact_id) i
WHERE t.company_id = @company_id AND t.tag_id = i.tag_id AND t.contact_id = i.contact_id;

-- name: markUndone :exec
UPDATE import_rows r SET undone = i.undone FROM (SELECT unnest(@rows::int[]) AS row, unnest(@undone::text[]) AS undone) i
WHERE r.company_id = @company_id AND r.import_id = @import_id AND r.row = i.row;

-- A new tag changes a contact as a new name does: who undoes something earlier must see it.
-- name: touchContacts :exec
UPDATE contacts SET updated_at = now() WHERE company_id = @company_id AND id = ANY(@ids::uuid[]);

-- Companies as far as a job over all of them must know.
-- name: companiesOfImports :many
SELECT company_id FROM companies ORDER BY company_id;

-- name: importsEndedBefore :many
SELECT id FROM imports WHERE company_id = @company_id AND forgotten_at IS NULL AND state IN ('finished', 'stopped', 'undone')
AND coalesce(undone_at, finished_at) < @ended::timestamptz ORDER BY id;

-- name: deleteImportRows :exec
DELETE FROM import_rows WHERE company_id = @company_id AND import_id = @import_id;

-- name: deleteRefused :exec
DELETE FROM import_refused WHERE company_id = @company_id AND import_id = @import_id;

-- name: markForgotten :exec
UPDATE imports SET forgotten_at = @forgotten_at WHERE company_id = @company_id AND id = @id;
