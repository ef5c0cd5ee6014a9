package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// ErrNoDemo says that a company is no demo company, which alone can be removed.
var ErrNoDemo = errors.New("this is no demo company")

// ErrDemoRemoved says that there was a demo company, and that somebody has removed it.
var ErrDemoRemoved = errors.New("the demo company was removed")

const (
	demoMark       = "demo company"
	mostPerRemoval = 2_000 // rows of each table in one transaction
)

// CreateDemo adds the demo company, or answers ErrDemoRemoved: an installation has one at most once. It runs under
// the system role.
func CreateDemo(ctx context.Context, tx postgres.Tx, name, zone string) (Company, error) {
	n, err := New(tx).markOnce(ctx, demoMark)
	if err != nil {
		return Company{}, fmt.Errorf("noting the demo company: %w", err)
	}
	if n == 0 {
		return Company{}, ErrDemoRemoved
	}
	return CreateCompany(ctx, tx, name, zone, true)
}

// RemoveDemo deletes the demo company that the caller is in, with all that it has, and opens a session in what comes
// next: a superadmin is in no company then, anybody else in an empty one of their own. What it has deleted when it
// fails stays deleted; the caller is still in the demo then and may try again. Nothing of it may be on its way to be
// sent: its campaigns are canceled before.
func (l *Logins) RemoveDemo(ctx context.Context, who Principal, agent string) (token string, next Principal, err error) {
	if who.Company == nil || !who.Company.Demo {
		return "", Principal{}, ErrNoDemo
	}
	demo := who.Company.ID
	for deleted := int64(1); deleted > 0; {
		err := l.db.InSystem(ctx, func(tx postgres.Tx) (err error) {
			q := New(tx)
			if _, err := q.markOnce(ctx, demoMark); err != nil { // of a demo made by an older program
				return err
			}
			deleted, err = q.deleteDemoRows(ctx, demo, mostPerRemoval)
			return err
		})
		if err != nil {
			return "", Principal{}, fmt.Errorf("deleting what the demo company has: %w", err)
		}
	}
	if who.User.Role == Superadmin {
		return l.open(ctx, opening{who.User.ID, who.User.Role, nil, agent, who.Network}, func(q *Queries, _ time.Time) error { return q.dropDemoCompany(ctx, demo, nil, id.Nil) })
	}
	fresh := id.New()
	return l.open(ctx, opening{who.User.ID, who.User.Role, &fresh, agent, who.Network}, func(q *Queries, _ time.Time) error {
		if err := q.insertCompany(ctx, fresh, "My company", who.Company.Zone, false); err != nil {
			return err
		}
		return q.dropDemoCompany(ctx, demo, &who.User.ID, fresh)
	})
}
