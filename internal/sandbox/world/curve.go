package world

import (
	"errors"
	"sync/atomic"
	"time"
)

// Curve says which statuses follow an accepted message, and when. A phone behaves the same in each run with
// the same seed.
type Curve struct {
	Off              bool    `json:"off"`                // send no statuses at all
	SentAfterMS      int     `json:"sent_after_ms"`      // counted from acceptance
	DeliveredAfterMS int     `json:"delivered_after_ms"` // counted from sent
	ReadAfterMS      int     `json:"read_after_ms"`      // counted from delivered
	ReadShare        float64 `json:"read_share"`         // of those delivered
	FailedShare      float64 `json:"failed_share"`       // of those accepted; they fail instead of being sent
	Jitter           float64 `json:"jitter"`             // each wait is stretched by up to this share of itself
	DuplicateShare   float64 `json:"duplicate_share"`    // of the statuses are told twice
	LateShare        float64 `json:"late_share"`         // of the statuses are told LateByMS after their time
	LateByMS         int     `json:"late_by_ms"`
	Shuffle          bool    `json:"shuffle"` // tell a message's statuses in random order, all at the time of the last
	Seed             uint64  `json:"seed"`
}

// DefaultCurve is quick enough to watch and slow enough to see each tick.
var DefaultCurve = Curve{
	SentAfterMS: 50, DeliveredAfterMS: 800, ReadAfterMS: 3000, ReadShare: 0.7, Jitter: 0.5, LateByMS: 30_000,
}

// Validate returns an error that names what does not fit.
func (c Curve) Validate() error {
	for _, share := range []float64{c.ReadShare, c.FailedShare, c.DuplicateShare, c.LateShare} {
		if share < 0 || share > 1 {
			return errors.New("read_share, failed_share, duplicate_share and late_share must be from 0 to 1")
		}
	}
	if c.SentAfterMS < 0 || c.DeliveredAfterMS < 0 || c.ReadAfterMS < 0 || c.LateByMS < 0 || c.Jitter < 0 {
		return errors.New("times and jitter can't be negative")
	}
	return nil
}

// Tick is one status of a message: what happened at At is told at Due.
type Tick struct {
	Kind    string // sent, delivered, read or failed
	At, Due time.Time
}

// Plan returns the statuses of a message that was accepted at an instant, for a phone. It may tell one twice.
func (c *Curve) Plan(to string, accepted time.Time) []Tick {
	if c.Off {
		return nil
	}
	draw := drawer{hash: Hash(c.Seed, to)}
	wait := func(ms int) time.Duration {
		return time.Duration(float64(ms) * (1 + c.Jitter*draw.next()) * float64(time.Millisecond))
	}
	ticks := make([]Tick, 0, 3)
	sent := accepted.Add(wait(c.SentAfterMS))
	if draw.next() < c.FailedShare {
		ticks = append(ticks, Tick{Kind: "failed", At: sent})
	} else {
		delivered := sent.Add(wait(c.DeliveredAfterMS))
		ticks = append(ticks, Tick{Kind: "sent", At: sent}, Tick{Kind: "delivered", At: delivered})
		if draw.next() < c.ReadShare {
			ticks = append(ticks, Tick{Kind: "read", At: delivered.Add(wait(c.ReadAfterMS))})
		}
	}
	return c.disturb(ticks, &draw)
}

// disturb sets when each status is told.
func (c *Curve) disturb(ticks []Tick, draw *drawer) []Tick {
	last := ticks[len(ticks)-1].At
	for i := range ticks {
		tick := &ticks[i]
		tick.Due = tick.At
		if c.Shuffle {
			tick.Due = last.Add(time.Duration(draw.next() * float64(200*time.Millisecond)))
		}
		if draw.next() < c.LateShare {
			tick.Due = tick.Due.Add(time.Duration(c.LateByMS) * time.Millisecond)
		}
	}
	for _, tick := range ticks {
		if draw.next() < c.DuplicateShare {
			tick.Due = tick.Due.Add(time.Duration(draw.next() * float64(2*time.Second)))
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// drawer makes a row of random numbers out of one hash.
type drawer struct{ hash uint64 }

func (d *drawer) next() float64 {
	d.hash = Hash(d.hash, "next")
	return Share(d.hash)
}

// Curves holds the curve in force.
type Curves struct{ current atomic.Pointer[Curve] }

// Get returns the curve in force.
func (c *Curves) Get() *Curve { return c.current.Load() }

// Set puts a curve in place of the one in force.
func (c *Curves) Set(curve Curve) { c.current.Store(&curve) }
