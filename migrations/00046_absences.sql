-- From when to when a part that everybody needs was away.

-- +goose Up

-- Kept so that a message's story can tell why it waited. No company's data.
CREATE TABLE absences (
    part     text        NOT NULL CHECK (part IN ('temporal', 'workers')),
    began_at timestamptz NOT NULL,
    ended_at timestamptz CHECK (ended_at >= began_at), -- null: it is away still
    PRIMARY KEY (part, began_at)
);
CREATE UNIQUE INDEX absences_open ON absences (part) WHERE ended_at IS NULL;
CREATE INDEX absences_ended ON absences (ended_at);
GRANT SELECT ON absences TO omnidesk_app;
GRANT SELECT, INSERT, UPDATE ON absences TO omnidesk_system;
