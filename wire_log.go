package main

import (
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
)

// setUpLog writes to standard error. What callers shouldn't have logged is taken out here once more.
func setUpLog() { slog.SetDefault(slog.New(logTo(os.Stderr))) }

func logTo(w io.Writer) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: redact})
}

var (
	// What a key promises: secrets, and what people are called, have written or can be reached by.
	secretName = regexp.MustCompile(`(?i)(password|secret|token|authorization|cookie|apikey|api_key|encryption|phone|email|body|text|content)|^(name|to|msisdn|contact_name|person)$`)
	// A URL's password, a bearer or signed token, an address of mail, and what looks like a phone number in international form.
	secretText = regexp.MustCompile(`(://[^/@\s:]*:)[^/@\s]+@|([Bb]earer )\S+|\beyJ[\w-]+\.[\w-]+\.[\w-]+|[^\s@"<>:/]+@[^\s@"<>:/]+\.[A-Za-z]{2,}|\+\d[\d ().-]{6,20}\d`)
)

func redact(_ []string, attribute slog.Attr) slog.Attr {
	if secretName.MatchString(attribute.Key) {
		return slog.String(attribute.Key, "[redacted]")
	}
	if kind := attribute.Value.Kind(); kind != slog.KindString && kind != slog.KindAny {
		return attribute
	}
	text := attribute.Value.String()
	if !mayHoldSecret(text) {
		return attribute
	}
	return slog.String(attribute.Key, secretText.ReplaceAllString(text, "${1}${2}[redacted]"))
}

func mayHoldSecret(text string) bool {
	return strings.ContainsAny(text, "@+") || strings.Contains(text, "earer ") || strings.Contains(text, "eyJ")
}
