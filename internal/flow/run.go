package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"omnidesk/internal/id"
)

// RunHead is one run of a workflow. A long one goes on as a new run of the same workflow.
type RunHead struct {
	ID        string
	State     string // running, finished, continued, failed, canceled, terminated, timed out
	StartedAt time.Time
	ClosedAt  *time.Time
	Events    int // of its history
}

// Run is what a run did and does, told without anything that the workflow was given or returned but counts.
type Run struct {
	RunHead
	Previous string   // the run it goes on from, if any
	Next     string   // the run that goes on from it, if any
	Doing    []Doing  // activities under way
	Moments  []Moment // newest first
	Before   int64    // names the next page of moments; 0 on the last
}

// Doing is an activity under way.
type Doing struct {
	Name      string
	Summary   string
	Running   bool // false: it waits for a worker, or for its next attempt
	Attempt   int
	Since     time.Time // of this attempt, or since when it waits
	NextAt    *time.Time
	Progress  string // counts of its last heartbeat
	LastError string
}

// Moment is one thing in a run: a beginning, a wake, a look, an activity, a timer, an end.
type Moment struct {
	Event   int64 // its first event
	Kind    string
	Name    string // of an activity
	Words   string // what it is, or why it waits
	At      time.Time
	Until   *time.Time // when it ended, or when a timer that runs will
	Outcome string     // open, done, failed, timed out, canceled; of a timer fired or woken
	Detail  string     // counts of its result, or what went wrong
	Count   int        // of wakes in a row
	Attempt int
}

// Kinds of moments.
const (
	MomentStarted  = "started"
	MomentWoken    = "woken"
	MomentLook     = "look"
	MomentActivity = "activity"
	MomentTimer    = "timer"
	MomentTrouble  = "trouble"
	MomentEnded    = "ended"
)

// mostEvents bounds what is read of a history: far above where a run goes on as a new one.
const mostEvents = 20_000

// Run reads a run of a company's workflow: the latest when runID is empty. Moments come before an event of the run, or
// the newest when before is 0, up to limit. It returns ErrNotRunning when there is no such run, or it is not the company's.
func (c *Client) Run(ctx context.Context, company id.ID, target Target, runID string, before int64, limit int) (Run, error) {
	described, err := c.temporal.DescribeWorkflowExecution(ctx, target.WorkflowID(), runID)
	if gone(err) {
		return Run{}, ErrNotRunning
	}
	if err != nil {
		return Run{}, fmt.Errorf("asking Temporal: %w", err)
	}
	info := described.GetWorkflowExecutionInfo()
	if textOf(info.GetSearchAttributes().GetIndexedFields()[CompanyAttribute.GetName()]) != company.String() {
		return Run{}, ErrNotRunning
	}
	run := Run{RunHead: headOf(info)}
	for _, pending := range described.GetPendingActivities() {
		run.Doing = append(run.Doing, doingOf(pending))
	}
	var told teller
	events := c.temporal.GetWorkflowHistory(ctx, target.WorkflowID(), run.ID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for n := 0; events.HasNext() && n < mostEvents; n++ {
		event, err := events.Next()
		if gone(err) {
			return Run{}, ErrNotRunning
		}
		if err != nil {
			return Run{}, fmt.Errorf("reading a history: %w", err)
		}
		told.hear(event)
	}
	run.Previous, run.Next = told.previous, told.next
	for i := range run.Doing {
		run.Doing[i].Summary = told.summaryOf(described.GetPendingActivities()[i].GetActivityId())
	}
	run.Moments, run.Before = told.page(before, limit)
	return run, nil
}

// Runs lists the latest runs of a company's workflow, newest first. It asks Temporal's search, which allows few questions
// a second: never poll it.
func (c *Client) Runs(ctx context.Context, company id.ID, target Target) ([]RunHead, error) {
	answer, err := c.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 20,
		Query: fmt.Sprintf("WorkflowId = '%s' AND %s = '%s'", target.WorkflowID(), CompanyAttribute.GetName(), company)})
	if err != nil {
		return nil, fmt.Errorf("asking Temporal for runs: %w", err)
	}
	runs := make([]RunHead, 0, len(answer.GetExecutions()))
	for _, info := range answer.GetExecutions() {
		runs = append(runs, headOf(info))
	}
	return runs, nil
}

func gone(err error) bool {
	var missing *serviceerror.NotFound
	var unfit *serviceerror.InvalidArgument // a run id that is none
	return errors.As(err, &missing) || errors.As(err, &unfit)
}

func headOf(info *workflowpb.WorkflowExecutionInfo) RunHead {
	head := RunHead{ID: info.GetExecution().GetRunId(), State: stateWords[info.GetStatus()], StartedAt: info.GetStartTime().AsTime(), Events: int(info.GetHistoryLength())}
	if closed := info.GetCloseTime(); closed != nil {
		at := closed.AsTime()
		head.ClosedAt = &at
	}
	return head
}

var stateWords = map[enums.WorkflowExecutionStatus]string{
	enums.WORKFLOW_EXECUTION_STATUS_RUNNING: "running", enums.WORKFLOW_EXECUTION_STATUS_COMPLETED: "finished",
	enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW: "continued", enums.WORKFLOW_EXECUTION_STATUS_FAILED: "failed",
	enums.WORKFLOW_EXECUTION_STATUS_CANCELED: "canceled", enums.WORKFLOW_EXECUTION_STATUS_TERMINATED: "terminated",
	enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: "timed out",
}

func doingOf(pending *workflowpb.PendingActivityInfo) Doing {
	d := Doing{Name: pending.GetActivityType().GetName(), Running: pending.GetState() == enums.PENDING_ACTIVITY_STATE_STARTED, Attempt: int(pending.GetAttempt()),
		Since: pending.GetScheduledTime().AsTime(), Progress: countsIn(pending.GetHeartbeatDetails()), LastError: troubleWords(pending.GetLastFailure())}
	if d.Running {
		d.Since = pending.GetLastStartedTime().AsTime()
	}
	if next := pending.GetNextAttemptScheduleTime(); next != nil && !d.Running {
		at := next.AsTime()
		d.NextAt = &at
	}
	return d
}

// textOf reads one of our own strings out of a payload; anything else is empty.
func textOf(payload *commonpb.Payload) (text string) {
	if payload == nil || converter.GetDefaultDataConverter().FromPayload(payload, &text) != nil {
		return ""
	}
	return text
}

func summary(event *historypb.HistoryEvent) string {
	return textOf(event.GetUserMetadata().GetSummary())
}
