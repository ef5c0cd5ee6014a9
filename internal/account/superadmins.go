package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
)

// ErrLastSuperadmin says that nobody would be left to run the platform.
var ErrLastSuperadmin = errors.New("at least one superadmin must remain: add another one first")

// Super is a superadmin as the others see them.
type Super struct {
	ID          id.ID
	Name, Email string
	New         bool // has not chosen a password yet
	Since       time.Time
	LastSeen    *time.Time
}

// ListSuperadmins returns the active ones, the first to join first, under the system role.
func ListSuperadmins(ctx context.Context, tx postgres.Tx) ([]Super, error) {
	rows, err := New(tx).listSuperadmins(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing superadmins: %w", err)
	}
	list := make([]Super, len(rows))
	for i, r := range rows {
		list[i] = Super{ID: r.ID, Name: r.Name, Email: r.Email, New: r.MustChangePassword, Since: r.CreatedAt}
		if r.LastSeenAt.Unix() > 0 {
			list[i].LastSeen = &r.LastSeenAt
		}
	}
	return list, nil
}

// AddSuperadmin makes one and returns the one-time password, which is stored nowhere. Errors: *SettingsError,
// ErrEmailTaken.
func AddSuperadmin(ctx context.Context, db *postgres.DB, name, email string) (user id.ID, oneTime string, err error) {
	if _, err := CleanEmail(email); err != nil {
		return id.Nil, "", &SettingsError{[]pace.Problem{{Field: "email", Message: "Write an address of the form name@example.com."}}}
	}
	oneTime = OneTimePassword()
	hash, err := HashPassword(ctx, oneTime)
	if err != nil {
		return id.Nil, "", err
	}
	err = db.InSystem(ctx, func(tx postgres.Tx) error {
		user, err = CreateUser(ctx, tx, NewUser{Email: email, Name: name, Role: Superadmin, Hash: hash, MustChange: true})
		return err
	})
	return user, oneTime, err
}

// RemoveSuperadmin ends one and their sessions, which are returned. Errors: ErrNotFound, ErrLastSuperadmin.
func RemoveSuperadmin(ctx context.Context, tx postgres.Tx, user id.ID, now time.Time) (ended []id.ID, err error) {
	n, err := New(tx).removeSuperadmin(ctx, now, user)
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg) && pg.ConstraintName == "users_superadmin_remains":
		return nil, ErrLastSuperadmin
	case err != nil:
		return nil, fmt.Errorf("removing a superadmin: %w", err)
	case n == 0:
		return nil, ErrNotFound
	}
	if ended, err = New(tx).endSessionsOf(ctx, &now, user); err != nil {
		return nil, fmt.Errorf("ending a superadmin's sessions: %w", err)
	}
	return ended, nil
}
