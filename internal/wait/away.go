package wait

import (
	"context"
	"fmt"
	"time"

	"omnidesk/internal/postgres"
)

// Part is something that all sending needs.
type Part string

// The parts.
const (
	Temporal Part = "temporal"
	Workers  Part = "workers"
	Drained  Part = "drained" // by a person; not in absences but in drains
)

// Words say what its absence means, in the present tense.
func (p Part) Words() string {
	switch p {
	case Temporal:
		return "OmniDesk's workflow engine can't be reached. Nothing is lost: sending goes on by itself when it is back."
	case Drained:
		return "OmniDesk is drained for an upgrade. Nothing is lost: sending goes on when its operator resumes it."
	case Workers:
		return "No worker of OmniDesk is at work: none runs, or none reaches the workflow engine. Nothing is lost: sending goes on by itself when one is back."
	}
	return ""
}

// Past says it in a message's story.
func (p Part) Past() string {
	switch p {
	case Temporal:
		return "OmniDesk's workflow engine could not be reached."
	case Drained:
		return "OmniDesk was drained for an upgrade."
	}
	return "No worker of OmniDesk was at work."
}

// Away notes under the system role that a part has been away since an instant. Several processes may say so.
func Away(ctx context.Context, tx postgres.Tx, part Part, since time.Time) error {
	if err := New(tx).Away(ctx, string(part), since); err != nil {
		return fmt.Errorf("noting that a part is away: %w", err)
	}
	return nil
}

// Back notes under the system role that it is there, and tells whether it was away.
func Back(ctx context.Context, tx postgres.Tx, part Part, now time.Time) (was bool, err error) {
	n, err := New(tx).Back(ctx, now, string(part))
	if err != nil {
		return false, fmt.Errorf("noting that a part is back: %w", err)
	}
	return n > 0, nil
}

// Missing returns the parts that are away, with since when.
func Missing(ctx context.Context, tx postgres.Tx) (map[Part]time.Time, error) {
	rows, err := New(tx).Missing(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking what is away: %w", err)
	}
	missing := make(map[Part]time.Time, len(rows))
	for _, r := range rows {
		missing[Part(r.Part)] = r.BeganAt
	}
	return missing, nil
}
