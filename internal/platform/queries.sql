-- name: publicURL :one
SELECT public_url FROM platform;

-- name: setPublicURL :exec
UPDATE platform SET public_url = @public_url WHERE public_url <> @public_url;
