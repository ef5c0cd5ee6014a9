package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"omnidesk/internal/flow"
)

// Mail sends one mail and tries until it has left. When to give up is decided in the activity, by the row.
func Mail(ctx workflow.Context, ref flow.Ref) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           flow.WorkQueue,
		StartToCloseTimeout: 30 * time.Second,
		Summary:             "write the mail and hand it over",
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 2 * time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute},
	})
	return workflow.ExecuteActivity(ctx, flow.SendMail, ref).Get(ctx, nil)
}
