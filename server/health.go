package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// readyTime bounds each part of the readiness check, so that the whole takes less than two seconds.
const readyTime = time.Second

type part struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

func (s *Server) healthRoutes() {
	s.plain("healthz", "/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) }, http.MethodGet, http.MethodHead)
	s.plain("readyz", "/readyz", s.readyz, http.MethodGet, http.MethodHead)
}

// readyz names what is down. Its details are sentences of ours: it is public, and an error may carry an address.
func (s *Server) readyz(c *gin.Context) {
	parts := []part{{Name: "database"}, {Name: "temporal"}, {Name: "worker"}}
	checks := []struct {
		ask  func(context.Context) error
		up   string
		down string
	}{
		{s.DB.Ping, "It answers.", "It does not answer: check that Postgres runs and DATABASE_URL leads to it."},
		{s.Workflows.Healthy, "It answers.", "It does not answer: work is accepted and waits. Check that the Temporal server runs."},
		{s.Workflows.WorkerSeen, "It asks for work.", "No worker asks for work: start omnidesk work."},
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyTime)
	defer cancel()
	var asking sync.WaitGroup
	for i, check := range checks {
		asking.Go(func() {
			parts[i].OK, parts[i].Detail = true, check.up
			if err := within(ctx, check.ask); err != nil {
				parts[i].OK, parts[i].Detail = false, check.down
			}
		})
	}
	asking.Wait()
	code, word := http.StatusOK, "ready"
	for _, p := range parts {
		if !p.OK {
			code, word = http.StatusServiceUnavailable, "not ready"
		}
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(code, gin.H{"status": word, "parts": parts})
}

// within gives up at the deadline even if ask does not heed it.
func within(ctx context.Context, ask func(context.Context) error) error {
	answer := make(chan error, 1)
	go func() { answer <- ask(ctx) }()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
