package pace

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

var known sync.Map // name → *time.Location: reading one costs more than a decision

// Zone returns an IANA zone. Errors say what a zone's name looks like.
func Zone(name string) (*time.Location, error) {
	if zone, ok := known.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is no time zone; choose one such as America/Sao_Paulo", name)
	}
	known.Store(name, zone)
	return zone, nil
}

// Zones reads a zone set: names joined by commas.
func Zones(names string) ([]*time.Location, error) {
	var zones []*time.Location
	for name := range strings.SplitSeq(names, ",") {
		zone, err := Zone(name)
		if err != nil {
			return nil, err
		}
		zones = append(zones, zone)
	}
	return zones, nil
}

// Place is how people call a zone: the city in its name.
func Place(zone *time.Location) string {
	name := zone.String()
	city := name[strings.LastIndexByte(name, '/')+1:]
	if proper, ok := accents[city]; ok {
		return proper
	}
	return strings.ReplaceAll(city, "_", " ")
}

// accents are what IANA's names leave out.
var accents = map[string]string{"Sao_Paulo": "São Paulo", "Belem": "Belém", "Maceio": "Maceió", "Cuiaba": "Cuiabá", "Araguaina": "Araguaína",
	"Santarem": "Santarém", "Bogota": "Bogotá", "Asuncion": "Asunción", "Merida": "Mérida", "Cancun": "Cancún", "Mazatlan": "Mazatlán"}
