package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"omnidesk/internal/account"
	"omnidesk/internal/config"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/restore"
	"omnidesk/internal/secret"
	"omnidesk/server"
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
	Release releaseCommand `cmd:"" help:"Release what a restore of the database has put on hold."`
	Company companyCommand `cmd:"" help:"Make a company and its first admin, and print the admin's one-time password."`
}

type releaseCommand struct {
	config.Database
	Open    string `enum:"doubt,send" required:"" help:"What becomes of open work. doubt: campaigns are paused and other queued messages become uncertain, for a person to judge. send: everything goes on, and what was sent after the backup is sent a second time."`
	Company string `help:"The company's id; all companies that are on hold without it."`
}

// Run ends the hold that a restore of the database has put on companies.
func (c *releaseCommand) Run(ctx context.Context) error {
	db, err := openDatabase(ctx, c.Database, 2)
	if err != nil {
		return err
	}
	defer db.Close()
	var companies []account.Company
	err = db.InSystem(ctx, func(tx postgres.Tx) (err error) {
		companies, err = account.ListCompanies(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	released := 0
	for _, company := range companies {
		if c.Company != "" && c.Company != company.ID.String() {
			continue
		}
		stopped, err := server.ReleaseRestore(ctx, db, company.ID, id.Nil, c.Open == "doubt", time.Now())
		if errors.Is(err, restore.ErrNothingHeld) {
			continue
		}
		if err != nil {
			return err
		}
		released++
		if _, err := fmt.Fprintf(os.Stdout, "Released %s (%s); campaigns stopped: %d\n", company.Name, company.ID, len(stopped)); err != nil {
			return err
		}
	}
	if released == 0 {
		return errors.New("nothing is on hold after a restore, or --company names none that is")
	}
	return nil
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
