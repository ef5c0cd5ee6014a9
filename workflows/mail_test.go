package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"

	"omnidesk/internal/flow"
	"omnidesk/workflows"
)

func TestAMailIsTriedUntilItHasLeft(t *testing.T) {
	s := newStage(t)
	tries := 0
	s.RegisterActivityWithOptions(func(flow.Ref) error {
		if tries++; tries < 9 {
			return errors.New("the mailbox did not answer")
		}
		return nil
	}, activity.RegisterOptions{Name: flow.SendMail})
	began := s.Now()
	require.NoError(t, s.run(t, workflows.Mail))
	require.Equal(t, 9, tries)
	require.Greater(t, s.Now().Sub(began), 8*time.Minute, "with longer and longer pauses")
}
