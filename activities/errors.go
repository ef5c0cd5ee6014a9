package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"omnidesk/internal/campaign"
	"omnidesk/internal/connection"
)

// retryClass maps errors of the nouns to what Temporal should do: what no retry can mend is not retried. The
// message goes into histories, so it is made of our words only.
func retryClass(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, campaign.ErrNotFound), errors.Is(err, connection.ErrNotFound):
		return temporal.NewNonRetryableApplicationError("the row is gone", "NotFound", nil)
	default:
		return err
	}
}
