package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"omnidesk/internal/config"
	"omnidesk/server"
)

// sandboxControl speaks to the sandbox's control API at its address.
type sandboxControl string

// newSandbox returns nil when there is no sandbox.
func newSandbox(c config.Sandbox) server.Sandbox {
	if c.SandboxURL == "" {
		return nil
	}
	return sandboxControl(c.SandboxURL)
}

// Register tells the sandbox of a number. It may be told again at any time.
func (c sandboxControl) Register(ctx context.Context, number server.SimulatedNumber) error {
	body, err := json.Marshal(map[string]string{
		"verified_name": number.Name, "display_phone_number": number.Display, "account_id": number.AccountID, "app_id": number.AppID,
		"app_secret": number.AppSecret, "webhook_url": number.Callback, "verify_token": number.VerifyToken,
	})
	if err != nil {
		return fmt.Errorf("describing a number: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, string(c)+"/sandbox/numbers/"+number.ID, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("asking the sandbox: %w", err)
	}
	client := &http.Client{Timeout: 10 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("asking the sandbox: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 500)) // the status alone would do
		return fmt.Errorf("the sandbox answered %s: %s", response.Status, said)
	}
	return nil
}
