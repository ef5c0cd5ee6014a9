package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// paints has a browser visit each page of the demo company, five times with an empty cache and five times with a full one,
// on a program of its own, and prints how long each took to its first useful paint.
func paints(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "paint")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	into := filepath.Join(folder, "paints.json")
	command := exec.CommandContext(ctx, "npx", "playwright", "test", "--project=paint", "--reporter=line")
	command.Dir = "web"
	command.Env = append(os.Environ(), "OMNIDESK_PAINT_OUT="+into, "OMNIDESK_TEST_BINARY="+os.Getenv("OMNIDESK_BINARY"))
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("running the browser: %w", err)
	}
	raw, err := os.ReadFile(into) //nolint:gosec // a file of our own
	if err != nil {
		return fmt.Errorf("reading what the browser measured: %w", err)
	}
	var pages []struct {
		Page       string
		Cold, Warm []float64
	}
	if err := json.Unmarshal(raw, &pages); err != nil {
		return fmt.Errorf("reading what the browser measured: %w", err)
	}
	for _, p := range pages {
		figure("paint", p.Page+"_cold_p50_ms", median(p.Cold), "ms", len(p.Cold))
		figure("paint", p.Page+"_cold_max_ms", slices.Max(p.Cold), "ms", len(p.Cold))
		figure("paint", p.Page+"_warm_p50_ms", median(p.Warm), "ms", len(p.Warm))
		figure("paint", p.Page+"_warm_max_ms", slices.Max(p.Warm), "ms", len(p.Warm))
	}
	return nil
}
