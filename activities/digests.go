package activities

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"omnidesk/internal/flow"
	"omnidesk/internal/mail"
	"omnidesk/internal/notice"
	"omnidesk/internal/platform"
	"omnidesk/internal/postgres"
)

// Digests mails notices.
type Digests struct {
	DB     *postgres.DB
	Mailer mail.Mailer // nil: this worker can send none
}

// LookAtDigest says whether a person is to be mailed something, and when. It only reads.
func (a *Digests) LookAtDigest(ctx context.Context, ref flow.Ref) (look flow.Look, err error) {
	now := time.Now()
	err = a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		digest, err := notice.DigestOf(ctx, tx, ref.Company, ref.Subject, now)
		switch {
		case digest.Due.IsZero():
			look = flow.Look{Step: flow.StepEnd, State: "told", Reason: "there is nothing to tell"}
		case digest.Due.After(now):
			look = flow.Look{Step: flow.StepWait, State: "gathering", Until: digest.Due, Reason: "gathers what goes into the next mail"}
		default:
			look = flow.Look{Step: flow.StepMail, State: "telling", Reason: "something is to be told"}
		}
		return err
	})
	return look, err
}

// SendDigest mails a person what waits. A crash between that and its mark mails it twice.
func (a *Digests) SendDigest(ctx context.Context, ref flow.Ref) error {
	if a.Mailer == nil {
		return errors.New("no mail is configured: set OMNIDESK_SES_REGION and OMNIDESK_MAIL_FROM for the workers")
	}
	var digest notice.Digest
	var message mail.Message
	err := a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) (err error) {
		if digest, err = notice.DigestOf(ctx, tx, ref.Company, ref.Subject, time.Now()); err != nil || digest.Due.IsZero() {
			return err
		}
		base, err := platform.PublicURL(ctx, tx)
		message = digest.Mail(base)
		return err
	})
	if err != nil || digest.Due.IsZero() {
		return err
	}
	err = a.Mailer.Send(ctx, message)
	var refused mail.RefusedError
	if errors.As(err, &refused) {
		slog.Warn("a mail of notices was refused for good", "user", ref.Subject, "code", refused.Code)
		err = nil
	}
	if err != nil {
		return err
	}
	return a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		return digest.Mailed(ctx, tx, ref.Company, ref.Subject, time.Now())
	})
}
