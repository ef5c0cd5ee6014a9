package graph

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// apiError is one of Graph's refusals.
type apiError struct {
	status     int
	code       int
	subcode    int
	message    string
	details    string
	retryAfter int // seconds; 0 leaves the header out
}

// statusOf is the HTTP status that Meta documents for a code; every other code is a 400.
var statusOf = map[int]int{
	0: 401, 190: 401, 3: 403, 10: 403, 200: 403, 368: 403, 131005: 403, 131031: 403, 131042: 403,
	4: 429, 17: 429, 613: 429, 80007: 429, 130429: 429, 131048: 429, 131056: 429,
	2: 503, 131057: 503, 131000: 500, 131016: 503, 132001: 404, 132005: 400,
}

// titles are the provider's words for codes that a fault may ask for.
var titles = map[int]string{
	4: "Application request limit reached", 80007: "Rate limit issues", 130429: "Rate limit hit",
	131000: "Something went wrong", 131016: "Service unavailable", 131026: "Message undeliverable",
	131031: "Business Account locked", 131047: "Re-engagement message", 131048: "Spam rate limit hit",
	131049: "This message was not delivered to maintain healthy ecosystem engagement.",
	131056: "Pair rate limit hit", 131057: "Account in maintenance mode", 132015: "Template is Paused",
	132016: "Template is Disabled", 190: "Access token has expired", 368: "Temporarily blocked for policies violations",
}

func titleOf(code int) string {
	if title, ok := titles[code]; ok {
		return title
	}
	return "Sandbox fault"
}

// coded returns the refusal for a code, with Meta's status for it.
func coded(code int, details string) *apiError {
	status := statusOf[code]
	if status == 0 {
		status = http.StatusBadRequest
	}
	return &apiError{status: status, code: code, message: fmt.Sprintf("(#%d) %s", code, titleOf(code)), details: details}
}

func invalid(code int, message, details string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: code, message: fmt.Sprintf("(#%d) %s", code, message), details: details}
}

func unknownObject(method, object string) *apiError {
	return &apiError{
		status: http.StatusBadRequest, code: 100, subcode: 33,
		message: fmt.Sprintf("Unsupported %s request. Object with ID '%s' does not exist, cannot be loaded due to missing permissions, or does not support this operation.",
			strings.ToLower(method), object),
	}
}

// fail writes an error envelope.
func fail(w http.ResponseWriter, e *apiError) {
	type errorData struct {
		Product string `json:"messaging_product"`
		Details string `json:"details"`
	}
	var envelope struct {
		Error struct {
			Message   string     `json:"message"`
			Type      string     `json:"type"`
			Code      int        `json:"code"`
			Subcode   int        `json:"error_subcode,omitempty"`
			Data      *errorData `json:"error_data,omitempty"`
			Transient bool       `json:"is_transient,omitempty"`
			Trace     string     `json:"fbtrace_id"`
		} `json:"error"`
	}
	out := &envelope.Error
	out.Message, out.Type, out.Code, out.Subcode = e.message, "OAuthException", e.code, e.subcode
	if e.code == 100 && e.subcode == 33 {
		out.Type = "GraphMethodException"
	}
	if e.details != "" {
		out.Data = &errorData{"whatsapp", e.details}
	}
	out.Transient = e.status >= 500
	out.Trace = traceID()
	w.Header().Set("X-Fb-Trace-Id", out.Trace)
	w.Header().Set("Www-Authenticate", fmt.Sprintf(`OAuth "Facebook Platform" "invalid_request" %q`, titleOf(e.code)))
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	answer(w, e.status, envelope)
}

func traceID() string {
	var raw [16]byte
	rand.Read(raw[:]) //nolint:errcheck // crypto/rand.Read never fails
	return "A" + base64.RawURLEncoding.EncodeToString(raw[:])
}

// answer writes a value as JSON.
func answer(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "encoding the answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the client is gone
}
