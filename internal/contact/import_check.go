package contact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

const (
	checkRows    = 5000 // looked up at a time
	previewBad   = 50
	previewKinds = 20 // of zones and of reasons
)

// Preview is what a run would do, counted over the whole file.
type Preview struct {
	Rows       int `json:"rows"`
	New        int `json:"new"`
	Known      int `json:"known"`
	Duplicates int `json:"duplicates"`
	Refused    int `json:"refused"`

	Zones   []Share `json:"zones"`   // of new and known contacts, by the file's zone column or the number; "" : the company's
	Reasons []Share `json:"reasons"` // why rows are refused
	Bad     []Bad   `json:"bad"`     // the first refused rows
}

// Share is a word and how many rows it stands for.
type Share struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
}

// Bad is one refused row, without its cells.
type Bad struct {
	Row    int    `json:"row"`
	Title  string `json:"title"`
	Reason string `json:"reason"`
}

// errMoved ends work on an import that somebody has taken elsewhere: the next look sees where.
var errMoved = errors.New("the import has moved on")

// CheckImport reads the whole file as its mapping says and keeps what a run would do. It does nothing
// for an import that is elsewhere by now.
func CheckImport(ctx context.Context, db *postgres.DB, company, wanted id.ID) error {
	c := checker{db: db, company: company, zones: map[string]int{}, reasons: map[string]int{}}
	err := c.in(ctx, func(tx postgres.Tx) (err error) {
		c.of, err = GetImport(ctx, tx, company, wanted)
		return err
	})
	if errors.Is(err, ErrNoImport) || err == nil && c.of.State != ImportUploaded {
		return nil
	}
	if err == nil {
		err = c.run(ctx)
	}
	if errors.Is(err, errMoved) || errors.Is(err, ErrNoImport) {
		return nil
	}
	return err
}

type checker struct {
	db      *postgres.DB
	company id.ID
	of      Import
	preview Preview
	seen    seen
	phones  []string
	zones   map[string]int
	reasons map[string]int
}

func (c *checker) in(ctx context.Context, do func(postgres.Tx) error) error {
	return c.db.InCompany(ctx, c.company, do)
}

func (c *checker) run(ctx context.Context) error {
	in, err := newIntake(&chunks{ctx: ctx, db: c.db, company: c.company, of: c.of.ID}, c.of)
	if err != nil {
		return err
	}
	for {
		read, err := in.raw()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		c.take(in.read(read))
		if c.preview.Rows%checkRows == 0 {
			if err := c.lookUp(ctx); err != nil {
				return err
			}
		}
	}
	if err := c.lookUp(ctx); err != nil {
		return err
	}
	c.preview.Zones, c.preview.Reasons = largest(c.zones), largest(c.reasons)
	return c.in(ctx, func(tx postgres.Tx) error {
		if err := c.current(lockImport(ctx, tx, c.company, c.of.ID)); err != nil {
			return err
		}
		if err := New(tx).setPreview(ctx, asJSON(c.preview), c.company, c.of.ID); err != nil {
			return fmt.Errorf("keeping an import's preview: %w", err)
		}
		return nil
	})
}

func (c *checker) take(e *entry, refused *Refused) {
	c.preview.Rows++
	switch {
	case refused != nil:
		c.preview.Refused++
		c.reasons[refused.Reason]++
		if len(c.preview.Bad) < previewBad {
			c.preview.Bad = append(c.preview.Bad, Bad{refused.Row, refused.Title, refused.Reason})
		}
	case c.seen.add(e.phone):
		c.preview.Duplicates++
	default:
		c.phones = append(c.phones, e.phone)
		c.zones[cmp.Or(e.zone, e.zones)]++
	}
}

func (c *checker) lookUp(ctx context.Context) error {
	return c.in(ctx, func(tx postgres.Tx) error {
		if err := c.current(GetImport(ctx, tx, c.company, c.of.ID)); err != nil {
			return err
		}
		known, err := New(tx).knownPhones(ctx, c.company, c.phones)
		if err != nil {
			return fmt.Errorf("looking up phones: %w", err)
		}
		c.preview.Known += len(known)
		c.preview.New += len(c.phones) - len(known)
		c.phones = c.phones[:0]
		return nil
	})
}

// current gives the work up when the columns have been chosen anew.
func (c *checker) current(now Import, err error) error {
	if err == nil && (now.State != ImportUploaded || now.Version != c.of.Version) {
		return errMoved
	}
	return err
}

func largest(counts map[string]int) []Share {
	shares := []Share{}
	for name, rows := range counts {
		shares = append(shares, Share{name, rows})
	}
	slices.SortFunc(shares, func(a, b Share) int { return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Name, b.Name)) })
	return shares[:min(len(shares), previewKinds)]
}

// seen remembers phones in 16 MiB whatever their number: a Bloom filter. It never forgets one; with five million in it, it
// takes a new one for an old one about once in 50,000. Only the preview counts by it; a run asks the database.
type seen struct {
	bits []uint64
	a, b maphash.Seed
}

const seenBits = 1 << 27

func (s *seen) add(phone string) bool {
	if s.bits == nil {
		s.bits, s.a, s.b = make([]uint64, seenBits/64), maphash.MakeSeed(), maphash.MakeSeed()
	}
	first, step := maphash.String(s.a, phone), maphash.String(s.b, phone)|1
	there := true
	for range 8 {
		word, bit := first%seenBits/64, uint64(1)<<(first%64)
		there = there && s.bits[word]&bit != 0
		s.bits[word] |= bit
		first += step
	}
	return there
}
