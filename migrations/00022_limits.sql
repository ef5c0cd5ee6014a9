-- Limits of a connection, and what it has used of them. A claim decides and notes under the scope's lock.

-- +goose Up

ALTER TABLE scopes
    ADD COLUMN limits           jsonb, -- as pace.Limits writes itself; null: none, and nothing is noted
    -- What was taken within the last hour: instants, and how many messages at each. Older takes are merged.
    ADD COLUMN taken_at         timestamptz[] NOT NULL DEFAULT '{}',
    ADD COLUMN taken            integer[]     NOT NULL DEFAULT '{}',
    ADD COLUMN taken_day        text          NOT NULL DEFAULT '', -- the company's date that taken_today belongs to
    ADD COLUMN taken_today      integer       NOT NULL DEFAULT 0,
    ADD COLUMN next_campaign_at timestamptz, -- when the gap that was drawn after the last campaign message ends
    -- Who took last: a campaign, or the zero id for messages outside campaigns; and when anybody else last took.
    -- A campaign has each contact once, so that alone it need not ask when a contact got its last message.
    ADD COLUMN taken_for        uuid,
    ADD COLUMN others_at        timestamptz   NOT NULL DEFAULT 'epoch';

-- Connections that were there before get the defaults of their channel.
INSERT INTO scopes (company_id, connection_id, limits, others_at)
SELECT company_id, id, '{"per_second": 80, "contact_gap_s": 6}', now() FROM connections WHERE deleted_at IS NULL
ON CONFLICT (company_id, connection_id) DO UPDATE SET limits = EXCLUDED.limits, others_at = EXCLUDED.others_at;

-- When a contact's last messages on a connection have been followed by their gaps, each as long as gap: those that were
-- taken, found by the table that notes each message under its contact. Null: some time ago.
-- +goose StatementBegin
CREATE FUNCTION contact_free_at(company uuid, connection uuid, contact uuid, gap interval, now timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql STABLE -- which keeps its plan; SQL would make it anew in each claim
AS $$
BEGIN
    RETURN (SELECT max(t.claimed_at + t.nth * gap)
        FROM (SELECT o.claimed_at, row_number() OVER (ORDER BY o.claimed_at DESC) AS nth
              FROM (SELECT x.message_id FROM contact_messages x
                    WHERE x.company_id = company AND x.contact_id = contact ORDER BY x.message_id DESC LIMIT 40) x
              JOIN messages o ON o.company_id = company AND o.id = x.message_id
              WHERE o.connection_id = connection AND o.state BETWEEN 1 AND 6 AND o.claimed_at > now - 24 * gap) t);
END
$$;
-- +goose StatementEnd
