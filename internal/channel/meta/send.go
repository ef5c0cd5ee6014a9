package meta

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"omnidesk/internal/channel"
)

// maxAnswer bounds what is read of an answer, in bytes. Meta's are a few hundred.
const maxAnswer = 64 << 10

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// sender puts messages of one account on the wire.
type sender struct {
	adapter *Adapter
	request *http.Request // without context and body; copied for each send
}

// Send posts one message, once.
func (s *sender) Send(ctx context.Context, out channel.Outgoing) channel.Outcome {
	body, unsendable := encodeMessage(out)
	if unsendable != "" {
		return channel.Outcome{Class: channel.Refused, Detail: unsendable}
	}
	ctx, cancel := s.adapter.bounded(ctx)
	defer cancel()

	var track track
	request := s.request.WithContext(track.follow(ctx))
	// A reader that net/http knows to be in memory lets it write headers and body in one piece. GetBody stays
	// nil, so the body can't be rewound and the request is never repeated.
	request.Body = io.NopCloser(bytes.NewReader(body))
	request.ContentLength = int64(len(body))

	response, err := s.adapter.transport.RoundTrip(request)
	if err != nil {
		return failedTrip(err, track.touchedWire())
	}
	defer response.Body.Close()
	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	buffer.Reset()
	n, err := buffer.ReadFrom(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return unknown("The connection to Meta broke while its answer was being read.")
	case n > maxAnswer:
		return unknown("Meta's answer was too long to be one of its own.")
	}
	if response.StatusCode == http.StatusOK {
		return readAccepted(buffer.Bytes())
	}
	return classify(response.StatusCode, response.Header, buffer.Bytes(), time.Now())
}

// failedTrip judges a request that got no answer. err is only looked at, never shown: it may hold an address.
func failedTrip(err error, touchedWire bool) channel.Outcome {
	if touchedWire {
		if errors.Is(err, context.DeadlineExceeded) {
			return unknown("Meta did not answer in time.")
		}
		return unknown("The connection to Meta broke before it answered.")
	}
	return channel.Outcome{Class: channel.NotWritten, Scope: channel.ScopeConnection, Detail: unreachable(err)}
}

// unreachable says why nothing could be written, and what to look at.
func unreachable(err error) string {
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var operation *net.OpError
	switch {
	case errors.As(err, &lookup):
		return "Meta's address could not be looked up: check this machine's DNS and network."
	case errors.As(err, &certificate), errors.As(err, &authority):
		return "Meta's certificate could not be verified: check for an intercepting proxy and this machine's clock."
	case errors.As(err, &operation) && operation.Op == "dial":
		return "Meta could not be reached: check this machine's network and firewall."
	default:
		return "Meta could not be reached; nothing was sent."
	}
}

func unknown(detail string) channel.Outcome {
	return channel.Outcome{Class: channel.Unknown, Detail: detail}
}

// readAccepted reads the id out of the answer 200. An answer without one proves nothing.
func readAccepted(body []byte) channel.Outcome {
	if found := messageID(body); found != "" {
		return channel.Outcome{Class: channel.Accepted, ProviderID: found}
	}
	return unknown("Meta answered 200 without a message id.")
}

// idMark precedes the id in every answer Meta documents. Quotes inside a JSON string are escaped, so the mark
// can't be part of a value.
var idMark = []byte(`"messages":[{"id":"`)

func messageID(body []byte) string {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) > 2 && trimmed[0] == '{' && trimmed[len(trimmed)-1] == '}' {
		if at := bytes.Index(trimmed, idMark); at >= 0 {
			rest := trimmed[at+len(idMark):]
			if end := bytes.IndexAny(rest, `"\`); end > 0 && rest[end] == '"' {
				return string(rest[:end])
			}
		}
	}
	var answer struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Messages) == 0 {
		return ""
	}
	return answer.Messages[0].ID
}
