package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

// What should never have been logged is taken out by the handler once more, by its key or by what it looks like.
func TestTheLogKeepsNoSecretsAndNoPeople(t *testing.T) {
	for name, attribute := range map[string]slog.Attr{
		"a password":             slog.String("password", "canary"),
		"a token in a header":    slog.String("Authorization", "canary"),
		"a text":                 slog.String("text", "canary"),
		"a body":                 slog.Any("body", []byte("canary")),
		"a name":                 slog.String("name", "canary"),
		"a phone by its key":     slog.String("phone", "canary"),
		"in a group":             slog.Group("contact", slog.String("name", "canary")),
		"a URL's password":       slog.String("url", "postgres://desk:canary@db.example:5432/desk"),
		"a bearer":               slog.Any("error", errors.New("refused: Bearer canary")),
		"a signed token":         slog.String("said", "cookie eyJcanary.eyJcanary.canary"),
		"a mail address":         slog.Any("error", fmt.Errorf("no such user: %s", "canary@canary.example")),
		"a phone in an error":    slog.Any("error", fmt.Errorf("sending to %s failed", "+5511977001122")),
		"a phone as people type": slog.String("said", "call +55 (11) 97700-1122 now"),
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			slog.New(logTo(&out)).Info("something happened", attribute)
			require.NotContains(t, out.String(), "canary")
			require.NotContains(t, out.String(), "1122")
			require.Contains(t, out.String(), "[redacted]")
		})
	}
}

func TestTheLogKeepsWhatHelps(t *testing.T) {
	var out bytes.Buffer
	slog.New(logTo(&out)).Info("claiming failed", "connection", "0197f2c4-7d5e-7a4b-9c3d-2f1e0d9c8b7a", "address", "127.0.0.1:8080", "version", "v1.2.0+3")
	for _, kept := range []string{"0197f2c4-7d5e-7a4b-9c3d-2f1e0d9c8b7a", "127.0.0.1:8080", "v1.2.0+3"} {
		require.Contains(t, out.String(), kept)
	}
}
