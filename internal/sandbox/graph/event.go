package graph

import (
	"fmt"
	"strconv"
	"sync"
	"time"
	"unicode/utf16"

	"omnidesk/internal/sandbox/world"
)

// event is one item of a webhook: a status of a message, a message from a person, or what a person wants from marketing.
type event struct {
	number   *bound
	kind     string // sent, delivered, read, failed; inbound; preference
	phone    string
	who      identity
	wamid    string
	at       time.Time
	opaque   string
	category string
	code     int    // of a failed status
	part     []byte // of a message: its type and what it says; of a preference: the item
}

const (
	inbound    = "inbound"
	preference = "preference"
)

// Codes of messages that fail after they were accepted: to somebody who blocks the business, or wants no marketing of it.
const (
	undeliverable = 131026
	unwanted      = 131050
)

// planStatuses queues what will be told about an accepted message. What is for a phone that is offline waits for it.
func (s *Server) planStatuses(number *bound, m message, accepted time.Time) {
	if number.target.URL == "" {
		return
	}
	told := event{number: number, phone: m.to, who: s.identify(number, m.to), wamid: m.wamid, opaque: m.opaque, category: m.category}
	curve := s.world.Curves.Get()
	habits := s.world.People.Habits(m.to)
	switch {
	case curve.Off:
		return
	case habits.Blocked:
		told.code = undeliverable
	case habits.Silent && m.category == "marketing":
		told.code = unwanted
	}
	if told.code != 0 {
		told.kind, told.at = "failed", accepted
		s.tell(told, accepted)
		return
	}
	for _, tick := range curve.Plan(m.to, accepted) {
		told.kind, told.at, told.code = tick.Kind, tick.At, 0
		if tick.Kind == "failed" {
			told.code = undeliverable
		}
		if habits.Offline && tick.Kind != "sent" && tick.Kind != "failed" {
			s.away.hold(m.to, told)
			continue
		}
		s.tell(told, tick.Due)
	}
}

// tell queues an event for its number's webhook, or for that of another number of the same app while faults batch those.
func (s *Server) tell(one event, due time.Time) {
	target := one.number.target
	if target.URL == "" {
		return
	}
	if s.world.Faults.Hooks().Batch {
		target = s.registry.shared(target)
	}
	s.hooks.Add(target, due, one)
}

// Read lets a person read everything received so far.
func (s *Server) Read(phone string) {
	now := time.Now()
	for _, line := range s.world.People.Get(phone).Lines {
		if !line.In || line.Status == "read" || line.Status == "failed" {
			continue
		}
		s.world.People.Mark(phone, line.ProviderID, "read")
		if number := s.registry.number(line.Number); number != nil {
			s.tell(event{number: number, kind: "read", phone: phone, who: s.identify(number, phone), wamid: line.ProviderID, at: now, opaque: line.ID}, now)
		}
	}
}

// away holds the events of phones that are offline.
type away struct {
	mu   sync.Mutex
	held map[string][]event
}

const mostHeld = 1_000 // events of one phone; older ones are forgotten

func (a *away) hold(phone string, one event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.held == nil {
		a.held = map[string][]event{}
	}
	list := append(a.held[phone], one)
	a.held[phone] = list[max(0, len(list)-mostHeld):]
}

func (a *away) release(phone string) []event {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.held[phone]
	delete(a.held, phone)
	return list
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
		if one.isStatus() {
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

func (e *event) isStatus() bool { return e.kind != inbound && e.kind != preference }

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
		if !events[i].isStatus() {
			continue
		}
		if statuses == 0 {
			dst = append(appendValue(dst, "messages", number), `"statuses":[`...)
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
		if events[i].isStatus() {
			continue
		}
		if separate {
			dst = append(dst, ',')
		}
		separate = true
		if events[i].kind == preference {
			dst = appendPreference(appendValue(dst, "user_preferences", number), &events[i])
		} else {
			dst = appendMessage(appendValue(dst, "messages", number), &events[i])
		}
	}
	return append(dst, `]}`...)
}

// appendValue opens a change and its value.
func appendValue(dst []byte, field string, number *bound) []byte {
	dst = append(dst, `{"field":"`...)
	dst = append(dst, field...)
	dst = append(dst, `","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"`...)
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
	if isDigits(one.who.phone) {
		dst = append(dst, `","recipient_id":"`...)
		dst = append(dst, one.who.phone...)
	}
	dst = append(dst, `","recipient_user_id":`...)
	dst = world.AppendJSON(dst, one.who.userID)
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

// appendMessage writes what a person wrote and closes what appendValue opened.
func appendMessage(dst []byte, one *event) []byte {
	dst = append(dst, `"contacts":[`...)
	dst = appendContact(dst, one.who)
	dst = append(dst, `],"messages":[{`...)
	dst = appendSender(dst, one.who)
	dst = append(dst, `,"id":"`...)
	dst = append(dst, one.wamid...)
	dst = append(dst, `","timestamp":"`...)
	dst = strconv.AppendInt(dst, one.at.Unix(), 10)
	dst = append(dst, `",`...)
	dst = append(dst, one.part...)
	return append(dst, `}]}}`...)
}

// appendPreference writes what a person wants of marketing and closes what appendValue opened.
func appendPreference(dst []byte, one *event) []byte {
	dst = append(dst, `"contacts":[`...)
	dst = appendContact(dst, one.who)
	dst = append(dst, `],"user_preferences":[`...)
	dst = append(dst, one.part...)
	return append(dst, `]}}`...)
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
