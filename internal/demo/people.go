package demo

import (
	"context"
	"fmt"
	"time"

	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Contacts of the demo company.
const people = 200

// place is where some of the demo's customers live. The numbers lack their last four digits; most tell their zone,
// zone is set where they can't.
type place struct {
	city, zone, prefix string
	first, last        []string
}

var (
	portuguese = [][]string{
		{"Ana", "Bruno", "Carla", "Diego", "Elisa", "Felipe", "Gabriela", "Hugo", "Isabela", "João", "Karina", "Lucas", "Mariana", "Nicolas", "Olívia", "Paulo", "Renata", "Sofia", "Tiago", "Vitória"},
		{"Almeida", "Barbosa", "Costa", "Duarte", "Esteves", "Ferreira", "Gomes", "Lima", "Nogueira"},
	}
	spanish = [][]string{
		{"Alejandro", "Beatriz", "Carlos", "Daniela", "Emilio", "Fernanda", "Gerardo", "Jimena", "Leonardo", "Ximena"},
		{"Aguilar", "Castillo", "Domínguez", "Hernández", "Morales", "Ortega", "Ramírez"},
	}
	indonesian = [][]string{
		{"Adi", "Bunga", "Citra", "Dewi", "Eka", "Fajar", "Gilang", "Indah", "Putri", "Wahyu"},
		{"Hidayat", "Kusuma", "Lestari", "Pratama", "Santoso", "Wijaya", "Yulianti"},
	}
	english = [][]string{
		{"Amelia", "Ben", "Chloe", "Daniel", "Ella", "Finn", "Grace", "Harry", "Isla", "Jack"},
		{"Brooks", "Carter", "Evans", "Foster", "Hughes", "Morgan", "Turner"},
	}
	places = []place{
		{"São Paulo", "", "+551196100", portuguese[0], portuguese[1]},
		{"Campinas", "", "+551997200", portuguese[0], portuguese[1]},
		{"Manaus", "", "+559298300", portuguese[0], portuguese[1]},
		{"Lisboa", "", "+35191240", portuguese[0], portuguese[1]},
		{"Ciudad de México", "", "+52555140", spanish[0], spanish[1]},
		{"Jakarta", "", "+628123004", indonesian[0], indonesian[1]},
		{"London", "", "+44770090", english[0], english[1]},
		{"Los Angeles", "America/Los_Angeles", "+1213555", english[0], english[1]},
		{"Sydney", "Australia/Sydney", "+6141260", english[0], english[1]},
	}
	likes = []string{"sofas", "lamps", "shelves", "kitchens", "garden"}
)

// addContacts adds people of nine cities: six of ten are customers, half get the newsletter, every eighth is a vip
// with a coupon, every fifteenth buys wholesale; four have opted out.
func addContacts(ctx context.Context, tx postgres.Tx, company id.ID, now time.Time) ([]contact.Contact, error) {
	made := make([]contact.Contact, 0, people)
	for i := range people {
		one, err := contact.Create(ctx, tx, company, person(i, now))
		if err != nil {
			return nil, fmt.Errorf("adding a demo contact: %w", err)
		}
		if i%50 == 49 {
			optedOut := true
			if _, err := contact.Update(ctx, tx, company, one.ID, contact.Change{OptedOut: &optedOut}, now); err != nil {
				return nil, fmt.Errorf("opting a demo contact out: %w", err)
			}
		}
		known := now.AddDate(0, 0, -(i*13)%30-12) // before the first campaign
		if err := contact.Backdate(ctx, tx, company, one.ID, known); err != nil {
			return nil, err
		}
		made = append(made, one)
	}
	return made, nil
}

func person(i int, now time.Time) contact.Draft {
	p := places[[]int{0, 1, 0, 2, 3, 0, 4, 5, 0, 6, 7, 1, 0, 8, 3}[i%15]]
	nth := i / 3
	draft := contact.Draft{
		Name:  p.first[(nth+i)%len(p.first)] + " " + p.last[(nth*5+i)%len(p.last)],
		Phone: fmt.Sprintf("%s%04d", p.prefix, i*37+1001),
		Attributes: map[string]string{"city": p.city, "likes": likes[(i*7)%len(likes)],
			"last_order": now.AddDate(0, 0, -(i*13)%240-2).Format(time.DateOnly)},
	}
	if p.zone != "" {
		draft.Zone = &p.zone
	}
	for tag, has := range map[string]bool{"customers": i%10 < 6, "newsletter": i%2 == 1, "vip": i%8 == 3, "wholesale": i%15 == 7} {
		if has {
			draft.Tags = append(draft.Tags, tag)
		}
	}
	if i%8 == 3 {
		draft.Attributes["coupon"] = fmt.Sprintf("VIP-%03d", i)
	}
	return draft
}

// segments show what filters can say: by tag, by field, by what campaigns did.
var segments = [][2]string{
	{"VIP", `tag:"vip" and not opted_out`},
	{"Ordered lately", `last_order > 60 days ago and not opted_out`},
	{"Has not read the spring collection", `delivered:"Spring collection" and not read:"Spring collection"`},
	{"Brazil, likes lamps", `phone starts +55 and likes = "lamps"`},
}

func addSegments(ctx context.Context, tx postgres.Tx, company id.ID) error {
	for _, segment := range segments {
		if _, err := contact.CreateSegment(ctx, tx, company, segment[0], segment[1]); err != nil {
			return fmt.Errorf("saving a demo segment: %w", err)
		}
	}
	return nil
}
