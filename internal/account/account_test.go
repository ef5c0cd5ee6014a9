package account

import (
	"context"
	"encoding/base64"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

const password = "a long enough phrase"

var home = netip.MustParseAddr("192.0.2.7")

func newLogins(t *testing.T) (*Logins, *postgres.DB) {
	t.Helper()
	tokens, err := NewTokens(NewTokenSecret())
	require.NoError(t, err)
	db := pgtest.New(t)
	return NewLogins(db, tokens, Lifetimes{}), db
}

func addUser(t *testing.T, db *postgres.DB, company *id.ID, email string, role Role) id.ID {
	t.Helper()
	hash, err := HashPassword(t.Context(), password)
	require.NoError(t, err)
	var user id.ID
	require.NoError(t, db.InSystem(t.Context(), func(tx postgres.Tx) (err error) {
		user, err = CreateUser(t.Context(), tx, NewUser{Home: company, Email: email, Name: "A Person", Role: role, Hash: hash})
		return err
	}))
	return user
}

func TestPasswordRule(t *testing.T) {
	for _, c := range []struct{ password, says string }{
		{"short", "12 characters"}, {strings.Repeat("ab c", 40), "at most"}, {"123456789012345", "digits"},
		{"passwordpassword", "common"}, {"Password!!!!1234", "common"}, {"qwertyuiop123", "common"}, {"xyzxyzxyzxyzxyz", "common"},
		{"ana.souza2026!", "e-mail"}, {"AcmeDemo-2026", "common"}, {"Northwind-2026!", "company"}, {"bad \xff bytes here", "valid"},
	} {
		err := CheckPassword(c.password, "ana.souza@example.com", "Northwind")
		require.ErrorContains(t, err, c.says, c.password)
	}
	for _, good := range []string{password, "correct pony staple 7 battery", "日本語のとても長い合言葉です", "!?;:.,-_#+*~%&/"} {
		require.NoError(t, CheckPassword(good, "ana.souza@example.com", "Northwind"), good)
	}
	require.NoError(t, CheckPassword(OneTimePassword()))
	require.NotEqual(t, OneTimePassword(), OneTimePassword())
}

func TestALongPasswordCountsWhole(t *testing.T) {
	long := strings.Repeat("x", 100)
	hash, err := HashPassword(t.Context(), long+"a")
	require.NoError(t, err)
	good, err := matches(t.Context(), hash, long+"a")
	require.NoError(t, err)
	require.True(t, good)
	good, err = matches(t.Context(), hash, long+"b")
	require.NoError(t, err)
	require.False(t, good)
}

func TestWeakSigningSecretsAreRefused(t *testing.T) {
	for _, c := range []struct{ secret, says string }{
		{"", "0 bytes"}, {strings.Repeat("x", 31), "31 bytes"}, {strings.Repeat("ab", 20), "repeats"}, {"changeme-changeme-changeme-changeme-changeme", "sample"},
	} {
		_, err := NewTokens(c.secret)
		require.ErrorContains(t, err, c.says)
		if c.secret != "" {
			require.NotContains(t, err.Error(), c.secret)
		}
	}
}

func TestBootstrapMakesOneSuperadminOnce(t *testing.T) {
	logins, db := newLogins(t)
	var starting sync.WaitGroup
	oneTimes := make(chan string, 4)
	for range 4 {
		starting.Go(func() {
			created, oneTime, err := Bootstrap(context.Background(), db, "Root@Example.com", "")
			if err == nil && created {
				oneTimes <- oneTime
			}
		})
	}
	starting.Wait()
	require.Len(t, oneTimes, 1, "one of four starting processes made it")
	token, who, err := logins.Login(t.Context(), "root@example.COM", <-oneTimes, home, "")
	require.NoError(t, err)
	require.Equal(t, Superadmin, who.User.Role)
	require.True(t, who.User.MustChangePassword)
	require.Nil(t, who.Company)
	require.NotContains(t, token, "root@")

	created, _, err := Bootstrap(t.Context(), db, "other@example.com", password)
	require.NoError(t, err)
	require.False(t, created)
}

func TestBootstrapTakesAGivenPassword(t *testing.T) {
	logins, db := newLogins(t)
	_, _, err := Bootstrap(t.Context(), db, "root@example.com", "admin123")
	require.Error(t, err)
	created, oneTime, err := Bootstrap(t.Context(), db, "root@example.com", password)
	require.NoError(t, err)
	require.True(t, created)
	require.Empty(t, oneTime)
	_, who, err := logins.Login(t.Context(), "root@example.com", password, home, "")
	require.NoError(t, err)
	require.False(t, who.User.MustChangePassword)
}

func TestASessionEnds(t *testing.T) {
	logins, db := newLogins(t)
	company := pgtest.Company(t, db)
	user := addUser(t, db, &company, "ana@example.com", Admin)
	now := time.Now()
	logins.now = func() time.Time { return now }
	login := func() (string, Principal) {
		token, who, err := logins.Login(t.Context(), "ana@example.com", password, home, "a browser")
		require.NoError(t, err)
		require.Equal(t, company, who.Company.ID)
		return token, who
	}
	refused := func(token string) {
		t.Helper()
		_, err := logins.Authenticate(t.Context(), token)
		require.ErrorIs(t, err, ErrNoSession)
	}
	t.Run("at logout", func(t *testing.T) {
		token, who := login()
		live, err := logins.Live(t.Context(), []id.ID{who.Session, id.New()})
		require.NoError(t, err)
		require.Equal(t, map[id.ID]bool{who.Session: true}, live)
		require.NoError(t, logins.Logout(t.Context(), who.Session))
		refused(token)
		live, err = logins.Live(t.Context(), []id.ID{who.Session})
		require.NoError(t, err)
		require.Empty(t, live)
	})
	t.Run("after 8 idle hours, however often it was used before", func(t *testing.T) {
		token, _ := login()
		for range 2 {
			now = now.Add(DefaultLifetimes.Idle - time.Minute)
			_, err := logins.Authenticate(t.Context(), token)
			require.NoError(t, err)
		}
		now = now.Add(DefaultLifetimes.Idle + time.Second)
		refused(token)
	})
	t.Run("after 24 hours of use", func(t *testing.T) {
		token, _ := login()
		for range 23 {
			now = now.Add(time.Hour)
			_, err := logins.Authenticate(t.Context(), token)
			require.NoError(t, err)
		}
		now = now.Add(time.Hour + 3*time.Second)
		refused(token)
	})
	t.Run("with a new password, and the others with it", func(t *testing.T) {
		first, _ := login()
		second, who := login()
		_, err := logins.ChangePassword(t.Context(), who, "wrong", "another long phrase", home, "")
		require.ErrorIs(t, err, ErrWrongLogin)
		third, err := logins.ChangePassword(t.Context(), who, password, "another long phrase", home, "")
		require.NoError(t, err)
		refused(first)
		refused(second)
		_, err = logins.Authenticate(t.Context(), third)
		require.NoError(t, err)
		_, _, err = logins.Login(t.Context(), "ana@example.com", password, home, "")
		require.ErrorIs(t, err, ErrWrongLogin)
	})
	t.Run("when the user is disabled", func(t *testing.T) {
		token, _, err := logins.Login(t.Context(), "ana@example.com", "another long phrase", home, "")
		require.NoError(t, err)
		owner := pgtest.Owner(t, db)
		_, err = owner.Exec(t.Context(), `UPDATE omnidesk.users SET disabled_at = now() WHERE id = $1`, user)
		require.NoError(t, err)
		refused(token)
	})
}

func TestForgedTokensAreRefused(t *testing.T) {
	logins, db := newLogins(t)
	company, other := pgtest.Company(t, db), pgtest.Company(t, db)
	addUser(t, db, &company, "ana@example.com", Admin)
	token, who, err := logins.Login(t.Context(), "ana@example.com", password, home, "")
	require.NoError(t, err)
	now := time.Now()
	self := identity{user: who.User.ID, session: who.Session, company: &company}
	otherTokens, err := NewTokens(NewTokenSecret())
	require.NoError(t, err)
	sign := func(tokens *Tokens, who identity, until time.Time) string {
		signed, err := tokens.sign(who, now, until)
		require.NoError(t, err)
		return signed
	}
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims{Session: who.Session.String(), Company: company.String(), RegisteredClaims: jwt.RegisteredClaims{
		Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: who.User.ID.String(), ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour))}}).
		SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	good := sign(logins.tokens, self, now.Add(time.Hour))
	_, err = logins.Authenticate(t.Context(), good)
	require.NoError(t, err)
	parts, others := strings.Split(good, "."), strings.Split(sign(logins.tokens, identity{id.New(), who.Session, &company}, now.Add(time.Hour)), ".")
	for name, forged := range map[string]string{
		"swapped parts":   parts[0] + "." + others[1] + "." + parts[2],
		"a mail's link":   base64.RawURLEncoding.EncodeToString(randomBytes(32)),
		"nothing":         "",
		"not a token":     "abc.def.ghi",
		"cut":             token[:len(token)-2],
		"another key":     sign(otherTokens, self, now.Add(time.Hour)),
		"not signed":      unsigned,
		"over":            sign(logins.tokens, self, now.Add(-time.Minute)),
		"another company": sign(logins.tokens, identity{who.User.ID, who.Session, &other}, now.Add(time.Hour)),
		"no company":      sign(logins.tokens, identity{who.User.ID, who.Session, nil}, now.Add(time.Hour)),
		"another user":    sign(logins.tokens, identity{id.New(), who.Session, &company}, now.Add(time.Hour)),
		"another session": sign(logins.tokens, identity{who.User.ID, id.New(), &company}, now.Add(time.Hour)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := logins.Authenticate(t.Context(), forged)
			require.ErrorIs(t, err, ErrNoSession)
		})
	}
}

func TestOnlyASuperadminEntersCompanies(t *testing.T) {
	logins, db := newLogins(t)
	company := pgtest.Company(t, db)
	addUser(t, db, nil, "root@example.com", Superadmin)
	addUser(t, db, &company, "ana@example.com", Admin)
	before, root, err := logins.Login(t.Context(), "root@example.com", password, home, "")
	require.NoError(t, err)
	unknown := id.New()
	_, _, err = logins.EnterCompany(t.Context(), root, &unknown, "")
	require.ErrorIs(t, err, ErrNotFound)
	inside, root, err := logins.EnterCompany(t.Context(), root, &company, "")
	require.NoError(t, err)
	require.Equal(t, company, root.Company.ID)
	_, err = logins.Authenticate(t.Context(), before)
	require.ErrorIs(t, err, ErrNoSession)
	_, root, err = logins.EnterCompany(t.Context(), root, nil, "")
	require.NoError(t, err)
	require.Nil(t, root.Company)
	_, err = logins.Authenticate(t.Context(), inside)
	require.ErrorIs(t, err, ErrNoSession)

	_, ana, err := logins.Login(t.Context(), "ana@example.com", password, home, "")
	require.NoError(t, err)
	_, _, err = logins.EnterCompany(t.Context(), ana, &company, "")
	require.ErrorIs(t, err, ErrNotFound)
}

func TestBackoffSlowsTheGuesserAndNobodyElse(t *testing.T) {
	b, now := newBackoff(), time.Now()
	stranger, elsewhere := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("198.51.100.1")
	for range freeFailures - 1 {
		b.failed("ana@example.com", stranger, now)
	}
	require.Zero(t, b.wait("ana@example.com", stranger, now))
	b.failed("ana@example.com", stranger, now)
	first := b.wait("ana@example.com", stranger, now)
	require.Positive(t, first)
	b.failed("ana@example.com", stranger, now)
	require.Greater(t, b.wait("ana@example.com", stranger, now), first, "each failure waits longer")
	for range 100 {
		b.failed("ana@example.com", stranger, now)
	}
	require.Equal(t, longestWait, b.wait("ana@example.com", stranger, now))
	require.Zero(t, b.wait("ana@example.com", elsewhere, now), "the owner at another address is not shut out")
	require.Positive(t, b.wait("bia@example.com", stranger, now), "an address that fails for long waits as a whole")
	require.Zero(t, b.wait("ana@example.com", stranger, now.Add(longestWait+time.Second)))

	six := newBackoff()
	for i := range freeFailures {
		six.failed("ana@example.com", netip.AddrFrom16([16]byte{0x20, 1, 15: byte(i)}), now)
	}
	require.Positive(t, six.wait("ana@example.com", netip.AddrFrom16([16]byte{0x20, 1, 15: 99}), now), "a /64 counts as one")
}

func TestBackoffForgetsBeforeItGrows(t *testing.T) {
	b, now := newBackoff(), time.Now()
	for i := range mostRemembered + 500 {
		b.failed("ana@example.com", netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now)
	}
	require.LessOrEqual(t, len(b.pairs), mostRemembered)
	require.LessOrEqual(t, len(b.addresses), mostRememberedIP)
}

func TestUnknownPeopleTakeAsLong(t *testing.T) {
	logins, db := newLogins(t)
	company := pgtest.Company(t, db)
	addUser(t, db, &company, "ana@example.com", Admin)
	took := func(email string) time.Duration {
		began := time.Now()
		_, _, err := logins.Login(t.Context(), email, "not the password", home, "")
		require.ErrorIs(t, err, ErrWrongLogin)
		return time.Since(began)
	}
	known, unknown := took("ana@example.com"), took("nobody@example.com")
	require.Greater(t, unknown, known/4, "an unknown address must not answer at once")
}
