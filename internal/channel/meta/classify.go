package meta

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"omnidesk/internal/channel"
)

// maxWait bounds how long an answer can make us wait.
const maxWait = 72 * time.Hour

// graphError is the error envelope's content. Its message is never shown: it may hold numbers.
type graphError struct {
	Code      int  `json:"code"`
	Subcode   int  `json:"error_subcode"`
	Transient bool `json:"is_transient"`
}

// readError returns the error in an answer, or nil when the answer is no error envelope.
func readError(body []byte) *graphError {
	var envelope struct {
		Error *graphError `json:"error"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return nil
	}
	return envelope.Error
}

// classify judges an answer other than 200. The code decides when the list has it; otherwise the HTTP status
// does, and whatever is not an explicit refusal stays unknown.
func classify(status int, header http.Header, body []byte, now time.Time) channel.Outcome {
	failure := readError(body)
	if failure == nil {
		return classifyStatus(status, header, now)
	}
	found, listed := verdictOf(failure.Code, failure.Subcode)
	switch {
	case listed:
		outcome := channel.Outcome{Class: found.class, Scope: found.scope, Suspect: found.suspect, Code: failure.Code, Detail: found.words()}
		if found.class == channel.NotAccepted {
			outcome.RetryAfter = waitFor(header, now, found.wait)
		}
		return outcome
	case status != http.StatusTooManyRequests && failure.Transient:
		return channel.Outcome{Class: channel.Unknown, Code: failure.Code, Detail: describe(failure.Code)}
	default:
		outcome := classifyStatus(status, header, now)
		outcome.Code = failure.Code
		if outcome.Class == channel.Refused {
			outcome.Detail = fmt.Sprintf("Meta refused the message with error %d.", failure.Code)
		}
		return outcome
	}
}

// classifyStatus judges an answer by its HTTP status alone.
func classifyStatus(status int, header http.Header, now time.Time) channel.Outcome {
	switch {
	case status == http.StatusTooManyRequests:
		return channel.Outcome{
			Class: channel.NotAccepted, Scope: channel.ScopeConnection, RetryAfter: waitFor(header, now, time.Minute),
			Detail: "Meta asks to slow down; sending goes on when Meta allows it.",
		}
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired:
		return channel.Outcome{
			Class: channel.Refused, Scope: channel.ScopeConnection,
			Detail: fmt.Sprintf("Meta refused access (HTTP %d): check the token and its permissions.", status),
		}
	case status >= 400 && status < 500 && status != http.StatusRequestTimeout:
		return channel.Outcome{Class: channel.Refused, Detail: fmt.Sprintf("Meta refused the message (HTTP %d).", status)}
	default:
		return unknown(fmt.Sprintf("Meta answered HTTP %d without saying whether it took the message.", status))
	}
}

// waitFor reads how long Meta asks to wait: Retry-After, else the longest time to regain access, else the
// code's own.
func waitFor(header http.Header, now time.Time, otherwise time.Duration) time.Duration {
	if wait := retryAfter(header.Get("Retry-After"), now); wait > 0 {
		return min(wait, maxWait)
	}
	var usage map[string][]struct {
		Minutes float64 `json:"estimated_time_to_regain_access"`
	}
	if json.Unmarshal([]byte(header.Get("X-Business-Use-Case-Usage")), &usage) != nil {
		return otherwise
	}
	longest := 0.0
	for _, uses := range usage {
		for _, use := range uses {
			longest = max(longest, use.Minutes)
		}
	}
	if longest <= 0 {
		return otherwise
	}
	return time.Duration(min(longest, maxWait.Minutes()) * float64(time.Minute))
}

// retryAfter reads a Retry-After header, seconds or a date; 0 means that it says nothing usable.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return at.Sub(now)
	}
	return 0
}
