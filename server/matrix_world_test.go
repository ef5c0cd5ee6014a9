package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/apiclient"
	"omnidesk/internal/connection"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

// who calls in the matrix.
type role string

const (
	stranger     role = "nobody signed in"
	expired      role = "an expired session"
	revoked      role = "a revoked session"
	unverified   role = "an admin whose address is not confirmed"
	outOfOffice  role = "a user without the department"
	member       role = "a user"
	boss         role = "an admin"
	outside      role = "a superadmin in no company"
	inside       role = "a superadmin inside the company"
	otherCompany role = "an admin of another company"
)

var ofA = []role{stranger, expired, revoked, unverified, outOfOffice, member, boss, outside, inside}

// subjects are rows of one company that an operation can be about, by kind.
type subjects map[string]id.ID

// world is two companies that know nothing of each other. Every text and number of a company has its canary in it.
type world struct {
	*site
	*testing.T
	owner      *pgx.Conn
	people     map[role]id.ID
	company    map[role]*id.ID
	dept       id.ID // of A, with all its connections
	a, b       subjects
	hash       string // a statement: table and digest of one company's rows
	tries      int
	mismatches []string
	hits       []string
}

// What no answer to somebody else may hold. Phones of a company begin with its own digits.
const (
	canaryA, phonesA = "zqcanaryalpha", "+551190"
	canaryB, phonesB = "zqcanarybravo", "+552190"
	canaryD          = "zqcanarydepartment" // of what belongs to A's department
)

func newWorld(t *testing.T) *world {
	ui := http.NewServeMux()
	ui.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("the Temporal UI")) })
	x := newSite(t, func(o *Options) {
		o.CanMail, o.SignUp, o.Sandbox, o.SandboxURL = true, true, &fakeSandbox{}, "http://127.0.0.1:1"
		o.TemporalUI = serve(t, ui)
	})
	w := &world{site: x, T: t, owner: pgtest.Owner(t, x.db), people: map[role]id.ID{}, company: map[role]*id.ID{}}
	w.hash = w.hashStatement()
	for company, canary := range map[id.ID]string{x.mine: canaryA, x.theirs: canaryB} {
		w.exec(`UPDATE companies SET name = $2 WHERE company_id = $1`, company, canary+" company")
	}
	for of, r := range map[role]account.Role{unverified: account.Admin, outOfOffice: account.Member, member: account.Member, boss: account.Admin, expired: account.Admin, revoked: account.Admin,
		outside: account.Superadmin, otherCompany: account.Admin} {
		user := account.NewUser{Home: &x.mine, Name: "Caller", Email: strings.ReplaceAll(string(of), " ", ".") + "@example.com", Role: r, Hash: testHash(), Unverified: of == unverified}
		switch of {
		case outside:
			user.Home = nil
		case otherCompany:
			user.Home = &x.theirs
		}
		require.NoError(t, x.db.InSystem(t.Context(), func(tx postgres.Tx) (err error) {
			w.people[of], err = account.CreateUser(t.Context(), tx, user)
			return err
		}))
		w.company[of] = user.Home
	}
	w.people[inside], w.company[inside] = w.people[outside], &x.mine
	w.dept = w.department(x.mine, canaryA+" office") // its name is no secret: conversations are handed over to it
	elsewhere := w.department(x.mine, canaryA+" elsewhere")
	w.exec(`INSERT INTO department_members (company_id, user_id, department_id) VALUES ($1, $2, $3), ($1, $4, $5)`, x.mine, w.people[member], w.dept, w.people[outOfOffice], elsewhere)
	w.a, w.b = w.subjects(x.mine), w.subjects(x.theirs)
	w.a["session"], w.b["session"] = w.rowOfSession(boss), w.rowOfSession(otherCompany)
	return w
}

func serve(t *testing.T, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func (w *world) exec(sql string, args ...any) {
	w.Helper()
	_, err := w.owner.Exec(w.Context(), sql, args...)
	require.NoError(w, err, sql)
}

func (w *world) department(company id.ID, name string) id.ID {
	made := id.New()
	w.exec(`INSERT INTO departments (company_id, id, name) VALUES ($1, $2, $3)`, company, made, name+" "+made.String()[30:])
	return made
}

// subjects makes one of each kind, all linked to each other, with the company's canary in every text.
func (w *world) subjects(company id.ID) subjects {
	w.Helper()
	canary, phones := canaryA, phonesA
	if company == w.theirs {
		canary, phones = canaryB, phonesB
	}
	one := subjects{"company": company}
	for _, kind := range []string{"contact", "identity", "tag", "segment", "import", "campaign", "message", "invitation", "person", "conversation", "notice", "superadmin", "label", "merge", "other"} {
		one[kind] = id.New()
	}
	secret, draft := canary, connection.Draft{AppID: "1001", AccountID: "2001", NumberID: fmt.Sprint(rand.Int64N(1e15)), AppSecret: canary + " app secret"}
	if company == w.mine {
		one["department"] = w.department(company, canary)
		secret, draft.Department = canary+" "+canaryD, &w.dept
	} else {
		one["department"] = w.department(company, canary)
		draft.Department = nil
	}
	draft.Name, draft.Token, draft.VerifyToken = secret+" line", canary+"-token", canary+"-verify"
	require.NoError(w, w.db.InCompany(w.Context(), company, func(tx postgres.Tx) error {
		view, err := w.connections.Create(w.Context(), tx, company, draft)
		one["connection"] = view.ID
		if err != nil {
			return err
		}
		client, _, err := w.clients.Create(w.Context(), tx, company, apiclient.Draft{Name: fmt.Sprintf("%s client %s", canary, view.ID), Scopes: []apiclient.Scope{apiclient.Send},
			Connections: []id.ID{view.ID}, Lane: apiclient.LaneQueue, PerMinute: 60, PerDay: 1000}, time.Now())
		one["apiclient"] = client.ID
		return err
	}))
	file, err := w.Media.Keep(w.Context(), w.db, company, strings.NewReader(secret+" file "+one["message"].String()))
	require.NoError(w, err)
	one["media"] = file.ID
	pairs := []string{"$company", quoted(company), "$canary", canary, "$secret", secret, "$phone", fmt.Sprint(phones, 1_000_000+rand.IntN(8_999_999))}
	for kind, of := range one {
		pairs = append(pairs, "$"+kind, quoted(of))
	}
	_, err = w.owner.PgConn().Exec(w.Context(), strings.NewReplacer(pairs...).Replace(oneOfEach)).ReadAll()
	require.NoError(w, err)
	return one
}

func quoted(of id.ID) string { return "'" + of.String() + "'" }

// $secret is the canary, in A with that of the department.
const oneOfEach = `
INSERT INTO users (id, company_id, email, name, role, password_hash) VALUES ($person, $company, '$canary.' || $person || '@example.org', '$canary person', 'user', '');
INSERT INTO users (id, email, name, role, password_hash) VALUES ($superadmin, 'root.' || $superadmin || '@example.org', 'Root', 'superadmin', '');
INSERT INTO department_members (company_id, user_id, department_id) VALUES ($company, $person, $department);
INSERT INTO department_members SELECT $company, $person, department_id FROM connections WHERE id = $connection AND department_id IS NOT NULL;
INSERT INTO templates (company_id, connection_id, name, language, category, status, body, components, synced_at)
	VALUES ($company, $connection, 'x$secret', 'en', 'MARKETING', 'APPROVED', '$secret', '[{"type":"BODY","text":"$secret"}]', now());
INSERT INTO template_syncs (company_id, connection_id, problem) VALUES ($company, $connection, '$secret');
INSERT INTO contacts (company_id, id, name, attributes) VALUES ($company, $contact, '$canary contact', '{"note": "$canary"}');
INSERT INTO identities (company_id, id, contact_id, kind, value) VALUES ($company, $identity, $contact, 'phone', '$phone');
INSERT INTO imports (company_id, id, file_name, state, state_detail, columns, mapping, preview, counts) VALUES ($company, $import, '$canary.csv', 'ready', '$canary', '[{"title":"phone","cells":["$phone"]}]', '[{"field":"phone"}]', '{}', '{}');
INSERT INTO import_chunks (company_id, import_id, number, data) VALUES ($company, $import, 0, 'phone');
INSERT INTO import_rows (company_id, import_id, row, contact_id, outcome, changed_at) VALUES ($company, $import, 2, $contact, 'added', now());
INSERT INTO import_refused (company_id, import_id, row, reason) VALUES ($company, $import, 3, '$canary');
INSERT INTO tags (company_id, id, name) VALUES ($company, $tag, '$canary tag ' || $tag);
INSERT INTO contact_tags (company_id, tag_id, contact_id) VALUES ($company, $tag, $contact);
INSERT INTO segments (company_id, id, name, filter) VALUES ($company, $segment, '$canary segment ' || $segment, 'name = "$canary"');
INSERT INTO service_windows (company_id, connection_id, contact_id, open_until) VALUES ($company, $connection, $contact, now() + interval '1 day');
INSERT INTO campaigns (company_id, id, connection_id, name, content, audience, state_detail)
	VALUES ($company, $campaign, $connection, '$secret campaign', '{"kind":"text","text":"$secret"}', '{"all":true}', '');
INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, campaign_id, lane, state, content, provider_id, error_detail, ended_at)
	VALUES ($company, $message, $connection, $contact, $identity, $campaign, 5, 6, '{"text":"$secret"}', 'wamid.' || $message, '$secret', now());
INSERT INTO contact_messages (company_id, contact_id, message_id) VALUES ($company, $contact, $message);
INSERT INTO conversations (company_id, id, connection_id, contact_id, last_id) VALUES ($company, $conversation, $connection, $contact, $message);
INSERT INTO media_transfers (company_id, message_id, connection_id, outbound, state, media_id, provider_id, gives_up_at, detail)
	VALUES ($company, $message, $connection, true, 'done', $media, '4711', now(), '$secret');
INSERT INTO contacts (company_id, id, name, merged_into) VALUES ($company, $other, '$canary other', $contact);
INSERT INTO contact_merges (company_id, id, winner_id, loser_id, at, before) VALUES ($company, $merge, $contact, $other, now(), '{"Loser": {"Name": "$canary other"}, "Conversations": []}');
INSERT INTO labels (company_id, id, name, colour) VALUES ($company, $label, '$canary label ' || $label, 'red');
INSERT INTO conversation_labels (company_id, conversation_id, label_id) VALUES ($company, $conversation, $label);
INSERT INTO conversation_notes (company_id, conversation_id, id, author_id, body) VALUES ($company, $conversation, $message, $person, '$secret note');
INSERT INTO notices (company_id, id, kind, about, subject_id, hour, at) VALUES ($company, $notice, 'connection_lost', 'connection', $connection, now(), now());
INSERT INTO api_messages (company_id, client_id, key, fingerprint, message_id) VALUES ($company, $apiclient, $message, '', $message);
INSERT INTO raw_events (company_id, id, connection_id, kind, state, reason, sealed) VALUES ($company, $message, $connection, '$secret', 1, '$secret', '');
INSERT INTO message_counts (company_id, connection_id, campaign_id, uncertain) VALUES ($company, $connection, $campaign, 1);
INSERT INTO failure_counts (company_id, campaign_id, error_code, count) VALUES ($company, $campaign, 131026, 1);
INSERT INTO waits (company_id, subject_id, reason, began_at) VALUES ($company, $campaign, '$secret', now() - interval '1 hour');
INSERT INTO tries (company_id, message_id, attempt_id, at, state, error_code, error_detail) VALUES ($company, $message, $message, now(), 0, 1, '$secret');
INSERT INTO invitations (company_id, id, email, role, invited_by, created_at, expires_at) VALUES ($company, $invitation, '$canary.' || $invitation || '@example.net', 'user', $person, now(), now() + interval '1 day');
INSERT INTO audit (company_id, id, user_id, action, at) VALUES ($company, $message, $person, 'message.marked_sent', now());
INSERT INTO audit_subjects (company_id, subject_id, audit_id) VALUES ($company, $message, $message);`

// session begins a session of a caller in its company and returns its cookie.
func (w *world) session(of role) *http.Cookie {
	w.Helper()
	if of == stranger {
		return nil
	}
	made := w.rowOfSession(of)
	claims := jwt.MapClaims{"iss": "omnidesk", "aud": []string{"omnidesk browser"}, "sub": w.people[of].String(), "sid": made.String(), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	if company := w.company[of]; company != nil {
		claims["cid"] = company.String()
	}
	return &http.Cookie{Name: cookieName, Value: signToken(w.T, w.secret, claims)}
}

func (w *world) rowOfSession(of role) id.ID {
	w.Helper()
	made, until, ended := id.New(), time.Now().Add(time.Hour), (*time.Time)(nil)
	switch of {
	case expired:
		until = time.Now().Add(-time.Minute)
	case revoked:
		ended = &until
	}
	w.exec(`INSERT INTO sessions (id, user_id, company_id, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5)`, made, w.people[of], w.company[of], until, ended)
	return made
}

// signToken makes a token as the server does, with any claims.
func signToken(t *testing.T, secret string, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	sum := sha256.Sum256([]byte("omnidesk session key id|" + secret))
	token.Header["kid"] = hex.EncodeToString(sum[:4])
	signed, err := token.SignedString([]byte(secret))
	require.NoError(t, err)
	return signed
}

// hashStatement digests every table with a company, as the catalogue has them.
func (w *world) hashStatement() string {
	rows, err := w.owner.Query(w.Context(), `SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'company_id' AND NOT a.attisdropped
		WHERE c.relnamespace = 'omnidesk'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`)
	require.NoError(w, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(w, err)
	require.Greater(w, len(tables), 30)
	var parts []string
	for _, table := range tables {
		parts = append(parts, fmt.Sprintf(`SELECT '%[1]s', count(*) || ' ' || md5(coalesce(string_agg(x::text, '|' ORDER BY x::text), '')) FROM %[1]s x WHERE company_id = $1`, table))
	}
	return strings.Join(parts, " UNION ALL ")
}

func (w *world) rowsOf(company id.ID) map[string]string {
	w.Helper()
	rows, err := w.owner.Query(w.Context(), w.hash, company)
	require.NoError(w, err)
	found := map[string]string{}
	for rows.Next() {
		var table, digest string
		require.NoError(w, rows.Scan(&table, &digest))
		found[table] = digest
	}
	require.NoError(w, rows.Err())
	return found
}
