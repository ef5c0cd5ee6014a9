package llm

import (
	"encoding/json"
	"errors"
	"strings"
)

// Rule says what is answered instead of the usual. Of several fields the first in this order counts.
type Rule struct {
	Match Match `json:"match"`
	Times int   `json:"times,omitempty"` // how often it applies; 0 is always

	LatencyMS   int    `json:"latency_ms,omitempty"`    // wait this much longer first
	Hang        bool   `json:"hang,omitempty"`          // never answer
	HTTPStatus  int    `json:"http_status,omitempty"`   // answer with this status
	Code        string `json:"code,omitempty"`          // and the provider's word, such as insufficient_quota or RESOURCE_EXHAUSTED
	RetryAfterS int    `json:"retry_after_s,omitempty"` // and this Retry-After
	Garbage     bool   `json:"garbage,omitempty"`       // answer 200 with what is no JSON

	Refuse    bool            `json:"refuse,omitempty"`    // the model declines to answer
	Empty     bool            `json:"empty,omitempty"`     // the model answers nothing
	Bytes     int             `json:"bytes,omitempty"`     // a text of this length
	Tool      string          `json:"tool,omitempty"`      // call this tool, whether or not it was offered
	Arguments json.RawMessage `json:"arguments,omitempty"` // with these arguments
	Text      string          `json:"text,omitempty"`      // answer this; {{prompt}} stands for the last message
	Stop      string          `json:"stop,omitempty"`      // "length": as if the tokens had run out
	CutStream bool            `json:"cut_stream,omitempty"`
}

// Match says which calls a rule meets; empty fields match all.
type Match struct {
	Model    string `json:"model,omitempty"`
	Contains string `json:"contains,omitempty"` // anywhere in the prompt, in any case
}

func (m Match) meets(model, text string) bool {
	return (m.Model == "" || m.Model == model) &&
		(m.Contains == "" || strings.Contains(strings.ToLower(text), strings.ToLower(m.Contains)))
}

func (r Rule) validate() error {
	switch {
	case r.Times < 0 || r.LatencyMS < 0 || r.RetryAfterS < 0:
		return errors.New("times, latency_ms and retry_after_s can't be negative")
	case r.HTTPStatus != 0 && (r.HTTPStatus < 400 || r.HTTPStatus > 599):
		return errors.New("http_status must be from 400 to 599")
	case r.HTTPStatus == 0 && (r.Code != "" || r.RetryAfterS != 0):
		return errors.New("code and retry_after_s need an http_status")
	case r.Bytes < 0 || r.Bytes > 4<<20:
		return errors.New("bytes must be from 0 to 4194304")
	case r.Stop != "" && r.Stop != "length":
		return errors.New(`stop must be "length", or left out`)
	case len(r.Arguments) > 0 && r.Tool == "":
		return errors.New("arguments need a tool")
	}
	return nil
}
