package conversation

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wake"
)

// image is what an undo of a merge needs of one conversation of the loser.
type image struct {
	ID, Connection id.ID
	Into           *id.ID          // the winner's on the same connection, with which it became one; nil: it changed hands
	Row            json.RawMessage // of one that became one with another
	Labels, Notes  []id.ID
}

// Merge gives the conversations of one contact to another; two on the same connection become one: open if one is, the
// more urgent priority, the labels of both, the winner's assignee and department if it has any. It returns what an undo
// needs and which conversations look different, and tells workflows of those that are no more.
func Merge(ctx context.Context, tx postgres.Tx, company, from, to id.ID) (json.RawMessage, []id.ID, error) {
	rows, err := tx.Query(ctx, `SELECT v.id, v.connection_id, w.id, to_jsonb(v),
			ARRAY(SELECT l.label_id FROM conversation_labels l WHERE l.company_id = v.company_id AND l.conversation_id = v.id),
			ARRAY(SELECT o.id FROM conversation_notes o WHERE o.company_id = v.company_id AND o.conversation_id = v.id)
		FROM conversations v LEFT JOIN conversations w ON w.company_id = v.company_id AND w.connection_id = v.connection_id AND w.contact_id = $3
		WHERE v.company_id = $1 AND v.contact_id = $2 ORDER BY v.connection_id FOR UPDATE OF v`, company, from, to)
	if err != nil {
		return nil, nil, fmt.Errorf("reading conversations to merge: %w", err)
	}
	images, err := pgx.CollectRows(rows, pgx.RowToStructByPos[image])
	if err != nil {
		return nil, nil, fmt.Errorf("reading conversations to merge: %w", err)
	}
	var changed []id.ID
	for _, one := range images {
		if err := one.merge(ctx, tx, company, to); err != nil {
			return nil, nil, fmt.Errorf("merging conversations: %w", err)
		}
		changed = append(changed, one.ID)
		if one.Into != nil {
			changed = append(changed, *one.Into)
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE message_changes SET contact_id = $3 WHERE company_id = $1 AND contact_id = $2`, company, from, to); err != nil {
		return nil, nil, fmt.Errorf("merging changes of messages: %w", err)
	}
	before, err := json.Marshal(images)
	return before, changed, err
}

func (one image) merge(ctx context.Context, tx postgres.Tx, company, to id.ID) error {
	if one.Into == nil {
		return run(ctx, tx, `UPDATE conversations SET contact_id = $3, version = version + 1 WHERE company_id = $1 AND id = $2`, company, one.ID, to)
	}
	for _, sql := range []string{
		`UPDATE conversations w SET last_id = greatest(w.last_id, v.last_id), last_inbound_id = greatest(w.last_inbound_id, v.last_inbound_id), unread = w.unread + v.unread,
			state = CASE WHEN 'open' IN (w.state, v.state) THEN 'open' WHEN 'snoozed' IN (w.state, v.state) THEN 'snoozed' ELSE 'closed' END,
			snoozed_until = CASE WHEN w.state = 'snoozed' AND v.state <> 'open' THEN w.snoozed_until WHEN v.state = 'snoozed' AND w.state <> 'open' THEN v.snoozed_until END,
			reopened_at = greatest(w.reopened_at, v.reopened_at), assignee_id = coalesce(w.assignee_id, CASE WHEN w.department_id IS NOT DISTINCT FROM v.department_id THEN v.assignee_id END),
			priority = greatest(w.priority, v.priority), version = w.version + 1
			FROM conversations v WHERE w.company_id = $1 AND w.id = $3 AND v.company_id = $1 AND v.id = $2`,
		`INSERT INTO conversation_labels (company_id, conversation_id, label_id) SELECT $1, $3, label_id FROM conversation_labels WHERE company_id = $1 AND conversation_id = $2 ON CONFLICT DO NOTHING`,
		`UPDATE conversation_notes SET conversation_id = $3 WHERE company_id = $1 AND conversation_id = $2`,
	} {
		if err := run(ctx, tx, sql, company, one.ID, *one.Into); err != nil {
			return err
		}
	}
	if err := run(ctx, tx, `DELETE FROM conversations WHERE company_id = $1 AND id = $2`, company, one.ID); err != nil {
		return err
	}
	for _, told := range []id.ID{one.ID, *one.Into} {
		if err := wake.Append(ctx, tx, company, flow.Conversation(told), false); err != nil {
			return err
		}
	}
	return nil
}

// Unmerge gives the conversations of the loser back, after its messages were: those that changed hands, those that
// became one with another, and, for both, one for each connection on which either has written since. Notes written since stay with
// the winner. It returns which conversations look different.
func Unmerge(ctx context.Context, tx postgres.Tx, company, winner, loser id.ID, before json.RawMessage) ([]id.ID, error) {
	var images []image
	if err := json.Unmarshal(before, &images); err != nil {
		return nil, fmt.Errorf("reading merged conversations: %w", err)
	}
	for _, one := range images {
		if err := one.unmerge(ctx, tx, company, winner, loser); err != nil {
			return nil, fmt.Errorf("parting conversations: %w", err)
		}
	}
	for _, sql := range []string{
		// What was begun since on a connection where only the loser has messages is the loser's.
		`UPDATE conversations v SET contact_id = $3 WHERE v.company_id = $1 AND v.contact_id = $2
			AND NOT EXISTS (SELECT FROM conversations o WHERE o.company_id = $1 AND o.connection_id = v.connection_id AND o.contact_id = $3)
			AND NOT EXISTS (SELECT FROM contact_messages x JOIN messages m ON m.company_id = $1 AND m.id = x.message_id AND m.connection_id = v.connection_id WHERE x.company_id = $1 AND x.contact_id = $2)
			AND EXISTS (SELECT FROM contact_messages x JOIN messages m ON m.company_id = $1 AND m.id = x.message_id AND m.connection_id = v.connection_id WHERE x.company_id = $1 AND x.contact_id = $3)`,
		`INSERT INTO conversations (company_id, id, connection_id, contact_id, last_id)
			SELECT $1, gen_random_uuid(), m.connection_id, x.contact_id, max(m.id::text)::uuid FROM contact_messages x JOIN messages m ON m.company_id = $1 AND m.id = x.message_id AND m.campaign_id IS NULL
			WHERE x.company_id = $1 AND x.contact_id IN ($2, $3) GROUP BY m.connection_id, x.contact_id ON CONFLICT (company_id, connection_id, contact_id) DO NOTHING`,
		// The newest message of each is looked for anew.
		`UPDATE conversations v SET last_id = s.last, last_inbound_id = s.inbound, version = v.version + 1 FROM (
				SELECT x.contact_id, m.connection_id, max(m.id::text)::uuid AS last, max(m.id::text) FILTER (WHERE m.direction = 1)::uuid AS inbound
				FROM contact_messages x JOIN messages m ON m.company_id = $1 AND m.id = x.message_id AND m.campaign_id IS NULL
				WHERE x.company_id = $1 AND x.contact_id IN ($2, $3) GROUP BY 1, 2
			) s WHERE v.company_id = $1 AND v.contact_id = s.contact_id AND v.connection_id = s.connection_id`,
		`UPDATE message_changes c SET contact_id = $3 FROM provider_ids p, contact_messages x
			WHERE c.company_id = $1 AND c.contact_id = $2 AND p.company_id = $1 AND p.connection_id = c.connection_id AND p.provider_id = c.provider_id
			AND x.company_id = $1 AND x.contact_id = $3 AND x.message_id = p.message_id`,
	} {
		if err := run(ctx, tx, sql, company, winner, loser); err != nil {
			return nil, fmt.Errorf("parting conversations: %w", err)
		}
	}
	rows, err := tx.Query(ctx, `SELECT id FROM conversations WHERE company_id = $1 AND contact_id IN ($2, $3)`, company, winner, loser)
	if err != nil {
		return nil, fmt.Errorf("listing parted conversations: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[id.ID])
}

func (one image) unmerge(ctx context.Context, tx postgres.Tx, company, winner, loser id.ID) error {
	if one.Into == nil {
		return run(ctx, tx, `UPDATE conversations SET contact_id = $3 WHERE company_id = $1 AND id = $2 AND contact_id = $4`, company, one.ID, loser, winner)
	}
	// Nobody sleeps through an undo: a snoozed one comes back open. Who is gone meanwhile is no assignee.
	err := run(ctx, tx, `INSERT INTO conversations (company_id, id, connection_id, contact_id, state, last_id, last_inbound_id, unread, reopened_at, assignee_id, department_id, priority)
		SELECT $1, r.id, r.connection_id, $3, CASE r.state WHEN 'snoozed' THEN 'open' ELSE r.state END, r.last_id, r.last_inbound_id, r.unread, r.reopened_at, r.assignee_id, r.department_id, r.priority
		FROM jsonb_populate_record(NULL::conversations, $2) r ON CONFLICT DO NOTHING`, company, one.Row, loser)
	if err == nil {
		err = run(ctx, tx, `INSERT INTO conversation_labels (company_id, conversation_id, label_id) SELECT $1, $2, id FROM labels WHERE company_id = $1 AND id = ANY($3) ON CONFLICT DO NOTHING`, company, one.ID, one.Labels)
	}
	if err == nil {
		err = run(ctx, tx, `UPDATE conversation_notes SET conversation_id = $2 WHERE company_id = $1 AND id = ANY($3) AND conversation_id = $4`, company, one.ID, one.Notes, *one.Into)
	}
	return err
}

func run(ctx context.Context, tx postgres.Tx, sql string, args ...any) error {
	_, err := tx.Exec(ctx, sql, args...)
	return err
}
