package world

import (
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

// Line is one message on a phone.
type Line struct {
	In         bool      `json:"in"`     // received by the phone; otherwise the person wrote it
	Number     string    `json:"number"` // the business number's id at the provider
	ProviderID string    `json:"provider_id"`
	ID         string    `json:"id"` // what the client sent along
	Text       string    `json:"text"`
	At         time.Time `json:"at"`
	Status     string    `json:"status"` // the last one told
}

// Phone is one simulated contact with its latest messages, oldest first.
type Phone struct {
	Phone   string    `json:"phone"`
	Name    string    `json:"name"`
	Blocked bool      `json:"blocked"`
	Last    time.Time `json:"last"`
	Lines   []Line    `json:"lines"`
}

// person is what survives a restart of a contact who did something.
type person struct {
	Name    string               `json:"name,omitempty"`
	Blocked bool                 `json:"blocked,omitempty"`
	Wrote   map[string]time.Time `json:"wrote,omitempty"` // business number → the last message to it
}

// People are the simulated contacts. Threads live in memory, for a limited number of phones; names, blocks
// and 24-hour windows are saved.
type People struct {
	path    string
	shards  [shardCount]shard
	blocked atomic.Int64

	mu      sync.RWMutex
	persons map[string]*person
}

type shard struct {
	mu     sync.Mutex
	phones map[string]*Phone
	order  []string // by first sight, for forgetting
}

// LoadPeople reads the people saved at path; an empty path keeps them in memory alone.
func LoadPeople(path string) (*People, error) {
	p := &People{path: path, persons: map[string]*person{}}
	if err := Load(path, &p.persons); err != nil {
		return nil, err
	}
	for _, one := range p.persons {
		if one.Blocked {
			p.blocked.Add(1)
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

// Blocked tells whether a person blocks the businesses.
func (p *People) Blocked(phone string) bool {
	if p.blocked.Load() == 0 {
		return false
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	one := p.persons[phone]
	return one != nil && one.Blocked
}

// Block sets whether a person blocks the businesses.
func (p *People) Block(phone string, blocked bool) error {
	return p.change(phone, func(one *person) {
		if one.Blocked != blocked {
			one.Blocked = blocked
			p.blocked.Add(map[bool]int64{true: 1, false: -1}[blocked])
		}
	})
}

// Wrote notes that a person wrote to a number, which opens the 24-hour window, and returns the person's name.
// A name given replaces the one known.
func (p *People) Wrote(phone, number, name string, at time.Time) (string, error) {
	err := p.change(phone, func(one *person) {
		if name != "" {
			one.Name = name
		}
		if one.Wrote == nil {
			one.Wrote = map[string]time.Time{}
		}
		one.Wrote[number] = at
	})
	return p.Name(phone), err
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
		phones[i].Name, phones[i].Blocked = p.Name(phones[i].Phone), p.Blocked(phones[i].Phone)
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
	found.Name, found.Blocked = p.Name(phone), p.Blocked(phone)
	return found
}

func (p *People) shardOf(phone string) *shard { return &p.shards[Hash(0, phone)%shardCount] }
