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
	Company companyCommand `cmd:"" help:"Make a company and its first admin, and print the admin's one-time password."`
}

type companyCommand struct {
	config.Database
	Name  string `arg:"" help:"The company's name."`
	Email string `arg:"" help:"E-mail of its first admin."`
	Zone  string `default:"UTC" help:"The company's IANA time zone, such as America/Sao_Paulo."`
}

// Run makes both in one transaction: a taken e-mail address leaves no company behind.
func (c *companyCommand) Run(ctx context.Context) error {
	db, err := openDatabase(ctx, c.Database, 2)
	if err != nil {
		return err
	}
	defer db.Close()
	_, oneTime, err := account.CreateTenant(ctx, db, c.Name, c.Zone, c.Email)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "Made %s. Its admin signs in as %s with this one-time password, shown only now: %s\n", c.Name, c.Email, oneTime)
	return err
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
