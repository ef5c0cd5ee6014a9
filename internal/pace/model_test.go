package pace

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Sequences in all, over the five nights below.
const sequences = 100_000

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(fmt.Sprint(sequences / len(nights)))
	}
	os.Exit(m.Run())
}

// nights are just before a clock changes.
var nights = map[string][]time.Time{
	"America/Sao_Paulo":   {at("2018-11-03T15:00:00Z"), at("2018-02-17T15:00:00Z")}, // midnight was skipped, and went back over itself
	"America/New_York":    {at("2026-03-07T20:00:00Z"), at("2026-10-31T20:00:00Z")},
	"Europe/London":       {at("2026-03-28T12:00:00Z"), at("2026-10-24T12:00:00Z")},
	"Australia/Lord_Howe": {at("2026-10-03T04:00:00Z"), at("2026-04-04T04:00:00Z")}, // by half an hour
	"Africa/Casablanca":   {at("2026-02-14T12:00:00Z"), at("2026-03-21T12:00:00Z")}, // for Ramadan
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func zone(name string) *time.Location {
	z, err := Zone(name)
	if err != nil {
		panic(err)
	}
	return z
}

// model keeps every message and asks the rules one by one, in the plainest way.
type model struct {
	limits   Limits
	schedule map[Lane]Schedule
	company  *time.Location
	sent     []time.Time
	campaign time.Time // when the gap after the last campaign message ends
}

func (m *model) counted(now time.Time, window time.Duration) (n int) {
	for _, s := range m.sent {
		if now.Sub(s) < window {
			n++
		}
	}
	return n
}

// allows tells whether n more messages may go at an instant.
func (m *model) allows(lane Lane, n int, now time.Time) bool {
	for _, z := range m.schedule[lane].Zones {
		local := now.In(z)
		if minute := local.Hour()*60 + local.Minute(); minute < m.schedule[lane].Window.From || minute >= m.schedule[lane].Window.Until {
			return false
		}
	}
	for _, rule := range []struct {
		limit  int
		window time.Duration
		ours   bool
	}{{m.limits.PerSecond, time.Second, false}, {m.limits.PerMinute, time.Minute, true}, {m.limits.PerHour, time.Hour, true}} {
		if rule.limit == 0 || (lane == Agent && rule.ours) {
			continue
		}
		most := rule.limit
		if lane == Campaign {
			most = rule.limit - rule.limit/5
		}
		if m.counted(now, rule.window)+n > most {
			return false
		}
	}
	if m.limits.PerDay > 0 && lane != Agent {
		most, today := m.limits.PerDay, now.In(m.company).YearDay()
		if lane == Campaign {
			most -= most / 5
		}
		for _, s := range m.sent {
			if s.In(m.company).YearDay() == today {
				most--
			}
		}
		if n > most {
			return false
		}
	}
	if lane == Campaign && m.limits.GapUntil > 0 && (n > 1 || now.Before(m.campaign)) {
		return false
	}
	return true
}

// decide is what a claim does: limits and schedule together, until both agree on an instant.
func decide(limits Limits, used Used, schedule Schedule, lane Lane, company *time.Location, now time.Time) Verdict {
	return limits.Room(used, lane, company, now).Within(schedule, lane)
}

// TestSequencesAgainstAModel draws settings and messages around a night in which clocks change: a claim never
// breaks a rule, takes all the room there is, and never waits longer than the rules demand.
func TestSequencesAgainstAModel(t *testing.T) {
	for name, starts := range nights {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { sequence(t, zone(name), rapid.SampledFrom(starts).Draw(t, "start")) })
		})
	}
}

func sequence(t *rapid.T, local *time.Location, now time.Time) {
	limit := func(name string, most int) int {
		return rapid.OneOf(rapid.Just(0), rapid.IntRange(1, most)).Draw(t, name)
	}
	from := rapid.IntRange(0, 95).Draw(t, "from")
	window := Window{15 * from, 15 * rapid.IntRange(from+1, 96).Draw(t, "until")}
	recipient := []*time.Location{local}
	if rapid.IntRange(0, 3).Draw(t, "zones") == 0 {
		recipient = append(recipient, zone(rapid.SampledFrom([]string{"America/Sao_Paulo", "Europe/London", "Asia/Kathmandu"}).Draw(t, "second zone")))
	}
	m := &model{company: local, schedule: map[Lane]Schedule{},
		limits: Limits{PerSecond: limit("second", 6), PerMinute: limit("minute", 12), PerHour: limit("hour", 30), PerDay: limit("day", 40)}}
	if rapid.IntRange(0, 4).Draw(t, "gapped") == 0 {
		m.limits.GapFrom, m.limits.GapUntil = 10*time.Minute, 30*time.Minute
	}
	for lane := Agent; lane <= Campaign; lane++ {
		m.schedule[lane] = ScheduleOf(lane, window, recipient, local)
	}
	var used Used
	for range rapid.IntRange(1, 10).Draw(t, "steps") {
		pause := rapid.SampledFrom([]time.Duration{0, 7 * time.Millisecond, time.Second, 20 * time.Second, 7 * time.Minute, 50 * time.Minute, 3 * time.Hour, 13 * time.Hour}).Draw(t, "pause")
		now = now.Add(pause)
		lane := Lane(rapid.IntRange(1, 5).Draw(t, "lane"))
		v := decide(m.limits, used, m.schedule[lane], lane, local, now)
		if v.Room == 0 {
			if v = m.checkWait(t, v, used, lane, now); v.At.IsZero() {
				continue
			}
			now = v.At
		}
		n := min(v.Room, rapid.IntRange(1, 8).Draw(t, "messages"))
		require.True(t, m.allows(lane, n, now), "%d messages of lane %d at %s break a rule", n, lane, now.In(local))
		if v.Room < Unlimited {
			require.False(t, m.allows(lane, v.Room+1, now), "there is more room than %d", v.Room)
		}
		used = used.Take(n, local, now)
		for range n {
			m.sent = append(m.sent, now)
		}
		if lane == Campaign && m.limits.GapUntil > 0 {
			used.NextCampaign = now.Add(m.limits.Draw(rapid.Float64Range(0, 0.99).Draw(t, "random")))
			m.campaign = used.NextCampaign
		}
	}
}

// checkWait asks the model at every edge before the promised instant and returns the verdict there.
func (m *model) checkWait(t *rapid.T, v Verdict, used Used, lane Lane, now time.Time) Verdict {
	require.NotEqual(t, None, v.Reason.Kind)
	require.NotContains(t, v.Words(now), "nothing")
	until := v.At
	if v.At.IsZero() {
		until = now.Add(50 * time.Hour)
	}
	require.True(t, until.After(now), "a wait that is over")
	const quarter = 15 * time.Minute
	// Rules change only at full quarters of an hour, when a message grows old enough, and when a gap ends.
	edges := []time.Time{now, until.Add(-time.Nanosecond)}
	for edge := now.Truncate(quarter).Add(quarter); edge.Before(until); edge = edge.Add(quarter) {
		edges = append(edges, edge)
	}
	for _, s := range m.sent {
		edges = append(edges, s.Add(time.Second), s.Add(time.Minute), s.Add(time.Hour))
	}
	for _, edge := range append(edges, m.campaign) {
		if !edge.Before(now) && edge.Before(until) && m.allows(lane, 1, edge) { // require would cost more than all else
			t.Fatalf("it waits until %s although lane %d may send at %s", v.At, lane, edge)
		}
	}
	if v.At.IsZero() {
		return v
	}
	again := decide(m.limits, used, m.schedule[lane], lane, m.company, v.At)
	require.Positive(t, again.Room, "the wait until %s ends in another one", v.At)
	return again
}
