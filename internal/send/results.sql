-- What became of a campaign: failures by code, the course of its sending, one message's facts.

-- name: AddFailures :exec
INSERT INTO failure_counts (company_id, campaign_id, error_code, count)
SELECT @company_id, unnest(sqlc.arg(campaigns)::uuid[]), unnest(sqlc.arg(codes)::int[]), unnest(sqlc.arg(counts)::int[]);

-- name: Failures :many
SELECT error_code, sum(count)::int AS count, count(*)::int AS deltas FROM failure_counts
WHERE company_id = @company_id AND campaign_id = @campaign_id
GROUP BY error_code ORDER BY sum(count) DESC, error_code;

-- name: CompactFailures :exec
WITH gone AS (DELETE FROM failure_counts f WHERE f.company_id = @company_id AND f.campaign_id = @campaign_id RETURNING f.*)
INSERT INTO failure_counts (company_id, campaign_id, error_code, count)
SELECT @company_id, @campaign_id, error_code, sum(count) FROM gone GROUP BY error_code HAVING sum(count) <> 0;

-- name: ListFailed :many
-- One code of ListCampaign's failed ones, along messages_failed.
WITH page AS (
    SELECT m.* FROM messages m
    WHERE m.company_id = @company_id AND m.campaign_id = @campaign_id AND m.state = 3
      AND coalesce(m.error_code, 0) = sqlc.arg(error_code)::int AND m.id > sqlc.arg(after_id)::uuid
    ORDER BY m.id LIMIT @row_limit
)
SELECT m.id, m.contact_id, c.name AS contact_name, i.value AS address, m.state, m.attempts, m.content, m.provider_id, m.error_code, m.error_detail,
    m.claimed_at, m.sent_at, m.delivered_at, m.read_at, m.ended_at, m.retry_at, m.text_version
FROM page m
JOIN contacts c ON c.company_id = m.company_id AND c.id = m.contact_id
JOIN identities i ON i.company_id = m.company_id AND i.id = m.identity_id
ORDER BY m.id;

-- name: ListByPhone :many
-- Those of ListCampaign that went to one number: along contact_messages, which has no entry per state.
SELECT m.id, m.contact_id, c.name AS contact_name, i.value AS address, m.state, m.attempts, m.content, m.provider_id, m.error_code, m.error_detail,
    m.claimed_at, m.sent_at, m.delivered_at, m.read_at, m.ended_at, m.retry_at, m.text_version
FROM identities i
JOIN contact_messages x ON x.company_id = i.company_id AND x.contact_id = i.contact_id AND x.message_id > sqlc.arg(after_id)::uuid
JOIN messages m ON m.company_id = x.company_id AND m.id = x.message_id AND m.campaign_id = @campaign_id AND m.identity_id = i.id
    AND m.state = ANY(sqlc.arg(states)::smallint[])
JOIN contacts c ON c.company_id = m.company_id AND c.id = m.contact_id
WHERE i.company_id = @company_id AND i.kind = 'phone' AND i.scope = '' AND i.value = sqlc.arg(phone)::text
ORDER BY m.id LIMIT @row_limit;

-- name: ListConnection :many
-- What was sent on one connection, the newest first, among the newest messages of the company before an id: an index by
-- connection would take an entry at each message for a list that few look at.
WITH look AS (
    SELECT n.* FROM messages n WHERE n.company_id = @company_id AND n.id < sqlc.arg(before)::uuid ORDER BY n.id DESC LIMIT sqlc.arg(looked_at)::int
)
SELECT m.id, m.contact_id, c.name AS contact_name, i.value AS address, m.state, m.attempts, m.content, m.provider_id, m.error_code, m.error_detail,
    m.claimed_at, m.sent_at, m.delivered_at, m.read_at, m.ended_at, m.retry_at, m.text_version
FROM look m
JOIN contacts c ON c.company_id = m.company_id AND c.id = m.contact_id
JOIN identities i ON i.company_id = m.company_id AND i.id = m.identity_id
WHERE m.connection_id = sqlc.arg(connection_id)::uuid AND m.direction = 0
ORDER BY m.id DESC LIMIT @row_limit;

-- name: lastLookedAt :one
SELECT n.id FROM messages n WHERE n.company_id = @company_id AND n.id < sqlc.arg(before)::uuid ORDER BY n.id DESC LIMIT 1 OFFSET sqlc.arg(looked_at)::int - 1;

-- name: insertTries :exec
INSERT INTO tries (company_id, message_id, attempt_id, at, state, error_code, error_detail)
SELECT $1, unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::timestamptz[]), unnest($5::smallint[]), unnest($6::int[]), unnest($7::text[])
ON CONFLICT DO NOTHING;

-- name: StoryTries :many
SELECT attempt_id, at, state, error_code, error_detail FROM tries
WHERE company_id = @company_id AND message_id = @message_id ORDER BY at LIMIT 100;

-- name: StoryDecisions :many
-- What people decided about a message, and who started its campaign.
SELECT a.action, a.at, coalesce(u.name, '') AS by_name, (s.subject_id = sqlc.arg(message_id)::uuid)::boolean AS about_it FROM audit_subjects s
JOIN audit a ON a.company_id = s.company_id AND a.id = s.audit_id
LEFT JOIN users u ON u.id = a.user_id
WHERE s.company_id = @company_id AND (s.subject_id = sqlc.arg(message_id)::uuid OR (s.subject_id = sqlc.narg(campaign_id)::uuid AND a.action = 'startCampaign'))
ORDER BY a.id;

-- name: StoryFacts :one
SELECT m.attempt_id, m.supersedes, m.superseded_by, m.id, m.connection_id, m.campaign_id, m.state, m.attempts, m.text_version, m.claimed_at, m.sent_at, m.delivered_at, m.read_at, m.ended_at,
    m.retry_at, m.expires_at, m.error_code, m.error_detail, m.provider_id, n.name AS connection_name, coalesce(k.name, '') AS campaign_name
FROM messages m
JOIN connections n ON n.company_id = m.company_id AND n.id = m.connection_id
LEFT JOIN campaigns k ON k.company_id = m.company_id AND k.id = m.campaign_id
WHERE m.company_id = @company_id AND m.id = @id AND in_sight(n.department_id, sqlc.narg(departments)::uuid[]);

-- name: StoryAbsences :many
-- Parts that were away while the message was queued. While one is, a page that is live goes on to its end.
SELECT a.part::text AS part, a.began_at, a.ended_at FROM absences a
WHERE a.began_at < sqlc.arg(until)::timestamptz AND CASE WHEN a.ended_at IS NULL
    THEN sqlc.arg(queued)::boolean AND NOT EXISTS (SELECT FROM scopes s WHERE s.company_id = @company_id AND s.connection_id = @connection_id AND s.page_live_until > clock_timestamp())
    ELSE a.ended_at > sqlc.arg(since)::timestamptz AND a.ended_at <= sqlc.arg(until)::timestamptz END
UNION ALL
SELECT 'drained', d.began_at, d.ended_at FROM drains d
WHERE d.began_at < sqlc.arg(until)::timestamptz AND CASE WHEN d.ended_at IS NULL THEN sqlc.arg(queued)::boolean
    ELSE d.ended_at > sqlc.arg(since)::timestamptz AND d.ended_at <= sqlc.arg(until)::timestamptz END
ORDER BY 2 LIMIT 100;

-- name: Standing :one
-- What a connection's claims depend on beside its limits.
SELECT coalesce(s.probing, false)::boolean AS probing, coalesce(s.page_live_until > clock_timestamp(), false)::boolean AS live, (h.reason IS NOT NULL)::boolean AS restored
FROM (SELECT 1) one
LEFT JOIN scopes s ON s.company_id = @company_id AND s.connection_id = @connection_id
LEFT JOIN restore_holds h ON h.company_id = @company_id AND h.released_at IS NULL;

-- name: Retries :one
-- Of the first messages that a campaign has queued, those that wait for another try, and when the next of them may go.
SELECT count(*)::int AS waiting, min(q.retry_at)::timestamptz AS next FROM (
    SELECT m.retry_at FROM messages m
    WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.lane = 5 AND m.campaign_id = @campaign_id AND m.state = 0 LIMIT 2000) q
WHERE q.retry_at > sqlc.arg(now)::timestamptz HAVING count(*) > 0;

-- name: LockRunning :many
-- In the order of their ids; one that is being paused just now is left out.
SELECT id FROM campaigns WHERE company_id = @company_id AND id = ANY(sqlc.arg(ids)::uuid[]) AND state = 'running'
ORDER BY id FOR SHARE SKIP LOCKED;

-- name: StoryWaits :many
-- What held up the message's campaign or connection while it was queued.
SELECT reason, began_at, until_at, ended_at FROM waits
WHERE company_id = @company_id AND subject_id = ANY(sqlc.arg(subjects)::uuid[])
  AND began_at < sqlc.arg(until)::timestamptz AND (ended_at IS NULL OR ended_at > sqlc.arg(since)::timestamptz)
ORDER BY began_at LIMIT 200;
