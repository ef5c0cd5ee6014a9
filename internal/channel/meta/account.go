package meta

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"omnidesk/internal/channel"
)

// The shapes of what Meta says about accounts, numbers, templates and what people wish.
type (
	rawTemplateNews struct {
		Event    string `json:"event"`
		Name     string `json:"message_template_name"`
		Language string `json:"message_template_language"`
		Reason   string `json:"reason"`
		Category string `json:"message_template_category"`
		Changed  string `json:"new_category"`
		Quality  string `json:"new_quality_score"`
	}
	rawNumberNews struct {
		Number string          `json:"display_phone_number"`
		Event  string          `json:"event"`
		Limit  string          `json:"current_limit"`
		Most   json.RawMessage `json:"max_daily_conversations_per_business"` // a tier or a number
	}
	rawAccountNews struct {
		Event        string `json:"event"`
		Restrictions []struct {
			Type string  `json:"restriction_type"`
			Ends instant `json:"expiration"`
		} `json:"restriction_info"`
		Violation struct {
			Type string `json:"violation_type"`
		} `json:"violation_info"`
		Ban struct {
			State string `json:"waba_ban_state"`
		} `json:"ban_info"`
	}
	rawAlert struct {
		Severity string `json:"alert_severity"`
		Status   string `json:"alert_status"`
		Type     string `json:"alert_type"`
	}
	rawPreferences struct {
		Metadata    rawMetadata  `json:"metadata"`
		Contacts    []rawContact `json:"contacts"`
		Preferences []struct {
			WaID     string  `json:"wa_id"`
			UserID   string  `json:"user_id"`
			Category string  `json:"category"`
			Value    string  `json:"value"`
			At       instant `json:"timestamp"`
		} `json:"user_preferences"`
	}
)

// newsOf reads the fields that are not about messages. A field that is not here says nothing that we need.
var newsOf = map[string]func(*channel.Event, json.RawMessage) error{
	"message_template_status_update":  templateNews,
	"message_template_quality_update": templateNews,
	"template_category_update":        templateNews,
	"phone_number_quality_update":     numberNews,
	"business_capability_update":      numberNews,
	"account_update":                  accountNews,
	"account_alerts":                  accountAlert,
	"user_preferences":                preferences,
}

// statusAfter are the events after which a template has another status than their name.
var statusAfter = map[string]string{"REINSTATED": "APPROVED", "UNPAUSED": "APPROVED", "UNARCHIVED": "APPROVED"}

func templateNews(event *channel.Event, raw json.RawMessage) error {
	var in rawTemplateNews
	err := json.Unmarshal(raw, &in)
	if in.Name == "" || in.Language == "" {
		return fmt.Errorf("it names no template")
	}
	news := channel.TemplateNews{Name: clean(in.Name, 512), Language: clean(in.Language, mostName), Status: clean(in.Event, mostKind), Reason: clean(in.Reason, mostName),
		Category: clean(in.Category, mostKind), Quality: clean(in.Quality, mostKind)}
	if status, other := statusAfter[news.Status]; other {
		news.Status = status
	}
	if in.Changed != "" {
		news.Category = clean(in.Changed, mostKind)
	}
	if news.Reason == "NONE" {
		news.Reason = ""
	}
	event.Templates = []channel.TemplateNews{news}
	return err
}

func numberNews(event *channel.Event, raw json.RawMessage) error {
	var in rawNumberNews
	err := json.Unmarshal(raw, &in)
	news := channel.AccountNews{Limit: tierLimit(in.Limit)}
	if most := strings.Trim(string(in.Most), `"`); news.Limit == 0 && most != "" {
		if n, err := strconv.ParseInt(most, 10, 32); err == nil {
			news.Limit = int(max(n, -1))
		} else {
			news.Limit = tierLimit(most)
		}
	}
	if digits := strings.Map(onlyDigits, in.Number); digits != "" && len(digits) <= 15 {
		news.Number = "+" + digits
	}
	switch in.Event {
	case "FLAGGED":
		news.Quality = "RED"
	case "UNFLAGGED":
		news.Quality = "UNKNOWN" // better than red; the next check says how good
	}
	event.Account = &news
	return err
}

func onlyDigits(r rune) rune {
	if r >= '0' && r <= '9' {
		return r
	}
	return -1
}

func accountNews(event *channel.Event, raw json.RawMessage) error {
	var in rawAccountNews
	err := json.Unmarshal(raw, &in)
	say := func(words string) error {
		event.Account = &channel.AccountNews{Alert: &words}
		return err
	}
	switch in.Event {
	case "ACCOUNT_RESTRICTION":
		var what []string
		for _, one := range in.Restrictions[:min(len(in.Restrictions), 3)] {
			words := spoken(one.Type)
			if ends := time.Time(one.Ends); !ends.IsZero() {
				words += " until " + ends.Format("2 January 2006 15:04 UTC")
			}
			what = append(what, words)
		}
		return say("Meta restricts this account: " + strings.Join(what, ", ") + ". Read why in Meta's Business Support Home, and appeal there.")
	case "ACCOUNT_VIOLATION":
		return say("Meta says that this account broke its policy: " + spoken(in.Violation.Type) + ". Look at Meta's Business Support Home; more of it restricts the account.")
	case "DISABLED_UPDATE":
		switch in.Ban.State {
		case "REINSTATE":
			return say("")
		case "SCHEDULE_FOR_DISABLE":
			return say("Meta is about to disable this account. Appeal in Meta's Business Support Home before it does.")
		}
		return say("Meta has disabled this account: nothing can be sent. Appeal in Meta's Business Support Home.")
	case "ACCOUNT_DELETED":
		return say("The WhatsApp Business Account was deleted at Meta. Connect another one.")
	case "PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED":
		return say("The app may not use this account any more. Share the account with the app again, at Meta.")
	case "ACCOUNT_RECONNECTED":
		return say("")
	}
	return err
}

func accountAlert(event *channel.Event, raw json.RawMessage) error {
	var in rawAlert
	err := json.Unmarshal(raw, &in)
	if severity := strings.ToUpper(in.Severity); severity == "CRITICAL" || severity == "WARNING" {
		words := "Meta warns about this account: " + spoken(in.Type) + ". Look at it in WhatsApp Manager."
		if strings.EqualFold(in.Status, "NONE") || strings.EqualFold(in.Status, "RESOLVED") {
			words = ""
		}
		event.Account = &channel.AccountNews{Alert: &words}
	}
	return err
}

// spoken makes a word of Meta's code readable.
func spoken(word string) string {
	if word = clean(word, mostKind); word == "" {
		return "it does not say how"
	}
	return strings.ToLower(strings.ReplaceAll(word, "_", " "))
}

func preferences(event *channel.Event, raw json.RawMessage) error {
	var in rawPreferences
	err := json.Unmarshal(raw, &in)
	if event.NumberID = clean(in.Metadata.NumberID, mostName); event.NumberID == "" {
		return fmt.Errorf("it names no number")
	}
	names := namesOf(in.Contacts)
	for i, one := range in.Preferences {
		from, also, found := senderOf(one.WaID, one.UserID, names)
		if !found {
			return fmt.Errorf("wish %d: it has no sender", i+1)
		}
		if one.Category != "marketing_messages" || one.Value != "stop" && one.Value != "resume" && one.Value != "signup" {
			continue
		}
		name := names[one.WaID].Profile.Name
		if name == "" && len(also) > 0 {
			name = names[also[0].Value].Profile.Name
		}
		event.Wishes = append(event.Wishes, channel.Wish{From: from, Name: clean(name, mostName), Stop: one.Value == "stop", At: time.Time(one.At)})
	}
	return err
}
