package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/account"
	"omnidesk/internal/connection"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/rig"
	"omnidesk/internal/secret"
)

// readTries is how often each address is asked, after readWarm tries that are not counted; a slow one for readFor at most.
const (
	readTries = 400
	readWarm  = 20
	readFor   = 20 * time.Second
)

//go:embed reads.sql
var readsSeed string

// read is one address of the API. Its path is made anew for each try, so that no answer is a repeat.
type read struct {
	name string
	path func(*readsBench) string
}

func fixed(path string) func(*readsBench) string { return func(*readsBench) string { return path } }

var reads = []read{
	{"contacts", fixed("/contacts")},
	{"contacts_page", func(b *readsBench) string { return "/contacts?limit=200&cursor=" + b.cursor("/contacts?limit=200") }},
	{"contacts_by_tag", func(b *readsBench) string { return "/contacts?tag_id=" + pick(b.tags) }},
	{"contact", func(b *readsBench) string { return "/contacts/" + pick(b.contacts) }},
	{"contacts_search_rare", func(b *readsBench) string { return searched(fmt.Sprint("Ana ", rand.IntN(200_000))) }},
	{"contacts_search_usual", func(*readsBench) string { return searched(pick([]string{"ana", "silva", "joao", "ra"})) }},
	{"contacts_search_two", func(*readsBench) string { return searched(pick([]string{"ana souza", "joao lima", "carla rocha"})) }},
	{"contacts_search_digits", func(*readsBench) string { return searched(fmt.Sprintf("+5511900%06d", rand.IntN(200_000))) }},
	{"contacts_search_few_digits", func(*readsBench) string { return searched(fmt.Sprint(1000 + rand.IntN(9000))) }},
	{"contacts_filter", func(*readsBench) string { return "/contacts?filter=" + url.QueryEscape(pick(filters)) }},
	{"contacts_count", fixed("/contacts/count")},
	{"contacts_count_search", func(*readsBench) string { return "/contacts/count?q=" + pick([]string{"ana", "silva", "ana+souza"}) }},
	{"contacts_count_filter", func(*readsBench) string { return "/contacts/count?filter=" + url.QueryEscape(pick(filters)) }},
	{"contacts_count_later", func(b *readsBench) string {
		list := "/contacts/count?filter=" + url.QueryEscape(pick(filters))
		return list + "&cursor=" + b.cursor(list)
	}},
	{"contact_timeline", func(b *readsBench) string { return "/contacts/" + pick(b.contacts) + "/timeline" }},
	{"contact_attributes", fixed("/contacts/attributes")},
	{"segments", fixed("/segments")},
	{"imports", fixed("/imports")},
	{"tags", fixed("/tags")},
	{"campaigns", fixed("/campaigns")},
	{"campaign", func(b *readsBench) string { return "/campaigns/" + pick(b.campaigns) }},
	{"campaign_messages", func(b *readsBench) string { return "/campaigns/" + pick(b.campaigns) + "/messages" }},
	{"campaign_failed", func(b *readsBench) string { return "/campaigns/" + pick(b.campaigns) + "/messages?state=failed" }},
	{"campaign_code", func(b *readsBench) string {
		return "/campaigns/" + pick(b.campaigns) + "/messages?state=failed&code=131049"
	}},
	{"campaign_course", func(b *readsBench) string { return "/campaigns/" + pick(b.campaigns) + "/course" }},
	{"campaign_failures", func(b *readsBench) string { return "/campaigns/" + pick(b.campaigns) + "/failures" }},
	{"campaign_live", func(b *readsBench) string { return "/campaigns/" + pick(b.campaigns) + "/live" }},
	{"conversations", fixed("/conversations")},
	{"conversations_page", func(b *readsBench) string { return "/conversations?cursor=" + b.cursor("/conversations?limit=50") }},
	{"conversation", func(b *readsBench) string { return "/conversations/" + pick(b.conversations) }},
	{"conversation_messages", func(b *readsBench) string { return "/conversations/" + pick(b.conversations) + "/messages" }},
	{"uncertain", fixed("/uncertain")},
	{"uncertain_count", fixed("/uncertain/count")},
	{"message", func(b *readsBench) string { return "/messages/" + pick(b.messages) }},
	{"message_story", func(b *readsBench) string { return "/messages/" + pick(b.messages) + "/story" }},
	{"dashboard_today", fixed("/dashboard/traffic?range=today")},
	{"dashboard_30d", fixed("/dashboard/traffic?range=30d")},
	{"dashboard_campaigns", fixed("/dashboard/campaigns?range=30d")},
	{"dashboard_connections", fixed("/dashboard/connections?range=30d")},
	{"dashboard_concerns", fixed("/dashboard/concerns")},
	{"templates", fixed("/templates")},
	{"connection_usage", func(b *readsBench) string { return "/connections/" + b.connection.String() + "/usage" }},
	{"connections", fixed("/connections")},
	{"connection", func(b *readsBench) string { return "/connections/" + b.connection.String() }},
	{"connection_messages", func(b *readsBench) string { return "/connections/" + b.connection.String() + "/messages" }},
	{"campaign_replied", func(b *readsBench) string { return "/campaigns/" + pick(b.campaigns) + "/messages?replied=true" }},
	{"connection_limits", func(b *readsBench) string { return "/connections/" + b.connection.String() + "/limits" }},
	{"connection_live", func(b *readsBench) string { return "/connections/" + b.connection.String() + "/live" }},
	{"notices", fixed("/notices")},
	{"notices_unread", fixed("/notices/unread")},
	{"notices_switches", fixed("/notices/switches")},
	{"people", fixed("/people")},
	{"departments", fixed("/departments")},
	{"invitations", fixed("/invitations")},
	{"permissions", fixed("/permissions")},
	{"audit", fixed("/audit")},
	{"health", fixed("/health")},
	{"settings", fixed("/company")},
	{"setup", fixed("/company/setup")},
	{"sessions", fixed("/auth/sessions")},
	{"me", fixed("/auth/me")},
}

// filters are of the usual kinds: by an attribute, by tags, by what became of a campaign.
var filters = []string{`city = "Recife"`, `city = "Recife" and points > 900`, `tag:"tag 3" and not opted_out`, `points >= 990 or city contains "lin"`,
	`read:"Campaign 7" and tag:"tag 5"`, `delivered:"Campaign 4" and not read:"Campaign 4"`}

func searched(q string) string { return "/contacts?q=" + url.QueryEscape(q) }

type readsBench struct {
	rig           *rig.Rig
	client        http.Client
	company       id.ID
	connection    id.ID
	contacts      []string
	campaigns     []string
	messages      []string
	conversations []string
	tags          []string
	cursors       map[string][]string
	kept          bool // its directory outlives the run (OMNIDESK_BENCH_KEEP), so that the next one need not fill it
}

// readsAt200k asks every address that the dashboard reads, one after the other, over a company of 200,000
// contacts and 2,000,000 messages, and prints the slowest hundredth of each and of the worst.
func readsAt200k(ctx context.Context) error {
	b, err := newReadsBench(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	only, err := regexp.Compile(os.Getenv("OMNIDESK_BENCH_READS"))
	if err != nil {
		return fmt.Errorf("OMNIDESK_BENCH_READS: %w", err)
	}
	worst, tries := 0.0, 0
	for _, r := range reads {
		if !only.MatchString(r.name) {
			continue
		}
		times, err := b.timesOf(ctx, r)
		if err != nil {
			return err
		}
		slices.Sort(times)
		p50, p99 := times[len(times)/2], times[len(times)*99/100]
		note("%-26s p50 %6.1f ms · p99 %6.1f ms · n %d", r.name, p50, p99, len(times))
		figure("reads", r.name+"_p99_ms", p99, "ms", len(times))
		worst, tries = max(worst, p99), tries+len(times)
	}
	figure("reads", "worst_p99_ms", worst, "ms", tries)
	return nil
}

// timesOf asks one address again and again, in ms.
func (b *readsBench) timesOf(ctx context.Context, r read) (times []float64, err error) {
	asked := time.Duration(0) // without what finding the paths takes
	for i := 0; i < readTries+readWarm && (i <= readWarm || asked < readFor); i++ {
		path := r.path(b)
		began := time.Now()
		if _, err := b.get(ctx, path); err != nil {
			return nil, err
		}
		took := time.Since(began)
		asked += took
		if i >= readWarm {
			times = append(times, float64(took.Microseconds())/1000)
		}
	}
	return times, nil
}

func newReadsBench(ctx context.Context) (*readsBench, error) {
	dir, kept := os.Getenv("OMNIDESK_BENCH_KEEP"), true
	if dir == "" {
		kept = false
		var err error
		if dir, err = os.MkdirTemp("", "omnidesk-bench-"); err != nil {
			return nil, err
		}
	} else if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // PostgreSQL may run as another user
		return nil, err
	}
	r, err := rig.New(ctx, rig.Options{Dir: dir, Durable: true, Binary: os.Getenv("OMNIDESK_BINARY"), TemporalBinary: os.Getenv("OMNIDESK_TEMPORAL_BINARY"),
		TemporalConfig: "temporal-dev.yaml", SandboxArgs: []string{"--sink"}})
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	b := &readsBench{rig: r, client: http.Client{Jar: jar, Timeout: time.Minute}, cursors: map[string][]string{}, kept: kept}
	if err := b.fill(ctx); err != nil {
		return nil, err
	}
	for _, part := range []string{rig.Temporal, rig.Sandbox, rig.Work, rig.Serve} {
		if err := r.Start(ctx, part); err != nil {
			return nil, err
		}
	}
	return b, b.login(ctx)
}

func (b *readsBench) close() {
	if err := b.rig.Close(); err != nil {
		note("closing: %v", err)
	}
	if !b.kept {
		_ = os.RemoveAll(b.rig.Dir)
	}
}

const readsEmail, readsPassword = "bench@example.com", "a long password of the bench"

// fill makes the rows, unless an earlier run has kept them, and picks whom to ask for.
func (b *readsBench) fill(ctx context.Context) error {
	owner, err := pgx.Connect(ctx, b.rig.DatabaseURL)
	if err != nil {
		return err
	}
	defer owner.Close(ctx)
	err = owner.QueryRow(ctx, `SELECT c.company_id, c.id FROM omnidesk.connections c WHERE (SELECT count(*) FROM omnidesk.campaigns) = 20`).Scan(&b.company, &b.connection)
	if errors.Is(err, pgx.ErrNoRows) {
		note("adding 200,000 contacts and 2,000,000 messages in %s", b.rig.Dir)
		err = b.seed(ctx, owner)
	}
	if err != nil {
		return err
	}
	return b.pickRows(ctx, owner)
}

func (b *readsBench) seed(ctx context.Context, owner *pgx.Conn) error {
	hash, err := account.HashPassword(ctx, readsPassword)
	if err != nil {
		return err
	}
	err = b.rig.DB.InSystem(ctx, func(tx postgres.Tx) error {
		company, err := account.CreateCompany(ctx, tx, "Bench", "America/Sao_Paulo", false)
		if err != nil {
			return err
		}
		b.company = company.ID
		_, err = account.CreateUser(ctx, tx, account.NewUser{Home: &company.ID, Email: readsEmail, Name: "Bench", Role: account.Admin, Hash: hash})
		return err
	})
	if err != nil {
		return err
	}
	sealer, err := secret.Open(b.rig.Keyset)
	if err != nil {
		return err
	}
	err = b.rig.DB.InCompany(ctx, b.company, func(tx postgres.Tx) error {
		view, err := connection.NewStore(sealer).Create(ctx, tx, b.company, connection.Draft{Name: "Bench", AppID: "1", AppSecret: "bench-secret", AccountID: "200", NumberID: "300", Token: "bench-token"})
		b.connection = view.ID
		return err
	})
	if err != nil {
		return err
	}
	if _, err := owner.Exec(ctx, fmt.Sprintf(readsSeed, b.company, b.connection)); err != nil {
		return fmt.Errorf("seeding: %w", err)
	}
	if _, err := owner.Exec(ctx, `VACUUM ANALYZE`); err != nil {
		return fmt.Errorf("analysing: %w", err)
	}
	return nil
}

func (b *readsBench) pickRows(ctx context.Context, owner *pgx.Conn) error {
	for into, query := range map[*[]string]string{
		&b.contacts:      `SELECT id::text FROM omnidesk.contacts TABLESAMPLE SYSTEM (1) LIMIT 1000`,
		&b.campaigns:     `SELECT id::text FROM omnidesk.campaigns`,
		&b.messages:      `SELECT id::text FROM omnidesk.messages TABLESAMPLE SYSTEM (1) LIMIT 1000`,
		&b.tags:          `SELECT id::text FROM omnidesk.tags`,
		&b.conversations: `SELECT id::text FROM omnidesk.conversations LIMIT 1000`,
	} {
		rows, err := owner.Query(ctx, query)
		if err != nil {
			return err
		}
		if *into, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return err
		}
	}
	return nil
}

func (b *readsBench) login(ctx context.Context) error {
	body, err := json.Marshal(map[string]string{"email": readsEmail, "password": readsPassword})
	if err != nil {
		return err
	}
	_, err = b.do(ctx, http.MethodPost, "/auth/login", body)
	return err
}

func (b *readsBench) get(ctx context.Context, path string) ([]byte, error) {
	return b.do(ctx, http.MethodGet, path, nil)
}

func (b *readsBench) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, b.rig.AppURL()+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := b.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	return text, err
}

// cursor is that of a random one of the first pages of a list.
func (b *readsBench) cursor(list string) string {
	if b.cursors[list] == nil {
		path := list
		for range 20 {
			text, err := b.get(context.Background(), path)
			var page struct {
				Next string `json:"next_cursor"`
			}
			if err != nil || json.Unmarshal(text, &page) != nil || page.Next == "" {
				break
			}
			b.cursors[list] = append(b.cursors[list], page.Next)
			path = list + "&cursor=" + page.Next
		}
	}
	return pick(b.cursors[list])
}

func pick(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return strings.TrimSpace(values[rand.IntN(len(values))])
}
