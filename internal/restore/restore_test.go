package restore_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/restore"
)

// shop is a database in which something was sent from two companies.
type shop struct {
	*testing.T
	db            *postgres.DB
	owner         *pgx.Conn
	first, second id.ID
	connection    id.ID
	file          string
}

func newShop(t *testing.T) *shop {
	s := &shop{T: t, db: pgtest.New(t), connection: id.New(), file: filepath.Join(t.TempDir(), "kept", "position.json")}
	s.owner = pgtest.Owner(t, s.db)
	require.NoError(t, s.db.InSystem(t.Context(), func(tx postgres.Tx) error {
		for _, into := range []*id.ID{&s.first, &s.second} {
			company, err := account.CreateCompany(t.Context(), tx, "Shop", "UTC", false)
			if err != nil {
				return err
			}
			*into = company.ID
		}
		return nil
	}))
	s.exec(`INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug, sealed_app_secret, sealed_token, sealed_verify_token)
		VALUES ($1, $2, 'whatsapp_cloud', 'Main', 'app', 'waba', 'number', repeat('s', 22), '', '', '')`, s.first, s.connection)
	s.exec(`INSERT INTO scopes (company_id, connection_id) VALUES ($1, $2)`, s.first, s.connection)
	return s
}

func (s *shop) exec(sql string, args ...any) {
	_, err := s.owner.Exec(s.Context(), sql, args...)
	require.NoError(s, err)
}

// used makes the database one from which something was sent.
func (s *shop) used() *shop {
	s.exec(`UPDATE scopes SET page_epoch = 3`)
	return s
}

// worker is a process that has its own memory of the database.
func (s *shop) worker(file string) *restore.Keeper { return &restore.Keeper{DB: s.open(), File: file} }

// open is another process's pool.
func (s *shop) open() *postgres.DB {
	db, err := postgres.Open(s.Context(), s.db.URL(), postgres.Options{MaxConns: 4})
	require.NoError(s, err)
	s.Cleanup(db.Close)
	return db
}

func (s *shop) check(k *restore.Keeper) { require.NoError(s, k.Check(s.Context())) }

// hold of a company, as a person is told; empty when it has none.
func (s *shop) hold(company id.ID) (reason string) {
	require.NoError(s, s.db.InCompany(s.Context(), company, func(tx postgres.Tx) error {
		found, err := restore.HoldOf(s.Context(), tx, company)
		if found != nil {
			reason = found.Reason
		}
		return err
	}))
	return reason
}

func (s *shop) release(company id.ID) error {
	return s.db.InCompany(s.Context(), company, func(tx postgres.Tx) error {
		return restore.Release(s.Context(), tx, company, id.Nil, time.Now())
	})
}

// claim tells whether a process may claim for a company.
func (s *shop) claim(db *postgres.DB, company id.ID) error {
	return db.Batch(s.Context(), company, func(b *pgx.Batch) { db.QueueGuard(b, company) }, func(results pgx.BatchResults) error {
		_, err := results.Exec()
		return err
	})
}

// remembered changes what a file says.
func (s *shop) remembered(change func(memory map[string]any)) {
	text, err := os.ReadFile(s.file)
	require.NoError(s, err)
	memory := map[string]any{}
	require.NoError(s, json.Unmarshal(text, &memory))
	change(memory)
	text, err = json.Marshal(memory)
	require.NoError(s, err)
	require.NoError(s, os.WriteFile(s.file, text, 0o600))
}

func TestAFirstStartIsNoRestore(t *testing.T) {
	s := newShop(t)
	worker := s.worker(s.file)
	s.check(worker)
	require.Empty(t, s.hold(s.first))
	require.NoError(t, s.claim(worker.DB, s.first))
	s.used()
	s.check(s.worker(s.file))
	require.Empty(t, s.hold(s.first), "nor is a second one, which finds its file")
}

// Each way in which a database can be another one than it was is told by a sentence of its own.
func TestADatabaseThatHasGoneBackIsHeld(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*shop)
		says   string
	}{
		"an earlier mark, although the log has grown past it": {func(s *shop) { s.exec(`UPDATE positions SET mark = mark - 1`) }, "gone back"},
		"nobody's mark":   {func(s *shop) { s.exec(`DELETE FROM positions`) }, "gone back"},
		"a shorter log":   {func(s *shop) { s.remembered(func(m map[string]any) { m["lsn"] = 1 << 60 }) }, "gone back"},
		"another cluster": {func(s *shop) { s.remembered(func(m map[string]any) { m["system_id"] = "1" }) }, "another database"},
		"another history": {func(s *shop) { s.remembered(func(m map[string]any) { m["timeline"] = "0000000F" }) }, "standby"},
		"no file":         {func(s *shop) { require.NoError(s, os.Remove(s.file)) }, "file of OMNIDESK_POSITION_FILE is missing"},
		"half a file":     {func(s *shop) { require.NoError(s, os.Truncate(s.file, 20)) }, "file of OMNIDESK_POSITION_FILE is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.check(s.worker(s.file))
			s.used()
			s.exec(`UPDATE positions SET at = at - interval '10 minutes'`) // nobody is alive in a restored database
			c.change(s)
			worker := s.worker(s.file)
			s.check(worker)
			for _, company := range []id.ID{s.first, s.second} {
				require.Contains(t, s.hold(company), c.says)
				require.True(t, postgres.IsRestored(s.claim(worker.DB, company)))
			}
			var waits string
			require.NoError(t, s.owner.QueryRow(t.Context(), `SELECT reason FROM waits WHERE subject_id = $1 AND ended_at IS NULL`, s.connection).Scan(&waits))
			require.Equal(t, s.hold(s.first), waits, "messages say what they wait for")

			s.check(s.worker(s.file))
			require.NotEmpty(t, s.hold(s.first), "a restart releases nothing")
			require.NoError(t, s.release(s.first))
			require.ErrorIs(t, s.release(s.first), restore.ErrNothingHeld)
			require.NoError(t, s.claim(worker.DB, s.first))
			require.True(t, postgres.IsRestored(s.claim(worker.DB, s.second)), "each company releases its own")
			var open, wakes int
			require.NoError(t, s.owner.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM waits WHERE ended_at IS NULL), (SELECT count(*) FROM wakes)`).Scan(&open, &wakes))
			require.Zero(t, open)
			require.Equal(t, 1, wakes, "its senders look again")
			s.check(s.worker(s.file))
			require.Empty(t, s.hold(s.first), "a restore is found once")
		})
	}
}

// A worker that sleeps through a restore and its release must not stop the house again.
func TestARestoreIsFoundOnce(t *testing.T) {
	s := newShop(t)
	s.check(s.worker(s.file))
	s.used()
	other := filepath.Join(t.TempDir(), "position.json")
	s.check(s.worker(s.file)) // whose mark moves on
	text, err := os.ReadFile(s.file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(other, text, 0o600))
	s.exec(`UPDATE positions SET mark = mark - 1`)
	s.check(s.worker(s.file))
	require.NoError(t, s.release(s.first))
	s.exec(`UPDATE positions SET mark = 0`) // as the sleeper's own would be
	s.check(s.worker(other))
	require.Empty(t, s.hold(s.first), "this is the restore that was released")
	require.NotEmpty(t, s.hold(s.second), "and this one still waits")

	s.exec(`UPDATE positions SET mark = mark - 1`)
	s.check(s.worker(other))
	require.NotEmpty(t, s.hold(s.first), "a second restore is another one")
}

// A restored database has the marks of those that saw it alive, but they stand still.
func TestANewMachineJoinsALivingHouse(t *testing.T) {
	s := newShop(t)
	old := s.worker(s.file)
	s.check(old)
	s.used()
	done := make(chan error, 1)
	fresh := s.worker(filepath.Join(t.TempDir(), "position.json"))
	go func() { done <- fresh.Check(context.WithoutCancel(t.Context())) }()
	for waiting := true; waiting; {
		select {
		case err := <-done:
			require.NoError(t, err)
			waiting = false
		case <-time.After(100 * time.Millisecond):
			s.check(old) // goes on stamping
		}
	}
	require.Empty(t, s.hold(s.first))
	require.NoError(t, s.claim(fresh.DB, s.first))
}

// Between two looks the claim itself notices.
func TestAClaimOnAnEarlierDatabaseIsRefused(t *testing.T) {
	s := newShop(t)
	worker := s.worker(s.file)
	s.check(worker)
	require.NoError(t, s.claim(worker.DB, s.first))
	s.exec(`UPDATE positions SET mark = mark - 1`)
	require.True(t, postgres.IsRestored(s.claim(worker.DB, s.first)))
	require.Empty(t, s.hold(s.first), "the next look writes the hold down")
	s.check(worker)
	require.NotEmpty(t, s.hold(s.first))
}

func TestASynchronousStandbyTakesOverWithoutAHold(t *testing.T) {
	s := newShop(t)
	s.check(s.worker(s.file))
	s.used()
	s.remembered(func(m map[string]any) { m["timeline"] = "0000000F" })
	worker := s.worker(s.file)
	worker.Lossless = true
	s.check(worker)
	require.Empty(t, s.hold(s.first))
	s.exec(`UPDATE positions SET mark = mark - 1`)
	s.check(worker)
	require.NotEmpty(t, s.hold(s.first), "one that did lose something is held all the same")
}

func TestAFileThatCannotBeWrittenNamesItsSetting(t *testing.T) {
	s := newShop(t)
	closed := filepath.Join(t.TempDir(), "a file")
	require.NoError(t, os.WriteFile(closed, nil, 0o600))
	require.ErrorContains(t, s.worker(filepath.Join(closed, "position.json")).Check(t.Context()), "OMNIDESK_POSITION_FILE")
}

func TestAnOlderVersionsDatabaseIsTakenOver(t *testing.T) {
	s := newShop(t).used()
	require.NoError(t, s.worker(s.file).Adopt(t.Context()))
	s.check(s.worker(s.file))
	require.Empty(t, s.hold(s.first))
	other := filepath.Join(t.TempDir(), "position.json")
	require.NoError(t, s.worker(other).Adopt(t.Context()))
	require.NoFileExists(t, other, "but never one that somebody has seen")
}
