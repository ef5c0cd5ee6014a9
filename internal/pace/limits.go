package pace

import (
	"slices"
	"time"
)

// Limits of a connection. A zero means that there is no such limit.
type Limits struct {
	PerSecond   int
	PerMinute   int // of any 60 seconds
	PerHour     int // of any 60 minutes
	PerDay      int // of the company's calendar day
	ContactGap  time.Duration
	GapFrom     time.Duration // the campaign gap is drawn between these two
	GapUntil    time.Duration
	Contacts24h int // different contacts outside an open window within any 24 hours (Meta's tier), of the whole portfolio
	WarmUp      *WarmUp
}

// WarmUp caps the first days of a new number, one cap a day; afterwards the other limits hold alone.
type WarmUp struct {
	From string `json:"from"` // the first day, 2006-01-02 in the company's zone
	Caps []int  `json:"caps"`
}

// Used is what a connection has used of its limits.
type Used struct {
	Log          Log
	Contacts     Log    // when those that the tier counts got their last message; the whole portfolio's
	Day          string // the company's date that Today belongs to
	Today        int
	NextCampaign time.Time // the drawn gap ends then; zero: none was drawn
}

// Log is when messages were taken within the last hour, oldest first.
type Log []Take

// Take is some messages at one instant.
type Take struct {
	At time.Time
	N  int
}

const date = "2006-01-02"

// Room tells how many messages of a lane the limits let go now. People's answers obey what the provider would
// refuse, not limits of our own; zone is the company's.
func (l Limits) Room(used Used, lane Lane, zone *time.Location, now time.Time) Verdict {
	v := Verdict{Room: Unlimited, At: now}
	v.also(used.Log.room(l.PerSecond, time.Second, lane, now), zone)
	if lane == Agent {
		return v
	}
	v.also(used.Log.room(l.PerMinute, time.Minute, lane, now), zone)
	v.also(used.Log.room(l.PerHour, time.Hour, lane, now), zone)
	v.also(l.day(used, lane, zone, now), zone)
	if lane == Campaign {
		v.also(l.gap(used, now), zone)
	}
	return v
}

// Reach is Room for contacts that the tier counts: outside an open window, and not written to within 24 hours.
func (l Limits) Reach(used Used, lane Lane, zone *time.Location, now time.Time) Verdict {
	v := l.Room(used, lane, zone, now)
	v.also(l.Tier(used.Contacts, lane, now), zone)
	return v
}

// also holds two verdicts together: the smaller room, the later instant with its reason.
func (v *Verdict) also(other Verdict, zone *time.Location) {
	if other.Reason.Zone == nil {
		other.Reason.Zone = zone
	}
	if other.Room == 0 && (v.Room > 0 || other.At.IsZero() || (!v.At.IsZero() && other.At.After(v.At))) {
		v.At, v.Reason = other.At, other.Reason
	}
	v.Room = min(v.Room, other.Room)
}

// room is what a limit of a moving window leaves. A message counts until it is as old as the window is long.
func (log Log) room(limit int, window time.Duration, lane Lane, now time.Time) Verdict {
	if limit == 0 {
		return Verdict{Room: Unlimited, At: now}
	}
	used, most := log.within(window, now), lane.mayTake(limit)
	if used < most {
		return Verdict{Room: most - used, At: now}
	}
	left := used
	for _, take := range log {
		if ends := take.At.Add(window); ends.After(now) {
			if left -= take.N; left < most {
				return Verdict{At: ends, Reason: Reason{Kind: TooFast, Limit: limit, Used: used, Per: window}}
			}
		}
	}
	return Verdict{Room: most, At: now} // unreachable while limits are positive
}

func (log Log) within(window time.Duration, now time.Time) (n int) {
	for _, take := range slices.Backward(log) {
		if !take.At.Add(window).After(now) {
			break
		}
		n += take.N
	}
	return n
}

// day is what the company's calendar day leaves, warm-up included.
func (l Limits) day(used Used, lane Lane, zone *time.Location, now time.Time) Verdict {
	today := now.In(zone)
	limit, kind := l.ofDay(today)
	if limit == 0 {
		return Verdict{Room: Unlimited, At: now}
	}
	spent := 0
	if used.Day >= today.Format(date) {
		spent = used.Today
	}
	if most := lane.mayTake(limit); spent < most {
		return Verdict{Room: most - spent, At: now}
	}
	return Verdict{At: nextDay(today), Reason: Reason{Kind: kind, Limit: limit, Used: spent}}
}

// ofDay is how many messages a day may have; 0: as many as you like.
func (l Limits) ofDay(today time.Time) (limit int, kind Kind) {
	if most := l.WarmUp.capOn(today); most > 0 && (l.PerDay == 0 || most < l.PerDay) {
		return most, WarmingUp
	}
	return l.PerDay, DayUsedUp
}

// nextDay is the first instant of the next date. Clocks may skip midnight or go back over it.
func nextDay(at time.Time) time.Time {
	for today := at.Format(date); at.Format(date) == today; {
		midnight := at.Add(24*time.Hour - sinceMidnight(at))
		if _, change := at.ZoneBounds(); !change.IsZero() && !change.After(midnight) {
			midnight = change
		}
		at = midnight
	}
	return at
}

// capOn is the cap of a day; 0 when the warm-up does not cover it.
func (w *WarmUp) capOn(today time.Time) int {
	if w == nil {
		return 0
	}
	from, err := time.Parse(date, w.From)
	if err != nil {
		return 0
	}
	year, month, day := today.Date()
	n := int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Sub(from).Hours() / 24)
	if n < 0 || n >= len(w.Caps) {
		return 0
	}
	return w.Caps[n]
}

// gap lets one campaign message go at a time.
func (l Limits) gap(used Used, now time.Time) Verdict {
	switch {
	case l.GapUntil == 0:
		return Verdict{Room: Unlimited, At: now}
	case used.NextCampaign.After(now):
		return Verdict{At: used.NextCampaign, Reason: Reason{Kind: CampaignGap}}
	default:
		return Verdict{Room: 1, At: now}
	}
}

// Draw makes the gap after a campaign message; random is in [0, 1). It is drawn once and stored: drawing again
// on every look would shorten it.
func (l Limits) Draw(random float64) time.Duration {
	return l.GapFrom + time.Duration(random*float64(l.GapUntil-l.GapFrom))
}

// Contact tells when a contact may get its next message of a lane, after one at last. In lane 1 a burst may
// borrow up to ten gaps from the future: answers come in several bubbles.
func (l Limits) Contact(pair Pair, lane Lane, zone *time.Location, now time.Time) Verdict {
	at := pair.FreeAt
	if lane == Agent {
		at = at.Add(-burst * l.ContactGap)
	}
	if l.ContactGap == 0 || !at.After(now) {
		return Verdict{Room: 1, At: now}
	}
	return Verdict{At: at, Reason: Reason{Kind: ContactGap, Zone: zone}}
}

const burst = 10

// Pair is what a connection has sent to one contact of late: the bucket is empty at FreeAt.
type Pair struct{ FreeAt time.Time }

// Take adds one message.
func (p Pair) Take(gap time.Duration, now time.Time) Pair {
	if p.FreeAt.Before(now) {
		p.FreeAt = now
	}
	return Pair{p.FreeAt.Add(gap)}
}

// Kept is the part of each limit, one in so many, that campaigns leave to everybody else.
const Kept = 5

const tierWindow = 24 * time.Hour

// Tier tells how many more different contacts may be written to outside an open window; contacts is when those
// of the last 24 hours got their last message. The whole portfolio shares it.
func (l Limits) Tier(contacts Log, lane Lane, now time.Time) Verdict {
	v := contacts.room(l.Contacts24h, tierWindow, lane, now)
	if v.Room == 0 {
		v.Reason.Kind = TierUsedUp
	}
	return v
}

// since forgets what was taken before an instant, or at it.
func (log Log) since(at time.Time) Log {
	for len(log) > 0 && !log[0].At.After(at) {
		log = log[1:]
	}
	return log
}

// Take adds n messages at an instant that is not before any other in the log.
func (u Used) Take(n int, zone *time.Location, now time.Time) Used {
	u = u.At(zone, now)
	if n > 0 {
		u.Log = append(u.Log, Take{now, n})
		u.Today += n
	}
	return u
}

// At forgets what no limit asks for any more at an instant.
func (u Used) At(zone *time.Location, now time.Time) Used {
	// Only forward: clocks that go back over midnight must not open the day a second time.
	if today := now.In(zone).Format(date); u.Day < today {
		u.Day, u.Today = today, 0
	}
	u.Log = u.Log.at(now)
	return u
}

// A log holds this many takes exactly. More are merged, the older the coarser, and each merged take counts as
// late as its last message: at most a thirtieth of a window too long, never too short.
const exact = 100

func (log Log) at(now time.Time) Log {
	log = log.since(now.Add(-time.Hour))
	if len(log) < exact {
		return slices.Clone(log)
	}
	merged := make(Log, 0, exact)
	for _, take := range log {
		grain := grainOf(now.Sub(take.At))
		if last := len(merged) - 1; last >= 0 && merged[last].At.UnixNano()/int64(grain) == take.At.UnixNano()/int64(grain) {
			merged[last] = Take{take.At, merged[last].N + take.N}
			continue
		}
		merged = append(merged, take)
	}
	return merged
}

func grainOf(age time.Duration) time.Duration {
	switch {
	case age < time.Second:
		return time.Second / 25
	case age < time.Minute:
		return 2 * time.Second
	default:
		return 2 * time.Minute
	}
}

// Use is how much of one limit is used.
type Use struct {
	Field       string // the limit's name in the API; warm_up while its cap is the tighter one of the day
	Limit, Used int
}

// Uses lists the limits that count messages, the shortest first, and the tier, which counts contacts.
func (l Limits) Uses(used Used, zone *time.Location, now time.Time) (uses []Use) {
	used = used.At(zone, now)
	for _, limit := range []struct {
		field  string
		most   int
		window time.Duration
	}{{"per_second", l.PerSecond, time.Second}, {"per_minute", l.PerMinute, time.Minute}, {"per_hour", l.PerHour, time.Hour}} {
		if limit.most > 0 {
			uses = append(uses, Use{limit.field, limit.most, used.Log.within(limit.window, now)})
		}
	}
	switch most, kind := l.ofDay(now.In(zone)); {
	case most == 0:
	case kind == WarmingUp:
		uses = append(uses, Use{"warm_up", most, used.Today})
	default:
		uses = append(uses, Use{"per_day", most, used.Today})
	}
	if l.Contacts24h > 0 {
		uses = append(uses, Use{"contacts_24h", l.Contacts24h, used.Contacts.within(tierWindow, now)})
	}
	return uses
}
