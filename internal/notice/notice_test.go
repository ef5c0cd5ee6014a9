package notice_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

// desk is a company with one admin.
type desk struct {
	*testing.T
	db            *postgres.DB
	company, user id.ID
	now           time.Time
}

func newDesk(t *testing.T) *desk {
	db := pgtest.New(t)
	d := &desk{T: t, db: db, company: pgtest.Company(t, db), now: time.Date(2026, time.January, 10, 10, 15, 0, 0, time.UTC)}
	d.user = d.person("ana@example.com", "admin")
	return d
}

func (d *desk) person(email, role string) id.ID {
	d.Helper()
	user := id.New()
	_, err := pgtest.Owner(d.T, d.db).Exec(d.Context(), `INSERT INTO users (id, company_id, email, name, role, password_hash, created_at) VALUES ($1, $2, $3, 'Ana', $4, '', $5)`,
		user, d.company, email, role, d.now.Add(-time.Hour))
	require.NoError(d, err)
	return user
}

func (d *desk) tx(do func(postgres.Tx) error) {
	d.Helper()
	require.NoError(d, d.db.InCompany(d.Context(), d.company, do))
}

// add adds a notice whose id is of its instant, so that days can pass in a moment.
func (d *desk) add(kind notice.Kind, about notice.Subject, count int) {
	d.Helper()
	d.tx(func(tx postgres.Tx) error { return notice.Add(d.Context(), tx, d.company, kind, about, count, d.now) })
	_, err := pgtest.Owner(d.T, d.db).Exec(d.Context(), `UPDATE notices SET id = $1 WHERE at = $2 AND id > $3`, madeAt(d.now), d.now, id.Floor(time.Now().Add(-time.Hour)))
	require.NoError(d, err)
}

func madeAt(at time.Time) id.ID {
	made, floor := id.New(), id.Floor(at)
	copy(made[:6], floor[:6])
	return made
}

func (d *desk) list() (found []notice.Notice) {
	d.Helper()
	d.tx(func(tx postgres.Tx) (err error) {
		found, err = notice.List(d.Context(), tx, d.company, notice.Reader{User: d.user}, id.Floor(d.now.Add(time.Hour)), 50, d.now)
		return err
	})
	return found
}

func (d *desk) unread() (n int) {
	d.Helper()
	d.tx(func(tx postgres.Tx) (err error) {
		n, err = notice.Unread(d.Context(), tx, d.company, notice.Reader{User: d.user}, 100, d.now)
		return err
	})
	return n
}

func (d *desk) digest(user id.ID) (digest notice.Digest) {
	d.Helper()
	d.tx(func(tx postgres.Tx) (err error) {
		digest, err = notice.DigestOf(d.Context(), tx, d.company, user, d.now)
		return err
	})
	return digest
}

// wakes are the digests that were asked for.
func (d *desk) wakes() (n int) {
	d.Helper()
	require.NoError(d, pgtest.Owner(d.T, d.db).QueryRow(d.Context(), `SELECT count(*) FROM wakes WHERE workflow = 'digest'`).Scan(&n))
	return n
}

func TestTheSameWithinTheHourIsOneNotice(t *testing.T) {
	d := newDesk(t)
	campaign := notice.Campaign(id.New())
	d.add(notice.MessagesUncertain, campaign, 3)
	d.now = d.now.Add(40 * time.Minute)
	d.add(notice.MessagesUncertain, campaign, 4)
	require.Len(t, d.list(), 1)
	require.Equal(t, 7, d.list()[0].Count)
	d.add(notice.MessagesUncertain, notice.Connection(id.New()), 1)
	require.Len(t, d.list(), 2, "of another subject")
	d.now = d.now.Add(10 * time.Minute)
	d.add(notice.MessagesUncertain, campaign, 1)
	require.Len(t, d.list(), 3, "in another hour")
	require.Equal(t, 1, d.list()[0].Count)
}

func TestReadingOneAndAll(t *testing.T) {
	d := newDesk(t)
	for range 4 {
		d.add(notice.CampaignFinished, notice.Campaign(id.New()), 1)
		d.now = d.now.Add(time.Second)
	}
	other := d.person("eva@example.com", "admin")
	found := d.list()
	require.Equal(t, 4, d.unread())
	d.tx(func(tx postgres.Tx) error {
		return notice.Read(t.Context(), tx, d.company, notice.Reader{User: d.user}, found[2].ID)
	})
	require.Equal(t, 3, d.unread())
	require.True(t, d.list()[2].Read)
	d.tx(func(tx postgres.Tx) error { return notice.ReadAll(t.Context(), tx, d.company, d.user, found[1].ID) })
	require.Equal(t, 1, d.unread(), "the newest was not seen yet")
	err := d.db.InCompany(t.Context(), d.company, func(tx postgres.Tx) error {
		return notice.Read(t.Context(), tx, d.company, notice.Reader{User: d.user}, id.New())
	})
	require.ErrorIs(t, err, notice.ErrNotFound)
	d.user = other
	require.Equal(t, 4, d.unread(), "everybody reads for themselves")
	d.now = d.now.Add(time.Minute)
	d.user = d.person("new@example.com", "admin")
	_, err = pgtest.Owner(t, d.db).Exec(t.Context(), `UPDATE users SET created_at = $2 WHERE id = $1`, d.user, d.now)
	require.NoError(t, err)
	require.Zero(t, d.unread(), "what was before they came is no news")
	require.Len(t, d.list(), 4)
}

func TestNoticesAreForgottenAfterNinetyDays(t *testing.T) {
	d := newDesk(t)
	d.add(notice.CampaignFinished, notice.Campaign(id.New()), 1)
	d.tx(func(tx postgres.Tx) error {
		return notice.Read(t.Context(), tx, d.company, notice.Reader{User: d.user}, d.list()[0].ID)
	})
	d.now = d.now.Add(91 * 24 * time.Hour)
	require.Empty(t, d.list())
	d.add(notice.CampaignFinished, notice.Campaign(id.New()), 1)
	require.Len(t, d.list(), 1)
	var kept int
	require.NoError(t, pgtest.Owner(t, d.db).QueryRow(t.Context(), `SELECT (SELECT count(*) FROM notices) + (SELECT count(*) FROM notice_reads)`).Scan(&kept))
	require.Equal(t, 1, kept)
}

func TestSwitchesChooseWhatIsSeenAndMailed(t *testing.T) {
	d := newDesk(t)
	d.person("user@example.com", "user")
	d.add(notice.CampaignFinished, notice.Campaign(id.New()), 1)
	require.Zero(t, d.wakes(), "an end is not mailed unless somebody wants it")
	require.True(t, d.digest(d.user).Due.IsZero())
	connection := notice.Connection(id.New())
	d.add(notice.ConnectionLost, connection, 1)
	require.Equal(t, 1, d.wakes(), "a loss is, to admins")
	d.add(notice.ConnectionLost, connection, 1)
	require.Equal(t, 1, d.wakes(), "not again within the hour")
	require.Equal(t, 2, d.unread())

	d.now = d.now.Add(time.Second)
	d.tx(func(tx postgres.Tx) error {
		return notice.PutSwitches(t.Context(), tx, d.company, d.user, []notice.Switch{{notice.CampaignFinished, false, true}, {notice.ConnectionLost, true, false}}, d.now)
	})
	require.Equal(t, 1, d.unread())
	require.Equal(t, notice.ConnectionLost, d.list()[0].Kind)
	require.True(t, d.digest(d.user).Due.IsZero(), "what was before the switch is not mailed")
	d.now = d.now.Add(time.Hour)
	d.add(notice.ConnectionLost, connection, 1)
	require.Equal(t, 1, d.wakes())
	d.add(notice.CampaignFinished, notice.Campaign(id.New()), 1)
	require.Equal(t, 2, d.wakes())
}

func TestADigestGathersAndKeepsItsDistance(t *testing.T) {
	d := newDesk(t)
	first := d.now
	d.add(notice.CampaignPaused, notice.Campaign(id.New()), 1)
	require.Equal(t, first.Add(30*time.Second), d.digest(d.user).Due.UTC())
	d.now = d.now.Add(20 * time.Second)
	d.add(notice.CampaignPaused, notice.Campaign(id.New()), 1)
	d.now = d.now.Add(10 * time.Second)
	digest := d.digest(d.user)
	require.Equal(t, first.Add(30*time.Second), digest.Due.UTC(), "the second goes into the first one's mail")
	message := digest.Mail("https://desk.example.com")
	require.Equal(t, "ana@example.com", message.To)
	require.Contains(t, message.Subject, "2 things")
	require.Contains(t, message.Text, "https://desk.example.com/campaigns/")
	require.Contains(t, message.Text, "https://desk.example.com/settings/notifications")
	d.tx(func(tx postgres.Tx) error { return digest.Mailed(t.Context(), tx, d.company, d.user, d.now) })
	require.True(t, d.digest(d.user).Due.IsZero())

	mailed := d.now
	d.now = d.now.Add(time.Minute)
	d.add(notice.ConnectionLost, notice.Company(d.company), 1)
	require.Equal(t, mailed.Add(10*time.Minute), d.digest(d.user).Due.UTC())
	read := d.list()[0].ID
	d.tx(func(tx postgres.Tx) error {
		return notice.Read(t.Context(), tx, d.company, notice.Reader{User: d.user}, read)
	})
	require.True(t, d.digest(d.user).Due.IsZero(), "what was read in the bell is not mailed")
	require.True(t, d.digest(d.person("user@example.com", "user")).Due.IsZero())
}

// Users hear of connections that they see: in the bell, and by mail when they want it.
func TestUsersHearOfTheirConnections(t *testing.T) {
	d := newDesk(t)
	owner := pgtest.Owner(t, d.db)
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := owner.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	sales, support, line := id.New(), id.New(), id.New()
	exec(`INSERT INTO departments (company_id, id, name) VALUES ($1, $2, 'Sales'), ($1, $3, 'Support')`, d.company, sales, support)
	exec(`INSERT INTO connections (company_id, id, name, channel, app_id, account_id, number_id, webhook_slug, sealed_app_secret, sealed_token, sealed_verify_token, department_id)
		VALUES ($1, $2, 'Shop', 'whatsapp_cloud', '1', '2', '3', $3, '', '', '', $4)`, d.company, line, line.String(), sales)
	user := d.person("user@example.com", "user")
	exec(`UPDATE users SET verified_at = $2 WHERE id = $1`, user, d.now.Add(-time.Hour))
	exec(`INSERT INTO department_members (company_id, user_id, department_id) VALUES ($1, $2, $3)`, d.company, user, sales)
	seen := func(departments ...id.ID) (names []string) {
		t.Helper()
		reader := notice.Reader{User: user, Departments: append([]id.ID{}, departments...)}
		d.tx(func(tx postgres.Tx) error {
			found, err := notice.List(t.Context(), tx, d.company, reader, id.Floor(d.now.Add(time.Hour)), 50, d.now)
			require.NoError(t, err)
			n, err := notice.Unread(t.Context(), tx, d.company, reader, 100, d.now)
			require.Len(t, found, n)
			for _, one := range found {
				names = append(names, one.Name)
			}
			return err
		})
		return names
	}
	d.add(notice.ConnectionLost, notice.Connection(line), 1)
	d.add(notice.CampaignPaused, notice.Campaign(id.New()), 1)
	d.add(notice.TemplateStopped, notice.Connection(line), 1)
	d.add(notice.ConnectionLost, notice.Connection(id.New()), 1) // gone
	require.Equal(t, []string{"Shop"}, seen(sales))
	require.Empty(t, seen(support))
	require.Empty(t, seen())
	lost := d.list()[3].ID
	elsewhere := notice.Reader{User: user, Departments: []id.ID{support}}
	err := d.db.InCompany(t.Context(), d.company, func(tx postgres.Tx) error { return notice.Read(t.Context(), tx, d.company, elsewhere, lost) })
	require.ErrorIs(t, err, notice.ErrNotFound)

	require.True(t, d.digest(user).Due.IsZero(), "nothing is mailed to users unasked")
	wakes := d.wakes()
	d.tx(func(tx postgres.Tx) error {
		reader := notice.Reader{User: user, Departments: []id.ID{sales}}
		switches, err := notice.Switches(t.Context(), tx, d.company, reader)
		require.Equal(t, []notice.Switch{{Kind: notice.ConnectionLost, Bell: true}, {Kind: notice.MessagesUncertain, Bell: true}}, switches)
		require.NoError(t, err)
		return notice.PutSwitches(t.Context(), tx, d.company, user, []notice.Switch{{Kind: notice.MessagesUncertain, Bell: true, Mail: true}}, d.now)
	})
	d.now = d.now.Add(time.Minute)
	d.add(notice.MessagesUncertain, notice.Campaign(id.New()), 1)
	require.Equal(t, wakes, d.wakes(), "campaigns are the admins' concern")
	d.add(notice.MessagesUncertain, notice.Connection(line), 2)
	require.Equal(t, wakes+1, d.wakes())
	d.now = d.now.Add(time.Minute)
	message := d.digest(user).Mail("https://desk.example.com")
	require.Contains(t, message.Text, "An admin decides")
	require.Contains(t, message.Text, "https://desk.example.com/connections/"+line.String())
	require.NotContains(t, message.Text, "/uncertain")
	exec(`DELETE FROM department_members WHERE user_id = $1`, user)
	require.True(t, d.digest(user).Due.IsZero(), "they have left the department meanwhile")
}

// A notice whose transaction is slow may have an earlier id than one that is committed: it must not be passed over.
func TestADigestPassesNoLateNoticeOver(t *testing.T) {
	d := newDesk(t)
	d.add(notice.CampaignPaused, notice.Campaign(id.New()), 1)
	d.now = d.now.Add(28 * time.Second)
	d.add(notice.CampaignPaused, notice.Campaign(id.New()), 1)
	d.now = d.now.Add(2 * time.Second)
	digest := d.digest(d.user)
	require.NotContains(t, digest.Mail("").Subject, "2 things")
	d.tx(func(tx postgres.Tx) error { return digest.Mailed(t.Context(), tx, d.company, d.user, d.now) })
	require.False(t, d.digest(d.user).Due.IsZero(), "the second waits for the next mail")
}
