package account

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
)

// NewAccount is what somebody signs up with.
type NewAccount struct{ Company, Zone, Name, Email, Password string }

// SignUp makes a company and its first admin, whose address is still to be confirmed, and has a mail sent. For an address
// that has an account it makes nothing and has its owner told, with the same answer after the same work; the ids are Nil
// then, which nobody outside may learn. Errors: *SettingsError, BackoffError.
func (l *Logins) SignUp(ctx context.Context, wish NewAccount, address netip.Addr, base string) (company, founder id.ID, err error) {
	wish.Company, wish.Name = strings.TrimSpace(wish.Company), strings.TrimSpace(wish.Name)
	email, err := l.checkAccount(wish)
	if err != nil {
		return id.Nil, id.Nil, err
	}
	if err := l.ask(email, address); err != nil {
		return id.Nil, id.Nil, err
	}
	hash, err := HashPassword(ctx, wish.Password)
	if err != nil {
		return id.Nil, id.Nil, err
	}
	err = l.db.InSystem(ctx, func(tx postgres.Tx) error {
		_, err := New(tx).findUserByEmail(ctx, email)
		if err == nil {
			return ErrEmailTaken
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("looking for an account: %w", err)
		}
		made, err := CreateCompany(ctx, tx, wish.Company, wish.Zone, false)
		if err != nil {
			return err
		}
		company = made.ID
		founder, err = CreateUser(ctx, tx, NewUser{Home: &company, Email: email, Name: wish.Name, Role: Admin, Hash: hash, Unverified: true})
		if err != nil {
			return err
		}
		return post(ctx, tx, letterVerify, &company, email, &founder, base, l.now())
	})
	if errors.Is(err, ErrEmailTaken) {
		return id.Nil, id.Nil, l.postAlone(ctx, letterKnown, email, base)
	}
	return company, founder, err
}

func (l *Logins) checkAccount(wish NewAccount) (email string, err error) {
	var problems []pace.Problem
	for _, p := range companyProblems(wish.Company, wish.Zone) {
		if p.Field == "name" {
			p.Field = "company"
		}
		problems = append(problems, p)
	}
	problems = append(problems, personProblems(wish.Name)...)
	email, err = CleanEmail(wish.Email)
	if err != nil {
		problems = append(problems, badEmail)
	}
	var weak PasswordError
	if err := CheckPassword(wish.Password, wish.Email, wish.Name, wish.Company); errors.As(err, &weak) {
		problems = append(problems, pace.Problem{Field: "password", Message: weak.Reason})
	}
	if len(problems) > 0 {
		return "", &SettingsError{problems}
	}
	return email, nil
}

var badEmail = pace.Problem{Field: "email", Message: "Write an address of the form name@example.com."}

func personProblems(name string) []pace.Problem {
	if name == "" || utf8.RuneCountInString(name) > longestName {
		return []pace.Problem{{Field: "name", Message: fmt.Sprintf("Write a name of up to %d characters.", longestName)}}
	}
	return nil
}

// ask counts a wish for a mail, by its address and where it comes from. Somebody elsewhere waits for nobody.
func (l *Logins) ask(email string, address netip.Addr) error {
	if wait := l.asks.wait(email, address, l.now()); wait > 0 {
		return BackoffError{wait}
	}
	l.asks.failed(email, address, l.now())
	return nil
}

// postAlone posts a mail to whoever has an address, if anybody has.
func (l *Logins) postAlone(ctx context.Context, kind letter, email, base string) error {
	return l.db.InSystem(ctx, func(tx postgres.Tx) error { return post(ctx, tx, kind, nil, email, nil, base, l.now()) })
}

// AskReset has a link sent with which a new password can be chosen. The answer and the work are the same for an address
// that nobody has: who it is for is looked up when the mail is sent. Errors: *SettingsError, BackoffError.
func (l *Logins) AskReset(ctx context.Context, email string, address netip.Addr, base string) error {
	clean, err := CleanEmail(email)
	if err != nil {
		return &SettingsError{[]pace.Problem{badEmail}}
	}
	if err := l.ask(clean, address); err != nil {
		return err
	}
	return l.postAlone(ctx, letterReset, clean, base)
}

// Reset sets the password of a link's owner, ends all their sessions and opens a new one. The link proves the address,
// so it is confirmed, too. Errors: LinkError, PasswordError.
func (l *Logins) Reset(ctx context.Context, link, password string, address netip.Addr, agent string) (string, Principal, error) {
	var owner getUserRow
	find := func(q *Queries) (row takeTokenRow, err error) {
		if row, err = takeLink(ctx, q, toReset, link, l.now()); err != nil {
			return row, err
		}
		owner, err = q.getUser(ctx, *row.UserID)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && owner.Email != row.Email {
			return row, LinkError{LinkRevoked}
		}
		return row, err
	}
	// Once before the hash, which is dear, and once more with it.
	if err := l.db.InSystem(ctx, func(tx postgres.Tx) error { _, err := find(New(tx)); return err }); err != nil {
		return "", Principal{}, err
	}
	if err := CheckPassword(password, owner.Email, owner.Name); err != nil {
		return "", Principal{}, err
	}
	hash, err := HashPassword(ctx, password)
	if err != nil {
		return "", Principal{}, err
	}
	now := l.now()
	err = l.db.InSystem(ctx, func(tx postgres.Tx) error {
		q := New(tx)
		row, err := find(q)
		if err != nil {
			return err
		}
		if _, err := q.resetPassword(ctx, hash, now, owner.ID); err != nil {
			return fmt.Errorf("setting a password: %w", err)
		}
		if err := q.revokeSessionsOf(ctx, &now, owner.ID); err != nil {
			return fmt.Errorf("ending sessions: %w", err)
		}
		return useLink(ctx, q, row, now)
	})
	if err != nil {
		return "", Principal{}, err
	}
	return l.open(ctx, opening{owner.ID, Role(owner.Role), owner.CompanyID, agent, place(address)}, nil)
}

// AskVerify has the link that confirms the own address sent again. Error: BackoffError.
func (l *Logins) AskVerify(ctx context.Context, who Principal, address netip.Addr, base string) error {
	if who.User.Verified {
		return nil
	}
	if err := l.ask(who.User.Email, address); err != nil {
		return err
	}
	return l.db.InSystem(ctx, func(tx postgres.Tx) error {
		return post(ctx, tx, letterVerify, who.User.Home, who.User.Email, &who.User.ID, base, l.now())
	})
}

// Verify confirms the own address. It takes the session as well as the link: whoever signed up with somebody else's
// address must not have it confirmed by its owner. Error: LinkError.
func (l *Logins) Verify(ctx context.Context, who Principal, link string) error {
	now := l.now()
	return l.db.InSystem(ctx, func(tx postgres.Tx) error {
		q := New(tx)
		row, err := takeLink(ctx, q, toVerify, link, now)
		if err != nil {
			return err
		}
		if *row.UserID != who.User.ID || row.Email != who.User.Email {
			return LinkError{LinkOther}
		}
		if _, err := q.verifyUser(ctx, now, who.User.ID); err != nil {
			return fmt.Errorf("confirming an address: %w", err)
		}
		return useLink(ctx, q, row, now)
	})
}

// AskEmail has a link sent to a new address, with which it becomes the own one. Errors: ErrWrongLogin when the password
// is wrong, *SettingsError, BackoffError.
func (l *Logins) AskEmail(ctx context.Context, who Principal, email, password string, address netip.Addr, base string) error {
	clean, err := CleanEmail(email)
	if err != nil {
		return &SettingsError{[]pace.Problem{badEmail}}
	}
	if clean == who.User.Email {
		return &SettingsError{[]pace.Problem{{Field: "email", Message: "This is your address already."}}}
	}
	if _, err := l.confirm(ctx, who, password, address); err != nil {
		return err
	}
	if err := l.ask(clean, address); err != nil {
		return err
	}
	return l.db.InSystem(ctx, func(tx postgres.Tx) error {
		return post(ctx, tx, letterChange, who.User.Home, clean, &who.User.ID, base, l.now())
	})
}

// confirm checks the password of somebody who is signed in and returns what is stored of it.
func (l *Logins) confirm(ctx context.Context, who Principal, password string, address netip.Addr) (stored []byte, err error) {
	if wait := l.backoff.wait(who.User.Email, address, l.now()); wait > 0 {
		return nil, BackoffError{wait}
	}
	err = l.db.InSystem(ctx, func(tx postgres.Tx) (err error) {
		stored, err = New(tx).getUserPassword(ctx, who.User.ID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading a password: %w", err)
	}
	good, err := matches(ctx, stored, password)
	if err == nil && !good {
		l.backoff.failed(who.User.Email, address, l.now())
		err = ErrWrongLogin
	}
	return stored, err
}

// ChangeEmail makes the address that a link was sent to the own one and tells the old one. Errors: LinkError,
// ErrEmailTaken.
func (l *Logins) ChangeEmail(ctx context.Context, who Principal, link, base string) error {
	now := l.now()
	err := l.db.InSystem(ctx, func(tx postgres.Tx) error {
		q := New(tx)
		row, err := takeLink(ctx, q, toChange, link, now)
		if err != nil {
			return err
		}
		if *row.UserID != who.User.ID {
			return LinkError{LinkOther}
		}
		n, err := q.changeEmail(ctx, row.Email, who.User.ID, who.User.Email)
		if err != nil {
			return err
		}
		if n == 0 {
			return LinkError{LinkRevoked} // it was changed meanwhile
		}
		if err := useLink(ctx, q, row, now); err != nil {
			return err
		}
		return post(ctx, tx, letterChanged, who.User.Home, who.User.Email, &who.User.ID, base, now)
	})
	if postgres.IsUnique(err, "users_email") {
		return ErrEmailTaken
	}
	return err
}

// invited is an invitation as its link shows it.
type invited struct {
	row takeTokenRow
	mailInvitationRow
}

func (l *Logins) findInvited(ctx context.Context, q *Queries, link string) (found invited, err error) {
	if found.row, err = takeLink(ctx, q, toInvite, link, l.now()); err != nil {
		return found, err
	}
	found.mailInvitationRow, err = q.mailInvitation(ctx, *found.row.InvitationID, *found.row.CompanyID)
	switch {
	case err != nil:
		return found, fmt.Errorf("reading an invitation: %w", err)
	case found.AcceptedAt != nil:
		return found, LinkError{LinkUsed}
	case found.RevokedAt != nil:
		return found, LinkError{LinkRevoked}
	case !found.ExpiresAt.After(l.now()):
		return found, LinkError{LinkExpired}
	}
	return found, nil
}

// Invited tells what a link invites to. Error: LinkError.
func (l *Logins) Invited(ctx context.Context, link string) (i Invitation, company string, err error) {
	err = l.db.InSystem(ctx, func(tx postgres.Tx) error {
		found, err := l.findInvited(ctx, New(tx), link)
		i = Invitation{ID: found.ID, Email: found.Email, Role: Role(found.Role), By: found.Inviter, Until: found.ExpiresAt}
		company = found.CompanyName
		return err
	})
	return i, company, err
}

// Accept makes the user that a link invites and opens their first session. Errors: LinkError, *SettingsError,
// ErrEmailTaken when the address has an account by now.
func (l *Logins) Accept(ctx context.Context, link, name, password string, address netip.Addr, agent string) (string, Principal, error) {
	invitation, company, err := l.Invited(ctx, link)
	if err != nil {
		return "", Principal{}, err
	}
	name = strings.TrimSpace(name)
	problems := personProblems(name)
	var weak PasswordError
	if err := CheckPassword(password, invitation.Email, name, company); errors.As(err, &weak) {
		problems = append(problems, pace.Problem{Field: "password", Message: weak.Reason})
	}
	if len(problems) > 0 {
		return "", Principal{}, &SettingsError{problems}
	}
	hash, err := HashPassword(ctx, password)
	if err != nil {
		return "", Principal{}, err
	}
	var user id.ID
	var home id.ID
	now := l.now()
	err = l.db.InSystem(ctx, func(tx postgres.Tx) error {
		q := New(tx)
		found, err := l.findInvited(ctx, q, link)
		if err != nil {
			return err
		}
		home = found.CompanyID
		if user, err = CreateUser(ctx, tx, NewUser{Home: &home, Email: found.Email, Name: name, Role: Role(found.Role), Hash: hash}); err != nil {
			return err
		}
		n, err := q.acceptInvitation(ctx, &now, home, found.ID)
		if err == nil && n == 0 {
			err = LinkError{LinkUsed}
		}
		if err != nil {
			return err
		}
		return useLink(ctx, q, found.row, now)
	})
	if err != nil {
		return "", Principal{}, err
	}
	return l.open(ctx, opening{user, invitation.Role, &home, agent, place(address)}, nil)
}
