package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"omnidesk/internal/account"
	"omnidesk/internal/campaign"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/platform"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/send"
	"omnidesk/internal/wake"
)

// heard is what was logged, in full.
type heard struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all.String()
}

// listenToLog keeps what the workers of a test log, without the redaction that a program adds.
func listenToLog(t *testing.T) *heard {
	h, before := &heard{}, slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(h, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	return h
}

func (s *stage) inSystem(t *testing.T, do func(postgres.Tx) error) {
	t.Helper()
	require.NoError(t, s.db.InSystem(context.Background(), do))
}

// letters are the mails to one address.
func (s *stage) letters(t *testing.T, to string) (texts []string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.Sandbox+"/sandbox/mails", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var list []struct{ To, Text string }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&list))
	for _, one := range list {
		if one.To == to {
			texts = append(texts, one.Text)
		}
	}
	return texts
}

// Drained, no worker claims anything, a new one neither, and what was on the wire comes to its end. Resumed, it goes on
// where it was.
func (s *stage) drained(t *testing.T) {
	k := s.newShop(t, 400)
	k.slow(40 * time.Millisecond)
	c := k.launch(nil)
	k.awaitTaken(50)
	s.inSystem(t, func(tx postgres.Tx) error { return platform.Drain(context.Background(), tx, id.Nil) })
	eventually(t, "nothing is in flight", func() bool {
		flights, err := platform.Flights(context.Background(), s.db, time.Now())
		require.NoError(t, err)
		return len(flights) == 0
	})
	before := len(k.taken())
	require.Less(t, before, 400)
	s.startWorker(t) // as after an upgrade
	message := k.reply(7)
	k.awaitLive(flow.Campaign(c), func(l flow.Live) bool { return strings.Contains(l.Reason, "drained for an upgrade") })
	eventually(t, "the sender has looked at the reply", func() bool {
		var waiting int
		require.NoError(t, pgtest.Owner(t, s.db).QueryRow(context.Background(), `SELECT count(*) FROM wakes WHERE subject_id = $1`, k.connection).Scan(&waiting))
		_, _, err := k.flow.Live(context.Background(), flow.Sender(k.connection))
		return waiting == 0 && errors.Is(err, flow.ErrNotRunning)
	})
	require.Len(t, k.taken(), before, "nothing is claimed")
	require.False(t, k.has(message), "not even what is urgent")
	require.ErrorIs(t, s.db.InSystem(context.Background(), func(tx postgres.Tx) error { return platform.Drain(context.Background(), tx, id.Nil) }), platform.ErrDrained)

	s.inSystem(t, func(tx postgres.Tx) error { return platform.Resume(context.Background(), tx, id.Nil) })
	s.relay.Hint()
	eventually(t, "the reply goes out", func() bool { return k.has(message) })
	k.awaitState(c, campaign.Finished)
	var counts map[id.ID]send.Counts
	k.tx(func(tx postgres.Tx) (err error) {
		counts, err = send.CountsOf(context.Background(), tx, k.company, c)
		return err
	})
	require.Equal(t, send.Counts{Sent: 400}, counts[c])
	require.Len(t, k.taken(), 401, "nothing is lost, nothing is sent twice")
}

func (k *shop) admin(email string) (user id.ID) {
	user = id.New()
	_, err := pgtest.Owner(k.T, k.db).Exec(k.Context(), `INSERT INTO users (id, company_id, email, name, role, password_hash) VALUES ($1, $2, $3, 'Zebedeu', 'admin', '')`, user, k.company, email)
	require.NoError(k, err)
	return user
}

func (s *stage) invited(t *testing.T) {
	k := s.newShop(t, 1)
	k.tx(func(tx postgres.Tx) error {
		_, err := account.Invite(t.Context(), tx, k.company, k.admin("boss@example.com"), "new@example.com", account.Admin, "http://localhost", time.Hour, time.Now())
		return err
	})
	s.relay.Hint()
	eventually(t, "the mail arrives", func() bool { return len(s.letters(t, "new@example.com")) == 1 })
	var target flow.Target
	eventually(t, "its workflow is known", func() bool {
		found, err := k.temporal.ListWorkflow(context.Background(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: k.Namespace,
			Query: "WorkflowType = 'mail' AND CompanyId = '" + k.company.String() + "'"})
		require.NoError(t, err)
		if len(found.GetExecutions()) == 0 {
			return false
		}
		mail, err := id.Parse(strings.TrimPrefix(found.GetExecutions()[0].GetExecution().GetWorkflowId(), "mail/"))
		require.NoError(t, err)
		target = flow.Mail(mail)
		return true
	})
	k.awaitEnd(target)
	k.examine(target, "", "mail", 20)
}

func (s *stage) told(t *testing.T) {
	k := s.newShop(t, 5)
	user := k.admin("teller@example.com")
	s.inSystem(t, func(tx postgres.Tx) error { return platform.SetPublicURL(t.Context(), tx, "https://desk.example.com") })
	k.tx(func(tx postgres.Tx) error {
		return notice.PutSwitches(t.Context(), tx, k.company, user, []notice.Switch{{Kind: notice.CampaignFinished, Bell: true, Mail: true}}, time.Now().Add(-time.Minute))
	})
	c := k.launch(nil)
	k.awaitState(c, campaign.Finished)
	k.awaitLive(flow.Digest(user), func(l flow.Live) bool { return l.State == "gathering" })
	require.Empty(t, s.letters(t, "teller@example.com"))
	_, err := pgtest.Owner(t, s.db).Exec(t.Context(), `UPDATE notices SET at = at - interval '40 seconds' WHERE company_id = $1`, k.company) // as if they had passed
	require.NoError(t, err)
	k.tx(func(tx postgres.Tx) error { return wake.Append(t.Context(), tx, k.company, flow.Digest(user), false) })
	s.relay.Hint()
	k.awaitEnd(flow.Digest(user))
	letters := s.letters(t, "teller@example.com")
	require.Len(t, letters, 1)
	require.Contains(t, letters[0], "https://desk.example.com/campaigns/"+c.String())
	require.Contains(t, letters[0], "Campanha")
	k.examine(flow.Digest(user), "", "digest", 40)
}
