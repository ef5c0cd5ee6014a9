-- What an import did is kept for a while, then forgotten.

-- +goose Up

-- When its rows and its refused rows were deleted: it can't be undone any more, and its numbers lead nowhere.
ALTER TABLE imports ADD COLUMN forgotten_at timestamptz;
