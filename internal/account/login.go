package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Limits of a session.
const (
	seenEvery    = time.Minute // how exactly the last request is kept
	longestAgent = 200         // bytes of a user agent that are kept
)

// Errors of signing in.
var (
	ErrWrongLogin = errors.New("the e-mail or the password is wrong")
	ErrNoSession  = errors.New("there is no session: signed out, ended, or never signed in")
)

// BackoffError says that too many attempts failed and when to try again.
type BackoffError struct{ Wait time.Duration }

func (e BackoffError) Error() string { return "too many attempts have failed" }

// Logins signs people in and out and tells who sends a request.
type Logins struct {
	db      *postgres.DB
	tokens  *Tokens
	lives   Lifetimes
	backoff *backoff // of passwords
	asks    *backoff // of mails to be sent
	now     func() time.Time
}

// NewLogins returns the logins of one process. The zero Lifetimes mean DefaultLifetimes.
func NewLogins(db *postgres.DB, tokens *Tokens, lives Lifetimes) *Logins {
	if lives == (Lifetimes{}) {
		lives = DefaultLifetimes
	}
	return &Logins{db: db, tokens: tokens, lives: lives, backoff: newBackoff(), asks: newBackoff(), now: time.Now}
}

// CookieLife is that of the longest session. Which session is over is told by its row.
func (l *Logins) CookieLife() time.Duration { return max(l.lives.Session, l.lives.AdminSession) }

func (l *Logins) idle(role Role) time.Duration {
	if role == Member {
		return l.lives.Idle
	}
	return l.lives.AdminIdle
}

// Login checks a password and opens a session. It answers ErrWrongLogin, equally slowly for unknown people and
// wrong passwords, or a BackoffError.
func (l *Logins) Login(ctx context.Context, email, password string, address netip.Addr, agent string) (string, Principal, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if wait := l.backoff.wait(email, address, l.now()); wait > 0 {
		return "", Principal{}, BackoffError{wait}
	}
	var found findUserByEmailRow
	err := l.db.InSystem(ctx, func(tx postgres.Tx) (err error) {
		found, err = New(tx).findUserByEmail(ctx, email)
		return err
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", Principal{}, fmt.Errorf("finding a user: %w", err)
	}
	good, err := matches(ctx, found.PasswordHash, password)
	if err != nil {
		return "", Principal{}, err
	}
	if !good || found.DisabledAt != nil {
		l.backoff.failed(email, address, l.now())
		return "", Principal{}, ErrWrongLogin
	}
	l.backoff.succeeded(email, address)
	return l.open(ctx, opening{found.ID, Role(found.Role), found.CompanyID, agent, place(address)}, nil)
}

// opening is what a new session is made of.
type opening struct {
	user           id.ID
	role           Role
	company        *id.ID
	agent, network string
}

// open makes a session and, in the same transaction, ends those that end chooses.
func (l *Logins) open(ctx context.Context, o opening, end func(*Queries, time.Time) error) (string, Principal, error) {
	now := l.now()
	who := identity{user: o.user, session: id.New(), company: o.company}
	until := now.Add(l.lives.session(o.role))
	err := l.db.InSystem(ctx, func(tx postgres.Tx) error {
		q := New(tx)
		if end != nil {
			if err := end(q, now); err != nil {
				return err
			}
		}
		return q.insertSession(ctx, insertSessionParams{ID: who.session, UserID: o.user, CompanyID: o.company, Now: now,
			ExpiresAt: until, UserAgent: cut(strings.ToValidUTF8(o.agent, ""), longestAgent), Network: o.network})
	})
	if err != nil {
		return "", Principal{}, fmt.Errorf("opening a session: %w", err)
	}
	token, err := l.tokens.sign(who, now, until)
	if err != nil {
		return "", Principal{}, err
	}
	principal, err := l.Authenticate(ctx, token)
	return token, principal, err
}

// Authenticate tells who sends a request. Session, user, role and company come from the database each time, in
// one statement; the token only names them. It answers ErrNoSession when any of it is no longer good.
func (l *Logins) Authenticate(ctx context.Context, token string) (Principal, error) {
	now := l.now()
	who, err := l.tokens.read(token, now)
	if err != nil {
		return Principal{}, ErrNoSession
	}
	var row authenticateRow
	err = l.db.InSystem(ctx, func(tx postgres.Tx) (err error) {
		row, err = New(tx).authenticate(ctx, authenticateParams{SessionID: who.session, UserID: who.user, Now: now,
			IdleSince: now.Add(-l.lives.Idle), AdminIdleSince: now.Add(-l.lives.AdminIdle), SeenBefore: now.Add(-seenEvery)})
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Principal{}, ErrNoSession
	}
	if err != nil {
		return Principal{}, fmt.Errorf("reading a session: %w", err)
	}
	if !same(who.company, row.CompanyID) {
		return Principal{}, ErrNoSession // an older token of a session that has moved on
	}
	if Role(row.Role) != Superadmin && !same(row.CompanyID, row.HomeCompanyID) {
		return Principal{}, ErrNoSession // only a superadmin acts in a company that is not theirs
	}
	return row.principal(), nil
}

func (row authenticateRow) principal() Principal {
	p := Principal{In: append([]id.ID{}, row.Departments...), Session: row.SessionID, Network: row.Network, Until: row.ExpiresAt, User: User{ID: row.UserID, Home: row.HomeCompanyID,
		Email: row.Email, Name: row.Name, Role: Role(row.Role), MustChangePassword: row.MustChangePassword, Verified: row.Verified}}
	if row.CompanyID != nil && row.CompanyName != nil {
		p.Company = &Company{ID: *row.CompanyID, Name: *row.CompanyName, Zone: *row.CompanyZone, Demo: *row.CompanyDemo, Setup: row.CompanySetup}
	}
	return p
}

// Logout ends a session. Ending one twice does no harm.
func (l *Logins) Logout(ctx context.Context, session id.ID) error {
	err := l.db.InSystem(ctx, func(tx postgres.Tx) error {
		now := l.now()
		return New(tx).revokeSession(ctx, &now, session)
	})
	if err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	return nil
}

// ChangePassword sets a new password and ends every session of the person; the answer is the token of a new
// one. It answers ErrWrongLogin when current is wrong, a PasswordError when next is refused, or a BackoffError.
func (l *Logins) ChangePassword(ctx context.Context, who Principal, current, next string, address netip.Addr, agent string) (string, error) {
	stored, err := l.confirm(ctx, who, current, address)
	if err != nil {
		return "", err
	}
	about := []string{who.User.Email, who.User.Name}
	if who.Company != nil {
		about = append(about, who.Company.Name)
	}
	if current == next {
		return "", PasswordError{"The new password is the old one."}
	}
	if err := CheckPassword(next, about...); err != nil {
		return "", err
	}
	hash, err := HashPassword(ctx, next)
	if err != nil {
		return "", err
	}
	token, _, err := l.open(ctx, opening{who.User.ID, who.User.Role, companyID(who), agent, place(address)}, func(q *Queries, now time.Time) error {
		changed, err := q.setPassword(ctx, hash, who.User.ID, stored)
		if err != nil {
			return err
		}
		if changed == 0 {
			return ErrWrongLogin // somebody else changed it meanwhile
		}
		return q.revokeSessionsOf(ctx, &now, who.User.ID)
	})
	return token, err
}

// EnterCompany moves a superadmin into a company, or out of all with nil. The old session ends and a new one
// begins, so that nothing opened in one company goes on in another. ErrNotFound: there is no such company.
func (l *Logins) EnterCompany(ctx context.Context, who Principal, company *id.ID, agent string) (string, Principal, error) {
	if who.User.Role != Superadmin {
		return "", Principal{}, ErrNotFound
	}
	return l.open(ctx, opening{who.User.ID, who.User.Role, company, agent, who.Network}, func(q *Queries, now time.Time) error {
		if company != nil {
			if _, err := q.getCompany(ctx, *company); err != nil {
				return notFound("reading a company", err)
			}
		}
		return q.revokeSession(ctx, &now, who.Session)
	})
}

// Live returns those of the sessions that have not ended. Open websockets are asked about.
func (l *Logins) Live(ctx context.Context, sessions []id.ID) (map[id.ID]bool, error) {
	live := map[id.ID]bool{}
	err := l.db.InSystem(ctx, func(tx postgres.Tx) error {
		ids, err := New(tx).liveSessions(ctx, sessions, l.now())
		for _, session := range ids {
			live[session] = true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading sessions: %w", err)
	}
	return live, nil
}

func companyID(who Principal) *id.ID {
	if who.Company == nil {
		return nil
	}
	return &who.Company.ID
}

func same(a, b *id.ID) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

func randomBytes(n int) []byte {
	random := make([]byte, n)
	_, _ = rand.Read(random) // never fails: crypto/rand ends the program instead
	return random
}
