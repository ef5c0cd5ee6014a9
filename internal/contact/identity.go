package contact

import (
	"context"
	"errors"
	"fmt"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// ErrNoAddress says that there is no way to write to a contact on a channel.
var ErrNoAddress = errors.New("the contact has neither a phone number nor another address on this channel")

// Identity is one way to reach a contact.
type Identity = addressesOfRow

// Identities returns all ways to reach a contact, the oldest first.
func Identities(ctx context.Context, tx postgres.Tx, company, contact id.ID) ([]Identity, error) {
	list, err := New(tx).addressesOf(ctx, company, contact)
	if err != nil {
		return nil, fmt.Errorf("reading the addresses of a contact: %w", err)
	}
	return list, nil
}

// WhatsAppAddress returns the identity to write to on WhatsApp: the phone, else the business-scoped id of somebody who
// hides the number. Errors: ErrNotFound, ErrNoAddress.
func WhatsAppAddress(ctx context.Context, tx postgres.Tx, company, contact id.ID) (id.ID, error) {
	if _, err := Get(ctx, tx, company, contact); err != nil {
		return id.Nil, err
	}
	list, err := Identities(ctx, tx, company, contact)
	if err != nil {
		return id.Nil, err
	}
	for _, kind := range []string{"phone", "bsuid"} {
		for _, one := range list {
			if one.Kind == kind {
				return one.ID, nil
			}
		}
	}
	return id.Nil, ErrNoAddress
}
