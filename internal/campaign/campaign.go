// Package campaign owns campaigns, their frozen plans and their texts. What becomes of each message is the
// ledger's business (package send).
package campaign

import (
	"encoding/json"
	"errors"
	"fmt"
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

// Audience chooses contacts: everyone, or those with at least one of the tags.
type Audience struct {
	All    bool    `json:"all,omitempty"`
	TagIDs []id.ID `json:"tag_ids,omitempty"`
}

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
}

// Campaign is one campaign as it stands.
type Campaign struct {
	ID id.ID
	Fields
	ConnectionName string
	State          State
	StateDetail    string
	TextVersion    int
	Version        int
	Recipients     int // of the frozen plan
	Skipped        Skipped
	CreatedAt      time.Time
	FrozenAt       *time.Time
	StartedAt      *time.Time
	FinishedAt     *time.Time
}

// Errors a caller tells apart.
var (
	ErrNotFound   = errors.New("there is no such campaign")
	ErrConnection = errors.New("there is no such connection")
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

func fromRecord(r Record, connectionName string) (Campaign, error) {
	c := Campaign{
		ID: r.ID, ConnectionName: connectionName, State: State(r.State), StateDetail: r.StateDetail,
		TextVersion: int(r.TextVersion), Version: int(r.Version), Recipients: int(r.Recipients),
		CreatedAt: r.CreatedAt, FrozenAt: r.FrozenAt, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt,
		Fields: Fields{Name: r.Name, Connection: r.ConnectionID, StartsAt: r.StartsAt, ExpiresAt: r.ExpiresAt},
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
