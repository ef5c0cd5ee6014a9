package contact

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nyaruka/phonenumbers"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// PhoneZones tells in which IANA zones the owner of a number may be, by its prefix: sorted and joined by a comma, as
// zone_sets keeps them. Empty means that the prefix tells nothing.
//
// Where several zones are possible, only those are named that are at some day of the year the furthest west or east: hours
// that suit both suit all between. A prefix of zones further apart than mostApart, such as that of American freephone
// numbers, tells nothing: there might be no hour that suits them all.
func PhoneZones(phone string) string {
	zones, err := phonenumbers.GetTimezonesForPrefix(phone)
	if err != nil || len(zones) == 0 {
		return ""
	}
	if len(zones) == 1 {
		return known(zones[0])
	}
	key := strings.Join(zones, ",")
	if found, ok := extremes.Load(key); ok {
		return found.(string)
	}
	found := outermost(zones)
	extremes.Store(key, found)
	return found
}

const mostApart = 6 * time.Hour

var extremes sync.Map // zones joined → the outermost of them; the prefixes know a few hundred different lists

// known refuses what the prefixes say of numbers without a place.
func known(zone string) string {
	if zone == phonenumbers.UNKNOWN_TIMEZONE {
		return ""
	}
	return zone
}

// outermost keeps the zones that lead or trail the others at noon of some day of a year. Of two that keep the same time
// the one with the shorter name stays: Europe/London rather than Europe/Guernsey.
func outermost(names []string) string {
	names = slices.SortedFunc(slices.Values(names), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	kept := map[string]bool{}
	for day := range 365 {
		at := time.Date(2026, time.January, 1+day, 12, 0, 0, 0, time.UTC)
		west, east := "", ""
		least, most := 24*3600, -24*3600
		for _, name := range names {
			zone, err := time.LoadLocation(name)
			if err != nil {
				continue // newer than this program's zones
			}
			_, offset := at.In(zone).Zone()
			if offset < least || offset == least && kept[name] && !kept[west] {
				west, least = name, offset
			}
			if offset > most || offset == most && kept[name] && !kept[east] {
				east, most = name, offset
			}
		}
		if west == "" || most-least > int(mostApart.Seconds()) {
			return ""
		}
		kept[west] = true
		if most > least {
			kept[east] = true
		}
	}
	var outer []string
	for name := range kept {
		outer = append(outer, name)
	}
	slices.Sort(outer)
	return strings.Join(outer, ",")
}

const zonesAtOnce = 2000

// FillZones asks the prefixes for phones that were written before this program knew of zones. It returns how many it has
// filled; less than 1 means that none is left.
func FillZones(ctx context.Context, tx postgres.Tx, company id.ID) (int, error) {
	q := New(tx)
	phones, err := q.zonelessPhones(ctx, company, zonesAtOnce)
	if err != nil {
		return 0, fmt.Errorf("finding phones without zones: %w", err)
	}
	if len(phones) == 0 {
		return 0, nil
	}
	ids, zones := make([]id.ID, len(phones)), make([]string, len(phones))
	for i, phone := range phones {
		ids[i], zones[i] = phone.ID, PhoneZones(phone.Value)
	}
	if err := q.setZones(ctx, company, ids, zones); err != nil {
		return 0, fmt.Errorf("keeping the zones of phones: %w", err)
	}
	return len(phones), nil
}
