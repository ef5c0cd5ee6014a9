package notice

import (
	"context"
	"fmt"
	"slices"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Switch tells how a person hears of a kind.
type Switch struct {
	Kind       Kind
	Bell, Mail bool
}

func (s Switch) bell() bool { return s.Bell }
func (s Switch) mail() bool { return s.Mail }

// Switches returns a person's switches, one of each kind that they may hear of, in the order of Kinds.
func Switches(ctx context.Context, tx postgres.Tx, company id.ID, reader Reader) ([]Switch, error) {
	rows, err := New(tx).switches(ctx, company, reader.User)
	if err != nil {
		return nil, fmt.Errorf("reading switches of notices: %w", err)
	}
	switches := make([]Switch, len(reader.kinds()))
	for i, kind := range reader.kinds() {
		switches[i] = Switch{Kind: kind, Bell: true, Mail: reader.mailed(kind)}
		if at := slices.IndexFunc(rows, func(r switchesRow) bool { return r.Kind == string(kind) }); at >= 0 {
			switches[i].Bell, switches[i].Mail = rows[at].Bell, rows[at].Mail
		}
	}
	return switches, nil
}

// PutSwitches changes some of a person's switches. What happened before is not mailed any more.
func PutSwitches(ctx context.Context, tx postgres.Tx, company, user id.ID, switches []Switch, now time.Time) error {
	q := New(tx)
	for _, s := range switches {
		if err := q.putSwitch(ctx, putSwitchParams{CompanyID: company, UserID: user, Kind: string(s.Kind), Bell: s.Bell, Mail: s.Mail}); err != nil {
			return fmt.Errorf("switching notices: %w", err)
		}
	}
	if err := q.mailedThrough(ctx, company, user, id.Floor(now), nil); err != nil {
		return fmt.Errorf("switching notices: %w", err)
	}
	return nil
}

// shown are the kinds that a person has switched on for one of the ways.
func shown(ctx context.Context, tx postgres.Tx, company id.ID, reader Reader, way func(Switch) bool) ([]string, error) {
	switches, err := Switches(ctx, tx, company, reader)
	kinds := []string{}
	for _, s := range switches {
		if way(s) {
			kinds = append(kinds, string(s.Kind))
		}
	}
	return kinds, err
}
