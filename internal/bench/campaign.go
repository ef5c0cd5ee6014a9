package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/rig"
	"omnidesk/internal/secret"
	"omnidesk/internal/send"
	"omnidesk/internal/wake"
)

const slots = 64

// steadyRaw is the raw rate below which a pair says more about the machine than about us.
const steadyRaw = 10_000

// campaignPairs measures a campaign against a plain loop that posts the same JSON with the same concurrency to
// the same sink, in pairs.
func campaignPairs(ctx context.Context, recipients, pairs int) error {
	b, err := newCampaignBench(ctx, recipients)
	if err != nil {
		return err
	}
	defer b.close()
	var raws, rates, ratios []float64
	marked := 0
	for tries := 0; len(ratios) < pairs && tries < 2*pairs; tries++ {
		raw, err := b.raw(ctx, recipients)
		if err != nil {
			return err
		}
		if raw < steadyRaw {
			note("raw rate %.0f/s is under %d/s; the pair is repeated", raw, steadyRaw)
			if tries < pairs {
				continue
			}
			marked++
		}
		rate, err := b.campaign(ctx)
		if err != nil {
			return err
		}
		note("raw %.0f/s · campaign %.0f/s · ratio %.3f", raw, rate, rate/raw)
		raws, rates, ratios = append(raws, raw), append(rates, rate), append(ratios, rate/raw)
	}
	figure("campaign", "raw_per_s", median(raws), "1/s", len(raws))
	figure("campaign", "campaign_per_s", median(rates), "1/s", len(rates))
	figure("campaign", "ratio", median(ratios), "x", len(ratios))
	figure("campaign", "pairs_below_raw_floor", float64(marked), "pairs", len(ratios))
	figure("campaign", "history_events", float64(b.events), "events", 1)
	figure("campaign", "worker_peak_mib", peakMiB(b.rig.Pid(rig.Work)), "MiB", 1)
	return nil
}

// campaignMillion sends a million once and reports the rate of each fifth, so that a decline shows.
func campaignMillion(ctx context.Context) error {
	const recipients = 1_000_000
	b, err := newCampaignBench(ctx, recipients)
	if err != nil {
		return err
	}
	defer b.close()
	rate, err := b.campaign(ctx)
	if err != nil {
		return err
	}
	figure("campaign-million", "campaign_per_s", rate, "1/s", 1)
	for i, r := range b.fifths {
		figure("campaign-million", fmt.Sprintf("fifth_%d_per_s", i+1), r, "1/s", 1)
	}
	figure("campaign-million", "history_events", float64(b.events), "events", 1)
	figure("campaign-million", "worker_peak_mib", peakMiB(b.rig.Pid(rig.Work)), "MiB", 1)
	return nil
}

type campaignBench struct {
	rig        *rig.Rig
	temporal   client.Client
	relay      *wake.Relay
	stopRelay  context.CancelFunc
	company    id.ID
	connection id.ID
	recipients int
	events     int // of the last campaign and its sender
	fifths     []float64
}

func newCampaignBench(ctx context.Context, recipients int) (*campaignBench, error) {
	dir, err := os.MkdirTemp("", "omnidesk-bench-")
	if err != nil {
		return nil, err
	}
	note("starting PostgreSQL, Temporal, the sandbox as a sink and a worker in %s", dir)
	r, err := rig.New(ctx, rig.Options{Dir: dir, Durable: true, Binary: os.Getenv("OMNIDESK_BINARY"), TemporalBinary: os.Getenv("OMNIDESK_TEMPORAL_BINARY"),
		TemporalConfig: "temporal-dev.yaml", SandboxArgs: []string{"--sink"}})
	if err != nil {
		return nil, err
	}
	b := &campaignBench{rig: r, recipients: recipients, company: id.New()}
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
	note("adding %d contacts", recipients)
	return b, b.seed(ctx)
}

func (b *campaignBench) close() {
	b.stopRelay()
	b.temporal.Close()
	if err := b.rig.Close(); err != nil {
		note("closing: %v", err)
	}
	_ = os.RemoveAll(b.rig.Dir)
}

func (b *campaignBench) seed(ctx context.Context) error {
	owner, err := pgx.Connect(ctx, b.rig.DatabaseURL)
	if err != nil {
		return err
	}
	defer owner.Close(ctx)
	for _, statement := range []string{
		`SET search_path = omnidesk`,
		`INSERT INTO companies (company_id, name, zone, window_from, window_until) VALUES ('` + b.company.String() + `', 'Bench', 'America/Sao_Paulo', '00:00', '24:00')`,
		fmt.Sprintf(`WITH person AS MATERIALIZED (SELECT gen_random_uuid() AS id, gen_random_uuid() AS identity, g FROM generate_series(1, %d) g),
			c AS (INSERT INTO contacts (company_id, id, name, attributes) SELECT '%[2]s', id, 'Person ' || g, '{"city":"Recife"}' FROM person)
			INSERT INTO identities (company_id, id, contact_id, kind, value, zones) SELECT '%[2]s', identity, id, 'phone', '+55119' || lpad(g::text, 8, '0'), 'America/Sao_Paulo' FROM person`,
			b.recipients, b.company),
		`ANALYZE`,
	} {
		if _, err := owner.Exec(ctx, statement); err != nil {
			return fmt.Errorf("seeding: %w", err)
		}
	}
	sealer, err := secret.Open(b.rig.Keyset)
	if err != nil {
		return err
	}
	return b.rig.DB.InCompany(ctx, b.company, func(tx postgres.Tx) error {
		view, err := connection.NewStore(sealer).Create(ctx, tx, b.company, connection.Draft{Name: "Bench", AppID: "1", AppSecret: "bench-secret", AccountID: "200", NumberID: "300", Token: "bench-token"})
		b.connection = view.ID
		return err
	})
}

// raw posts the same JSON as the adapter does with the standard client, and nothing around it.
func (b *campaignBench) raw(ctx context.Context, n int) (float64, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: slots, DisableCompression: true}
	defer transport.CloseIdleConnections()
	httpClient := &http.Client{Transport: transport}
	url := b.rig.SandboxURL() + "/v25.0/300/messages"
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var group sync.WaitGroup
	began := time.Now()
	for range slots {
		group.Go(func() {
			for i := next.Add(1); i <= int64(n) && failed.Load() == nil; i = next.Add(1) {
				if err := post(ctx, httpClient, url, i); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		return 0, fmt.Errorf("the raw loop: %w", *err)
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

func post(ctx context.Context, httpClient *http.Client, url string, i int64) error {
	body := fmt.Sprintf(`{"messaging_product":"whatsapp","recipient_type":"individual","to":"55119%08d","type":"template","template":{"name":"order_update","language":{"code":"en_US"},"components":[{"type":"body","parameters":[{"type":"text","text":"Person"},{"type":"text","text":"Recife"}]}]},"biz_opaque_callback_data":"%s"}`, i, id.New())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Host = "graph.facebook.com"
	request.Header.Set("Authorization", "Bearer bench-token")
	request.Header.Set("Content-Type", "application/json")
	response, err := httpClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && !bytes.Contains(answer, []byte("wamid.")) {
		err = fmt.Errorf("status %d: %s", response.StatusCode, answer)
	}
	return err
}

// campaign runs one campaign over all contacts and returns its rate from the start to the last sent.
func (b *campaignBench) campaign(ctx context.Context) (float64, error) {
	var c campaign.Campaign
	fields := campaign.Fields{Name: "Bench", Connection: b.connection, Audience: campaign.Audience{All: true},
		Content: campaign.Content{Kind: campaign.KindTemplate, Template: &channel.Template{Name: "order_update", Language: "en_US", Parameters: []string{"{{first_name}}", "{{city}}"}}}}
	before := b.cpu()
	began := time.Now()
	err := b.rig.DB.InCompany(ctx, b.company, func(tx postgres.Tx) (err error) {
		if c, err = campaign.Create(ctx, tx, b.company, fields); err != nil {
			return err
		}
		began = time.Now()
		if err := campaign.Start(ctx, tx, b.company, c.ID, began); err != nil {
			return err
		}
		return wake.Append(ctx, tx, b.company, flow.Campaign(c.ID), false)
	})
	if err != nil {
		return 0, err
	}
	b.relay.Hint()
	if err := b.await(ctx, c.ID); err != nil {
		return 0, err
	}
	for part, used := range b.cpu() {
		note("  %s used %.1f µs of processor time per message", part, float64((used-before[part]).Microseconds())/float64(b.recipients))
	}
	last, err := b.instants(ctx, c.ID, began)
	if err != nil {
		return 0, err
	}
	b.events, err = b.historyEvents(ctx, c.ID)
	return float64(b.recipients) / last.Sub(began).Seconds(), err
}

func (b *campaignBench) await(ctx context.Context, campaignID id.ID) error {
	deadline := time.Now().Add(time.Hour)
	for {
		var state campaign.State
		var counts send.Counts
		err := b.rig.DB.InCompany(ctx, b.company, func(tx postgres.Tx) error {
			c, err := campaign.Get(ctx, tx, b.company, campaignID)
			if err != nil {
				return err
			}
			state = c.State
			all, err := send.CountsOf(ctx, tx, b.company, campaignID)
			counts = all[campaignID]
			return err
		})
		if err != nil {
			return err
		}
		if state == campaign.Finished {
			if counts.Sent != b.recipients {
				return fmt.Errorf("the campaign finished with %+v instead of %d sent", counts, b.recipients)
			}
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the campaign is still %s with %+v; worker log:\n%s", state, counts, b.rig.Tail(rig.Work))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// cpu is the processor time each part has used so far.
func (b *campaignBench) cpu() map[string]time.Duration {
	return map[string]time.Duration{"worker": cpuOf(b.rig.Pid(rig.Work)), "sandbox": cpuOf(b.rig.Pid(rig.Sandbox)),
		"temporal": cpuOf(b.rig.Pid(rig.Temporal)), "postgres": cpuOf(b.rig.Postgres.Pid())}
}

// instants reads when the last message was sent and the rate of each fifth before it, and notes how the start went.
func (b *campaignBench) instants(ctx context.Context, campaignID id.ID, began time.Time) (last time.Time, err error) {
	err = b.rig.DB.InCompany(ctx, b.company, func(tx postgres.Tx) error {
		var marks []time.Time
		var frozen, claimed time.Time
		var firstID id.ID
		err := tx.QueryRow(ctx, `SELECT percentile_disc(ARRAY[0, 0.2, 0.4, 0.6, 0.8, 1]::float8[]) WITHIN GROUP (ORDER BY sent_at), min(claimed_at),
			(SELECT started_at FROM campaigns WHERE company_id = $1 AND id = $2), (SELECT id FROM messages WHERE company_id = $1 AND campaign_id = $2 AND state >= 2 ORDER BY id LIMIT 1)
			FROM messages WHERE company_id = $1 AND campaign_id = $2`, b.company, campaignID).Scan(&marks, &claimed, &frozen, &firstID)
		if err != nil {
			return fmt.Errorf("reading when messages were sent: %w", err)
		}
		since := func(at time.Time) time.Duration { return at.Sub(began).Round(time.Millisecond) }
		note("freezing began after %s, feeding after %s, first claim after %s, first sent after %s, all sent after %s",
			since(frozen), since(id.Time(firstID)), since(claimed), since(marks[0]), since(marks[5]))
		last, b.fifths = marks[5], nil
		for i := range 5 {
			b.fifths = append(b.fifths, float64(b.recipients)/5/marks[i+1].Sub(marks[i]).Seconds())
		}
		return nil
	})
	return last, err
}

func (b *campaignBench) historyEvents(ctx context.Context, campaignID id.ID) (int, error) {
	total := 0
	for _, target := range []flow.Target{flow.Campaign(campaignID), flow.Sender(b.connection)} {
		described, err := b.temporal.WorkflowService().DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
			Namespace: "default", Execution: execution(target.WorkflowID())})
		if err != nil {
			return 0, fmt.Errorf("counting events: %w", err)
		}
		total += int(described.GetWorkflowExecutionInfo().GetHistoryLength())
	}
	return total, nil
}

// peakMiB is a process's largest resident size so far.
func peakMiB(pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
			if err == nil {
				return kib / 1024
			}
		}
	}
	return 0
}
