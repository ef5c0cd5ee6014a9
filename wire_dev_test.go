//go:build !release

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/config"
	"omnidesk/internal/connection"
	"omnidesk/internal/dev"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/sandbox"
)

// A sandbox that has lost its data, behind another address, gets all simulated numbers at the next start of `omnidesk
// dev`: those of the demo and those that a company has added.
func TestARestartTellsTheSandboxOfEverySimulatedNumber(t *testing.T) {
	ctx, db := context.Background(), pgtest.New(t)
	company := pgtest.Company(t, db)
	keys, err := newKeys()
	require.NoError(t, err)
	c := &devCommand{Dev: config.Dev{Data: t.TempDir()}, Admin: config.Admin{AdminEmail: "root@example.com"}}
	start := dev.Start{Database: config.Database{URL: db.URL()}, Secrets: keys, PublicURL: "http://localhost:1"}

	start.SandboxURL = freshSandbox(t)
	logins, err := c.prepare(ctx, start)
	require.NoError(t, err)
	require.Len(t, logins, 2)
	require.Len(t, numbersOf(t, start.SandboxURL), 2)

	sealer, _, err := openSecrets(keys)
	require.NoError(t, err)
	store := connection.NewStore(sealer)
	require.NoError(t, db.InCompany(ctx, company, func(tx postgres.Tx) error {
		_, err := store.Create(ctx, tx, company, connection.Draft{Name: "Own", AppID: "71", AppSecret: "s", AccountID: "72",
			NumberID: "73", Token: "t", Simulated: true})
		return err
	}))

	start.SandboxURL, start.PublicURL = freshSandbox(t), "http://localhost:2"
	again, err := c.prepare(ctx, start)
	require.NoError(t, err)
	require.Empty(t, again[1].Password, "the demo is found, not made anew")
	numbers := numbersOf(t, start.SandboxURL)
	require.Len(t, numbers, 3)
	for id, callback := range numbers {
		require.True(t, strings.HasPrefix(callback, "http://localhost:2/api/webhooks/meta/"), "%s reports to %s", id, callback)
	}
	require.Contains(t, numbers, "73")
}

func freshSandbox(t *testing.T) string {
	t.Helper()
	simulator, err := sandbox.New(sandbox.Options{DataDir: t.TempDir()})
	require.NoError(t, err)
	server := httptest.NewServer(simulator)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, simulator.Close())
	})
	return server.URL
}

// numbersOf returns where each number that a sandbox knows reports to.
func numbersOf(t *testing.T, sandboxURL string) map[string]string {
	t.Helper()
	answer, err := http.Get(sandboxURL + "/sandbox/numbers") //nolint:noctx // a test's own server
	require.NoError(t, err)
	defer answer.Body.Close()
	var numbers []struct {
		ID         string `json:"number_id"`
		WebhookURL string `json:"webhook_url"`
	}
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&numbers))
	callbacks := map[string]string{}
	for _, number := range numbers {
		callbacks[number.ID] = number.WebhookURL
	}
	return callbacks
}
