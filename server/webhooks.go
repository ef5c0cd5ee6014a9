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
	"omnidesk/internal/id"
	"omnidesk/internal/mutant"
	"omnidesk/internal/postgres"
	"omnidesk/internal/webhook"
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

// metaPost takes what Meta says. It answers 200 only after all of it is committed, at least as events that can be read
// again, 401 for a wrong signature with nothing stored, and 500 when it is worth sending again.
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
	events := s.Meta.Parse(raw)
	if mutant.AcknowledgeBeforeInsert {
		time.AfterFunc(time.Second, func() { _ = s.take(context.WithoutCancel(ctx), route, events, raw, signature) })
		c.JSON(http.StatusOK, gin.H{"status": "ok"})
		return
	}
	// gofail: var hookBeforeCommit struct{}
	if err := s.take(ctx, route, events, raw, signature); err != nil {
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
	route, err := s.routeBySlug(ctx, slug)
	if err != nil {
		s.writeProblem(c, s.problem(ctx, "webhookMeta", err))
		return route, false
	}
	return route, true
}

// signedBy tells whether the app secret of a route's connection, or the one it had until lately, signed the body.
func (s *Server) signedBy(ctx context.Context, route connection.Route, raw []byte, signature string) (signed bool, err error) {
	fits := func(secret string) bool { return s.Meta.Verify(secret, raw, signature) }
	now := s.now()
	secrets, known := s.secrets.get(route.Connection, now)
	if known && slices.ContainsFunc(secrets, fits) {
		return true, nil
	}
	err = s.DB.InCompany(ctx, route.Company, func(tx postgres.Tx) (err error) {
		secrets, err = s.connections.Secrets(ctx, tx, route.Company, route.Connection, now)
		return err
	})
	if err != nil {
		return false, err
	}
	s.secrets.keep(route.Connection, secrets, now)
	return slices.ContainsFunc(secrets, fits), nil
}

// post is what one webhook says about one connection.
type post struct {
	route  connection.Route
	events []webhook.Event
	done   chan error // takes one error when the events are committed or have failed
}

// take hands each event to the connections that it names. It returns when all are committed, as one commit for each
// connection at least.
func (s *Server) take(ctx context.Context, route connection.Route, events []channel.Event, raw []byte, signature string) error {
	posts, err := s.sort(ctx, route, events, raw, signature)
	if err != nil {
		return fmt.Errorf("storing a webhook: %w", err)
	}
	for _, p := range posts {
		s.statuses.add(p)
	}
	var failures []error
	for _, p := range posts {
		select {
		case err := <-p.done:
			failures = append(failures, err)
		case <-ctx.Done():
			return ctx.Err() // it may still be committed; the provider sends it again and that changes nothing
		}
	}
	return s.webhookFailure(ctx, failures)
}

// sort puts events together by connection, sealed. An event that names nobody's connection is parked with the one whose
// address it came to, and so is one that does not tell whom it is about.
func (s *Server) sort(ctx context.Context, route connection.Route, events []channel.Event, raw []byte, signature string) ([]*post, error) {
	trust := trust{Server: s, raw: raw, signature: signature, known: map[string][]connection.Route{"number " + route.NumberID: {route}}}
	var posts []*post
	byConnection := map[id.ID]*post{}
	for _, event := range events {
		targets, err := trust.targets(ctx, event)
		if err != nil {
			return nil, err
		}
		stray := len(targets) == 0
		if stray || event.Problem != "" && event.NumberID == "" {
			stray = stray || !slices.Contains(targets, route)
			targets = []connection.Route{route}
		}
		for _, target := range targets {
			sealed, err := s.events.Seal(target.Company, event)
			if err != nil {
				return nil, err
			}
			if stray {
				sealed.Stray, sealed.Reason = true, strayReason(event)
			}
			p := byConnection[target.Connection]
			if p == nil {
				p = &post{route: target, done: make(chan error, 1)}
				byConnection[target.Connection] = p
				posts = append(posts, p)
			}
			p.events = append(p.events, sealed)
		}
	}
	return posts, nil
}

func strayReason(event channel.Event) string {
	switch {
	case event.Problem != "":
		return event.Problem
	case event.NumberID != "":
		return "no connection with this app secret has the number"
	}
	return "no connection with this app secret has the account"
}

// webhookFailure decides what a provider is told. A database that was away is worth another try, and everything may come
// twice. What fails for a reason of its own is parked, so what is left here would fail for seven days: it is logged, unless
// nothing at all was stored.
func (s *Server) webhookFailure(ctx context.Context, failures []error) error {
	err := errors.Join(failures...)
	if err == nil {
		return nil
	}
	if !slices.Contains(failures, nil) || postgres.IsTransient(err) {
		return fmt.Errorf("storing a webhook: %w", err)
	}
	s.metrics.items.WithLabelValues("delivery", "failed").Inc()
	slog.Error("a part of a webhook was not stored", "error", err, "request", requestID(ctx))
	return nil
}

// trust finds the connections that the events of one body are for. An app secret may serve many numbers and companies, so
// a good signature alone proves neither: a number or an account must be a connection's whose own secret signed this body.
type trust struct {
	*Server
	raw       []byte
	signature string
	known     map[string][]connection.Route
}

func (t *trust) targets(ctx context.Context, event channel.Event) ([]connection.Route, error) {
	key, find := "number "+event.NumberID, connection.RoutesByNumber
	name := event.NumberID
	if name == "" {
		key, find, name = "account "+event.AccountID, connection.RoutesByAccount, event.AccountID
	}
	if name == "" {
		return nil, nil
	}
	if known, asked := t.known[key]; asked {
		return known, nil
	}
	var routes []connection.Route
	err := t.DB.InSystem(ctx, func(tx postgres.Tx) (err error) {
		routes, err = find(ctx, tx, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	var trusted []connection.Route
	for _, route := range routes {
		signed, err := t.signedBy(ctx, route, t.raw, t.signature)
		if err != nil && postgres.IsTransient(err) {
			return nil, err
		}
		if signed && err == nil { // a connection whose secret does not open, or that is gone, has signed nothing
			trusted = append(trusted, route)
		}
	}
	t.known[key] = trusted
	return trusted, nil
}
