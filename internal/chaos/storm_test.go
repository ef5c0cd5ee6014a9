package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/rig"
	"omnidesk/internal/send"
)

// corpus are seeds that every run repeats: the first, and each that was ever red.
var corpus = []uint64{1}

// soon is how long after the parts are ready the next send may take to be accepted.
const soon = 15 * time.Second

// stormSend is so long that 2,000 messages outlast ten kills.
const stormSend = 450 * time.Millisecond

// seeds are those of OMNIDESK_CHAOS_SEEDS, or else the corpus and a fresh one.
func seeds(t *testing.T) (list []uint64) {
	for text := range strings.FieldsSeq(os.Getenv("OMNIDESK_CHAOS_SEEDS")) {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "OMNIDESK_CHAOS_SEEDS takes numbers with spaces between them")
		list = append(list, seed)
	}
	if list == nil {
		list = append(slices.Clone(corpus), uint64(rand.Uint32()))
	}
	return list
}

func setting(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}

// storm is one campaign under faults drawn from a seed, and what it cost.
type storm struct {
	*house
	random     *rand.Rand
	campaign   string
	since      int64
	kills      int
	doubtful   int // faults that may leave a page's claims without an outcome
	recovery   time.Duration
	mostUnsure int
	said       []id.ID // contacts that the API said it has made
	queued     []id.ID // urgent messages whose commit was answered
	checked    int     // checks of the connection that were answered
	written    []written
}

// urgentBound is how many claims of one urgent run may be open: the worker's own default of 16 slots.
const urgentBound = 2 * 16

// TestStorms runs a campaign of 2,000 messages under ten kills, many at a failpoint, and as many bad links as the seed
// draws, with an API client at work, urgent messages beside the campaign and people who write, and holds the API's answers, the database and the sandbox's ledger against each other.
func TestStorms(t *testing.T) {
	h := newFragileHouse(t)
	messages, kills := setting(t, "OMNIDESK_CHAOS_MESSAGES", 2000), setting(t, "OMNIDESK_CHAOS_KILLS", 10)
	h.importContacts(messages)
	for _, seed := range seeds(t) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			s := &storm{house: h.in(t), random: rand.New(rand.NewPCG(seed, 0))}
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("repeat it with OMNIDESK_CHAOS_SEEDS=%d; a red seed belongs into the corpus", seed)
				}
			})
			s.rage(kills)
			s.judge(seed)
		})
	}
}

func (s *storm) rage(kills int) {
	s.slow(stormSend)
	s.since = s.accepted()
	s.campaign = s.start("storm")
	client, urgent, checks, people := s.client(), s.urgent(), s.checks(), s.peopleWrite()
	defer client()
	defer urgent()
	defer checks()
	defer people()
	for s.kills < kills {
		s.pass(200, 1200)
		require.NotEqual(s.t, "finished", s.state(), "the campaign must outlast the kills")
		if s.random.IntN(3) == 0 {
			s.spoilOne()
			continue
		}
		s.killOne()
	}
}

// pass lets a drawn time go by: the instants of the faults are the test's input.
func (s *storm) pass(least, most int) {
	<-time.After(time.Duration(least+s.random.IntN(most-least)) * time.Millisecond)
}

// killOne ends one part, or two at once, starts them again after a while, and mostly waits until sends go on.
func (s *storm) killOne() {
	parts := []string{rig.Work, rig.Work, rig.Work, rig.Serve, rig.Serve, rig.Temporal, postgresPart, postgresPart}
	victims := []string{parts[s.random.IntN(len(parts))]}
	if other := parts[s.random.IntN(len(parts))]; s.random.IntN(5) == 0 && other != victims[0] {
		victims = append(victims, other)
	}
	s.t.Logf("kill %s%s", strings.Join(victims, " and "), s.standStill(victims[0]))
	for _, part := range victims {
		s.killOnly(part)
		s.kills++
		if part == rig.Work {
			s.doubtful++
		}
	}
	s.pass(0, 800)
	slices.SortFunc(victims, func(a, b string) int { return s.order(a) - s.order(b) })
	for _, part := range victims {
		s.revive(part)
	}
	if s.random.IntN(4) > 0 { // else the next fault meets the recovery
		s.awaitSend()
	}
}

// standStill makes a victim stop at a drawn failpoint in half of the kills, and says where. A place that nobody passes
// soon is no reason to spare it.
func (s *storm) standStill(part string) string {
	var points []failpoint
	for _, point := range failpoints {
		if point.part == part && point.folder != "activities" { // a storm's campaign is fed at its start
			points = append(points, point)
		}
	}
	if len(points) == 0 || s.random.IntN(2) == 0 {
		return ""
	}
	point := points[s.random.IntN(len(points))]
	point.visit = 1 + s.random.IntN(3)
	s.arm(point)
	for range 40 {
		if s.reached(point) {
			return " between " + point.between
		}
		<-time.After(25 * time.Millisecond)
	}
	return ""
}

// order in which parts start: what another needs comes first.
func (s *storm) order(part string) int {
	return slices.Index([]string{postgresPart, rig.Temporal, rig.Serve, rig.Work}, part)
}

// spoilOne makes one link bad for a while.
func (s *storm) spoilOne() {
	names := []string{linkName(rig.Work, rig.Postgres), linkName(rig.Serve, rig.Postgres), linkName(rig.Work, rig.Temporal),
		linkName(rig.Serve, rig.Temporal), linkName(rig.Temporal, rig.Postgres), linkName(rig.Work, rig.Sandbox), linkName(rig.Serve, rig.Sandbox),
		linkName(rig.Sandbox, rig.Serve)}
	toxics := []string{slowLink, blackHole, resets, cutAnswers}
	name, toxic := names[s.random.IntN(len(names))], toxics[s.random.IntN(len(toxics))]
	s.t.Logf("spoil %s with %s", name, toxic)
	if name == linkName(rig.Work, rig.Sandbox) || name == linkName(rig.Work, rig.Postgres) {
		s.doubtful++
	}
	heal := s.links.spoil(name, toxic)
	s.pass(300, 2500)
	heal()
}

// awaitSend measures how long after its start the parts need until the provider accepts the next send. While the
// connection is held, because the provider could not be understood, the wait is the hold's and not ours.
func (s *storm) awaitSend() {
	if s.held() {
		return
	}
	ready, before := time.Now(), s.accepted()
	require.Eventually(s.t, func() bool { return s.accepted() > before || s.state() == "finished" }, deadline, 10*time.Millisecond, "sends go on")
	if !s.held() {
		s.recovery = max(s.recovery, time.Since(ready))
	}
}

func (s *storm) held() (held bool) {
	err := s.rig.DB.InCompany(s.t.Context(), s.company, func(tx postgres.Tx) error {
		return tx.QueryRow(s.t.Context(), `SELECT coalesce(bool_or(holds > 0 OR probing), false) FROM scopes WHERE company_id = $1 AND connection_id = $2`,
			s.company, s.connection).Scan(&held)
	})
	return err != nil || held
}

// state of the campaign, or nothing while nobody can tell.
func (s *storm) state() string {
	var c campaign
	if s.api.get("/campaigns/"+s.campaign, &c) != nil {
		return ""
	}
	s.mostUnsure = max(s.mostUnsure, c.Counts.Uncertain)
	return c.State
}

// client adds contacts all the time and remembers which were acknowledged. It ends when told to.
func (s *storm) client() (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	random := rand.New(rand.NewPCG(s.random.Uint64(), 0))
	go func() {
		defer close(ended)
		for {
			var made struct{ ID id.ID }
			body := fmt.Sprintf(`{"name":"Late","phone":"+55218%08d","attributes":{"city":"Recife"}}`, random.IntN(100_000_000))
			if s.api.call(http.MethodPost, "/contacts", "application/json", strings.NewReader(body), &made) == nil {
				s.said = append(s.said, made.ID)
			}
			select {
			case <-end:
				return
			case <-time.After(time.Duration(20+random.IntN(80)) * time.Millisecond):
			}
		}
	}()
	return func() { close(end); <-ended }
}

// urgent queues messages in lanes 1 and 2 all the time and remembers whose commit was answered. It ends when told to.
func (s *storm) urgent() (stop func()) {
	people := s.people(50)
	end, ended := make(chan struct{}), make(chan struct{})
	random := rand.New(rand.NewPCG(s.random.Uint64(), 1))
	go func() {
		defer close(ended)
		for {
			single := people[random.IntN(len(people))]
			single.Lane = send.Lane(1 + random.IntN(2))
			var made []id.ID
			err := s.rig.DB.InCompany(context.Background(), s.company, func(tx postgres.Tx) (err error) {
				made, err = send.Queue(context.Background(), tx, s.company, []send.Single{single})
				return err
			})
			if err == nil {
				s.queued = append(s.queued, made...)
			}
			select {
			case <-end:
				return
			case <-time.After(time.Duration(50+random.IntN(250)) * time.Millisecond):
			}
		}
	}()
	return func() { close(end); <-ended }
}

// checks asks for a check of the connection all the time, which goes from the server to the provider. It ends when told to.
func (s *storm) checks() (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			if s.api.call(http.MethodPost, "/connections/"+s.connection+"/check", "", nil, nil) == nil {
				s.checked++
			}
			select {
			case <-end:
				return
			case <-time.After(time.Second):
			}
		}
	}()
	return func() { close(end); <-ended }
}

// people to whom something urgent is sent.
func (s *storm) people(n int) (people []send.Single) {
	connection, err := id.Parse(s.connection)
	require.NoError(s.t, err)
	content := channel.Content{Template: &channel.Template{Name: "order_update", Language: "en_US", Parameters: []string{"You", "Recife"}}}
	require.NoError(s.t, s.rig.DB.InCompany(s.t.Context(), s.company, func(tx postgres.Tx) error {
		rows, err := tx.Query(s.t.Context(), `SELECT contact_id, id FROM identities WHERE company_id = $1 AND kind = 'phone' ORDER BY id LIMIT $2`, s.company, n)
		if err != nil {
			return err
		}
		single := send.Single{Connection: connection, Content: content}
		_, err = pgx.ForEachRow(rows, []any{&single.Contact, &single.Identity}, func() error {
			people = append(people, single)
			return nil
		})
		return err
	}))
	require.Len(s.t, people, n)
	return people
}

// judge waits for the end and compares.
func (s *storm) judge(seed uint64) {
	s.slow(0)
	s.requireAlive()
	c := s.awaitCampaign(s.campaign, "is finished with nothing open", finished)
	s.mostUnsure = max(s.mostUnsure, c.Counts.Uncertain)
	var f figures
	require.Eventually(s.t, func() bool {
		open, known := 0, len(s.ledger(s.since))
		for _, r := range s.rows(s.campaign) {
			if r.state == send.Sent || r.state == send.Sending || r.state == send.Queued {
				open++
			}
			if r.state == send.Delivered || r.state == send.Read {
				known--
			}
		}
		return open == 0 && known == 0
	}, time.Minute, 200*time.Millisecond, "statuses settle everything that was accepted")
	f = s.compare(s.campaign, s.since)
	require.Equal(s.t, c.Recipients, f.messages-f.urgent)
	require.Zero(s.t, f.uncertainAccepted)
	limit := (bound + urgentBound) * s.doubtful
	require.LessOrEqual(s.t, max(f.uncertain, s.mostUnsure), limit, "each fault leaves at most the claims of a page and an urgent run in doubt")
	rows := s.rows(s.campaign)
	for _, message := range s.queued {
		require.Contains(s.t, rows, message, "an urgent message that was committed is there")
	}
	require.NotEmpty(s.t, s.queued)
	require.Positive(s.t, s.checked)
	require.LessOrEqual(s.t, s.recovery, soon, "sends go on soon after the killed parts are ready")
	for _, contact := range s.said {
		require.NoError(s.t, s.api.get("/contacts/"+contact.String(), nil), "a contact that the API has acknowledged is there")
	}
	lost, doubled, disordered := s.judgeInbound()
	require.Zero(s.t, lost, "what people wrote and was acknowledged is there")
	require.Zero(s.t, doubled, "and once")
	require.Zero(s.t, disordered, "and in the order of the provider's time")
	require.NotEmpty(s.t, s.written)
	s.print(seed, f, limit)
}

func (s *storm) print(seed uint64, f figures, limit int) {
	for _, line := range []struct {
		name  string
		value float64
		unit  string
	}{
		{"seed", float64(seed), ""}, {"kills", float64(s.kills), "kills"}, {"messages", float64(f.messages), "messages"}, {"lost", float64(f.lost), "messages"},
		{"duplicated", float64(f.duplicated), "messages"}, {"false_status", float64(f.falseStatus), "messages"},
		{"uncertain", float64(max(f.uncertain, s.mostUnsure)), "messages"}, {"uncertain_bound", float64(limit), "messages"},
		{"settled", float64(max(0, s.mostUnsure-f.uncertain)), "messages"}, {"stranded", float64(f.stranded), "messages"}, {"recovery_s", s.recovery.Seconds(), "s"},
		{"urgent", float64(f.urgent), "messages"}, {"acknowledged_contacts", float64(len(s.said)), "contacts"},
		{"inbound", float64(len(s.written)), "messages"},
	} {
		figure(s.t, line.name, line.value, line.unit, f.messages)
	}
}
