package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/sandbox/world"
	"omnidesk/internal/secret"
	"omnidesk/internal/send"
	"omnidesk/internal/wake"
)

// newNamespace keeps these workflows away from the workers of other packages that share the server.
func newNamespace(t *testing.T, address string) string {
	t.Helper()
	name := "worker-" + id.New().String()
	c, err := client.NewLazyClient(client.Options{HostPort: address, Namespace: name, Logger: quiet{}})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.WorkflowService().RegisterNamespace(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: name, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour)})
	require.NoError(t, err)
	keyword := enums.INDEXED_VALUE_TYPE_KEYWORD
	eventually(t, "the namespace has its search attributes", func() bool {
		_, err = c.OperatorService().AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{Namespace: name,
			SearchAttributes: map[string]enums.IndexedValueType{"CompanyId": keyword, "CampaignId": keyword, "ConnectionId": keyword, "State": keyword}})
		if err != nil {
			return false
		}
		_, err = c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1,
			Query: "CompanyId IS NULL AND CampaignId IS NULL AND ConnectionId IS NULL AND State IS NULL"})
		return err == nil
	})
	return name
}

// eventually asks every 25 ms until the answer is yes.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ask(); <-tick.C {
		if time.Now().After(deadline) {
			require.FailNow(t, "it did not happen in time", what)
		}
	}
}

// What must never be seen in Temporal.
var canaries = []string{"Zebedeu", "Xiquexique", "Segredo", "5511977", "Campanha", "order_update"}

// shop is a company with one connection and some contacts.
type shop struct {
	*testing.T
	*stage
	company, connection id.ID
	number              string // the connection's number id, by which the sandbox's ledger knows it
	contacts            int
}

var numbers atomic.Int64

func (s *stage) newShop(t *testing.T, contacts int) *shop {
	t.Helper()
	k := &shop{T: t, stage: s, company: pgtest.Company(t, s.db), number: strconv.FormatInt(70_000+numbers.Add(1), 10), contacts: contacts}
	_, err := pgtest.Owner(t, s.db).Exec(t.Context(), `WITH person AS MATERIALIZED (SELECT gen_random_uuid() AS id, gen_random_uuid() AS identity, g FROM generate_series(1, $2::int) g),
		c AS (INSERT INTO contacts (company_id, id, name, attributes) SELECT $1, id, 'Zebedeu ' || g, '{"city":"Xiquexique"}' FROM person)
		INSERT INTO identities (company_id, id, contact_id, kind, value) SELECT $1, identity, id, 'phone', '+5511977' || lpad(g::text, 6, '0') FROM person`, k.company, contacts)
	require.NoError(t, err)
	sealer, err := secret.Open(s.Keyset)
	require.NoError(t, err)
	k.tx(func(tx postgres.Tx) error {
		view, err := connection.NewStore(sealer).Create(t.Context(), tx, k.company,
			connection.Draft{Name: "Main", AppID: "1", AppSecret: "secret", AccountID: "200", NumberID: k.number, Token: "token"})
		k.connection = view.ID
		return err
	})
	return k
}

func (k *shop) tx(do func(postgres.Tx) error) {
	k.Helper()
	require.NoError(k, k.db.InCompany(context.Background(), k.company, do))
}

// slow makes each send of this shop take a while, so that a test can act in the middle of a page.
func (k *shop) slow(wait time.Duration) {
	k.faults(k.T, world.Fault{Match: world.Match{NumberID: k.number}, DelayMS: int(wait.Milliseconds())})
}

// launch starts a campaign to everybody, as the server does.
func (k *shop) launch(startsAt *time.Time) id.ID {
	k.Helper()
	var c campaign.Campaign
	k.tx(func(tx postgres.Tx) (err error) {
		c, err = campaign.Create(k.Context(), tx, k.company, campaign.Fields{Name: "Campanha", Connection: k.connection, Audience: campaign.Audience{All: true}, StartsAt: startsAt,
			Content: campaign.Content{Kind: campaign.KindTemplate, Template: &channel.Template{Name: "order_update", Language: "en_US", Parameters: []string{"{{name}}", "Segredo {{city}}"}}}})
		if err != nil {
			return err
		}
		if err := campaign.Start(k.Context(), tx, k.company, c.ID, time.Now()); err != nil {
			return err
		}
		return wake.Append(k.Context(), tx, k.company, flow.Campaign(c.ID), false)
	})
	k.relay.Hint()
	return c.ID
}

// reply queues a message outside campaigns to the nth contact, as an agent's answer would be.
func (k *shop) reply(nth int) (message id.ID) {
	k.Helper()
	k.tx(func(tx postgres.Tx) error {
		to := send.Single{Connection: k.connection, Lane: send.LaneReply, Content: channel.Content{Template: &channel.Template{Name: "order_update", Language: "en_US", Parameters: []string{"Zebedeu", "Segredo"}}}}
		err := tx.QueryRow(context.Background(), `SELECT contact_id, id FROM identities WHERE company_id = $1 ORDER BY value OFFSET $2 LIMIT 1`, k.company, nth).Scan(&to.Contact, &to.Identity)
		if err != nil {
			return err
		}
		queued, err := send.Queue(context.Background(), tx, k.company, []send.Single{to})
		if err == nil {
			message = queued[0]
		}
		return err
	})
	k.relay.Hint()
	return message
}

// has tells whether the provider has accepted a message.
func (k *shop) has(message id.ID) bool {
	k.Helper()
	return slices.ContainsFunc(k.taken(), func(e world.Entry) bool { return e.ID == message.String() })
}

// command changes a campaign under the connection's lock, as the server does, and wakes both workflows.
func (k *shop) command(of id.ID, do func(postgres.Tx) error) {
	k.Helper()
	k.tx(func(tx postgres.Tx) error {
		if err := send.LockScope(k.Context(), tx, k.company, k.connection); err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		if err := wake.Append(k.Context(), tx, k.company, flow.Sender(k.connection), false); err != nil {
			return err
		}
		return wake.Append(k.Context(), tx, k.company, flow.Campaign(of), false)
	})
	k.relay.Hint()
}

func (k *shop) cancel(c id.ID) {
	k.Helper()
	k.command(c, func(tx postgres.Tx) error {
		if err := campaign.Cancel(k.Context(), tx, k.company, c, time.Now()); err != nil {
			return err
		}
		return send.CancelQueued(k.Context(), tx, k.company, k.connection, c, time.Now())
	})
}

func (k *shop) state(of id.ID) (c campaign.Campaign) {
	k.Helper()
	k.tx(func(tx postgres.Tx) (err error) {
		c, err = campaign.Get(context.Background(), tx, k.company, of)
		return err
	})
	return c
}

func (k *shop) awaitState(of id.ID, want campaign.State) {
	k.Helper()
	eventually(k.T, "the campaign becomes "+string(want), func() bool { return k.state(of).State == want })
}

// awaitLive waits until a workflow answers its state query in a way that fits.
func (k *shop) awaitLive(target flow.Target, fits func(flow.Live) bool) (live flow.Live, run string) {
	k.Helper()
	eventually(k.T, "the state query of "+string(target.Workflow), func() (ok bool) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		var err error
		live, run, err = k.flow.Live(ctx, target)
		return err == nil && fits(live)
	})
	return live, run
}

// awaitEnd waits until no run of a workflow is open.
func (k *shop) awaitEnd(target flow.Target) {
	k.Helper()
	eventually(k.T, "the workflow "+string(target.Workflow)+" ends", func() bool {
		d, err := k.temporal.DescribeWorkflowExecution(context.Background(), target.WorkflowID(), "")
		return err == nil && d.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	})
}

// taken is what the provider has accepted from this shop.
func (k *shop) taken() (entries []world.Entry) {
	k.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, k.Sandbox+"/sandbox/ledger", nil)
	require.NoError(k, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(k, err)
	defer response.Body.Close()
	for lines := json.NewDecoder(response.Body); lines.More(); {
		var e world.Entry
		require.NoError(k, lines.Decode(&e))
		if e.From == k.number {
			entries = append(entries, e)
		}
	}
	return entries
}

func (k *shop) awaitTaken(n int) {
	k.Helper()
	eventually(k.T, fmt.Sprintf("%d sends are accepted", n), func() bool { return len(k.taken()) >= n })
}

// settle compares our ledger with the provider's, message by message, and returns our counts: nobody got a
// campaign twice, what we call sent was accepted once, and what we call not sent was never accepted.
func (k *shop) settle(of id.ID) send.Counts {
	k.Helper()
	accepted := map[string][]world.Entry{}
	recipients := map[string]int{}
	for _, e := range k.taken() {
		accepted[e.ID] = append(accepted[e.ID], e)
	}
	var counts send.Counts
	seen := 0
	k.tx(func(tx postgres.Tx) error {
		all, err := send.CountsOf(context.Background(), tx, k.company, of)
		if err != nil {
			return err
		}
		counts = all[of]
		rows, err := send.ListCampaign(context.Background(), tx, k.company, k.connection, of, id.Nil, nil, 10*k.contacts)
		for _, row := range rows {
			seen++
			took := accepted[row.ID.String()]
			for _, e := range took {
				recipients[e.To]++
			}
			switch send.State(row.State) {
			case send.Sent:
				require.Len(k, took, 1, "a sent message")
				require.Equal(k, took[0].ProviderID, *row.ProviderID)
				require.Equal(k, row.Address, "+"+took[0].To)
			case send.Uncertain:
				require.LessOrEqual(k, len(took), 1, "an uncertain message")
			default:
				require.Empty(k, took, "a message that is %s", send.State(row.State))
			}
		}
		return err
	})
	for to, times := range recipients {
		require.Equal(k, 1, times, to)
	}
	require.Equal(k, k.contacts, seen)
	require.Equal(k, k.contacts, counts.Total())
	return counts
}
