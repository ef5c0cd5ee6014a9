package llm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Class says what to do about an error.
type Class string

// The classes.
const (
	Retry   Class = "retry"   // the same call may succeed later, after RetryAfter at the earliest
	Refused Class = "refused" // the same call will be refused again
	Quota   Class = "quota"   // the key's money or quota is used up: a person must act
	Key     Class = "key"     // the key is wrong, expired, or may not do this: a person must act
	Gone    Class = "gone"    // there is no such model at this address: a person must act
	Unfit   Class = "unfit"   // an answer came and is of no use; another try is paid again
)

// Codes say what happened, in our words.
const (
	CodeUnreachable = "unreachable"
	CodeTimeout     = "timeout"
	CodeRate        = "rate_limit"
	CodeBusy        = "provider_error"
	CodeKey         = "key_refused"
	CodeForbidden   = "key_not_allowed"
	CodeQuota       = "quota_used_up"
	CodeModel       = "no_such_model"
	CodeBadRequest  = "request_refused"
	CodePromptLong  = "prompt_too_long"
	CodeDeclined    = "declined"
	CodeTooLong     = "answer_too_long"
	CodeCut         = "answer_cut"
	CodeEmpty       = "answer_empty"
	CodeGarbled     = "answer_garbled"
	CodeNotJSON     = "answer_not_json"
	CodeBadCall     = "tool_unknown"
	CodePrivate     = "private_address"
)

var words = map[string]string{
	CodeUnreachable: "The provider could not be reached.",
	CodeTimeout:     "The provider did not answer in time.",
	CodeRate:        "The provider takes no more requests of this key for the moment.",
	CodeBusy:        "The provider has trouble of its own.",
	CodeKey:         "The provider does not know this key. Copy it again, or make a new one there.",
	CodeForbidden:   "The provider does not let this key do that. Give it the right at the provider, or use another key.",
	CodeQuota:       "The money or quota of this key is used up. Add some at the provider.",
	CodeModel:       "There is no such model at this address, or this key may not use it. Choose another model.",
	CodeBadRequest:  "The provider did not understand the request.",
	CodePromptLong:  "The text given to the model is too long for it.",
	CodeDeclined:    "The model declined to answer.",
	CodeTooLong:     "The answer was too long.",
	CodeCut:         "The answer broke off.",
	CodeEmpty:       "The answer was empty.",
	CodeGarbled:     "The answer could not be read.",
	CodeNotJSON:     "The answer was not in the form that was asked for.",
	CodeBadCall:     "The model called a tool that it was not given, or with arguments that could not be read.",
	CodePrivate:     "This address leads into a private network. The operator can allow that.",
}

// Error is what went wrong. It repeats nothing that a provider said: that may hold the prompt or part of the key.
type Error struct {
	Class      Class
	Code       string
	Status     int           // of HTTP; 0 when no answer came
	RetryAfter time.Duration // the provider's wish; 0: none
	Usage      Usage         // what was spent all the same
}

// Error names class, code and status.
func (e *Error) Error() string {
	return fmt.Sprintf("asking a model: %s (%s, HTTP %d)", e.Code, e.Class, e.Status)
}

// Explain says it to a person, and what to do.
func (e *Error) Explain() string { return words[e.Code] }

// mostWait bounds what a provider may make us wait.
const mostWait = time.Hour

// complaint is the body of an error, as OpenAI, Google and those like them write it.
type complaint struct {
	Error struct {
		Code    any    `json:"code"`
		Type    string `json:"type"`
		Status  string `json:"status"`
		Details []struct {
			Reason     string `json:"reason"`
			RetryDelay string `json:"retryDelay"`
			Violations []struct {
				QuotaID string `json:"quotaId"`
			} `json:"violations"`
		} `json:"details"`
	} `json:"error"`
}

// has tells whether a complaint names one of these words.
func (c complaint) has(any ...string) bool {
	code, _ := c.Error.Code.(string)
	said := []string{code, c.Error.Type, c.Error.Status}
	for _, detail := range c.Error.Details {
		said = append(said, detail.Reason)
		for _, violation := range detail.Violations {
			said = append(said, violation.QuotaID)
		}
	}
	all := strings.ToLower(strings.Join(said, " "))
	for _, word := range any {
		if strings.Contains(all, word) {
			return true
		}
	}
	return false
}

// classify makes an error of an answer that is no success.
func classify(status int, header http.Header, body []byte, now time.Time) *Error {
	var said complaint
	_ = json.Unmarshal(body, &said) // a proxy's page says nothing, and the status alone will do
	e := &Error{Status: status, RetryAfter: retryAfter(header, said, now)}
	switch {
	case status == http.StatusUnauthorized, said.has("api_key_invalid", "invalid_api_key"):
		e.Class, e.Code = Key, CodeKey
	case status == http.StatusForbidden:
		e.Class, e.Code = Key, CodeForbidden
	case status == http.StatusPaymentRequired, said.has("insufficient_quota", "billing", "perday"):
		e.Class, e.Code = Quota, CodeQuota
	case status == http.StatusTooManyRequests:
		e.Class, e.Code = Retry, CodeRate
	case status == http.StatusNotFound:
		e.Class, e.Code = Gone, CodeModel
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		e.Class, e.Code = Retry, CodeTimeout
	case status >= 500, status == http.StatusConflict, status == http.StatusTooEarly:
		e.Class, e.Code = Retry, CodeBusy
	case status == http.StatusRequestEntityTooLarge, said.has("context_length"):
		e.Class, e.Code = Refused, CodePromptLong
	case said.has("content_filter", "content_policy"):
		e.Class, e.Code = Refused, CodeDeclined
	default:
		e.Class, e.Code = Refused, CodeBadRequest
	}
	return e
}

// retryAfter reads seconds, an instant, or Google's detail. What can't be read is no wish.
func retryAfter(header http.Header, said complaint, now time.Time) time.Duration {
	wait := time.Duration(0)
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 {
		wait = time.Duration(min(seconds, mostWait.Seconds()) * float64(time.Second))
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	for _, detail := range said.Error.Details {
		if delay, err := time.ParseDuration(detail.RetryDelay); err == nil {
			wait = max(wait, delay)
		}
	}
	return min(max(wait, 0), mostWait)
}
