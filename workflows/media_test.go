package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/workflow"

	"omnidesk/internal/flow"
	"omnidesk/workflows"
)

func newMediaStage(t *testing.T, looks ...flow.Look) *stage {
	s := newStage(t, looks...)
	s.RegisterActivityWithOptions(func(flow.Ref) (flow.Look, error) {
		require.NotEmpty(t, s.looks, "one look too many")
		next := s.looks[0]
		s.looks = s.looks[1:]
		return next, nil
	}, activity.RegisterOptions{Name: flow.LookAtMedia})
	s.RegisterActivityWithOptions(func(flow.Ref) error { s.steps = append(s.steps, flow.MoveMedia); return nil }, activity.RegisterOptions{Name: flow.MoveMedia})
	return s
}

func TestFilesAreMovedWhenTheyAreDue(t *testing.T) {
	s := newMediaStage(t)
	began := s.Now()
	s.looks = []flow.Look{do(flow.StepMove), {Step: flow.StepWait, Until: began.Add(10 * time.Minute)}, do(flow.StepMove), do(flow.StepEnd)}
	require.NoError(t, s.run(t, workflows.Media))
	require.Equal(t, []string{flow.MoveMedia, flow.MoveMedia}, s.steps)
	require.GreaterOrEqual(t, s.Now().Sub(began), 10*time.Minute)
}

func TestAWakeHasFilesLookedAtAtOnce(t *testing.T) {
	s := newMediaStage(t)
	began := s.Now()
	s.looks = []flow.Look{{Step: flow.StepWait, Until: began.Add(time.Hour)}, do(flow.StepMove), do(flow.StepEnd)}
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(flow.WokenSignal, nil) }, time.Minute)
	require.NoError(t, s.run(t, workflows.Media))
	require.Less(t, s.Now().Sub(began), time.Hour)
}

func TestMediaContinuesAsNew(t *testing.T) {
	s := newMediaStage(t)
	s.looks = []flow.Look{{Step: flow.StepWait, Until: s.Now().Add(time.Minute)}}
	s.RegisterDelayedCallback(func() { s.SetContinueAsNewSuggested(true) }, 30*time.Second)
	err := s.run(t, workflows.Media)
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &again)
	require.Equal(t, ref, decoded(t, again))
}
