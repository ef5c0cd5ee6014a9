package send

import (
	"context"
	"fmt"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// ContactMessage is a message of a contact, with its campaign if it has one.
type ContactMessage struct {
	ListCampaignRow
	CampaignID   *id.ID
	CampaignName string
	From         *Wrote // nil: an outgoing message
}

// Wrote is where a contact wrote a message. Its words are in Content, as a channel.Said.
type Wrote struct {
	Connection     id.ID
	ConnectionName string
}

// ListContact returns up to limit messages to and from a contact that came before the message before, newest first:
// those whose connection somebody in these departments may see, or all with nil.
func ListContact(ctx context.Context, tx postgres.Tx, company, contact, before id.ID, departments []id.ID, limit int) ([]ContactMessage, error) {
	rows, err := New(tx).contactMessages(ctx, contactMessagesParams{CompanyID: company, ContactID: contact, Before: before, Departments: departments, RowLimit: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("listing a contact's messages: %w", err)
	}
	list := make([]ContactMessage, len(rows))
	for i, r := range rows {
		var from *Wrote
		if r.Inbound {
			from = &Wrote{r.ConnectionID, r.ConnectionName}
		}
		list[i] = ContactMessage{ListCampaignRow{ID: r.ID, ContactID: r.ContactID, ContactName: r.ContactName, Address: r.Address, State: r.State,
			Attempts: r.Attempts, Content: r.Content, ProviderID: r.ProviderID, ErrorCode: r.ErrorCode, ErrorDetail: r.ErrorDetail,
			ClaimedAt: r.ClaimedAt, SentAt: r.SentAt, DeliveredAt: r.DeliveredAt, ReadAt: r.ReadAt, EndedAt: r.EndedAt, RetryAt: r.RetryAt,
			TextVersion: r.TextVersion}, r.CampaignID, r.CampaignName, from}
	}
	return list, nil
}
