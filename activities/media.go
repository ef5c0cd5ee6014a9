package activities

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"log/slog"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/conversation"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/media"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// Media moves files between the store and providers.
type Media struct {
	DB          *postgres.DB
	Store       *media.Store
	Connections *connection.Store
	Adapters    map[channel.Kind]channel.Adapter
	Hint        func()
	Changed     func(company, conversation id.ID) // what is shown of a file has changed
}

const (
	moveFor   = time.Minute      // one activity; what is left waits for the next
	moveOne   = 10 * time.Minute // one file
	moveBeat  = 5 * time.Second
	mostFiles = 500
	mostWrong = 3 // tries of a file whose hash is another
)

// LookAtMedia says whether files of a connection are due.
func (a *Media) LookAtMedia(ctx context.Context, ref flow.Ref) (look flow.Look, err error) {
	err = a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		due, next, err := media.Next(ctx, tx, ref.Company, ref.Subject, time.Now())
		switch {
		case err != nil:
			return err
		case due != nil:
			look = flow.Look{Step: flow.StepMove, State: "working", Reason: "files are due"}
		case next != nil:
			look = flow.Look{Step: flow.StepWait, State: "waiting", Reason: "the next try of a file", Until: *next}
		default:
			look = flow.Look{Step: flow.StepEnd, State: "idle", Reason: "no file is on its way"}
		}
		return nil
	})
	return look, err
}

// MoveMedia moves what is due, one file after another, for a minute at most. A file that fails waits for its next try and
// holds no other up.
func (a *Media) MoveMedia(ctx context.Context, ref flow.Ref) error {
	stop := a.beat(ctx)
	defer stop()
	account, courier, err := a.open(ctx, ref)
	if err != nil {
		return retryClass(err)
	}
	for began, n := time.Now(), 0; n < mostFiles && time.Since(began) < moveFor; n++ {
		var due *media.Transfer
		err := a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) (err error) {
			due, _, err = media.Next(ctx, tx, ref.Company, ref.Subject, time.Now())
			return err
		})
		if err != nil || due == nil {
			return err
		}
		if err := a.move(ctx, ref.Company, account, courier, *due); err != nil {
			return err
		}
	}
	return nil
}

func (a *Media) beat(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		ticker := time.NewTicker(moveBeat)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			case <-ctx.Done():
				return
			}
		}
	}()
	return cancel
}

// open returns no courier when the connection can carry no files; each of its files then fails.
func (a *Media) open(ctx context.Context, ref flow.Ref) (account channel.Account, courier channel.Courier, err error) {
	err = a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		account, err = a.Connections.Account(ctx, tx, ref.Company, ref.Subject)
		return err
	})
	courier, _ = a.Adapters[account.Kind].(channel.Courier)
	return account, courier, err
}

// move moves one file and notes what became of it.
func (a *Media) move(ctx context.Context, company id.ID, account channel.Account, courier channel.Courier, t media.Transfer) error {
	limited, cancel := context.WithTimeout(ctx, moveOne)
	defer cancel()
	detail, err := "", error(&channel.MediaError{Final: true, Detail: "This channel carries no files."})
	switch {
	case courier == nil:
	case t.Outbound:
		err = a.handOver(limited, company, account, courier, &t)
	default:
		detail, err = a.fetch(limited, company, account, courier, &t)
	}
	if ctx.Err() != nil {
		return ctx.Err() // the worker stops; the file is as it was
	}
	if err != nil {
		return a.failed(ctx, company, t, err)
	}
	err = a.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		fresh, err := media.Done(ctx, tx, company, t, detail, time.Now())
		if err != nil || !fresh || !t.Outbound {
			return err
		}
		return send.Release(ctx, tx, company, t.Connection, t.Message, t.ProviderID)
	})
	if err == nil {
		a.Hint()
		a.tell(ctx, company, t.Message)
	}
	return err
}

// tell has browsers look at a message's conversation again. They would find out by themselves, later.
func (a *Media) tell(ctx context.Context, company, message id.ID) {
	err := a.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		of, err := conversation.OfMessage(ctx, tx, company, nil, message)
		if err == nil {
			a.Changed(company, of)
		}
		return err
	})
	if err != nil {
		slog.Warn("nobody was told that a file has moved", "message", message, "error", err)
	}
}

// handOver gives a file of ours to the provider, unless it has it from an earlier message.
func (a *Media) handOver(ctx context.Context, company id.ID, account channel.Account, courier channel.Courier, t *media.Transfer) error {
	var file media.File
	err := a.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		if t.ProviderID, err = media.HandedBefore(ctx, tx, company, *t, time.Now().Add(-channel.UploadLives)); err != nil {
			return err
		}
		file, err = a.Store.Get(ctx, tx, company, nil, t.Media)
		return err
	})
	if err != nil || t.ProviderID != "" {
		return err
	}
	content, err := a.Store.Open(ctx, file, false)
	if err != nil {
		return err
	}
	defer content.Close()
	t.ProviderID, err = courier.Upload(ctx, account, channel.Upload{Type: file.Type, Size: file.Size, Content: content})
	return err
}

// fetch brings a contact's file into the store, and returns what whoever opens it must know.
func (a *Media) fetch(ctx context.Context, company id.ID, account channel.Account, courier channel.Courier, t *media.Transfer) (string, error) {
	content, about, err := courier.Fetch(ctx, account, t.ProviderID)
	if err != nil {
		return "", err
	}
	defer content.Close()
	if about.Size > media.MostBytes {
		return "", media.ErrTooLarge
	}
	file, err := a.Store.Keep(ctx, a.DB, company, &whole{content: content, size: about.Size, hashes: []string{about.SHA256, t.SHA256},
		final: t.Attempts >= mostWrong, hash: sha256.New()})
	if err != nil {
		return "", err
	}
	t.Media = file.ID
	return media.Suspicion(about.Type, file), nil
}

// failed notes why a file did not arrive. The message of one of ours that can't arrive any more fails with it.
func (a *Media) failed(ctx context.Context, company id.ID, t media.Transfer, cause error) error {
	detail, final := "Something went wrong on our side; it is tried again.", false
	var failure *channel.MediaError
	var quota *media.QuotaError
	switch {
	case errors.As(cause, &failure):
		detail, final = failure.Detail, failure.Final
	case errors.As(cause, &quota), errors.Is(cause, media.ErrTooLarge), errors.Is(cause, media.ErrEmpty), errors.Is(cause, media.ErrNotFound):
		detail, final = sentenceOf(cause), true
	default:
		slog.Warn("a file could not be moved", "message", t.Message, "error", cause)
	}
	err := a.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		over, err := media.Failed(ctx, tx, company, t, detail, final, time.Now())
		if err != nil || !over || !t.Outbound {
			return err
		}
		return send.Drop(ctx, tx, company, t.Connection, t.Message, detail, time.Now())
	})
	a.tell(ctx, company, t.Message)
	return err
}

// sentenceOf is an error of the noun media as a person reads it.
func sentenceOf(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// whole ends with an error instead of EOF when what came through it is not the file that its provider named.
type whole struct {
	content io.Reader
	size    int64 // 0: not named
	hashes  []string
	final   bool
	read    int64
	hash    hash.Hash
}

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.content.Read(p)
	w.hash.Write(p[:n])
	w.read += int64(n)
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF), w.size > w.read:
		return n, &channel.MediaError{Detail: "The connection broke before the whole file had come."}
	}
	for _, named := range w.hashes {
		if sum := hashOf(named); sum != nil && !bytes.Equal(sum, w.hash.Sum(nil)) {
			return n, &channel.MediaError{Final: w.final, Detail: "What came is not the file that the provider named: its hash is another."}
		}
	}
	return n, err
}

// hashOf reads a SHA-256 in hex or base64, as Meta writes it in one place and the other; nil: it is none.
func hashOf(named string) []byte {
	if sum, err := hex.DecodeString(named); err == nil && len(sum) == sha256.Size {
		return sum
	}
	if sum, err := base64.StdEncoding.DecodeString(named); err == nil && len(sum) == sha256.Size {
		return sum
	}
	return nil
}
