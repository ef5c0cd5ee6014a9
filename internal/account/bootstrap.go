package account

import (
	"context"
	"fmt"

	"omnidesk/internal/postgres"
)

// Bootstrap makes the first superadmin when there is none. Without a password a random one is made, returned
// once and never stored, and has to be changed at the first login. One advisory lock lets only one of several
// starting processes do it. created is false when there is a superadmin already; then nothing was changed.
func Bootstrap(ctx context.Context, db *postgres.DB, email, password string) (created bool, oneTime string, err error) {
	if there, err := hasSuperadmin(ctx, db); err != nil || there {
		return false, "", err
	}
	made := password == ""
	if made {
		password = OneTimePassword()
	} else if err := CheckPassword(password, email); err != nil {
		return false, "", fmt.Errorf("the first superadmin's password: %w", err)
	}
	hash, err := HashPassword(ctx, password)
	if err != nil {
		return false, "", err
	}
	err = db.InSystem(ctx, func(tx postgres.Tx) error {
		q := New(tx)
		if err := q.lockBootstrap(ctx); err != nil {
			return err
		}
		n, err := q.countSuperadmins(ctx)
		if err != nil || n > 0 {
			return err
		}
		created = true
		_, err = CreateUser(ctx, tx, NewUser{Email: email, Name: "Superadmin", Role: Superadmin, Hash: hash, MustChange: made})
		return err
	})
	if err != nil {
		return false, "", fmt.Errorf("making the first superadmin: %w", err)
	}
	if created && made {
		oneTime = password
	}
	return created, oneTime, nil
}

func hasSuperadmin(ctx context.Context, db *postgres.DB) (there bool, err error) {
	err = db.InSystem(ctx, func(tx postgres.Tx) error {
		n, err := New(tx).countSuperadmins(ctx)
		there = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("looking for a superadmin: %w", err)
	}
	return there, nil
}
