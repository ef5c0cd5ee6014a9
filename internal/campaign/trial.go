package campaign

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Render returns what one contact would get of a draft on a connection, or a ProblemsError.
func Render(ctx context.Context, tx postgres.Tx, company id.ID, fields Fields, contact id.ID) (channel.Content, error) {
	state, err := readTemplate(ctx, tx, company, fields)
	if err != nil {
		return channel.Content{}, err
	}
	found := fields.Content.problems()
	if len(found) == 0 {
		found = templateProblems(fields.Content, state)
	}
	if len(found) > 0 {
		return channel.Content{}, &ProblemsError{found}
	}
	row, err := New(tx).PersonOf(ctx, company, contact)
	if errors.Is(err, pgx.ErrNoRows) {
		return channel.Content{}, ErrContact
	}
	if err != nil {
		return channel.Content{}, fmt.Errorf("reading a contact: %w", err)
	}
	return fields.Content.Renderer().Render(Person{Name: row.Name, Phone: row.Phone, Zone: row.Zone, Attributes: row.Attributes}), nil
}
