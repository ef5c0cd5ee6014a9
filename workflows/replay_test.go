package workflows_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"

	"omnidesk/internal/flow"
	"omnidesk/worker"
)

// The recorded histories come from a real server: go test ./worker -update writes them anew. Keep the old ones
// of a version that may still run somewhere; they are what a new version must be able to go on from.
func recorded(t *testing.T) map[string]*historypb.History {
	t.Helper()
	files, err := filepath.Glob("testdata/histories/*.json")
	require.NoError(t, err)
	found := map[string]*historypb.History{}
	for _, name := range files {
		file, err := os.Open(name)
		require.NoError(t, err)
		h, err := client.HistoryFromJSON(file, client.HistoryJSONOptions{})
		require.NoError(t, err, name)
		require.NoError(t, file.Close())
		found[strings.TrimSuffix(filepath.Base(name), ".json")] = h
	}
	return found
}

func newReplayer() sdkworker.WorkflowReplayer {
	replayer := sdkworker.NewWorkflowReplayer()
	worker.Register(replayer)
	return replayer
}

func TestRecordedHistoriesReplay(t *testing.T) {
	for name, h := range recorded(t) {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, newReplayer().ReplayWorkflowHistory(nil, h))
		})
	}
}

// The replays mean something only while the recordings hold each kind of story.
func TestRecordedHistoriesHoldEveryStory(t *testing.T) {
	all := recorded(t)
	kind := func(name string) flow.Workflow {
		require.Contains(t, all, name, "record it with: go test ./worker -update")
		return flow.Workflow(all[name].Events[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName())
	}
	for name, want := range map[string]flow.Workflow{"campaign": flow.CampaignWorkflow, "pause": flow.CampaignWorkflow, "cancel": flow.CampaignWorkflow,
		"scheduled": flow.CampaignWorkflow, "sender": flow.SenderWorkflow, "failed-page": flow.SenderWorkflow, "continue-as-new": flow.SenderWorkflow,
		"slowed-down": flow.SenderWorkflow, "held": flow.SenderWorkflow, "campaign-continue-as-new": flow.CampaignWorkflow,
		"urgent": flow.SenderWorkflow, "urgent-beside-page": flow.SenderWorkflow, "window": flow.CampaignWorkflow, "stopped": flow.CampaignWorkflow, "sender-after-window": flow.SenderWorkflow,
		"paced": flow.SenderWorkflow, "limits-edited": flow.SenderWorkflow,
		// Of senders that knew no urgent runs.
		"in-turns-sender": flow.SenderWorkflow, "in-turns-failed-page": flow.SenderWorkflow, "in-turns-continue-as-new": flow.SenderWorkflow,
		"import": flow.ImportWorkflow, "import-undo": flow.ImportWorkflow, "media": flow.MediaWorkflow, "mail": flow.MailWorkflow, "digest": flow.DigestWorkflow, "conversation": flow.ConversationWorkflow} {
		require.Equal(t, want, kind(name), name)
	}
	for name, event := range map[string]enums.EventType{
		"campaign":                 enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
		"sender":                   enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
		"pause":                    enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
		"cancel":                   enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
		"scheduled":                enums.EVENT_TYPE_TIMER_FIRED,
		"failed-page":              enums.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
		"slowed-down":              enums.EVENT_TYPE_TIMER_FIRED,
		"continue-as-new":          enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
		"campaign-continue-as-new": enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
		"import":                   enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
		"import-undo":              enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
		"media":                    enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
		"paced":                    enums.EVENT_TYPE_TIMER_FIRED,
		"mail":                     enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
		"digest":                   enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
	} {
		require.Positive(t, count(all[name], event), "%s holds no %s", name, event)
	}
	require.Positive(t, count(all["pause"], enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED), "it was resumed")
	require.Positive(t, versions(all["sender"]))
	require.Positive(t, versions(all["sender-after-window"]), "an older sender's recordings are the in-turns ones")
	require.Zero(t, versions(all["in-turns-sender"]), "record this one with no newer program than its own")
	require.Zero(t, count(all["cancel"], enums.EVENT_TYPE_ACTIVITY_TASK_FAILED))
	require.Contains(t, string(mark(all["pause"])), `"paused"`)
	require.Contains(t, string(mark(all["cancel"])), `"canceled"`)
	require.Contains(t, string(mark(all["scheduled"])), `"scheduled"`)
	require.Contains(t, string(mark(all["stopped"])), "the provider's time is over")
	require.Contains(t, string(mark(all["window"])), "outside the sending window")
	require.Contains(t, string(mark(all["sender-after-window"])), "outside the sending window")
	require.Contains(t, string(mark(all["paced"])), "the gap between campaign messages")
	require.Contains(t, string(mark(all["limits-edited"])), "messages an hour are used")
}

// A replay must notice a change of the order of steps, or it proves nothing.
func TestReplayNoticesAnotherOrder(t *testing.T) {
	h := recorded(t)["campaign"]
	require.NotNil(t, h)
	renamed := 0
	for _, event := range h.Events {
		if a := event.GetActivityTaskScheduledEventAttributes(); a.GetActivityType().GetName() == flow.FreezeAudience {
			a.ActivityType.Name = flow.FinishCampaign
			renamed++
		}
	}
	require.Positive(t, renamed)
	require.ErrorContains(t, newReplayer().ReplayWorkflowHistory(nil, h), "TMPRL1100")
}

func count(h *historypb.History, kind enums.EventType) (n int) {
	for _, event := range h.GetEvents() {
		if event.GetEventType() == kind {
			n++
		}
	}
	return n
}

// versions counts the marks of workflow.GetVersion.
func versions(h *historypb.History) (n int) {
	for _, event := range h.GetEvents() {
		if event.GetMarkerRecordedEventAttributes().GetMarkerName() == "Version" {
			n++
		}
	}
	return n
}

// mark returns the verdicts that the looks of a history recorded.
func mark(h *historypb.History) (verdicts []byte) {
	for _, event := range h.GetEvents() {
		for _, payloads := range event.GetMarkerRecordedEventAttributes().GetDetails() {
			for _, p := range payloads.GetPayloads() {
				verdicts = append(verdicts, p.GetData()...)
			}
		}
	}
	return verdicts
}
