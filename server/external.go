package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"omnidesk/internal/apiclient"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

const (
	externalPath = "/api/external"
	mostExternal = 256 << 10 // bytes of a body
)

// signedHeaders decide who calls and what is signed: a second one of any could be read differently by a proxy.
var signedHeaders = []string{"Authorization", "X-M1-Timestamp", "X-M1-Nonce", "X-Request-Id", "Idempotency-Key", "Content-Type", "Content-Encoding", "Content-Length"}

// signedCall is a call whose client is known.
type signedCall struct {
	client apiclient.Client
	call   apiclient.Call
}

type signedKey struct{}

// signer returns the call of a context behind signed.
func signer(ctx context.Context) signedCall {
	call, _ := ctx.Value(signedKey{}).(signedCall)
	return call
}

// externalRoutes declares the API for other systems. It has a document of its own, and no session opens it.
func (s *Server) externalRoutes() {
	config := apiConfig()
	config.Info = &huma.Info{Title: "OmniDesk for other systems", Version: apiVersion, Description: externalDescription}
	config.Components = &huma.Components{Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
		SecuritySchemes: map[string]*huma.SecurityScheme{"signature": {Type: "apiKey", In: "header", Name: "Authorization"}}}
	s.external = humagin.New(s.engine, config)
	s.external.UseMiddleware(s.signed)
	s.externalMessageRoutes()
	s.plain("externalOpenapi", externalPath+"/openapi.json", func(c *gin.Context) {
		c.JSON(http.StatusOK, s.external.OpenAPI())
	}, http.MethodGet)
}

const externalDescription = "Each call is signed: `Authorization: M1-HMAC-SHA256 KeyId=…, Signature=…` with the headers `X-M1-Timestamp` (seconds since 1970, at most " +
	"5 minutes from now), `X-M1-Nonce` (16 to 64 of A-Z a-z 0-9 _ -, never used before) and, where something is sent, `Idempotency-Key` or `X-Request-Id` (a UUID). " +
	"The signature is the lower-case hex HMAC-SHA256, under the 32 bytes of the secret (base64url after `msk_`), of eleven lines joined by line feeds: M1-HMAC-SHA256, key id, timestamp, nonce, method, " +
	"host, path, query, content type, request id, lower-case hex SHA-256 of the body; what a call does not have is an empty line. Whoever tries again signs again, with the same request id: " +
	"the message is queued once. Errors are RFC 9457 problems; every failure to tell who calls is the same 401."

// signedOp registers an operation of the external API under the table.
func signedOp[In, Out any](s *Server, o huma.Operation, handle func(context.Context, *In) (*Out, error)) {
	o.Path, o.Security, o.MaxBodyBytes = externalPath+"/v1"+o.Path, []map[string][]string{{"signature": {}}}, mostExternal
	s.routes[o.Method+" "+strings.NewReplacer("{", ":", "}", "").Replace(o.Path)] = o.OperationID
	huma.Register(s.external, o, func(ctx context.Context, in *In) (*Out, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, o.OperationID, err)
		}
		return out, nil
	})
}

// isExternal tells whether a request is meant for the external API, however its path is written.
func isExternal(r *http.Request) bool {
	return strings.HasPrefix(path.Clean("/"+r.URL.Path)+"/", externalPath+"/")
}

// oddTarget tells whether a request line can be read in two ways: by us, and by a proxy before us or whoever signed it.
func oddTarget(r *http.Request) bool {
	raw, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(raw, "/") || strings.Contains(raw, "//") || strings.Contains(raw, "\\") {
		return true
	}
	for segment := range strings.SplitSeq(raw, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == "." || plain == ".." || strings.ContainsAny(plain, "/\\\x00") {
			return true
		}
	}
	return false
}

// serveExternal is the side of other systems: no cookie counts, and a request line has one meaning.
func (s *Server) serveExternal(w http.ResponseWriter, r *http.Request, inner http.Handler) {
	r.Header.Del("Cookie")
	if oddTarget(r) {
		p := problemOf(http.StatusBadRequest, "odd-path", "The path has an empty or dotted part, or an encoded slash, backslash or NUL. Send it as the document has it.")
		p.Instance = instance(r.Context())
		writeProblem(w, p)
		return
	}
	inner.ServeHTTP(w, r)
}

// signed lets a call through whose client is known, may do it, and has not used up its minute.
func (s *Server) signed(ctx huma.Context, next func(huma.Context)) {
	c, name := humagin.Unwrap(ctx), ctx.Operation().OperationID
	scope := table[name].signed
	if scope == "" {
		s.writeProblem(c, notFound())
		return
	}
	call, err := s.authenticate(c)
	if err == nil && !call.client.May(scope) {
		err = problemOf(http.StatusForbidden, "scope", "This client may not do this: an admin has not given it the scope "+string(scope)+".")
	}
	if err != nil {
		s.refuse(c, name, err)
		return
	}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), signedKey{}, call))
	next(ctx)
}

// refuse answers a call that was not let in. Why nobody is behind it only the log says.
func (s *Server) refuse(c *gin.Context, name string, err error) {
	var refused apiclient.RefusedError
	if errors.As(err, &refused) {
		slog.Info("an API call was refused", "reason", refused.Reason, "request", requestID(c.Request.Context()))
		c.Header("WWW-Authenticate", "M1-HMAC-SHA256")
		s.writeProblem(c, problemOf(http.StatusUnauthorized, "signature", "It could not be told that a client of ours made this call, here and just now. "+
			"See that the key id, the secret, the clock, the address and a fresh nonce are right, and that what is signed is what is sent."))
		return
	}
	s.writeProblem(c, s.problem(c.Request.Context(), name, err))
}

// authenticate reads a call whole, tells who signed it and counts it.
func (s *Server) authenticate(c *gin.Context) (signedCall, error) {
	call, signature, err := s.readCall(c)
	if err != nil {
		return signedCall{}, err
	}
	company, wanted, ok := apiclient.ParseKeyID(call.KeyID)
	if !ok {
		return signedCall{}, apiclient.RefusedError{Reason: "the key id is none of ours"}
	}
	var client apiclient.Client
	var left apiclient.Allowance
	err = s.DB.InCompany(c.Request.Context(), company, func(tx postgres.Tx) (err error) {
		if client, err = s.clients.Authenticate(c.Request.Context(), tx, company, wanted, call, signature, s.clientIP(c.Request), s.now()); err != nil {
			return err
		}
		left, err = apiclient.LetIn(c.Request.Context(), tx, client, call.Nonce)
		return err
	})
	if err != nil {
		return signedCall{}, err
	}
	seconds := strconv.Itoa(int(left.Reset.Seconds()))
	c.Header("X-RateLimit-Limit", strconv.Itoa(left.Limit))
	c.Header("X-RateLimit-Remaining", strconv.Itoa(left.Remaining))
	c.Header("X-RateLimit-Reset", seconds)
	if left.Refused {
		c.Header("Retry-After", seconds)
		return signedCall{}, problemOf(http.StatusTooManyRequests, "rate-limit", fmt.Sprintf("This client may call %d times within a minute. Wait for %s s; nothing was queued.", left.Limit, seconds))
	}
	return signedCall{client, call}, nil
}

// readCall takes from a request what its signature covers, and leaves the body to be read once more.
func (s *Server) readCall(c *gin.Context) (call apiclient.Call, signature string, err error) {
	r := c.Request
	raw, err := io.ReadAll(http.MaxBytesReader(c.Writer, r.Body, mostExternal))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return call, "", problemOf(http.StatusRequestEntityTooLarge, "", fmt.Sprintf("A body may have at most %d KiB.", mostExternal>>10))
		}
		return call, "", problemOf(http.StatusBadRequest, "", "The body did not arrive whole.")
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	for _, name := range signedHeaders {
		if len(r.Header.Values(name)) > 1 {
			return call, "", problemOf(http.StatusBadRequest, "repeated-header", "The header "+name+" came more than once. Send it once.")
		}
	}
	if r.Header.Get("Content-Encoding") != "" {
		return call, "", problemOf(http.StatusUnsupportedMediaType, "", "A signed body is not compressed. Send it as it is, without Content-Encoding.")
	}
	request, key := r.Header.Get("X-Request-Id"), r.Header.Get("Idempotency-Key")
	if request != "" && key != "" && request != key {
		return call, "", problemOf(http.StatusBadRequest, "two-keys", "X-Request-Id and Idempotency-Key differ. Send one of them, or the same in both.")
	}
	if request == "" {
		request = key
	}
	path, query, _ := strings.Cut(r.RequestURI, "?")
	keyID, signature, ok := apiclient.ParseAuthorization(r.Header.Get("Authorization"))
	call = apiclient.Call{KeyID: keyID, Timestamp: r.Header.Get("X-M1-Timestamp"), Nonce: r.Header.Get("X-M1-Nonce"), Method: r.Method, Host: s.publicHost(),
		Path: path, Query: query, ContentType: r.Header.Get("Content-Type"), RequestID: request, Body: raw}
	if !ok || !call.Wellformed() {
		return call, "", apiclient.RefusedError{Reason: "a header of the signature is missing or has another form"}
	}
	return call, signature, nil
}

// publicHost is the host that clients sign, as it was configured: what a request says of its host proves nothing.
func (s *Server) publicHost() string {
	public, err := url.Parse(s.PublicURL)
	if err != nil {
		return "" // New has refused it
	}
	return strings.ToLower(public.Host)
}

// keyOf reads the key that a client must send with whatever it does not want done twice.
func keyOf(call apiclient.Call) (id.ID, error) {
	key, err := id.Parse(call.RequestID)
	if err != nil || len(call.RequestID) != len(key.String()) {
		return id.Nil, problemOf(http.StatusBadRequest, "no-key", "Send an Idempotency-Key (or X-Request-Id) that is a UUID, and the same one when you try again.")
	}
	return key, nil
}
