// Package pace decides when a message may go: limits of a connection, sending windows in the recipient's zones,
// quiet hours, gaps, warm-up. It is pure: state and an instant in, the earliest allowed instant and its reason
// out. The same functions decide a claim, explain a wait and forecast a campaign's end.
package pace

import (
	"fmt"
	"time"
)

// Lane is the order of precedence of a message, as stored.
type Lane int

// The lanes.
const (
	Agent      Lane = 1 // a person's answer
	Urgent     Lane = 2 // codes and tests, by the API
	Automation Lane = 3 // rules and AI
	Queue      Lane = 4 // the API's queue
	Campaign   Lane = 5
)

// mayTake is how much of a limit a lane may use up: a campaign leaves the last fifth for everybody else.
func (l Lane) mayTake(limit int) int {
	if l == Campaign {
		return limit - limit/Kept
	}
	return limit
}

// Verdict says how many messages may go now; when none may, the earliest instant at which one may, and why.
type Verdict struct {
	Room   int       // Unlimited when nothing limits it
	At     time.Time // now when Room is positive; zero when it will never be
	Reason Reason    // of the wait; its Kind is None when Room is positive
}

// Unlimited is the room where no limit applies.
const Unlimited = 1 << 30

// Kind of a reason.
type Kind int

// The kinds of reasons.
const (
	None        Kind = iota
	OutOfWindow      // the recipient's clock is outside the sending window
	QuietHours
	Never       // the zones of a set are never all inside the window
	TooFast     // a limit per second, minute or hour is used up
	DayUsedUp   // the limit of the company's day is used up
	WarmingUp   // the day's share of a new number's warm-up is used up
	CampaignGap // the distance between two campaign messages
	ContactGap  // the distance between two messages to one contact
	TierUsedUp  // too many different contacts within 24 hours
)

// Reason is why a message waits: numbers and zones, no personal data.
type Reason struct {
	Kind   Kind
	Limit  int           // messages, or contacts
	Used   int           // of Limit
	Per    time.Duration // of TooFast
	Zone   *time.Location
	Window Window // of OutOfWindow
}

// Words says the wait in a sentence for people: "waits until 07:00 in São Paulo: quiet hours".
func (v Verdict) Words(now time.Time) string {
	if v.Reason.Kind == None {
		return "may go now"
	}
	if v.At.IsZero() {
		return "waits: " + v.Reason.String()
	}
	return "waits until " + clock(v.At, now, v.Reason.Zone) + ": " + v.Reason.String()
}

// Sooner returns the verdict that lets something go first: now, if one of them does. One that never does comes last,
// and the zero Verdict counts for nothing.
func (v Verdict) Sooner(other Verdict) Verdict {
	switch {
	case other.Room > 0, v == Verdict{}:
		return other
	case v.Room == 0 && !other.At.IsZero() && (v.At.IsZero() || other.At.Before(v.At)):
		return other
	}
	return v
}

// String says the reason alone: "the gap between campaign messages".
func (r Reason) String() string {
	switch r.Kind {
	case OutOfWindow:
		return "outside the sending window " + r.Window.String()
	case QuietHours:
		return "quiet hours " + quiet.String()
	case Never:
		return "the recipient's time zones are never all inside the sending window"
	case TooFast:
		return fmt.Sprintf("%d of %d messages %s are used", r.Used, r.Limit, per(r.Per)) + r.rest()
	case DayUsedUp:
		return fmt.Sprintf("%d of the day's %d messages are used", r.Used, r.Limit) + r.rest()
	case WarmingUp:
		return fmt.Sprintf("%d of the %d messages of this day of the warm-up are used", r.Used, r.Limit) + r.rest()
	case CampaignGap:
		return "the gap between campaign messages"
	case ContactGap:
		return "the gap between two messages to one contact"
	case TierUsedUp:
		return fmt.Sprintf("%d of %d different contacts within 24 hours are used", r.Used, r.Limit) + r.rest()
	default:
		return "nothing"
	}
}

// rest tells a campaign why it does not get what seems to be left.
func (r Reason) rest() string {
	if r.Used < r.Limit {
		return ", the rest is kept for answers"
	}
	return ""
}

func per(d time.Duration) string {
	switch d {
	case time.Second:
		return "a second"
	case time.Minute:
		return "a minute"
	default:
		return "an hour"
	}
}

// clock shows an instant on the clock of a zone: seconds when it is near, the day when it is far.
func clock(at, now time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	local, layout := at.In(zone), "15:04"
	switch wait := at.Sub(now); {
	case wait < 10*time.Minute:
		layout = "15:04:05"
		if cut := local.Truncate(time.Second); cut.Before(local) { // never say an instant that is too early
			local = cut.Add(time.Second)
		}
	case wait >= 24*time.Hour:
		layout = "Mon 2 Jan 15:04"
	}
	return local.Format(layout) + " in " + Place(zone)
}
