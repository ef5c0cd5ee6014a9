package account

import (
	"fmt"
	"time"
)

// Lifetimes say how long what a person was given stays good.
type Lifetimes struct {
	Session, Idle           time.Duration // of users: from the login, and without a request
	AdminSession, AdminIdle time.Duration // of admins and superadmins

	Verify, Reset, Invitation, EmailChange time.Duration // of links in mails
}

// DefaultLifetimes holds unless an operator says otherwise.
var DefaultLifetimes = Lifetimes{Session: 24 * time.Hour, Idle: 8 * time.Hour, AdminSession: 24 * time.Hour, AdminIdle: 8 * time.Hour,
	Verify: 48 * time.Hour, Reset: time.Hour, Invitation: 7 * 24 * time.Hour, EmailChange: 24 * time.Hour}

// most is the longest that an operator may set; the least is a minute for each.
var most = Lifetimes{Session: 24 * time.Hour, Idle: 24 * time.Hour, AdminSession: 24 * time.Hour, AdminIdle: 24 * time.Hour,
	Verify: 7 * 24 * time.Hour, Reset: 24 * time.Hour, Invitation: 30 * 24 * time.Hour, EmailChange: 7 * 24 * time.Hour}

const leastLifetime = time.Minute

// Check names the first lifetime that is too short or too long.
func (l Lifetimes) Check() error {
	for _, one := range []struct {
		name       string
		value, top time.Duration
	}{
		{"session", l.Session, most.Session}, {"idle", l.Idle, most.Idle},
		{"admin session", l.AdminSession, most.AdminSession}, {"admin idle", l.AdminIdle, most.AdminIdle},
		{"confirmation", l.Verify, most.Verify}, {"reset", l.Reset, most.Reset}, {"invitation", l.Invitation, most.Invitation}, {"change of e-mail", l.EmailChange, most.EmailChange},
	} {
		if one.value < leastLifetime || one.value > one.top {
			return fmt.Errorf("the %s lifetime must be from %s to %s, not %s", one.name, leastLifetime, one.top, one.value)
		}
	}
	return nil
}

// session is how long a new session of this role lives.
func (l Lifetimes) session(role Role) time.Duration {
	if role == Member {
		return l.Session
	}
	return l.AdminSession
}
