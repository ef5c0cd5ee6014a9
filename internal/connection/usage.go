package connection

import (
	"context"
	"fmt"
	"strings"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// mostUsers bounds how many campaigns a refusal names.
const mostUsers = 50

// Usage is the work that is open on a connection.
type Usage struct {
	Queued, Sending, Uncertain int // messages
	Campaigns                  []User
}

// User is a campaign that is not at its end.
type User struct {
	ID          id.ID
	Name, State string
}

// Open tells whether there is any.
func (u Usage) Open() bool { return u.Queued+u.Sending+u.Uncertain+len(u.Campaigns) > 0 }

// String says what is open: "2 campaigns, 120 queued messages and 1 uncertain message".
func (u Usage) String() string {
	var parts []string
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{len(u.Campaigns), "campaign", "campaigns"}, {u.Queued, "queued message", "queued messages"},
		{u.Sending, "message being sent", "messages being sent"}, {u.Uncertain, "uncertain message", "uncertain messages"},
	} {
		switch part.n {
		case 0:
		case 1:
			parts = append(parts, "1 "+part.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.many))
		}
	}
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

// InUseError refuses a delete.
type InUseError struct{ Usage Usage }

func (e *InUseError) Error() string {
	return "the connection is in use: " + e.Usage.String() + ". Let them finish or cancel the campaigns, then delete it; to stop sending at once, disable it"
}

// UsageOf returns the work that is open on a connection.
func UsageOf(ctx context.Context, tx postgres.Tx, company, connection id.ID) (Usage, error) {
	q := New(tx)
	counts, err := q.openMessages(ctx, company, connection)
	if err != nil {
		return Usage{}, fmt.Errorf("counting a connection's open messages: %w", err)
	}
	usage := Usage{Queued: int(counts.Queued), Sending: int(counts.Sending), Uncertain: int(counts.Uncertain)}
	rows, err := q.openCampaigns(ctx, company, connection, mostUsers)
	if err != nil {
		return Usage{}, fmt.Errorf("listing a connection's open campaigns: %w", err)
	}
	for _, row := range rows {
		usage.Campaigns = append(usage.Campaigns, User(row))
	}
	return usage, nil
}

// Delete takes a connection away: its secrets are wiped, its webhooks lead nowhere, its number is free. Its row
// stays, because campaigns and messages name it. An *InUseError refuses it while work is open. The caller has
// locked the connection's scope, so that no claim is under way, and closes it.
func (s *Store) Delete(ctx context.Context, tx postgres.Tx, company, connection id.ID, now time.Time) error {
	q := New(tx)
	if _, err := q.lockConnection(ctx, company, connection); err != nil { // a campaign's start waits here, or has committed
		return notFound("reading a connection", err)
	}
	usage, err := UsageOf(ctx, tx, company, connection)
	if err != nil {
		return err
	}
	if usage.Open() {
		return &InUseError{usage}
	}
	if _, err := q.bury(ctx, &now, company, connection); err != nil {
		return fmt.Errorf("deleting a connection: %w", err)
	}
	if err := q.deleteRoute(ctx, company, connection); err != nil {
		return fmt.Errorf("deleting a webhook route: %w", err)
	}
	return nil
}
