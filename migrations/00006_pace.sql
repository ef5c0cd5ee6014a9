-- The hours in which campaigns may be sent, on the clocks where the recipients are.

-- +goose Up

-- From before until, on one day: a window does not span midnight. 00:00 to 24:00 is the whole day.
ALTER TABLE companies
    ADD COLUMN window_from  time NOT NULL DEFAULT '07:00',
    ADD COLUMN window_until time NOT NULL DEFAULT '21:00',
    ADD CONSTRAINT companies_window CHECK (window_from < window_until);
