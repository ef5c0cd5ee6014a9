-- Connections and where their webhooks lead.

-- name: insertConnection :exec
INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug,
                         sealed_app_secret, sealed_token, sealed_verify_token)
VALUES (@company_id, @id, @channel, @name, @app_id, @account_id, @number_id, @webhook_slug,
        @sealed_app_secret, @sealed_token, @sealed_verify_token);

-- name: insertRoute :exec
INSERT INTO webhook_routes (company_id, connection_id, slug, number_id) VALUES (@company_id, @connection_id, @slug, @number_id);

-- name: updateRoute :exec
UPDATE webhook_routes SET number_id = @number_id WHERE company_id = @company_id AND connection_id = @connection_id;

-- name: getConnection :one
SELECT * FROM connections WHERE company_id = @company_id AND id = @id;

-- name: lockConnection :one
SELECT * FROM connections WHERE company_id = @company_id AND id = @id FOR UPDATE;

-- name: listConnections :many
SELECT * FROM connections WHERE company_id = @company_id ORDER BY id;

-- name: updateConnection :exec
UPDATE connections SET name = @name, app_id = @app_id, account_id = @account_id, number_id = @number_id, number = @number,
    sealed_app_secret = @sealed_app_secret, sealed_token = @sealed_token, sealed_verify_token = @sealed_verify_token,
    state = @state, state_detail = @state_detail, checked_at = @checked_at
WHERE company_id = @company_id AND id = @id;

-- name: setChecked :execrows
UPDATE connections SET state = @state, state_detail = @state_detail, checked_at = @checked_at,
    number = CASE WHEN @number::text <> '' THEN @number::text ELSE number END
WHERE company_id = @company_id AND id = @id;

-- name: setStanding :exec
UPDATE connections SET quality = @quality, messaging_limit = @messaging_limit WHERE company_id = @company_id AND id = @id;

-- The two routes run as the system role: the company is what they find out.

-- name: routeBySlug :one
SELECT company_id, connection_id, number_id FROM webhook_routes WHERE slug = @slug;

-- name: routesByNumber :many
SELECT company_id, connection_id, number_id FROM webhook_routes WHERE number_id = @number_id ORDER BY company_id LIMIT 20;
