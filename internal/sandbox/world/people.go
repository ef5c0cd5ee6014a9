package world

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

const (
	shardCount      = 32
	phonesPerShard  = 64 // 2,048 phones are shown; older ones are forgotten
	linesPerPhone   = 50
	windowOpensFor  = 24 * time.Hour
	defaultNickname = "Sandbox contact"
)

// Phone is one simulated contact with its latest messages, oldest first.
type Phone struct {
	Phone   string    `json:"phone"`
	Name    string    `json:"name"`
	Blocked bool      `json:"blocked"`
	Offline bool      `json:"offline,omitempty"`
	Silent  bool      `json:"no_marketing,omitempty"` // has asked WhatsApp for no more marketing
	Hidden  string    `json:"username,omitempty"`     // set: businesses get this and a user id instead of the phone
	Last    time.Time `json:"last"`
	Lines   []Line    `json:"lines"`
}

// person is what survives a restart of a contact who did something.
type person struct {
	Name    string               `json:"name,omitempty"`
	Blocked bool                 `json:"blocked,omitempty"`
	Offline bool                 `json:"offline,omitempty"`
	Silent  bool                 `json:"no_marketing,omitempty"`
	Hidden  string               `json:"username,omitempty"`
	UserIDs []string             `json:"user_ids,omitempty"` // under which businesses know the person
	Wrote   map[string]time.Time `json:"wrote,omitempty"`    // business number → the last message to it
}

// odd tells whether the person behaves in a way that each message to it must heed.
func (p *person) odd() bool { return p.Blocked || p.Offline || p.Silent || p.Hidden != "" }

// People are the simulated contacts. Threads live in memory, for a limited number of phones; names, blocks
// and 24-hour windows are saved.
type People struct {
	path   string
	shards [shardCount]shard
	odd    atomic.Int64 // while there are none, a message takes no lock for it

	mu      sync.RWMutex
	persons map[string]*person
	known   map[string]string // user id → phone
}

type shard struct {
	mu     sync.Mutex
	phones map[string]*Phone
	order  []string // by first sight, for forgetting
}

// LoadPeople reads the people saved at path; an empty path keeps them in memory alone.
func LoadPeople(path string) (*People, error) {
	p := &People{path: path, persons: map[string]*person{}, known: map[string]string{}}
	if err := Load(path, &p.persons); err != nil {
		return nil, err
	}
	for phone, one := range p.persons {
		if one.odd() {
			p.odd.Add(1)
		}
		for _, userID := range one.UserIDs {
			p.known[userID] = phone
		}
	}
	return p, nil
}

// Add puts a line on a phone.
func (p *People) Add(phone string, line Line) {
	s := p.shardOf(phone)
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.phones[phone]
	if one == nil {
		if len(s.order) >= phonesPerShard {
			delete(s.phones, s.order[0])
			s.order = append(s.order[:0], s.order[1:]...)
		}
		if s.phones == nil {
			s.phones = map[string]*Phone{}
		}
		one = &Phone{Phone: phone}
		s.phones[phone] = one
		s.order = append(s.order, phone)
	}
	if len(one.Lines) >= linesPerPhone {
		one.Lines = append(one.Lines[:0], one.Lines[1:]...)
	}
	one.Lines = append(one.Lines, line)
	one.Last = line.At
}

// rank orders the statuses of a line; a status told late does not take a later one back.
var rank = map[string]int{"": 0, "accepted": 1, "sent": 2, "failed": 3, "delivered": 4, "read": 5}

// Mark notes a status on the line of a message.
func (p *People) Mark(phone, providerID, status string) {
	s := p.shardOf(phone)
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.phones[phone]
	if one == nil {
		return
	}
	for i := len(one.Lines) - 1; i >= 0; i-- {
		if line := &one.Lines[i]; line.ProviderID == providerID {
			if rank[status] > rank[line.Status] {
				line.Status = status
			}
			return
		}
	}
}

// Habits are how a person takes what businesses send.
type Habits struct {
	Blocked bool   // gets nothing
	Offline bool   // gets it later
	Silent  bool   // gets no marketing
	Hidden  string // the username that is shown instead of the phone; empty: the phone is
}

// Habits of a person.
func (p *People) Habits(phone string) Habits {
	if p.odd.Load() == 0 {
		return Habits{}
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if one := p.persons[phone]; one != nil {
		return Habits{one.Blocked, one.Offline, one.Silent, one.Hidden}
	}
	return Habits{}
}

// Change edits the habits of a person.
func (p *People) Change(phone string, edit func(*Habits)) error {
	return p.change(phone, func(one *person) {
		h := Habits{one.Blocked, one.Offline, one.Silent, one.Hidden}
		before := one.odd()
		edit(&h)
		one.Blocked, one.Offline, one.Silent, one.Hidden = h.Blocked, h.Offline, h.Silent, h.Hidden
		if after := one.odd(); after != before {
			p.odd.Add(map[bool]int64{true: 1, false: -1}[after])
		}
	})
}

// Wrote notes that a person wrote to a number, which opens the 24-hour window, under which user id the business knows it
// from now on, and returns the person's name. A name given replaces the one known.
func (p *People) Wrote(phone, number, userID, name string, at time.Time) (string, error) {
	err := p.change(phone, func(one *person) {
		if name != "" {
			one.Name = name
		}
		if one.Wrote == nil {
			one.Wrote = map[string]time.Time{}
		}
		one.Wrote[number] = at
		if userID != "" && !slices.Contains(one.UserIDs, userID) {
			one.UserIDs = append(one.UserIDs, userID)
			p.known[userID] = phone
		}
	})
	return p.Name(phone), err
}

// PhoneOf returns the phone of a person whom a business knows by a user id.
func (p *People) PhoneOf(userID string) (phone string, known bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	phone, known = p.known[userID]
	return phone, known
}

// WrittenTo returns the business numbers that a person has written to, in order.
func (p *People) WrittenTo(phone string) []string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if one := p.persons[phone]; one != nil {
		return slices.Sorted(maps.Keys(one.Wrote))
	}
	return nil
}

// Move gives a person another phone number: the thread goes along, user ids and open windows do not. The new number must be
// nobody's.
func (p *People) Move(from, to string) error {
	thread := p.Get(from)
	if taken := p.Get(to); len(taken.Lines) > 0 {
		return fmt.Errorf("+%s is somebody else's number", to)
	}
	for _, line := range thread.Lines {
		p.Add(to, line)
	}
	s := p.shardOf(from)
	s.mu.Lock()
	delete(s.phones, from)
	s.order = slices.DeleteFunc(s.order, func(phone string) bool { return phone == from })
	s.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.persons[from]; one != nil {
		for _, userID := range one.UserIDs {
			delete(p.known, userID)
		}
		one.UserIDs, one.Wrote = nil, nil
		p.persons[to] = one
		delete(p.persons, from)
	}
	return Save(p.path, p.persons)
}

// Edit changes a line, and tells whether it was found.
func (p *People) Edit(phone, providerID string, edit func(*Line)) bool {
	s := p.shardOf(phone)
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.phones[phone]
	if one == nil {
		return false
	}
	for i := range one.Lines {
		if one.Lines[i].ProviderID == providerID {
			edit(&one.Lines[i])
			return true
		}
	}
	return false
}

// WindowOpen tells whether a number may write free text to a person.
func (p *People) WindowOpen(phone, number string, now time.Time) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	one := p.persons[phone]
	return one != nil && now.Sub(one.Wrote[number]) < windowOpensFor
}

// Name returns the name a person gave itself.
func (p *People) Name(phone string) string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if one := p.persons[phone]; one != nil && one.Name != "" {
		return one.Name
	}
	return defaultNickname
}

func (p *People) change(phone string, change func(*person)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.persons[phone]
	if one == nil {
		one = &person{}
		p.persons[phone] = one
	}
	change(one)
	return Save(p.path, p.persons)
}

// List returns the phones that got or wrote something lately, the latest first, with their last line alone.
func (p *People) List(limit int) []Phone {
	phones := []Phone{}
	for i := range p.shards {
		s := &p.shards[i]
		s.mu.Lock()
		for _, one := range s.phones {
			short := *one
			short.Lines = append([]Line(nil), one.Lines[len(one.Lines)-1])
			phones = append(phones, short)
		}
		s.mu.Unlock()
	}
	sort.Slice(phones, func(i, j int) bool {
		if !phones[i].Last.Equal(phones[j].Last) {
			return phones[i].Last.After(phones[j].Last)
		}
		return phones[i].Phone < phones[j].Phone
	})
	phones = phones[:min(limit, len(phones))]
	for i := range phones {
		p.describe(&phones[i])
	}
	return phones
}

// Get returns a phone with its thread. A phone never seen has an empty one.
func (p *People) Get(phone string) Phone {
	s := p.shardOf(phone)
	s.mu.Lock()
	found := Phone{Phone: phone, Lines: []Line{}}
	if one := s.phones[phone]; one != nil {
		found.Last = one.Last
		found.Lines = append(found.Lines, one.Lines...)
	}
	s.mu.Unlock()
	p.describe(&found)
	return found
}

func (p *People) describe(phone *Phone) {
	habits := p.Habits(phone.Phone)
	phone.Name, phone.Blocked, phone.Offline, phone.Silent, phone.Hidden = p.Name(phone.Phone), habits.Blocked, habits.Offline, habits.Silent, habits.Hidden
}

func (p *People) shardOf(phone string) *shard { return &p.shards[Hash(0, phone)%shardCount] }
