//go:build !release

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"omnidesk/internal/account"
	"omnidesk/internal/channel"
	"omnidesk/internal/config"
	"omnidesk/internal/connection"
	"omnidesk/internal/demo"
	"omnidesk/internal/dev"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/restore"
	"omnidesk/internal/sandbox"
	"omnidesk/internal/template"
	"omnidesk/server"
)

// localCommands run OmniDesk without any provider.
type localCommands struct {
	Dev     devCommand     `cmd:"" help:"Run everything on this machine: PostgreSQL, Temporal, sandbox, server, worker, demo company."`
	Sandbox sandboxCommand `cmd:"" help:"Simulate the providers."`
}

type sandboxCommand struct {
	Address string `name:"address" env:"OMNIDESK_SANDBOX_ADDRESS" default:"127.0.0.1:8090" help:"Where to listen; whoever reaches it controls the sandbox."`
	Data    string `name:"data" env:"OMNIDESK_SANDBOX_DATA" default:".data/sandbox" help:"Where the ledger of accepted sends is kept."`
	Fsync   bool   `name:"fsync" help:"Each accepted send waits for the disk."`
	Sink    bool   `name:"sink" help:"For benchmarks: no statuses, no phones, a ledger that is written behind."`
	Strict  bool   `name:"strict" help:"Answer for registered numbers alone."`
}

// Run serves until it is asked to stop.
func (c *sandboxCommand) Run(ctx context.Context) error {
	return sandbox.Run(ctx, sandbox.Options{Addr: c.Address, DataDir: c.Data, Fsync: c.Fsync, Sink: c.Sink, Strict: c.Strict})
}

type devCommand struct {
	config.Dev
	config.Database
	config.Secrets
	config.Admin
}

// Run starts everything and stops it again.
func (c *devCommand) Run(ctx context.Context) error {
	return dev.Run(ctx, dev.Options{
		Dev: c.Dev, Database: c.Database, Secrets: c.Secrets, NewKeys: newKeys,
		Migrate: postgres.Migrate, Prepare: c.prepare, Out: os.Stdout,
	})
}

// prepare makes the first superadmin and the demo company. At later starts it only says who they are.
func (c *devCommand) prepare(ctx context.Context, start dev.Start) ([]dev.Login, error) {
	sealer, _, err := openSecrets(start.Secrets)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, start.Database.Direct(), postgres.Options{MaxConns: 4})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	// Data of a version that did not remember yet lie beside the file: they are no restored backup.
	if err := (&restore.Keeper{DB: db, File: dev.PositionFile(c.Data)}).Adopt(ctx); err != nil {
		return nil, err
	}
	created, password, err := account.Bootstrap(ctx, db, c.AdminEmail, c.AdminPassword)
	if err != nil {
		return nil, err
	}
	if created && password == "" {
		password = "(the password you set)"
	}
	store := connection.NewStore(sealer)
	made, err := demo.Ensure(ctx, db, store)
	if err != nil {
		return nil, err
	}
	if err := registerNumbers(ctx, db, store, start); err != nil {
		return nil, fmt.Errorf("telling the sandbox about simulated numbers: %w", err)
	}
	if made.Created {
		if err := askProvider(ctx, db, store, made.Company, start.SandboxURL); err != nil {
			return nil, fmt.Errorf("checking the demo's numbers: %w", err)
		}
	}
	logins := []dev.Login{{Who: "Superadmin", Email: c.AdminEmail, Password: password}}
	if made.Company != id.Nil {
		logins = append(logins, dev.Login{Who: "Demo admin", Email: demo.Email, Password: made.Password})
	}
	return logins, nil
}

// askProvider checks the demo's numbers and reads their templates, as a person would by a click.
func askProvider(ctx context.Context, db *postgres.DB, store *connection.Store, company id.ID, sandboxURL string) error {
	adapters, err := newAdapters(config.Sandbox{SandboxURL: sandboxURL}, 0)
	if err != nil {
		return err
	}
	var accounts []channel.Account
	if err := db.InCompany(ctx, company, func(tx postgres.Tx) error {
		views, err := store.List(ctx, tx, company, nil)
		if err != nil {
			return err
		}
		for _, view := range views {
			account, err := store.Account(ctx, tx, company, view.ID)
			if err != nil {
				return err
			}
			accounts = append(accounts, account)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, account := range accounts {
		if err := askAbout(ctx, db, store, adapters[account.Kind], account); err != nil {
			return err
		}
	}
	return nil
}

func askAbout(ctx context.Context, db *postgres.DB, store *connection.Store, adapter channel.Adapter, account channel.Account) error {
	lister, able := adapter.(channel.TemplateLister)
	if !able {
		return fmt.Errorf("%s lists no templates", account.Kind)
	}
	check := adapter.Check(ctx, account)
	templates, err := lister.ListTemplates(ctx, account)
	if err != nil {
		return err
	}
	return db.InCompany(ctx, account.Company, func(tx postgres.Tx) error {
		now := time.Now()
		if err := store.KeepCheck(ctx, tx, account.Company, account.Connection, check, now); err != nil {
			return err
		}
		return template.Replace(ctx, tx, account.Company, account.Connection, templates, now)
	})
}

// registerNumbers is done at every start: the sandbox may have lost its data, and our address may have changed.
func registerNumbers(ctx context.Context, db *postgres.DB, store *connection.Store, start dev.Start) error {
	var companies []account.Company
	err := db.InSystem(ctx, func(tx postgres.Tx) (err error) {
		companies, err = account.ListCompanies(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, company := range companies {
		numbers, err := simulatedNumbers(ctx, db, store, company, start.PublicURL)
		if err != nil {
			return err
		}
		for _, number := range numbers {
			if err := sandboxControl(start.SandboxURL).Register(ctx, number); err != nil {
				return err
			}
		}
	}
	return nil
}

func simulatedNumbers(ctx context.Context, db *postgres.DB, store *connection.Store, company account.Company, publicURL string) (numbers []server.SimulatedNumber, err error) {
	err = db.InCompany(ctx, company.ID, func(tx postgres.Tx) error {
		views, err := store.List(ctx, tx, company.ID, nil)
		if err != nil {
			return err
		}
		for _, view := range views {
			if !view.Simulated {
				continue
			}
			found, err := store.Account(ctx, tx, company.ID, view.ID)
			if err != nil {
				return err
			}
			numbers = append(numbers, server.Simulated(view, found, publicURL))
		}
		return nil
	})
	return numbers, err
}
