// Package campaign owns campaigns, their frozen plans and their texts. What becomes of each message is the
// ledger's business (package send).
package campaign

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"omnidesk/internal/id"
)

// State of a campaign.
type State string

// A campaign goes draft → starting → (scheduled →) running ⇄ paused → finished; canceled from any but the last.
const (
	Draft     State = "draft"
	Starting  State = "starting"
	Scheduled State = "scheduled"
	Running   State = "running"
	Paused    State = "paused"
	Finished  State = "finished"
	Canceled  State = "canceled"
)

// Skipped counts contacts of the audience that are left out, by reason.
type Skipped struct {
	OptedOut   int `json:"opted_out"`
	NoPhone    int `json:"no_phone"`
	WindowShut int `json:"window_shut"`
}

// Fields are what a person writes.
type Fields struct {
	Name       string
	Connection id.ID
	Content    Content
	Audience   Audience
	StartsAt   *time.Time
	ExpiresAt  *time.Time
	By         id.ID // who writes; Nil: nobody in particular
}

// Campaign is one campaign as it stands.
type Campaign struct {
	ID id.ID
	Fields
	ConnectionName string
	State          State
	StateDetail    string
	PausedCode     *int       // the provider's code that paused it; nil: none did
	ResumesAt      *time.Time // when a paused one goes on by itself; nil: a person resumes it
	TextVersion    int
	Version        int
	Recipients     int // of the frozen plan
	Skipped        Skipped
	CreatedAt      time.Time
	FrozenAt       *time.Time
	StartedAt      *time.Time
	FinishedAt     *time.Time
	ChangedAt      *time.Time // when a person last wrote the draft
	ChangedBy      string     // that person's name, when this company knows it
}

// Errors a caller tells apart.
var (
	ErrNotFound   = errors.New("there is no such campaign")
	ErrConnection = errors.New("there is no such connection")
	ErrSegment    = errors.New("the segment of the audience does not exist any more: choose another one")
	ErrContact    = errors.New("there is no such contact with a phone")
	ErrImport     = errors.New("the audience names an import that does not exist")
	ErrFailedOf   = errors.New("the audience names a campaign that does not exist or has not started")
	ErrTag        = errors.New("the audience names a tag that does not exist")
	ErrStale      = errors.New("somebody else has changed the campaign meanwhile; load it again")
)

// StateError refuses a command that the campaign's state does not allow.
type StateError struct {
	Command string
	State   State
	Allowed string
}

func (e *StateError) Error() string {
	return fmt.Sprintf("a campaign that is %s can't %s; only one that is %s can", e.State, e.Command, e.Allowed)
}

// ProblemsError lists what keeps a campaign from starting.
type ProblemsError struct{ Problems []Problem }

func (e *ProblemsError) Error() string {
	return "the campaign can't start: " + e.Problems[0].Message
}

// sentence writes an error as a person reads it.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func fromRecord(r Record, connectionName string) (Campaign, error) {
	c := Campaign{
		ID: r.ID, ConnectionName: connectionName, State: State(r.State), StateDetail: r.StateDetail,
		TextVersion: int(r.TextVersion), Version: int(r.Version), Recipients: int(r.Recipients),
		CreatedAt: r.CreatedAt, FrozenAt: r.FrozenAt, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt, ChangedAt: r.ChangedAt,
		Fields: Fields{Name: r.Name, Connection: r.ConnectionID, StartsAt: r.StartsAt, ExpiresAt: r.ExpiresAt},
	}
	c.ResumesAt = r.ResumesAt
	if r.PausedCode != nil {
		code := int(*r.PausedCode)
		c.PausedCode = &code
	}
	for _, part := range []struct {
		name string
		raw  json.RawMessage
		into any
	}{{"content", r.Content, &c.Content}, {"audience", r.Audience, &c.Audience}, {"skipped", r.Skipped, &c.Skipped}} {
		if err := json.Unmarshal(part.raw, part.into); err != nil {
			return Campaign{}, fmt.Errorf("reading the %s of campaign %s: %w", part.name, r.ID, err)
		}
	}
	return c, nil
}
