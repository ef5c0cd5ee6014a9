// Package audit keeps who changed what: one line per call that changed something, in the transaction of its change.
// Lines are added and read, never changed.
package audit

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Action is what was done, as stored: the name of an operation of the API, or one of those below.
type Action string

// What one operation decides in several ways: about messages whose outcome was unknown, about a hold after a restore.
const (
	MessageMarkedSent   Action = "message.marked_sent"
	MessageMarkedFailed Action = "message.marked_failed"
	MessageSentAgain    Action = "message.sent_again"
	RestoreReleased     Action = "restore.released" // everything goes on; about the company
	RestoreDoubted      Action = "restore.doubted"  // what was open waits for a person; about the company
)

// Platform stands in for a company where a call belongs to none.
var Platform = id.Nil

// Call is a request that may change something. It is noted once, by the first of its transactions that commits a
// change, or not at all.
type Call struct {
	Company id.ID // Platform for none
	User    id.ID
	Action  Action
	Kind    string // what it is about: contacts, campaigns …
	Address netip.Addr
	Request id.ID
	At      time.Time
	Always  bool // noted although it changes nothing, such as a download
	Often   bool // noted once in ten minutes for one person and subject, such as a draft that saves itself

	id       id.ID
	subjects []id.ID
}

const oftenWithin = 10 * time.Minute

type callKey struct{}

// Watch returns a context under which the call is noted by the transaction that carries it out.
func Watch(ctx context.Context, call *Call) context.Context {
	call.id = id.New()
	ctx = context.WithValue(ctx, callKey{}, call)
	return postgres.BeforeCommit(ctx, call.note)
}

// About names what the call of a context is about, such as a row that it adds. Call it before the transaction commits.
func About(ctx context.Context, subjects ...id.ID) {
	if call, ok := ctx.Value(callKey{}).(*Call); ok {
		call.subjects = append(call.subjects, subjects...)
	}
}

// In moves the call of a context to another company, such as the one that it enters.
func In(ctx context.Context, company id.ID) {
	if call, ok := ctx.Value(callKey{}).(*Call); ok {
		call.Company = company
	}
}

// Note says more exactly what the call of a context did, and to which rows. Outside a call, as at the command line, the
// line is written at once.
func Note(ctx context.Context, tx postgres.Tx, company, user id.ID, action Action, at time.Time, subjects ...id.ID) error {
	call, ok := ctx.Value(callKey{}).(*Call)
	if ok {
		call.Action, call.subjects = action, append(call.subjects, subjects...)
		return nil
	}
	call = &Call{Company: company, User: user, Action: action, At: at, Always: true, id: id.New(), subjects: subjects}
	return call.note(ctx, tx, company)
}

// Record notes a call by itself, outside any transaction of its own, such as a sign-in that has succeeded.
func Record(ctx context.Context, db *postgres.DB, call Call) error {
	call.Always = true
	return db.InSystem(Watch(ctx, &call), func(postgres.Tx) error { return nil })
}

// note writes the line, unless the transaction has changed nothing or is another company's.
func (c *Call) note(ctx context.Context, tx postgres.Tx, company id.ID) error {
	if company != id.Nil && company != c.Company {
		return nil
	}
	address := ""
	if c.Address.IsValid() {
		address = c.Address.String()
	}
	often := id.Nil
	if c.Often && len(c.subjects) > 0 {
		often = c.subjects[0]
	}
	n, err := New(tx).Note(ctx, NoteParams{CompanyID: c.Company, ID: c.id, UserID: c.User,
		Action: string(c.Action), At: c.At, Kind: c.Kind, Address: address, RequestID: &c.Request, Always: c.Always,
		Often: often, Lately: id.Floor(c.At.Add(-oftenWithin))})
	if err == nil && n > 0 && len(c.subjects) > 0 {
		err = New(tx).InsertSubjects(ctx, c.Company, c.subjects, c.id)
	}
	if err != nil {
		return fmt.Errorf("noting who changed this: %w", err)
	}
	return nil
}

// Decision is one entry about a subject.
type Decision struct {
	Action Action
	By     string // the person's name; empty when the company may not see it, as with a superadmin
	At     time.Time
}

// Of returns what was done to one row, the oldest first.
func Of(ctx context.Context, tx postgres.Tx, company, subject id.ID) ([]Decision, error) {
	rows, err := New(tx).Of(ctx, company, subject)
	if err != nil {
		return nil, fmt.Errorf("reading what was done: %w", err)
	}
	decisions := make([]Decision, len(rows))
	for i, r := range rows {
		decisions[i] = Decision{Action(r.Action), r.ByName, r.At}
	}
	return decisions, nil
}

// Line is one entry of the log.
type Line struct {
	ID       id.ID
	User     id.ID
	By       string // empty when the company may not see who, as with a superadmin
	Action   Action
	Kind     string
	Address  string
	Request  *id.ID
	At       time.Time
	Subject  id.ID // the first of them; Nil for none
	Subjects int
}

// Filter chooses lines. Zero fields choose nothing out but Before, which must be given.
type Filter struct {
	User   id.ID // Nil: everybody
	Action Action
	Since  time.Time
	Before id.ID // lines made before this one
}

// List returns a company's lines, the newest first; Platform's under the system role.
func List(ctx context.Context, tx postgres.Tx, company id.ID, filter Filter, limit int) ([]Line, error) {
	rows, err := New(tx).List(ctx, ListParams{CompanyID: company, Before: filter.Before, Since: id.Floor(filter.Since), UserID: filter.User, Action: string(filter.Action), RowLimit: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	lines := make([]Line, len(rows))
	for i, r := range rows {
		lines[i] = Line{ID: r.ID, User: r.UserID, By: r.ByName, Action: Action(r.Action), Kind: r.Kind, Address: r.Address, Request: r.RequestID, At: r.At,
			Subject: r.SubjectID, Subjects: int(r.Subjects)}
	}
	return lines, nil
}
