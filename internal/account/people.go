package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
)

// ErrLastAdmin says that a company would be left without an active admin.
var ErrLastAdmin = errors.New("a company needs at least one active admin: make somebody else admin first")

// Person is one of a company's people as its admins see them.
type Person struct {
	ID          id.ID
	Name, Email string
	Role        Role
	Verified    bool
	Disabled    bool
	Since       time.Time
	LastSeen    *time.Time
}

// ListPeople returns a page of a company's people, the first to join first, from after on.
func ListPeople(ctx context.Context, tx postgres.Tx, company, after id.ID, limit int) ([]Person, error) {
	rows, err := New(tx).listPeople(ctx, &company, after, int32(limit))
	if err != nil {
		return nil, fmt.Errorf("listing people: %w", err)
	}
	people := make([]Person, len(rows))
	for i, r := range rows {
		people[i] = Person{ID: r.ID, Name: r.Name, Email: r.Email, Role: Role(r.Role), Verified: r.VerifiedAt != nil, Disabled: r.DisabledAt != nil, Since: r.CreatedAt}
		if r.LastSeenAt.Unix() > 0 {
			people[i].LastSeen = &r.LastSeenAt
		}
	}
	return people, nil
}

// PersonChange is what an admin does to one of a company's people. A nil field stays as it is.
type PersonChange struct {
	Role     *Role
	Disabled *bool
	Removed  bool
}

// ChangePerson carries a change out and ends the person's sessions when it takes rights or gives others; the ended ones
// are returned. Changes of one company take turns, so that no two leave it without an admin. Errors: ErrNotFound,
// ErrLastAdmin.
func ChangePerson(ctx context.Context, tx postgres.Tx, company, person id.ID, change PersonChange, now time.Time) (ended []id.ID, err error) {
	q := New(tx)
	if err := q.lockCompany(ctx, company); err != nil {
		return nil, fmt.Errorf("locking a company: %w", err)
	}
	row, err := q.getPerson(ctx, &company, person)
	if err != nil {
		return nil, notFound("reading a person", err)
	}
	next := changePersonParams{CompanyID: &company, ID: person, Role: row.Role, DisabledAt: row.DisabledAt}
	if change.Role != nil {
		next.Role = string(*change.Role)
	}
	if change.Disabled != nil && *change.Disabled != (row.DisabledAt != nil) {
		next.DisabledAt = nil
		if *change.Disabled {
			next.DisabledAt = &now
		}
	}
	if change.Removed {
		next.DisabledAt, next.RemovedAt = &now, &now
	}
	if next.Role == row.Role && next.RemovedAt == nil && (next.DisabledAt == nil) == (row.DisabledAt == nil) {
		return nil, nil
	}
	if wasAdmin := Role(row.Role) == Admin && row.DisabledAt == nil && row.VerifiedAt != nil; wasAdmin {
		others, err := q.otherAdmins(ctx, &company, person)
		if err != nil {
			return nil, fmt.Errorf("counting admins: %w", err)
		}
		if others == 0 && (Role(next.Role) != Admin || next.DisabledAt != nil) {
			return nil, ErrLastAdmin
		}
	}
	if err := q.changePerson(ctx, next); err != nil {
		return nil, fmt.Errorf("changing a person: %w", err)
	}
	if change.Removed {
		if err := q.leaveDepartments(ctx, company, person); err != nil {
			return nil, fmt.Errorf("taking a person out of departments: %w", err)
		}
	}
	ended, err = q.endSessionsOf(ctx, &now, person)
	if err != nil {
		return nil, fmt.Errorf("ending a person's sessions: %w", err)
	}
	return ended, nil
}

// Invitation asks somebody into a company.
type Invitation struct {
	ID    id.ID
	Email string
	Role  Role
	By    string // the name of whoever invited; empty for a superadmin
	At    time.Time
	Until time.Time // its link works until then
}

// Invite asks somebody by mail. Error: *SettingsError.
func Invite(ctx context.Context, tx postgres.Tx, company, by id.ID, email string, role Role, base string, life time.Duration, now time.Time) (id.ID, error) {
	refuse := func(message string) error {
		return &SettingsError{[]pace.Problem{{Field: "email", Message: message}}}
	}
	clean, err := CleanEmail(email)
	if err != nil {
		return id.Nil, &SettingsError{[]pace.Problem{badEmail}}
	}
	q := New(tx)
	here, err := q.emailInCompany(ctx, &company, clean)
	if err != nil {
		return id.Nil, fmt.Errorf("looking for a person: %w", err)
	}
	if here {
		return id.Nil, refuse("This person is in the company already.")
	}
	invitation := id.New()
	err = q.insertInvitation(ctx, insertInvitationParams{CompanyID: company, ID: invitation, Email: clean, Role: string(role), InvitedBy: by, Now: now, ExpiresAt: now.Add(life)})
	if postgres.IsUnique(err, "invitations_open") {
		return id.Nil, refuse("This address is invited already; send the invitation again, or take it back.")
	}
	if err != nil {
		return id.Nil, fmt.Errorf("adding an invitation: %w", err)
	}
	return invitation, post(ctx, tx, letterInvite, &company, clean, &invitation, base, now)
}

// ListInvitations returns the invitations that nobody has accepted or taken back, the newest first, at most 200.
func ListInvitations(ctx context.Context, tx postgres.Tx, company id.ID) ([]Invitation, error) {
	rows, err := New(tx).listInvitations(ctx, company)
	if err != nil {
		return nil, fmt.Errorf("listing invitations: %w", err)
	}
	list := make([]Invitation, len(rows))
	for i, r := range rows {
		list[i] = Invitation{ID: r.ID, Email: r.Email, Role: Role(r.Role), By: r.Inviter, At: r.CreatedAt, Until: r.ExpiresAt}
	}
	return list, nil
}

// RevokeInvitation takes an invitation back, or answers ErrNotFound.
func RevokeInvitation(ctx context.Context, tx postgres.Tx, company, invitation id.ID, now time.Time) error {
	n, err := New(tx).revokeInvitation(ctx, &now, company, invitation)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("taking an invitation back: %w", err)
	}
	return nil
}

// InviteAgain has an invitation sent once more, good for a whole lifetime again, or answers ErrNotFound.
func InviteAgain(ctx context.Context, tx postgres.Tx, company, invitation id.ID, base string, life time.Duration, now time.Time) error {
	email, err := New(tx).renewInvitation(ctx, now.Add(life), company, invitation)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("renewing an invitation: %w", err)
	}
	return post(ctx, tx, letterInvite, &company, email, &invitation, base, now)
}
