package notice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/mail"
	"omnidesk/internal/postgres"
)

const (
	gather     = 30 * time.Second // after the first notice, for others to go into the same mail
	mailsApart = 10 * time.Minute // between two mails to one person
	settled    = 5 * time.Second  // a notice is mailed only when none with an earlier id can be on its way
	mailedFor  = 24 * time.Hour   // what is older is no news
	mostMailed = 20               // lines of one mail
)

// Digest is what waits to be mailed to one person.
type Digest struct {
	Due     time.Time // zero: nothing waits
	email   string
	name    string
	company string
	decides bool     // the reader is an admin, who settles what is uncertain
	notices []Notice // the newest first
}

// DigestOf looks at what waits to be mailed to a person: what they have not read in the bell, one mail in ten minutes.
func DigestOf(ctx context.Context, tx postgres.Tx, company, user id.ID, now time.Time) (Digest, error) {
	row, err := New(tx).reader(ctx, company, user)
	if errors.Is(err, pgx.ErrNoRows) {
		return Digest{}, nil
	}
	if err != nil {
		return Digest{}, fmt.Errorf("reading whom a digest is for: %w", err)
	}
	d := Digest{email: row.Email, name: row.Name, company: row.Company}
	reader := Reader{User: user, Departments: row.Departments}
	if row.Role == "admin" {
		reader.Departments = nil
	}
	d.decides = reader.Departments == nil
	kinds, err := shown(ctx, tx, company, reader, Switch.mail)
	if err != nil {
		return Digest{}, err
	}
	since := id.Floor(now.Add(-mailedFor))
	waiting, err := listed(ctx, tx, company, listParams{UserID: user, Departments: reader.Departments, Before: id.Floor(now.Add(time.Hour)), Since: since, Kinds: kinds, RowLimit: 200, Now: now})
	if err != nil {
		return Digest{}, err
	}
	d.notices = slices.DeleteFunc(waiting, func(n Notice) bool { return n.Read || slices.Compare(n.ID[:], row.MailedThrough[:]) <= 0 })
	if len(d.notices) == 0 {
		return d, nil
	}
	d.Due = d.notices[len(d.notices)-1].At.Add(gather)
	if row.MailedAt != nil && row.MailedAt.Add(mailsApart).After(d.Due) {
		d.Due = row.MailedAt.Add(mailsApart)
	}
	d.notices = slices.DeleteFunc(d.notices, func(n Notice) bool { return n.At.After(now.Add(-settled)) })
	return d, nil
}

// Mailed marks what is in a digest as mailed.
func (d Digest) Mailed(ctx context.Context, tx postgres.Tx, company, user id.ID, now time.Time) error {
	if len(d.notices) == 0 {
		return nil
	}
	if err := New(tx).mailedThrough(ctx, company, user, d.notices[0].ID, &now); err != nil {
		return fmt.Errorf("marking notices mailed: %w", err)
	}
	return nil
}

// Mail writes a digest. base is what links begin with.
func (d Digest) Mail(base string) mail.Message {
	var text strings.Builder
	fmt.Fprintf(&text, "Hello %s,\n\n", plain(d.name))
	for i, n := range d.notices {
		if i == mostMailed {
			fmt.Fprintf(&text, "and %d more:\n%s\n\n", len(d.notices)-i, base+"/notifications")
			break
		}
		text.WriteString(n.words(d.decides) + "\n" + base + n.page(d.decides) + "\n\n")
	}
	text.WriteString("You get at most one such mail in ten minutes. Choose what is mailed to you here:\n" + base + "/settings/notifications\n")
	subject := fmt.Sprintf("%s: %d things happened", plain(d.company), len(d.notices))
	if len(d.notices) == 1 {
		subject = plain(d.company) + ": " + d.notices[0].short()
	}
	return mail.Message{To: d.email, Subject: subject, Text: text.String()}
}

// short is a notice in a few words, without names that make a subject long.
func (n Notice) short() string {
	switch n.Kind {
	case CampaignFinished:
		return "a campaign has finished"
	case CampaignPaused:
		return "a campaign is paused"
	case ConnectionLost:
		return "messages wait"
	case ConnectionWarned:
		return "the provider warns about an account"
	case ConnectionSilent:
		return "a connection is not heard from"
	case TemplateStopped:
		return "templates can't be used"
	}
	return "messages are uncertain"
}

func (n Notice) words(decides bool) string {
	name, ask := "“"+plain(n.Name)+"”", " Please decide."
	if !decides {
		ask = " An admin decides about them."
	}
	switch {
	case n.Kind == CampaignFinished:
		return "The campaign " + name + " has finished."
	case n.Kind == CampaignPaused && n.Lasts:
		return "The campaign " + name + " was paused because of the provider's answer. " + n.Detail
	case n.Kind == CampaignPaused:
		return "The campaign " + name + " was paused because of the provider's answer. It is not paused any more."
	case n.Kind == ConnectionLost && n.About.Kind == "company":
		return "Nothing is sent until an admin releases it: the database was restored."
	case n.Kind == ConnectionLost && n.Lasts:
		return "The connection " + name + " is on hold. " + n.Detail
	case n.Kind == ConnectionLost:
		return "The connection " + name + " was on hold. It sends again."
	case n.Kind == ConnectionWarned && n.Lasts:
		return "The provider warns about the connection " + name + ". " + n.Detail
	case n.Kind == ConnectionWarned:
		return "The provider warned about the connection " + name + ". A check since has found it well."
	case n.Kind == ConnectionSilent && n.Lasts:
		return "The connection " + name + " sends, but is not heard from for longer than usual. Check it: its webhooks may not arrive."
	case n.Kind == ConnectionSilent:
		return "The connection " + name + " was not heard from for longer than usual. It is again."
	case n.Kind == TemplateStopped:
		return fmt.Sprintf("%s of the connection %s can't be used any more.", counted(n.Count, "template"), name)
	case n.Name == "":
		return counted(n.Count, "message") + " outside campaigns may or may not have arrived." + ask
	}
	return counted(n.Count, "message") + " of " + name + " may or may not have arrived." + ask
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// page is where a notice leads.
func (n Notice) page(decides bool) string {
	subject := n.About.ID.String()
	switch {
	case n.Kind == MessagesUncertain && !decides:
		return "/connections/" + subject
	case n.Kind == MessagesUncertain && n.About.Kind == "campaign":
		return "/uncertain?campaign=" + subject
	case n.Kind == MessagesUncertain:
		return "/uncertain"
	case n.Kind == TemplateStopped:
		return "/templates?standing=trouble&connection=" + subject
	case n.About.Kind == "campaign":
		return "/campaigns/" + subject
	case n.About.Kind == "connection":
		return "/connections/" + subject
	}
	return "/health"
}

// plain keeps a name that somebody made up from adding lines to a mail, and from looking like an address of the web.
func plain(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.NewReplacer("://", " ", "www.", "www ").Replace(s)
}
