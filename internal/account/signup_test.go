package account

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/mail"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

const (
	base    = "https://desk.example"
	another = "another long phrase"
)

// outbox writes every mail that waits, as a worker does, and empties the box.
func outbox(t *testing.T, db *postgres.DB, now time.Time) (written []mail.Message) {
	t.Helper()
	rows, err := pgtest.Owner(t, db).Query(t.Context(), `SELECT id FROM omnidesk.mails ORDER BY id`)
	require.NoError(t, err)
	var waiting []id.ID
	for rows.Next() {
		var one id.ID
		require.NoError(t, rows.Scan(&one))
		waiting = append(waiting, one)
	}
	require.NoError(t, rows.Err())
	for _, one := range waiting {
		message, dropped, err := WriteMail(t.Context(), db, one, DefaultLifetimes, now)
		require.NoError(t, err)
		if !dropped {
			written = append(written, message)
		}
		require.NoError(t, MailLeft(t.Context(), db, one))
	}
	return written
}

func linkIn(t *testing.T, message mail.Message, page string) string {
	t.Helper()
	_, after, found := strings.Cut(message.Text, base+page+"#")
	require.True(t, found, message.Text)
	secret, _, _ := strings.Cut(after, "\n")
	return secret
}

func faultOf(err error) LinkFault {
	var link LinkError
	if !errors.As(err, &link) {
		return ""
	}
	return link.Why
}

func (l *Logins) signUpAna(t *testing.T) {
	t.Helper()
	_, _, err := l.SignUp(t.Context(), NewAccount{"Aurora", "America/Sao_Paulo", "Ana Souza", "Ana@Aurora.example", password}, home, base)
	require.NoError(t, err)
}

func TestSignUpThroughAMailToFullAccess(t *testing.T) {
	logins, db := newLogins(t)
	logins.signUpAna(t)
	_, ana, err := logins.Login(t.Context(), "ana@aurora.example", password, home, "")
	require.NoError(t, err, "an address that is not confirmed may sign in")
	require.False(t, ana.User.Verified)
	mails := outbox(t, db, time.Now())
	require.Len(t, mails, 1)
	require.Equal(t, "ana@aurora.example", mails[0].To)
	link := linkIn(t, mails[0], "/verify")

	company := pgtest.Company(t, db)
	addUser(t, db, &company, "bia@example.com", Admin)
	_, bia, err := logins.Login(t.Context(), "bia@example.com", password, home, "")
	require.NoError(t, err)
	signed, err := logins.tokens.sign(identity{user: ana.User.ID, session: ana.Session}, time.Now(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		who  Principal
		link string
		want LinkFault
	}{
		"somebody else's": {bia, link, LinkOther}, "cut": {ana, link[:40], LinkUnknown}, "nothing": {ana, "", LinkUnknown}, "a session's token": {ana, signed, LinkUnknown},
		"made up": {ana, strings.Repeat("A", 43), LinkUnknown}, "longer": {ana, link + "A", LinkUnknown},
	} {
		require.Equal(t, c.want, faultOf(logins.Verify(t.Context(), c.who, c.link)), name)
	}
	_, _, err = logins.Reset(t.Context(), link, another, home, "")
	require.Equal(t, LinkOther, faultOf(err), "a link for one purpose is good for no other")
	require.NoError(t, logins.Verify(t.Context(), ana, link))
	require.Equal(t, LinkUsed, faultOf(logins.Verify(t.Context(), ana, link)))
	_, ana, err = logins.Login(t.Context(), "ana@aurora.example", password, home, "")
	require.NoError(t, err)
	require.True(t, ana.User.Verified)
	require.Equal(t, Admin, ana.User.Role)
	require.Equal(t, "Aurora", ana.Company.Name)
}

func TestSignUpTellsNobodyWhoHasAnAccount(t *testing.T) {
	logins, db := newLogins(t)
	logins.signUpAna(t)
	outbox(t, db, time.Now())
	before := count(t, db, `SELECT count(*) FROM omnidesk.companies`)
	company, founder, err := logins.SignUp(t.Context(), NewAccount{"Thieves", "UTC", "Eve", "ana@aurora.example", another}, home, base)
	require.NoError(t, err)
	require.Equal(t, []id.ID{id.Nil, id.Nil}, []id.ID{company, founder})
	require.Equal(t, before, count(t, db, `SELECT count(*) FROM omnidesk.companies`))
	_, _, err = logins.Login(t.Context(), "ana@aurora.example", another, home, "")
	require.ErrorIs(t, err, ErrWrongLogin)
	mails := outbox(t, db, time.Now())
	require.Len(t, mails, 1)
	require.Contains(t, mails[0].Subject, "already have an account")
	linkIn(t, mails[0], "/reset")
}

func TestSignUpNamesEachUnfitField(t *testing.T) {
	logins, db := newLogins(t)
	_, _, err := logins.SignUp(t.Context(), NewAccount{" ", "Mars/Base", "", "nobody", "short"}, home, base)
	var unfit *SettingsError
	require.ErrorAs(t, err, &unfit)
	fields := []string{}
	for _, p := range unfit.Problems {
		fields = append(fields, p.Field)
	}
	require.Equal(t, []string{"company", "zone", "name", "email", "password"}, fields)
	require.Zero(t, count(t, db, `SELECT count(*) FROM omnidesk.mails`))
}

func TestAForgottenPasswordIsReplacedByMail(t *testing.T) {
	logins, db := newLogins(t)
	company := pgtest.Company(t, db)
	addUser(t, db, &company, "ana@example.com", Admin)
	addUser(t, db, nil, "root@example.com", Superadmin)
	old, _, err := logins.Login(t.Context(), "ana@example.com", password, home, "")
	require.NoError(t, err)
	for _, email := range []string{"nobody@example.com", "ana@example.com", "ana@example.com", "root@example.com"} {
		require.NoError(t, logins.AskReset(t.Context(), email, home, base), "the answer tells nobody apart")
	}
	require.Equal(t, 4, count(t, db, `SELECT count(*) FROM omnidesk.mails WHERE company_id IS NULL AND subject_id IS NULL`), "nor does what is written")
	mails := outbox(t, db, time.Now())
	require.Len(t, mails, 3, "nobody is sent nothing")
	first, second, root := linkIn(t, mails[0], "/reset"), linkIn(t, mails[1], "/reset"), linkIn(t, mails[2], "/reset")

	_, _, err = logins.Reset(t.Context(), first, "short", home, "")
	var weak PasswordError
	require.ErrorAs(t, err, &weak)
	token, ana, err := logins.Reset(t.Context(), first, another, home, "")
	require.NoError(t, err, "a refused password does not use the link up")
	require.Equal(t, "ana@example.com", ana.User.Email)
	_, err = logins.Authenticate(t.Context(), token)
	require.NoError(t, err)
	_, err = logins.Authenticate(t.Context(), old)
	require.ErrorIs(t, err, ErrNoSession, "every earlier session has ended")
	for _, again := range []string{first, second} {
		_, _, err = logins.Reset(t.Context(), again, another, home, "")
		require.Equal(t, LinkUsed, faultOf(err), "one that was used takes its twins along")
	}
	logins.now = func() time.Time { return time.Now().Add(DefaultLifetimes.Reset + time.Minute) }
	_, _, err = logins.Reset(t.Context(), root, another, home, "")
	require.Equal(t, LinkExpired, faultOf(err))
}

func TestAFloodOfResetsShutsNobodyOut(t *testing.T) {
	logins, db := newLogins(t)
	company := pgtest.Company(t, db)
	addUser(t, db, &company, "ana@example.com", Admin)
	var slowed BackoffError
	sent := 0
	for i := range 100 { // a stranger on many networks
		err := logins.AskReset(t.Context(), "ana@example.com", netip.AddrFrom4([4]byte{10, 0, byte(i / 8), 1}), base)
		if err == nil {
			sent++
			continue
		}
		require.ErrorAs(t, err, &slowed)
	}
	require.Less(t, sent, 100, "one network is slowed")
	mails := outbox(t, db, time.Now())
	require.Len(t, mails, linksPerHour, "the mailbox is not flooded")
	require.NoError(t, logins.AskReset(t.Context(), "ana@example.com", home, base), "the owner's network is not slowed")
	_, _, err := logins.Reset(t.Context(), linkIn(t, mails[0], "/reset"), another, home, "")
	require.NoError(t, err, "and the links that were sent work")
}

func TestAHundredWrongPasswords(t *testing.T) {
	logins, db := newLogins(t)
	company := pgtest.Company(t, db)
	addUser(t, db, &company, "ana@example.com", Admin)
	stranger := netip.MustParseAddr("203.0.113.9")
	looked := 0
	for range 100 {
		_, _, err := logins.Login(t.Context(), "ana@example.com", "not the password", stranger, "")
		var slowed BackoffError
		if !errors.As(err, &slowed) {
			require.ErrorIs(t, err, ErrWrongLogin)
			looked++
		}
	}
	require.Equal(t, freeFailures, looked, "the others were not even looked at")
	_, _, err := logins.Login(t.Context(), "ana@example.com", password, home, "")
	require.NoError(t, err, "the owner elsewhere signs in")
}

func TestAnAddressIsChangedByTheNewOne(t *testing.T) {
	logins, db := newLogins(t)
	company := pgtest.Company(t, db)
	addUser(t, db, &company, "ana@example.com", Admin)
	addUser(t, db, &company, "bia@example.com", Member)
	_, ana, err := logins.Login(t.Context(), "ana@example.com", password, home, "")
	require.NoError(t, err)
	_, bia, err := logins.Login(t.Context(), "bia@example.com", password, home, "")
	require.NoError(t, err)
	require.ErrorIs(t, logins.AskEmail(t.Context(), ana, "ana@new.example", "wrong", home, base), ErrWrongLogin)
	require.NoError(t, logins.AskEmail(t.Context(), ana, "Ana@New.example", password, home, base))
	require.NoError(t, logins.AskEmail(t.Context(), ana, "bia@example.com", password, home, base))
	mails := outbox(t, db, time.Now())
	require.Len(t, mails, 2)
	require.Equal(t, "ana@new.example", mails[0].To)
	link, taken := linkIn(t, mails[0], "/email"), linkIn(t, mails[1], "/email")
	require.Equal(t, LinkOther, faultOf(logins.ChangeEmail(t.Context(), bia, link, base)), "whose mailbox it is does not get the account")
	require.ErrorIs(t, logins.ChangeEmail(t.Context(), ana, taken, base), ErrEmailTaken)
	require.NoError(t, logins.ChangeEmail(t.Context(), ana, link, base))
	told := outbox(t, db, time.Now())
	require.Len(t, told, 1)
	require.Equal(t, "ana@example.com", told[0].To)
	_, _, err = logins.Login(t.Context(), "ana@new.example", password, home, "")
	require.NoError(t, err)
}

func TestInvitations(t *testing.T) {
	logins, db := newLogins(t)
	company, other := pgtest.Company(t, db), pgtest.Company(t, db)
	ana := addUser(t, db, &company, "ana@example.com", Admin)
	addUser(t, db, &other, "eva@example.com", Admin)
	invite := func(email string) (invitation id.ID, err error) {
		err = db.InCompany(t.Context(), company, func(tx postgres.Tx) (err error) {
			invitation, err = Invite(t.Context(), tx, company, ana, email, Member, base, time.Hour, time.Now())
			return err
		})
		return invitation, err
	}
	var unfit *SettingsError
	_, err := invite("ana@example.com")
	require.ErrorAs(t, err, &unfit)
	_, err = invite("bia@example.com")
	require.NoError(t, err)
	_, err = invite("BIA@example.com")
	require.ErrorAs(t, err, &unfit, "twice")
	taken, err := invite("carla@example.com")
	require.NoError(t, err)
	_, err = invite("eva@example.com")
	require.NoError(t, err, "an admin does not learn who is with another company")
	mails := outbox(t, db, time.Now())
	require.Len(t, mails, 3)
	bia, carla, eva := linkIn(t, mails[0], "/invitation"), linkIn(t, mails[1], "/invitation"), linkIn(t, mails[2], "/invitation")

	shown, name, err := logins.Invited(t.Context(), bia)
	require.NoError(t, err)
	require.Equal(t, "bia@example.com", shown.Email)
	require.Equal(t, "A Person", shown.By)
	require.NotEmpty(t, name)
	_, _, err = logins.Accept(t.Context(), bia, "", "short", home, "")
	require.ErrorAs(t, err, &unfit)
	require.Len(t, unfit.Problems, 2)
	_, who, err := logins.Accept(t.Context(), bia, "Bia", another, home, "")
	require.NoError(t, err)
	require.Equal(t, company, who.Company.ID)
	require.Equal(t, Member, who.User.Role)
	require.True(t, who.User.Verified)
	_, _, err = logins.Accept(t.Context(), bia, "Bia", another, home, "")
	require.Equal(t, LinkUsed, faultOf(err))
	_, _, err = logins.Accept(t.Context(), eva, "Eva", another, home, "")
	require.ErrorIs(t, err, ErrEmailTaken)

	require.NoError(t, db.InCompany(t.Context(), other, func(tx postgres.Tx) error {
		require.ErrorIs(t, RevokeInvitation(t.Context(), tx, other, taken, time.Now()), ErrNotFound)
		require.ErrorIs(t, InviteAgain(t.Context(), tx, other, taken, base, time.Hour, time.Now()), ErrNotFound)
		return nil
	}), "another company's")
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		return RevokeInvitation(t.Context(), tx, company, taken, time.Now())
	}))
	_, _, err = logins.Accept(t.Context(), carla, "Carla", another, home, "")
	require.Equal(t, LinkRevoked, faultOf(err))
	logins.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	_, _, err = logins.Invited(t.Context(), eva)
	require.Equal(t, LinkExpired, faultOf(err))
}

func TestACompanyKeepsAnAdmin(t *testing.T) {
	logins, db := newLogins(t)
	company, other := pgtest.Company(t, db), pgtest.Company(t, db)
	ana := addUser(t, db, &company, "ana@example.com", Admin)
	bia := addUser(t, db, &company, "bia@example.com", Member)
	eva := addUser(t, db, &other, "eva@example.com", Admin)
	member, admin, yes, no := Member, Admin, true, false
	change := func(person id.ID, c PersonChange) (ended []id.ID, err error) {
		err = db.InCompany(t.Context(), company, func(tx postgres.Tx) (err error) {
			ended, err = ChangePerson(t.Context(), tx, company, person, c, time.Now())
			return err
		})
		return ended, err
	}
	for _, c := range []PersonChange{{Role: &member}, {Disabled: &yes}, {Removed: true}} {
		_, err := change(ana, c)
		require.ErrorIs(t, err, ErrLastAdmin)
	}
	_, err := change(eva, PersonChange{Removed: true})
	require.ErrorIs(t, err, ErrNotFound, "of another company")
	token, who, err := logins.Login(t.Context(), "bia@example.com", password, home, "")
	require.NoError(t, err)
	ended, err := change(bia, PersonChange{Role: &admin})
	require.NoError(t, err)
	require.Equal(t, []id.ID{who.Session}, ended, "another role begins with another session")
	_, err = logins.Authenticate(t.Context(), token)
	require.ErrorIs(t, err, ErrNoSession)
	_, err = change(ana, PersonChange{Disabled: &yes})
	require.NoError(t, err)
	_, _, err = logins.Login(t.Context(), "ana@example.com", password, home, "")
	require.ErrorIs(t, err, ErrWrongLogin)
	_, err = change(bia, PersonChange{Role: &member})
	require.ErrorIs(t, err, ErrLastAdmin, "who is disabled does not count")
	_, err = change(ana, PersonChange{Disabled: &no})
	require.NoError(t, err)
	_, err = change(bia, PersonChange{Removed: true})
	require.NoError(t, err)
	addUser(t, db, &other, "bia@example.com", Member) // the address is free again
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		people, err := ListPeople(t.Context(), tx, company, id.Nil, 10)
		require.NoError(t, err)
		require.Len(t, people, 1)
		return nil
	}))
}

// Two admins who demote each other at once: one of them stays.
func TestTwoChangesAtOnceLeaveAnAdmin(t *testing.T) {
	_, db := newLogins(t)
	company := pgtest.Company(t, db)
	people := []id.ID{addUser(t, db, &company, "ana@example.com", Admin), addUser(t, db, &company, "bia@example.com", Admin)}
	failures := make(chan error, 2)
	for _, person := range people {
		go func() {
			failures <- db.InCompany(context.Background(), company, func(tx postgres.Tx) error {
				_, err := ChangePerson(context.Background(), tx, company, person, PersonChange{Removed: true}, time.Now())
				return err
			})
		}()
	}
	first, second := <-failures, <-failures
	require.True(t, (first == nil) != (second == nil), "%v, %v", first, second)
	require.ErrorIs(t, errors.Join(first, second), ErrLastAdmin)
}

// The rule is the database's own, at every level of isolation, whoever writes.
func TestOneSuperadminAlwaysRemains(t *testing.T) {
	for _, isolation := range []string{"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"} {
		t.Run(isolation, func(t *testing.T) {
			_, db := newLogins(t)
			roots := []id.ID{addUser(t, db, nil, "one@example.com", Superadmin), addUser(t, db, nil, "two@example.com", Superadmin)}
			one, two := pgtest.Owner(t, db), pgtest.Owner(t, db)
			begin := `BEGIN ISOLATION LEVEL ` + isolation
			const disable = `UPDATE omnidesk.users SET disabled_at = now() WHERE id = $1`
			_, err := one.Exec(t.Context(), begin)
			require.NoError(t, err)
			_, err = two.Exec(t.Context(), begin)
			require.NoError(t, err)
			// Both have their snapshot before either writes.
			_, err = one.Exec(t.Context(), `SELECT count(*) FROM omnidesk.users`)
			require.NoError(t, err)
			_, err = two.Exec(t.Context(), `SELECT count(*) FROM omnidesk.users`)
			require.NoError(t, err)
			_, err = one.Exec(t.Context(), disable, roots[0])
			require.NoError(t, err)
			second := make(chan error, 1)
			go func() {
				_, err := two.Exec(context.Background(), disable, roots[1])
				if err == nil {
					_, err = two.Exec(context.Background(), `COMMIT`)
				}
				second <- err
			}()
			_, err = one.Exec(t.Context(), `COMMIT`)
			require.NoError(t, err)
			require.Error(t, <-second)
			require.Equal(t, 1, count(t, db, `SELECT count(*) FROM omnidesk.users WHERE disabled_at IS NULL`))
			_, err = one.Exec(t.Context(), `DELETE FROM omnidesk.users WHERE id = $1`, roots[1])
			require.ErrorContains(t, err, "at least one active superadmin must remain")
		})
	}
}

func count(t *testing.T, db *postgres.DB, query string) (n int) {
	t.Helper()
	require.NoError(t, pgtest.Owner(t, db).QueryRow(t.Context(), query).Scan(&n))
	return n
}
