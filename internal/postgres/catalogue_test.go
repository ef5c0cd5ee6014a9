package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/postgres/pgtest"
)

// What is allowed to differ from the rules of the catalogue. Each entry is reviewed and has its reason.
var exceptions = map[string]string{
	// Tables without a company.
	"table zone_sets":        "names of zones only, shared by all companies, no id of anybody",
	"table positions":        "how often each process has seen the database; ids of processes, numbers and instants",
	"table absences":         "when a part that all companies need was away; names of parts and instants",
	"table drains":           "when the whole installation was drained, and ids of who did it",
	"table processes":        "hosts and versions of our own processes",
	"table platform":         "one row about the installation",
	"table once":             "names of what happens once per installation",
	"table goose_db_version": "the list of applied migrations",
	// Unique indexes that don't begin with the company.
	"index users.users_pkey":                                     "a login finds the user before its company is known; a superadmin has none",
	"index users.users_email":                                    "one address signs in to one account of the whole platform",
	"index tokens.tokens_pkey":                                   "a link names itself by its hash before its company is known",
	"index mails.mails_pkey":                                     "an outbox across companies; a mail to somebody of no company has none",
	"foreign key tokens.tokens_user_id_fkey":                     "a superadmin's link has a user without a company",
	"index sessions.sessions_pkey":                               "a request brings its session before its company is known",
	"index webhook_routes.webhook_routes_slug":                   "a webhook names a slug before its company is known",
	"index wakes.wakes_pkey":                                     "an outbox across companies, read in order and deleted by its number",
	"foreign key sessions.sessions_user_id_fkey":                 "a superadmin's session has a user without a company",
	"foreign key campaign_zones.campaign_zones_zone_set_id_fkey": "zone sets belong to no company",
	// Columns that may be empty.
	"null users":    "a superadmin belongs to no company",
	"null sessions": "a superadmin has entered none yet",
	"null tokens":   "a superadmin's link belongs to no company",
	"null mails":    "whoever asks for a reset says an address, not a company",
	// What the cross-company role reaches.
	"system audit":          "notes what a superadmin does beside companies, reads the platform's own lines",
	"system audit_subjects": "as audit",
	"system tokens":         "hashes of links, taken before a company is known",
	"system mails":          "whom a mail goes to, and what it is about; no text",
	"system invitations":    "accepted by a link before any session, so before a company is known",
	"system companies":      "login: the company's name and zone",
	"system users":          "login: the password's hash and the role",
	"system sessions":       "each request begins by its session",
	"system webhook_routes": "ids only, read before the company is known",
	"system wakes":          "ids only, relayed over all companies",
	"system scopes":         "ids, instants and numbers only, tells which pages live",
	"system message_counts": "its company ids only: whose changes are to be rolled up",
	"system once":           "no company's data",
	"system positions":      "no company's data",
	"system absences":       "no company's data",
	"system platform":       "no company's data",
	// What it reads of a request's person.
	"system department_members": "ids only: each request begins by its person's departments",
	"system drains":             "no company's data",
	"system processes":          "no company's data",
	"system goose_db_version":   "no company's data",
	// Functions that run as their owner.
	"function delete_demo_rows":            "deletes rows of every table, of a demo company alone",
	"function drop_demo_company":           "the application may delete no company; this deletes an emptied demo",
	"function ensure_message_partitions":   "makes the months ahead; the application owns no table",
	"function ensure_raw_event_partitions": "makes the days ahead and drops old ones; the application owns no table",
	"function search_contacts":             "names the company itself; under row-level security LIKE uses no index",
	"function count_few_contacts":          "as search_contacts",
}

// rule is a statement that returns the names of what breaks it. Only a kind has exceptions.
type rule struct{ kind, breach, query string }

const ours = `c.relnamespace = 'omnidesk'::regnamespace`
const ofCompany = ours + ` AND c.relkind IN ('r', 'p') AND NOT c.relispartition
	AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'company_id' AND NOT a.attisdropped)`

var rules = []rule{
	{"table", "table %s has no company_id", `SELECT c.relname FROM pg_class c WHERE ` + ours + ` AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
		AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'company_id' AND NOT a.attisdropped)`},
	{"null", "null %s.company_id may be empty", `SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'company_id' AND NOT a.attnotnull WHERE ` + ofCompany},
	{"", "row-level security of %s is not enabled and forced", `SELECT c.relname FROM pg_class c WHERE ` + ofCompany + ` AND NOT (c.relrowsecurity AND c.relforcerowsecurity)`},
	{"", "%s has no policy for the application with USING and WITH CHECK on the company", `SELECT c.relname FROM pg_class c WHERE ` + ofCompany + `
		AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*' AND p.polroles = ARRAY['omnidesk_app'::regrole::oid]
			AND pg_get_expr(p.polqual, c.oid) LIKE '(company_id = ( SELECT %current_company() AS current_company))'
			AND pg_get_expr(p.polwithcheck, c.oid) LIKE '(company_id = ( SELECT %current_company() AS current_company))')`},
	// Permissive policies add up: a second one would widen the first.
	{"", "%s gives the application more than one policy", `SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
		WHERE ` + ours + ` AND p.polroles && ARRAY['omnidesk_app'::regrole::oid, 0::oid] GROUP BY c.relname HAVING count(*) > 1`},
	{"", "policy of %s is for everybody", `SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid WHERE ` + ours + ` AND 0 = ANY(p.polroles)`},
	{"system", "system %s is reached by the cross-company role", `SELECT c.relname FROM pg_class c WHERE ` + ours + ` AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
		AND has_any_column_privilege('omnidesk_system', c.oid, 'SELECT, INSERT, UPDATE')`},
	{"index", "index %s does not begin with company_id", `SELECT c.relname || '.' || i.relname FROM pg_class c JOIN pg_index x ON x.indrelid = c.oid AND x.indisunique JOIN pg_class i ON i.oid = x.indexrelid
		WHERE ` + ofCompany + ` AND (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = x.indkey[0]) IS DISTINCT FROM 'company_id'`},
	{"foreign key", "foreign key %s does not begin with company_id", `SELECT c.relname || '.' || k.conname FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f'
		WHERE ` + ofCompany + ` AND NOT EXISTS (SELECT FROM pg_attribute a, pg_attribute b WHERE a.attrelid = c.oid AND a.attnum = k.conkey[1] AND a.attname = 'company_id'
			AND b.attrelid = k.confrelid AND b.attnum = k.confkey[1] AND b.attname = 'company_id')`},
	{"", "%s is granted on a partition", `SELECT c.relname FROM pg_class c, aclexplode(c.relacl) g WHERE ` + ours + ` AND c.relispartition AND g.grantee <> c.relowner`},
	{"", "%s is granted although it is no right to read or write rows", `SELECT c.relname || ' ' || g.privilege_type FROM pg_class c, aclexplode(c.relacl) g
		WHERE ` + ours + ` AND g.grantee <> c.relowner AND g.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')`},
	{"", "%s has rights", `SELECT c.relname || ' ' || coalesce(r.rolname, 'PUBLIC') FROM pg_class c, aclexplode(c.relacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee
		WHERE ` + ours + ` AND g.grantee <> c.relowner AND coalesce(r.rolname, '') NOT IN ('omnidesk_app', 'omnidesk_system')`},
	{"", "%s may pass its rights on", `SELECT c.relname FROM pg_class c, aclexplode(c.relacl) g WHERE ` + ours + ` AND g.grantee <> c.relowner AND g.is_grantable`},
	{"", "%s is a view that reads with its owner's rights", `SELECT c.relname FROM pg_class c WHERE ` + ours + ` AND (c.relkind = 'm' OR (c.relkind = 'v' AND NOT 'security_invoker=true' = ANY(coalesce(c.reloptions, '{}'))))`},
	{"", "%s does not belong to the owner's role", `SELECT c.relname FROM pg_class c WHERE ` + ours + ` AND c.relowner <> 'omnidesk_owner'::regrole
		UNION ALL SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'omnidesk'::regnamespace AND p.proowner <> 'omnidesk_owner'::regrole`},
	{"", "role %s can do more than it should", `SELECT rolname FROM pg_roles WHERE rolname IN ('omnidesk_owner', 'omnidesk_app', 'omnidesk_system')
		AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolcanlogin)`},
	{"", "role %s is a member of another", `SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname IN ('omnidesk_owner', 'omnidesk_app', 'omnidesk_system')`},
	{"", "%s is owned by a role that must own nothing", `SELECT d.classid::regclass || ' ' || d.objid FROM pg_shdepend d
		WHERE d.deptype = 'o' AND d.refobjid IN ('omnidesk_app'::regrole, 'omnidesk_system'::regrole) AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`},
	{"", "role %s may create in a schema", `SELECT r || ' ' || n.nspname FROM pg_namespace n, unnest(ARRAY['omnidesk_app', 'omnidesk_system']) r
		WHERE n.nspname !~ '^pg_' AND has_schema_privilege(r, n.oid, 'CREATE')`},
	{"function", "function %s runs as its owner", `SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'omnidesk'::regnamespace AND p.prosecdef`},
	{"", "%s runs as its owner with a search path of the caller's", `SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'omnidesk'::regnamespace AND p.prosecdef
		AND NOT 'search_path=pg_catalog, pg_temp' = ANY(coalesce(p.proconfig, '{}'))`},
	{"", "%s runs as its owner for everybody", `SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'omnidesk'::regnamespace AND p.prosecdef
		AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g WHERE g.grantee = 0)`},
}

// findings returns what breaks a rule and is no reviewed exception, and the exceptions that nothing needs.
func findings(ctx context.Context, db *pgx.Conn) (found, unused []string, err error) {
	used := map[string]bool{}
	for _, r := range rules {
		rows, err := db.Query(ctx, r.query)
		if err != nil {
			return nil, nil, fmt.Errorf(r.breach+": %w", "?", err)
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return nil, nil, fmt.Errorf(r.breach+": %w", "?", err)
		}
		for _, name := range names {
			key := r.kind + " " + name
			if exceptions[key] == "" {
				found = append(found, fmt.Sprintf(r.breach, name))
			}
			used[key] = true
		}
	}
	for exception := range exceptions {
		if !used[exception] {
			unused = append(unused, exception)
		}
	}
	slices.Sort(found)
	return found, unused, nil
}

func TestCatalogueKeepsCompaniesApart(t *testing.T) {
	found, unused, err := findings(t.Context(), pgtest.Owner(t, pgtest.New(t)))
	require.NoError(t, err)
	require.Empty(t, found)
	require.Empty(t, unused, "exceptions that nothing needs any more")
}

// Each rule is broken once, so that it is known to notice.
func TestCatalogueNoticesEachBreach(t *testing.T) {
	const guard = ` ENABLE ROW LEVEL SECURITY; ALTER TABLE bad FORCE ROW LEVEL SECURITY;`
	const policy = `CREATE POLICY company ON bad TO omnidesk_app USING (company_id = (SELECT current_company())) WITH CHECK (company_id = (SELECT current_company()));`
	const table = `CREATE TABLE bad (company_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (company_id, id)); ALTER TABLE bad OWNER TO omnidesk_owner;`
	const good = table + `ALTER TABLE bad` + guard + policy
	db := pgtest.New(t)
	for want, statements := range map[string]string{
		"": good,
		"row-level security of bad is not enabled and forced":                            table + policy,
		"bad has no policy for the application with USING and WITH CHECK on the company": table + `ALTER TABLE bad` + guard,
		"table bad has no company_id":                                                    `CREATE TABLE bad (id uuid PRIMARY KEY); ALTER TABLE bad OWNER TO omnidesk_owner`,
		"null bad.company_id may be empty":                                               `CREATE TABLE bad (company_id uuid); ALTER TABLE bad OWNER TO omnidesk_owner; ALTER TABLE bad` + guard + policy,
		"bad gives the application more than one policy":                                 good + `CREATE POLICY more ON bad FOR SELECT TO omnidesk_app USING (true)`,
		"policy of bad is for everybody":                                                 good + `CREATE POLICY more ON bad AS RESTRICTIVE FOR SELECT USING (true); DROP POLICY company ON bad; ` + policy,
		"system bad is reached by the cross-company role":                                good + `GRANT SELECT ON bad TO omnidesk_system`,
		"index bad.bad_id does not begin with company_id":                                good + `CREATE UNIQUE INDEX bad_id ON bad (id)`,
		"foreign key bad.bad_id_fkey does not begin with company_id":                     good + `ALTER TABLE bad ADD FOREIGN KEY (id) REFERENCES users (id)`,
		"messages_default is granted on a partition":                                     `GRANT SELECT ON messages_default TO omnidesk_app`,
		"contacts TRUNCATE is granted although it is no right to read or write rows":     `GRANT TRUNCATE ON contacts TO omnidesk_app`,
		"contacts PUBLIC has rights":                                                     `GRANT SELECT ON contacts TO PUBLIC`,
		"contacts may pass its rights on":                                                `GRANT SELECT ON contacts TO omnidesk_app WITH GRANT OPTION`,
		"bad is a view that reads with its owner's rights":                               `CREATE VIEW bad AS SELECT * FROM contacts; ALTER VIEW bad OWNER TO omnidesk_owner`,
		"bad does not belong to the owner's role":                                        `CREATE TABLE bad (company_id uuid NOT NULL); ALTER TABLE bad` + guard + policy,
		"role omnidesk_app public may create in a schema":                                `GRANT CREATE ON SCHEMA public TO omnidesk_app`,
		"function bad runs as its owner":                                                 `CREATE FUNCTION bad() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1'; ALTER FUNCTION bad() OWNER TO omnidesk_owner; REVOKE EXECUTE ON FUNCTION bad() FROM PUBLIC`,
		"ensure_message_partitions runs as its owner with a search path of the caller's": `ALTER FUNCTION ensure_message_partitions(integer) RESET search_path`,
		"ensure_message_partitions runs as its owner for everybody":                      `GRANT EXECUTE ON FUNCTION ensure_message_partitions(integer) TO PUBLIC`,
		"role omnidesk_app can do more than it should":                                   `ALTER ROLE omnidesk_app BYPASSRLS`,
		"role omnidesk_system is a member of another":                                    `GRANT omnidesk_owner TO omnidesk_system`,
	} {
		t.Run(want, func(t *testing.T) {
			conn := pgtest.Owner(t, db)
			// Roles are of the whole cluster: what is done to them is undone before anybody else can see it.
			tx, err := conn.Begin(t.Context())
			require.NoError(t, err)
			defer tx.Rollback(context.Background())
			_, err = conn.PgConn().Exec(t.Context(), statements).ReadAll()
			require.NoError(t, err)
			found, _, err := findings(t.Context(), conn)
			require.NoError(t, err)
			if want == "" {
				require.Empty(t, found)
				return
			}
			require.Contains(t, found, want)
		})
	}
}
