package graph

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"omnidesk/internal/sandbox/world"
)

// Wrote is one thing that a person writes to a number, or does to an earlier message.
type Wrote struct {
	Number    string          `json:"number_id"` // when empty, that of the message it is about
	Name      string          `json:"name"`      // the name the person gives itself; empty keeps the one known
	Kind      string          `json:"kind"`      // see kinds; text when empty
	Text      string          `json:"text"`      // words, a caption, the emoji of a reaction
	About     string          `json:"about"`     // the provider's id of the message that it answers, or is about
	Option    string          `json:"option"`    // of a choice: the id of one of the options that About offers
	Media     string          `json:"media_id"`
	Location  *world.Location `json:"location"`
	Cards     []world.Card    `json:"contacts"`
	Forwarded bool            `json:"forwarded"`
}

// Write lets a person write to a number and returns the message's id. What is a message opens the 24-hour window.
func (s *Server) Write(phone string, wrote Wrote) (string, error) {
	if !isDigits(phone) {
		return "", errors.New("a phone is digits without a plus sign")
	}
	about, found := s.lineOf(phone, wrote.About)
	if wrote.About != "" && !found {
		return "", fmt.Errorf("about: the phone has no message %q", wrote.About)
	}
	number := s.registry.number(cmp.Or(wrote.Number, about.Number))
	if number == nil {
		return "", fmt.Errorf("number_id: the sandbox has no number %q", wrote.Number)
	}
	wrote.Kind = cmp.Or(wrote.Kind, "text")
	part, known := parts[wrote.Kind]
	if !known {
		return "", fmt.Errorf("kind: %q is none of %s", wrote.Kind, strings.Join(Kinds(), ", "))
	}
	line := world.Line{Number: number.ID, Kind: wrote.Kind, Text: wrote.Text, About: wrote.About, Location: wrote.Location, Cards: wrote.Cards, Forwarded: wrote.Forwarded}
	said, err := part(s, number, &line, &about, wrote)
	if err != nil {
		return "", err
	}
	if err := s.change(phone, wrote, &about); err != nil {
		return "", err
	}
	now := time.Now()
	if _, err := s.world.People.Wrote(phone, number.ID, userIDOf(number.AccountID, phone), wrote.Name, now); err != nil {
		return "", err
	}
	line.ProviderID, line.At = s.newID(phone), now
	if !slices.Contains([]string{"reaction", "edit", "delete"}, wrote.Kind) {
		s.world.People.Add(phone, line)
	}
	s.tell(event{number: number, kind: inbound, phone: phone, who: s.identify(number, phone), wamid: line.ProviderID, at: now, part: said}, now)
	return line.ProviderID, nil
}

// Reply lets a person write a text.
func (s *Server) Reply(phone, numberID, name, text string) error {
	_, err := s.Write(phone, Wrote{Number: numberID, Name: name, Text: text})
	return err
}

func (s *Server) lineOf(phone, providerID string) (world.Line, bool) {
	for _, line := range s.world.People.Get(phone).Lines {
		if line.ProviderID == providerID && providerID != "" {
			return line, true
		}
	}
	return world.Line{}, false
}

// change does to an earlier line what a reaction, an edit or a deletion does. The last two are about the person's own lines.
func (s *Server) change(phone string, wrote Wrote, about *world.Line) error {
	switch wrote.Kind {
	case "reaction":
		s.world.People.Edit(phone, about.ProviderID, func(line *world.Line) { line.Mine = wrote.Text })
	case "edit", "delete":
		if about.In || about.Deleted {
			return errors.New("about: people change only messages that they have written and not deleted")
		}
		s.world.People.Edit(phone, about.ProviderID, func(line *world.Line) {
			if wrote.Kind == "delete" {
				*line = world.Line{Number: line.Number, ProviderID: line.ProviderID, At: line.At, Deleted: true}
				return
			}
			line.Text, line.Edited = wrote.Text, true
		})
	}
	return nil
}

// Kinds are what a person can write, in order.
func Kinds() []string {
	kinds := make([]string, 0, len(parts))
	for kind := range parts {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// parts make the JSON of each kind: the members of a message from its context and type on, without braces.
var parts = map[string]func(s *Server, number *bound, line, about *world.Line, wrote Wrote) ([]byte, error){
	"text": sayText, "image": sayFile, "video": sayFile, "audio": sayFile, "voice": sayFile, "document": sayFile, "sticker": sayFile,
	"location": sayLocation, "contacts": sayCards, "choice": sayChoice, "reaction": sayReaction, "edit": sayEdit, "delete": sayDelete, "unsupported": sayUnsupported,
}

// opened begins a message: the context of an answer or of something forwarded, and the type.
func opened(number *bound, line, about *world.Line, kind string) []byte {
	var dst []byte
	switch {
	case line.Forwarded:
		dst = append(dst, `"context":{"forwarded":true},`...)
	case about.ProviderID != "":
		dst = append(dst, `"context":{"from":`...)
		dst = world.AppendJSON(dst, digits(number.Display))
		dst = append(dst, `,"id":`...)
		dst = world.AppendJSON(dst, about.ProviderID)
		dst = append(dst, `},`...)
	}
	dst = append(dst, `"type":`...)
	dst = world.AppendJSON(dst, kind)
	if kind == "unsupported" {
		return dst
	}
	dst = append(dst, ',')
	dst = world.AppendJSON(dst, kind)
	return append(dst, ':')
}

// object writes pairs of names and texts as JSON. Empty texts are left out.
func object(dst []byte, pairs ...string) []byte {
	dst = append(dst, '{')
	first := true
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = world.AppendJSON(dst, pairs[i])
		dst = append(dst, ':')
		dst = appendASCII(dst, pairs[i+1])
	}
	return append(dst, '}')
}

func sayText(_ *Server, number *bound, line, about *world.Line, wrote Wrote) ([]byte, error) {
	if strings.TrimSpace(wrote.Text) == "" {
		return nil, errors.New("text: write something")
	}
	return object(opened(number, line, about, "text"), "body", wrote.Text), nil
}

// fitting tells whether media may be sent as a kind.
var fitting = map[string]*regexp.Regexp{
	"image": regexp.MustCompile(`^image/(jpeg|png)$`), "video": regexp.MustCompile(`^video/(mp4|3gpp)$`), "audio": regexp.MustCompile(`^audio/`),
	"voice": regexp.MustCompile(`^audio/ogg`), "sticker": regexp.MustCompile(`^image/webp$`), "document": regexp.MustCompile(`.`),
}

func sayFile(s *Server, number *bound, line, about *world.Line, wrote Wrote) ([]byte, error) {
	media, err := s.world.Store.Media(wrote.Media)
	if err != nil {
		return nil, fmt.Errorf("media_id: upload the file with POST /sandbox/media first: %w", err)
	}
	if !fitting[wrote.Kind].MatchString(media.MIME) {
		return nil, fmt.Errorf("media_id: a file of type %s is no %s", media.MIME, wrote.Kind)
	}
	line.Media = &media
	sum, err := hex.DecodeString(media.SHA256)
	if err != nil {
		return nil, fmt.Errorf("reading the hash of media: %w", err)
	}
	pairs := []string{"caption", wrote.Text, "mime_type", media.MIME, "sha256", base64.StdEncoding.EncodeToString(sum), "id", media.ID}
	kind, flag := wrote.Kind, ""
	switch kind {
	case "document":
		pairs = append(pairs, "filename", cmp.Or(media.Name, "file"))
	case "voice", "audio":
		flag = map[string]string{"voice": `,"voice":true}`, "audio": `,"voice":false}`}[kind]
		kind, pairs[1], line.Text = "audio", "", ""
	case "sticker":
		flag, pairs[1], line.Text = `,"animated":false}`, "", ""
	}
	said := object(opened(number, line, about, kind), pairs...)
	if flag != "" {
		said = append(said[:len(said)-1], flag...)
	}
	return said, nil
}

func sayLocation(_ *Server, number *bound, line, about *world.Line, wrote Wrote) ([]byte, error) {
	at := wrote.Location
	if at == nil || at.Latitude < -90 || at.Latitude > 90 || at.Longitude < -180 || at.Longitude > 180 {
		return nil, errors.New("location: latitude from -90 to 90 and longitude from -180 to 180 are needed")
	}
	line.Text = ""
	said := fmt.Appendf(opened(number, line, about, "location"), `{"latitude":%g,"longitude":%g`, at.Latitude, at.Longitude)
	if rest := object(nil, "name", at.Name, "address", at.Address); len(rest) > 2 {
		said = append(append(said, ','), rest[1:len(rest)-1]...)
	}
	return append(said, '}'), nil
}

func sayCards(_ *Server, number *bound, line, about *world.Line, wrote Wrote) ([]byte, error) {
	line.Text = ""
	said := append(opened(number, line, about, "contacts"), '[')
	for i, card := range wrote.Cards {
		if card.Name == "" {
			return nil, errors.New("contacts: each needs a name")
		}
		if i > 0 {
			said = append(said, ',')
		}
		first, _, _ := strings.Cut(card.Name, " ")
		said = append(said, `{"name":`...)
		said = object(said, "formatted_name", card.Name, "first_name", first)
		if card.Phone != "" {
			said = append(object(append(said, `,"phones":[`...), "phone", card.Phone, "wa_id", digits(card.Phone), "type", "CELL"), ']')
		}
		if card.Email != "" {
			said = append(object(append(said, `,"emails":[`...), "email", card.Email, "type", "HOME"), ']')
		}
		said = append(said, '}')
	}
	if len(wrote.Cards) == 0 {
		return nil, errors.New("contacts: at least one is needed")
	}
	return append(said, ']'), nil
}

func sayChoice(_ *Server, number *bound, line, about *world.Line, wrote Wrote) ([]byte, error) {
	at := slices.IndexFunc(about.Options, func(option world.Option) bool { return option.ID == wrote.Option })
	if at < 0 {
		return nil, fmt.Errorf("option: the message offers no %q", wrote.Option)
	}
	chosen := about.Options[at]
	line.Text = chosen.Title
	switch about.Kind {
	case "template":
		return object(opened(number, line, about, "button"), "payload", chosen.ID, "text", chosen.Title), nil
	case "list":
		said := append(opened(number, line, about, "interactive"), `{"type":"list_reply","list_reply":`...)
		return append(object(said, "id", chosen.ID, "title", chosen.Title, "description", chosen.Description), '}'), nil
	}
	said := append(opened(number, line, about, "interactive"), `{"type":"button_reply","button_reply":`...)
	return append(object(said, "id", chosen.ID, "title", chosen.Title), '}'), nil
}

func sayReaction(_ *Server, number *bound, line, about *world.Line, wrote Wrote) ([]byte, error) {
	if about.ProviderID == "" {
		return nil, errors.New("about: name the message that the reaction is on")
	}
	return object(opened(number, line, &world.Line{}, "reaction"), "message_id", about.ProviderID, "emoji", wrote.Text), nil
}

func sayEdit(_ *Server, number *bound, line, about *world.Line, wrote Wrote) ([]byte, error) {
	if about.ProviderID == "" || strings.TrimSpace(wrote.Text) == "" {
		return nil, errors.New("about and text: name the message and say what it says now")
	}
	kind := cmp.Or(about.Kind, "text")
	if kind != "text" && kind != "image" && kind != "video" && kind != "document" {
		return nil, fmt.Errorf("about: a message of the kind %s can't be edited", kind)
	}
	said := append(opened(number, line, &world.Line{}, "edit"), `{"original_message_id":`...)
	said = world.AppendJSON(said, about.ProviderID)
	said = append(said, `,"message":{"type":`...)
	said = world.AppendJSON(said, kind)
	said = world.AppendJSON(append(said, ','), kind)
	said = append(said, ':')
	if kind == "text" {
		said = object(said, "body", wrote.Text)
	} else {
		said = object(said, "caption", wrote.Text, "mime_type", about.Media.MIME, "id", about.Media.ID)
	}
	return append(said, `}}`...), nil
}

func sayDelete(_ *Server, number *bound, line, about *world.Line, _ Wrote) ([]byte, error) {
	if about.ProviderID == "" {
		return nil, errors.New("about: name the message")
	}
	return object(opened(number, line, &world.Line{}, "revoke"), "original_message_id", about.ProviderID), nil
}

func sayUnsupported(_ *Server, number *bound, line, about *world.Line, _ Wrote) ([]byte, error) {
	line.Text = ""
	return append(opened(number, line, about, "unsupported"),
		`,"errors":[{"code":131051,"title":"Message type unknown","message":"Message type unknown","error_data":{"details":"Message type is currently not supported."}}]`...), nil
}
