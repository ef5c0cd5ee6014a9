package account

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
)

const longestName = 100 // characters of a company's name

// SettingsError names each unfit field of a company, and says what to do.
type SettingsError struct{ Problems []pace.Problem }

func (e *SettingsError) Error() string {
	words := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		words[i] = p.Field + ": " + p.Message
	}
	return strings.Join(words, " ")
}

// Settings are what a company's admin sets. The window is when campaigns may be sent, on the clocks where the
// recipients are: 07:00 to 21:00, and 24:00 is the end of the day.
type Settings struct{ Name, Zone, WindowFrom, WindowUntil string }

// GetSettings reads a company's settings, or answers ErrNotFound.
func GetSettings(ctx context.Context, tx postgres.Tx, company id.ID) (Settings, error) {
	row, err := New(tx).getSettings(ctx, company)
	if err != nil {
		return Settings{}, notFound("reading a company's settings", err)
	}
	return Settings(row), nil
}

// PutSettings replaces a company's settings, or answers a *SettingsError that names all unfit fields.
func PutSettings(ctx context.Context, tx postgres.Tx, company id.ID, settings Settings) error {
	settings.Name = strings.TrimSpace(settings.Name)
	problems := companyProblems(settings.Name, settings.Zone)
	_, windows := pace.ParseWindow(settings.WindowFrom, settings.WindowUntil)
	if problems = append(problems, windows...); len(problems) > 0 {
		return &SettingsError{problems}
	}
	n, err := New(tx).putSettings(ctx, putSettingsParams{CompanyID: company, Name: settings.Name, Zone: settings.Zone,
		WindowFrom: settings.WindowFrom, WindowUntil: settings.WindowUntil})
	if err != nil {
		return fmt.Errorf("changing a company's settings: %w", err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

func checkCompany(name, zone string) error {
	if problems := companyProblems(name, zone); len(problems) > 0 {
		return &SettingsError{problems}
	}
	return nil
}

func companyProblems(name, zone string) (problems []pace.Problem) {
	if name == "" || utf8.RuneCountInString(name) > longestName {
		problems = append(problems, pace.Problem{Field: "name", Message: fmt.Sprintf("Write a name of up to %d characters.", longestName)})
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		problems = append(problems, pace.Problem{Field: "zone", Message: "There is no such time zone; choose one such as America/Sao_Paulo."})
	}
	return problems
}

// Step of a company's setup.
type Step string

// The steps, in their order.
const (
	StepCompany  Step = "company"
	StepConnect  Step = "connect"
	StepImport   Step = "import"
	StepTest     Step = "test"
	StepCampaign Step = "campaign"
)

// Setup is how far a company's first steps have come.
type Setup struct {
	Done      map[Step]bool // as the rows tell
	Skipped   []Step        // as people said
	Dismissed bool          // nobody wants to see it any more
}

// said is what people said, as it is stored.
type said struct {
	Confirmed bool   `json:"confirmed,omitempty"`
	Skipped   []Step `json:"skipped"`
	Dismissed bool   `json:"dismissed"`
}

// GetSetup reads how far a company has come.
func GetSetup(ctx context.Context, tx postgres.Tx, company id.ID) (Setup, error) {
	row, err := New(tx).getSetup(ctx, company)
	if err != nil {
		return Setup{}, notFound("reading a company's setup", err)
	}
	var words said
	if err := json.Unmarshal(row.Said, &words); err != nil {
		return Setup{}, fmt.Errorf("reading a company's setup: %w", err)
	}
	return Setup{Skipped: words.Skipped, Dismissed: words.Dismissed, Done: map[Step]bool{StepCompany: words.Confirmed,
		StepConnect: row.Connected, StepImport: row.Imported, StepTest: row.Tested, StepCampaign: row.Started}}, nil
}

// PutSetup keeps which steps people skip and whether they are through with it.
func PutSetup(ctx context.Context, tx postgres.Tx, company id.ID, skipped []Step, dismissed bool) error {
	slices.Sort(skipped)
	words, err := json.Marshal(said{Skipped: slices.Compact(append([]Step{}, skipped...)), Dismissed: dismissed})
	if err != nil {
		return fmt.Errorf("writing a company's setup: %w", err)
	}
	if err := New(tx).putSetup(ctx, words, company); err != nil {
		return fmt.Errorf("writing a company's setup: %w", err)
	}
	return nil
}

// CreateTenant adds a company and its first admin, in one transaction under the system role, and returns the
// admin's one-time password, which is stored nowhere. Errors: *SettingsError, ErrEmailTaken.
func CreateTenant(ctx context.Context, db *postgres.DB, name, zone, email string) (company Company, oneTime string, err error) {
	if _, err := CleanEmail(email); err != nil {
		return Company{}, "", &SettingsError{[]pace.Problem{{Field: "email", Message: "Write an address of the form name@example.com."}}}
	}
	oneTime = OneTimePassword()
	hash, err := HashPassword(ctx, oneTime)
	if err != nil {
		return Company{}, "", err
	}
	err = db.InSystem(ctx, func(tx postgres.Tx) error {
		if company, err = CreateCompany(ctx, tx, name, zone, false); err != nil {
			return err
		}
		_, err = CreateUser(ctx, tx, NewUser{Home: &company.ID, Email: email, Name: "Admin", Role: Admin, Hash: hash, MustChange: true})
		return err
	})
	return company, oneTime, err
}
