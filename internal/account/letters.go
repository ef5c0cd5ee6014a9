package account

import (
	"fmt"
	"strings"
	"time"

	"omnidesk/internal/mail"
)

const notYou = "If this was not you, do nothing: without the link nothing happens.\n"

func verifyMail(to, name, link string, life time.Duration) mail.Message {
	return mail.Message{To: to, Subject: "Confirm your address for OmniDesk", Text: hello(name) +
		"Open this link to confirm your address and begin:\n\n" + link + "\n\n" + goodFor(life) + notYou}
}

func resetMail(to, name, link string, life time.Duration) mail.Message {
	return mail.Message{To: to, Subject: "Choose a new password for OmniDesk", Text: hello(name) +
		"Open this link to choose a new password:\n\n" + link + "\n\n" + goodFor(life) + notYou}
}

func knownMail(to, name, login, link string, life time.Duration) mail.Message {
	return mail.Message{To: to, Subject: "You already have an account at OmniDesk", Text: hello(name) +
		"Somebody, perhaps you, signed up with this address. It has an account already. Sign in here:\n\n" + login +
		"\n\nIf you have forgotten the password, choose a new one here:\n\n" + link + "\n\n" + goodFor(life) + notYou}
}

func inviteMail(to, inviter, company, link string, life time.Duration) mail.Message {
	if inviter == "" {
		inviter = "Somebody"
	}
	return mail.Message{To: to, Subject: oneLine("Join " + company + " at OmniDesk"), Text: "Hello,\n\n" +
		oneLine(inviter+" invites you to "+company) + ". Open this link to choose a password and join:\n\n" + link + "\n\n" + goodFor(life) +
		"If you don't know them, do nothing.\n"}
}

func changeMail(to, name, link string, life time.Duration) mail.Message {
	return mail.Message{To: to, Subject: "Confirm your new address for OmniDesk", Text: hello(name) +
		"Open this link, signed in, to sign in with this address from now on:\n\n" + link + "\n\n" + goodFor(life) + notYou}
}

func changedMail(to, name string) mail.Message {
	return mail.Message{To: to, Subject: "Your address at OmniDesk was changed", Text: hello(name) +
		"You sign in with another address from now on; this one is no longer yours at OmniDesk.\n\n" +
		"If this was not you, tell your admin at once. They can end your sessions.\n"}
}

func hello(name string) string { return "Hello " + oneLine(name) + ",\n\n" }

func goodFor(life time.Duration) string {
	words := fmt.Sprintf("%.0f minutes", life.Minutes())
	switch {
	case life >= 48*time.Hour:
		words = fmt.Sprintf("%.0f days", life.Hours()/24)
	case life >= 2*time.Hour:
		words = fmt.Sprintf("%.0f hours", life.Hours())
	}
	return "The link works once, for " + words + ".\n\n"
}

// oneLine keeps a name that somebody made up from adding lines to a mail, and from looking like an address of the web.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.NewReplacer("://", " ", "www.", "www ").Replace(s)
}
