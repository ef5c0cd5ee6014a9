package pace

import "time"

// Group is some messages of a campaign that are still to be sent, by zone set.
type Group struct {
	Zones []*time.Location
	Left  int
}

// Plan is what a forecast needs to know.
type Plan struct {
	Groups  []Group
	Window  Window
	Limits  Limits
	Used    Used
	Company *time.Location
	Rate    float64 // messages a second that the machines and the provider reach; 0: unknown, not a limit
}

// Most steps a forecast takes exactly; a longer campaign goes on as it went.
const forecastSteps = 20_000

// Finish tells when the last message of a campaign goes, if nothing else is sent meanwhile: it plays the
// campaign through with the functions that decide claims. False when it never ends.
func (p Plan) Finish(now time.Time) (time.Time, bool) {
	groups := append([]Group(nil), p.Groups...)
	total := left(groups)
	at, used := now, p.Used
	for range forecastSteps {
		remaining := left(groups)
		if remaining == 0 {
			return at, true
		}
		open, opens := p.open(groups, at)
		if len(open) == 0 {
			if opens.IsZero() {
				return time.Time{}, false
			}
			at = opens
			continue
		}
		v := p.Limits.Reach(used, Campaign, p.Company, at)
		if v.Room == 0 {
			at = v.At
			continue
		}
		n := share(groups, open, p.atOnce(v.Room, at, opens))
		used = used.Take(n, p.Company, at)
		if p.Limits.Contacts24h > 0 {
			used.Contacts = append(used.Contacts.since(at.Add(-tierWindow)), Take{at, n})
		}
		used.NextCampaign = at.Add(p.Limits.Draw(0.5))
		at = at.Add(p.lasts(n))
	}
	done := total - left(groups)
	if done == 0 {
		return time.Time{}, false
	}
	return now.Add(time.Duration(float64(at.Sub(now)) * float64(total) / float64(done))), true
}

func left(groups []Group) (n int) {
	for _, g := range groups {
		n += g.Left
	}
	return n
}

// open returns the groups that may be sent now, and when this next changes; zero: it does not.
func (p Plan) open(groups []Group, at time.Time) (open []int, changes time.Time) {
	sooner := func(t time.Time) {
		if !t.IsZero() && (changes.IsZero() || t.Before(changes)) {
			changes = t
		}
	}
	for i, g := range groups {
		if g.Left == 0 {
			continue
		}
		schedule := ScheduleOf(Campaign, p.Window, g.Zones, p.Company)
		if schedule.Open(at) {
			open = append(open, i)
			sooner(schedule.Closes(at))
		} else if opens, ever := schedule.Next(at); ever {
			sooner(opens)
		}
	}
	return open, changes
}

// atOnce bounds a step: not beyond the next opening or closing at the rate that is reached.
func (p Plan) atOnce(room int, at, changes time.Time) int {
	if p.Rate <= 0 || changes.IsZero() {
		return room
	}
	return min(room, max(1, int(changes.Sub(at).Seconds()*p.Rate)))
}

func (p Plan) lasts(n int) time.Duration {
	if p.Rate <= 0 {
		return 0
	}
	return time.Duration(float64(n) / p.Rate * float64(time.Second))
}

// share takes up to room messages from the open groups, in equal parts as a page does.
func share(groups []Group, open []int, room int) (taken int) {
	for i, index := range open {
		n := min(groups[index].Left, max(1, (room-taken)/(len(open)-i)), room-taken)
		groups[index].Left -= n
		taken += n
	}
	return taken
}
