package graph

import (
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf16"

	"omnidesk/internal/sandbox/world"
)

// event is one item of a webhook: a status of a message, or a message from a person.
type event struct {
	number   *bound
	kind     string // sent, delivered, read, failed; or inbound
	phone    string
	wamid    string
	at       time.Time
	opaque   string
	category string
	code     int // of a failed status
	text     string
	name     string
}

const inbound = "inbound"

// undeliverable is the code of a message that fails after it was accepted.
const undeliverable = 131026

// planStatuses queues what will be told about an accepted message.
func (s *Server) planStatuses(number *bound, m message, accepted time.Time) {
	if number.target.URL == "" {
		return
	}
	told := event{number: number, phone: m.to, wamid: m.wamid, opaque: m.opaque, category: m.category}
	curve := s.world.Curves.Get()
	if s.world.People.Blocked(m.to) && !curve.Off {
		told.kind, told.at, told.code = "failed", accepted, undeliverable
		s.hooks.Add(number.target, accepted, told)
		return
	}
	for _, tick := range curve.Plan(m.to, accepted) {
		told.kind, told.at, told.code = tick.Kind, tick.At, 0
		if tick.Kind == "failed" {
			told.code = undeliverable
		}
		s.hooks.Add(number.target, tick.Due, told)
	}
}

// Reply lets a person write to a number, which opens the 24-hour window. An empty name keeps the one known.
func (s *Server) Reply(phone, numberID, name, text string) error {
	number := s.registry.number(numberID)
	if number == nil {
		return fmt.Errorf("the sandbox has no number %q", numberID)
	}
	if !isDigits(phone) || text == "" {
		return errors.New("a reply needs a phone of digits and a text")
	}
	now := time.Now()
	name, err := s.world.People.Wrote(phone, numberID, name, now)
	if err != nil {
		return err
	}
	wamid := s.newID(phone)
	s.world.People.Add(phone, world.Line{Number: numberID, ProviderID: wamid, Text: text, At: now})
	if number.target.URL != "" {
		s.hooks.Add(number.target, now, event{number: number, kind: inbound, phone: phone, wamid: wamid, at: now, text: text, name: name})
	}
	return nil
}

// Read lets a person read everything received so far.
func (s *Server) Read(phone string) {
	now := time.Now()
	for _, line := range s.world.People.Get(phone).Lines {
		if !line.In || line.Status == "read" || line.Status == "failed" {
			continue
		}
		s.world.People.Mark(phone, line.ProviderID, "read")
		if number := s.registry.number(line.Number); number != nil && number.target.URL != "" {
			s.hooks.Add(number.target, now, event{
				number: number, kind: "read", phone: phone, wamid: line.ProviderID, at: now, opaque: line.ID,
			})
		}
	}
}

// render makes the body of one webhook: an entry for each number, with one change for all its statuses and
// one for each message.
func (s *Server) render(events []event) []byte {
	var order []*bound
	byNumber := map[*bound][]event{}
	for _, one := range events {
		if byNumber[one.number] == nil {
			order = append(order, one.number)
		}
		byNumber[one.number] = append(byNumber[one.number], one)
		if one.kind != inbound {
			s.world.People.Mark(one.phone, one.wamid, one.kind)
		}
	}
	body := make([]byte, 0, 512+400*len(events))
	body = append(body, `{"object":"whatsapp_business_account","entry":[`...)
	for i, number := range order {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendEntry(body, number, byNumber[number])
	}
	return append(body, `]}`...)
}

func appendEntry(dst []byte, number *bound, events []event) []byte {
	dst = append(dst, `{"id":`...)
	account := number.AccountID
	if account == "" {
		account = "0"
	}
	dst = world.AppendJSON(dst, account)
	dst = append(dst, `,"changes":[`...)
	statuses := 0
	for i := range events {
		if events[i].kind == inbound {
			continue
		}
		if statuses == 0 {
			dst = append(appendValue(dst, number), `"statuses":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = appendStatus(dst, &events[i])
		statuses++
	}
	if statuses > 0 {
		dst = append(dst, `]}}`...)
	}
	separate := statuses > 0
	for i := range events {
		if events[i].kind != inbound {
			continue
		}
		if separate {
			dst = append(dst, ',')
		}
		separate = true
		dst = appendMessage(appendValue(dst, number), &events[i])
	}
	return append(dst, `]}`...)
}

// appendValue opens a change and its value.
func appendValue(dst []byte, number *bound) []byte {
	dst = append(dst, `{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"`...)
	dst = append(dst, digits(number.Display)...)
	dst = append(dst, `","phone_number_id":"`...)
	dst = append(dst, number.ID...)
	return append(dst, `"},`...)
}

func appendStatus(dst []byte, one *event) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(dst, one.wamid...)
	dst = append(dst, `","status":"`...)
	dst = append(dst, one.kind...)
	dst = append(dst, `","timestamp":"`...)
	dst = strconv.AppendInt(dst, one.at.Unix(), 10)
	if isDigits(one.phone) {
		dst = append(dst, `","recipient_id":`...)
	} else {
		dst = append(dst, `","recipient_user_id":`...)
	}
	dst = world.AppendJSON(dst, one.phone)
	if one.opaque != "" {
		dst = append(dst, `,"biz_opaque_callback_data":`...)
		dst = world.AppendJSON(dst, one.opaque)
	}
	if one.code != 0 {
		dst = append(dst, `,"errors":[{"code":`...)
		dst = strconv.AppendInt(dst, int64(one.code), 10)
		dst = append(dst, `,"title":`...)
		dst = world.AppendJSON(dst, titleOf(one.code))
		dst = append(dst, `,"message":`...)
		dst = world.AppendJSON(dst, titleOf(one.code))
		dst = append(dst, `,"error_data":{"details":"Message Undeliverable."},"href":"https:\/\/developers.facebook.com\/docs\/whatsapp\/cloud-api\/support\/error-codes\/"}]`...)
	} else if one.category != "" {
		dst = append(dst, `,"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"`...)
		dst = append(dst, one.category...)
		dst = append(dst, `"}`...)
	}
	return append(dst, '}')
}

// appendMessage writes an inbound text and closes what appendValue opened.
func appendMessage(dst []byte, one *event) []byte {
	dst = append(dst, `"contacts":[{"profile":{"name":`...)
	dst = appendASCII(dst, one.name)
	dst = append(dst, `},"wa_id":"`...)
	dst = append(dst, one.phone...)
	dst = append(dst, `"}],"messages":[{"from":"`...)
	dst = append(dst, one.phone...)
	dst = append(dst, `","id":"`...)
	dst = append(dst, one.wamid...)
	dst = append(dst, `","timestamp":"`...)
	dst = strconv.AppendInt(dst, one.at.Unix(), 10)
	dst = append(dst, `","type":"text","text":{"body":`...)
	dst = appendASCII(dst, one.text)
	return append(dst, `}}]}}`...)
}

// appendASCII appends a JSON string in which everything beyond ASCII is escaped. Meta does so, and whoever
// verifies a signature over re-written JSON instead of the raw body fails here as there.
func appendASCII(dst []byte, s string) []byte {
	for _, r := range string(world.AppendJSON(nil, s)) {
		if r < 0x80 {
			dst = append(dst, byte(r))
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			dst = append(dst, `\u`...)
			dst = append(dst, fmt.Sprintf("%04x", unit)...)
		}
	}
	return dst
}
