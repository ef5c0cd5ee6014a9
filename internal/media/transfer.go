package media

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

const (
	// FetchFor is how long a file of a contact is tried to be fetched: Meta keeps it for seven days.
	FetchFor = 6 * 24 * time.Hour
	// HandOverFor is how long a file of ours is tried to be handed over before its message fails.
	HandOverFor = time.Hour
	longestRest = 30 * time.Minute
)

// Transfer is one file on its way, of one message.
type Transfer struct {
	Message, Connection id.ID
	Outbound            bool
	Media               id.ID  // of an outbound one
	ProviderID          string // of an inbound one
	SHA256              string // as the provider says; empty: it does not
	Attempts            int
	GivesUpAt           time.Time
}

// Expected is a file that a contact has sent and that lies at the provider.
type Expected struct {
	Message            id.ID
	ProviderID, SHA256 string
}

// Expect notes files to be fetched and wakes whoever does. After the commit, hint the relay.
func Expect(ctx context.Context, tx postgres.Tx, company, connection id.ID, files []Expected, now time.Time) error {
	if len(files) == 0 {
		return nil
	}
	in := expectParams{CompanyID: company, ConnectionID: connection, Now: now, GivesUpAt: now.Add(FetchFor)}
	for _, one := range files {
		in.Messages, in.ProviderIds, in.Hashes = append(in.Messages, one.Message), append(in.ProviderIds, one.ProviderID), append(in.Hashes, one.SHA256)
	}
	if err := New(tx).expect(ctx, in); err != nil {
		return fmt.Errorf("noting files to fetch: %w", err)
	}
	return wake.Append(ctx, tx, company, flow.Media(connection), true)
}

// HandOver notes that a message's file must go to its provider first, and wakes whoever does that. After the commit, hint the relay.
func HandOver(ctx context.Context, tx postgres.Tx, company, connection, message, file id.ID, now time.Time) error {
	in := handOverParams{CompanyID: company, MessageID: message, ConnectionID: connection, MediaID: &file, Now: now, GivesUpAt: now.Add(HandOverFor)}
	if err := New(tx).handOver(ctx, in); err != nil {
		return fmt.Errorf("noting a file to hand over: %w", err)
	}
	return wake.Append(ctx, tx, company, flow.Media(connection), true)
}

// Next returns a connection's transfer that is due, or when the next one will be. Both nil: there is none.
func Next(ctx context.Context, tx postgres.Tx, company, connection id.ID, now time.Time) (*Transfer, *time.Time, error) {
	q := New(tx)
	row, err := q.nextTransfer(ctx, company, connection, now)
	if err == nil {
		return &Transfer{Message: row.MessageID, Connection: connection, Outbound: row.Outbound, Media: deref(row.MediaID), ProviderID: deref(row.ProviderID),
			SHA256: row.Sha256, Attempts: int(row.Attempts), GivesUpAt: row.GivesUpAt}, nil, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, fmt.Errorf("looking for files to move: %w", err)
	}
	at, err := q.nextRetry(ctx, company, connection)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("looking when the next file is due: %w", err)
	}
	return nil, &at, nil
}

func deref[T any](of *T) (value T) {
	if of != nil {
		value = *of
	}
	return value
}

// HandedBefore returns a file's id at the provider when it was handed over since an instant; empty: it was not.
func HandedBefore(ctx context.Context, tx postgres.Tx, company id.ID, t Transfer, since time.Time) (string, error) {
	found, err := New(tx).handedBefore(ctx, company, t.Connection, t.Media, since)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("asking where a file lies: %w", err)
	}
	return deref(found), nil
}

// Done notes that a file has arrived. Detail is empty, or what whoever opens it must know. False: somebody else was faster.
func Done(ctx context.Context, tx postgres.Tx, company id.ID, t Transfer, detail string, now time.Time) (bool, error) {
	n, err := New(tx).doneTransfer(ctx, doneTransferParams{CompanyID: company, MessageID: t.Message, MediaID: t.Media, ProviderID: &t.ProviderID, Detail: detail, Now: &now})
	if err != nil {
		return false, fmt.Errorf("noting that a file has arrived: %w", err)
	}
	return n > 0, nil
}

// Failed notes why a file has not arrived, and when the next try is: after five seconds, then after twice as long each
// time, up to half an hour. It returns true when there is none, because the failure is final or time is up.
func Failed(ctx context.Context, tx postgres.Tx, company id.ID, t Transfer, detail string, final bool, now time.Time) (over bool, err error) {
	in := postponeTransferParams{CompanyID: company, MessageID: t.Message, Detail: detail, State: "pending"}
	in.RetryAt = now.Add(min(5*time.Second<<min(t.Attempts, 12), longestRest))
	if over = final || in.RetryAt.After(t.GivesUpAt); over {
		in.State = "failed"
	}
	if _, err := New(tx).postponeTransfer(ctx, in); err != nil {
		return false, fmt.Errorf("noting that a file has not arrived: %w", err)
	}
	return over, nil
}

// TryAgain has a contact's file fetched again that could not be. After the commit, hint the relay. Errors: ErrNotFound.
func TryAgain(ctx context.Context, tx postgres.Tx, company, message id.ID, now time.Time) error {
	connection, err := New(tx).tryAgain(ctx, now, now.Add(FetchFor), company, message)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("having a file fetched again: %w", err)
	}
	return wake.Append(ctx, tx, company, flow.Media(connection), true)
}

// Attachment is what is known about the file of a message.
type Attachment struct {
	State  string // pending, done, failed
	Detail string // why it failed or waits, or what whoever opens it must know
	File   *File  // nil: it is not here yet
}

// Attachments returns those of some messages, by message.
func Attachments(ctx context.Context, tx postgres.Tx, company id.ID, messages []id.ID) (map[id.ID]Attachment, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	rows, err := New(tx).transfersOf(ctx, company, messages)
	if err != nil {
		return nil, fmt.Errorf("reading the files of messages: %w", err)
	}
	found := make(map[id.ID]Attachment, len(rows))
	for _, row := range rows {
		one := Attachment{State: row.State, Detail: row.Detail}
		if row.ID != nil {
			one.File = &File{ID: *row.ID, Type: deref(row.Type), Size: deref(row.Size), Width: int(deref(row.Width)), Height: int(deref(row.Height))}
		}
		found[row.MessageID] = one
	}
	return found, nil
}

// Suspicion is what whoever opens a file must know when it is not what its sender says; empty: it is.
func Suspicion(claimed string, file File) string {
	if claimed == "" || family(claimed) == family(file.Type) {
		return ""
	}
	return "It was sent as " + claimed + " but is " + file.Type + ": open it with care."
}
