package conversation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Conversation is what was said between a contact and a connection, as a list shows it.
type Conversation struct {
	ID             id.ID
	ConnectionID   id.ID
	ConnectionName string
	ContactID      id.ID
	ContactName    string
	Address        string // that of the newest message
	State          State
	LastID         id.ID // the newest message outside campaigns; its id says when
	Unread         int32
	ReopenedAt     *time.Time
	OpenUntil      *time.Time // when the last 24-hour window ends or ended; nil: there was none
	OptedOutAt     *time.Time
	Direction      int16 // of the newest message; 1: the contact wrote it
	Content        *string
	Version        int32 // of what agents set
	AssigneeID     *id.ID
	AssigneeName   string
	DepartmentID   *id.ID // whose it is; nil: everybody's
	DepartmentName string
	Priority       Priority
	SnoozedUntil   *time.Time // of a snoozed one; nil: until the contact writes
	Labels         []id.ID
}

// Priority of a conversation; the greater the more urgent.
type Priority int16

// The priorities, as stored.
const (
	NoPriority Priority = iota
	LowPriority
	HighPriority
	UrgentPriority
)

// Last is the beginning of a list: conversations and messages come newest first.
var Last = id.At(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), 0)

// Filter chooses conversations; what is zero does not matter.
type Filter struct {
	State      State
	Assignee   id.ID
	Unassigned bool
	Department id.ID
	Label      id.ID
	Contact    id.ID
	Unread     bool
}

// Sight is whose eyes look: the departments of somebody, nil for all. They see what belongs to these and to none.
type Sight []id.ID

// list reads conversations of the alias v; what is chosen and in which order follows. Its first two arguments are the
// company and the sight.
const (
	visible = `FROM conversations v
		JOIN connections n ON n.company_id = v.company_id AND n.id = v.connection_id AND talk_in_sight(v.department_id, n.department_id, $2)
		WHERE v.company_id = $1`
	pageOf = `WITH page AS (SELECT v.*, n.name AS connection_name, coalesce(v.department_id, n.department_id) AS belongs_to ` + visible
	shown  = `) SELECT v.id, v.connection_id, v.connection_name, v.contact_id, c.name, coalesce(i.value, ''), v.state, v.last_id, v.unread,
		v.reopened_at, w.open_until, c.opted_out_at, coalesce(m.direction, 0)::smallint, m.content,
		v.version, v.assignee_id, coalesce(u.name, ''), v.belongs_to, coalesce(d.name, ''), v.priority, v.snoozed_until,
		ARRAY(SELECT l.label_id FROM conversation_labels l WHERE l.company_id = v.company_id AND l.conversation_id = v.id ORDER BY l.label_id)
	FROM page v
	JOIN contacts c ON c.company_id = v.company_id AND c.id = v.contact_id
	LEFT JOIN messages m ON m.company_id = v.company_id AND m.id = v.last_id
	LEFT JOIN identities i ON i.company_id = v.company_id AND i.id = m.identity_id
	LEFT JOIN service_windows w ON w.company_id = v.company_id AND w.connection_id = v.connection_id AND w.contact_id = v.contact_id
	LEFT JOIN users u ON u.company_id = v.company_id AND u.id = v.assignee_id
	LEFT JOIN departments d ON d.company_id = v.company_id AND d.id = v.belongs_to
	ORDER BY v.last_id DESC`
)

// where writes the filter as conditions on the alias v. Each is there only when it is asked for, so that the planner
// knows which index serves.
func (f Filter) where(args []any) (string, []any) {
	sql := ""
	add := func(condition string, value any) {
		args = append(args, value)
		sql += fmt.Sprintf(" AND "+condition, len(args))
	}
	if f.State != "" {
		add("v.state = $%d", string(f.State))
	}
	switch {
	case f.Unassigned:
		sql += " AND v.assignee_id IS NULL"
	case f.Assignee != id.Nil:
		add("v.assignee_id = $%d", f.Assignee)
	}
	if f.Department != id.Nil {
		add("coalesce(v.department_id, n.department_id) = $%d", f.Department)
	}
	if f.Label != id.Nil {
		add("EXISTS (SELECT FROM conversation_labels l WHERE l.company_id = v.company_id AND l.conversation_id = v.id AND l.label_id = $%d)", f.Label)
	}
	if f.Contact != id.Nil {
		add("v.contact_id = $%d", f.Contact)
	}
	if f.Unread {
		sql += " AND v.unread > 0"
	}
	return sql, args
}

// List returns conversations whose newest message is older than before, the newest first.
func List(ctx context.Context, tx postgres.Tx, company id.ID, sight Sight, filter Filter, before id.ID, limit int) ([]Conversation, error) {
	where, args := filter.where([]any{company, sight, before, limit})
	list, err := collect(ctx, tx, pageOf+` AND v.last_id < $3`+where+` ORDER BY v.last_id DESC LIMIT $4`+shown, args)
	if err != nil {
		return nil, fmt.Errorf("listing conversations: %w", err)
	}
	return list, nil
}

// Get returns one conversation that is in sight. Errors: ErrNotFound.
func Get(ctx context.Context, tx postgres.Tx, company id.ID, sight Sight, wanted id.ID) (Conversation, error) {
	list, err := collect(ctx, tx, pageOf+` AND v.id = $3`+shown, []any{company, sight, wanted})
	if err != nil {
		return Conversation{}, fmt.Errorf("reading a conversation: %w", err)
	}
	if len(list) == 0 {
		return Conversation{}, ErrNotFound
	}
	return list[0], nil
}

func collect(ctx context.Context, tx postgres.Tx, sql string, args []any) ([]Conversation, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Conversation])
}

// Unread counts open conversations with something unread.
type Unread struct {
	All, Mine, Unassigned int // of the first 500
}

// CountUnread counts what somebody sees.
func CountUnread(ctx context.Context, tx postgres.Tx, company id.ID, sight Sight, mine id.ID) (n Unread, err error) {
	err = tx.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE v.assignee_id = $3), count(*) FILTER (WHERE v.assignee_id IS NULL) FROM (
		SELECT v.assignee_id `+visible+` AND v.state = 'open' AND v.unread > 0 LIMIT 500) v`, company, sight, mine).Scan(&n.All, &n.Mine, &n.Unassigned)
	if err != nil {
		return n, fmt.Errorf("counting unread conversations: %w", err)
	}
	return n, nil
}

// ErrNotFound says that there is no such conversation in the company, or none in sight.
var ErrNotFound = errors.New("no such conversation")
