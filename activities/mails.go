package activities

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"omnidesk/internal/account"
	"omnidesk/internal/flow"
	"omnidesk/internal/mail"
	"omnidesk/internal/postgres"
)

// Mails sends what the outbox holds.
type Mails struct {
	DB     *postgres.DB
	Mailer mail.Mailer // nil: this worker can send none
	Lives  account.Lifetimes
}

// SendMail writes one mail and hands it over. A crash between that and the end of its row sends it twice, each with a
// link that works.
func (a *Mails) SendMail(ctx context.Context, ref flow.Ref) error {
	if a.Mailer == nil {
		return errors.New("no mail is configured: set OMNIDESK_SES_REGION and OMNIDESK_MAIL_FROM for the workers")
	}
	message, dropped, err := account.WriteMail(ctx, a.DB, ref.Subject, a.Lives, time.Now())
	if errors.Is(err, account.ErrNoMail) {
		return nil
	}
	if err != nil {
		return err
	}
	if dropped {
		slog.Info("a mail was not sent: nobody needs it, or it is too late", "mail", ref.Subject)
		return nil
	}
	err = a.Mailer.Send(ctx, message)
	var refused mail.RefusedError
	if errors.As(err, &refused) {
		slog.Warn("a mail was refused for good", "mail", ref.Subject, "code", refused.Code)
		err = nil
	}
	if err != nil {
		return err
	}
	return account.MailLeft(ctx, a.DB, ref.Subject)
}
