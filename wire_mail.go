package main

import (
	"context"
	"fmt"
	"log/slog"

	"omnidesk/internal/account"
	"omnidesk/internal/config"
	"omnidesk/internal/mail"
)

const sandboxFrom = "OmniDesk <desk@omnidesk.example>"

// newMailer returns Amazon SES where it is configured, else the sandbox's mailbox, else nil: then no mail is sent.
func newMailer(ctx context.Context, c config.Mail, box config.Sandbox) (mail.Mailer, error) {
	if err := c.Require(); err != nil {
		return nil, err
	}
	switch {
	case c.SESRegion != "":
		return mail.NewSES(ctx, mail.SESOptions{Region: c.SESRegion, From: c.From})
	case box.SandboxURL != "":
		return mail.NewSandbox(box.SandboxURL, sandboxFrom), nil
	}
	slog.Warn("no mail is configured: invitations, resets of passwords and sign-ups are refused; set OMNIDESK_SES_REGION and OMNIDESK_MAIL_FROM")
	return nil, nil
}

// mailbox is the page on which mail can be read that newMailer hands to the sandbox, or empty when it goes to people.
func mailbox(c config.Mail, box config.Sandbox) string {
	if c.SESRegion != "" || box.SandboxURL == "" {
		return ""
	}
	return box.SandboxURL + "/mailbox"
}

// lifetimes checks what an operator has set. What a command does not know stays as it is by default.
func lifetimes(c config.Lifetimes) (account.Lifetimes, error) {
	lives := account.DefaultLifetimes
	if c.Session != 0 {
		lives.Session, lives.Idle, lives.AdminSession, lives.AdminIdle = c.Session, c.SessionIdle, c.AdminSession, c.AdminIdle
	}
	lives.Verify, lives.Reset, lives.Invitation, lives.EmailChange = c.Verify, c.Reset, c.Invitation, c.EmailChange
	if err := lives.Check(); err != nil {
		return account.Lifetimes{}, fmt.Errorf("OMNIDESK_SESSION_LIFE and its like: %w", err)
	}
	return lives, nil
}
