package connection

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// pastSecretFor is how long webhooks signed with a replaced app secret are believed: those in transit, and those
// that Meta signs before it learns of the new one.
const pastSecretFor = 24 * time.Hour

// Update changes a connection. A change of anything but its name and department makes it unchecked: the last check spoke of
// other values. A replaced app secret is believed for another day, of webhooks alone.
func (s *Store) Update(ctx context.Context, tx postgres.Tx, company, connection id.ID, change Change, now time.Time) (View, error) {
	q := New(tx)
	row, err := q.lockConnection(ctx, company, connection)
	if err != nil {
		return View{}, notFound("reading a connection", err)
	}
	apply(&row.Name, change.Name)
	if change.Department != nil {
		if err := giveDepartment(ctx, q, company, *change.Department); err != nil {
			return View{}, err
		}
		row.DepartmentID = *change.Department
	}
	changed := apply(&row.AppID, change.AppID)
	changed = apply(&row.AccountID, change.AccountID) || changed
	if apply(&row.NumberID, change.NumberID) {
		changed, row.Number = true, ""
	}
	resealed, err := s.reseal(&row, change, now)
	if err != nil {
		return View{}, err
	}
	if change.PastSecretFor != nil && row.SealedPastSecret != nil {
		until := now.Add(*change.PastSecretFor)
		row.PastSecretUntil = &until
	}
	if row.PastSecretUntil != nil && !row.PastSecretUntil.After(now) {
		row.SealedPastSecret, row.PastSecretUntil = nil, nil
	}
	if changed || resealed {
		row.State, row.StateDetail, row.CheckedAt, row.Checks, row.TokenExpiresAt = Unchecked, "", nil, json.RawMessage("[]"), nil
	}
	if err := s.write(ctx, q, row); err != nil {
		return View{}, err
	}
	return s.view(row)
}

// reseal puts new secrets into row and tells whether one changed that a check depends on.
func (s *Store) reseal(row *Connection, change Change, now time.Time) (checked bool, err error) {
	if change.AppSecret != nil {
		past, err := s.unseal(*row, "app_secret", row.SealedAppSecret)
		if err != nil {
			return false, err
		}
		if past != *change.AppSecret {
			until := now.Add(pastSecretFor)
			row.PastSecretUntil = &until
			if row.SealedPastSecret, err = s.seal(*row, "past_secret", past); err != nil {
				return false, err
			}
		}
	}
	for _, sealed := range []struct {
		column string
		plain  *string
		target *[]byte
	}{
		{"app_secret", change.AppSecret, &row.SealedAppSecret},
		{"token", change.Token, &row.SealedToken},
		{"verify_token", change.VerifyToken, &row.SealedVerifyToken},
	} {
		if sealed.plain == nil {
			continue
		}
		if *sealed.target, err = s.seal(*row, sealed.column, *sealed.plain); err != nil {
			return false, err
		}
		checked = checked || sealed.column != "verify_token"
	}
	return checked, nil
}

func (s *Store) write(ctx context.Context, q *Queries, row Connection) error {
	err := q.updateConnection(ctx, updateConnectionParams{Name: row.Name, AppID: row.AppID, AccountID: row.AccountID,
		NumberID: row.NumberID, Number: row.Number, SealedAppSecret: row.SealedAppSecret, SealedToken: row.SealedToken,
		SealedVerifyToken: row.SealedVerifyToken, SealedPastSecret: row.SealedPastSecret, PastSecretUntil: row.PastSecretUntil,
		State: row.State, StateDetail: row.StateDetail, CheckedAt: row.CheckedAt, Checks: row.Checks, TokenExpiresAt: row.TokenExpiresAt, DepartmentID: row.DepartmentID,
		CompanyID: row.CompanyID, ID: row.ID})
	if err != nil {
		return numberTaken(fmt.Errorf("changing a connection: %w", err))
	}
	if err := q.updateRoute(ctx, row.NumberID, row.AccountID, row.CompanyID, row.ID); err != nil {
		return fmt.Errorf("changing a webhook route: %w", err)
	}
	return nil
}

// KeepCheck keeps what a check said. A check without a number leaves the known one, a failed
// one the number's standing.
func (s *Store) KeepCheck(ctx context.Context, tx postgres.Tx, company, connection id.ID, check channel.Check, at time.Time) error {
	state := Failing
	if check.OK {
		state = Connected
	}
	lines, err := json.Marshal(append([]channel.Line{}, check.Lines...))
	if err != nil {
		return fmt.Errorf("writing the result of a check: %w", err)
	}
	n, err := New(tx).setChecked(ctx, setCheckedParams{State: state, StateDetail: check.Detail, CheckedAt: &at, Number: check.Number,
		Quality: check.Quality, MessagingLimit: int32(check.Limit),
		Checks: lines, TokenExpiresAt: check.TokenEnds, CompanyID: company, ID: connection})
	if err != nil {
		return fmt.Errorf("keeping the result of a check: %w", err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

// SetChecked keeps a result that no provider was asked for. An empty number leaves the known one.
func (s *Store) SetChecked(ctx context.Context, tx postgres.Tx, company, connection id.ID, state, detail, number string, at time.Time) error {
	return s.KeepCheck(ctx, tx, company, connection, channel.Check{OK: state == Connected, Detail: detail, Number: number}, at)
}

// SetDisabled marks a connection as disabled since an instant, or as enabled again with nil. That claims stop is
// the ledger's part: the caller closes or opens the scope in the same transaction.
func (s *Store) SetDisabled(ctx context.Context, tx postgres.Tx, company, connection id.ID, at *time.Time) error {
	n, err := New(tx).setDisabled(ctx, at, company, connection)
	if err != nil {
		return fmt.Errorf("disabling or enabling a connection: %w", err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

// Account returns a connection with its credentials unsealed, to be used at once and kept nowhere.
func (s *Store) Account(ctx context.Context, tx postgres.Tx, company, connection id.ID) (channel.Account, error) {
	row, err := New(tx).getConnection(ctx, company, connection)
	if err == nil && row.DeletedAt != nil {
		err = ErrNotFound
	}
	if err != nil {
		return channel.Account{}, notFound("reading a connection", err)
	}
	account := channel.Account{Company: company, Connection: connection, Kind: channel.Kind(row.Channel),
		AppID: row.AppID, AccountID: row.AccountID, NumberID: row.NumberID}
	if account.AppSecret, err = s.unseal(row, "app_secret", row.SealedAppSecret); err != nil {
		return channel.Account{}, err
	}
	if account.Token, err = s.unseal(row, "token", row.SealedToken); err != nil {
		return channel.Account{}, err
	}
	return account, nil
}

// Secrets returns the app secrets that may have signed a webhook that arrives now, the present one first.
func (s *Store) Secrets(ctx context.Context, tx postgres.Tx, company, connection id.ID, now time.Time) ([]string, error) {
	row, err := New(tx).getConnection(ctx, company, connection)
	if err == nil && row.DeletedAt != nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, notFound("reading a connection", err)
	}
	present, err := s.unseal(row, "app_secret", row.SealedAppSecret)
	if err != nil {
		return nil, err
	}
	if row.PastSecretUntil == nil || !row.PastSecretUntil.After(now) {
		return []string{present}, nil
	}
	past, err := s.unseal(row, "past_secret", row.SealedPastSecret)
	return []string{present, past}, err
}

// apply sets target to value, if there is one, and tells whether that changed it.
func apply(target, value *string) bool {
	if value == nil || *value == *target {
		return false
	}
	*target = *value
	return true
}
