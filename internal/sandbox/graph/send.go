package graph

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"omnidesk/internal/sandbox/world"
)

const (
	maxBody   = 256 << 10
	maxText   = 4096 // characters of a text message
	maxOpaque = 512  // bytes of biz_opaque_callback_data
)

// sendBody is the body of POST /<number>/messages, as far as the sandbox looks at it.
type sendBody struct {
	Product   string        `json:"messaging_product"`
	To        string        `json:"to"`
	Recipient string        `json:"recipient"`
	Type      string        `json:"type"`
	Opaque    string        `json:"biz_opaque_callback_data"`
	Text      *textBody     `json:"text"`
	Template  *templateBody `json:"template"`
	Status    string        `json:"status"` // "read" marks an inbound message instead of sending
	MessageID string        `json:"message_id"`
	Typing    *typingBody   `json:"typing_indicator"`
	Context   *contextBody  `json:"context"`
}

type typingBody struct {
	Type string `json:"type"`
}

type contextBody struct {
	MessageID string `json:"message_id"`
}

type textBody struct {
	Body string `json:"body"`
}

type templateBody struct {
	Name     string `json:"name"`
	Language struct {
		Code string `json:"code"`
	} `json:"language"`
	Components []struct {
		Type       string `json:"type"`
		Parameters []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"parameters"`
	} `json:"components"`
}

// message is an accepted send.
type message struct {
	to       string // digits of a phone, or a user id
	input    string // as the client wrote it
	opaque   string
	wamid    string
	text     string
	category string // of its price
	received time.Time
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// postMessage answers POST /<number>/messages.
func (s *Server) postMessage(w http.ResponseWriter, r *http.Request, numberID, token string) {
	number := s.registry.use(numberID, token, s.options.Strict)
	if number == nil {
		fail(w, unknownObject(r.Method, numberID))
		return
	}
	buffer := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(io.LimitReader(r.Body, maxBody+1)); err != nil || buffer.Len() > maxBody {
		fail(w, invalid(100, "Invalid parameter", "The body can't be read or is too long."))
		return
	}
	var body sendBody
	if err := json.Unmarshal(buffer.Bytes(), &body); err != nil {
		fail(w, invalid(100, "Invalid parameter", "The body is not the JSON of a message."))
		return
	}
	if body.Status == "read" {
		answer(w, http.StatusOK, map[string]bool{"success": true})
		return
	}
	m := message{to: strings.TrimPrefix(body.To, "+"), input: body.To, opaque: body.Opaque, received: time.Now()}
	if body.Recipient != "" {
		m.to, m.input = s.person(body.Recipient), body.Recipient
	}
	fault := s.world.Faults.Pick(numberID, m.to)
	if fault != nil && !before(w, r, fault) {
		return
	}
	now := time.Now()
	if refused := s.validate(number, &body, buffer.Bytes(), &m, now); refused != nil {
		fail(w, refused)
		return
	}
	if err := s.accept(number, &m, buffer.Bytes(), now); err != nil {
		fail(w, coded(131000, "The sandbox could not write its ledger."))
		return
	}
	if fault != nil && !after(w, r, fault, &m) {
		return
	}
	writeAccepted(w, &m)
}

// validate checks a message as Meta does, and fills in what its recipient will see.
func (s *Server) validate(number *bound, body *sendBody, raw []byte, m *message, now time.Time) *apiError {
	switch {
	case body.Product != "whatsapp":
		return invalid(100, "Invalid parameter", "messaging_product must be whatsapp.")
	case m.to == "":
		return invalid(131008, "Required parameter is missing", "to or recipient is missing.")
	case body.Recipient == "" && (!isDigits(m.to) || len(m.to) < 5 || len(m.to) > 15):
		return invalid(131009, "Parameter value is not valid", "to is not a phone number.")
	case m.to == digits(number.Display):
		return invalid(131021, "Recipient cannot be sender", "to is the sending number.")
	case len(body.Opaque) > maxOpaque:
		return invalid(131009, "Parameter value is not valid", "biz_opaque_callback_data is longer than 512 characters.")
	case body.Context != nil && body.Context.MessageID == "":
		return missing("context.message_id")
	}
	switch body.Type {
	case "text", "":
		return s.validateText(number, body.Text, m, now)
	case "template":
		return s.validateTemplate(body.Template, m)
	default:
		return s.validatePart(number, body, raw, m, now)
	}
}

func (s *Server) validateText(number *bound, text *textBody, m *message, now time.Time) *apiError {
	switch {
	case text == nil || text.Body == "":
		return invalid(131008, "Required parameter is missing", "text.body is missing.")
	case utf8.RuneCountInString(text.Body) > maxText:
		return invalid(131009, "Parameter value is not valid", "text.body is longer than 4096 characters.")
	case !s.world.People.WindowOpen(m.to, number.ID, now):
		return shut()
	}
	m.text, m.category = text.Body, "service"
	return nil
}

func (s *Server) validateTemplate(in *templateBody, m *message) *apiError {
	if in == nil || in.Name == "" || in.Language.Code == "" {
		return invalid(131008, "Required parameter is missing", "template.name or template.language.code is missing.")
	}
	template := (*s.registry.texts.Load())[templateKey{in.Name, in.Language.Code}]
	if template == nil {
		return &apiError{
			status: 404, code: 132001, message: "(#132001) Template name does not exist in the translation",
			details: "The template does not exist in the language asked for.",
		}
	}
	if refused := template.refusal(); refused != nil {
		return refused
	}
	var parameters []string
	for _, component := range in.Components {
		if strings.EqualFold(component.Type, "body") {
			for _, parameter := range component.Parameters {
				if parameter.Type != "text" || unfitParameter(parameter.Text) {
					return invalid(132012, "Parameter format does not match format in the created template",
						"A parameter is empty, not text, or holds newlines, tabs or more than 4 spaces in a row.")
				}
				parameters = append(parameters, parameter.Text)
			}
		}
	}
	if len(parameters) != template.parameters() {
		return invalid(132000, "Number of parameters does not match the expected number of params",
			"body: number of localizable_params ("+strconv.Itoa(len(parameters))+") does not match the expected number of params ("+strconv.Itoa(template.parameters())+")")
	}
	m.category = strings.ToLower(template.Category)
	if !s.options.Sink {
		m.text = template.fill(parameters)
	}
	return nil
}

func unfitParameter(text string) bool {
	return text == "" || strings.ContainsAny(text, "\n\r\t") || strings.Contains(text, "     ")
}

// accept writes a message to the ledger; from there on it counts as taken, whatever the client hears.
func (s *Server) accept(number *bound, m *message, body []byte, now time.Time) error {
	m.wamid = s.newID(m.to)
	sum := sha256.Sum256(body)
	err := s.world.Ledger.Append(&world.Entry{
		ID: m.opaque, ProviderID: m.wamid, From: number.ID, To: m.to, BodyHash: hex.EncodeToString(sum[:]), ReceivedAt: m.received, At: now,
	})
	if err != nil || s.options.Sink {
		return err
	}
	s.show(m, body, world.Line{In: true, Number: number.ID, ProviderID: m.wamid, ID: m.opaque, Text: m.text, At: now, Status: "accepted"})
	s.planStatuses(number, *m, now)
	return nil
}

// newID makes an id of Meta's form: the recipient and 18 hexadecimal digits, in base64.
func (s *Server) newID(to string) string {
	var unique [9]byte
	copy(unique[:], s.boot[:])
	binary.BigEndian.PutUint32(unique[5:], s.counter.Add(1))
	raw := make([]byte, 0, 64)
	raw = append(raw, 0x1c, 0x18, byte(len(to)))
	raw = append(raw, to...)
	raw = append(raw, 0x15, 0x02, 0x00, 0x11, 0x18, 0x12)
	raw = append(hex.AppendEncode(raw, unique[:]), 0)
	return "wamid." + base64.StdEncoding.EncodeToString(raw)
}

var jsonType = []string{"application/json; charset=UTF-8"}

func acceptedBody(m *message) []byte {
	body := make([]byte, 0, 256)
	body = append(body, `{"messaging_product":"whatsapp","contacts":[{"input":`...)
	body = world.AppendJSON(body, m.input)
	if isDigits(strings.TrimPrefix(m.input, "+")) {
		body = append(body, `,"wa_id":`...)
		body = world.AppendJSON(body, m.to)
	} else {
		body = append(body, `,"user_id":`...)
		body = world.AppendJSON(body, m.input)
	}
	body = append(body, `}],"messages":[{"id":"`...)
	body = append(body, m.wamid...)
	return append(body, `"}]}`...)
}

func writeAccepted(w http.ResponseWriter, m *message) {
	body := acceptedBody(m)
	header := w.Header()
	header["Content-Type"] = jsonType
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.Write(body) //nolint:errcheck // the client is gone
}

// before does what a fault asks for before a message is accepted. False means that the answer is given.
func before(w http.ResponseWriter, r *http.Request, fault *world.Fault) bool {
	if fault.DelayMS > 0 && !pause(r.Context(), time.Duration(fault.DelayMS)*time.Millisecond) {
		return false
	}
	switch {
	case fault.Hang:
		<-r.Context().Done()
		return false
	case fault.Drop:
		cut(w)
		return false
	case fault.Code != 0:
		refused := coded(fault.Code, "The sandbox was told to answer so.")
		refused.retryAfter = fault.RetryAfterS
		if fault.HTTPStatus != 0 {
			refused.status = fault.HTTPStatus
		}
		fail(w, refused)
		return false
	case fault.HTTPStatus != 0:
		if fault.RetryAfterS > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(fault.RetryAfterS))
		}
		http.Error(w, "sandbox fault", fault.HTTPStatus)
		return false
	}
	return true
}

// after does what a fault asks for once a message is accepted. False means that no answer must follow.
func after(w http.ResponseWriter, r *http.Request, fault *world.Fault, m *message) bool {
	switch {
	case fault.AcceptThenDrop:
		cut(w)
	case fault.AcceptThenHang:
		<-r.Context().Done()
	case fault.AcceptThenHalf:
		body := acceptedBody(m)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body[:len(body)/2])           //nolint:errcheck // the connection is cut anyway
		http.NewResponseController(w).Flush() //nolint:errcheck
		cut(w)
	case fault.Garbage:
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<html><body>It works!</body></html>")) //nolint:errcheck // the client is gone
	default:
		return true
	}
	return false
}

// pause waits, and returns false when the client left first.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// cut resets the connection under an answer.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) //nolint:errcheck // a plain close will do
	}
	conn.Close() //nolint:errcheck
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
