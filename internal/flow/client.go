package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"

	"omnidesk/internal/id"
)

// Search attributes of every workflow.
var (
	CompanyAttribute    = temporal.NewSearchAttributeKeyKeyword("CompanyId")
	CampaignAttribute   = temporal.NewSearchAttributeKeyKeyword("CampaignId")
	ConnectionAttribute = temporal.NewSearchAttributeKeyKeyword("ConnectionId")
	StateAttribute      = temporal.NewSearchAttributeKeyKeyword("State")
)

// Client starts, wakes and asks workflows.
type Client struct {
	temporal client.Client
}

// NewClient wraps a connection to Temporal, which may be lazy: nothing is asked of it here.
func NewClient(temporal client.Client) *Client { return &Client{temporal: temporal} }

// Wake signals a workflow to look again and starts it when it does not run. An answer of nil means that
// Temporal has the signal.
func (c *Client) Wake(ctx context.Context, company id.ID, target Target) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := c.temporal.SignalWithStartWorkflow(ctx, target.WorkflowID(), WokenSignal, nil, client.StartWorkflowOptions{
		TaskQueue:                WorkflowQueue,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowTaskTimeout:      10 * time.Second,
		StaticSummary:            summaries[target.Workflow],
		TypedSearchAttributes:    attributesOf(company, target),
	}, string(target.Workflow), Ref{Company: company, Subject: target.Subject})
	return err
}

var summaries = map[Workflow]string{
	CampaignWorkflow: "Campaign: freeze, feed, finish",
	SenderWorkflow:   "The only sender on this connection",
	ImportWorkflow:   "Import of contacts: check, run, undo",
	MailWorkflow:     "One mail, tried for a day",
	MediaWorkflow:    "Files of one connection: fetch, hand over",
	DigestWorkflow:   "Notices to one person: at most one mail in ten minutes",

	ConversationWorkflow: "A snoozed conversation: back at its time",
}

func attributesOf(company id.ID, target Target) temporal.SearchAttributes {
	of := []temporal.SearchAttributeUpdate{CompanyAttribute.ValueSet(company.String())}
	switch target.Workflow {
	case CampaignWorkflow:
		of = append(of, CampaignAttribute.ValueSet(target.Subject.String()))
	case SenderWorkflow, MediaWorkflow:
		of = append(of, ConnectionAttribute.ValueSet(target.Subject.String()))
	}
	return temporal.NewSearchAttributes(of...)
}

// ErrNotRunning says that a workflow has no work: it has ended or never began.
var ErrNotRunning = errors.New("no workflow is running")

// Live asks a running workflow what it is doing. It returns ErrNotRunning when there is none, and any other
// error when Temporal or the worker can't answer within the context's time.
func (c *Client) Live(ctx context.Context, target Target) (live Live, runID string, err error) {
	described, err := c.temporal.DescribeWorkflowExecution(ctx, target.WorkflowID(), "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return live, "", ErrNotRunning
	}
	if err != nil {
		return live, "", fmt.Errorf("asking Temporal: %w", err)
	}
	info := described.GetWorkflowExecutionInfo()
	runID = info.GetExecution().GetRunId()
	if info.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return live, runID, ErrNotRunning
	}
	answer, err := c.temporal.QueryWorkflow(ctx, target.WorkflowID(), runID, StateQuery)
	if err != nil {
		return live, runID, fmt.Errorf("asking the worker: %w", err)
	}
	if err := answer.Get(&live); err != nil {
		return live, runID, fmt.Errorf("reading the workflow's answer: %w", err)
	}
	return live, runID, nil
}

// Healthy answers nil when Temporal takes requests.
func (c *Client) Healthy(ctx context.Context) error {
	if _, err := c.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("Temporal does not answer: %w", err)
	}
	return nil
}

// ErrNoWorker says that Temporal answers and nobody asks it for work.
var ErrNoWorker = errors.New("no worker asks for work; start omnidesk work, or see why it does not reach Temporal")

// WorkerSeen answers nil when a worker asked for workflow tasks within the last two minutes.
func (c *Client) WorkerSeen(ctx context.Context) error {
	queue, err := c.temporal.DescribeTaskQueue(ctx, WorkflowQueue, enums.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return fmt.Errorf("asking Temporal for workers: %w", err)
	}
	for _, poller := range queue.GetPollers() {
		if time.Since(poller.GetLastAccessTime().AsTime()) < 2*time.Minute {
			return nil
		}
	}
	return ErrNoWorker
}

// Queue is a task queue and who asks it for tasks.
type Queue struct {
	Name    string
	Pollers []Poller
}

// Poller is a worker process as one queue sees it.
type Poller struct {
	Identity string // process and machine
	Seen     time.Time
}

// Queues looks at every task queue, at all of them at once. Temporal forgets a worker five minutes after it asked last.
func (c *Client) Queues(ctx context.Context) ([]Queue, error) {
	queues := make([]Queue, len(queueTypes))
	group, ctx := errgroup.WithContext(ctx)
	for i, q := range queueTypes {
		group.Go(func() error {
			described, err := c.temporal.DescribeTaskQueue(ctx, q.name, q.kind)
			if err != nil {
				return fmt.Errorf("asking Temporal for the workers of %s: %w", q.name, err)
			}
			queues[i].Name = q.name
			for _, poller := range described.GetPollers() {
				queues[i].Pollers = append(queues[i].Pollers, Poller{poller.GetIdentity(), poller.GetLastAccessTime().AsTime()})
			}
			return nil
		})
	}
	return queues, group.Wait()
}

var queueTypes = []struct {
	name string
	kind enums.TaskQueueType
}{
	{WorkflowQueue, enums.TASK_QUEUE_TYPE_WORKFLOW},
	{WorkQueue, enums.TASK_QUEUE_TYPE_ACTIVITY},
	{SendQueue, enums.TASK_QUEUE_TYPE_ACTIVITY},
	{UrgentQueue, enums.TASK_QUEUE_TYPE_ACTIVITY},
	{MediaQueue, enums.TASK_QUEUE_TYPE_ACTIVITY},
}
