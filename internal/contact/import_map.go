package contact

import (
	"fmt"
	"slices"
	"strings"
)

// Fields that a column may fill.
const (
	FieldSkip      = "skip"
	FieldPhone     = "phone"
	FieldName      = "name"
	FieldZone      = "zone"
	FieldTags      = "tags"
	FieldAttribute = "attribute"
)

// Target says which field a column fills.
type Target struct {
	Field     string `json:"field"`
	Attribute string `json:"attribute,omitempty"` // its name, for FieldAttribute
}

// titles are how columns are called in the files of other programs, in English, Portuguese, Spanish and Indonesian, as
// AttributeName writes them.
var titles = map[string]string{
	"phone": FieldPhone, "phone_number": FieldPhone, "phone_1_value": FieldPhone, "telephone": FieldPhone, "tel": FieldPhone, "mobile": FieldPhone,
	"mobile_number": FieldPhone, "mobile_phone": FieldPhone, "cell": FieldPhone, "cell_phone": FieldPhone, "msisdn": FieldPhone, "whatsapp": FieldPhone,
	"whatsapp_number": FieldPhone, "number": FieldPhone, "telefone": FieldPhone, "celular": FieldPhone, "fone": FieldPhone, "número": FieldPhone,
	"numero": FieldPhone, "teléfono": FieldPhone, "telefono": FieldPhone, "móvil": FieldPhone, "movil": FieldPhone, "telepon": FieldPhone,
	"nomor": FieldPhone, "nomor_hp": FieldPhone, "no_hp": FieldPhone, "hp": FieldPhone, "nomor_telepon": FieldPhone,
	"name": FieldName, "full_name": FieldName, "contact_name": FieldName, "customer_name": FieldName, "nome": FieldName, "nome_completo": FieldName,
	"nombre": FieldName, "nombre_completo": FieldName, "nama": FieldName, "nama_lengkap": FieldName,
	"zone": FieldZone, "time_zone": FieldZone, "timezone": FieldZone, "fuso": FieldZone, "fuso_horário": FieldZone, "zona_horaria": FieldZone, "zona_waktu": FieldZone,
	"tags": FieldTags, "tag": FieldTags, "labels": FieldTags, "etiquetas": FieldTags, "marcadores": FieldTags, "label": FieldTags,
}

// suggest guesses what each column holds: by its title, a phone also by its cells. What is not known becomes an attribute.
func suggest(columns []Column, noHeader bool) []Target {
	mapping, used := make([]Target, len(columns)), map[string]bool{}
	take := func(i int, field string) {
		mapping[i] = Target{Field: field}
		used[field] = true
	}
	for i, column := range columns {
		if field := titles[AttributeName(column.Title)]; field != "" && !used[field] && !noHeader {
			take(i, field)
		}
	}
	for i, column := range columns {
		filled := slices.DeleteFunc(slices.Clone(column.Samples), func(sample string) bool { return sample == "" })
		if !used[FieldPhone] && mapping[i].Field == "" && len(filled) > 0 && !slices.ContainsFunc(filled, func(sample string) bool { return !isPhone(sample) }) {
			take(i, FieldPhone)
		}
	}
	attributes := map[string]bool{}
	for i, column := range columns {
		name := AttributeName(column.Title)
		switch {
		case mapping[i].Field != "":
		case name == "" || builtin[name] || attributes[name] || len(attributes) >= MostAttributes || noHeader:
			mapping[i] = Target{Field: FieldSkip}
		default:
			attributes[name] = true
			mapping[i] = Target{FieldAttribute, name}
		}
	}
	return mapping
}

func mapped(mapping []Target, field string) bool {
	return slices.ContainsFunc(mapping, func(t Target) bool { return t.Field == field })
}

// checkMapping refuses a mapping that would fill a field twice, naming the column.
func checkMapping(columns []Column, mapping []Target) error {
	if len(mapping) != len(columns) {
		return InvalidError{"mapping", fmt.Sprintf("want one field for each of the %d columns", len(columns))}
	}
	filled, attributes := map[Target]string{}, 0
	for i, target := range mapping {
		field := fmt.Sprintf("mapping[%d]", i)
		switch target.Field {
		case FieldSkip:
			continue
		case FieldPhone, FieldName, FieldZone, FieldTags:
			target.Attribute = ""
		case FieldAttribute:
			if name := AttributeName(target.Attribute); name == "" || name != target.Attribute || builtin[name] {
				return InvalidError{field + ".attribute", "use lower-case letters, digits and _, at most 40, and not name, phone, zone or tags"}
			}
			if attributes++; attributes > MostAttributes {
				return InvalidError{field, fmt.Sprintf("a contact has at most %d fields of its own; skip some columns", MostAttributes)}
			}
		default:
			return InvalidError{field + ".field", "want skip, phone, name, zone, tags or attribute"}
		}
		if other, twice := filled[target]; twice {
			return InvalidError{field, "fills the same field as the column “" + other + "”; skip one of them"}
		}
		filled[target] = columns[i].Title
	}
	return nil
}

func checkOptions(options ImportOptions) (ImportOptions, error) {
	if options.Region = strings.ToUpper(options.Region); options.Region != "" && !ValidRegion(options.Region) {
		return options, InvalidError{"options.region", "is not a country such as BR"}
	}
	clean, err := cleanTags(options.Tags)
	if err != nil {
		return options, InvalidError{"options.tags", err.(InvalidError).Reason}
	}
	options.Tags = clean
	return options, nil
}
