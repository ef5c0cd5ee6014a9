package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"omnidesk/internal/account"
	"omnidesk/internal/channel/meta"
	"omnidesk/internal/config"
	"omnidesk/internal/flow"
	"omnidesk/internal/platform"
	"omnidesk/internal/postgres"
	"omnidesk/internal/secret"
	"omnidesk/internal/wake"
	"omnidesk/server"
	"omnidesk/web"
)

type serveCommand struct {
	config.Database
	config.Secrets
	config.Temporal
	config.Sandbox
	config.Metrics
	config.Lifetimes
	config.Mail
	config.Media
	SignUp         string         `name:"sign-up" env:"OMNIDESK_SIGN_UP" enum:"on,off,auto" default:"auto" help:"Whether strangers may make a company of their own: on, off, or auto, which is on with a sandbox alone."`
	IP             string         `name:"ip" env:"OMNIDESK_IP" default:"127.0.0.1" help:"Address to listen on; put a proxy that speaks TLS in front of any other than the loopback."`
	Port           int            `name:"port" env:"PORT" default:"8080" help:"Port to listen on."`
	PublicURL      string         `name:"public-url" env:"OMNIDESK_PUBLIC_URL" placeholder:"URL" help:"How browsers and providers reach this server, such as https://desk.example.com."`
	TemporalUI     string         `name:"temporal-ui-url" env:"OMNIDESK_TEMPORAL_UI_URL" placeholder:"URL" help:"A Temporal UI to show superadmins under /temporal."`
	Connections    int            `name:"database-connections" env:"OMNIDESK_DATABASE_CONNECTIONS" default:"20" help:"Connections to the database at most."`
	TrustedProxies []netip.Prefix `name:"trusted-proxies" env:"OMNIDESK_TRUSTED_PROXIES" placeholder:"CIDR" help:"Proxies whose word about the client's address is believed."`
	ProxyHeader    string         `name:"proxy-header" env:"OMNIDESK_PROXY_HEADER" default:"X-Forwarded-For" help:"The header in which they say it."`
}

// Run serves until it is asked to stop. Temporal need not answer: what is accepted waits.
func (c *serveCommand) Run(ctx context.Context) error {
	sealer, tokens, err := openSecrets(c.Secrets)
	if err != nil {
		return err
	}
	lives, err := lifetimes(c.Lifetimes)
	if err != nil {
		return err
	}
	mailer, err := newMailer(ctx, c.Mail, c.Sandbox)
	if err != nil {
		return err
	}
	if mailer == nil && c.SignUp == "on" {
		return errors.New("OMNIDESK_SIGN_UP is on, but no mail can be sent: set OMNIDESK_SES_REGION and OMNIDESK_MAIL_FROM")
	}
	db, err := openDatabase(ctx, c.Database, c.Connections)
	if err != nil {
		return err
	}
	defer db.Close()
	temporal, err := dialTemporal(c.Temporal)
	if err != nil {
		return err
	}
	defer temporal.Close()
	adapters, err := newAdapters(c.Sandbox, 0)
	if err != nil {
		return err
	}
	files, closeFiles, err := openMedia(ctx, c.Media)
	if err != nil {
		return err
	}
	defer closeFiles()
	workflows := flow.NewClient(temporal)
	relay := wake.NewRelay(db, workflows)
	address := config.Address(c.IP, c.Port)
	if c.PublicURL == "" {
		c.PublicURL = "http://" + address
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { relay.Run(ctx); return nil })
	group.Go(func() error { platform.Attend(ctx, db, "serve", version()); return nil })
	group.Go(func() error {
		return server.Run(ctx, server.Options{
			Addr: address, MetricsAddr: c.MetricsAddress, PublicURL: c.PublicURL, Version: version(), SandboxURL: c.SandboxURL, Sandbox: newSandbox(c.Sandbox),
			DB: db, Sealer: sealer, Tokens: tokens, Lifetimes: lives, CanMail: mailer != nil, Mailbox: mailbox(c.Mail, c.Sandbox), SignUp: c.SignUp == "on" || c.SignUp == "auto" && c.SandboxURL != "", Workflows: workflows, Relay: relay, Adapters: adapters,
			Meta:       server.Webhook{Verify: meta.VerifySignature, Challenge: meta.Challenge, Parse: meta.ParseWebhook},
			Media:      files,
			Web:        web.Handler(),
			TemporalUI: c.TemporalUI, TemporalNamespace: c.Namespace,
			TrustedProxies: c.TrustedProxies, ProxyHeader: c.ProxyHeader,
		})
	})
	return group.Wait()
}

func openDatabase(ctx context.Context, c config.Database, connections int) (*postgres.DB, error) {
	if err := c.Require(); err != nil {
		return nil, err
	}
	return postgres.Open(ctx, c.URL, postgres.Options{MaxConns: connections, DirectURL: c.DirectURL})
}

func openSecrets(c config.Secrets) (*secret.Sealer, *account.Tokens, error) {
	if err := c.Require(); err != nil {
		return nil, nil, err
	}
	sealer, err := secret.Open(c.EncryptionKey)
	if err != nil {
		return nil, nil, fmt.Errorf("ENCRYPTION_KEY: %w", err)
	}
	tokens, err := account.NewTokens(c.SessionKey)
	if err != nil {
		return nil, nil, fmt.Errorf("JWT_SECRET_KEY: %w", err)
	}
	return sealer, tokens, nil
}
