package account

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Session is one place where a person is signed in.
type Session struct {
	ID       id.ID
	Device   string // in words, such as "Firefox on Windows"
	Network  string // where it was begun: 192.0.2.0/24, or empty
	Began    time.Time
	LastSeen time.Time // to the minute
	Until    time.Time // it ends then at the latest
}

// Sessions lists where a person is signed in, the last used first. A superadmin's act in many companies and a login has
// none yet, so sessions are read under the system role, by their person.
func (l *Logins) Sessions(ctx context.Context, who Principal) (sessions []Session, err error) {
	now := l.now()
	err = l.db.InSystem(ctx, func(tx postgres.Tx) error {
		rows, err := New(tx).listSessions(ctx, who.User.ID, now, now.Add(-l.idle(who.User.Role)))
		for _, r := range rows {
			sessions = append(sessions, Session{ID: r.ID, Device: deviceOf(r.UserAgent), Network: r.Network, Began: r.CreatedAt, LastSeen: r.LastSeenAt, Until: r.ExpiresAt})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	return sessions, nil
}

// EndSession ends one session of a person, or answers ErrNotFound.
func (l *Logins) EndSession(ctx context.Context, who Principal, session id.ID) error {
	now := l.now()
	err := l.db.InSystem(ctx, func(tx postgres.Tx) error {
		n, err := New(tx).endOwnSession(ctx, &now, session, who.User.ID)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	return nil
}

// EndOtherSessions ends every session of a person but the one that asks, and returns those.
func (l *Logins) EndOtherSessions(ctx context.Context, who Principal) (ended []id.ID, err error) {
	now := l.now()
	err = l.db.InSystem(ctx, func(tx postgres.Tx) (err error) {
		ended, err = New(tx).endOtherSessions(ctx, &now, who.User.ID, who.Session)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ending sessions: %w", err)
	}
	return ended, nil
}

// place is the network of an address as people are shown it, coarse enough to say little about a household.
func place(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	bits := 24
	if address.Is6() {
		bits = 48
	}
	prefix, err := address.Prefix(bits)
	if err != nil || !prefix.IsValid() {
		return ""
	}
	return prefix.String()
}

// The words that browsers and systems put into a user agent. The first that fits wins: Edge also says Chrome, Chrome also
// says Safari, and Android also says Linux.
var (
	browsers = [][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox", "Firefox"}, {"FxiOS", "Firefox"},
		{"CriOS", "Chrome"}, {"Chrome", "Chrome"}, {"Safari", "Safari"}, {"curl", "curl"}}
	systems = [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
		{"Mac OS X", "macOS"}, {"Linux", "Linux"}}
)

func deviceOf(agent string) string {
	browser, system := firstIn(agent, browsers), firstIn(agent, systems)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	case system != "":
		return "A browser on " + system
	}
	return "An unknown device"
}

func firstIn(agent string, known [][2]string) string {
	for _, one := range known {
		if strings.Contains(agent, one[0]) {
			return one[1]
		}
	}
	return ""
}
