package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"omnidesk/internal/config"
)

type healthCommand struct {
	URL  string `name:"url" env:"OMNIDESK_HEALTH_URL" placeholder:"URL" help:"What to ask; /healthz of a server on this machine by default. For a worker name its OMNIDESK_METRICS_ADDRESS: http://127.0.0.1:9090/healthz."`
	Port int    `name:"port" env:"PORT" default:"8080" help:"Port of the server on this machine."`
}

// Run is for containers, which have no curl: it fails unless the process answers that it is well.
func (c *healthCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	url := c.URL
	if url == "" {
		url = "http://" + config.Address("127.0.0.1", c.Port) + "/healthz"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("reading OMNIDESK_HEALTH_URL: %w", err)
	}
	answer, err := (&http.Client{}).Do(request)
	if err != nil {
		return fmt.Errorf("asking whether the process is well: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the process answers %s", answer.Status)
	}
	return nil
}
