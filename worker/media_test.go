package worker_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"

	"omnidesk/internal/channel"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/media"
	"omnidesk/internal/postgres"
	"omnidesk/internal/sandbox/world"
	"omnidesk/internal/send"
)

// moved sends a file of ours and fetches one of a contact's, while the provider fails at first.
func (s *stage) moved(t *testing.T) {
	k := s.newShop(t, 2)
	store, done, err := s.media()
	require.NoError(t, err)
	defer done()
	k.control(t, http.MethodPut, "/sandbox/numbers/"+k.number, map[string]string{})
	k.faults(t, world.Fault{Match: world.Match{NumberID: k.number, To: "media"}, HTTPStatus: http.StatusBadGateway, Times: 1})
	content := "%PDF-1.7 Segredo " + strings.Repeat("x", 1<<20)
	file, err := store.Keep(t.Context(), s.db, k.company, strings.NewReader(content))
	require.NoError(t, err)
	message := k.sendFile(0, file)
	eventually(t, "the file and then its message have gone out", func() bool { return k.has(message) })

	var providerID string
	k.tx(func(tx postgres.Tx) error {
		return tx.QueryRow(context.Background(), "SELECT provider_id FROM media_transfers WHERE company_id = $1 AND message_id = $2 AND state = 'done'", k.company, message).Scan(&providerID)
	})
	answer := id.New() // a contact sends the same file back, and one that the provider does not have
	gone := id.New()
	k.tx(func(tx postgres.Tx) error {
		return media.Expect(context.Background(), tx, k.company, k.connection, []media.Expected{{Message: answer, ProviderID: providerID}, {Message: gone, ProviderID: "999"}}, time.Now())
	})
	k.relay.Hint()
	var found map[id.ID]media.Attachment
	eventually(t, "both have come to their end", func() bool {
		k.tx(func(tx postgres.Tx) (err error) {
			found, err = media.Attachments(context.Background(), tx, k.company, []id.ID{answer, gone})
			return err
		})
		return found[answer].State != "pending" && found[gone].State != "pending"
	})
	require.Equal(t, file.ID, found[answer].File.ID, "it is kept once")
	require.Equal(t, "failed", found[gone].State)
	require.Contains(t, found[gone].Detail, "no longer")
	k.awaitEnd(flow.Media(k.connection))
	h := k.examine(flow.Media(k.connection), k.runs(flow.Media(k.connection))[0], "media", 100)
	require.Positive(t, count(h, enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED))
}

// sendFile queues a message with a file, as an agent's answer would be.
func (k *shop) sendFile(nth int, file media.File) (message id.ID) {
	k.Helper()
	k.tx(func(tx postgres.Tx) error {
		ctx := context.Background()
		to := send.Single{Connection: k.connection, Lane: send.LaneReply, Content: channel.Content{File: &channel.File{Kind: channel.SaidDocument, Media: file.ID, Type: file.Type, Size: file.Size, Name: "segredo.pdf"}}}
		err := tx.QueryRow(ctx, `SELECT contact_id, id FROM identities WHERE company_id = $1 ORDER BY value OFFSET $2 LIMIT 1`, k.company, nth).Scan(&to.Contact, &to.Identity)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO service_windows (company_id, connection_id, contact_id, open_until) VALUES ($1, $2, $3, now() + interval '1 day')`, k.company, k.connection, to.Contact); err != nil {
			return err
		}
		queued, err := send.Queue(ctx, tx, k.company, []send.Single{to})
		if err != nil {
			return err
		}
		message = queued[0]
		if err := send.HoldBack(ctx, tx, k.company, message, time.Now().Add(time.Hour)); err != nil {
			return err
		}
		return media.HandOver(ctx, tx, k.company, k.connection, message, file.ID, time.Now())
	})
	k.control(k.T, http.MethodPost, "/sandbox/phones/"+fmt.Sprintf("5511977%06d", nth+1)+"/reply", map[string]string{"number_id": k.number, "text": "Hi"})
	k.relay.Hint()
	return message
}
