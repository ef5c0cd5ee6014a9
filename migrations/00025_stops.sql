-- A campaign that the provider's answer has paused: the code, and when it goes on by itself.

-- +goose Up

ALTER TABLE campaigns
    ADD COLUMN paused_code integer,     -- the provider's; null: a person paused it, or it is not paused
    ADD COLUMN resumes_at  timestamptz; -- null: only a person lets it go on
