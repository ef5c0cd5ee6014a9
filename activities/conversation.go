package activities

import (
	"context"
	"time"

	"omnidesk/internal/conversation"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Conversations brings snoozed conversations back.
type Conversations struct {
	DB      *postgres.DB
	Changed func(company, conversation id.ID) // tells browsers
}

// LookAtConversation says whether a conversation sleeps until an instant. It only reads.
func (a *Conversations) LookAtConversation(ctx context.Context, ref flow.Ref) (look flow.Look, err error) {
	now := time.Now()
	err = a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		until, err := conversation.AsleepUntil(ctx, tx, ref.Company, ref.Subject)
		switch {
		case until == nil:
			look = flow.Look{Step: flow.StepEnd, State: "awake", Reason: "it does not sleep"}
		case until.After(now):
			look = flow.Look{Step: flow.StepWait, State: "snoozed", Until: *until, Reason: "somebody put it away until then"}
		default:
			look = flow.Look{Step: flow.StepRouse, State: "snoozed", Reason: "its time has come"}
		}
		return err
	})
	return look, err
}

// RouseConversation opens a conversation whose time has come; any other stays as it is.
func (a *Conversations) RouseConversation(ctx context.Context, ref flow.Ref) (err error) {
	var roused bool
	err = a.DB.InCompany(ctx, ref.Company, func(tx postgres.Tx) error {
		roused, err = conversation.Rouse(ctx, tx, ref.Company, ref.Subject, time.Now())
		return err
	})
	if roused && err == nil {
		a.Changed(ref.Company, ref.Subject)
	}
	return err
}
