package graph

import (
	"strconv"
	"strings"

	"omnidesk/internal/sandbox/world"
)

// identity is how a business knows a person: by phone and by a user id of its own; by the user id alone when the person has
// hidden the phone behind a username.
type identity struct {
	phone    string // digits; empty when hidden
	userID   string
	username string
	name     string
}

// identify returns how a number's business knows the person of a phone.
func (s *Server) identify(number *bound, phone string) identity {
	known := identity{phone: phone, userID: userIDOf(number.AccountID, phone), name: s.world.People.Name(phone)}
	if hidden := s.world.People.Habits(phone).Hidden; hidden != "" {
		known.phone, known.username = "", hidden
	}
	return known
}

// countries of the user ids: by the first digits of a phone, the longer ones first.
var countries = []struct{ prefix, country string }{
	{"351", "PT"}, {"595", "PY"}, {"598", "UY"}, {"55", "BR"}, {"62", "ID"}, {"52", "MX"}, {"54", "AR"}, {"34", "ES"}, {"44", "GB"}, {"49", "DE"}, {"91", "IN"}, {"1", "US"},
}

// userIDOf makes the user id under which the numbers of an account know a phone: a country and digits that tell nothing.
func userIDOf(account, phone string) string {
	if !isDigits(phone) {
		return phone // a user id that the sandbox did not give
	}
	country := "US"
	for _, one := range countries {
		if strings.HasPrefix(phone, one.prefix) {
			country = one.country
			break
		}
	}
	return country + "." + strconv.FormatUint(1e15+world.Hash(world.Hash(7, account), phone)%9e15, 10)
}

// person returns the phone of who is meant by a user id; a user id that nobody has stays as it is.
func (s *Server) person(userID string) string {
	if phone, known := s.world.People.PhoneOf(userID); known {
		return phone
	}
	return userID
}

// appendContact writes what a webhook says about a person.
func appendContact(dst []byte, who identity) []byte {
	dst = append(dst, `{"profile":{"name":`...)
	dst = appendASCII(dst, who.name)
	if who.username != "" {
		dst = append(dst, `,"username":`...)
		dst = appendASCII(dst, who.username)
	}
	dst = append(dst, '}')
	if who.phone != "" {
		dst = append(dst, `,"wa_id":`...)
		dst = world.AppendJSON(dst, who.phone)
	}
	dst = append(dst, `,"user_id":`...)
	dst = world.AppendJSON(dst, who.userID)
	return append(dst, '}')
}

// appendSender writes who a message is from.
func appendSender(dst []byte, who identity) []byte {
	if who.phone != "" {
		dst = append(dst, `"from":`...)
		dst = world.AppendJSON(dst, who.phone)
		dst = append(dst, ',')
	}
	dst = append(dst, `"from_user_id":`...)
	return world.AppendJSON(dst, who.userID)
}
