package meta

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
)

// The shapes of a webhook, as far as they are read.
type (
	rawHook struct {
		Object string `json:"object"`
		Entry  []struct {
			Changes []rawChange `json:"changes"`
		} `json:"entry"`
	}
	rawChange struct {
		Field string `json:"field"`
		Value struct {
			Metadata struct {
				NumberID string `json:"phone_number_id"`
			} `json:"metadata"`
			Contacts []rawContact `json:"contacts"`
			Messages []rawMessage `json:"messages"`
			Statuses []rawStatus  `json:"statuses"`
		} `json:"value"`
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

// ParseWebhook reads the body of a webhook: what it says about each number, in the order given. An item that
// can't be read is left out and named in the error by its place, never by its content; everything else is
// returned beside that error. Fields and statuses that say nothing about a message are passed over.
func ParseWebhook(body []byte) ([]channel.Delivery, error) {
	var hook rawHook
	var problems []error
	if err := json.Unmarshal(body, &hook); err != nil {
		// Go on after a value of the wrong type: the decoder left it empty and read all the others.
		var unfit *json.UnmarshalTypeError
		if !errors.As(err, &unfit) {
			return nil, errors.New("reading the webhook: it is not JSON")
		}
		problems = append(problems, errors.New("reading the webhook: a value has the wrong type"))
	}
	if hook.Object != "whatsapp_business_account" {
		return nil, errors.New("reading the webhook: it is not about a WhatsApp Business Account")
	}
	var deliveries []channel.Delivery
	for i := range hook.Entry {
		for j := range hook.Entry[i].Changes {
			delivery, err := readChange(&hook.Entry[i].Changes[j])
			if err != nil {
				problems = append(problems, fmt.Errorf("reading entry %d, change %d: %w", i, j, err))
			}
			if len(delivery.Statuses)+len(delivery.Inbound) > 0 {
				deliveries = append(deliveries, delivery)
			}
		}
	}
	return deliveries, errors.Join(problems...)
}

func readChange(change *rawChange) (channel.Delivery, error) {
	value := &change.Value
	if change.Field != "messages" || len(value.Statuses)+len(value.Messages) == 0 {
		return channel.Delivery{}, nil
	}
	if value.Metadata.NumberID == "" {
		return channel.Delivery{}, errors.New("it names no number")
	}
	delivery := channel.Delivery{NumberID: value.Metadata.NumberID}
	var problems []error
	for i := range value.Statuses {
		status, known, err := readStatus(&value.Statuses[i])
		if err != nil {
			problems = append(problems, fmt.Errorf("status %d: %w", i, err))
		} else if known {
			delivery.Statuses = append(delivery.Statuses, status)
		}
	}
	names := namesOf(value.Contacts)
	for i := range value.Messages {
		inbound, err := readMessage(&value.Messages[i], names)
		if err != nil {
			problems = append(problems, fmt.Errorf("message %d: %w", i, err))
			continue
		}
		delivery.Inbound = append(delivery.Inbound, inbound)
	}
	return delivery, errors.Join(problems...)
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
