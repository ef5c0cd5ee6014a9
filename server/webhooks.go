package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/mutant"
	"omnidesk/internal/postgres"
)

const (
	webhookPath = "/api/webhooks/"
	metaPath    = webhookPath + "meta/"
	mostWebhook = 4 << 20 // Meta sends up to 3 MB
	longestSlug = 64
)

func (s *Server) webhookRoutes() {
	s.plain("webhookMeta", metaPath+":slug", s.metaChallenge, http.MethodGet)
	s.plain("webhookMeta", metaPath+":slug", s.metaPost, http.MethodPost)
}

// metaChallenge proves to Meta that the address is ours.
func (s *Server) metaChallenge(c *gin.Context) {
	route, found := s.routeOf(c)
	if !found {
		return
	}
	view, err := s.readConnection(c.Request.Context(), route.Company, route.Connection)
	if err != nil {
		s.writeProblem(c, s.problem(c.Request.Context(), "webhookMeta", err))
		return
	}
	answer, ok := s.Meta.Challenge(c.Request.URL.Query(), view.VerifyToken)
	if !ok {
		s.writeProblem(c, problemOf(http.StatusForbidden, "", "The verify token is not the connection's."))
		return
	}
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(answer))
}

// metaPost takes statuses and inbound messages. It answers 200 only after all of them are committed, 401 for
// a wrong signature with nothing stored, and 500 when it is worth sending again.
func (s *Server) metaPost(c *gin.Context) {
	ctx := c.Request.Context()
	route, found := s.routeOf(c)
	if !found {
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, mostWebhook))
	if err != nil {
		s.metrics.webhooks.WithLabelValues("meta", "unread").Inc()
		if p := translate(err); p != nil {
			s.writeProblem(c, p)
			return
		}
		s.writeProblem(c, problemOf(http.StatusBadRequest, "", "The body did not arrive whole."))
		return
	}
	signature := c.GetHeader("X-Hub-Signature-256")
	signed, err := s.signedBy(ctx, route, raw, signature)
	if err != nil {
		s.writeProblem(c, s.problem(ctx, "webhookMeta", err))
		return
	}
	if !signed {
		s.metrics.webhooks.WithLabelValues("meta", "wrong_signature").Inc()
		s.writeProblem(c, problemOf(http.StatusUnauthorized, "", "The signature is not that of the connection's app secret."))
		return
	}
	deliveries, err := s.Meta.Parse(raw)
	if err != nil {
		// Sent again it would read no better, so it is not an error for the provider.
		s.metrics.webhooks.WithLabelValues("meta", "unreadable").Inc()
		slog.Warn("a webhook can't be read in part", "connection", route.Connection, "error", err, "request", requestID(ctx))
	}
	if mutant.AcknowledgeBeforeInsert {
		time.AfterFunc(time.Second, func() { _ = s.take(context.WithoutCancel(ctx), route, deliveries, raw, signature) })
		c.JSON(http.StatusOK, gin.H{"status": "ok"})
		return
	}
	// gofail: var hookBeforeCommit struct{}
	if err := s.take(ctx, route, deliveries, raw, signature); err != nil {
		s.metrics.webhooks.WithLabelValues("meta", "failed").Inc()
		s.writeProblem(c, s.problem(ctx, "webhookMeta", err))
		return
	}
	// gofail: var hookAfterCommit struct{}
	s.metrics.webhooks.WithLabelValues("meta", "ok").Inc()
	c.JSON(http.StatusOK, gin.H{"status": "ok"})
}

func (s *Server) routeOf(c *gin.Context) (route connection.Route, found bool) {
	slug := c.Param("slug")
	if len(slug) > longestSlug || strings.ContainsRune(slug, 0) {
		s.writeProblem(c, notFound())
		return route, false
	}
	ctx := c.Request.Context()
	err := s.DB.InSystem(ctx, func(tx postgres.Tx) (err error) {
		route, err = connection.RouteBySlug(ctx, tx, slug)
		return err
	})
	if err != nil {
		s.writeProblem(c, s.problem(ctx, "webhookMeta", err))
		return route, false
	}
	return route, true
}

// signedBy tells whether the app secret of a route's connection, or the one it had until lately, signed the body.
func (s *Server) signedBy(ctx context.Context, route connection.Route, raw []byte, signature string) (signed bool, err error) {
	err = s.DB.InCompany(ctx, route.Company, func(tx postgres.Tx) error {
		secrets, err := s.connections.Secrets(ctx, tx, route.Company, route.Connection, s.now())
		signed = slices.ContainsFunc(secrets, func(secret string) bool { return s.Meta.Verify(secret, raw, signature) })
		return err
	})
	return signed, err
}

// take hands each delivery to the connections that it names. An app secret may serve many numbers and
// companies, so a good signature alone proves neither: the number must be a connection's whose own secret
// signed this body.
func (s *Server) take(ctx context.Context, route connection.Route, deliveries []channel.Delivery, raw []byte, signature string) error {
	trusted := map[string][]connection.Route{route.NumberID: {route}}
	var failures []error
	stored := 0
	for _, delivery := range deliveries {
		targets, known := trusted[delivery.NumberID]
		if !known {
			var err error
			if targets, err = s.trustedRoutes(ctx, delivery.NumberID, raw, signature); err != nil {
				failures = append(failures, err)
				continue
			}
			trusted[delivery.NumberID] = targets
		}
		if len(targets) == 0 {
			s.metrics.items.WithLabelValues("status", "foreign").Add(float64(len(delivery.Statuses)))
			s.metrics.items.WithLabelValues("inbound", "foreign").Add(float64(len(delivery.Inbound)))
			continue
		}
		for _, target := range targets {
			if err := s.statuses.apply(ctx, target, delivery); err != nil {
				failures = append(failures, err)
				continue
			}
			stored++
		}
	}
	return s.webhookFailure(ctx, failures, stored)
}

// webhookFailure decides what a provider is told. A database that was away is worth another try, and statuses
// may come twice. What fails for a reason of its own would fail for seven days: it is logged, unless nothing
// at all was stored.
func (s *Server) webhookFailure(ctx context.Context, failures []error, stored int) error {
	if len(failures) == 0 {
		return nil
	}
	err := errors.Join(failures...)
	if stored == 0 || postgres.IsTransient(err) {
		return fmt.Errorf("storing a webhook: %w", err)
	}
	s.metrics.items.WithLabelValues("delivery", "failed").Add(float64(len(failures)))
	slog.Error("a part of a webhook was not stored", "error", err, "request", requestID(ctx))
	return nil
}

func (s *Server) trustedRoutes(ctx context.Context, numberID string, raw []byte, signature string) ([]connection.Route, error) {
	var routes []connection.Route
	err := s.DB.InSystem(ctx, func(tx postgres.Tx) (err error) {
		routes, err = connection.RoutesByNumber(ctx, tx, numberID)
		return err
	})
	if err != nil {
		return nil, err
	}
	var trusted []connection.Route
	for _, route := range routes {
		signed, err := s.signedBy(ctx, route, raw, signature)
		if err != nil && !errors.Is(err, connection.ErrNotFound) {
			return nil, err
		}
		if signed {
			trusted = append(trusted, route)
		}
	}
	return trusted, nil
}
