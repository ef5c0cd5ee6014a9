package apiclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Errors about keys that clients make.
var (
	ErrOtherCall = errors.New("this key came before with another call")
	ErrTwice     = errors.New("a message with this key was just queued") // roll back, and look for it
)

// Fingerprint tells two calls with one key apart.
func (c Call) Fingerprint() []byte {
	hash := sha256.New()
	for _, part := range [][]byte{[]byte(c.Method), []byte(c.Path), c.Body} {
		sum := sha256.Sum256(part)
		_, _ = hash.Write(sum[:]) // a hash takes everything
	}
	return hash.Sum(nil)
}

// Keyed returns the message that a client's call has made before, or Nil. Errors: ErrOtherCall.
func Keyed(ctx context.Context, tx postgres.Tx, client Client, key id.ID, fingerprint []byte) (id.ID, error) {
	found, err := New(tx).messageOf(ctx, client.Company, client.ID, key)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return id.Nil, nil
	case err != nil:
		return id.Nil, fmt.Errorf("looking for a client's key: %w", err)
	case !bytes.Equal(found.Fingerprint, fingerprint):
		return id.Nil, ErrOtherCall
	}
	return found.MessageID, nil
}

// Keep keeps which message came of a client's call. Errors: ErrTwice.
func Keep(ctx context.Context, tx postgres.Tx, client Client, key id.ID, fingerprint []byte, message id.ID) error {
	n, err := New(tx).keepMessage(ctx, keepMessageParams{CompanyID: client.Company, ClientID: client.ID, Key: key, Fingerprint: fingerprint, MessageID: message})
	if err != nil {
		return fmt.Errorf("keeping a client's key: %w", err)
	}
	if n == 0 {
		return ErrTwice
	}
	return nil
}

// KeyOf returns the key of a message that the client has queued. Errors: ErrNotFound.
func KeyOf(ctx context.Context, tx postgres.Tx, client Client, message id.ID) (id.ID, error) {
	key, err := New(tx).keyOf(ctx, client.Company, client.ID, message)
	if errors.Is(err, pgx.ErrNoRows) {
		return id.Nil, ErrNotFound
	}
	if err != nil {
		return id.Nil, fmt.Errorf("reading the key of a client's message: %w", err)
	}
	return key, nil
}
