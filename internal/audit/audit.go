// Package audit keeps who decided what by hand. Rows are added and read, never changed.
package audit

import (
	"context"
	"fmt"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Action is what was decided, as stored: noun and verb in the past tense.
type Action string

// The actions.
const (
	MessageMarkedSent   Action = "message.marked_sent"
	MessageMarkedFailed Action = "message.marked_failed"
	MessageSentAgain    Action = "message.sent_again"
	RestoreReleased     Action = "restore.released" // everything goes on; about the company
	RestoreDoubted      Action = "restore.doubted"  // what was open waits for a person; about the company
	MessageTested       Action = "message.tested"
	CampaignStarted     Action = "campaign.started"
	CampaignPaused      Action = "campaign.paused"
	CampaignResumed     Action = "campaign.resumed"
	CampaignCanceled    Action = "campaign.canceled"
	ConnectionResumed   Action = "connection.resumed"
)

// Decision is one entry about a subject.
type Decision struct {
	Action Action
	By     string // the person's name; empty when the company may not see it, as with a superadmin
	At     time.Time
}

// Note adds one decision of a person about one or more rows, in the transaction that carries it out.
func Note(ctx context.Context, tx postgres.Tx, company, user id.ID, action Action, at time.Time, subjects ...id.ID) error {
	entry := id.New()
	if err := New(tx).Insert(ctx, InsertParams{CompanyID: company, ID: entry, UserID: user, Action: string(action), At: at}); err != nil {
		return fmt.Errorf("noting a decision: %w", err)
	}
	if err := New(tx).InsertSubjects(ctx, company, subjects, entry); err != nil {
		return fmt.Errorf("noting what a decision was about: %w", err)
	}
	return nil
}

// About returns the decisions about one row, the oldest first.
func About(ctx context.Context, tx postgres.Tx, company, subject id.ID) ([]Decision, error) {
	rows, err := New(tx).About(ctx, company, subject)
	if err != nil {
		return nil, fmt.Errorf("reading decisions: %w", err)
	}
	decisions := make([]Decision, len(rows))
	for i, r := range rows {
		decisions[i] = Decision{Action(r.Action), r.ByName, r.At}
	}
	return decisions, nil
}
