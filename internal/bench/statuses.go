package main

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/connection"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/rig"
	"omnidesk/internal/secret"
)

//go:embed statuses.sql
var statusesSeed string

const (
	hookCompanies   = 4
	hookNumbers     = 2 // of each company
	killedRate      = 2_000
	repeatedShare   = 0.05 // of the POSTs of the killed run come twice
	shuffledBy      = 2 * time.Second
	inboundEvery    = 20 // statuses of the killed run for each message that somebody writes
	deliveredBehind = 2 * time.Second
	readBehind      = 5 * time.Second
)

// statusesApplied measures how quickly webhooks are answered 200 at 2,000 statuses a second, one in each POST, and at
// 4,000, ten in each; and counts what is lost, doubled or taken back when the server is killed and the sender retries.
func statusesApplied(ctx context.Context, during, killedFor time.Duration) error {
	b, err := newStatusesBench(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	slowest := 0.0
	for _, run := range []struct{ rate, each int }{{2_000, 1}, {4_000, 10}} {
		p99, rate, err := b.measure(ctx, run.rate, run.each, during)
		if err != nil {
			return err
		}
		slowest = max(slowest, p99)
		figure("statuses", "per_s_"+strconv.Itoa(run.each), rate, "1/s", int(float64(run.rate)*during.Seconds()))
	}
	figure("statuses", "p99_ms", slowest, "ms", 2)
	sent, err := b.killed(ctx, killedFor)
	if err != nil {
		return err
	}
	return b.compare(ctx, sent)
}

type statusesBench struct {
	rig     *rig.Rig
	owner   *pgx.Conn
	numbers []benchNumber
}

type benchNumber struct {
	hookTarget
	company, connection id.ID
}

func newStatusesBench(ctx context.Context) (*statusesBench, error) {
	dir, err := os.MkdirTemp("", "omnidesk-bench-")
	if err != nil {
		return nil, err
	}
	note("starting PostgreSQL, Temporal, a server and a worker in %s", dir)
	r, err := rig.New(ctx, rig.Options{Dir: dir, Durable: true, Binary: os.Getenv("OMNIDESK_BINARY"), TemporalBinary: os.Getenv("OMNIDESK_TEMPORAL_BINARY"),
		TemporalConfig: "temporal-dev.yaml", SandboxArgs: []string{"--sink"}})
	if err != nil {
		return nil, err
	}
	for _, part := range []string{rig.Temporal, rig.Sandbox, rig.Work, rig.Serve} {
		if err := r.Start(ctx, part); err != nil {
			return nil, err
		}
	}
	b := &statusesBench{rig: r}
	if b.owner, err = pgx.Connect(ctx, r.DatabaseURL); err != nil {
		return nil, err
	}
	if _, err := b.owner.Exec(ctx, statusesSeed); err != nil {
		return nil, fmt.Errorf("preparing the database: %w", err)
	}
	sealer, err := secret.Open(r.Keyset)
	if err != nil {
		return nil, err
	}
	for n := range hookCompanies * hookNumbers {
		company := id.New()
		if n%hookNumbers != 0 {
			company = b.numbers[n-1].company
		} else if _, err := b.owner.Exec(ctx, `INSERT INTO companies (company_id, name, zone) VALUES ($1, 'Bench', 'America/Sao_Paulo')`, company); err != nil {
			return nil, fmt.Errorf("seeding a company: %w", err)
		}
		err := r.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
			view, err := connection.NewStore(sealer).Create(ctx, tx, company, connection.Draft{Name: "Bench", AppID: "1", AppSecret: hookSecret,
				AccountID: "200", NumberID: strconv.Itoa(300 + n), Token: "bench-token"})
			b.numbers = append(b.numbers, benchNumber{hookTarget{r.AppURL() + "/api/webhooks/meta/" + view.Slug, view.NumberID}, company, view.ID})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *statusesBench) close() {
	_ = b.owner.Close(context.WithoutCancel(context.Background()))
	if err := b.rig.Close(); err != nil {
		note("closing: %v", err)
	}
	_ = os.RemoveAll(b.rig.Dir)
}

// seed adds messages in a state to each number, of one campaign each, and returns their ids by number.
func (b *statusesBench) seed(ctx context.Context, each, state int) ([][]id.ID, error) {
	all := make([][]id.ID, len(b.numbers))
	for n, number := range b.numbers {
		ids := make([]id.ID, each)
		for i := range ids {
			ids[i] = id.New()
		}
		if _, err := b.owner.Exec(ctx, `SELECT pg_temp.seed($1, $2, $3, $4, $5)`, number.company, number.connection, id.New(), ids, state); err != nil {
			return nil, fmt.Errorf("seeding messages: %w", err)
		}
		all[n] = ids
	}
	_, err := b.owner.Exec(ctx, `VACUUM ANALYZE`)
	return all, err
}

// statusHooks are the POSTs of three statuses for each message, at a rate: sent, then delivered 2 s and read 5 s later. The
// flow is even from its beginning: the first reports of each kind are about the last messages.
func (b *statusesBench) statusHooks(messages [][]id.ID, rate, each int) []hook {
	began := time.Now().Add(time.Second)
	var hooks []hook
	perNumber := float64(rate) / float64(len(messages))
	for n, ids := range messages {
		var items []string
		for slot := range 3 * len(ids) {
			due := time.Duration(float64(slot) / perNumber * float64(time.Second))
			kind := slot % 3
			behind := int([]time.Duration{0, deliveredBehind, readBehind}[kind].Seconds() * perNumber / 3)
			message := ids[((slot/3-behind)%len(ids)+len(ids))%len(ids)]
			items = append(items, statusItem(message, []string{"sent", "delivered", "read"}[kind], began.Add(due)))
			if len(items) == each || slot == 3*len(ids)-1 {
				hooks = append(hooks, newHook(b.numbers[n].hookTarget, due, `"statuses":`, items))
				items = nil
			}
		}
	}
	slices.SortStableFunc(hooks, func(a, b hook) int { return int(a.due - b.due) })
	return hooks
}

func statusItem(message id.ID, kind string, at time.Time) string {
	return fmt.Sprintf(`{"id":"wamid.%[1]s","status":%q,"timestamp":"%d","recipient_id":"5511999990001","biz_opaque_callback_data":"%[1]s",`+
		`"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"marketing"}}`, message, kind, at.Unix())
}

// measure returns the slowest hundredth of the POSTs, in milliseconds, and the statuses answered in a second.
func (b *statusesBench) measure(ctx context.Context, rate, each int, during time.Duration) (p99, perSecond float64, err error) {
	total := int(float64(rate) * during.Seconds())
	messages, err := b.seed(ctx, total/3/len(b.numbers), 2)
	if err != nil {
		return 0, 0, err
	}
	hooks := b.statusHooks(messages, rate, each)
	note("%d statuses a second for %s, %d in each POST", rate, during, each)
	serve, database := cpuOf(b.rig.Pid(rig.Serve)), cpuOf(b.rig.Postgres.Pid())
	began := time.Now().Add(time.Second)
	took, _, err := deliver(ctx, hooks, false)
	if err != nil {
		return 0, 0, err
	}
	ended := time.Since(began)
	ms := func(share float64) float64 {
		return float64(took[min(len(took)-1, int(share*float64(len(took))))].Microseconds()) / 1000
	}
	note("  p50 %.1f ms · p99 %.1f ms · slowest %.1f ms · processor: server %.0f %%, database %.0f %%", ms(0.5), ms(0.99), ms(1),
		(cpuOf(b.rig.Pid(rig.Serve))-serve).Seconds()/ended.Seconds()*100, (cpuOf(b.rig.Postgres.Pid())-database).Seconds()/ended.Seconds()*100)
	return ms(0.99), float64(total) / ended.Seconds(), nil
}

// killed sends statuses of messages that are uncertain, one in each POST, some twice and none in order, and messages that
// people write, while the server is killed twice. It returns the provider's ids of those messages.
func (b *statusesBench) killed(ctx context.Context, during time.Duration) (written []string, err error) {
	messages, err := b.seed(ctx, int(killedRate*during.Seconds())/3/len(b.numbers), 6)
	if err != nil {
		return nil, err
	}
	hooks := b.statusHooks(messages, killedRate, 1)
	draw := rand.New(rand.NewPCG(1, 2))
	for i := range hooks {
		hooks[i].due += time.Duration(draw.Int64N(int64(shuffledBy)))
		if draw.Float64() < repeatedShare {
			again := hooks[i]
			again.due += time.Duration(draw.Int64N(int64(shuffledBy)))
			hooks = append(hooks, again)
		}
		if i%inboundEvery == 0 {
			wamid := fmt.Sprint("wamid.in", i)
			to := b.numbers[i/inboundEvery%len(b.numbers)].hookTarget
			hooks = append(hooks, inboundHook(to, hooks[i].due, wamid, i))
			written = append(written, wamid)
		}
	}
	slices.SortStableFunc(hooks, func(a, b hook) int { return int(a.due - b.due) })
	note("%d statuses a second for %s, with kill -9 of the server after %s and after %s", killedRate, during, during/3, during*2/3)
	failed := make(chan error, 1)
	go func() { failed <- b.killTwice(ctx, during/3) }()
	_, refused, err := deliver(ctx, hooks, true)
	note("  %d POSTs were refused and sent again", refused)
	if err != nil {
		return nil, err
	}
	return written, <-failed
}

func inboundHook(to hookTarget, due time.Duration, wamid string, person int) hook {
	phone := 5511900000000 + person
	people := fmt.Sprintf(`"contacts":[{"profile":{"name":"Person %d"},"wa_id":"%d"}],"messages":`, person, phone)
	return newHook(to, due, people, []string{fmt.Sprintf(`{"from":"%d","id":%q,"timestamp":"%d","type":"text","text":{"body":"Hello"}}`, phone, wamid, time.Now().Unix())})
}

func (b *statusesBench) killTwice(ctx context.Context, after time.Duration) error {
	for range 2 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(after):
		}
		b.rig.Kill(rig.Serve)
		if err := b.rig.Start(ctx, rig.Serve); err != nil {
			return err
		}
	}
	return nil
}

// compare holds the rows against what was answered 200: every message was read, and every text is there once.
func (b *statusesBench) compare(ctx context.Context, written []string) error {
	var lost, doubled, backwards int
	if err := b.owner.QueryRow(ctx, `SELECT * FROM pg_temp.compare($1)`, written).Scan(&lost, &doubled, &backwards); err != nil {
		return fmt.Errorf("comparing: %w", err)
	}
	figure("statuses", "lost", float64(lost), "statuses and messages", 1)
	figure("statuses", "doubled", float64(doubled), "statuses and messages", 1)
	figure("statuses", "backwards", float64(backwards), "statuses", 1)
	return nil
}
