package contact

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Person is who a message came from, as the provider says.
type Person struct {
	From channel.Address
	Also []channel.Address // other addresses of the same person
	Name string            // the one they gave themselves; used for a contact without a name
}

// Known is the contact behind an address, and the identity that has it.
type Known struct {
	Contact, Identity id.ID
	Same              []id.ID // other contacts that this person was known as, by an address besides the one they wrote from
}

// lookAgain bounds how often Meet looks for contacts that others are adding at the same time.
const lookAgain = 5

// Meet returns the contacts of people in their order. Who is not known yet becomes a contact. A phone number may be
// known in the form that a country used before or uses beside (see sameNumber).
func Meet(ctx context.Context, tx postgres.Tx, company id.ID, people []Person) ([]Known, error) {
	m := meeting{q: New(tx), company: company, owners: map[channel.Address]AddressOwner{}}
	for range lookAgain {
		strangers, err := m.look(ctx, people)
		if err != nil {
			return nil, err
		}
		if len(strangers) == 0 {
			return m.greet(ctx, people)
		}
		if err := m.add(ctx, strangers); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("finding who wrote: addresses of %d people keep vanishing", len(people))
}

// AddressOwner is whom an address belongs to.
type AddressOwner = addressOwnersRow

type meeting struct {
	q       *Queries
	company id.ID
	owners  map[channel.Address]AddressOwner
}

// look reads whose the addresses are, and returns those people whom nobody knows, each once.
func (m *meeting) look(ctx context.Context, people []Person) ([]Person, error) {
	var kinds, values []string
	for _, person := range people {
		for _, address := range append([]channel.Address{person.From}, person.Also...) {
			for _, form := range forms(address) {
				if _, found := m.owners[form]; !found {
					kinds, values = append(kinds, form.Kind), append(values, form.Value)
				}
			}
		}
	}
	rows, err := m.q.addressOwners(ctx, kinds, values, m.company)
	if err != nil {
		return nil, fmt.Errorf("finding who wrote: %w", err)
	}
	for _, row := range rows {
		m.owners[channel.Address{Kind: row.Kind, Value: row.Value}] = row
	}
	var strangers []Person
	seen := map[channel.Address]bool{}
	for _, person := range people {
		if _, known := m.ownerOf(person); !known && !seen[person.From] {
			seen[person.From] = true
			strangers = append(strangers, person)
		}
	}
	return strangers, nil
}

// ownerOf is the contact that a person is: by the address they wrote from, else by another of theirs.
func (m *meeting) ownerOf(person Person) (AddressOwner, bool) {
	for _, address := range append([]channel.Address{person.From}, person.Also...) {
		for _, form := range forms(address) {
			if owner, found := m.owners[form]; found {
				return owner, true
			}
		}
	}
	return AddressOwner{}, false
}

func (m *meeting) add(ctx context.Context, strangers []Person) error {
	in := addStrangersParams{CompanyID: m.company}
	for _, person := range strangers {
		address := forms(person.From)[0]
		in.Ids, in.Contacts = append(in.Ids, id.New()), append(in.Contacts, id.New())
		in.Kinds, in.Vals = append(in.Kinds, address.Kind), append(in.Vals, address.Value)
		in.Names = append(in.Names, person.Name)
	}
	added, err := m.q.addStrangers(ctx, in)
	if err != nil {
		return fmt.Errorf("adding who wrote: %w", err)
	}
	for _, row := range added {
		m.owners[channel.Address{Kind: row.Kind, Value: row.Value}] = AddressOwner{ID: row.ID, ContactID: row.ContactID, Kind: row.Kind, Value: row.Value, Name: "-"}
	}
	return nil
}

// greet keeps what is new about contacts, their names and other addresses, and returns who they are.
func (m *meeting) greet(ctx context.Context, people []Person) ([]Known, error) {
	known := make([]Known, len(people))
	addresses := addAddressesParams{CompanyID: m.company}
	var nameless []id.ID
	var names []string
	for i, person := range people {
		owner, _ := m.ownerOf(person)
		known[i] = Known{Contact: owner.ContactID, Identity: owner.ID}
		if owner.Name == "" && person.Name != "" {
			nameless, names = append(nameless, owner.ContactID), append(names, person.Name)
		}
		for _, address := range append([]channel.Address{person.From}, person.Also...) {
			if other, owned := m.ownerOf(Person{From: address}); owned {
				if other.ContactID != owner.ContactID && !slices.Contains(known[i].Same, other.ContactID) {
					known[i].Same = append(known[i].Same, other.ContactID)
				}
				continue
			}
			one := AddressOwner{ID: id.New(), ContactID: owner.ContactID, Kind: address.Kind, Value: address.Value, Name: "-"}
			m.owners[address] = one
			addresses.Ids, addresses.Contacts = append(addresses.Ids, one.ID), append(addresses.Contacts, one.ContactID)
			addresses.Kinds, addresses.Vals = append(addresses.Kinds, one.Kind), append(addresses.Vals, one.Value)
		}
	}
	if len(addresses.Ids) > 0 {
		if err := m.q.addAddresses(ctx, addresses); err != nil {
			return nil, fmt.Errorf("adding addresses of contacts: %w", err)
		}
	}
	if len(nameless) > 0 {
		if err := m.q.nameNameless(ctx, m.company, nameless, names); err != nil {
			return nil, fmt.Errorf("naming contacts: %w", err)
		}
	}
	return known, m.dropPhones(ctx, known)
}

// dropPhones keeps of the contacts that somebody was known as only those without a phone: two numbers may be two people
// who shared a device, and that is for a person to say.
func (m *meeting) dropPhones(ctx context.Context, known []Known) error {
	var all []id.ID
	for _, one := range known {
		all = append(all, one.Same...)
	}
	if len(all) == 0 {
		return nil
	}
	phoned, err := m.q.withPhone(ctx, m.company, all)
	if err != nil {
		return fmt.Errorf("looking who has a phone: %w", err)
	}
	for i := range known {
		known[i].Same = slices.DeleteFunc(known[i].Same, func(one id.ID) bool { return slices.Contains(phoned, one) })
	}
	return nil
}

// forms are the ways in which an address may be stored, the one for new contacts first.
func forms(address channel.Address) []channel.Address {
	if address.Kind != "phone" {
		return []channel.Address{address}
	}
	stored, other := sameNumber(address.Value)
	all := []channel.Address{{Kind: "phone", Value: stored}}
	if other != "" {
		all = append(all, channel.Address{Kind: "phone", Value: other})
	}
	return all
}

// sameNumber returns a number in E.164 as it is dialled today and, where there is one, the other form under which
// WhatsApp may know the same phone: Brazil's mobile numbers without their ninth digit, Mexico's with the 1 and
// Argentina's without the 9 after the country code.
func sameNumber(phone string) (dialled, other string) {
	digits := strings.TrimPrefix(phone, "+")
	switch {
	case strings.HasPrefix(digits, "55") && len(digits) == 12 && digits[4] >= '6': // area code of two digits, eight more
		return "+" + digits[:4] + "9" + digits[4:], phone
	case strings.HasPrefix(digits, "55") && len(digits) == 13 && digits[4] == '9' && digits[5] >= '6':
		return phone, "+" + digits[:4] + digits[5:]
	case strings.HasPrefix(digits, "521") && len(digits) == 13:
		return "+52" + digits[3:], phone
	case strings.HasPrefix(digits, "52") && len(digits) == 12:
		return phone, "+521" + digits[2:]
	case strings.HasPrefix(digits, "549") && len(digits) == 13:
		return phone, "+54" + digits[3:]
	case strings.HasPrefix(digits, "54") && len(digits) == 12 && digits[2] != '9':
		return "+549" + digits[2:], phone
	}
	return phone, ""
}

// Wrote is that a contact wrote at an instant.
type Wrote struct {
	Contact id.ID
	At      time.Time
}

// OpenWindows keeps when contacts wrote, which allows free text on that connection for 24 hours.
func OpenWindows(ctx context.Context, tx postgres.Tx, company, connection id.ID, wrote []Wrote) error {
	contacts, untils := make([]id.ID, len(wrote)), make([]time.Time, len(wrote))
	for i, w := range wrote {
		contacts[i], untils[i] = w.Contact, w.At.Add(serviceWindow)
	}
	if err := New(tx).openWindows(ctx, company, connection, contacts, untils); err != nil {
		return fmt.Errorf("opening service windows: %w", err)
	}
	return nil
}

// Wish is what the whole of a message may ask for.
type Wish int

// The wishes.
const (
	NoWish Wish = iota
	Stop        // no campaigns and no automation any more
	Resume
)

// wishes are the words that ask for it when they are all that a message says: English, Portuguese, Spanish, Indonesian.
var wishes = map[string]Wish{
	"stop": Stop, "stop all": Stop, "stopall": Stop, "unsubscribe": Stop, "cancel": Stop, "end": Stop, "quit": Stop, "revoke": Stop, "optout": Stop, "opt out": Stop, "opt-out": Stop,
	"parar": Stop, "pare": Stop, "sair": Stop, "cancelar": Stop, "descadastrar": Stop, "alto": Stop, "baja": Stop, "berhenti": Stop, "batal": Stop,
	"start": Resume, "unstop": Resume, "voltar": Resume, "alta": Resume, "mulai": Resume,
}

// WishOf reads what a message asks for; only a message that says nothing else counts.
func WishOf(text string) Wish {
	if len(text) > 60 {
		return NoWish
	}
	words := strings.Fields(strings.ToLower(strings.Trim(text, " \t\r\n.!?\"'*_~")))
	return wishes[strings.Join(words, " ")]
}

// Wished is what a contact asked for, and when it did by the provider's clock.
type Wished struct {
	Contact id.ID
	Wish    Wish
	At      time.Time
}

// Sources of wishes. The words are stored.
const (
	ByKeyword  = "keyword"  // the whole of a message
	ByProvider = "provider" // said to the provider, in its own settings
)

// Heed takes contacts out of campaigns, or back in, as they wish. Of several wishes of one contact the one written last
// counts, in whatever order they come: of one instant the later in the list, and a stop over an earlier call's start.
func Heed(ctx context.Context, tx postgres.Tx, company id.ID, source string, wishes []Wished) error {
	last := map[id.ID]Wished{}
	for _, one := range wishes {
		known, found := last[one.Contact]
		if !found || !one.At.Before(known.At) {
			last[one.Contact] = one
		}
	}
	if len(last) == 0 {
		return nil
	}
	in := heedParams{WishedBy: source, CompanyID: company}
	for _, contact := range slices.SortedFunc(maps.Keys(last), func(a, b id.ID) int { return bytes.Compare(a[:], b[:]) }) {
		one := last[contact]
		in.Contacts, in.Stops, in.Ats = append(in.Contacts, contact), append(in.Stops, one.Wish == Stop), append(in.Ats, one.At)
	}
	if _, err := New(tx).heed(ctx, in); err != nil {
		return fmt.Errorf("noting what contacts wish: %w", err)
	}
	return nil
}
