package send

import (
	"context"
	"fmt"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Reply is a message that a contact wrote.
type Reply struct {
	ID, Contact id.ID
	At          time.Time
}

// NoteReplies counts what contacts have just written to a connection, all together and by campaign: a recipient has
// replied when they write on the campaign's connection within 72 hours after their message was sent. Each counts once,
// for the newest such message.
func NoteReplies(ctx context.Context, tx postgres.Tx, company, connection id.ID, replies []Reply, now time.Time) error {
	if len(replies) == 0 {
		return nil
	}
	in := noteRepliesParams{CompanyID: company, ConnectionID: &connection}
	for _, r := range replies {
		in.Ids, in.Contacts, in.Instants = append(in.Ids, r.ID), append(in.Contacts, r.Contact), append(in.Instants, r.At)
	}
	if err := New(tx).noteReplies(ctx, in); err != nil {
		return fmt.Errorf("noting which recipients replied: %w", err)
	}
	return CountReplies(ctx, tx, company, connection, len(replies), now)
}

// ListReplied returns up to limit messages after an id whose recipients have replied, as ListCampaign does.
func ListReplied(ctx context.Context, tx postgres.Tx, company, campaign, after id.ID, states []State, limit int) ([]ListCampaignRow, error) {
	rows, err := New(tx).ListReplied(ctx, ListRepliedParams{CompanyID: company, CampaignID: campaign, AfterID: after, States: numbersOf(states), RowLimit: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("listing messages that were replied to: %w", err)
	}
	list := make([]ListCampaignRow, len(rows))
	for i, r := range rows {
		list[i] = ListCampaignRow(r)
	}
	return list, nil
}
