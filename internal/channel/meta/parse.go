package meta

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
)

// The shapes of a webhook, as far as they are read.
type (
	rawHook struct {
		Object json.RawMessage   `json:"object"`
		Entry  []json.RawMessage `json:"entry"`
	}
	rawEntry struct {
		ID      word              `json:"id"`
		Time    instant           `json:"time"`
		Changes []json.RawMessage `json:"changes"`
	}
	rawChange struct {
		Field string          `json:"field"`
		Value json.RawMessage `json:"value"`
	}
	rawMetadata struct {
		NumberID string `json:"phone_number_id"`
	}
	rawValue struct {
		Metadata rawMetadata  `json:"metadata"`
		Contacts []rawContact `json:"contacts"`
		Messages []rawMessage `json:"messages"`
		Statuses []rawStatus  `json:"statuses"`
	}
	rawContact struct {
		Profile struct {
			Name string `json:"name"`
		} `json:"profile"`
		WaID   string `json:"wa_id"`
		UserID string `json:"user_id"`
	}
	rawStatus struct {
		ID        string  `json:"id"`
		Status    string  `json:"status"`
		Timestamp instant `json:"timestamp"`
		Opaque    string  `json:"biz_opaque_callback_data"`
		Errors    []struct {
			Code int `json:"code"`
		} `json:"errors"`
	}
)

// instant is Meta's time: seconds since 1970, in a string. What can't be read is the zero time, which means
// that the time of receipt counts; it is no reason to lose the item.
type instant time.Time

// UnmarshalJSON accepts the seconds with or without quotes.
func (i *instant) UnmarshalJSON(data []byte) error {
	seconds, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	if err == nil && seconds > 0 && seconds < 1<<40 {
		*i = instant(time.Unix(seconds, 0).UTC())
	}
	return nil
}

// word is an id that Meta writes as a string or as a number.
type word string

// UnmarshalJSON takes both; of anything else nothing.
func (w *word) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil && strings.Trim(string(data), "0123456789") == "" {
		text = string(data)
	}
	*w = word(clean(text, mostName))
	return nil
}

const (
	whatsApp   = "whatsapp_business_account"
	unreadable = "unreadable"
)

// ParseWebhook takes the body of a webhook apart: one event for each change of each entry, in the order given. What can't
// be read is an event with a problem, and so is one of whose items some can't: the others are in it.
func ParseWebhook(body []byte) []channel.Event {
	var hook rawHook
	if err := json.Unmarshal(body, &hook); err != nil {
		return []channel.Event{{Kind: unreadable, Raw: body, Problem: whyUnread(err)}}
	}
	if string(hook.Object) != `"`+whatsApp+`"` {
		return []channel.Event{{Kind: unreadable, Raw: body, Problem: "it is not about a WhatsApp Business Account"}}
	}
	var events []channel.Event
	for _, raw := range hook.Entry {
		var entry rawEntry
		if err := json.Unmarshal(raw, &entry); err != nil {
			events = append(events, channel.Event{AccountID: string(entry.ID), Kind: unreadable, Raw: alone(raw), Problem: whyUnread(err)})
			continue
		}
		for _, change := range entry.Changes {
			events = append(events, readChange(entry, change))
		}
	}
	return events
}

func whyUnread(err error) string {
	var unfit *json.UnmarshalTypeError
	if errors.As(err, &unfit) {
		return "a value has the wrong type"
	}
	return "it is not JSON"
}

// alone puts an entry into a body of its own.
func alone(entry []byte) []byte {
	return slices.Concat([]byte(`{"object":"`+whatsApp+`","entry":[`), entry, []byte("]}"))
}

func readChange(entry rawEntry, raw json.RawMessage) channel.Event {
	account, _ := json.Marshal(entry.ID) // a string always has a form in JSON
	whole := fmt.Appendf(nil, `{"id":%s,"time":%d,"changes":[%s]}`, account, max(time.Time(entry.Time).Unix(), 0), raw)
	event := channel.Event{AccountID: string(entry.ID), At: time.Time(entry.Time), Kind: unreadable, Raw: alone(whole)}
	var change rawChange
	var problems []string
	if err := json.Unmarshal(raw, &change); err != nil {
		problems = append(problems, whyUnread(err))
	}
	if change.Field == "" {
		event.Problem = "it does not say what it is about"
		return event
	}
	event.Kind = clean(change.Field, mostKind)
	if read, known := newsOf[change.Field]; known {
		if err := read(&event, change.Value); err != nil {
			problems = append(problems, whyNot(err))
		}
	} else if change.Field == "messages" {
		var value rawValue
		if err := json.Unmarshal(change.Value, &value); err != nil {
			problems = append(problems, whyUnread(err)) // the decoder left that value empty and read all the others
		}
		event.NumberID = clean(value.Metadata.NumberID, mostName)
		if len(value.Messages) == 0 && len(value.Statuses) > 0 {
			event.Kind = "statuses"
		}
		problems = append(problems, readItems(&event, &value)...)
	}
	event.Problem = strings.Join(problems[:min(len(problems), mostProblems)], "; ")
	return event
}

// whyNot says why news can't be read; the decoder's own words repeat content.
func whyNot(err error) string {
	var unfit *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	if errors.As(err, &unfit) || errors.As(err, &syntax) {
		return whyUnread(err)
	}
	return err.Error()
}

// mostProblems bounds how many of an entry's problems are named; mostKind is in bytes.
const (
	mostProblems = 3
	mostKind     = 60
)

// readItems reads what an entry says about messages and returns what it could not.
func readItems(event *channel.Event, value *rawValue) (problems []string) {
	if len(value.Statuses)+len(value.Messages) == 0 {
		return nil
	}
	if event.NumberID == "" {
		return []string{"it names no number"}
	}
	for i := range value.Statuses {
		status, known, err := readStatus(&value.Statuses[i])
		if err != nil {
			problems = append(problems, fmt.Sprintf("status %d: %s", i+1, err))
		} else if known {
			event.Statuses = append(event.Statuses, status)
		}
	}
	names := namesOf(value.Contacts)
	for i := range value.Messages {
		inbound, err := readMessage(&value.Messages[i], names)
		if err != nil {
			problems = append(problems, fmt.Sprintf("message %d: %s", i+1, err))
			continue
		}
		event.Inbound = append(event.Inbound, inbound)
	}
	return problems
}

// readStatus returns false for a status that is none of the ledger's.
func readStatus(in *rawStatus) (channel.Status, bool, error) {
	if !usable(in.ID) {
		return channel.Status{}, false, errors.New("it names no message")
	}
	status := channel.Status{ProviderID: in.ID, At: time.Time(in.Timestamp)}
	switch in.Status {
	case "sent", "delivered", "read", "failed":
		status.Kind = channel.StatusKind(in.Status)
	case "played": // a voice note that was listened to
		status.Kind = channel.StatusRead
	default:
		return channel.Status{}, false, nil
	}
	if ours, err := id.Parse(in.Opaque); err == nil {
		status.MessageID = ours
	}
	if len(in.Errors) > 0 {
		status.Code = in.Errors[0].Code
		status.Detail = describe(status.Code)
		if found, listed := verdictOf(status.Code, 0); listed && status.Kind == channel.StatusFailed {
			status.Scope, status.RetryAfter = found.scope, found.wait
		}
	}
	return status, true, nil
}
