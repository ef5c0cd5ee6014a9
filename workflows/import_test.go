package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"

	"omnidesk/internal/flow"
	"omnidesk/workflows"
)

func newImportStage(t *testing.T, looks ...flow.Look) *stage {
	s := newStage(t, looks...)
	s.RegisterActivityWithOptions(func(flow.Ref) (flow.Look, error) {
		require.NotEmpty(t, s.looks, "one look too many")
		next := s.looks[0]
		s.looks = s.looks[1:]
		return next, nil
	}, activity.RegisterOptions{Name: flow.LookAtImport})
	for _, name := range []string{flow.CheckImport, flow.RunImport, flow.UndoImport, flow.DiscardImport} {
		s.RegisterActivityWithOptions(func(flow.Ref) error { s.steps = append(s.steps, name); return nil }, activity.RegisterOptions{Name: name})
	}
	return s
}

func TestImportWaitsForItsStartBetweenItsSteps(t *testing.T) {
	s := newImportStage(t, do(flow.StepCheck), do(flow.StepWait), do(flow.StepImport), do(flow.StepEnd))
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(flow.WokenSignal, nil) }, time.Hour)
	began := s.Now()
	require.NoError(t, s.run(t, workflows.Import))
	require.Equal(t, []string{flow.CheckImport, flow.RunImport}, s.steps)
	require.GreaterOrEqual(t, s.Now().Sub(began), time.Hour)
}

func TestImportIsUndoneOrDiscarded(t *testing.T) {
	s := newImportStage(t, do(flow.StepUndo), do(flow.StepEnd))
	require.NoError(t, s.run(t, workflows.Import))
	require.Equal(t, []string{flow.UndoImport}, s.steps)

	s = newImportStage(t, do(flow.StepDiscard), do(flow.StepEnd))
	require.NoError(t, s.run(t, workflows.Import))
	require.Equal(t, []string{flow.DiscardImport}, s.steps)
}
