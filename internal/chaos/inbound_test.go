package chaos

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/sandbox/world"
)

// writers is how many people write during a storm, each at its own pace.
const writers = 8

// written is one message of a person, as the sandbox has it.
type written struct {
	wamid string
	phone string
	// Between these the sandbox took it: its provider's time is one of theirs, and on a busy machine they lie seconds apart.
	asked, answered time.Time
}

// peopleWrite lets people write to the company all the time, while webhooks come twice and in any order. It ends when told to.
func (s *storm) peopleWrite() (stop func()) {
	s.sandbox.must(http.MethodPut, "/faults", []world.Fault{
		{DelayMS: int(stormSend.Milliseconds())}, {Webhooks: &world.HookFault{DoubleShare: 0.2, Shuffle: true}},
	}, nil)
	end := make(chan struct{})
	var mu sync.Mutex
	var all sync.WaitGroup
	for n := range writers {
		random := rand.New(rand.NewPCG(s.random.Uint64(), 2))
		phone := fmt.Sprintf("55119%08d", firstNumber+n)
		all.Go(func() {
			for i := 0; ; i++ {
				body, _ := json.Marshal(map[string]string{"number_id": numberID, "text": fmt.Sprint("Hello ", i)}) // strings have a JSON form
				var taken struct{ ID string }
				asked := time.Now()
				if s.sandbox.call(http.MethodPost, "/phones/"+phone+"/messages", "application/json", bytes.NewReader(body), &taken) == nil {
					mu.Lock()
					s.written = append(s.written, written{taken.ID, phone, asked, time.Now()})
					mu.Unlock()
				}
				select {
				case <-end:
					return
				case <-time.After(time.Duration(50+random.IntN(450)) * time.Millisecond):
				}
			}
		})
	}
	return func() { close(end); all.Wait() }
}

// judgeInbound waits until the server has acknowledged everything that people wrote, and holds the database against it: each
// message is there once, and in its conversation in the order of the provider's time.
func (s *storm) judgeInbound() (lost, doubled, disordered int) {
	s.sandbox.must(http.MethodPost, "/webhooks/retry", nil, nil)
	require.Eventually(s.t, func() bool {
		var stats world.HookStats
		return s.sandbox.get("/webhooks", &stats) == nil && stats.Pending == 0 && stats.GivenUp == 0
	}, time.Minute, 200*time.Millisecond, "every webhook is acknowledged in the end")
	stored := s.storedInbound()
	byPhone := map[string][]written{}
	places := map[string]int{}
	for place, wamid := range stored {
		if _, again := places[wamid]; again {
			doubled++
		}
		places[wamid] = place
	}
	slices.SortFunc(s.written, func(a, b written) int { return places[a.wamid] - places[b.wamid] })
	for _, one := range s.written {
		if _, found := places[one.wamid]; !found {
			lost++
			continue
		}
		byPhone[one.phone] = append(byPhone[one.phone], one)
	}
	for _, all := range byPhone {
		for i := 1; i < len(all); i++ {
			if all[i-1].asked.Unix() > all[i].answered.Unix() { // the provider's times are whole seconds
				disordered++
			}
		}
	}
	return lost, doubled, disordered
}

// storedInbound are the provider's ids of what contacts wrote since the campaign was made, in the order of threads.
func (s *storm) storedInbound() (wamids []string) {
	since, err := id.Parse(s.campaign)
	require.NoError(s.t, err)
	require.NoError(s.t, s.rig.DB.InCompany(s.t.Context(), s.company, func(tx postgres.Tx) error {
		rows, err := tx.Query(s.t.Context(), `SELECT provider_id FROM messages WHERE company_id = $1 AND direction = 1 AND id > $2 ORDER BY id`,
			s.company, id.At(id.Time(since).Add(-time.Minute), 0))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var wamid string
			if err := rows.Scan(&wamid); err != nil {
				return err
			}
			wamids = append(wamids, wamid)
		}
		return rows.Err()
	}))
	return wamids
}
