// Package mail is the vocabulary of sending mail and its edges: Amazon SES, and the sandbox's mailbox.
package mail

import (
	"context"
	"fmt"
)

// Message is a mail in plain text to one address.
type Message struct{ To, Subject, Text string }

// Mailer sends one mail. An error that errors.As finds to be a RefusedError can't be mended by trying again; after any
// other the mail may or may not have left. No error repeats the address or the text.
type Mailer interface {
	Send(ctx context.Context, message Message) error
}

// RefusedError says that a mail will never be taken as it is. Code is the provider's word for it.
type RefusedError struct{ Code string }

func (e RefusedError) Error() string { return fmt.Sprintf("the mail was refused (%s)", e.Code) }
