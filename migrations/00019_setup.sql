-- What people said to a company's first steps; how far they came is told by the rows themselves.

-- +goose Up

ALTER TABLE companies ADD COLUMN setup jsonb; -- null: nobody has begun; {"confirmed":true,"skipped":["import"],"dismissed":true}

-- Companies that were there before know their way.
UPDATE companies SET setup = '{"dismissed": true}';
