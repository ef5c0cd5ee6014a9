package send

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Get returns one message, if somebody in these departments may see its connection; nil departments see all. Errors:
// ErrNotFound.
func Get(ctx context.Context, tx postgres.Tx, company, message id.ID, departments []id.ID) (GetMessageRow, error) {
	row, err := New(tx).GetMessage(ctx, company, message, departments)
	if errors.Is(err, pgx.ErrNoRows) {
		return row, ErrNotFound
	}
	if err != nil {
		return row, fmt.Errorf("reading a message: %w", err)
	}
	return row, nil
}

// Listed is the part of a message that lists show.
func (r GetMessageRow) Listed() ListCampaignRow {
	return ListCampaignRow{ID: r.ID, ContactID: r.ContactID, ContactName: r.ContactName, Address: r.Address, State: r.State, Attempts: r.Attempts,
		Content: r.Content, ProviderID: r.ProviderID, ErrorCode: r.ErrorCode, ErrorDetail: r.ErrorDetail, ClaimedAt: r.ClaimedAt, SentAt: r.SentAt,
		DeliveredAt: r.DeliveredAt, ReadAt: r.ReadAt, EndedAt: r.EndedAt, RetryAt: r.RetryAt, TextVersion: r.TextVersion}
}

// Detail is the message itself.
func (r ListUncertainRow) Detail() GetMessageRow {
	return GetMessageRow{ID: r.ID, ContactID: r.ContactID, ContactName: r.ContactName, Address: r.Address, State: r.State, Attempts: r.Attempts,
		Content: r.Content, ProviderID: r.ProviderID, ErrorCode: r.ErrorCode, ErrorDetail: r.ErrorDetail, ClaimedAt: r.ClaimedAt, SentAt: r.SentAt,
		DeliveredAt: r.DeliveredAt, ReadAt: r.ReadAt, EndedAt: r.EndedAt, RetryAt: r.RetryAt, TextVersion: r.TextVersion, ConnectionID: r.ConnectionID,
		CampaignID: r.CampaignID, Lane: r.Lane, Supersedes: r.Supersedes, SupersededBy: r.SupersededBy}
}
