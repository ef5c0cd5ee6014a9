-- A session tells where it was begun, so that people recognise their own.

-- +goose Up

ALTER TABLE sessions ADD COLUMN network text NOT NULL DEFAULT ''; -- of the address at the login: 192.0.2.0/24, 2001:db8::/48
