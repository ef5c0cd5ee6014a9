package conversation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// Errors of what agents do with a conversation.
var (
	ErrStale      = errors.New("somebody else has changed the conversation meanwhile; look at it again")
	ErrAssignee   = errors.New("this person may not see the conversation, or is not in the company any more; choose somebody of its department")
	ErrDepartment = errors.New("there is no such department any more; load the page again")
	ErrLabel      = errors.New("one of the labels does not exist any more; load the page again")
	ErrPast       = errors.New("choose an instant that is still to come, at most a year ahead")
)

// longestSnooze is as far ahead as a conversation may sleep.
const longestSnooze = 366 * 24 * time.Hour

// Change is one agent's change of one conversation, which the transaction has locked.
type Change struct {
	q           *Queries
	tx          postgres.Tx
	company, id id.ID
	found       lockConversationRow
}

// Begin locks a conversation for a change. seen is the version that the agent has seen: another one means that somebody
// else was quicker; 0: the change is made in any case. Errors: ErrNotFound, ErrStale. Whether the conversation is in
// sight is for the caller to ask before.
func Begin(ctx context.Context, tx postgres.Tx, company, wanted id.ID, seen int32) (*Change, error) {
	q := New(tx)
	found, err := q.lockConversation(ctx, company, wanted)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("locking a conversation: %w", err)
	case seen != 0 && seen != found.Version:
		return nil, ErrStale
	}
	return &Change{q, tx, company, wanted, found}, nil
}

// Assign gives the conversation to somebody who may see it, or to nobody. Errors: ErrAssignee.
func (c *Change) Assign(ctx context.Context, person *id.ID) error {
	if person != nil {
		may, err := c.maySee(ctx, *person, c.found.DepartmentID)
		if err != nil {
			return err
		}
		if !may {
			return ErrAssignee
		}
	}
	return changing(c.q.setAssignee(ctx, person, c.company, c.id))
}

// Move gives the conversation to a department, nil: that of its connection. Who may not see it there is no longer its
// assignee. Errors: ErrDepartment.
func (c *Change) Move(ctx context.Context, department *id.ID) error {
	belongs := c.found.ConnectionDepartment
	if department != nil {
		live, err := c.q.liveDepartment(ctx, c.company, *department)
		if err != nil {
			return fmt.Errorf("looking for a department: %w", err)
		}
		if !live {
			return ErrDepartment
		}
		belongs = department
	}
	assignee := c.found.AssigneeID
	if assignee != nil {
		may, err := c.maySee(ctx, *assignee, belongs)
		if err != nil {
			return err
		}
		if !may {
			assignee = nil
		}
	}
	return changing(c.q.setDepartment(ctx, department, assignee, c.company, c.id))
}

func (c *Change) maySee(ctx context.Context, person id.ID, department *id.ID) (bool, error) {
	may, err := c.q.maySee(ctx, c.company, person, department)
	if err != nil {
		return false, fmt.Errorf("asking what somebody may see: %w", err)
	}
	return may, nil
}

// Prioritise sets how urgent it is.
func (c *Change) Prioritise(ctx context.Context, priority Priority) error {
	return changing(c.q.setPriority(ctx, int16(priority), c.company, c.id))
}

// Label makes labels those of the conversation. Errors: ErrLabel.
func (c *Change) Label(ctx context.Context, labels []id.ID) error {
	labels = append([]id.ID{}, labels...) // nil would be SQL's null
	if err := c.q.dropLabels(ctx, c.company, c.id, labels); err != nil {
		return fmt.Errorf("taking labels off: %w", err)
	}
	n, err := c.q.addLabels(ctx, c.company, c.id, labels)
	if err != nil {
		return fmt.Errorf("putting labels on: %w", err)
	}
	if int(n) != len(unique(labels)) {
		return ErrLabel
	}
	return changing(c.q.touch(ctx, c.company, c.id))
}

func unique(ids []id.ID) map[id.ID]bool {
	set := map[id.ID]bool{}
	for _, one := range ids {
		set[one] = true
	}
	return set
}

// SetState closes the conversation, which is then read, or opens it.
func (c *Change) SetState(ctx context.Context, state State) error {
	return c.turn(ctx, state, nil)
}

// Snooze puts the conversation away until an instant, or until the contact writes, whichever comes first; nil: only
// that. Its workflow keeps the instant. Errors: ErrPast.
func (c *Change) Snooze(ctx context.Context, until *time.Time, now time.Time) error {
	if until != nil && (!until.After(now) || until.Sub(now) > longestSnooze) {
		return ErrPast
	}
	return c.turn(ctx, Snoozed, until)
}

func (c *Change) turn(ctx context.Context, state State, until *time.Time) error {
	err := c.q.setState(ctx, string(state), until, c.company, c.id)
	if err == nil && (until != nil || c.found.SnoozedUntil != nil) {
		return wake.Append(ctx, c.tx, c.company, flow.Conversation(c.id), false)
	}
	return changing(err)
}

func changing(err error) error {
	if err != nil {
		return fmt.Errorf("changing a conversation: %w", err)
	}
	return nil
}

// MarkRead notes that what the contact wrote was seen. Errors: ErrNotFound.
func MarkRead(ctx context.Context, tx postgres.Tx, company, wanted id.ID) error {
	n, err := New(tx).markRead(ctx, company, wanted)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return changing(err)
}

// AsleepUntil returns when a conversation comes back by itself; nil: it does not sleep, or until the contact writes.
func AsleepUntil(ctx context.Context, tx postgres.Tx, company, wanted id.ID) (*time.Time, error) {
	until, err := New(tx).asleepUntil(ctx, company, wanted)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking whether a conversation sleeps: %w", err)
	}
	return until, nil
}

// Rouse opens a conversation whose time has come, and tells whether it did.
func Rouse(ctx context.Context, tx postgres.Tx, company, wanted id.ID, now time.Time) (bool, error) {
	n, err := New(tx).rouse(ctx, company, wanted, now)
	return n > 0, changing(err)
}

// Note adds what an agent writes for the others; it is never sent. It returns its id, which says when.
func Note(ctx context.Context, tx postgres.Tx, company, conversation, author id.ID, body string) (id.ID, error) {
	note := id.New()
	err := New(tx).insertNote(ctx, insertNoteParams{CompanyID: company, ConversationID: conversation, ID: note, AuthorID: author, Body: strings.TrimSpace(body)})
	if err != nil {
		return id.Nil, fmt.Errorf("adding a note: %w", err)
	}
	return note, nil
}
