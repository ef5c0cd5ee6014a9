package pace

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWindowsOpenAndCloseByTheClockOnTheWall(t *testing.T) {
	for name, c := range map[string]struct {
		zone         string
		window       Window
		now          string
		opens, close string // closes after opening
	}{
		"a plain day":                            {"America/Sao_Paulo", Window{420, 1260}, "2026-11-22T03:00:00Z", "2026-11-22T10:00:00Z", "2026-11-23T00:00:00Z"},
		"open already":                           {"America/Sao_Paulo", Window{420, 1260}, "2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z", "2026-11-23T00:00:00Z"},
		"clocks go forward in the night":         {"America/New_York", Window{420, 1260}, "2026-03-08T05:00:00Z", "2026-03-08T11:00:00Z", "2026-03-09T01:00:00Z"},
		"it begins in the hour that is skipped":  {"America/New_York", Window{150, 240}, "2026-03-08T05:00:00Z", "2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z"},
		"it ends in the hour that comes twice":   {"America/New_York", Window{60, 90}, "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z"},
		"it opens again in the second such hour": {"America/New_York", Window{60, 90}, "2026-11-01T05:40:00Z", "2026-11-01T06:00:00Z", "2026-11-01T06:30:00Z"},
		"midnight is skipped":                    {"America/Sao_Paulo", Window{0, 60}, "2018-11-04T02:00:00Z", "2018-11-05T02:00:00Z", "2018-11-05T03:00:00Z"},
		"by half an hour":                        {"Australia/Lord_Howe", Window{120, 150}, "2026-10-03T00:00:00Z", "2026-10-04T15:00:00Z", "2026-10-04T15:30:00Z"}, // 02:00 to 02:30 does not exist on that night
	} {
		t.Run(name, func(t *testing.T) {
			s := Schedule{c.window, []*time.Location{zone(c.zone)}}
			opens, ever := s.Next(at(c.now))
			require.True(t, ever)
			require.Equal(t, at(c.opens), opens.UTC())
			require.True(t, s.Open(opens))
			require.Equal(t, at(c.close), s.Closes(opens).UTC())
			require.False(t, s.Open(s.Closes(opens)))
			require.True(t, s.Open(s.Closes(opens).Add(-time.Nanosecond)))
		})
	}
}

func TestSeveralZonesMustAllBeOpen(t *testing.T) {
	office := Window{9 * 60, 12 * 60}
	both := Schedule{office, []*time.Location{zone("America/Sao_Paulo"), zone("America/New_York")}} // two hours apart in November
	opens, ever := both.Next(at("2026-11-23T00:00:00Z"))
	require.True(t, ever)
	require.Equal(t, at("2026-11-23T14:00:00Z"), opens.UTC())
	require.Equal(t, at("2026-11-23T15:00:00Z"), both.Closes(opens).UTC())
	never := Schedule{office, []*time.Location{zone("America/Sao_Paulo"), zone("Asia/Tokyo")}}
	_, ever = never.Next(at("2026-11-23T00:00:00Z"))
	require.False(t, ever)
	v := never.Verdict(Campaign, at("2026-11-23T00:00:00Z"))
	require.Zero(t, v.Room)
	require.Equal(t, "waits: the recipient's time zones are never all inside the sending window", v.Words(at("2026-11-23T00:00:00Z")))
}

func TestTheDayEndsWhereClocksSayItDoes(t *testing.T) {
	for now, next := range map[string]string{
		"2026-11-22T12:00:00-03:00": "2026-11-23T00:00:00-03:00",
		"2018-11-03T23:30:00-03:00": "2018-11-04T01:00:00-02:00", // midnight is skipped
		"2018-02-17T23:30:00-02:00": "2018-02-18T00:00:00-03:00", // 23:00 to 24:00 comes twice
	} {
		require.Equal(t, at(next).UTC(), nextDay(at(now).In(zone("America/Sao_Paulo"))).UTC(), now)
	}
}

func TestLanesObeyTheirRules(t *testing.T) {
	company, now := zone("America/Sao_Paulo"), at("2026-11-22T06:00:00Z") // 03:00 at home
	recipient := []*time.Location{zone("Asia/Jakarta")}                   // 13:00 there
	for lane, want := range map[Lane]Kind{Agent: None, Urgent: None, Automation: QuietHours, Queue: OutOfWindow, Campaign: None} {
		v := ScheduleOf(lane, Window{420, 1260}, recipient, company).Verdict(lane, now)
		require.Equal(t, want, v.Reason.Kind, "lane %d", lane)
	}
	used := Used{}.Take(8, company, now)
	limits := Limits{PerMinute: 10}
	for lane, room := range map[Lane]int{Agent: Unlimited, Urgent: 2, Automation: 2, Queue: 2, Campaign: 0} {
		require.Equal(t, room, limits.Room(used, lane, company, now).Room, "lane %d", lane)
	}
	require.Zero(t, Limits{PerSecond: 8}.Room(used, Agent, company, now).Room) // the provider's limit binds everybody
	require.Equal(t, 1, Limits{PerMinute: 1}.Room(Used{}, Campaign, company, now).Room)
}

func TestWaitsExplainThemselves(t *testing.T) {
	company, now := zone("America/Sao_Paulo"), at("2026-11-22T06:00:00Z")
	used := Used{}.Take(500, company, now)
	campaign := ScheduleOf(Campaign, Window{420, 1260}, []*time.Location{company}, company)
	for _, c := range []struct {
		want string
		v    Verdict
	}{
		{"may go now", Limits{}.Room(used, Campaign, company, now)},
		{"waits until 07:00 in São Paulo: outside the sending window 07:00–21:00", campaign.Verdict(Campaign, now)},
		{"waits until 07:00 in São Paulo: outside the sending window 07:00–21:00", Limits{PerMinute: 10}.Room(used, Campaign, company, now).Within(campaign, Campaign)},
		{"waits until 07:00 in São Paulo: quiet hours 21:00–07:00", ScheduleOf(Automation, WholeDay, nil, company).Verdict(Automation, now)},
		{"waits until 03:01:00 in São Paulo: 500 of 10 messages a minute are used", Limits{PerMinute: 10}.Room(used, Campaign, company, now)},
		{"waits until 03:00:01 in São Paulo: 500 of 600 messages a second are used, the rest is kept for answers", Limits{PerSecond: 600}.Room(used, Campaign, company, now)},
		{"waits until 04:00 in São Paulo: 500 of 500 messages an hour are used", Limits{PerHour: 500}.Room(used, Queue, company, now)},
		{"waits until 00:00 in São Paulo: 500 of the day's 500 messages are used", Limits{PerDay: 500}.Room(used, Queue, company, now)},
		{"waits until 00:00 in São Paulo: 500 of the 20 messages of this day of the warm-up are used", Limits{WarmUp: &WarmUp{"2026-11-20", []int{5, 10, 20, 40}}}.Room(used, Queue, company, now)},
		{"waits until 03:12 in São Paulo: the gap between campaign messages", Limits{GapFrom: 10 * time.Minute, GapUntil: 30 * time.Minute}.Room(Used{NextCampaign: now.Add(12 * time.Minute)}, Campaign, company, now)},
		{"waits until 03:00:06 in São Paulo: the gap between two messages to one contact", Limits{ContactGap: 6 * time.Second}.Contact(Pair{}.Take(6*time.Second, now), Queue, company, now)},
		{"waits until 05:00 in UTC: 250 of 250 different contacts within 24 hours are used", Limits{Contacts24h: 250}.Tier(Log{{now.Add(-time.Hour), 250}}, Urgent, now)},
		{"waits until Sat 28 Nov 03:00 in São Paulo: the gap between campaign messages", Verdict{At: now.Add(6 * 24 * time.Hour), Reason: Reason{Kind: CampaignGap, Zone: company}}},
		{"waits until 03:00:01 in São Paulo: the gap between campaign messages", Verdict{At: now.Add(time.Millisecond), Reason: Reason{Kind: CampaignGap, Zone: company}}},
	} {
		require.Equal(t, c.want, c.v.Words(now))
	}
}

// A log that is long is kept coarsely: it may make wait a little longer, but never breaks a limit.
func TestALongLogStaysShortAndSafe(t *testing.T) {
	company := zone("UTC")
	rapid.Check(t, func(t *rapid.T) {
		if rapid.IntRange(0, 199).Draw(t, "one of two hundred") > 0 { // these sequences are long
			return
		}
		limits := Limits{PerSecond: rapid.IntRange(20, 200).Draw(t, "second"), PerMinute: rapid.IntRange(200, 5000).Draw(t, "minute"), PerHour: rapid.IntRange(1000, 90_000).Draw(t, "hour")}
		m := &model{limits: limits, company: company, schedule: map[Lane]Schedule{Queue: {Window: WholeDay}}}
		now := at("2026-11-22T06:00:00Z")
		var used Used
		for range 250 {
			now = now.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "ms")) * time.Millisecond)
			v := limits.Room(used, Queue, company, now)
			if v.Room == 0 {
				now = v.At
				continue
			}
			n := min(v.Room, rapid.IntRange(1, 60).Draw(t, "n"))
			if !m.allows(Queue, n, now) {
				t.Fatalf("%d messages at %s break a limit", n, now)
			}
			used = used.Take(n, company, now)
			for range n {
				m.sent = append(m.sent, now)
			}
			require.LessOrEqual(t, len(used.Log), 120)
		}
		// Coarse, but by no more than a thirtieth of an hour.
		exactly := m.counted(now, time.Hour)
		require.GreaterOrEqual(t, used.Log.within(time.Hour, now), exactly)
		require.LessOrEqual(t, used.Log.within(time.Hour, now), m.counted(now, time.Hour+2*time.Minute))
	})
}

func TestAnswersMayBurstAndEverybodyElseKeepsTheGap(t *testing.T) {
	l, home, now := Limits{ContactGap: 6 * time.Second}, time.UTC, at("2026-11-22T06:00:00Z")
	var pair Pair
	for n := range 11 {
		require.Positive(t, l.Contact(pair, Agent, home, now).Room, "answer %d", n)
		pair = pair.Take(l.ContactGap, now)
	}
	v := l.Contact(pair, Agent, home, now)
	require.Zero(t, v.Room)
	require.Equal(t, now.Add(6*time.Second), v.At)
	require.Equal(t, now.Add(66*time.Second), l.Contact(pair, Queue, home, now).At)
	require.Positive(t, l.Contact(pair, Queue, home, now.Add(66*time.Second)).Room)
	require.Positive(t, Limits{}.Contact(pair, Queue, home, now).Room)
}

func TestWarmUpDaysCount(t *testing.T) {
	l := Limits{WarmUp: &WarmUp{"2026-11-22", []int{20, 50}}, PerDay: 40}
	for day, room := range map[string]int{"2026-11-21": 40, "2026-11-22": 20, "2026-11-23": 40, "2026-11-24": 40} {
		require.Equal(t, room, l.Room(Used{}, Queue, time.UTC, at(day+"T12:00:00Z")).Room, day)
	}
}

func TestForecastPlaysTheCampaignThrough(t *testing.T) {
	company, now := zone("America/Sao_Paulo"), at("2026-11-22T12:00:00Z") // 09:00
	window := Window{420, 1260}
	groups := func(n int, zones ...string) (list []Group) {
		for _, z := range zones {
			list = append(list, Group{[]*time.Location{zone(z)}, n})
		}
		return list
	}
	for name, c := range map[string]struct {
		plan Plan
		want string
	}{
		"nothing left":           {Plan{}, "2026-11-22T12:00:00Z"},
		"the machines' rate":     {Plan{Groups: groups(3600, "America/Sao_Paulo"), Rate: 1}, "2026-11-22T13:00:00Z"},
		"a zone that sleeps":     {Plan{Groups: groups(60, "America/Sao_Paulo", "Asia/Tokyo"), Rate: 1}, "2026-11-22T22:01:00Z"},
		"the night between":      {Plan{Groups: groups(13*3600, "America/Sao_Paulo"), Rate: 1}, "2026-11-23T11:00:00Z"},
		"a limit of the day":     {Plan{Groups: groups(500, "America/Sao_Paulo"), Limits: Limits{PerDay: 500}}, "2026-11-23T10:00:00Z"},
		"eight a minute":         {Plan{Groups: groups(80, "America/Sao_Paulo"), Limits: Limits{PerMinute: 10}}, "2026-11-22T12:09:00Z"},
		"gaps of twenty minutes": {Plan{Groups: groups(4, "America/Sao_Paulo"), Limits: Limits{GapFrom: 10 * time.Minute, GapUntil: 30 * time.Minute}}, "2026-11-22T13:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			c.plan.Window, c.plan.Company = window, company
			finish, ends := c.plan.Finish(now)
			require.True(t, ends)
			require.WithinDuration(t, at(c.want), finish, 2*time.Second)
		})
	}
	tiered := Plan{Groups: groups(500, "America/Sao_Paulo"), Window: window, Company: company, Limits: Limits{Contacts24h: 250},
		Used: Used{Contacts: Log{{now.Add(-20 * time.Hour), 150}}}}
	finish, ends := tiered.Finish(now) // 50 now, 150 in four hours, 50 tomorrow, 150 four hours later, and so on
	require.True(t, ends)
	require.WithinDuration(t, now.Add(52*time.Hour), finish, 12*time.Hour)
	_, ends = Plan{Groups: groups(1, "America/Sao_Paulo"), Company: company}.Finish(now) // a window that never opens
	require.False(t, ends)
	long := Plan{Groups: groups(1_000_000, "America/Sao_Paulo"), Window: window, Company: company, Limits: Limits{PerDay: 500}}
	finish, ends = long.Finish(now)
	require.True(t, ends)
	require.WithinDuration(t, now.Add(2500*24*time.Hour), finish, 60*24*time.Hour)
}

func TestSettingsThatCannotWorkAreRefusedByName(t *testing.T) {
	for field, limits := range map[string]Limits{
		"per_second":      {PerSecond: -1},
		"per_minute":      {PerMinute: -5},
		"per_hour":        {PerHour: mostPerDay + 1},
		"per_day":         {PerDay: -1},
		"contacts_24h":    {Contacts24h: -1},
		"contact_gap_s":   {ContactGap: time.Hour},
		"gap_from_s":      {GapFrom: -time.Second},
		"gap_until_s":     {GapFrom: time.Hour, GapUntil: time.Minute},
		"warm_up.from":    {WarmUp: &WarmUp{"tomorrow", []int{1}}},
		"warm_up.caps":    {WarmUp: &WarmUp{"2026-11-22", nil}},
		"warm_up.caps[1]": {WarmUp: &WarmUp{"2026-11-22", []int{5, 0}}},
	} {
		problems := limits.Problems()
		require.Len(t, problems, 1, field)
		require.Equal(t, field, problems[0].Field)
	}
	require.Equal(t, "The gap is longer than a day; choose less than 24 hours.", Limits{GapUntil: 24 * time.Hour}.Problems()[0].Message)
	for _, channel := range []string{"whatsapp_cloud", "whatsapp_qr"} {
		require.Empty(t, Defaults(channel).Problems())
	}
	for ends, field := range map[[2]string]string{{"21:00", "07:00"}: "window_until", {"07:00", "07:00"}: "window_until",
		{"7", "21:00"}: "window_from", {"07:00", "25:00"}: "window_until", {"24:00", "24:00"}: "window_until"} {
		_, problems := ParseWindow(ends[0], ends[1])
		require.Len(t, problems, 1, ends)
		require.Equal(t, field, problems[0].Field, ends)
	}
	w, problems := ParseWindow("00:00", "24:00")
	require.Empty(t, problems)
	require.Equal(t, WholeDay, w)
	for _, name := range []string{"", "Local", "Mars/Olympus"} {
		_, err := Zone(name)
		require.ErrorContains(t, err, "no time zone")
	}
}

func TestLimitsSurviveTheirStorage(t *testing.T) {
	l := Limits{PerSecond: 80, ContactGap: 6 * time.Second, WarmUp: &WarmUp{"2026-11-22", []int{20}}}
	raw, err := json.Marshal(l)
	require.NoError(t, err)
	var back Limits
	require.NoError(t, json.Unmarshal(raw, &back))
	require.Equal(t, l, back)
}

func TestClocksThatGoBackOverMidnightDoNotOpenTheDayTwice(t *testing.T) {
	home := zone("America/St_Johns") // on 7 November 2010 it went from 00:01 back to 23:01
	l, used := Limits{PerDay: 10}, Used{}.Take(10, home, at("2010-11-07T02:30:30Z"))
	require.Equal(t, "2010-11-07", used.Day)
	used = used.At(home, at("2010-11-07T02:40:00Z"))
	require.Equal(t, 10, used.Today)
	require.Zero(t, l.Room(used, Queue, home, at("2010-11-07T02:40:00Z")).Room)
}
