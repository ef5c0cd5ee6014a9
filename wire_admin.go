package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"omnidesk/internal/account"
	"omnidesk/internal/config"
	"omnidesk/internal/postgres"
	"omnidesk/internal/secret"
)

type migrateCommand struct {
	config.Database
	config.Admin
}

// Run may be called at every deployment: it changes nothing that is up to date.
func (c *migrateCommand) Run(ctx context.Context) error {
	if err := c.Require(); err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, c.Direct()); err != nil {
		return err
	}
	db, err := postgres.Open(ctx, c.Direct(), postgres.Options{MaxConns: 2})
	if err != nil {
		return err
	}
	defer db.Close()
	created, oneTime, err := account.Bootstrap(ctx, db, c.AdminEmail, c.AdminPassword)
	if err != nil {
		return err
	}
	return printBootstrap(os.Stdout, created, c.AdminEmail, oneTime)
}

func printBootstrap(out io.Writer, created bool, email, oneTime string) error {
	text := "The database is up to date.\n"
	if created {
		text += "First superadmin: " + email + "\n"
	}
	if oneTime != "" {
		text += "One-time password, shown only now: " + oneTime + "\n"
	}
	_, err := io.WriteString(out, text)
	return err
}

type adminCommand struct {
	NewKeys newKeysCommand `cmd:"" aliases:"new-key" help:"Print a fresh ENCRYPTION_KEY and JWT_SECRET_KEY."`
}

type newKeysCommand struct{}

// Run prints lines fit for an environment file.
func (newKeysCommand) Run() error {
	keys, err := newKeys()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "ENCRYPTION_KEY=%s\nJWT_SECRET_KEY=%s\n", keys.EncryptionKey, keys.SessionKey)
	return err
}

func newKeys() (config.Secrets, error) {
	keyset, err := secret.NewKeyset()
	if err != nil {
		return config.Secrets{}, err
	}
	return config.Secrets{EncryptionKey: keyset, SessionKey: account.NewTokenSecret()}, nil
}
