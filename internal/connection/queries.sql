-- Connections and where their webhooks lead.

-- name: insertConnection :exec
INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug,
                         sealed_app_secret, sealed_token, sealed_verify_token, simulated, department_id)
VALUES (@company_id, @id, @channel, @name, @app_id, @account_id, @number_id, @webhook_slug,
        @sealed_app_secret, @sealed_token, @sealed_verify_token, @simulated, sqlc.narg(department_id));

-- name: insertRoute :exec
INSERT INTO webhook_routes (company_id, connection_id, slug, number_id, account_id) VALUES (@company_id, @connection_id, @slug, @number_id, @account_id);

-- name: updateRoute :exec
UPDATE webhook_routes SET number_id = @number_id, account_id = @account_id WHERE company_id = @company_id AND connection_id = @connection_id;

-- name: getConnection :one
SELECT * FROM connections WHERE company_id = @company_id AND id = @id;

-- name: seeConnection :one
-- A connection as somebody in some departments may see it.
SELECT * FROM connections WHERE company_id = @company_id AND id = @id AND in_sight(department_id, sqlc.narg(departments)::uuid[]);

-- name: holdDepartment :one
-- So that it can't be deleted before this transaction has ended.
SELECT id FROM departments WHERE company_id = @company_id AND id = @id AND deleted_at IS NULL FOR SHARE;

-- name: lockConnection :one
SELECT * FROM connections WHERE company_id = @company_id AND id = @id AND deleted_at IS NULL FOR UPDATE;

-- name: listConnections :many
SELECT * FROM connections WHERE company_id = @company_id AND deleted_at IS NULL AND in_sight(department_id, sqlc.narg(departments)::uuid[]) ORDER BY id;

-- name: updateConnection :exec
UPDATE connections SET name = @name, app_id = @app_id, account_id = @account_id, number_id = @number_id, number = @number,
    sealed_app_secret = @sealed_app_secret, sealed_token = @sealed_token, sealed_verify_token = @sealed_verify_token,
    sealed_past_secret = @sealed_past_secret, past_secret_until = @past_secret_until,
    state = @state, state_detail = @state_detail, checked_at = @checked_at, checks = @checks, token_expires_at = @token_expires_at, department_id = @department_id
WHERE company_id = @company_id AND id = @id;

-- name: setChecked :execrows
UPDATE connections SET state = @state::text, state_detail = @state_detail, checked_at = @checked_at,
    checks = @checks, token_expires_at = @token_expires_at,
    number = CASE WHEN @number::text <> '' THEN @number::text ELSE number END,
    quality = CASE WHEN @state::text = 'connected' THEN @quality::text ELSE quality END,
    messaging_limit = CASE WHEN @state::text = 'connected' THEN @messaging_limit::int ELSE messaging_limit END,
    alert = CASE WHEN @state::text = 'connected' THEN '' ELSE alert END
WHERE company_id = @company_id AND id = @id AND deleted_at IS NULL;

-- name: noteNews :exec
UPDATE connections SET quality = CASE WHEN @quality::text <> '' THEN @quality::text ELSE quality END,
    messaging_limit = CASE WHEN @messaging_limit::int <> 0 THEN @messaging_limit::int ELSE messaging_limit END
WHERE company_id = @company_id AND id = @id AND deleted_at IS NULL AND (@number::text = '' OR number = '' OR number = @number::text);

-- name: noteAlert :execrows
-- A warning that is older than the known one, or than a check since, says nothing new.
UPDATE connections SET alert = @alert::text, alert_at = @alert_at
WHERE company_id = @company_id AND id = @id AND deleted_at IS NULL AND alert <> @alert::text AND coalesce(alert_at <= @alert_at, true)
  AND (state <> 'connected' OR coalesce(checked_at <= @alert_at, true));

-- name: setDisabled :execrows
UPDATE connections SET disabled_at = @disabled_at WHERE company_id = @company_id AND id = @id AND deleted_at IS NULL;

-- name: bury :execrows
-- Deletes as far as people can see. What others refer to stays; secrets do not.
UPDATE connections SET deleted_at = @deleted_at, state = 'unchecked', state_detail = '', checks = '[]', token_expires_at = NULL,
    sealed_app_secret = '', sealed_token = '', sealed_verify_token = '', sealed_past_secret = NULL, past_secret_until = NULL
WHERE company_id = @company_id AND id = @id AND deleted_at IS NULL;

-- name: deleteRoute :exec
DELETE FROM webhook_routes WHERE company_id = @company_id AND connection_id = @connection_id;

-- name: openMessages :one
-- Messages without an end, of campaigns and without one, each part by the index that holds its rows.
SELECT (SELECT count(*) FROM messages m WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.state = 0)::int AS queued,
    (SELECT count(*) FROM messages m WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.state = 1)::int AS sending,
    ((SELECT count(*) FROM campaigns k JOIN messages m ON m.company_id = k.company_id AND m.campaign_id = k.id AND m.state = 6
        WHERE k.company_id = @company_id AND k.connection_id = @connection_id)
      + (SELECT count(*) FROM messages m WHERE m.company_id = @company_id AND m.campaign_id IS NULL AND m.state = 6
          AND m.connection_id = @connection_id))::int AS uncertain;

-- name: openCampaigns :many
SELECT id, name, state FROM campaigns
WHERE company_id = @company_id AND connection_id = @connection_id AND state IN ('starting', 'scheduled', 'running', 'paused')
ORDER BY id LIMIT @row_limit;

-- The routes run as the system role: the company is what they find out.

-- name: routeBySlug :one
SELECT company_id, connection_id, number_id FROM webhook_routes WHERE slug = @slug;

-- name: routesByNumber :many
SELECT company_id, connection_id, number_id FROM webhook_routes WHERE number_id = @number_id ORDER BY company_id LIMIT 20;

-- name: routesByAccount :many
SELECT company_id, connection_id, number_id FROM webhook_routes WHERE account_id = @account_id ORDER BY company_id, connection_id LIMIT 50;

-- name: companiesWithRoutes :many
-- Under the system role.
SELECT DISTINCT company_id FROM webhook_routes ORDER BY company_id;

-- name: lastHeard :many
-- Connections that may send, and their newest event of the days that are kept.
SELECT c.id, c.silent_since, coalesce((SELECT r.id FROM raw_events r WHERE r.company_id = c.company_id AND r.connection_id = c.id AND r.id >= sqlc.arg(since)::uuid AND NOT r.stray
        ORDER BY r.id DESC LIMIT 1), '00000000-0000-0000-0000-000000000000')::uuid AS heard
FROM connections c WHERE c.company_id = @company_id AND c.deleted_at IS NULL AND c.disabled_at IS NULL ORDER BY c.id;

-- name: heardLately :many
SELECT r.id FROM raw_events r WHERE r.company_id = @company_id AND r.connection_id = @connection_id AND r.id >= sqlc.arg(since)::uuid AND NOT r.stray
ORDER BY r.id DESC LIMIT @row_limit;

-- name: lastArrived :one
-- The last quarter of an hour in which something came back: of what happened before raw events were kept.
SELECT coalesce(max(t.at), sqlc.arg(since)::timestamptz)::timestamptz FROM traffic t
WHERE t.company_id = @company_id AND t.connection_id = @connection_id AND t.at > sqlc.arg(since)::timestamptz AND t.delivered + t.read + t.replies > 0;

-- name: sentSince :one
-- What the provider has accepted in whole quarters of an hour since an instant, and when the first of them began.
SELECT coalesce(sum(t.sent), 0)::int AS sent, coalesce(min(t.at), sqlc.arg(since)::timestamptz)::timestamptz AS first FROM traffic t
WHERE t.company_id = @company_id AND t.connection_id = @connection_id AND t.at > sqlc.arg(since)::timestamptz AND t.sent > 0;

-- name: setSilent :execrows
UPDATE connections SET silent_since = sqlc.narg(silent_since)
WHERE company_id = @company_id AND id = @id AND (silent_since IS NULL) <> (sqlc.narg(silent_since)::timestamptz IS NULL);
