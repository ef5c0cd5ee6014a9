-- The ledger. Hot statements are sent through postgres.Batch, so their parameters are numbered by hand:
-- the numbers here are the order of the arguments there (claim.go). claim.sql is the one
-- statement that sqlc can't read: it finds rows by their place.

-- name: LockScope :one
-- The connection's mutex: whoever claims, pauses, cancels or holds takes it first.
SELECT page_epoch FROM scopes WHERE company_id = @company_id AND connection_id = @connection_id FOR UPDATE;

-- name: EnsureScope :exec
INSERT INTO scopes (company_id, connection_id) VALUES (@company_id, @connection_id) ON CONFLICT DO NOTHING;

-- name: BeginRun :one
-- A new run fences every older one of its kind. Pages and urgent runs have epochs of their own.
UPDATE scopes SET
    page_epoch = page_epoch + CASE WHEN sqlc.arg(urgent)::boolean THEN 0 ELSE 1 END,
    urgent_epoch = urgent_epoch + CASE WHEN sqlc.arg(urgent)::boolean THEN 1 ELSE 0 END,
    page_live_until = CASE WHEN sqlc.arg(urgent)::boolean THEN page_live_until ELSE sqlc.arg(live_until)::timestamptz END,
    urgent_live_until = CASE WHEN sqlc.arg(urgent)::boolean THEN sqlc.arg(live_until)::timestamptz ELSE urgent_live_until END
WHERE company_id = @company_id AND connection_id = @connection_id
RETURNING (CASE WHEN sqlc.arg(urgent)::boolean THEN urgent_epoch ELSE page_epoch END)::integer AS epoch, last_instant, probing, holds, (limits IS NOT NULL OR portfolio_id IS NOT NULL)::boolean AS limited, (portfolio_id IS NOT NULL)::boolean AS tiered, taken_for,
    clock_timestamp()::timestamptz AS database_now;

-- name: KeepRun :execrows
UPDATE scopes SET
    page_live_until = CASE WHEN sqlc.arg(urgent)::boolean THEN page_live_until ELSE sqlc.arg(live_until)::timestamptz END,
    urgent_live_until = CASE WHEN sqlc.arg(urgent)::boolean THEN sqlc.arg(live_until)::timestamptz ELSE urgent_live_until END
WHERE company_id = @company_id AND connection_id = @connection_id
  AND CASE WHEN sqlc.arg(urgent)::boolean THEN urgent_epoch ELSE page_epoch END = sqlc.arg(epoch)::integer;

-- name: EndRun :exec
UPDATE scopes SET
    page_live_until = CASE WHEN sqlc.arg(urgent)::boolean THEN page_live_until END,
    urgent_live_until = CASE WHEN sqlc.arg(urgent)::boolean THEN NULL ELSE urgent_live_until END
WHERE company_id = @company_id AND connection_id = @connection_id
  AND CASE WHEN sqlc.arg(urgent)::boolean THEN urgent_epoch ELSE page_epoch END = sqlc.arg(epoch)::integer;

-- name: SetHold :one
-- The n-th hold in a row lasts 2^n times as long, up to 2^doublings times. It stops pages and urgent runs alike.
UPDATE scopes SET held_until = greatest(held_until, CASE WHEN sqlc.arg(endless)::boolean THEN '9999-12-31 00:00:00+00'::timestamptz
        ELSE sqlc.arg(now)::timestamptz + make_interval(secs => sqlc.arg(seconds)::float8 * 2 ^ least(holds, sqlc.arg(doublings)::integer)) END),
    held_reason = sqlc.arg(held_reason)::text, holds = holds + 1, probing = probing OR sqlc.arg(probing)::boolean
WHERE company_id = @company_id AND connection_id = @connection_id AND NOT closed
  AND CASE WHEN sqlc.arg(urgent)::boolean THEN urgent_epoch ELSE page_epoch END = sqlc.arg(epoch)::integer
RETURNING held_until;

-- name: HoldByReport :one
-- SetHold for what the provider reports by a webhook, which has no epoch. The caller has locked the scope. One that is held longer stays so.
UPDATE scopes SET held_until = CASE WHEN sqlc.arg(endless)::boolean THEN '9999-12-31 00:00:00+00'::timestamptz ELSE sqlc.arg(now)::timestamptz + make_interval(secs => sqlc.arg(seconds)::float8) END,
    held_reason = sqlc.arg(held_reason)::text, holds = holds + 1
WHERE company_id = @company_id AND connection_id = @connection_id AND NOT closed
  AND (held_until IS NULL OR held_until < CASE WHEN sqlc.arg(endless)::boolean THEN '9999-12-31 00:00:00+00'::timestamptz ELSE sqlc.arg(now)::timestamptz + make_interval(secs => sqlc.arg(seconds)::float8) END)
RETURNING held_until;

-- name: Heal :execrows
-- A send that was claimed before a hold does not lift it.
UPDATE scopes SET holds = 0, probing = false, held_until = NULL, held_reason = NULL
WHERE company_id = @company_id AND connection_id = @connection_id AND NOT closed AND (held_until IS NULL OR held_until <= sqlc.arg(now)::timestamptz)
  AND CASE WHEN sqlc.arg(urgent)::boolean THEN urgent_epoch ELSE page_epoch END = sqlc.arg(epoch)::integer;

-- name: ReleaseHold :execrows
UPDATE scopes SET held_until = NULL, held_reason = NULL, holds = 0
WHERE company_id = @company_id AND connection_id = @connection_id AND held_until IS NOT NULL AND NOT closed;

-- name: CloseScope :exec
-- A hold that only people end. Its instant is finite, because drivers can't read an infinite one.
UPDATE scopes SET closed = true, held_until = '9999-12-31 00:00:00+00', held_reason = sqlc.arg(reason)::text
WHERE company_id = @company_id AND connection_id = @connection_id;

-- name: OpenScope :execrows
UPDATE scopes SET closed = false, held_until = NULL, held_reason = NULL, holds = 0, probing = false
WHERE company_id = @company_id AND connection_id = @connection_id AND closed;

-- name: Sources :many
-- What a page can claim from: one row per running campaign and zone set with queued rows.
SELECT z.campaign_id, z.zone_set_id, s.zones, k.frozen_at, (k.content ->> 'kind' = 'text')::boolean AS needs_window
FROM campaign_zones z
JOIN zone_sets s ON s.id = z.zone_set_id
JOIN campaigns k ON k.company_id = z.company_id AND k.id = z.campaign_id
WHERE z.company_id = @company_id AND k.connection_id = @connection_id AND k.state = 'running'
  AND NOT EXISTS (SELECT FROM scopes s
      WHERE s.company_id = z.company_id AND s.connection_id = k.connection_id AND s.held_until > sqlc.arg(now)::timestamptz)
  AND EXISTS (SELECT FROM messages m
      WHERE m.company_id = z.company_id AND m.connection_id = k.connection_id AND m.lane = 5 AND m.campaign_id = z.campaign_id
        AND m.zone_set_id = z.zone_set_id AND m.state = 0 AND m.id >= uuid_floor(k.frozen_at)
        AND (m.retry_at IS NULL OR m.retry_at <= sqlc.arg(now)::timestamptz))
ORDER BY z.campaign_id, z.zone_set_id;

-- name: lockForClaim :one
UPDATE scopes SET last_instant = greatest(last_instant, $3::timestamptz) WHERE company_id = $1 AND connection_id = $2
RETURNING CASE WHEN $4::boolean THEN urgent_epoch ELSE page_epoch END, last_instant, probing OR holds > 0 AS unhealed,
    limits, taken_at, taken, taken_day, taken_today, next_campaign_at, taken_for, others_at, portfolio_id;

-- name: Limits :one
SELECT limits, taken_at, taken, taken_day, taken_today, next_campaign_at, taken_for, others_at, portfolio_id
FROM scopes WHERE company_id = @company_id AND connection_id = @connection_id;

-- name: lockPortfolio :exec
-- After the number's scope and before any message.
SELECT FROM portfolios p WHERE p.company_id = $1 AND p.id = (SELECT s.portfolio_id FROM scopes s WHERE s.company_id = $1 AND s.connection_id = $2) FOR UPDATE OF p;

-- name: forgetContacts :exec
-- The portfolio is locked. What is left of very many that end at once counts until the next claim.
WITH gone AS (
    DELETE FROM portfolio_contacts c
    WHERE c.company_id = $1 AND (c.portfolio_id, c.contact_id) IN (SELECT o.portfolio_id, o.contact_id FROM portfolio_contacts o
        WHERE o.company_id = $1 AND o.portfolio_id = (SELECT s.portfolio_id FROM scopes s WHERE s.company_id = $1 AND s.connection_id = $2)
          AND o.at <= $3::timestamptz - interval '24 hours' ORDER BY o.at LIMIT 5000)
    RETURNING c.portfolio_id
)
UPDATE portfolios p SET counted = counted - g.n FROM (SELECT portfolio_id, count(*)::integer AS n FROM gone GROUP BY portfolio_id) g
WHERE p.company_id = $1 AND p.id = g.portfolio_id;

-- name: tier :one
-- What a number's portfolio has used as of an instant, and when the contact was last written to with whom the tier ends to be
-- used up: for everybody, and for campaigns, which leave one in $4; the epoch when it is not used up.
SELECT p.contacts_24h, u.used,
    coalesce(CASE WHEN u.used >= p.contacts_24h THEN (SELECT c.at FROM portfolio_contacts c WHERE c.company_id = $1 AND c.portfolio_id = p.id
        AND c.at > $3::timestamptz - interval '24 hours' ORDER BY c.at OFFSET u.used - p.contacts_24h LIMIT 1) END, 'epoch')::timestamptz AS last_at,
    coalesce(CASE WHEN u.used >= u.campaigns THEN (SELECT c.at FROM portfolio_contacts c WHERE c.company_id = $1 AND c.portfolio_id = p.id
        AND c.at > $3::timestamptz - interval '24 hours' ORDER BY c.at OFFSET u.used - u.campaigns LIMIT 1) END, 'epoch')::timestamptz AS last_of_campaigns
FROM scopes s
JOIN portfolios p ON p.company_id = s.company_id AND p.id = s.portfolio_id
CROSS JOIN LATERAL (SELECT p.contacts_24h - p.contacts_24h / $4::integer AS campaigns, p.counted - (SELECT count(*)::integer FROM portfolio_contacts c
    WHERE c.company_id = $1 AND c.portfolio_id = p.id AND c.at <= $3::timestamptz - interval '24 hours') AS used) u
WHERE s.company_id = $1 AND s.connection_id = $2;

-- name: Contacted :many
-- When a number's portfolio has written to contacts that its tier counts; those of five minutes count as late as the last.
SELECT max(c.at)::timestamptz AS at, count(*)::integer AS n
FROM scopes s JOIN portfolio_contacts c ON c.company_id = s.company_id AND c.portfolio_id = s.portfolio_id
WHERE s.company_id = @company_id AND s.connection_id = @connection_id AND c.at > sqlc.arg(since)::timestamptz
GROUP BY date_bin('5 minutes', c.at, 'epoch') ORDER BY 1;

-- name: KeepPortfolio :exec
INSERT INTO portfolios (company_id, id, contacts_24h) VALUES (@company_id, @id, @contacts_24h)
ON CONFLICT (company_id, id) DO UPDATE SET contacts_24h = EXCLUDED.contacts_24h;

-- name: JoinPortfolio :execrows
UPDATE scopes SET portfolio_id = sqlc.narg(portfolio_id)::text
WHERE company_id = @company_id AND connection_id = @connection_id AND portfolio_id IS DISTINCT FROM sqlc.narg(portfolio_id)::text;

-- name: OtherNumbers :many
SELECT connection_id FROM scopes WHERE company_id = @company_id AND portfolio_id = sqlc.arg(portfolio_id)::text AND connection_id <> @connection_id;

-- name: CountContacted :exec
-- What a number has sent before it was known to be the portfolio's. Windows that have closed since are not known any more.
INSERT INTO portfolio_contacts AS t (company_id, portfolio_id, contact_id, at)
SELECT @company_id, sqlc.arg(portfolio_id)::text, m.contact_id, max(m.claimed_at) FROM messages m
WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.id BETWEEN uuid_floor(sqlc.arg(now)::timestamptz - interval '4 days') AND uuid_floor(sqlc.arg(now)::timestamptz)
  AND m.state BETWEEN 1 AND 6 AND m.claimed_at > sqlc.arg(now)::timestamptz - interval '24 hours'
  AND NOT EXISTS (SELECT FROM service_windows w WHERE w.company_id = @company_id AND w.connection_id = @connection_id AND w.contact_id = m.contact_id
      AND w.open_until > sqlc.arg(now)::timestamptz)
GROUP BY m.contact_id
ON CONFLICT (company_id, portfolio_id, contact_id) DO UPDATE SET at = greatest(t.at, EXCLUDED.at);

-- name: RecountPortfolio :exec
UPDATE portfolios p SET counted = (SELECT count(*) FROM portfolio_contacts c WHERE c.company_id = p.company_id AND c.portfolio_id = p.id)
WHERE p.company_id = @company_id AND p.id = @id;

-- name: Uncounted :many
-- Of what campaigns have queued on a number, the zone sets with something that the tier does not count.
SELECT z.campaign_id, z.zone_set_id
FROM campaign_zones z
JOIN campaigns k ON k.company_id = z.company_id AND k.id = z.campaign_id
WHERE z.company_id = @company_id AND k.connection_id = @connection_id AND k.state = 'running'
  AND EXISTS (SELECT FROM messages m
      WHERE m.company_id = z.company_id AND m.connection_id = k.connection_id AND m.lane = 5 AND m.campaign_id = z.campaign_id
        AND m.zone_set_id = z.zone_set_id AND m.state = 0 AND m.id >= uuid_floor(k.frozen_at)
        AND (m.retry_at IS NULL OR m.retry_at <= sqlc.arg(now)::timestamptz)
        AND tier_of(@company_id, @connection_id, sqlc.arg(portfolio_id)::text, m.contact_id, sqlc.arg(now)::timestamptz) <= 1);

-- name: UncountedSingle :one
-- The same of one lane outside campaigns. Free text goes to open windows alone.
SELECT EXISTS (SELECT FROM messages m
    WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.lane = sqlc.arg(lane)::smallint AND m.campaign_id IS NULL AND m.state = 0
      AND (m.retry_at IS NULL OR m.retry_at <= sqlc.arg(now)::timestamptz)
      AND (m.content::jsonb -> 'template' IS NULL
        OR tier_of(@company_id, @connection_id, sqlc.arg(portfolio_id)::text, m.contact_id, sqlc.arg(now)::timestamptz) <= 1));

-- name: SetLimits :exec
-- With the first limits, nothing is known of what was taken just before them. A gap that was drawn between older limits
-- ends no later than one of the new ones.
UPDATE scopes SET limits = sqlc.narg(limits)::jsonb,
    next_campaign_at = CASE WHEN next_campaign_at > sqlc.narg(gap_ends)::timestamptz THEN sqlc.narg(gap_ends)::timestamptz ELSE next_campaign_at END,
    taken_at = CASE WHEN limits IS NULL THEN '{}' ELSE taken_at END, taken = CASE WHEN limits IS NULL THEN '{}' ELSE taken END,
    others_at = CASE WHEN limits IS NULL THEN sqlc.arg(now)::timestamptz ELSE others_at END
WHERE company_id = @company_id AND connection_id = @connection_id;

-- name: Singles :many
-- The oldest message outside campaigns that may be claimed now, of each of the lanes.
SELECT oldest.id FROM (SELECT unnest(sqlc.arg(lanes)::smallint[]) AS lane) l
CROSS JOIN LATERAL (SELECT m.id FROM messages m
    WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.lane = l.lane AND m.campaign_id IS NULL AND m.state = 0
      AND (m.retry_at IS NULL OR m.retry_at <= sqlc.arg(now)::timestamptz)
    ORDER BY m.id LIMIT 1) oldest
WHERE NOT EXISTS (SELECT FROM scopes s
    WHERE s.company_id = @company_id AND s.connection_id = @connection_id AND s.held_until > sqlc.arg(now)::timestamptz);

-- name: ExplainEnded :exec
-- What the gate did not let through says why.
UPDATE messages SET ended_at = sqlc.arg(now)::timestamptz, attempts = attempts - 1, attempt_id = NULL,
    error_detail = CASE state WHEN 8 THEN 'It expired before it could be sent.'
        ELSE 'Not sent: the contact has opted out, or the 24-hour window for free text has closed.' END
WHERE company_id = @company_id AND id = ANY(sqlc.arg(ids)::uuid[]) AND state IN (8, 9);

-- name: recordOutcomes :many
-- The fast path of recording: rows still in sending for the attempt. Rows that moved on meanwhile (a status was
-- quicker, the claim had become uncertain) are not among the returned ids and take the slow path, ApplyEvents.
WITH outcome AS (
    SELECT unnest($2::uuid[]) AS id, unnest($3::uuid[]) AS attempt_id, unnest($4::smallint[]) AS state, unnest($5::text[]) AS provider_id,
        unnest($6::int[]) AS error_code, unnest($7::text[]) AS error_detail, unnest($8::timestamptz[]) AS at,
        unnest($9::timestamptz[]) AS retry_at, unnest($10::text[]) AS content
), recorded AS (
    UPDATE messages m SET state = o.state,
        provider_id = nullif(o.provider_id, ''), content = coalesce(o.content, m.content),
        error_code = nullif(o.error_code, 0), error_detail = nullif(o.error_detail, ''),
        sent_at = CASE WHEN o.state = 2 THEN o.at END,
        ended_at = CASE WHEN o.state IN (3, 6) THEN o.at END,
        retry_at = CASE WHEN o.state = 0 THEN o.retry_at END
    FROM outcome o
    WHERE m.company_id = $1 AND m.connection_id = $13 AND m.id = o.id AND m.id BETWEEN $11 AND $12 AND m.attempt_id = o.attempt_id AND m.state = 1
    RETURNING m.id, m.campaign_id, m.connection_id, m.state, m.provider_id, m.error_code
), known AS (
    INSERT INTO provider_ids (company_id, connection_id, provider_id, message_id)
    SELECT $1, connection_id, provider_id, id FROM recorded WHERE provider_id IS NOT NULL
    ON CONFLICT DO NOTHING
), counted AS (
    INSERT INTO message_counts (company_id, connection_id, campaign_id, sending, queued, sent, failed, uncertain)
    SELECT $1, $13, campaign_id, -count(*), count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 2),
        count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 6)
    FROM recorded GROUP BY campaign_id
), failures AS (
    INSERT INTO failure_counts (company_id, campaign_id, error_code, count)
    SELECT $1, campaign_id, coalesce(error_code, 0), count(*)
    FROM recorded WHERE campaign_id IS NOT NULL AND state = 3 GROUP BY campaign_id, error_code
)
SELECT id FROM recorded;

-- name: Overdue :many
-- Claims whose owner is gone: no outcome can come any more.
SELECT id FROM messages
WHERE company_id = @company_id AND connection_id = @connection_id AND state = 1 AND claimed_at < sqlc.arg(before)::timestamptz
ORDER BY id LIMIT 1000;

-- name: ForUpdate :many
SELECT id, connection_id, campaign_id, state, attempt_id, provider_id, claimed_at, sent_at, delivered_at, read_at, ended_at, error_code, error_detail, retry_at, content
FROM messages
WHERE company_id = @company_id AND id = ANY(sqlc.arg(ids)::uuid[]) AND id BETWEEN sqlc.arg(min_id)::uuid AND sqlc.arg(max_id)::uuid
ORDER BY id
FOR UPDATE;

-- name: writeRows :exec
UPDATE messages m SET state = r.state, provider_id = nullif(r.provider_id, ''), sent_at = r.sent_at, delivered_at = r.delivered_at,
    read_at = r.read_at, ended_at = r.ended_at, error_code = nullif(r.error_code, 0), error_detail = nullif(r.error_detail, ''),
    retry_at = r.retry_at, content = r.content
FROM (SELECT unnest($4::uuid[]) AS id, unnest($5::smallint[]) AS state, unnest($6::text[]) AS provider_id,
        unnest($7::timestamptz[]) AS sent_at, unnest($8::timestamptz[]) AS delivered_at,
        unnest($9::timestamptz[]) AS read_at, unnest($10::timestamptz[]) AS ended_at,
        unnest($11::int[]) AS error_code, unnest($12::text[]) AS error_detail,
        unnest($13::timestamptz[]) AS retry_at, unnest($14::text[]) AS content) r
WHERE m.company_id = $1 AND m.id = r.id AND m.id BETWEEN $2::uuid AND $3::uuid;

-- name: InsertProviderIDs :exec
INSERT INTO provider_ids (company_id, connection_id, provider_id, message_id)
SELECT @company_id, unnest(sqlc.arg(connections)::uuid[]), unnest(sqlc.arg(provider_ids)::text[]), unnest(sqlc.arg(messages)::uuid[])
ON CONFLICT DO NOTHING;

-- name: FindByProviderID :many
SELECT provider_id, message_id FROM provider_ids
WHERE company_id = @company_id AND connection_id = @connection_id AND provider_id = ANY(sqlc.arg(provider_ids)::text[]);

-- name: InsertEarly :exec
INSERT INTO early_statuses (company_id, connection_id, provider_id, state, at, error_code, error_detail)
SELECT @company_id, @connection_id, unnest(sqlc.arg(provider_ids)::text[]), unnest(sqlc.arg(states)::smallint[]), unnest(sqlc.arg(ats)::timestamptz[]),
    unnest(sqlc.arg(error_codes)::int[]), unnest(sqlc.arg(error_details)::text[])
ON CONFLICT DO NOTHING;

-- name: TakeEarly :many
-- Statuses that waited for a provider id which is known by now.
DELETE FROM early_statuses e
WHERE e.company_id = @company_id AND e.connection_id = @connection_id
  AND e.provider_id IN (SELECT p.provider_id FROM provider_ids p
      WHERE p.company_id = e.company_id AND p.connection_id = e.connection_id AND p.provider_id = e.provider_id)
RETURNING e.provider_id, e.state, e.at, e.error_code, e.error_detail;

-- name: InsertCount :exec
INSERT INTO message_counts (company_id, connection_id, campaign_id, queued, sending, sent, failed, delivered, read, uncertain, canceled, expired, suppressed, replies, at)
VALUES (@company_id, sqlc.arg(connection_id)::uuid, sqlc.narg(campaign_id), @queued, @sending, @sent, @failed, @delivered, @read, @uncertain, @canceled, @expired, @suppressed, @replies,
    coalesce(sqlc.narg(at)::timestamptz, now()));

-- name: MarkAttempted :exec
-- Messages whose past was written down, as if they had been claimed once.
UPDATE messages SET attempts = 1, claimed_at = coalesce(sent_at, ended_at)
WHERE company_id = @company_id AND id = ANY(sqlc.arg(ids)::uuid[]) AND id BETWEEN sqlc.arg(min_id)::uuid AND sqlc.arg(max_id)::uuid;

-- name: Counts :many
SELECT c.campaign_id::uuid AS campaign_id, sum(queued)::int AS queued, sum(sending)::int AS sending, sum(sent)::int AS sent, sum(failed)::int AS failed,
    sum(delivered)::int AS delivered, sum(read)::int AS read, sum(uncertain)::int AS uncertain, sum(canceled)::int AS canceled,
    sum(expired)::int AS expired, sum(suppressed)::int AS suppressed, sum(replied)::int AS replied
FROM (
    SELECT campaign_id, queued, sending, sent, failed, delivered, read, uncertain, canceled, expired, suppressed, replied
    FROM campaign_counts t WHERE t.company_id = @company_id AND t.campaign_id = ANY(sqlc.arg(campaigns)::uuid[])
    UNION ALL
    SELECT campaign_id, queued, sending, sent, failed, delivered, read, uncertain, canceled, expired, suppressed, replied
    FROM message_counts m WHERE m.company_id = @company_id AND m.campaign_id = ANY(sqlc.arg(campaigns)::uuid[])
) c
GROUP BY c.campaign_id;

-- name: CompaniesWithChanges :many
SELECT DISTINCT company_id FROM message_counts;

-- name: AllCompanies :many
SELECT company_id FROM companies;

-- name: RollUp :many
-- Carries the oldest changes on into every sum. A change that another roll-up has taken meanwhile is not among
-- the deleted ones and counts once. Answers by campaign, or by connection outside of them.
WITH gone AS (
    DELETE FROM message_counts d
    WHERE d.company_id = @company_id
      AND d.id IN (SELECT c.id FROM message_counts c WHERE c.company_id = @company_id ORDER BY c.id LIMIT @most)
    RETURNING d.*
), change AS (
    SELECT g.*, coalesce(g.connection_id, k.connection_id) AS connection, g.sent + g.delivered + g.read AS accepted, g.delivered + g.read AS arrived
    FROM gone g LEFT JOIN campaigns k ON k.company_id = @company_id AND k.id = g.campaign_id
), counted AS (
    INSERT INTO campaign_counts AS t (company_id, campaign_id, queued, sending, sent, failed, delivered, read, uncertain, canceled, expired, suppressed, replied)
    SELECT @company_id, campaign_id, sum(queued), sum(sending), sum(sent), sum(failed), sum(delivered), sum(read), sum(uncertain), sum(canceled), sum(expired), sum(suppressed), sum(replied)
    FROM change WHERE campaign_id IS NOT NULL GROUP BY campaign_id
    ON CONFLICT (company_id, campaign_id) DO UPDATE SET queued = t.queued + EXCLUDED.queued, sending = t.sending + EXCLUDED.sending, sent = t.sent + EXCLUDED.sent, failed = t.failed + EXCLUDED.failed, delivered = t.delivered + EXCLUDED.delivered,
        read = t.read + EXCLUDED.read, uncertain = t.uncertain + EXCLUDED.uncertain, canceled = t.canceled + EXCLUDED.canceled, expired = t.expired + EXCLUDED.expired, suppressed = t.suppressed + EXCLUDED.suppressed,
        replied = t.replied + EXCLUDED.replied
), by_minute AS (
    INSERT INTO campaign_traffic AS t (company_id, campaign_id, at, sent, delivered, read, failed, uncertain, replied)
    SELECT @company_id, campaign_id, date_trunc('minute', at), sum(accepted), sum(arrived), sum(read), sum(failed), sum(uncertain), sum(replied)
    FROM change WHERE campaign_id IS NOT NULL AND (accepted, arrived, read, failed, uncertain, replied) <> (0, 0, 0, 0, 0, 0) GROUP BY 2, 3
    ON CONFLICT (company_id, campaign_id, at) DO UPDATE SET sent = t.sent + EXCLUDED.sent, delivered = t.delivered + EXCLUDED.delivered, read = t.read + EXCLUDED.read, failed = t.failed + EXCLUDED.failed, uncertain = t.uncertain + EXCLUDED.uncertain, replied = t.replied + EXCLUDED.replied
), by_quarter AS (
    INSERT INTO traffic AS t (company_id, connection_id, at, sent, delivered, read, failed, uncertain, replies)
    SELECT @company_id, connection, date_bin('15 minutes', at, 'epoch'), sum(accepted), sum(arrived), sum(read), sum(failed), sum(uncertain), sum(replies)
    FROM change WHERE (accepted, arrived, read, failed, uncertain, replies) <> (0, 0, 0, 0, 0, 0) GROUP BY 2, 3
    ON CONFLICT (company_id, at, connection_id) DO UPDATE SET sent = t.sent + EXCLUDED.sent, delivered = t.delivered + EXCLUDED.delivered, read = t.read + EXCLUDED.read, failed = t.failed + EXCLUDED.failed, uncertain = t.uncertain + EXCLUDED.uncertain, replies = t.replies + EXCLUDED.replies
)
SELECT campaign_id, coalesce(connection, '00000000-0000-0000-0000-000000000000')::uuid AS connection_id, count(*)::int AS changes, sum(uncertain)::int AS uncertain FROM change GROUP BY 1, 2;

-- name: MergeMinutes :one
-- Minutes become hours. The minute at the start of an hour is the hour's row.
WITH gone AS (
    DELETE FROM campaign_traffic o
    WHERE o.company_id = @company_id AND (o.campaign_id, o.at) IN (SELECT c.campaign_id, c.at FROM campaign_traffic c
        WHERE c.company_id = @company_id AND c.at < sqlc.arg(before)::timestamptz AND c.at <> date_trunc('hour', c.at) LIMIT @most)
    RETURNING o.*
), merged AS (
    INSERT INTO campaign_traffic AS t (company_id, campaign_id, at, sent, delivered, read, failed, uncertain, replied)
    SELECT @company_id, campaign_id, date_trunc('hour', at), sum(sent), sum(delivered), sum(read), sum(failed), sum(uncertain), sum(replied)
    FROM gone GROUP BY 2, 3
    ON CONFLICT (company_id, campaign_id, at) DO UPDATE SET sent = t.sent + EXCLUDED.sent, delivered = t.delivered + EXCLUDED.delivered, read = t.read + EXCLUDED.read, failed = t.failed + EXCLUDED.failed, uncertain = t.uncertain + EXCLUDED.uncertain, replied = t.replied + EXCLUDED.replied
)
SELECT count(*)::int AS minutes FROM gone;

-- name: CampaignTraffic :many
SELECT date_bin(make_interval(secs => sqlc.arg(step_seconds)::float8), c.at, 'epoch')::timestamptz AS at, sum(sent)::int AS sent, sum(delivered)::int AS delivered,
    sum(read)::int AS read, sum(failed)::int AS failed, sum(uncertain)::int AS uncertain
FROM (
    SELECT t.at, t.sent, t.delivered, t.read, t.failed, t.uncertain
    FROM campaign_traffic t WHERE t.company_id = @company_id AND t.campaign_id = @campaign_id
    UNION ALL
    SELECT m.at, m.sent + m.delivered + m.read, m.delivered + m.read, m.read, m.failed, m.uncertain
    FROM message_counts m WHERE m.company_id = @company_id AND m.campaign_id = @campaign_id
) c
GROUP BY 1 ORDER BY 1;

-- name: Traffic :many
SELECT date_trunc(sqlc.arg(unit)::text, c.at, sqlc.arg(zone)::text)::timestamptz AS at, sum(sent)::int AS sent, sum(delivered)::int AS delivered,
    sum(read)::int AS read, sum(failed)::int AS failed, sum(uncertain)::int AS uncertain, sum(replies)::int AS replies
FROM (
    SELECT t.at, t.sent, t.delivered, t.read, t.failed, t.uncertain, t.replies
    FROM traffic t WHERE t.company_id = @company_id AND t.at >= sqlc.arg(from_at)::timestamptz AND t.at < sqlc.arg(to_at)::timestamptz
    UNION ALL
    SELECT date_bin('15 minutes', m.at, 'epoch'), m.sent + m.delivered + m.read, m.delivered + m.read, m.read, m.failed, m.uncertain, m.replies
    FROM message_counts m WHERE m.company_id = @company_id AND m.at >= sqlc.arg(from_at)::timestamptz AND m.at < sqlc.arg(to_at)::timestamptz
) c
GROUP BY 1 ORDER BY 1;

-- name: TrafficByCampaign :many
SELECT c.campaign_id::uuid AS campaign_id, k.name, sum(sent)::int AS sent, sum(delivered)::int AS delivered, sum(read)::int AS read,
    sum(failed)::int AS failed, sum(uncertain)::int AS uncertain, sum(replied)::int AS replied
FROM (
    SELECT t.campaign_id, t.sent, t.delivered, t.read, t.failed, t.uncertain, t.replied
    FROM campaign_traffic t WHERE t.company_id = @company_id AND t.at >= sqlc.arg(from_at)::timestamptz AND t.at < sqlc.arg(to_at)::timestamptz
    UNION ALL
    SELECT m.campaign_id, m.sent + m.delivered + m.read, m.delivered + m.read, m.read, m.failed, m.uncertain, m.replied
    FROM message_counts m WHERE m.company_id = @company_id AND m.campaign_id IS NOT NULL AND m.at >= sqlc.arg(from_at)::timestamptz AND m.at < sqlc.arg(to_at)::timestamptz
) c
JOIN campaigns k ON k.company_id = @company_id AND k.id = c.campaign_id
GROUP BY 1, 2
HAVING (sum(sent), sum(delivered), sum(read), sum(failed), sum(uncertain), sum(replied)) <> (0, 0, 0, 0, 0, 0)
ORDER BY sum(sent) + sum(failed) + sum(uncertain) DESC, c.campaign_id DESC
LIMIT @row_limit;

-- name: TrafficByConnection :many
SELECT k.id AS connection_id, k.name, sum(sent)::int AS sent, sum(delivered)::int AS delivered, sum(read)::int AS read,
    sum(failed)::int AS failed, sum(uncertain)::int AS uncertain, sum(replies)::int AS replies
FROM (
    SELECT t.connection_id, t.sent, t.delivered, t.read, t.failed, t.uncertain, t.replies
    FROM traffic t WHERE t.company_id = @company_id AND t.at >= sqlc.arg(from_at)::timestamptz AND t.at < sqlc.arg(to_at)::timestamptz
    UNION ALL
    SELECT m.connection_id, m.sent + m.delivered + m.read, m.delivered + m.read, m.read, m.failed, m.uncertain, m.replies
    FROM message_counts m WHERE m.company_id = @company_id AND m.at >= sqlc.arg(from_at)::timestamptz AND m.at < sqlc.arg(to_at)::timestamptz
) c
JOIN connections k ON k.company_id = @company_id AND k.id = c.connection_id
GROUP BY 1, 2
HAVING (sum(sent), sum(delivered), sum(read), sum(failed), sum(uncertain), sum(replies)) <> (0, 0, 0, 0, 0, 0)
ORDER BY sum(sent) + sum(failed) + sum(uncertain) + sum(replies) DESC, k.id DESC
LIMIT @row_limit;

-- name: LastSent :many
SELECT c.connection_id::uuid AS connection_id, max(c.at)::timestamptz AS at
FROM (
    SELECT t.connection_id, t.at FROM traffic t WHERE t.company_id = @company_id AND t.at >= sqlc.arg(since)::timestamptz AND t.sent > 0
    UNION ALL
    SELECT m.connection_id, m.at FROM message_counts m WHERE m.company_id = @company_id AND m.connection_id IS NOT NULL AND m.sent > 0
) c
GROUP BY 1;

-- name: Holds :many
SELECT connection_id, held_until, held_reason FROM scopes WHERE company_id = @company_id AND held_until > sqlc.arg(now)::timestamptz;

-- name: QueueRecipients :execrows
-- The feed: recipients become rows of the ledger. The ids come in the order of the sequence.
WITH slice AS (
    SELECT r.*, row_number() OVER (ORDER BY r.sequence) AS place FROM recipients r
    WHERE r.company_id = @company_id AND r.campaign_id = @campaign_id AND r.zone_set_id = @zone_set_id
      AND r.sequence > @after_sequence AND r.sequence <= @through_sequence
), queued AS (
    INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, campaign_id, zone_set_id, sequence, text_version, lane, expires_at)
    SELECT s.company_id, i.id, @connection_id, s.contact_id, s.identity_id, s.campaign_id, s.zone_set_id, s.sequence, s.text_version, 5, sqlc.narg(expires_at)::timestamptz
    FROM slice s JOIN (SELECT id, row_number() OVER () AS place FROM (SELECT unnest(sqlc.arg(ids)::uuid[]) AS id) u) i ON i.place = s.place
    RETURNING company_id, contact_id, id
)
INSERT INTO contact_messages (company_id, contact_id, message_id) SELECT company_id, contact_id, id FROM queued;

-- name: QueueSingles :execrows
-- Only what belongs together gets in: the connection and the identity are the company's, the identity is the contact's.
WITH queued AS (
INSERT INTO messages (company_id, id, connection_id, contact_id, identity_id, lane, content, expires_at, supersedes)
SELECT @company_id, n.id, k.id, i.contact_id, i.id, n.lane, n.content, nullif(n.expires_at, '9999-01-01T00:00:00Z'), nullif(n.supersedes, '00000000-0000-0000-0000-000000000000')
FROM (SELECT unnest(sqlc.arg(ids)::uuid[]) AS id, unnest(sqlc.arg(connections)::uuid[]) AS connection_id, unnest(sqlc.arg(contacts)::uuid[]) AS contact_id,
        unnest(sqlc.arg(identities)::uuid[]) AS identity_id, unnest(sqlc.arg(lanes)::smallint[]) AS lane, unnest(sqlc.arg(contents)::text[]) AS content,
        unnest(sqlc.arg(expires_ats)::timestamptz[]) AS expires_at, unnest(sqlc.arg(supersedes)::uuid[]) AS supersedes) n
JOIN connections k ON k.company_id = @company_id AND k.id = n.connection_id AND k.deleted_at IS NULL
JOIN identities i ON i.company_id = @company_id AND i.id = n.identity_id AND i.contact_id = n.contact_id
FOR KEY SHARE OF i -- it may not change hands meanwhile
RETURNING company_id, contact_id, id
)
INSERT INTO contact_messages (company_id, contact_id, message_id) SELECT company_id, contact_id, id FROM queued;

-- name: CancelQueued :execrows
UPDATE messages m SET state = 7, ended_at = sqlc.arg(now)::timestamptz, retry_at = NULL
WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.lane = 5 AND m.campaign_id = @campaign_id AND m.state = 0;

-- name: Claimable :one
-- What a page could claim: rows of running campaigns, and messages outside campaigns in lanes 3 and 4.
SELECT (EXISTS (SELECT FROM messages m JOIN campaigns k ON k.company_id = m.company_id AND k.id = m.campaign_id AND k.state = 'running'
    WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.lane = 5 AND m.state = 0
      AND (m.retry_at IS NULL OR m.retry_at <= sqlc.arg(now)::timestamptz))
  OR EXISTS (SELECT FROM messages m
    WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.lane BETWEEN 3 AND 4 AND m.campaign_id IS NULL AND m.state = 0
      AND (m.retry_at IS NULL OR m.retry_at <= sqlc.arg(now)::timestamptz)))::boolean AS claimable;

-- name: UrgentClaimable :one
SELECT EXISTS (SELECT FROM messages m
    WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.lane BETWEEN 1 AND 2 AND m.campaign_id IS NULL AND m.state = 0
      AND (m.retry_at IS NULL OR m.retry_at <= sqlc.arg(now)::timestamptz)) AS claimable;

-- name: QueuedIn :one
SELECT count(*)::int FROM messages m
WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.lane = 5 AND m.campaign_id = @campaign_id AND m.state = 0
  AND m.zone_set_id = ANY(sqlc.arg(zone_sets)::int[]);

-- name: Hours :one
SELECT zone, (extract(epoch FROM window_from) / 60)::int AS window_from, (extract(epoch FROM window_until) / 60)::int AS window_until
FROM companies WHERE company_id = @company_id;

-- name: RunningCampaigns :many
SELECT id, connection_id FROM campaigns WHERE company_id = @company_id AND state = 'running';

-- name: NextRetry :one
SELECT m.retry_at FROM messages m LEFT JOIN campaigns k ON k.company_id = m.company_id AND k.id = m.campaign_id
WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.lane BETWEEN sqlc.arg(first_lane)::smallint AND sqlc.arg(last_lane)::smallint
  AND m.state = 0 AND m.retry_at IS NOT NULL AND m.retry_at > sqlc.arg(now)::timestamptz AND (m.campaign_id IS NULL OR k.state = 'running')
ORDER BY m.retry_at LIMIT 1;

-- name: OldestClaim :one
SELECT claimed_at FROM messages
WHERE company_id = @company_id AND connection_id = @connection_id AND state = 1
ORDER BY claimed_at LIMIT 1;

-- name: Held :one
SELECT s.held_until, s.held_reason, s.closed, s.probing, h.reason AS restore_reason, EXISTS (SELECT FROM drains d WHERE d.ended_at IS NULL) AS drained FROM scopes s
LEFT JOIN restore_holds h ON h.company_id = s.company_id AND h.released_at IS NULL
WHERE s.company_id = @company_id AND s.connection_id = @connection_id;

-- name: ListCampaign :many
-- In the order in which they were queued. Each part reads the one index that holds rows of its states.
WITH page AS (
    (SELECT m.* FROM messages m
        WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.lane = 5 AND m.campaign_id = @campaign_id AND m.state = 0
          AND 0 = ANY(sqlc.arg(states)::smallint[]) AND m.id > sqlc.arg(after_id)::uuid
        ORDER BY m.id LIMIT @row_limit)
    UNION ALL
    (SELECT m.* FROM messages m
        WHERE m.company_id = @company_id AND m.connection_id = @connection_id AND m.campaign_id = @campaign_id AND m.state = 1
          AND 1 = ANY(sqlc.arg(states)::smallint[]) AND m.id > sqlc.arg(after_id)::uuid
        ORDER BY m.id LIMIT @row_limit)
    UNION ALL
    (SELECT e.* FROM (SELECT unnest(sqlc.arg(states)::smallint[]) AS state) s
        CROSS JOIN LATERAL (SELECT m.* FROM messages m
            WHERE m.company_id = @company_id AND m.campaign_id = @campaign_id AND m.state >= 2 AND m.state = s.state AND m.id > sqlc.arg(after_id)::uuid
            ORDER BY m.id LIMIT @row_limit) e)
)
SELECT m.id, m.contact_id, c.name AS contact_name, i.value AS address, m.state, m.attempts, m.content, m.provider_id, m.error_code, m.error_detail,
    m.claimed_at, m.sent_at, m.delivered_at, m.read_at, m.ended_at, m.retry_at, m.text_version
FROM page m
JOIN contacts c ON c.company_id = m.company_id AND c.id = m.contact_id
JOIN identities i ON i.company_id = m.company_id AND i.id = m.identity_id
ORDER BY m.id
LIMIT @row_limit;

-- name: BumpEpoch :one
-- Fences what this run itself has sent and does not know the answer to.
UPDATE scopes SET
    page_epoch = page_epoch + CASE WHEN sqlc.arg(urgent)::boolean THEN 0 ELSE 1 END,
    urgent_epoch = urgent_epoch + CASE WHEN sqlc.arg(urgent)::boolean THEN 1 ELSE 0 END
WHERE company_id = @company_id AND connection_id = @connection_id
  AND CASE WHEN sqlc.arg(urgent)::boolean THEN urgent_epoch ELSE page_epoch END = sqlc.arg(epoch)::integer
RETURNING (CASE WHEN sqlc.arg(urgent)::boolean THEN urgent_epoch ELSE page_epoch END)::integer AS epoch;

-- name: GiveBack :exec
-- An attempt of which nothing was sent: its claim's answer was lost.
WITH given AS (
    UPDATE messages m SET state = 0, attempts = attempts - 1
    WHERE m.company_id = @company_id AND m.connection_id = sqlc.arg(connection_id)::uuid AND m.state = 1 AND m.attempt_id = @attempt_id
    RETURNING m.campaign_id
)
INSERT INTO message_counts (company_id, connection_id, campaign_id, queued, sending)
SELECT @company_id, sqlc.arg(connection_id)::uuid, campaign_id, count(*), -count(*) FROM given GROUP BY campaign_id;

-- name: contactMessages :many
-- Newest first, by the table that notes each message under its contact.
SELECT m.id, m.contact_id, c.name AS contact_name, i.value AS address, m.state, m.attempts, m.content, m.provider_id, m.error_code, m.error_detail,
    m.claimed_at, m.sent_at, m.delivered_at, m.read_at, m.ended_at, m.retry_at, m.text_version, m.campaign_id, coalesce(k.name, '') AS campaign_name,
    m.direction = 1 AS inbound, m.connection_id, n.name AS connection_name
FROM contact_messages x
JOIN messages m ON m.company_id = x.company_id AND m.id = x.message_id
JOIN connections n ON n.company_id = m.company_id AND n.id = m.connection_id AND in_sight(n.department_id, sqlc.narg(departments)::uuid[])
JOIN contacts c ON c.company_id = m.company_id AND c.id = m.contact_id
JOIN identities i ON i.company_id = m.company_id AND i.id = m.identity_id
LEFT JOIN campaigns k ON k.company_id = m.company_id AND k.id = m.campaign_id
WHERE x.company_id = @company_id AND x.contact_id = @contact_id AND x.message_id < sqlc.arg(before)::uuid
ORDER BY x.message_id DESC LIMIT @row_limit;
