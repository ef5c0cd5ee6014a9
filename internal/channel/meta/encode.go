package meta

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"omnidesk/internal/channel"
)

// encodeMessage writes the body of POST /messages. It appends instead of reflecting because it runs once per
// message. The second result, when not empty, says in our words why the message can't be sent at all.
func encodeMessage(out channel.Outgoing) ([]byte, string) {
	dst := make([]byte, 0, 512)
	dst = append(dst, `{"messaging_product":"whatsapp","recipient_type":"individual",`...)
	switch {
	case out.To.Value == "":
		return nil, "The contact has no address on this channel."
	case out.To.Kind == "phone":
		dst = append(dst, `"to":`...)
		dst = appendString(dst, strings.TrimPrefix(out.To.Value, "+"))
	case out.To.Kind == "bsuid":
		dst = append(dst, `"recipient":`...)
		dst = appendString(dst, out.To.Value)
	default:
		return nil, "The WhatsApp Cloud API can't reach this kind of identity; use the contact's phone number."
	}
	if out.Content.About != "" {
		dst = append(dst, `,"context":{"message_id":`...)
		dst = appendString(dst, out.Content.About)
		dst = append(dst, '}')
	}
	switch kind := out.Content.Kind(); kind {
	case "":
		return nil, "The message is empty."
	case channel.SaidTemplate:
		dst = appendTemplate(dst, out.Content.Template)
	case channel.SaidText:
		dst = append(dst, `,"type":"text","text":{"preview_url":false,"body":`...)
		dst = appendString(dst, out.Content.Text)
		dst = append(dst, '}')
	default:
		var unsendable string
		if dst, unsendable = appendOther(dst, out.Content); unsendable != "" {
			return nil, unsendable
		}
	}
	dst = append(dst, `,"biz_opaque_callback_data":"`...)
	dst = append(dst, out.ID.String()...)
	return append(dst, `"}`...), ""
}

func appendTemplate(dst []byte, template *channel.Template) []byte {
	dst = append(dst, `,"type":"template","template":{"name":`...)
	dst = appendString(dst, template.Name)
	dst = append(dst, `,"language":{"code":`...)
	dst = appendString(dst, template.Language)
	dst = append(dst, '}')
	if len(template.Parameters) > 0 {
		dst = append(dst, `,"components":[{"type":"body","parameters":[`...)
		for i, parameter := range template.Parameters {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"type":"text","text":`...)
			dst = appendString(dst, parameter)
			dst = append(dst, '}')
		}
		dst = append(dst, `]}]`...)
	}
	return append(dst, '}')
}

// appendString appends s as a JSON string. Only a string that needs escaping takes the slow road.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			return appendEscaped(dst, s)
		}
	}
	if !utf8.ValidString(s) {
		return appendEscaped(dst, s)
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendEscaped(dst []byte, s string) []byte {
	escaped, _ := json.Marshal(s) // a string always has a JSON form
	return append(dst, escaped...)
}
