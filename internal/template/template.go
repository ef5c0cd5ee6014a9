// Package template keeps the message templates that a provider has reviewed, as the last sync found them. They are
// written at the provider; here they are only read, and judged: can a campaign send this one?
package template

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
)

// Template is one language of a template.
type Template struct {
	Connection id.ID
	channel.ProviderTemplate
	Parts      Parts
	Parameters int    // placeholders of the body, which a campaign fills
	Unfit      string // why a campaign can't send it, and what to do; empty when it can
	SyncedAt   time.Time
}

// Parts are what a recipient sees, from top to bottom.
type Parts struct {
	HeaderFormat string // TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION, or empty without a header
	Header       string // the text of a TEXT header
	Body         string
	Footer       string
	Buttons      []Button
}

// Button of a template.
type Button struct {
	Kind string `json:"type"` // QUICK_REPLY, URL, PHONE_NUMBER, COPY_CODE …
	Text string `json:"text"`
	URL  string `json:"url"`
}

// placeholder is {{1}}, or {{name}} in a template with named parameters.
var placeholder = regexp.MustCompile(`\{\{\s*([^{}]+?)\s*\}\}`)

// read takes components apart. Those of an unknown kind are passed over; unfit refuses them.
func read(components json.RawMessage) (parts Parts, unknown string) {
	var list []struct {
		Kind    string   `json:"type"`
		Format  string   `json:"format"`
		Text    string   `json:"text"`
		Buttons []Button `json:"buttons"`
	}
	if json.Unmarshal(components, &list) != nil {
		return parts, "components"
	}
	for _, one := range list {
		switch kind := strings.ToUpper(one.Kind); kind {
		case "HEADER":
			parts.HeaderFormat, parts.Header = strings.ToUpper(one.Format), one.Text
		case "BODY":
			parts.Body = one.Text
		case "FOOTER":
			parts.Footer = one.Text
		case "BUTTONS":
			parts.Buttons = one.Buttons
		default:
			unknown = strings.ToLower(kind)
		}
	}
	return parts, unknown
}

// judge says how many parameters a template takes and why a campaign can't send it.
func judge(t channel.ProviderTemplate) (parts Parts, parameters int, unfit string) {
	parts, unknown := read(t.Components)
	parameters, named := placeholders(parts.Body)
	if reason := statusWords(t.Status, t.RejectedReason); reason != "" {
		return parts, parameters, reason
	}
	switch {
	case unknown != "":
		unfit = "It has a part that campaigns can't fill (" + unknown + "); use one of header text, body, footer and buttons."
	case strings.EqualFold(t.Category, "AUTHENTICATION"):
		unfit = "It carries a one-time code, which is not for an audience."
	case parts.HeaderFormat != "" && parts.HeaderFormat != "TEXT":
		unfit = "Its header needs a file (" + strings.ToLower(parts.HeaderFormat) + "), which campaigns can't attach yet; use one with a text header or none."
	case placeholder.MatchString(parts.Header):
		unfit = "Its header has a parameter, which campaigns can't fill yet; move the parameter to the body."
	case named:
		unfit = "It has named parameters, which campaigns can't fill yet; write them as {{1}}, {{2}} at Meta."
	case needsFilling(parts.Buttons):
		unfit = "One of its buttons has a parameter, which campaigns can't fill yet; give the button a fixed address."
	}
	return parts, parameters, unfit
}

// placeholders returns the highest n of {{n}}; named tells whether there are any other.
func placeholders(body string) (highest int, named bool) {
	for _, match := range placeholder.FindAllStringSubmatch(body, -1) {
		n, err := strconv.Atoi(match[1])
		if err != nil || n < 1 || n > 100 {
			named = true
			continue
		}
		highest = max(highest, n)
	}
	return highest, named
}

func needsFilling(buttons []Button) bool {
	for _, button := range buttons {
		switch strings.ToUpper(button.Kind) {
		case "OTP", "FLOW", "CATALOG", "MPM", "SPM", "COPY_CODE":
			return true
		}
		if placeholder.MatchString(button.URL) {
			return true
		}
	}
	return false
}

// statusWords says why a template that is not approved can't be sent, and what to do about it.
func statusWords(status, reason string) string {
	switch strings.ToUpper(status) {
	case "APPROVED", "REINSTATED":
		return ""
	case "REJECTED":
		return "Meta rejected it: " + rejectionWords(reason)
	case "PENDING":
		return "Meta is still reviewing it, which takes minutes, at most a day. Sync again later."
	case "IN_APPEAL":
		return "Meta is reviewing your appeal. Sync again later."
	case "PAUSED":
		return "Meta paused it for hours because recipients blocked or reported it. Soften the text or the audience before it goes on."
	case "DISABLED":
		return "Meta disabled it for good because recipients kept reporting it. Make a new template with another text."
	case "PENDING_DELETION", "DELETED", "ARCHIVED":
		return "It is deleted or archived at Meta. Choose another one."
	case "LIMIT_EXCEEDED":
		return "The account has more templates than Meta allows. Delete some in WhatsApp Manager."
	default:
		return "Meta lists it as " + strings.ToLower(strings.ReplaceAll(status, "_", " ")) + ". Look at it in WhatsApp Manager."
	}
}

func rejectionWords(reason string) string {
	switch strings.ToUpper(reason) {
	case "ABUSIVE_CONTENT":
		return "it reads as a threat or an insult. Rewrite it."
	case "INCORRECT_CATEGORY", "TAG_CONTENT_MISMATCH":
		return "the text does not fit its category. Most often a utility text advertises something: make it a marketing template."
	case "INVALID_FORMAT":
		return "its form is wrong. Look for a parameter at the very start or end, two in a row, or missing examples."
	case "PROMOTIONAL":
		return "it advertises, and this account may not. Leave the offer out or ask Meta why."
	case "SCAM":
		return "it reads like a fraud. Say who you are and don't ask for passwords, codes or card numbers."
	default:
		return "it gave no reason. Look at it in WhatsApp Manager and appeal or rewrite it."
	}
}
