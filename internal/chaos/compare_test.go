package chaos

import (
	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/sandbox/world"
	"omnidesk/internal/send"
)

// row is one message as the database has it.
type row struct {
	contact  id.ID
	phone    string
	state    send.State
	provider string
	urgent   bool // outside the campaign
}

// rows are those of a campaign, and what was queued outside campaigns since it was made.
func (h *house) rows(campaignID string) map[id.ID]row {
	rows := map[id.ID]row{}
	err := h.rig.DB.InCompany(h.t.Context(), h.company, func(tx postgres.Tx) error {
		found, err := tx.Query(h.t.Context(), `SELECT m.id, m.contact_id, i.value, m.state, coalesce(m.provider_id, ''), m.campaign_id IS NULL FROM messages m
			JOIN identities i ON i.company_id = m.company_id AND i.id = m.identity_id WHERE m.company_id = $1 AND m.direction = 0
			AND (m.campaign_id = $2 OR (m.campaign_id IS NULL AND m.id > $2::uuid))`, h.company, campaignID)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var message id.ID
			var r row
			var state int16
			if err := found.Scan(&message, &r.contact, &r.phone, &state, &r.provider, &r.urgent); err != nil {
				return err
			}
			r.state = send.State(state)
			rows[message] = r
		}
		return found.Err()
	})
	require.NoError(h.t, err)
	return rows
}

// open counts the claims without a recorded outcome, and how often rows of the campaign were claimed so far.
func (h *house) open(campaignID string) (open, attempts int) {
	require.Eventually(h.t, func() bool { // the first statement after PostgreSQL's death may meet a dead connection
		return h.rig.DB.InCompany(h.t.Context(), h.company, func(tx postgres.Tx) error {
			return tx.QueryRow(h.t.Context(), `SELECT count(*) FILTER (WHERE state = $3), coalesce(sum(attempts), 0) FROM messages WHERE company_id = $1 AND campaign_id = $2`,
				h.company, campaignID, int16(send.Sending)).Scan(&open, &attempts)
		}) == nil
	}, deadline, poll)
	return open, attempts
}

// figures of one comparison.
type figures struct {
	messages, accepted, duplicated, uncertain, uncertainAccepted int
	urgent                                                       int // of the messages
	lost                                                         int // neither accepted nor in a state that says so
	falseStatus                                                  int // called sent and not accepted, or failed and accepted
	stranded                                                     int // neither at an end nor uncertain
}

// compare holds a finished campaign against the sandbox's ledger. Whoever the sandbox has not accepted must be
// uncertain and listed; nobody is in it twice.
func (h *house) compare(campaignID string, since int64) figures {
	t := h.t
	t.Helper()
	rows, lines := h.rows(campaignID), h.ledger(since)
	f := figures{messages: len(rows), accepted: len(lines)}
	byMessage, byPhone := map[id.ID]world.Entry{}, map[string]int{}
	for _, line := range lines {
		message, err := id.Parse(line.ID)
		require.NoError(t, err)
		require.Contains(t, rows, message, "the sandbox accepted a message that the campaign does not have")
		require.Equal(t, rows[message].phone, "+"+line.To)
		if _, again := byMessage[message]; again {
			f.duplicated++
			continue
		}
		byMessage[message] = line
		if rows[message].urgent { // whom the campaign reaches, too
			continue
		}
		if byPhone[line.To]++; byPhone[line.To] > 1 {
			f.duplicated++
		}
	}
	contacts := map[id.ID]bool{}
	uncertain, outside := map[id.ID]bool{}, h.uncertainOutside()
	for message, r := range rows {
		if r.urgent {
			f.urgent++
		} else {
			contacts[r.contact] = true
		}
		line, accepted := byMessage[message]
		switch r.state {
		case send.Sent, send.Delivered, send.Read:
			if !accepted {
				f.falseStatus++
				continue
			}
			require.Equal(t, line.ProviderID, r.provider, "message %s", message)
		case send.Uncertain:
			if r.urgent {
				require.True(t, outside[message], "an uncertain message outside campaigns is listed")
			} else {
				uncertain[message] = true
			}
			f.uncertain++
			if accepted {
				f.uncertainAccepted++
			}
		case send.Failed:
			if accepted {
				f.falseStatus++
			}
		case send.Queued, send.Sending:
			f.stranded++
		default:
			f.lost++
		}
	}
	require.Len(t, contacts, len(rows)-f.urgent, "every recipient has one message")
	require.Zero(t, f.duplicated, "a recipient got two")
	require.Zero(t, f.lost, "a message ended without a reason")
	require.Zero(t, f.falseStatus, "a message counts as sent that the sandbox never accepted, or as failed that it has")
	require.Zero(t, f.stranded, "a message is neither at its end nor uncertain")
	require.Equal(t, uncertain, h.listed(campaignID, "uncertain"), "what is uncertain is listed")
	return f
}
