package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/workflow"

	"omnidesk/internal/flow"
	"omnidesk/workflows"
)

func urgent(look flow.Look) flow.Look {
	look.Urgent = true
	return look
}

// lasting makes an activity last for so long of the test's time.
func (s *stage) lasting(name string, long time.Duration, sent int) {
	s.OnActivity(name, mock.Anything).Return(func(flow.Ref) (flow.PageResult, error) {
		s.steps = append(s.steps, name)
		return flow.PageResult{Sent: sent}, nil
	}).After(long)
}

func TestUrgentWorkGoesOutBesideAPageThatRuns(t *testing.T) {
	s := newStage(t, do(flow.StepPage), urgent(do(flow.StepPage)), do(flow.StepPage), do(flow.StepEnd), do(flow.StepEnd))
	s.lasting(flow.SendPage, 50*time.Second, 7)
	s.lasting(flow.SendUrgent, 3*time.Second, 1)
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(flow.WokenSignal, nil) }, 10*time.Second)
	began := s.Now()
	require.NoError(t, s.run(t, workflows.Sender))
	require.Equal(t, []string{flow.SendUrgent, flow.SendPage}, s.steps) // as they ended
	require.Equal(t, 50*time.Second, s.Now().Sub(began).Round(time.Second))
	answer, err := s.QueryWorkflow(flow.StateQuery)
	require.NoError(t, err)
	var live flow.Live
	require.NoError(t, answer.Get(&live))
	require.Equal(t, 8, live.Sent)
}

func TestUrgentRetryIsNotForgottenWhileAPageRuns(t *testing.T) {
	s := newStage(t)
	began := s.Now()
	waiting := do(flow.StepPage)
	waiting.UrgentAt = began.Add(20 * time.Second)
	s.looks = []flow.Look{waiting, urgent(do(flow.StepPage)), do(flow.StepPage), do(flow.StepEnd), do(flow.StepEnd)}
	s.lasting(flow.SendPage, 50*time.Second, 0)
	s.urgent = func() (flow.PageResult, error) {
		require.Equal(t, 20*time.Second, s.Now().Sub(began).Round(time.Second))
		return flow.PageResult{}, nil
	}
	require.NoError(t, s.run(t, workflows.Sender))
	require.Equal(t, []string{flow.SendUrgent, flow.SendPage}, s.steps)
}

func TestFailedUrgentRunIsFollowedByALookAndDoesNotStopPages(t *testing.T) {
	both := urgent(do(flow.StepPage))
	s := newStage(t, both, both, both, do(flow.StepEnd), do(flow.StepEnd))
	s.lasting(flow.SendPage, 50*time.Second, 0)
	tries := 0
	s.urgent = func() (flow.PageResult, error) {
		if tries++; tries == 1 {
			return flow.PageResult{}, errors.New("the worker is gone")
		}
		return flow.PageResult{}, nil
	}
	require.NoError(t, s.run(t, workflows.Sender))
	require.Equal(t, 2, tries)
	require.Equal(t, []string{flow.SendUrgent, flow.SendUrgent, flow.SendPage}, s.steps)
}

// A history that has grown long ends its page, lets urgent work end by itself and carries nothing over.
func TestContinueAsNewCancelsThePageAndWaitsForUrgentWork(t *testing.T) {
	s := newStage(t, urgent(do(flow.StepPage)))
	canceled := false
	s.SetOnActivityCanceledListener(func(info *activity.Info) { canceled = canceled || info.ActivityType.Name == flow.SendPage })
	s.lasting(flow.SendPage, 50*time.Second, 0)
	s.lasting(flow.SendUrgent, 30*time.Second, 1)
	s.RegisterDelayedCallback(func() {
		s.SetContinueAsNewSuggested(true)
		s.SignalWorkflow(flow.WokenSignal, nil)
	}, 5*time.Second)
	began := s.Now()
	err := s.run(t, workflows.Sender)
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &again)
	require.Equal(t, ref, decoded(t, again))
	require.True(t, canceled)
	require.Contains(t, s.steps, flow.SendUrgent)
	require.GreaterOrEqual(t, s.Now().Sub(began), 30*time.Second)
}

// Both runs look for work ten times a second; another look for each wake would only keep a busy server busier.
func TestAWakeSaysNothingWhileBothRunsGo(t *testing.T) {
	s := newStage(t, urgent(do(flow.StepPage)), do(flow.StepPage), do(flow.StepEnd), do(flow.StepEnd))
	s.lasting(flow.SendPage, 50*time.Second, 0)
	s.lasting(flow.SendUrgent, 30*time.Second, 0)
	for _, at := range []time.Duration{5 * time.Second, 6 * time.Second, 20 * time.Second} {
		s.RegisterDelayedCallback(func() { s.SignalWorkflow(flow.WokenSignal, nil) }, at)
	}
	require.NoError(t, s.run(t, workflows.Sender))
	require.Equal(t, []string{flow.SendUrgent, flow.SendPage}, s.steps)
	require.LessOrEqual(t, len(s.looks), 1, "each run that ends is followed by a look")
}
