package pace

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Problem is something wrong with a setting: the field's name in the API and what to do.
type Problem struct{ Field, Message string }

// ParseWindow reads two times of day, such as 07:00 and 21:00; 24:00 is the end of the day. Problems name the
// fields window_from and window_until.
func ParseWindow(from, until string) (Window, []Problem) {
	var w Window
	var problems []Problem
	for _, end := range []struct {
		field, text string
		into        *int
	}{{"window_from", from, &w.From}, {"window_until", until, &w.Until}} {
		minute, ok := parseMinute(end.text)
		if !ok {
			problems = append(problems, Problem{end.field, "Write a time of day such as 07:00, from 00:00 to 24:00."})
		}
		*end.into = minute
	}
	if len(problems) == 0 && w.From >= w.Until {
		problems = append(problems, Problem{"window_until", "The window never opens: it must end later on the day than it begins."})
	}
	return w, problems
}

func parseMinute(text string) (int, bool) {
	if text == "24:00" {
		return minutesOfDay, true
	}
	at, err := time.Parse("15:04", text)
	return at.Hour()*60 + at.Minute(), err == nil
}

// Bounds of settings. A contact's gap is kept short because it is looked up in what was sent of late.
const (
	mostPerSecond = 10_000
	mostPerDay    = 100_000_000
	longestPair   = 10 * time.Minute
	mostWarmUp    = 90
)

// Problems finds what is wrong with limits that a person wrote.
func (l Limits) Problems() (problems []Problem) {
	wrong := func(field, message string, args ...any) {
		problems = append(problems, Problem{field, fmt.Sprintf(message, args...)})
	}
	for _, limit := range []struct {
		field       string
		value, most int
	}{{"per_second", l.PerSecond, mostPerSecond}, {"per_minute", l.PerMinute, mostPerDay}, {"per_hour", l.PerHour, mostPerDay},
		{"per_day", l.PerDay, mostPerDay}, {"contacts_24h", l.Contacts24h, mostPerDay}} {
		if limit.value < 0 || limit.value > limit.most {
			wrong(limit.field, "Choose a number from 1 to %d, or leave it empty for no limit.", limit.most)
		}
	}
	if l.ContactGap < 0 || l.ContactGap > longestPair {
		wrong("contact_gap_s", "Choose at most %d seconds, or leave it empty for no gap.", int(longestPair.Seconds()))
	}
	switch {
	case l.GapFrom < 0 || l.GapUntil < 0:
		wrong("gap_from_s", "A gap can't be negative.")
	case l.GapFrom > l.GapUntil:
		wrong("gap_until_s", "The longest gap must not be shorter than the shortest.")
	case l.GapUntil >= 24*time.Hour:
		wrong("gap_until_s", "The gap is longer than a day; choose less than 24 hours.")
	}
	return append(problems, l.WarmUp.problems()...)
}

func (w *WarmUp) problems() []Problem {
	if w == nil {
		return nil
	}
	var problems []Problem
	if _, err := time.Parse(date, w.From); err != nil {
		problems = append(problems, Problem{"warm_up.from", "Write the first day as 2026-11-22."})
	}
	if len(w.Caps) == 0 || len(w.Caps) > mostWarmUp {
		problems = append(problems, Problem{"warm_up.caps", fmt.Sprintf("Give one number for each day, at most %d days.", mostWarmUp)})
	}
	for i, most := range w.Caps {
		if most <= 0 || most > mostPerDay {
			problems = append(problems, Problem{fmt.Sprintf("warm_up.caps[%d]", i), "Choose a number of messages above 0."})
		}
	}
	return problems
}

// Defaults of a channel, as its kind is stored.
func Defaults(channel string) Limits {
	switch {
	case strings.HasSuffix(channel, "_qr"):
		return Limits{PerMinute: 10, PerHour: 100, PerDay: 500, ContactGap: 5 * time.Second, GapFrom: 10 * time.Minute, GapUntil: 30 * time.Minute}
	default: // the Cloud API; its tier is set when it is known
		return Limits{PerSecond: 80, ContactGap: 6 * time.Second}
	}
}

// Paced tells whether a connection sends one message after the other, with a durable timer between them.
func (l Limits) Paced() bool { return l.GapFrom >= 10*time.Second }

// stored is how limits are written down: gaps in whole seconds, nothing that is not limited.
type stored struct {
	PerSecond   int     `json:"per_second,omitempty"`
	PerMinute   int     `json:"per_minute,omitempty"`
	PerHour     int     `json:"per_hour,omitempty"`
	PerDay      int     `json:"per_day,omitempty"`
	ContactGapS int     `json:"contact_gap_s,omitempty"`
	GapFromS    int     `json:"gap_from_s,omitempty"`
	GapUntilS   int     `json:"gap_until_s,omitempty"`
	Contacts24h int     `json:"contacts_24h,omitempty"`
	WarmUp      *WarmUp `json:"warm_up,omitempty"`
}

// MarshalJSON writes limits with gaps in whole seconds.
func (l Limits) MarshalJSON() ([]byte, error) {
	seconds := func(d time.Duration) int { return int(d / time.Second) }
	return json.Marshal(stored{l.PerSecond, l.PerMinute, l.PerHour, l.PerDay, seconds(l.ContactGap), seconds(l.GapFrom), seconds(l.GapUntil), l.Contacts24h, l.WarmUp})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (l *Limits) UnmarshalJSON(text []byte) error {
	var s stored
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("reading limits: %w", err)
	}
	duration := func(seconds int) time.Duration { return time.Duration(seconds) * time.Second }
	*l = Limits{s.PerSecond, s.PerMinute, s.PerHour, s.PerDay, duration(s.ContactGapS), duration(s.GapFromS), duration(s.GapUntilS), s.Contacts24h, s.WarmUp}
	return nil
}

// None tells whether nothing is limited.
func (l Limits) None() bool { return l == Limits{} }
