// Package account keeps companies, their people and the sessions in which they act.
package account

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
)

// Role is what a person may do. The zero value may do nothing.
type Role string

// The roles. A superadmin belongs to the platform and enters companies; admin and user belong to one company.
const (
	Superadmin Role = "superadmin"
	Admin      Role = "admin"
	Member     Role = "user"
)

// Errors of the package.
var (
	ErrNotFound   = errors.New("no such company or user")
	ErrEmailTaken = errors.New("another user has this e-mail address")
)

// Company is a tenant.
type Company struct {
	ID   id.ID
	Name string
	Zone string // IANA
	Demo bool

	Setup string // how its first steps stand: new, open or done
}

// User is a person who signs in.
type User struct {
	ID                 id.ID
	Home               *id.ID // the company a user belongs to; nil for a superadmin
	Email, Name        string
	Role               Role
	MustChangePassword bool
	Verified           bool // the address is confirmed
}

// Principal is who sends a request, as the database knows it at that moment.
type Principal struct {
	User    User
	Session id.ID
	Company *Company  // the company the session acts in; a superadmin may have entered none
	In      []id.ID   // the departments the person is in, never nil
	Until   time.Time // when the session ends at the latest
	Network string    // where the session was begun
}

// CreateCompany adds a company, under the system role.
func CreateCompany(ctx context.Context, tx postgres.Tx, name, zone string, demo bool) (Company, error) {
	company := Company{ID: id.New(), Name: strings.TrimSpace(name), Zone: zone, Demo: demo, Setup: "new"}
	if err := checkCompany(company.Name, zone); err != nil {
		return Company{}, err
	}
	if err := New(tx).insertCompany(ctx, company.ID, company.Name, company.Zone, company.Demo); err != nil {
		return Company{}, fmt.Errorf("adding a company: %w", err)
	}
	return company, nil
}

// SetWindow sets when campaigns of a company may be sent, on the recipients' clocks. What waits for the window looks
// again only when send.HoursChanged tells it to.
func SetWindow(ctx context.Context, tx postgres.Tx, company id.ID, window pace.Window) error {
	from, until, _ := strings.Cut(window.String(), "–")
	n, err := New(tx).setWindow(ctx, from, until, company)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("setting the sending window: %w", err)
	}
	return nil
}

// GetCompany returns one company, or ErrNotFound.
func GetCompany(ctx context.Context, tx postgres.Tx, company id.ID) (Company, error) {
	row, err := New(tx).getCompany(ctx, company)
	if err != nil {
		return Company{}, notFound("reading a company", err)
	}
	return Company{ID: row.CompanyID, Name: row.Name, Zone: row.Zone, Demo: row.Demo, Setup: row.Setup}, nil
}

// ListCompanies returns the first 1,000 companies by name, under the system role.
func ListCompanies(ctx context.Context, tx postgres.Tx) ([]Company, error) {
	rows, err := New(tx).listCompanies(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing companies: %w", err)
	}
	companies := make([]Company, len(rows))
	for i, row := range rows {
		companies[i] = Company{ID: row.CompanyID, Name: row.Name, Zone: row.Zone, Demo: row.Demo, Setup: row.Setup}
	}
	return companies, nil
}

// DemoCompany returns the demo company, or ErrNotFound, under the system role.
func DemoCompany(ctx context.Context, tx postgres.Tx) (Company, error) {
	row, err := New(tx).findDemoCompany(ctx)
	if err != nil {
		return Company{}, notFound("finding the demo company", err)
	}
	return Company{ID: row.CompanyID, Name: row.Name, Zone: row.Zone, Demo: row.Demo, Setup: row.Setup}, nil
}

// NewUser is what CreateUser needs.
type NewUser struct {
	Home        *id.ID // nil for a superadmin
	Email, Name string
	Role        Role
	Hash        []byte // of HashPassword
	MustChange  bool
	Unverified  bool // the address is still to be confirmed
}

// CreateUser adds a person, under the system role. It answers ErrEmailTaken when the address is in use.
func CreateUser(ctx context.Context, tx postgres.Tx, user NewUser) (id.ID, error) {
	email, err := CleanEmail(user.Email)
	if err != nil {
		return id.Nil, err
	}
	if (user.Role == Superadmin) != (user.Home == nil) {
		return id.Nil, fmt.Errorf("adding a user: a superadmin has no company, everyone else has one")
	}
	created := id.New()
	err = New(tx).insertUser(ctx, insertUserParams{ID: created, CompanyID: user.Home, Email: email, Name: user.Name,
		Role: string(user.Role), PasswordHash: user.Hash, MustChangePassword: user.MustChange, Unverified: user.Unverified})
	if postgres.IsUnique(err, "users_email") {
		return id.Nil, ErrEmailTaken
	}
	if err != nil {
		return id.Nil, fmt.Errorf("adding a user: %w", err)
	}
	return created, nil
}

// CleanEmail returns an address as it is stored: trimmed and in lower case.
func CleanEmail(email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 {
		return "", fmt.Errorf("the e-mail address is not of the form name@example.com")
	}
	return email, nil
}

func notFound(doing string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return fmt.Errorf("%s: %w", doing, err)
}
