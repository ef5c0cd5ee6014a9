package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/rig"
	"omnidesk/internal/sandbox/world"
	"omnidesk/internal/secret"
	"omnidesk/internal/send"
	"omnidesk/internal/wake"
)

const (
	urgentContacts = 10_000 // of each company: its campaign must last longer than the measurement
	answerIn       = 200 * time.Millisecond
	stallFor       = 10 * time.Second
	stallShare     = 0.05
	slowest        = 30 // replies that are told of one by one
)

// urgentBeside measures how long a reply takes from its row's commit to the provider, while every company's campaign
// wants more pages than there are.
func urgentBeside(ctx context.Context, companies int, during time.Duration) error {
	b, err := newUrgentBench(ctx, companies)
	if err != nil {
		return err
	}
	defer b.close()
	for _, c := range b.companies {
		if err := b.campaign(ctx, c); err != nil {
			return err
		}
	}
	if err := b.awaitBusy(ctx); err != nil {
		return err
	}
	note("one reply a second for each of %d companies, for %s", companies, during)
	b.began = time.Now()
	var all sync.WaitGroup
	for i, c := range b.companies {
		all.Go(func() { b.replies(ctx, c, time.Duration(i)*time.Second/time.Duration(companies), during) })
	}
	all.Wait()
	if err := b.failure(); err != nil {
		return err
	}
	waits, err := b.waits(ctx)
	if err != nil {
		return err
	}
	b.noteSlowest(ctx, waits[max(0, len(waits)-slowest):])
	at := func(share float64) float64 {
		return float64(waits[min(len(waits)-1, int(share*float64(len(waits))))].took().Microseconds()) / 1000
	}
	figure("urgent", "p50_ms", at(0.5), "ms", len(waits))
	figure("urgent", "p99_ms", at(0.99), "ms", len(waits))
	return nil
}

type urgentBench struct {
	rig       *rig.Rig
	temporal  client.Client
	relay     *wake.Relay
	stopRelay context.CancelFunc
	companies []urgentCompany
	began     time.Time // of the replies

	mu        sync.Mutex
	committed map[id.ID]time.Time
	failed    []error
}

type urgentCompany struct {
	company, connection id.ID
	contacts            []send.Single // whom replies go to
}

func newUrgentBench(ctx context.Context, companies int) (*urgentBench, error) {
	dir, err := os.MkdirTemp("", "omnidesk-bench-")
	if err != nil {
		return nil, err
	}
	note("starting PostgreSQL, Temporal, the sandbox and a worker in %s", dir)
	r, err := rig.New(ctx, rig.Options{Dir: dir, Durable: true, Binary: os.Getenv("OMNIDESK_BINARY"), TemporalBinary: os.Getenv("OMNIDESK_TEMPORAL_BINARY"),
		TemporalConfig: "temporal-dev.yaml", SandboxArgs: []string{"--sink"}})
	if err != nil {
		return nil, err
	}
	b := &urgentBench{rig: r, committed: map[id.ID]time.Time{}}
	for _, part := range []string{rig.Temporal, rig.Sandbox, rig.Work} {
		if err := r.Start(ctx, part); err != nil {
			return nil, err
		}
	}
	if b.temporal, err = client.DialContext(ctx, client.Options{HostPort: r.TemporalAddress(), Logger: quiet{}}); err != nil {
		return nil, err
	}
	b.relay = wake.NewRelay(r.DB, flow.NewClient(b.temporal))
	relaying, stop := context.WithCancel(ctx)
	b.stopRelay = stop
	go b.relay.Run(relaying)
	share := stallShare
	if err := b.faults(ctx, world.Fault{Probability: &share, Seed: 1, DelayMS: int(stallFor.Milliseconds())}, world.Fault{DelayMS: int(answerIn.Milliseconds())}); err != nil {
		return nil, err
	}
	note("adding %d companies of %d contacts", companies, urgentContacts)
	return b, b.seed(ctx, companies)
}

func (b *urgentBench) close() {
	b.stopRelay()
	b.temporal.Close()
	if err := b.rig.Close(); err != nil {
		note("closing: %v", err)
	}
	_ = os.RemoveAll(b.rig.Dir)
}

// sandboxClient asks the sandbox; its ledger of a long run takes a while to read.
var sandboxClient = &http.Client{Timeout: time.Minute}

func (b *urgentBench) faults(ctx context.Context, list ...world.Fault) error {
	raw, err := json.Marshal(list)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, b.rig.SandboxURL()+"/sandbox/faults", bytes.NewReader(raw))
	if err != nil {
		return err
	}
	response, err := sandboxClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the sandbox took no faults: %s", response.Status)
	}
	return nil
}

func (b *urgentBench) seed(ctx context.Context, companies int) error {
	owner, err := pgx.Connect(ctx, b.rig.DatabaseURL)
	if err != nil {
		return err
	}
	defer owner.Close(ctx)
	if _, err := owner.Exec(ctx, `SET search_path = omnidesk`); err != nil {
		return err
	}
	sealer, err := secret.Open(b.rig.Keyset)
	if err != nil {
		return err
	}
	for n := range companies {
		c := urgentCompany{company: id.New()}
		if _, err := owner.Exec(ctx, `INSERT INTO companies (company_id, name, zone, window_from, window_until) VALUES ($1, 'Bench', 'America/Sao_Paulo', '00:00', '24:00')`, c.company); err != nil {
			return fmt.Errorf("seeding a company: %w", err)
		}
		_, err := owner.Exec(ctx, `WITH person AS MATERIALIZED (SELECT gen_random_uuid() AS id, gen_random_uuid() AS identity, g FROM generate_series(1, $2::int) g),
			c AS (INSERT INTO contacts (company_id, id, name, attributes) SELECT $1, id, 'Person ' || g, '{"city":"Recife"}' FROM person)
			INSERT INTO identities (company_id, id, contact_id, kind, value) SELECT $1, identity, id, 'phone', '+55' || (11 + $3) || '9' || lpad(g::text, 8, '0') FROM person`, c.company, urgentContacts, n)
		if err != nil {
			return fmt.Errorf("seeding contacts: %w", err)
		}
		err = b.rig.DB.InCompany(ctx, c.company, func(tx postgres.Tx) error {
			view, err := connection.NewStore(sealer).Create(ctx, tx, c.company, connection.Draft{Name: "Bench", AppID: "1", AppSecret: "bench-secret",
				AccountID: "200", NumberID: strconv.Itoa(300 + n), Token: "bench-token"})
			if err != nil {
				return err
			}
			c.connection = view.ID
			rows, err := tx.Query(ctx, `SELECT contact_id, id FROM identities WHERE company_id = $1 ORDER BY id LIMIT 100`, c.company)
			if err != nil {
				return err
			}
			to := send.Single{Connection: view.ID, Lane: send.LaneReply,
				Content: channel.Content{Template: &channel.Template{Name: "order_update", Language: "en_US", Parameters: []string{"Ana", "Recife"}}}}
			_, err = pgx.ForEachRow(rows, []any{&to.Contact, &to.Identity}, func() error { c.contacts = append(c.contacts, to); return nil })
			return err
		})
		if err != nil {
			return err
		}
		b.companies = append(b.companies, c)
	}
	_, err = owner.Exec(ctx, `ANALYZE`)
	return err
}

func (b *urgentBench) campaign(ctx context.Context, of urgentCompany) error {
	err := b.rig.DB.InCompany(ctx, of.company, func(tx postgres.Tx) error {
		c, err := campaign.Create(ctx, tx, of.company, campaign.Fields{Name: "Bench", Connection: of.connection, Audience: campaign.Audience{All: true},
			Content: campaign.Content{Kind: campaign.KindTemplate, Template: &channel.Template{Name: "order_update", Language: "en_US", Parameters: []string{"{{first_name}}", "{{city}}"}}}})
		if err != nil {
			return err
		}
		if err := campaign.Start(ctx, tx, of.company, c.ID, time.Now()); err != nil {
			return err
		}
		return wake.Append(ctx, tx, of.company, flow.Campaign(c.ID), false)
	})
	b.relay.Hint()
	return err
}

// awaitBusy returns when every connection has something queued and as many pages as there can be are live.
func (b *urgentBench) awaitBusy(ctx context.Context) error {
	owner, err := pgx.Connect(ctx, b.rig.DatabaseURL)
	if err != nil {
		return err
	}
	defer owner.Close(ctx)
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		var queued, live int
		err := owner.QueryRow(ctx, `SELECT (SELECT count(DISTINCT connection_id) FROM omnidesk.messages WHERE state = 0),
			(SELECT count(*) FROM omnidesk.scopes WHERE page_live_until > now())`).Scan(&queued, &live)
		if err != nil {
			return err
		}
		if queued == len(b.companies) && live > 0 {
			note("%d connections are busy, %d of them have a page", queued, live)
			return nil
		}
	}
	return errors.New("the campaigns did not get going; the worker's log:\n" + b.rig.Tail(rig.Work))
}

// replies queues one message a second, at the same fraction of each.
func (b *urgentBench) replies(ctx context.Context, of urgentCompany, offset, during time.Duration) {
	begin := time.Now().Add(offset)
	for n := 0; time.Duration(n)*time.Second < during; n++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(begin.Add(time.Duration(n) * time.Second))):
		}
		var queued []id.ID
		err := b.rig.DB.InCompany(ctx, of.company, func(tx postgres.Tx) (err error) {
			queued, err = send.Queue(ctx, tx, of.company, []send.Single{of.contacts[n%len(of.contacts)]})
			return err
		})
		at := time.Now()
		b.relay.Hint()
		b.mu.Lock()
		if err != nil {
			b.failed = append(b.failed, err)
		} else {
			b.committed[queued[0]] = at
		}
		b.mu.Unlock()
	}
}

func (b *urgentBench) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return errors.Join(b.failed...)
}

// wait is one reply's way.
type wait struct {
	message            id.ID
	committed, arrived time.Time
}

func (w wait) took() time.Duration { return w.arrived.Sub(w.committed) }

// noteSlowest says where the slowest replies spent their time.
func (b *urgentBench) noteSlowest(ctx context.Context, waits []wait) {
	owner, err := pgx.Connect(ctx, b.rig.DatabaseURL)
	if err != nil {
		note("the slowest replies could not be told of: %v", err)
		return
	}
	defer owner.Close(ctx)
	for _, w := range waits {
		var attempts int
		var claimed time.Time
		if err := owner.QueryRow(ctx, `SELECT attempts, claimed_at FROM omnidesk.messages WHERE id = $1`, w.message).Scan(&attempts, &claimed); err != nil {
			note("the slowest replies could not be told of: %v", err)
			return
		}
		note("  queued at %5.1f s · claimed after %4d ms · at the provider %4d ms later · tries %d", w.committed.Sub(b.began).Seconds(),
			claimed.Sub(w.committed).Milliseconds(), w.arrived.Sub(claimed).Milliseconds(), attempts)
	}
}

// waits returns how each reply got to the provider, the quickest first. All must have got there, once.
func (b *urgentBench) waits(ctx context.Context) ([]wait, error) {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		waits, err := b.arrived(ctx)
		if err != nil || len(waits) == len(b.committed) {
			slices.SortFunc(waits, func(a, b wait) int { return cmp.Compare(a.took(), b.took()) })
			return waits, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%d of %d replies reached the provider; %s; the worker's log:\n%s", len(waits), len(b.committed), b.states(ctx), b.rig.Tail(rig.Work))
		}
	}
}

// states says what became of the replies, and of their connections.
func (b *urgentBench) states(ctx context.Context) (words string) {
	owner, err := pgx.Connect(ctx, b.rig.DatabaseURL)
	if err != nil {
		return err.Error()
	}
	defer owner.Close(ctx)
	err = owner.QueryRow(ctx, `SELECT format('states %s, held %s, urgent wakes %s', (SELECT json_object_agg(state, n) FROM (SELECT state, count(*) AS n FROM omnidesk.messages WHERE campaign_id IS NULL GROUP BY 1) s),
		(SELECT count(*) FROM omnidesk.scopes WHERE held_until > now()), (SELECT count(*) FROM omnidesk.wakes WHERE urgent))`).Scan(&words)
	if err != nil {
		return err.Error()
	}
	return words
}

func (b *urgentBench) arrived(ctx context.Context) (waits []wait, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.rig.SandboxURL()+"/sandbox/ledger", nil)
	if err != nil {
		return nil, err
	}
	response, err := sandboxClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	seen := map[id.ID]bool{}
	for lines := json.NewDecoder(response.Body); lines.More(); {
		var line world.Entry
		if err := lines.Decode(&line); err != nil {
			return nil, err
		}
		message, err := id.Parse(line.ID)
		if err != nil {
			return nil, err
		}
		at, ours := b.committed[message]
		if !ours {
			continue
		}
		if seen[message] {
			return nil, fmt.Errorf("the reply %s reached the provider twice", message)
		}
		seen[message] = true
		waits = append(waits, wait{message, at, line.ReceivedAt})
	}
	return waits, nil
}
