package campaign

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wait"
	"omnidesk/internal/wake"
)

// Create adds a draft and returns it.
func Create(ctx context.Context, tx postgres.Tx, company id.ID, fields Fields) (Campaign, error) {
	content, audience, err := fields.encode(ctx, tx, company)
	if err != nil {
		return Campaign{}, err
	}
	campaign := id.New()
	err = New(tx).Insert(ctx, InsertParams{CompanyID: company, ID: campaign, ConnectionID: fields.Connection, Name: fields.Name,
		Content: content, Audience: audience, StartsAt: fields.StartsAt, ExpiresAt: fields.ExpiresAt, ChangedBy: orNobody(fields.By)})
	if err != nil {
		return Campaign{}, writeError("creating a campaign", err)
	}
	return Get(ctx, tx, company, campaign)
}

// Backdate lets a campaign have been made at an earlier instant, for demo data.
func Backdate(ctx context.Context, tx postgres.Tx, company, campaign id.ID, created time.Time) error {
	if err := New(tx).Backdate(ctx, created, company, campaign); err != nil {
		return fmt.Errorf("backdating a campaign: %w", err)
	}
	return nil
}

// Get returns one campaign or ErrNotFound.
func Get(ctx context.Context, tx postgres.Tx, company, campaign id.ID) (Campaign, error) {
	row, err := New(tx).Get(ctx, company, campaign)
	if err != nil {
		return Campaign{}, readError("reading a campaign", err)
	}
	c, err := fromRecord(row.Record, row.ConnectionName)
	c.ChangedBy = row.ChangedByName
	return c, err
}

// List returns up to limit campaigns, newest first, whose id is below before. An empty state means any.
func List(ctx context.Context, tx postgres.Tx, company, before id.ID, state State, limit int) ([]Campaign, error) {
	rows, err := New(tx).List(ctx, company, before, string(state), int32(limit))
	if err != nil {
		return nil, fmt.Errorf("listing campaigns: %w", err)
	}
	campaigns := make([]Campaign, 0, len(rows))
	for _, row := range rows {
		c, err := fromRecord(row.Record, row.ConnectionName)
		if err != nil {
			return nil, err
		}
		campaigns = append(campaigns, c)
	}
	return campaigns, nil
}

// Update replaces the fields of a draft, if it still has the version that the writer saw.
func Update(ctx context.Context, tx postgres.Tx, company, campaign id.ID, version int, fields Fields) (Campaign, error) {
	content, audience, err := fields.encode(ctx, tx, company)
	if err != nil {
		return Campaign{}, err
	}
	n, err := New(tx).UpdateDraft(ctx, UpdateDraftParams{CompanyID: company, ID: campaign, Version: int32(version), ConnectionID: fields.Connection,
		Name: fields.Name, Content: content, Audience: audience, StartsAt: fields.StartsAt, ExpiresAt: fields.ExpiresAt, ChangedBy: orNobody(fields.By)})
	if err != nil {
		return Campaign{}, writeError("changing a campaign", err)
	}
	now, err := Get(ctx, tx, company, campaign)
	switch {
	case err != nil:
		return Campaign{}, err
	case n == 1:
		return now, nil
	case now.State != Draft:
		return Campaign{}, &StateError{"be edited", now.State, "a draft"}
	default:
		return Campaign{}, ErrStale
	}
}

// Delete removes a draft.
func Delete(ctx context.Context, tx postgres.Tx, company, campaign id.ID) error {
	n, err := New(tx).DeleteDraft(ctx, company, campaign)
	if err != nil {
		return fmt.Errorf("deleting a campaign: %w", err)
	}
	if n == 1 {
		return nil
	}
	now, err := Get(ctx, tx, company, campaign)
	if err != nil {
		return err
	}
	return &StateError{"be deleted", now.State, "a draft"}
}

// Start accepts a draft whose check finds no problem: the campaign is starting, its workflow does the rest.
func Start(ctx context.Context, tx postgres.Tx, company, campaign id.ID, now time.Time) error {
	return move(ctx, tx, company, campaign, "start", now, []State{Draft}, Starting, "Waiting for the campaign's workflow to begin.",
		func(c Campaign) (err error) {
			c.Audience, err = c.Audience.resolve(ctx, tx, company)
			if errors.Is(err, ErrSegment) {
				return &ProblemsError{[]Problem{{"audience.segment_id", sentence(ErrSegment)}}}
			}
			if err != nil {
				return err
			}
			problems, err := checkStart(ctx, tx, company, c.Fields, now)
			if err != nil {
				return err
			}
			if len(problems) > 0 {
				return &ProblemsError{problems}
			}
			return keepAudience(ctx, tx, company, c)
		})
}

// Pause stops claims. The caller has locked the connection's scope first, so that none is under way.
func Pause(ctx context.Context, tx postgres.Tx, company, campaign id.ID, now time.Time) error {
	return move(ctx, tx, company, campaign, "be paused", now, []State{Running}, Paused, "Paused by an admin.", nil)
}

// StopAll stops what would go on by itself after a restore of the database, because nobody knows how far it came: running
// campaigns, those that a provider's time would resume, and scheduled ones whose time has come are paused until a person
// resumes them, and one that was about to start is a draft again. The
// company's claims are on hold meanwhile, so that none is under way.
func StopAll(ctx context.Context, tx postgres.Tx, company id.ID, detail string, now time.Time) (stopped []id.ID, err error) {
	rows, err := New(tx).LockGoingOn(ctx, company, now)
	if err != nil {
		return nil, fmt.Errorf("looking for campaigns to stop: %w", err)
	}
	for _, row := range rows {
		to := Paused
		if State(row.State) == Starting {
			to = Draft
		}
		if err := putState(ctx, tx, company, row.ID, to, detail, now); err != nil {
			return nil, err
		}
		stopped = append(stopped, row.ID)
	}
	return stopped, nil
}

// Halt is an answer of the provider that concerns more than the message that met it.
type Halt struct {
	Campaign id.ID         // that met it; Nil: none is known
	Scope    channel.Scope // ScopeCampaigns: all of the connection; ScopeTemplate: those with the same template; else that one
	Code     int           // the provider's
	Reason   string
	Until    *time.Time // when the campaigns go on by themselves; nil: a person resumes them
}

// PauseFor pauses the running campaigns that a halt is about and wakes their workflows. It returns which: none when
// all of them are paused already, so that a hundred messages that meet one answer make one pause. The caller has locked
// the connection's scope, and hints the relay after the commit.
func PauseFor(ctx context.Context, tx postgres.Tx, company, connection id.ID, halt Halt, now time.Time) ([]id.ID, error) {
	paused, err := New(tx).PauseFor(ctx, PauseForParams{CompanyID: company, ConnectionID: connection, MetBy: orNobody(halt.Campaign), Every: halt.Scope == channel.ScopeCampaigns,
		SameTemplate: halt.Scope == channel.ScopeTemplate, Reason: halt.Reason, Code: int32(halt.Code), ResumesAt: halt.Until})
	if err != nil {
		return nil, fmt.Errorf("pausing campaigns for the provider's answer: %w", err)
	}
	for _, campaign := range paused {
		if err := wait.Note(ctx, tx, company, campaign, halt.Reason, halt.Until, now); err != nil {
			return nil, err
		}
		if err := notice.Add(ctx, tx, company, notice.CampaignPaused, notice.Campaign(campaign), 1, now); err != nil {
			return nil, err
		}
		if err := wake.Append(ctx, tx, company, flow.Campaign(campaign), false); err != nil {
			return nil, err
		}
	}
	return paused, nil
}

// Resume lets claims go on.
func Resume(ctx context.Context, tx postgres.Tx, company, campaign id.ID, now time.Time) error {
	return move(ctx, tx, company, campaign, "resume", now, []State{Paused}, Running, "", nil)
}

// Cancel ends a campaign for good. The caller has locked the connection's scope and cancels the queued rows
// in the same transaction.
func Cancel(ctx context.Context, tx postgres.Tx, company, campaign id.ID, now time.Time) error {
	err := move(ctx, tx, company, campaign, "be canceled", now, []State{Starting, Scheduled, Running, Paused}, Canceled, "Canceled by an admin.", nil)
	if err != nil {
		return err
	}
	if err := New(tx).CloseZones(ctx, company, campaign); err != nil {
		return fmt.Errorf("closing the plan of a canceled campaign: %w", err)
	}
	return nil
}

// move takes a campaign from one of some states to another, under its lock.
func move(ctx context.Context, tx postgres.Tx, company, campaign id.ID, command string, now time.Time, from []State, to State, detail string, check func(Campaign) error) error {
	row, err := New(tx).Lock(ctx, company, campaign)
	if err != nil {
		return readError("locking a campaign", err)
	}
	allowed := ""
	for i, state := range from {
		if State(row.State) == state {
			allowed = ""
			break
		}
		if i > 0 {
			allowed += " or "
		}
		allowed += string(state)
	}
	if allowed != "" {
		return &StateError{command, State(row.State), allowed}
	}
	if check != nil {
		c, err := fromRecord(row, "")
		if err == nil {
			err = check(c)
		}
		if err != nil {
			return err
		}
	}
	return putState(ctx, tx, company, campaign, to, detail, now)
}

func putState(ctx context.Context, tx postgres.Tx, company, campaign id.ID, state State, detail string, now time.Time) error {
	err := New(tx).SetState(ctx, SetStateParams{CompanyID: company, ID: campaign, State: string(state), StateDetail: detail, Now: now})
	if err != nil {
		return fmt.Errorf("setting a campaign %s: %w", state, err)
	}
	reason := "" // scheduled and starting campaigns have no message yet that could wait
	if state == Paused {
		reason = detail
	}
	return wait.Note(ctx, tx, company, campaign, reason, nil, now)
}

// encode checks what the fields refer to and writes them as stored.
func (f Fields) encode(ctx context.Context, tx postgres.Tx, company id.ID) (content, audience json.RawMessage, err error) {
	if err := f.Audience.known(ctx, tx, company); err != nil {
		return nil, nil, err
	}
	if content, err = json.Marshal(f.Content); err != nil {
		return nil, nil, fmt.Errorf("writing the content: %w", err)
	}
	if audience, err = json.Marshal(f.Audience); err != nil {
		return nil, nil, fmt.Errorf("writing the audience: %w", err)
	}
	return content, audience, nil
}

func orNobody(who id.ID) *id.ID {
	if who == id.Nil {
		return nil
	}
	return &who
}

func readError(doing string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func writeError(doing string, err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23503" {
		return ErrConnection
	}
	return fmt.Errorf("%s: %w", doing, err)
}
