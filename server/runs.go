package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"omnidesk/internal/campaign"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// runTime bounds a question about a run: its whole history is read.
const runTime = 5 * time.Second

// RunHead is one run of a workflow.
type RunHead struct {
	ID        string     `json:"id"`
	State     string     `json:"state" enum:"running,finished,continued,failed,canceled,terminated,timed out"`
	StartedAt time.Time  `json:"started_at"`
	ClosedAt  *time.Time `json:"closed_at,omitempty"`
	Events    int        `json:"events" doc:"of its history"`
}

// Doing is an activity under way.
type Doing struct {
	Name      string     `json:"name"`
	Summary   string     `json:"summary"`
	Running   bool       `json:"running" doc:"false: it waits for a worker or for its next attempt"`
	Attempt   int        `json:"attempt"`
	Since     time.Time  `json:"since"`
	NextAt    *time.Time `json:"next_at,omitempty"`
	Progress  string     `json:"progress" doc:"counts so far"`
	LastError string     `json:"last_error"`
}

// Moment is one thing in a run.
type Moment struct {
	Event   int64      `json:"event" doc:"its first event"`
	Kind    string     `json:"kind" enum:"started,woken,look,activity,timer,trouble,ended"`
	Name    string     `json:"name"`
	Words   string     `json:"words"`
	At      time.Time  `json:"at"`
	Until   *time.Time `json:"until,omitempty"`
	Outcome string     `json:"outcome" enum:"open,done,failed,timed out,canceled,fired,woken"`
	Detail  string     `json:"detail"`
	Count   int        `json:"count" doc:"of wakes in a row"`
	Attempt int        `json:"attempt"`
}

// WorkflowRun is what one run of a workflow did and does. It holds words of ours, ids and counts, nothing else that the
// workflow was given or returned.
type WorkflowRun struct {
	RunHead
	Previous string   `json:"previous" doc:"the run it goes on from, or empty"`
	Next     string   `json:"next" doc:"the run that goes on from it, or empty"`
	Doing    []Doing  `json:"doing"`
	Moments  []Moment `json:"moments" doc:"newest first"`
	Before   int64    `json:"before" doc:"for the next page; 0 on the last"`
}

// RunAnswer has a run, or words that say why there is none.
type RunAnswer struct {
	State       string       `json:"state" enum:"known,none,unavailable"`
	Words       string       `json:"words"`
	Run         *WorkflowRun `json:"run,omitempty"`
	WorkflowURL *string      `json:"workflow_url,omitempty" doc:"in the Temporal UI, for superadmins"`
}

// RunList holds the latest runs, newest first.
type RunList struct {
	State string    `json:"state" enum:"known,unavailable"`
	Items []RunHead `json:"items"`
}

type runIn struct {
	IDPath
	Run    string `query:"run" maxLength:"36" doc:"a run's id; empty: the latest"`
	Before int64  `query:"before" minimum:"0" doc:"before of the page before"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"200"`
}

func (s *Server) runRoutes() {
	for _, w := range []struct {
		noun, tag, what string
		target          func(context.Context, id.ID, id.ID) (flow.Target, error)
	}{{"campaign", "campaigns", "its workflow", s.campaignTarget}, {"connection", "connections", "its sender", s.senderTarget}} {
		register(s, op(w.noun+"Run", http.MethodGet, "/"+w.tag+"/{id}/run", w.tag, "What a run of "+w.what+" did and does",
			describe("Read from Temporal. Answers 200 with state unavailable when Temporal is down: the rows are true either way.")),
			func(ctx context.Context, in *runIn) (*Out[RunAnswer], error) { return s.readRun(ctx, in, w.target) })
		register(s, op(w.noun+"Runs", http.MethodGet, "/"+w.tag+"/{id}/runs", w.tag, "The latest runs of "+w.what,
			describe("Asks Temporal's search, which allows few questions a second: ask once, not again and again.")),
			func(ctx context.Context, in *IDPath) (*Out[RunList], error) { return s.listRuns(ctx, in, w.target) })
	}
}

// campaignTarget names the workflow of a campaign that the company owns.
func (s *Server) campaignTarget(ctx context.Context, company, wanted id.ID) (flow.Target, error) {
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		_, err := campaign.Get(ctx, tx, company, wanted)
		return err
	})
	return flow.Campaign(wanted), err
}

// senderTarget names the workflow of a connection that the company owns.
func (s *Server) senderTarget(ctx context.Context, company, wanted id.ID) (flow.Target, error) {
	_, err := s.readConnection(ctx, company, wanted)
	return flow.Sender(wanted), err
}

func (s *Server) readRun(ctx context.Context, in *runIn, owned func(context.Context, id.ID, id.ID) (flow.Target, error)) (*Out[RunAnswer], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	target, err := owned(ctx, company, wanted)
	if err != nil {
		return nil, err
	}
	asked, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	run, err := s.Workflows.Run(asked, company, target, in.Run, in.Before, in.Limit)
	answer := RunAnswer{State: "known", Words: "", WorkflowURL: s.workflowURL(ctx, target)}
	switch {
	case errors.Is(err, flow.ErrNotRunning):
		answer.State, answer.Words = "none", "No run is known: it has not begun yet, or it ended so long ago that Temporal has forgotten it."
	case err != nil:
		slog.Debug("a run could not be read", "workflow", target.WorkflowID(), "error", err)
		answer.State, answer.Words = unavailable, "Temporal does not answer, so the run can't be seen. Nothing is lost: what was sent is in the list of messages, and work goes on when Temporal is back."
	default:
		view := runView(run)
		answer.Run = &view
	}
	return out(answer), nil
}

func (s *Server) listRuns(ctx context.Context, in *IDPath, owned func(context.Context, id.ID, id.ID) (flow.Target, error)) (*Out[RunList], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	target, err := owned(ctx, company, wanted)
	if err != nil {
		return nil, err
	}
	asked, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	list := RunList{State: "known", Items: []RunHead{}}
	runs, err := s.Workflows.Runs(asked, company, target)
	if err != nil {
		slog.Debug("runs could not be listed", "workflow", target.WorkflowID(), "error", err)
		list.State = unavailable
	}
	for _, run := range runs {
		list.Items = append(list.Items, headView(run))
	}
	return out(list), nil
}

func headView(h flow.RunHead) RunHead {
	return RunHead{ID: h.ID, State: h.State, StartedAt: h.StartedAt.UTC(), ClosedAt: utc(h.ClosedAt), Events: h.Events}
}

func runView(r flow.Run) WorkflowRun {
	view := WorkflowRun{RunHead: headView(r.RunHead), Previous: r.Previous, Next: r.Next, Doing: []Doing{}, Moments: []Moment{}, Before: r.Before}
	for _, d := range r.Doing {
		d.Since, d.NextAt = d.Since.UTC(), utc(d.NextAt)
		view.Doing = append(view.Doing, Doing(d))
	}
	for _, m := range r.Moments {
		m.At, m.Until = m.At.UTC(), utc(m.Until)
		view.Moments = append(view.Moments, Moment(m))
	}
	return view
}
