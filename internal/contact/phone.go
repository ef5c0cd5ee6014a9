package contact

import (
	"errors"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

var errPhone = errors.New("is not a phone number that can exist")

// Phone reads a number into E.164. A number with its country code (+55…, 0055…, or the bare digits of an export)
// is taken when its length is possible: number plans change faster than any list of them. A national number
// needs a region such as BR and must be valid there, because reading it is a guess otherwise.
func Phone(raw, region string) (string, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return "", errors.New("is empty")
	}
	if len(raw) > 60 {
		return "", errPhone
	}
	if strings.HasPrefix(raw, "00") {
		raw = "+" + raw[2:]
	}
	if !strings.HasPrefix(raw, "+") && !strings.HasPrefix(raw, "＋") {
		if region != "" {
			if number, err := phonenumbers.Parse(raw, region); err == nil && phonenumbers.IsValidNumber(number) {
				return phonenumbers.Format(number, phonenumbers.E164), nil
			}
		}
		raw = "+" + raw
		if !international(raw) {
			if region == "" {
				return "", errors.New("needs its country code, such as +55")
			}
			return "", errPhone
		}
	}
	number, err := phonenumbers.Parse(raw, "")
	if err != nil || number.GetExtension() != "" || phonenumbers.IsPossibleNumberWithReason(number) != phonenumbers.IS_POSSIBLE {
		return "", errPhone
	}
	return phonenumbers.Format(number, phonenumbers.E164), nil
}

// international tells whether digits that came without a plus sign are a valid number with their country code.
func international(raw string) bool {
	number, err := phonenumbers.Parse(raw, "")
	return err == nil && phonenumbers.IsValidNumber(number)
}

// ValidRegion tells whether a region such as BR has phone numbers.
func ValidRegion(region string) bool {
	return phonenumbers.GetCountryCodeForRegion(region) != 0
}
