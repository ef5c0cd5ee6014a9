package world

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openLedger(t *testing.T, path string, mode LedgerMode) *Ledger {
	t.Helper()
	ledger, err := OpenLedger(path, mode)
	require.NoError(t, err)
	return ledger
}

func lines(t *testing.T, ledger *Ledger, since int64) []string {
	t.Helper()
	var out bytes.Buffer
	next, err := ledger.WriteTo(&out, since)
	require.NoError(t, err)
	require.Equal(t, ledger.Count(), next)
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestLedgerKeepsEveryLine(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]LedgerMode{"written": LedgerWritten, "synced": LedgerSynced, "buffered": LedgerBuffered} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "ledger.jsonl")
			ledger := openLedger(t, path, mode)
			began := time.Now()
			var group sync.WaitGroup
			const writers, each = 16, 20
			for writer := range writers {
				group.Go(func() {
					for n := range each {
						if err := ledger.Append(&Entry{ID: fmt.Sprintf("%d-%d", writer, n), To: "\"odd\"\n", At: time.Now()}); err != nil {
							t.Errorf("appending: %v", err)
						}
					}
				})
			}
			group.Wait()
			require.Len(t, lines(t, ledger, 0), writers*each)
			require.NoError(t, ledger.Close())
			require.Error(t, ledger.Append(&Entry{}), "a closed ledger takes nothing")

			ledger = openLedger(t, path, mode)
			seen := map[string]bool{}
			require.NoError(t, ledger.Since(began, func(entry Entry) {
				seen[entry.ID] = true
				require.Equal(t, "\"odd\"\n", entry.To)
			}))
			require.Len(t, seen, writers*each)
			require.NoError(t, ledger.Close())
		})
	}
}

func TestLedgerFindsItsPlace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	ledger := openLedger(t, path, LedgerBuffered)
	start := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	const total = 2*indexEvery + 100
	for n := range total {
		require.NoError(t, ledger.Append(&Entry{ID: fmt.Sprint(n), At: start.Add(time.Duration(n) * time.Second)}))
	}
	require.NoError(t, ledger.Close())

	ledger = openLedger(t, path, LedgerWritten)
	for _, since := range []int64{1, indexEvery - 1, indexEvery, indexEvery + 1, total - 1} {
		got := lines(t, ledger, since)
		require.Len(t, got, int(total-since))
		require.Contains(t, got[0], fmt.Sprintf(`"id":"%d"`, since))
	}
	require.Equal(t, []string{""}, lines(t, ledger, total+5))
	for _, from := range []int{0, indexEvery - 1, total - 3} {
		count := 0
		require.NoError(t, ledger.Since(start.Add(time.Duration(from)*time.Second), func(Entry) { count++ }))
		require.Equal(t, total-from, count)
	}
	require.NoError(t, ledger.Close())
}

func TestLedgerDropsATornLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	require.NoError(t, os.WriteFile(path, []byte("{\"id\":\"a\"}\n{\"id\":\"b"), 0o600))
	ledger := openLedger(t, path, LedgerWritten)
	require.NoError(t, ledger.Append(&Entry{ID: "c"}))
	got := lines(t, ledger, 0)
	require.Len(t, got, 2)
	require.Contains(t, got[1], `"id":"c"`)
	require.NoError(t, ledger.Close())
}

func TestFaultsDrawTheSameForASeed(t *testing.T) {
	t.Parallel()
	half := 0.5
	draw := func() string {
		var faults Faults
		require.NoError(t, faults.Set([]Fault{{Drop: true, Probability: &half, Seed: 9}}))
		out := ""
		for range 64 {
			out += fmt.Sprint(faults.Pick("1", "2") != nil, " ")
		}
		return out
	}
	require.Equal(t, draw(), draw())
	require.Contains(t, draw(), "true")
	require.Contains(t, draw(), "false")
}

func TestFaultsMatch(t *testing.T) {
	t.Parallel()
	var faults Faults
	require.Nil(t, faults.Pick("1", "2"))
	require.NoError(t, faults.Set([]Fault{
		{Match: Match{NumberID: "1", To: "2"}, Code: 1, Times: 2},
		{Match: Match{NumberID: "7"}, Code: 2},
		{Match: Match{Share: 0.3}, Code: 3},
	}))
	require.Equal(t, 1, faults.Pick("1", "2").Code)
	require.Equal(t, 1, faults.Pick("1", "2").Code)
	require.Equal(t, 2, faults.Pick("7", "2").Code)
	hit := 0
	for n := range 1000 {
		to := fmt.Sprint(n)
		first := faults.Pick("9", to)
		require.Equal(t, first, faults.Pick("9", to), "a share holds the same recipients each time")
		if first != nil {
			require.Equal(t, 3, first.Code)
			hit++
		}
	}
	require.InDelta(t, 300, hit, 60)
	for _, unfit := range []Fault{{Match: Match{Share: 2}}, {HTTPStatus: 99}, {DelayMS: -1}} {
		require.Error(t, faults.Set([]Fault{unfit}))
	}
	require.Len(t, faults.List(), 3, "an unfit list changes nothing")
	require.NoError(t, faults.Set(nil))
	require.Nil(t, faults.Pick("7", "2"))
}

func TestCurvePlansInOrder(t *testing.T) {
	t.Parallel()
	curve := DefaultCurve
	at := time.Now()
	read := 0
	for n := range 1000 {
		to := fmt.Sprint(n)
		ticks := curve.Plan(to, at)
		require.Equal(t, ticks, curve.Plan(to, at), "a phone behaves the same each time")
		require.Equal(t, "sent", ticks[0].Kind)
		require.Equal(t, "delivered", ticks[1].Kind)
		for i := 1; i < len(ticks); i++ {
			require.False(t, ticks[i].At.Before(ticks[i-1].At))
		}
		if len(ticks) == 3 {
			read++
		}
	}
	require.InDelta(t, 700, read, 60)
	require.Nil(t, (&Curve{Off: true}).Plan("1", at))

	rough := Curve{DeliveredAfterMS: 10, ReadShare: 1, DuplicateShare: 1, LateShare: 1, LateByMS: 1000, Shuffle: true, FailedShare: 0}
	ticks := rough.Plan("1", at)
	require.Len(t, ticks, 6)
	for _, tick := range ticks {
		require.GreaterOrEqual(t, tick.Due.Sub(tick.At), time.Second)
	}
}

func TestPeopleForgetOldPhones(t *testing.T) {
	t.Parallel()
	people, err := LoadPeople(filepath.Join(t.TempDir(), "people.json"))
	require.NoError(t, err)
	at := time.Now()
	for n := range 3 * shardCount * phonesPerShard {
		people.Add(fmt.Sprint(n), Line{In: true, ProviderID: "a", At: at.Add(time.Duration(n))})
	}
	require.LessOrEqual(t, len(people.List(1<<20)), shardCount*phonesPerShard)
	for n := range 2 * linesPerPhone {
		people.Add("55", Line{In: true, ProviderID: fmt.Sprint(n), At: at})
	}
	people.Mark("55", fmt.Sprint(2*linesPerPhone-1), "read")
	people.Mark("55", fmt.Sprint(2*linesPerPhone-1), "delivered")
	people.Mark("never seen", "a", "read")
	thread := people.Get("55").Lines
	require.Len(t, thread, linesPerPhone)
	require.Equal(t, "read", thread[linesPerPhone-1].Status, "a late status takes nothing back")
}

func TestPeopleSurvive(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "people.json")
	people, err := LoadPeople(path)
	require.NoError(t, err)
	at := time.Now()
	name, err := people.Wrote("55", "106", "BR.1", "Ana", at)
	require.NoError(t, err)
	require.Equal(t, "Ana", name)
	require.NoError(t, people.Change("55", func(h *Habits) { h.Blocked = true }))
	require.NoError(t, people.Change("55", func(h *Habits) { h.Blocked = true }))

	people, err = LoadPeople(path)
	require.NoError(t, err)
	require.True(t, people.Habits("55").Blocked)
	require.False(t, people.Habits("56").Blocked)
	require.True(t, people.WindowOpen("55", "106", at.Add(23*time.Hour)))
	require.False(t, people.WindowOpen("55", "106", at.Add(24*time.Hour)))
	require.False(t, people.WindowOpen("55", "107", at))
	require.NoError(t, people.Change("55", func(h *Habits) { h.Blocked = false }))
	require.False(t, people.Habits("55").Blocked)

	require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
	_, err = LoadPeople(path)
	require.Error(t, err)
}

// TestQueueStopsWhileRefused checks that Close ends a queue whose target never takes anything.
func TestQueueStopsWhileRefused(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		asked <- struct{}{}
	}))
	defer server.Close()
	queue := NewQueue(func(items []string) []byte { return []byte(strings.Join(items, ",")) })
	queue.Add(Target{URL: server.URL}, time.Now(), "a")
	queue.Add(Target{URL: "http://127.0.0.1:0"}, time.Now(), "b")
	queue.Add(Target{URL: server.URL}, time.Now().Add(time.Hour), "later")
	<-asked
	<-asked // tried again
	queue.Close()
	require.Equal(t, int64(3), queue.Stats().Pending)
	require.Zero(t, queue.Stats().Told)
}
