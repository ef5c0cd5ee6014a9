package apiclient

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// RefusedError says why nobody is behind a call. The caller is not told: each reason would help whoever guesses.
type RefusedError struct{ Reason string }

func (e RefusedError) Error() string { return "a call was refused: " + e.Reason }

// ErrReplayed says that a call with this nonce was made before.
var ErrReplayed = RefusedError{"it was made before"}

// Authenticate returns the client that signed a call which came from an address. Errors: RefusedError.
func (s *Store) Authenticate(ctx context.Context, tx postgres.Tx, company, client id.ID, call Call, signature string, from netip.Addr, now time.Time) (Client, error) {
	row, err := New(tx).getClient(ctx, company, client)
	if errors.Is(err, pgx.ErrNoRows) {
		return Client{}, RefusedError{"there is no such client"}
	}
	if err != nil {
		return Client{}, fmt.Errorf("reading an API client: %w", err)
	}
	found := clientOf(row)
	switch {
	case found.RevokedAt != nil:
		return Client{}, RefusedError{"the client is revoked"}
	case found.ExpiresAt != nil && !found.ExpiresAt.After(now):
		return Client{}, RefusedError{"the client has expired"}
	case !found.allows(from):
		return Client{}, RefusedError{"its address is not on the list"}
	case !call.Fresh(now):
		return Client{}, RefusedError{"its instant is too far from ours"}
	}
	secrets, err := s.live(row, now)
	if err != nil {
		return Client{}, err
	}
	if !call.SignedWith(signature, secrets...) {
		return Client{}, RefusedError{"its signature is wrong"}
	}
	return found, nil
}

// allows tells whether the client may call from an address.
func (c Client) allows(from netip.Addr) bool {
	for _, text := range c.Networks {
		network, err := netip.ParsePrefix(text)
		if err == nil && network.Contains(from) {
			return true
		}
	}
	return len(c.Networks) == 0
}

// live are the secrets that sign now.
func (s *Store) live(row ApiClient, now time.Time) ([]Secret, error) {
	sealed := map[string][]byte{currentColumn: row.SealedSecret}
	if row.PreviousUntil != nil && row.PreviousUntil.After(now) {
		sealed[previousColumn] = row.SealedPrevious
	}
	var secrets []Secret
	for column, value := range sealed {
		plain, err := s.sealer.Unseal(value, place(row.CompanyID, row.ID, column))
		if err != nil {
			return nil, err
		}
		if len(plain) != len(Secret{}) {
			return nil, fmt.Errorf("opening the secret of API client %s: it has %d bytes", row.ID, len(plain))
		}
		secrets = append(secrets, Secret(plain))
	}
	return secrets, nil
}

// Allowance is what is left of a client's minute.
type Allowance struct {
	Limit, Remaining int
	Reset            time.Duration // until one more call is free again
	Refused          bool          // this call was one too many
}

// LetIn notes a call that its client has signed and says what is left of the minute, which is any 60 seconds by the
// database's clock. It holds for all servers together: the client's calls wait for each other. One too many is noted,
// too, so commit in either case: its copy must not pass later. Errors: ErrReplayed.
func LetIn(ctx context.Context, tx postgres.Tx, client Client, nonce string) (Allowance, error) {
	q := New(tx)
	calls, err := q.takeTurn(ctx, client.Company, client.ID)
	if err != nil {
		return Allowance{}, fmt.Errorf("waiting for a client's other calls: %w", err)
	}
	first, err := q.minute(ctx, client.Company, client.ID)
	if err != nil {
		return Allowance{}, fmt.Errorf("looking at a client's last minute: %w", err)
	}
	left, used := Allowance{Limit: client.PerMinute, Reset: time.Minute}, 0
	if len(first) > 0 {
		used = int(calls - first[0].Number + 1)
		left.Reset = time.Duration(math.Ceil(max(first[0].LeavesIn, 1))) * time.Second
	}
	number := calls + 1
	if left.Refused = used >= client.PerMinute; left.Refused {
		number = 0
	}
	noted, err := q.noteCall(ctx, client.Company, client.ID, nonce, number)
	if err != nil {
		return Allowance{}, fmt.Errorf("noting a call: %w", err)
	}
	if noted == 0 {
		return Allowance{}, ErrReplayed
	}
	if left.Refused {
		return left, nil
	}
	left.Remaining = client.PerMinute - used - 1
	if err := q.letIn(ctx, number, client.Company, client.ID); err != nil {
		return Allowance{}, fmt.Errorf("counting a call: %w", err)
	}
	return left, forget(ctx, q, client, number)
}

// forgetEvery is how many calls pass until those are forgotten whose copies are no longer fresh.
const forgetEvery = 64

func forget(ctx context.Context, q *Queries, client Client, number int64) error {
	if number%forgetEvery != 0 {
		return nil
	}
	if err := q.forgetCalls(ctx, client.Company, client.ID); err != nil {
		return fmt.Errorf("forgetting old calls: %w", err)
	}
	return nil
}

// QuotaError says that a client has sent as many messages as it may on one day of the company.
type QuotaError struct {
	Most  int
	Until time.Time // when the next day begins
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("the daily quota of %d messages is used up", e.Most)
}

// Spend takes one message off the client's day. Call it last: until the transaction ends, the client's other messages
// wait. Errors: *QuotaError.
func Spend(ctx context.Context, tx postgres.Tx, client Client, now time.Time) error {
	q := New(tx)
	spent, err := q.spend(ctx, now, client.Company, client.ID, int32(client.PerDay))
	if err != nil {
		return fmt.Errorf("counting a client's messages: %w", err)
	}
	if spent > 0 {
		return nil
	}
	until, err := q.nextDay(ctx, now, client.Company)
	if err != nil {
		return fmt.Errorf("reading when a client's quota begins again: %w", err)
	}
	return &QuotaError{Most: client.PerDay, Until: until}
}
