-- Whom an audience reaches on a connection. $1 company · $2 connection · $3 the company's zone · $4 only with an open
-- window · $5 now. /* members */ is the condition on contacts c that the audience stands for; /* columns */ are more
-- columns of c. What follows reads reach. One statement of set operations: a look-up per contact would take as long as
-- everything else together. Not in queries.sql, because the condition of a segment is known at run time only.
WITH member AS (
    SELECT c.id, c.zone, c.opted_out_at IS NOT NULL AS opted_out/* columns */
    FROM contacts c WHERE /* members */
), phone AS (
    SELECT DISTINCT ON (i.contact_id) i.contact_id, i.id AS identity_id, i.zones
    FROM identities i JOIN member m ON m.id = i.contact_id
    WHERE i.company_id = $1 AND i.kind = 'phone'
    ORDER BY i.contact_id, i.id
), reach AS (
    -- The contact's own zone, else those of the number, else the company's.
    SELECT m.*, coalesce(m.zone, nullif(p.zones, ''), $3::text) AS zones, p.identity_id, w.contact_id IS NOT NULL AS open,
        NOT $4::boolean OR w.contact_id IS NOT NULL AS reachable
    FROM member m
    LEFT JOIN phone p ON p.contact_id = m.id
    LEFT JOIN service_windows w ON w.company_id = $1 AND w.connection_id = $2 AND w.contact_id = m.id AND w.open_until > $5::timestamptz
)
