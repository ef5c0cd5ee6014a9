package worker_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"

	"omnidesk/internal/contact"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/wake"
)

// Imports are long, so a worker that dies in the middle of one is the common case, not the odd one.
func TestImportsOnARealServer(t *testing.T) {
	url := database(t)
	s := newStage(t, url, temporalAddress(t, url))
	child := s.startChild(t)
	k := s.newShop(t, 0)
	const rows = 40_000
	i := k.upload(rows)
	k.awaitImport(i, func(now contact.Import) bool { return now.State == contact.ImportReady })
	require.Equal(t, rows, k.imported(i).Preview.New)
	live, _ := k.awaitLive(flow.Import(i), func(l flow.Live) bool { return l.State == "ready" })
	require.Equal(t, "waits for somebody to start it", live.Reason)
	k.commandImport(i, func(tx postgres.Tx) error { return contact.StartImport(t.Context(), tx, k.company, i, 1, time.Now()) })
	k.awaitImport(i, func(now contact.Import) bool { return now.Counts.Read > 0 })
	child.Kill()
	<-child.Done()
	cut := k.imported(i)
	require.Equal(t, contact.ImportRunning, cut.State)
	require.Less(t, cut.Counts.Read, rows)

	s.startWorker(t)
	k.awaitImport(i, func(now contact.Import) bool { return now.State == contact.ImportFinished })
	require.Equal(t, contact.ImportCounts{Read: rows, Added: rows}, k.imported(i).Counts)
	require.Equal(t, []int{rows, rows, rows}, k.countsOf(i))
	k.awaitEnd(flow.Import(i))
	h := k.examine(flow.Import(i), "", "import", fewEvents)
	require.Positive(t, count(h, enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED))

	k.commandImport(i, func(tx postgres.Tx) error { return contact.StartUndo(t.Context(), tx, k.company, i, time.Now()) })
	k.awaitImport(i, func(now contact.Import) bool { return now.State == contact.ImportUndone })
	require.Equal(t, contact.UndoCounts{Deleted: rows}, *k.imported(i).Counts.Undo)
	require.Equal(t, []int{0, 0, rows}, k.countsOf(i))
	k.awaitEnd(flow.Import(i))
	k.examine(flow.Import(i), "", "import-undo", fewEvents)
}

// upload keeps a file of people whom nobody may see in Temporal, as the server does.
func (k *shop) upload(rows int) id.ID {
	k.Helper()
	var file strings.Builder
	file.WriteString("phone,name,city,tags\n")
	for n := range rows {
		fmt.Fprintf(&file, "+5511977%06d,Zebedeu %d,Xiquexique,Segredo\n", n, n)
	}
	made, err := contact.Upload(k.Context(), k.db, k.company, nil, "Campanha.csv", strings.NewReader(file.String()))
	require.NoError(k, err)
	k.commandImport(made, func(postgres.Tx) error { return nil })
	return made
}

func (k *shop) commandImport(of id.ID, do func(postgres.Tx) error) {
	k.Helper()
	k.tx(func(tx postgres.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		return wake.Append(k.Context(), tx, k.company, flow.Import(of), false)
	})
	k.relay.Hint()
}

func (k *shop) imported(of id.ID) (i contact.Import) {
	k.Helper()
	k.tx(func(tx postgres.Tx) (err error) {
		i, err = contact.GetImport(context.Background(), tx, k.company, of)
		return err
	})
	return i
}

func (k *shop) awaitImport(of id.ID, fits func(contact.Import) bool) {
	k.Helper()
	eventually(k.T, "the import gets on", func() bool { return fits(k.imported(of)) })
}

// countsOf are the company's contacts, their phones, and the rows that the import remembers.
func (k *shop) countsOf(of id.ID) []int {
	k.Helper()
	counts := make([]int, 3)
	require.NoError(k, pgtest.Owner(k.T, k.db).QueryRow(k.Context(), `SELECT (SELECT count(*) FROM contacts WHERE company_id = $1),
		(SELECT count(DISTINCT value) FROM identities WHERE company_id = $1), (SELECT count(*) FROM import_rows WHERE import_id = $2)`, k.company, of).Scan(&counts[0], &counts[1], &counts[2]))
	return counts
}
