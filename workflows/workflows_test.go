package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/workflows"
)

// stage is a test environment whose looks are scripted and whose steps are noted down.
type stage struct {
	*testsuite.TestWorkflowEnvironment
	looks  []flow.Look
	steps  []string
	page   func() (flow.PageResult, error)
	urgent func() (flow.PageResult, error)
	feed   func() (flow.FeedResult, error)
}

func newStage(t *testing.T, looks ...flow.Look) *stage {
	var suite testsuite.WorkflowTestSuite
	s := &stage{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), looks: looks}
	s.SetTestTimeout(10 * time.Second)
	register := func(name string, do any) { s.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: name}) }
	look := func(flow.Ref) (flow.Look, error) {
		require.NotEmpty(t, s.looks, "one look too many")
		next := s.looks[0]
		s.looks = s.looks[1:]
		return next, nil
	}
	register(flow.LookAtCampaign, look)
	register(flow.LookAtSender, look)
	for _, name := range []string{flow.FreezeAudience, flow.BeginCampaign, flow.FinishCampaign, flow.CancelQueued} {
		register(name, func(flow.Ref) error { s.steps = append(s.steps, name); return nil })
	}
	register(flow.FeedCampaign, func(flow.Ref) (flow.FeedResult, error) {
		s.steps = append(s.steps, flow.FeedCampaign)
		if s.feed == nil {
			return flow.FeedResult{}, nil
		}
		return s.feed()
	})
	register(flow.SendPage, func(flow.Ref) (flow.PageResult, error) {
		s.steps = append(s.steps, flow.SendPage)
		if s.page == nil {
			return flow.PageResult{}, nil
		}
		return s.page()
	})
	register(flow.SendUrgent, func(flow.Ref) (flow.PageResult, error) {
		s.steps = append(s.steps, flow.SendUrgent)
		if s.urgent == nil {
			return flow.PageResult{}, nil
		}
		return s.urgent()
	})
	return s
}

var ref = flow.Ref{Company: id.New(), Subject: id.New()}

func do(step flow.Step) flow.Look { return flow.Look{Step: step, State: string(step)} }

func (s *stage) run(t *testing.T, w any) error {
	t.Helper()
	s.ExecuteWorkflow(w, ref)
	require.True(t, s.IsWorkflowCompleted())
	return s.GetWorkflowError()
}

func TestCampaignGoesThroughItsSteps(t *testing.T) {
	s := newStage(t, do(flow.StepFreeze), do(flow.StepBegin), do(flow.StepFeed), do(flow.StepFinish), do(flow.StepEnd))
	require.NoError(t, s.run(t, workflows.Campaign))
	require.Equal(t, []string{flow.FreezeAudience, flow.BeginCampaign, flow.FeedCampaign, flow.FinishCampaign}, s.steps)
}

func TestPausedCampaignRestsUntilItIsWoken(t *testing.T) {
	s := newStage(t, do(flow.StepWait), do(flow.StepEnd))
	began := s.Now()
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(flow.WokenSignal, nil) }, 26*time.Hour)
	require.NoError(t, s.run(t, workflows.Campaign))
	require.Equal(t, 26*time.Hour, s.Now().Sub(began).Round(time.Minute))
}

func TestScheduledCampaignLooksAgainAtItsInstant(t *testing.T) {
	s := newStage(t)
	began := s.Now()
	s.looks = []flow.Look{{Step: flow.StepWait, State: "scheduled", Until: began.Add(90 * time.Minute), Reason: "waits for its start time"}, do(flow.StepEnd)}
	s.RegisterDelayedCallback(func() {
		answer, err := s.QueryWorkflow(flow.StateQuery)
		require.NoError(t, err)
		var live flow.Live
		require.NoError(t, answer.Get(&live))
		require.Equal(t, "scheduled", live.State)
		require.Equal(t, "waits for its start time", live.Reason)
		require.True(t, live.Until.Equal(began.Add(90*time.Minute)))
	}, time.Hour)
	require.NoError(t, s.run(t, workflows.Campaign))
	require.Equal(t, 90*time.Minute, s.Now().Sub(began).Round(time.Minute))
}

func TestBusyCampaignIsFedAgainWithoutAPause(t *testing.T) {
	s := newStage(t)
	waiting := flow.Look{Step: flow.StepWait, Unfed: true, Until: s.Now().Add(time.Hour)}
	s.looks = []flow.Look{do(flow.StepFeed), waiting, waiting, do(flow.StepEnd)}
	fed := 1000
	s.feed = func() (flow.FeedResult, error) { fed -= 500; return flow.FeedResult{Fed: fed}, nil }
	began := s.Now()
	require.NoError(t, s.run(t, workflows.Campaign))
	require.Equal(t, []string{flow.FeedCampaign, flow.FeedCampaign}, s.steps) // the second fed nothing: then it waits
	require.GreaterOrEqual(t, s.Now().Sub(began), time.Hour)
}

func TestSenderRunsPagesAndEnds(t *testing.T) {
	s := newStage(t, do(flow.StepPage), do(flow.StepPage), do(flow.StepEnd))
	s.page = func() (flow.PageResult, error) { return flow.PageResult{Sent: 7}, nil }
	require.NoError(t, s.run(t, workflows.Sender))
	require.Equal(t, []string{flow.SendPage, flow.SendPage}, s.steps)
	answer, err := s.QueryWorkflow(flow.StateQuery)
	require.NoError(t, err)
	var live flow.Live
	require.NoError(t, answer.Get(&live))
	require.Equal(t, 14, live.Sent)
}

func TestFailedPageIsFollowedByALookNotByARetry(t *testing.T) {
	s := newStage(t, do(flow.StepPage), do(flow.StepPage), do(flow.StepPage), do(flow.StepEnd)) // the second look finds that it has to wait a little
	tries := 0
	s.page = func() (flow.PageResult, error) {
		if tries++; tries == 1 {
			return flow.PageResult{}, errors.New("the worker is gone")
		}
		return flow.PageResult{}, nil
	}
	require.NoError(t, s.run(t, workflows.Sender))
	require.Equal(t, 2, tries)
	require.Empty(t, s.looks)
}

func TestLongHistoryContinuesAsNewWithNothingButTheRow(t *testing.T) {
	for name, w := range map[string]func(workflow.Context, flow.Ref) error{"campaign": workflows.Campaign, "sender": workflows.Sender, "import": workflows.Import} {
		t.Run(name, func(t *testing.T) {
			s := newImportStage(t)
			s.looks = []flow.Look{{Step: flow.StepWait, Until: s.Now().Add(time.Minute)}}
			s.RegisterDelayedCallback(func() { s.SetContinueAsNewSuggested(true) }, 30*time.Second)
			err := s.run(t, w)
			var again *workflow.ContinueAsNewError
			require.ErrorAs(t, err, &again)
			require.Equal(t, ref, decoded(t, again))
		})
	}
}

func decoded(t *testing.T, again *workflow.ContinueAsNewError) (carried flow.Ref) {
	t.Helper()
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &carried))
	return carried
}
