package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/mail"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// letter is a kind of mail.
type letter string

const (
	letterVerify  letter = "verify"  // confirm the address of a new user
	letterReset   letter = "reset"   // choose a new password
	letterKnown   letter = "known"   // somebody signed up with an address that has an account
	letterInvite  letter = "invite"  // join a company
	letterChange  letter = "change"  // confirm a new address
	letterChanged letter = "changed" // the old address was replaced
)

// ErrNoMail says that a mail was sent, or that nobody needs it any more.
var ErrNoMail = errors.New("there is no such mail to be sent")

// mailsKept is how long a mail is tried.
const mailsKept = 24 * time.Hour

// post puts a mail into the outbox, in the transaction that is the reason for it. subject is the user or invitation it
// is about; nil: whoever has the address when it is sent, so that nothing tells here whether there is anybody.
func post(ctx context.Context, tx postgres.Tx, kind letter, company *id.ID, email string, subject *id.ID, base string, now time.Time) error {
	mailID := id.New()
	err := New(tx).insertMail(ctx, insertMailParams{ID: mailID, CompanyID: company, Kind: string(kind), Email: email, SubjectID: subject, Base: base, Now: now})
	if err != nil {
		return fmt.Errorf("posting a mail: %w", err)
	}
	of := id.Nil
	if company != nil {
		of = *company
	}
	return wake.Append(ctx, tx, of, flow.Mail(mailID), true)
}

// WriteMail writes a mail that is to be sent, with a fresh link if it has one, or answers ErrNoMail. A mail that is
// older than a day, or that nobody needs any more, leaves the outbox unsent; dropped says so.
func WriteMail(ctx context.Context, db *postgres.DB, mailID id.ID, lives Lifetimes, now time.Time) (message mail.Message, dropped bool, err error) {
	err = db.InSystem(ctx, func(tx postgres.Tx) error {
		q := New(tx)
		row, err := q.getMail(ctx, mailID)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNoMail
		}
		if err != nil {
			return fmt.Errorf("reading a mail: %w", err)
		}
		if now.Sub(row.CreatedAt) > mailsKept {
			dropped = true
			return q.deleteMail(ctx, mailID)
		}
		message, err = write(ctx, q, row, lives, now)
		if errors.Is(err, ErrNoMail) || errors.Is(err, errEnough) {
			dropped = true
			return q.deleteMail(ctx, mailID)
		}
		return err
	})
	if err != nil {
		return mail.Message{}, false, err
	}
	return message, dropped, nil
}

// MailLeft takes a mail out of the outbox.
func MailLeft(ctx context.Context, db *postgres.DB, mailID id.ID) error {
	err := db.InSystem(ctx, func(tx postgres.Tx) error { return New(tx).deleteMail(ctx, mailID) })
	if err != nil {
		return fmt.Errorf("taking a mail out of the outbox: %w", err)
	}
	return nil
}

func write(ctx context.Context, q *Queries, row Mail, lives Lifetimes, now time.Time) (mail.Message, error) {
	if letter(row.Kind) == letterInvite {
		return writeInvitation(ctx, q, row, now)
	}
	user, err := q.mailUser(ctx, row.SubjectID, row.Email)
	if errors.Is(err, pgx.ErrNoRows) {
		return mail.Message{}, ErrNoMail
	}
	if err != nil {
		return mail.Message{}, fmt.Errorf("reading whom a mail is for: %w", err)
	}
	of := holder{company: user.CompanyID, user: &user.ID}
	link := func(why purpose, page string, life time.Duration) (string, error) {
		secret, err := newLink(ctx, q, why, of, row.Email, now, life)
		return row.Base + page + "#" + secret, err
	}
	switch letter(row.Kind) {
	case letterVerify:
		if user.VerifiedAt != nil || user.Email != row.Email {
			return mail.Message{}, ErrNoMail
		}
		address, err := link(toVerify, "/verify", lives.Verify)
		return verifyMail(row.Email, user.Name, address, lives.Verify), err
	case letterReset:
		address, err := link(toReset, "/reset", lives.Reset)
		return resetMail(row.Email, user.Name, address, lives.Reset), err
	case letterKnown:
		address, err := link(toReset, "/reset", lives.Reset)
		return knownMail(row.Email, user.Name, row.Base+"/login", address, lives.Reset), err
	case letterChange:
		address, err := link(toChange, "/email", lives.EmailChange)
		return changeMail(row.Email, user.Name, address, lives.EmailChange), err
	case letterChanged:
		return changedMail(row.Email, user.Name), nil
	}
	return mail.Message{}, fmt.Errorf("a mail of the unknown kind %q", row.Kind)
}

func writeInvitation(ctx context.Context, q *Queries, row Mail, now time.Time) (mail.Message, error) {
	if row.CompanyID == nil || row.SubjectID == nil {
		return mail.Message{}, ErrNoMail
	}
	i, err := q.mailInvitation(ctx, *row.SubjectID, *row.CompanyID)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && (i.AcceptedAt != nil || i.RevokedAt != nil || !i.ExpiresAt.After(now)) {
		return mail.Message{}, ErrNoMail
	}
	if err != nil {
		return mail.Message{}, fmt.Errorf("reading an invitation: %w", err)
	}
	life := min(i.ExpiresAt.Sub(now), most.Invitation)
	secret, err := newLink(ctx, q, toInvite, holder{company: row.CompanyID, invitation: row.SubjectID}, row.Email, now, life)
	return inviteMail(row.Email, i.Inviter, i.CompanyName, row.Base+"/invitation#"+secret, life), err
}
