// Package platform keeps what is so of the whole installation, whatever the company.
package platform

import (
	"context"
	"fmt"

	"omnidesk/internal/postgres"
)

// SetPublicURL keeps how browsers reach this installation, without a slash at its end: mails that no request asks for
// link there.
func SetPublicURL(ctx context.Context, tx postgres.Tx, url string) error {
	if err := New(tx).setPublicURL(ctx, url); err != nil {
		return fmt.Errorf("keeping the public URL: %w", err)
	}
	return nil
}

// PublicURL returns what SetPublicURL kept last; empty when no server has started yet.
func PublicURL(ctx context.Context, tx postgres.Tx) (string, error) {
	url, err := New(tx).publicURL(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the public URL: %w", err)
	}
	return url, nil
}
