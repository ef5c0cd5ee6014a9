package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"omnidesk/internal/channel"
	"omnidesk/internal/channel/meta"
	"omnidesk/internal/config"
)

// dialTemporal doesn't connect yet: a server must start and accept work while Temporal is away.
func dialTemporal(c config.Temporal) (client.Client, error) {
	options := client.Options{HostPort: c.Address, Namespace: c.Namespace, Logger: sdklog.NewStructuredLogger(slog.Default())}
	if c.APIKey != "" {
		options.Credentials = client.NewAPIKeyStaticCredentials(c.APIKey)
	}
	if c.TLS || c.APIKey != "" {
		options.ConnectionOptions.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	temporal, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("making a client for Temporal: %w", err)
	}
	return temporal, nil
}

// newAdapters lists the providers; nothing else in the program names one. A timeout of 0 is each adapter's own.
func newAdapters(c config.Sandbox, timeout time.Duration) (map[channel.Kind]channel.Adapter, error) {
	whatsapp, err := meta.New(meta.Options{SandboxURL: c.SandboxURL, Timeout: timeout})
	if err != nil {
		return nil, fmt.Errorf("setting up the WhatsApp Cloud API: %w", err)
	}
	return map[channel.Kind]channel.Adapter{channel.WhatsAppCloud: whatsapp}, nil
}
