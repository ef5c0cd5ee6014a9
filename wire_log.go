package main

import (
	"log/slog"
	"os"
	"regexp"
	"strings"
)

// setUpLog writes to standard error. What callers shouldn't have logged is taken out here once more.
func setUpLog() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{ReplaceAttr: redact})))
}

var (
	secretName = regexp.MustCompile(`(?i)(password|secret|token|authorization|cookie|apikey|api_key|encryption|phone|email|body)`)
	// A URL's password, a bearer token, and what looks like a phone number in international form.
	secretText = regexp.MustCompile(`(://[^/@\s:]*:)[^/@\s]+@|([Bb]earer )\S+|\+\d{8,15}\b`)
)

func redact(_ []string, attribute slog.Attr) slog.Attr {
	if secretName.MatchString(attribute.Key) {
		return slog.String(attribute.Key, "[redacted]")
	}
	text := attribute.Value.String()
	if attribute.Value.Kind() != slog.KindString && attribute.Value.Kind() != slog.KindAny || !mayHoldSecret(text) {
		return attribute
	}
	return slog.String(attribute.Key, secretText.ReplaceAllString(text, "${1}${2}[redacted]"))
}

func mayHoldSecret(text string) bool {
	return strings.ContainsAny(text, "@+") || strings.Contains(text, "earer ")
}
