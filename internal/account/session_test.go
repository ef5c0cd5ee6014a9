package account

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres/pgtest"
)

func TestPeopleSeeAndEndTheirOwnSessions(t *testing.T) {
	logins, db := newLogins(t)
	company := pgtest.Company(t, db)
	addUser(t, db, &company, "ana@example.com", Admin)
	addUser(t, db, &company, "bia@example.com", Member)
	login := func(email, agent, address string) (string, Principal) {
		token, who, err := logins.Login(t.Context(), email, password, netip.MustParseAddr(address), agent)
		require.NoError(t, err)
		return token, who
	}
	_, desk := login("ana@example.com", "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0", "192.0.2.77")
	phone, onPhone := login("ana@example.com", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "2001:db8:1:2::9")
	_, bia := login("bia@example.com", "", "192.0.2.1")

	sessions, err := logins.Sessions(t.Context(), desk)
	require.NoError(t, err)
	seen := map[id.ID]string{}
	for _, s := range sessions {
		seen[s.ID] = s.Device + " " + s.Network
	}
	require.Equal(t, map[id.ID]string{desk.Session: "Firefox on Windows 192.0.2.0/24", onPhone.Session: "Safari on iPhone 2001:db8:1::/48"}, seen)

	require.ErrorIs(t, logins.EndSession(t.Context(), bia, onPhone.Session), ErrNotFound, "another person's session")
	require.NoError(t, logins.EndSession(t.Context(), desk, onPhone.Session))
	require.ErrorIs(t, logins.EndSession(t.Context(), desk, onPhone.Session), ErrNotFound, "twice")
	_, err = logins.Authenticate(t.Context(), phone)
	require.ErrorIs(t, err, ErrNoSession)

	third, _ := login("ana@example.com", "curl/8", "192.0.2.9")
	ended, err := logins.EndOtherSessions(t.Context(), desk)
	require.NoError(t, err)
	require.Len(t, ended, 1)
	_, err = logins.Authenticate(t.Context(), third)
	require.ErrorIs(t, err, ErrNoSession)
	left, err := logins.Sessions(t.Context(), bia)
	require.NoError(t, err)
	require.Len(t, left, 1, "nobody else's session ended")
	require.Equal(t, "An unknown device", left[0].Device)
}

func TestAdminsMayHaveShorterSessions(t *testing.T) {
	logins, db := newLogins(t)
	logins.lives.AdminSession, logins.lives.AdminIdle = 12*time.Hour, time.Hour
	now := time.Now()
	logins.now = func() time.Time { return now }
	company := pgtest.Company(t, db)
	addUser(t, db, &company, "ana@example.com", Admin)
	addUser(t, db, &company, "bia@example.com", Member)
	ana, admin, err := logins.Login(t.Context(), "ana@example.com", password, home, "")
	require.NoError(t, err)
	bia, member, err := logins.Login(t.Context(), "bia@example.com", password, home, "")
	require.NoError(t, err)
	require.Equal(t, 12*time.Hour, admin.Until.Sub(member.Until)+24*time.Hour)
	now = now.Add(time.Hour + time.Second)
	_, err = logins.Authenticate(t.Context(), ana)
	require.ErrorIs(t, err, ErrNoSession, "an idle admin")
	_, err = logins.Authenticate(t.Context(), bia)
	require.NoError(t, err)
}

func TestLifetimesHaveMaxima(t *testing.T) {
	require.NoError(t, DefaultLifetimes.Check())
	for _, change := range []func(*Lifetimes){
		func(l *Lifetimes) { l.Session = 25 * time.Hour }, func(l *Lifetimes) { l.Idle = 0 }, func(l *Lifetimes) { l.AdminIdle = 25 * time.Hour },
	} {
		lives := DefaultLifetimes
		change(&lives)
		require.ErrorContains(t, lives.Check(), "lifetime must be from 1m0s to 24h0m0s")
	}
}
