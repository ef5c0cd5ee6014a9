package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"omnidesk/internal/id"
)

// apiVersion is that of the contract, not of the program.
const (
	apiPath    = "/api/v1"
	apiVersion = "1"
)

// build declares every route.
func (s *Server) build() error {
	gin.SetMode(gin.ReleaseMode)
	s.engine = gin.New()
	s.engine.HandleMethodNotAllowed = true
	s.engine.RedirectTrailingSlash = false
	s.engine.ContextWithFallback = true
	if err := s.engine.SetTrustedProxies(nil); err != nil {
		return fmt.Errorf("building the router: %w", err)
	}
	s.engine.Use(s.access, s.recovered)
	s.api = humagin.New(s.engine, apiConfig())
	s.api.UseMiddleware(s.authorise)
	s.authRoutes()
	s.sessionRoutes()
	s.signUpRoutes()
	s.peopleRoutes()
	s.departmentRoutes()
	s.roleRoutes()
	s.companyRoutes()
	s.platformRoutes()
	s.connectionRoutes()
	s.contactRoutes()
	s.segmentRoutes()
	s.importRoutes()
	s.campaignRoutes()
	s.conversationRoutes()
	s.deskRoutes()
	s.mediaRoutes()
	s.mergeRoutes()
	s.templateRoutes()
	s.apiClientRoutes()
	s.trialRoutes()
	s.messageRoutes()
	s.uncertainRoutes()
	s.eventRoutes()
	s.resultRoutes()
	s.liveRoutes()
	s.runRoutes()
	s.dashboardRoutes()
	s.demoRoutes()
	s.auditRoutes()
	s.noticeRoutes()
	s.healthRoutes()
	s.healthPageRoutes()
	s.restoreRoutes()
	s.docsRoutes()
	s.webhookRoutes()
	s.externalRoutes()
	s.realtimeRoutes()
	if err := s.temporalRoutes(); err != nil {
		return err
	}
	s.engine.NoRoute(s.fallback)
	s.engine.NoMethod(func(c *gin.Context) {
		s.writeProblem(c, problemOf(http.StatusMethodNotAllowed, "", "This address does not take "+knownMethod(c.Request.Method)+"."))
	})
	s.handler = s.outer(s.engine)
	return nil
}

func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "this method"
}

func apiConfig() huma.Config {
	config := huma.DefaultConfig("OmniDesk", apiVersion)
	config.CreateHooks = nil // no $schema in answers: they would not match what was asked for
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.Info.Description = "Campaigns, contacts and connections of one company. Sign in with POST /api/v1/auth/login; " +
		"the answer sets the cookie `__session`. Errors are RFC 9457 problems that name the unfit field."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: cookieName},
	}
	config.Formats = map[string]huma.Format{
		"application/json": {Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: strictJSON},
		"json":             {Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: strictJSON},
	}
	config.NoFormatFallback = false
	config.RejectUnknownQueryParameters = true
	return config
}

// authorise applies the table to an operation.
func (s *Server) authorise(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), serverKey{}, s)) // for resolvers
	if s.admit(c, ctx.Operation().OperationID) {
		s.watch(c, ctx)
		next(ctx)
	}
}

const deepest = 32

// strictJSON refuses what the schemas can't see: text that Postgres can't keep, and nesting that no request needs.
func strictJSON(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		if errors.As(err, &syntax) || errors.As(err, &kind) || errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		return errors.New("the body is not valid JSON")
	}
	if value, generic := into.(*any); generic {
		return walk(*value, "body", 0)
	}
	return nil
}

func walk(value any, path string, depth int) error {
	if depth > deepest {
		return errors.New("the body is nested too deeply")
	}
	switch v := value.(type) {
	case string:
		if strings.ContainsRune(v, 0) {
			return errors.New(path + " has a NUL character")
		}
	case []any:
		for i, item := range v {
			if err := walk(item, fmt.Sprintf("%s[%d]", path, i), depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, item := range v {
			if strings.ContainsRune(key, 0) {
				return errors.New(path + " has a NUL character in a name")
			}
			if err := walk(item, path+"."+key, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// op describes an operation of the JSON API.
func op(name, method, path, tag, summary string, change ...func(*huma.Operation)) huma.Operation {
	o := huma.Operation{OperationID: name, Method: method, Path: apiPath + path, Tags: []string{tag}, Summary: summary}
	if table[name].least > anyone {
		o.Security = []map[string][]string{{"session": {}}}
	}
	for _, c := range change {
		c(&o)
	}
	return o
}

func status(code int) func(*huma.Operation) {
	return func(o *huma.Operation) { o.DefaultStatus = code }
}

func body(most int64) func(*huma.Operation) {
	return func(o *huma.Operation) { o.MaxBodyBytes = most }
}

func describe(text string) func(*huma.Operation) {
	return func(o *huma.Operation) { o.Description = text }
}

// Out is an answer with a body.
type Out[T any] struct{ Body T }

func out[T any](value T) *Out[T] { return &Out[T]{Body: value} }

// PageQuery is a list's query. It is exported because huma reads only exported embedded structs.
type PageQuery struct {
	Cursor string `query:"cursor" maxLength:"64" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"200"`
}

// IDPath is the id in a path. It is read by hand, so that a malformed id is as unknown as a foreign one.
type IDPath struct {
	ID string `path:"id" doc:"UUID"`
}

func (p IDPath) read() (id.ID, error) {
	parsed, err := id.Parse(p.ID)
	if err != nil {
		return id.Nil, notFound()
	}
	return parsed, nil
}

// after reads the cursor: the id to go on from, or first for the first page.
func (q PageQuery) after(first id.ID) (id.ID, error) {
	if q.Cursor == "" {
		return first, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil || len(raw) != len(id.ID{}) {
		return id.Nil, newProblem(http.StatusUnprocessableEntity, "The request has an unfit field.",
			&huma.ErrorDetail{Location: "query.cursor", Message: "is not a next_cursor of this list"})
	}
	return id.ID(raw), nil
}

func cursorOf(last id.ID) string { return base64.RawURLEncoding.EncodeToString(last[:]) }

// Optional is a field of a PATCH that may be absent, null (remove it) or a value.
type Optional[T any] struct {
	Sent  bool
	Value *T
}

// UnmarshalJSON runs only for a field that was sent.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	o.Sent = true
	return json.Unmarshal(data, &o.Value)
}

// Schema is that of the value, or null.
func (o Optional[T]) Schema(registry huma.Registry) *huma.Schema {
	schema := *registry.Schema(reflect.TypeFor[T](), true, "")
	schema.Nullable = true
	return &schema
}

// idIn reads an id in a body; huma has checked its form.
func idIn(field, value string) (id.ID, error) {
	parsed, err := id.Parse(value)
	if err != nil {
		return id.Nil, unfit(field, "want a UUID")
	}
	return parsed, nil
}

func utc(at *time.Time) *time.Time {
	if at == nil || at.IsZero() {
		return nil
	}
	u := at.UTC()
	return &u
}
