package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"omnidesk/internal/account"
	"omnidesk/internal/connection"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/platform"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
	"omnidesk/internal/wait"
	"omnidesk/internal/wake"
)

// HealthPart is one thing that must work, in words. Remedy is empty while it does.
type HealthPart struct {
	Name   string `json:"name" enum:"restore,drained,database,clock,partitions,temporal,workers,wakes,webhooks"`
	State  string `json:"state" enum:"good,warn,bad"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty" doc:"what to do"`
}

// HealthConnection is one connection of the company.
type HealthConnection struct {
	ID     string     `json:"id"`
	Name   string     `json:"name"`
	State  string     `json:"state" enum:"good,warn,bad,off"`
	Detail string     `json:"detail"`
	Remedy string     `json:"remedy,omitempty"`
	Until  *time.Time `json:"until,omitempty" doc:"when a held connection goes on by itself"`
	SentAt *time.Time `json:"sent_at,omitempty" doc:"the quarter of an hour in which it last sent, within 30 days"`
}

// HealthQueue is a task queue and the workers that ask it for work, for superadmins.
type HealthQueue struct {
	Name    string         `json:"name"`
	Workers []HealthWorker `json:"workers"`
}

// HealthWorker is a process that asks for work.
type HealthWorker struct {
	Identity string    `json:"identity"`
	SeenAt   time.Time `json:"seen_at"`
}

// Health is how everything is.
type Health struct {
	At          time.Time          `json:"at"`
	Version     string             `json:"version"`
	Parts       []HealthPart       `json:"parts"`
	Connections []HealthConnection `json:"connections" doc:"of the company that the session is in"`
	Queues      []HealthQueue      `json:"queues,omitempty" doc:"for superadmins"`
}

const (
	good = "good"
	warn = "warn"
	bad  = "bad"
)

const (
	healthFor    = 2 * time.Second // how long a look serves everybody
	slowDatabase = 100 * time.Millisecond
	clockWarns   = 500 * time.Millisecond
	clockStops   = 2 * time.Second // nothing is claimed above it
	wakesWarn    = 30 * time.Second
	wakesBad     = 2 * time.Minute
	workerGone   = 2 * time.Minute
	sentWithin   = 30 * 24 * time.Hour
)

// platformLook is what all companies share.
type platformLook struct {
	at       time.Time
	vitals   postgres.Vitals
	database error
	temporal error
	queues   []flow.Queue
	workers  error
	outbox
}

// outbox is what the database tells of the other parts.
type outbox struct {
	wakes   wake.Backlog
	missing map[wait.Part]time.Time // parts that are away, with since when
	drained *platform.Drained
}

// healthCache keeps a look for everybody who asks within two seconds.
type healthCache struct {
	mu   sync.Mutex
	last platformLook
}

func (s *Server) healthPageRoutes() {
	register(s, op("health", http.MethodGet, "/health", "health", "How everything is, in words",
		describe("Platform parts, and the connections of the session's company. Clock, partitions and queues are for superadmins.")), s.healthPage)
}

func (s *Server) healthPage(ctx context.Context, _ *struct{}) (*Out[Health], error) {
	caller := who(ctx)
	l := s.platform(ctx)
	view := Health{At: l.at.UTC(), Version: s.Version, Parts: l.parts(caller.User.Role == account.Superadmin), Connections: []HealthConnection{}}
	if caller.User.Role == account.Superadmin {
		for _, q := range l.queues {
			view.Queues = append(view.Queues, queueView(q))
		}
	}
	if caller.Company == nil || l.database != nil {
		return out(view), nil
	}
	held, err := s.restorePart(ctx, caller.Company.ID)
	if err != nil {
		return nil, err
	}
	if held != nil {
		view.Parts = append([]HealthPart{*held}, view.Parts...)
	}
	webhooks, err := s.webhookPart(ctx, caller.Company.ID)
	if err != nil {
		return nil, err
	}
	view.Parts = append(view.Parts, webhooks)
	view.Connections, err = s.connectionsHealth(ctx, caller.Company.ID)
	for i, c := range view.Connections {
		if held != nil && c.State == good {
			view.Connections[i].State, view.Connections[i].Detail = warn, "It is on hold with everything else, after the restore of the database."
		}
	}
	return out(view), err
}

func queueView(q flow.Queue) HealthQueue {
	view := HealthQueue{Name: q.Name, Workers: []HealthWorker{}}
	for _, p := range q.Pollers {
		view.Workers = append(view.Workers, HealthWorker{p.Identity, p.Seen.UTC()})
	}
	return view
}

// platform looks at everything at once, each part bounded, unless somebody has just done so.
func (s *Server) platform(ctx context.Context) platformLook {
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	if time.Since(s.health.last.at) < healthFor {
		return s.health.last
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTime)
	defer cancel()
	var l platformLook
	var asking sync.WaitGroup
	asking.Go(func() { l.vitals, l.database = askWithin(ctx, s.DB.Look) })
	asking.Go(func() { l.temporal = within(ctx, s.Workflows.Healthy) })
	asking.Go(func() { l.queues, l.workers = askWithin(ctx, s.Workflows.Queues) })
	asking.Go(func() { l.outbox, _ = askWithin(ctx, s.readOutbox) }) // without the database, that is said already
	asking.Wait()
	l.at = time.Now()
	s.health.last = l
	return l
}

func (s *Server) readOutbox(ctx context.Context) (o outbox, err error) {
	err = s.DB.InSystem(ctx, func(tx postgres.Tx) error {
		if o.missing, err = wait.Missing(ctx, tx); err != nil {
			return err
		}
		if o.drained, err = platform.DrainOf(ctx, tx); err != nil {
			return err
		}
		o.wakes, err = wake.BacklogOf(ctx, tx)
		return err
	})
	return o, err
}

// askWithin gives up at the deadline even if ask does not heed it.
func askWithin[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := ask(ctx)
		answers <- answer{value, err}
	}()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// parts puts a look into words. An error is never shown: it may carry an address.
func (l platformLook) parts(all bool) []HealthPart {
	parts := []HealthPart{l.databasePart()}
	if l.drained != nil {
		parts = append(parts, HealthPart{Name: "drained", State: bad, Detail: "Nothing is sent in any company since " + l.drained.At.UTC().Format("2 January 15:04 UTC") + ": it is drained for an upgrade. Nothing is lost.",
			Remedy: "A superadmin resumes it on the platform page when the upgrade is done."})
	}
	if all && l.database == nil {
		parts = append(parts, l.clockPart(), l.partitionPart())
	}
	parts = append(parts, l.temporalPart(), l.workerPart())
	if l.database == nil {
		parts = append(parts, l.wakePart())
	}
	return parts
}

func (l platformLook) databasePart() HealthPart {
	part := HealthPart{Name: "database", State: good}
	switch ms := max(l.vitals.Latency.Milliseconds(), 1); {
	case l.database != nil:
		part.State, part.Detail = bad, "It does not answer: nothing is taken in and nothing new is sent."
		part.Remedy = "Check that PostgreSQL runs and that DATABASE_URL leads to it."
	case l.vitals.Latency > slowDatabase:
		part.State, part.Detail = warn, fmt.Sprintf("It answers slowly, in %d ms.", ms)
		part.Remedy = "Look at the database machine's load, its disk and the network between."
	default:
		part.Detail = fmt.Sprintf("It answers in %d ms.", ms)
	}
	return part
}

func (l platformLook) clockPart() HealthPart {
	lead := l.vitals.ClockLead
	part := HealthPart{Name: "clock", State: good, Detail: "This server's clock agrees with the database's."}
	if lead.Abs() > clockWarns {
		part.State, part.Detail = warn, fmt.Sprintf("This server's clock is %s off the database's.", lead.Abs().Round(100*time.Millisecond))
		part.Remedy = "Synchronise the clocks of all machines with NTP: one that is 2 s off sends nothing."
	}
	if lead.Abs() > clockStops {
		part.State = bad
	}
	return part
}

func (l platformLook) partitionPart() HealthPart {
	if l.vitals.Stray == 0 {
		return HealthPart{Name: "partitions", State: good, Detail: "Every message lies in its month."}
	}
	return HealthPart{Name: "partitions", State: bad, Detail: fmt.Sprintf("%d messages or more lie outside the months.", l.vitals.Stray),
		Remedy: "Move them into their month before the next one begins, as the operations guide says."}
}

func (l platformLook) temporalPart() HealthPart {
	if l.temporal != nil {
		return HealthPart{Name: "temporal", State: bad, Detail: "OmniDesk's workflow engine does not answer" + l.since(wait.Temporal) + ": what is started waits, nothing is lost.",
			Remedy: "Check that the Temporal server runs and that TEMPORAL_ADDRESS leads to it. Sending goes on by itself."}
	}
	return HealthPart{Name: "temporal", State: good, Detail: "It answers."}
}

// since tells from when on a part has been away, if that is known.
func (l platformLook) since(part wait.Part) string {
	began, away := l.missing[part]
	if !away {
		return ""
	}
	return fmt.Sprintf(", for %s", max(l.at.Sub(began), time.Second).Round(time.Second))
}

func (l platformLook) workerPart() HealthPart {
	if since := l.since(wait.Workers); since != "" { // Temporal remembers a dead worker for minutes
		return HealthPart{Name: "workers", State: bad, Detail: "No worker is at work" + since + ": nothing is sent, and nothing is lost.", Remedy: "Start omnidesk work. Sending goes on by itself."}
	}
	if l.workers != nil {
		return HealthPart{Name: "workers", State: warn, Detail: "Temporal does not tell which workers there are.", Remedy: "Mend Temporal first."}
	}
	var unserved []string
	processes := map[string]bool{}
	for _, q := range l.queues {
		served := false
		for _, p := range q.Pollers {
			if l.at.Sub(p.Seen) < workerGone {
				served = true
				processes[p.Identity] = true
			}
		}
		if !served {
			unserved = append(unserved, q.Name)
		}
	}
	switch {
	case len(processes) == 0:
		return HealthPart{Name: "workers", State: bad, Detail: "Nobody asks for work: nothing is sent.", Remedy: "Start omnidesk work."}
	case len(unserved) > 0:
		return HealthPart{Name: "workers", State: bad, Detail: "Nobody asks for work of " + strings.Join(unserved, ", ") + ".",
			Remedy: "Restart omnidesk work and look at its log; all workers should be of this version."}
	case len(processes) == 1:
		return HealthPart{Name: "workers", State: good, Detail: "One worker asks for work."}
	}
	return HealthPart{Name: "workers", State: good, Detail: fmt.Sprintf("%d workers ask for work.", len(processes))}
}

func (l platformLook) wakePart() HealthPart {
	age := l.at.Sub(l.wakes.Oldest)
	part := HealthPart{Name: "wakes", State: good, Detail: "Everything that was started is under way."}
	if l.wakes.Waiting == 0 || age < wakesWarn {
		return part
	}
	part.State = warn
	if age > wakesBad {
		part.State = bad
	}
	part.Detail = fmt.Sprintf("%d things that were started wait to be told to Temporal, the first for %s.", l.wakes.Waiting, age.Round(time.Second))
	part.Remedy = "They go on by themselves when Temporal answers. If it does, restart omnidesk serve and omnidesk work."
	return part
}

// connectionsHealth tells of each connection whether it can send, and if not, what mends it.
func (s *Server) connectionsHealth(ctx context.Context, company id.ID) ([]HealthConnection, error) {
	list := []HealthConnection{}
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		views, err := s.connections.List(ctx, tx, company, nil)
		if err != nil {
			return err
		}
		holds, err := send.HoldsOf(ctx, tx, company, s.now())
		if err != nil {
			return err
		}
		sent, err := send.LastSent(ctx, tx, company, s.now().Add(-sentWithin))
		for _, v := range views {
			list = append(list, connectionHealth(v, holds, sent))
		}
		return err
	})
	return list, err
}

func connectionHealth(v connection.View, holds map[id.ID]send.Hold, sent map[id.ID]time.Time) HealthConnection {
	view := HealthConnection{ID: v.ID.String(), Name: v.Name, State: good, Detail: "It can send."}
	if at, known := sent[v.ID]; known {
		view.SentAt = utc(&at)
	}
	hold, held := holds[v.ID]
	switch {
	case v.DisabledAt != nil:
		view.State, view.Detail = "off", "It is disabled: nothing is sent on it."
	case v.State == connection.Failing:
		view.State, view.Detail = bad, v.StateDetail
		view.Remedy = "Open it, mend what the check names and check it again."
	case held:
		view.State, view.Detail, view.Until = warn, hold.Reason, utc(hold.Until)
		view.Remedy = "It goes on by itself. If it comes back to this, open it and check it."
		if hold.Until == nil {
			view.State, view.Remedy = bad, "Mend what it says, then open it and resume sending."
		}
	case v.SilentSince != nil:
		view.State, view.Detail = warn, "It sends, but nothing was heard from the provider since "+v.SilentSince.UTC().Format("2 January 15:04 UTC")+", longer than usual: statuses and answers are missing."
		view.Remedy = "Open it and check it: the webhook's line says whether Meta still knows this address."
	case v.Alert != "":
		view.State, view.Detail, view.Remedy = warn, v.Alert, "When it is mended, open it and check it."
	case v.State == connection.Unchecked:
		view.State, view.Detail, view.Remedy = warn, "It has never been checked.", "Open it and check it before you send."
	}
	return view
}
