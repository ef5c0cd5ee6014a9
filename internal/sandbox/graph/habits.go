package graph

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"omnidesk/internal/sandbox/world"
)

// Block sets whether a person blocks the businesses: what is sent to it fails.
func (s *Server) Block(phone string, blocked bool) error {
	return s.world.People.Change(phone, func(h *world.Habits) { h.Blocked = blocked })
}

// Online sets whether a phone has a network. What is sent to one that has none stays at sent, and is delivered and read when
// it is back.
func (s *Server) Online(phone string, online bool) error {
	if err := s.world.People.Change(phone, func(h *world.Habits) { h.Offline = !online }); err != nil || !online {
		return err
	}
	now := time.Now()
	for _, one := range s.away.release(phone) {
		one.at = now
		s.tell(one, now)
		now = now.Add(time.Second) // delivered, then read
	}
	return nil
}

// Hide sets the username behind which a person hides the phone from businesses, or shows it again with an empty one.
func (s *Server) Hide(phone, username string) error {
	return s.world.People.Change(phone, func(h *world.Habits) { h.Hidden = username })
}

// Marketing sets whether a person takes marketing, and tells the numbers that it has written to.
func (s *Server) Marketing(phone string, wanted bool) error {
	if err := s.world.People.Change(phone, func(h *world.Habits) { h.Silent = !wanted }); err != nil {
		return err
	}
	now := time.Now()
	value, detail := "stop", "User requested to stop marketing messages"
	if wanted {
		value, detail = "resume", "User requested to resume marketing messages"
	}
	for _, number := range s.writtenTo(phone) {
		who := s.identify(number, phone)
		item := object(nil, "wa_id", who.phone, "user_id", who.userID, "detail", detail, "category", "marketing_messages", "value", value)
		item = append(strconv.AppendInt(append(item[:len(item)-1], `,"timestamp":`...), now.Unix(), 10), '}')
		s.tell(event{number: number, kind: preference, phone: phone, who: who, at: now, part: item}, now)
	}
	return nil
}

// Move gives a person another phone number and tells the numbers that it has written to. The user ids change with it.
func (s *Server) Move(from, to string) error {
	if !isDigits(to) || len(to) < 5 || len(to) > 15 {
		return errors.New("to: a phone is 5 to 15 digits without a plus sign")
	}
	numbers := s.writtenTo(from)
	before := make([]identity, len(numbers))
	for i, number := range numbers {
		before[i] = s.identify(number, from)
	}
	if err := s.world.People.Move(from, to); err != nil {
		return err
	}
	now := time.Now()
	for i, number := range numbers {
		was, is := before[i], s.identify(number, to)
		kind, change := "user_changed_number", fmt.Sprintf("User %s changed from %s to %s", was.name, was.phone, is.phone)
		if was.phone == "" {
			kind, change = "user_changed_user_id", fmt.Sprintf("User %s changed from %s to %s", was.name, was.userID, is.userID)
		}
		part := object([]byte(`"type":"system","system":`), "body", change, "wa_id", is.phone, "user_id", is.userID, "type", kind)
		s.tell(event{number: number, kind: inbound, phone: to, who: was, wamid: s.newID(to), at: now, part: part}, now)
	}
	return nil
}

func (s *Server) writtenTo(phone string) []*bound {
	var numbers []*bound
	for _, id := range s.world.People.WrittenTo(phone) {
		if number := s.registry.number(id); number != nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// Hurry posts at once what was refused and waits for its next try.
func (s *Server) Hurry() { s.hooks.Hurry() }
