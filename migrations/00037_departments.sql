-- Departments: which people of a company work with which connections.

-- +goose Up

CREATE TABLE departments (
    company_id uuid        NOT NULL REFERENCES companies,
    id         uuid        NOT NULL,
    name       text        NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz, -- the row stays: a deleted connection keeps its department, so that its history opens to nobody else
    PRIMARY KEY (company_id, id)
);
CREATE UNIQUE INDEX departments_name ON departments (company_id, lower(name)) WHERE deleted_at IS NULL;

-- For the key of a membership. A superadmin's empty company is no obstacle: nulls differ.
CREATE UNIQUE INDEX users_of_company ON users (company_id, id);
DROP INDEX users_company;

CREATE TABLE department_members (
    company_id    uuid NOT NULL,
    user_id       uuid NOT NULL,
    department_id uuid NOT NULL,
    PRIMARY KEY (company_id, user_id, department_id),
    FOREIGN KEY (company_id, user_id) REFERENCES users (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, department_id) REFERENCES departments (company_id, id) ON DELETE CASCADE
);
CREATE INDEX department_members_department ON department_members (company_id, department_id);

ALTER TABLE connections
    ADD COLUMN department_id uuid, -- null: every department's
    ADD FOREIGN KEY (company_id, department_id) REFERENCES departments (company_id, id);
CREATE INDEX connections_department ON connections (company_id, department_id) WHERE department_id IS NOT NULL;

-- The rule of departments, for every statement that reads connections or what went over them: may somebody who is in
-- these departments see what belongs to this one? No list of departments at all means an admin, who sees everything.
-- +goose StatementBegin
CREATE FUNCTION in_sight(department uuid, departments uuid[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT departments IS NULL OR department IS NULL OR department = ANY (departments)
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['departments', 'department_members'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY company ON %I TO omnidesk_app
            USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()))', t);
        EXECUTE format('CREATE POLICY owner ON %I TO omnidesk_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
-- +goose StatementEnd

CREATE POLICY system ON department_members FOR SELECT TO omnidesk_system USING (true);

GRANT SELECT, INSERT, UPDATE ON departments TO omnidesk_app;
GRANT SELECT, INSERT, DELETE ON department_members TO omnidesk_app;
GRANT SELECT ON department_members TO omnidesk_system; -- each request reads the departments of its person
