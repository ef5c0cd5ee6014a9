package contact

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// fields are a contact's values after they were checked.
type fields struct {
	name       string
	zone       *string
	tags       []string
	attributes map[string]string
}

func (f fields) json() json.RawMessage { return marshal(f.attributes) }

func check(name string, zone *string, tags []string, attributes map[string]string) (fields, error) {
	clean := fields{attributes: map[string]string{}}
	var err error
	if clean.name, err = cleanText("name", name, longestName); err != nil {
		return fields{}, err
	}
	if zone != nil && *zone != "" {
		if !ValidZone(*zone) {
			return fields{}, InvalidError{"zone", "want an IANA zone name such as America/Sao_Paulo"}
		}
		clean.zone = zone
	}
	if clean.tags, err = cleanTags(tags); err != nil {
		return fields{}, err
	}
	if len(attributes) > MostAttributes {
		return fields{}, InvalidError{"attributes", fmt.Sprintf("at most %d are kept", MostAttributes)}
	}
	for key, value := range attributes {
		field := AttributeName(key)
		if field == "" || field != key || builtin[field] {
			return fields{}, InvalidError{"attributes", "names are lower-case letters, digits and _, at most 40, and not name, phone, zone or tags"}
		}
		if clean.attributes[field], err = cleanText("attributes."+field, value, longestAttr); err != nil {
			return fields{}, err
		}
	}
	return clean, nil
}

// builtin are the merge fields that every contact has and the columns of an import that are no attributes. A
// first_name may be kept: it goes before the first word of the name.
var builtin = map[string]bool{"name": true, "phone": true, "zone": true, "tags": true}

func cleanTags(tags []string) ([]string, error) {
	var clean []string
	for _, tag := range tags {
		tag, err := cleanText("tags", tag, longestName)
		if err != nil {
			return nil, err
		}
		if tag != "" && !slices.Contains(clean, tag) {
			clean = append(clean, tag)
		}
	}
	if len(clean) > MostTags {
		return nil, InvalidError{"tags", fmt.Sprintf("at most %d are kept", MostTags)}
	}
	return clean, nil
}

// cleanText trims a text and refuses what Postgres can't keep or a person can't read.
func cleanText(field, text string, most int) (string, error) {
	text = strings.TrimSpace(text)
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", InvalidError{field, "is not valid text"}
	}
	if utf8.RuneCountInString(text) > most {
		return "", InvalidError{field, fmt.Sprintf("is longer than %d characters", most)}
	}
	return text, nil
}

// AttributeName turns a column's title into the name of a merge field: lower case, everything but letters and
// digits as one underscore, at most 40 characters. Empty: nothing was left.
func AttributeName(title string) string {
	var out strings.Builder
	gap, length := false, 0
	for _, r := range strings.ToLower(title) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			gap = true
			continue
		}
		if gap && length > 0 {
			out.WriteByte('_')
			length++
		}
		gap = false
		if length >= longestAttrName {
			break
		}
		out.WriteRune(r)
		length++
	}
	return strings.TrimRight(out.String(), "_")
}

// ValidZone tells whether a name is an IANA zone of this program's zone data.
func ValidZone(zone string) bool {
	if zone == "" || zone == "Local" {
		return false
	}
	_, err := time.LoadLocation(zone)
	return err == nil
}
