//go:build !release

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"omnidesk/internal/account"
	"omnidesk/internal/config"
	"omnidesk/internal/connection"
	"omnidesk/internal/demo"
	"omnidesk/internal/dev"
	"omnidesk/internal/postgres"
	"omnidesk/internal/sandbox"
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
	created, password, err := account.Bootstrap(ctx, db, c.AdminEmail, c.AdminPassword)
	if err != nil {
		return nil, err
	}
	if created && password == "" {
		password = "(the password you set)"
	}
	made, err := demo.Ensure(ctx, db, connection.NewStore(sealer))
	if err != nil {
		return nil, err
	}
	if err := registerNumber(ctx, start, made); err != nil {
		return nil, fmt.Errorf("telling the sandbox about the demo company's number: %w", err)
	}
	return []dev.Login{
		{Who: "Superadmin", Email: c.AdminEmail, Password: password},
		{Who: "Demo admin", Email: demo.Email, Password: made.Password},
	}, nil
}

// registerNumber is done at every start: the sandbox may have lost its data, and our address may have changed.
func registerNumber(ctx context.Context, start dev.Start, made demo.Demo) error {
	if made.NumberID == "" {
		return nil // people have replaced the demo's connection
	}
	body, err := json.Marshal(map[string]string{
		"verified_name": "Acme Demo", "display_phone_number": made.Number, "account_id": made.AccountID, "app_id": made.AppID,
		"app_secret": made.AppSecret, "webhook_url": start.PublicURL + made.WebhookPath, "verify_token": made.VerifyToken,
	})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, start.SandboxURL+"/sandbox/numbers/"+made.NumberID, bytes.NewReader(body))
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 10 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 500)) // the status alone would do
		return fmt.Errorf("it answered %s: %s", response.Status, said)
	}
	return nil
}
