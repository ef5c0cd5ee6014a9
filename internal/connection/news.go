package connection

import (
	"context"
	"fmt"
	"time"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
)

// Note keeps what the provider says of a connection's account and number between two checks. People hear of a new warning.
func Note(ctx context.Context, tx postgres.Tx, company, connection id.ID, news channel.AccountNews, at, now time.Time) error {
	q := New(tx)
	if news.Quality != "" || news.Limit != 0 {
		err := q.noteNews(ctx, noteNewsParams{Quality: news.Quality, MessagingLimit: int32(news.Limit), Number: news.Number, CompanyID: company, ID: connection})
		if err != nil {
			return fmt.Errorf("noting the standing of a number: %w", err)
		}
	}
	if news.Alert == nil {
		return nil
	}
	n, err := q.noteAlert(ctx, *news.Alert, &at, company, connection)
	if err != nil {
		return fmt.Errorf("noting a warning of the provider: %w", err)
	}
	if n == 0 || *news.Alert == "" {
		return nil
	}
	return notice.Add(ctx, tx, company, notice.ConnectionWarned, notice.Connection(connection), 1, now)
}
