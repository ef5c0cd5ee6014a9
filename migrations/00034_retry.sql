-- When a connection's next retry is due. Without an index of its own every look of a sender reads all that is queued.

-- +goose Up

CREATE INDEX messages_retry ON messages (company_id, connection_id, retry_at) WHERE state = 0 AND retry_at IS NOT NULL;
