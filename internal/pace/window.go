package pace

import (
	"fmt"
	"time"
)

// Window is the part of a day in which messages may go, in minutes since midnight on somebody's clock:
// From <= minute < Until. It does not span midnight. 0 to 1440 is the whole day; the zero Window never opens.
type Window struct{ From, Until int }

const minutesOfDay = 24 * 60

// WholeDay never closes.
var WholeDay = Window{0, minutesOfDay}

// quiet is when automation and AI are silent, on the company's clock.
var quiet = Window{21 * 60, 7 * 60}

var awake = Window{quiet.Until, quiet.From}

// String shows a window as 07:00–21:00.
func (w Window) String() string {
	return fmt.Sprintf("%02d:%02d–%02d:%02d", w.From/60, w.From%60, w.Until/60, w.Until%60)
}

// And is the part of the day that is in both.
func (w Window) And(other Window) Window {
	return Window{max(w.From, other.From), min(w.Until, other.Until)}
}

// Schedule is a window on the clocks of several zones, all of which must be inside it.
type Schedule struct {
	Window Window
	Zones  []*time.Location
}

// ScheduleOf is when a lane may send: campaigns by the recipient's zones, the API's queue by the company's,
// automation outside the company's quiet hours, people and codes always.
func ScheduleOf(lane Lane, window Window, recipient []*time.Location, company *time.Location) Schedule {
	switch lane {
	case Campaign:
		return Schedule{window, recipient}
	case Queue:
		return Schedule{window, []*time.Location{company}}
	case Automation:
		return Schedule{awake, []*time.Location{company}}
	default:
		return Schedule{WholeDay, nil}
	}
}

// horizon is how far ahead an opening is looked for; beyond it lies never.
const horizon = 370 * 24 * time.Hour

// Next returns now when the schedule is open, else the earliest instant at which it is; false when it never is.
func (s Schedule) Next(now time.Time) (at time.Time, ever bool) {
	if s.Window.From >= s.Window.Until {
		return time.Time{}, false
	}
	at = now
	for at.Sub(now) < horizon {
		open := at
		for _, zone := range s.Zones {
			if opens, ok := s.Window.nextIn(at, zone); !ok {
				return time.Time{}, false
			} else if opens.After(open) {
				open = opens
			}
		}
		if open.Equal(at) {
			return at, true
		}
		at = open // all before it is closed somewhere; look again there
	}
	return time.Time{}, false
}

// Open tells whether all zones are inside the window.
func (s Schedule) Open(now time.Time) bool {
	if s.Window.From >= s.Window.Until {
		return false
	}
	for _, zone := range s.Zones {
		if !s.Window.has(now, zone) {
			return false
		}
	}
	return true
}

// Closes returns when an open schedule closes; zero when it does not within the horizon.
func (s Schedule) Closes(now time.Time) (at time.Time) {
	for _, zone := range s.Zones {
		closed := Window{s.Window.Until, s.Window.From}
		if ends, ok := closed.nextIn(now, zone); ok && (at.IsZero() || ends.Before(at)) {
			at = ends
		}
	}
	return at
}

// Within moves a verdict of limits on to when the schedule is open. Limits only loosen while nothing is taken,
// so the first opening at or after them satisfies both.
func (v Verdict) Within(s Schedule, lane Lane) Verdict {
	if v.At.IsZero() {
		return v
	}
	at, ever := s.Next(v.At)
	switch {
	case !ever:
		return Verdict{Reason: Reason{Kind: Never}}
	case at.Equal(v.At):
		return v
	case lane == Automation:
		return Verdict{At: at, Reason: Reason{Kind: QuietHours, Zone: s.Zones[0]}}
	default:
		return Verdict{At: at, Reason: Reason{Kind: OutOfWindow, Zone: s.opensLast(at), Window: s.Window}}
	}
}

// Verdict tells whether the schedule alone lets messages through, and if not when.
func (s Schedule) Verdict(lane Lane, now time.Time) Verdict {
	return Verdict{Room: Unlimited, At: now}.Within(s, lane)
}

// opensLast is the zone that was still closed just before the schedule opened: its clock explains the wait.
func (s Schedule) opensLast(at time.Time) *time.Location {
	for _, zone := range s.Zones {
		if !s.Window.has(at.Add(-time.Nanosecond), zone) {
			return zone
		}
	}
	return s.Zones[0]
}

// has tells whether a clock is inside the window. Until before From means around midnight.
func (w Window) has(at time.Time, zone *time.Location) bool {
	local := at.In(zone)
	minute := local.Hour()*60 + local.Minute()
	if w.From <= w.Until {
		return w.From <= minute && minute < w.Until
	}
	return minute >= w.From || minute < w.Until
}

// nextIn returns the first instant, from at on, at which a clock is inside the window. Between two changes of
// its offset a clock runs evenly, so the opening is found by arithmetic in each stretch.
func (w Window) nextIn(at time.Time, zone *time.Location) (time.Time, bool) {
	if w.From == w.Until || w == (Window{minutesOfDay, 0}) {
		return time.Time{}, false
	}
	for end := at.Add(horizon); at.Before(end); {
		if w.has(at, zone) {
			return at, true
		}
		local := at.In(zone)
		wait := time.Duration(w.From%minutesOfDay)*time.Minute - sinceMidnight(local)
		if wait <= 0 {
			wait += 24 * time.Hour
		}
		opens := at.Add(wait)
		if _, change := local.ZoneBounds(); !change.IsZero() && !change.After(opens) {
			at = change
			continue
		}
		return opens, true
	}
	return time.Time{}, false
}

// sinceMidnight is what a clock shows.
func sinceMidnight(local time.Time) time.Duration {
	return time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute +
		time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
}

// Hours are when a company sends: its window, and where it is.
type Hours struct {
	Zone   *time.Location
	Window Window
}

// NewHours reads hours as they are stored: an IANA name, and minutes since midnight.
func NewHours(zone string, from, until int32) (Hours, error) {
	location, err := Zone(zone)
	return Hours{location, Window{int(from), int(until)}}, err
}

// Campaign is when the recipients of a zone set may get a campaign.
func (h Hours) Campaign(zones string) (Schedule, error) {
	locations, err := Zones(zones)
	return ScheduleOf(Campaign, h.Window, locations, h.Zone), err
}
