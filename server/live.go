package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"omnidesk/internal/account"
	"omnidesk/internal/campaign"
	"omnidesk/internal/flow"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// liveTime bounds a question to Temporal. The page shows the rows without waiting for it.
const liveTime = time.Second

// CampaignLive is what a campaign's workflow is doing now.
type CampaignLive struct {
	State       string     `json:"state" doc:"idle, unavailable, or the campaign's state as its workflow sees it"`
	Detail      string     `json:"detail"`
	Until       *time.Time `json:"until,omitempty"`
	Since       *time.Time `json:"since,omitempty"`
	RunID       string     `json:"run_id,omitempty"`
	WorkflowURL *string    `json:"workflow_url,omitempty" doc:"in the Temporal UI, for superadmins"`
}

// ConnectionLive is what a connection's sender is doing now.
type ConnectionLive struct {
	State       string     `json:"state" enum:"idle,working,waiting,unavailable"`
	Detail      string     `json:"detail"`
	Until       *time.Time `json:"until,omitempty"`
	Sent        int        `json:"sent"`
	HeldReason  string     `json:"held_reason" doc:"why nothing is sent on it now; empty when it may send"`
	HeldUntil   *time.Time `json:"held_until,omitempty" doc:"when it goes on by itself; absent: when a person lets it"`
	WorkflowURL *string    `json:"workflow_url,omitempty" doc:"in the Temporal UI, for superadmins"`
}

const unavailable = "unavailable"

func (s *Server) liveRoutes() {
	register(s, op("campaignLive", http.MethodGet, "/campaigns/{id}/live", "campaigns", "What its workflow is doing now",
		describe("Answers 200 with state unavailable when Temporal or the worker is down: the rows are true either way.")), s.campaignLive)
	register(s, op("connectionLive", http.MethodGet, "/connections/{id}/live", "connections", "What its sender is doing now"), s.connectionLive)
}

func (s *Server) campaignLive(ctx context.Context, in *IDPath) (*Out[CampaignLive], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		_, err := campaign.Get(ctx, tx, company, wanted)
		return err
	})
	if err != nil {
		return nil, err
	}
	live, run, err := s.ask(ctx, flow.Campaign(wanted))
	view := CampaignLive{State: live.State, Detail: live.Reason, Until: utc(&live.Until), Since: utc(&live.Since), RunID: run,
		WorkflowURL: s.workflowURL(ctx, flow.Campaign(wanted))}
	if err != nil {
		view = CampaignLive{State: stateOf(err), Detail: wordsOf(err), RunID: run, WorkflowURL: view.WorkflowURL}
	}
	return out(view), nil
}

func (s *Server) connectionLive(ctx context.Context, in *IDPath) (*Out[ConnectionLive], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	var hold send.Hold
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		if _, err := s.connections.See(ctx, tx, companyOf(ctx), wanted, departmentsOf(ctx)); err != nil {
			return err
		}
		holds, err := send.HoldsOf(ctx, tx, companyOf(ctx), s.now())
		hold = holds[wanted]
		return err
	})
	if err != nil {
		return nil, err
	}
	live, _, err := s.ask(ctx, flow.Sender(wanted))
	view := ConnectionLive{State: "working", Detail: live.Reason, Until: utc(&live.Until), Sent: live.Sent}
	switch {
	case err != nil:
		view = ConnectionLive{State: stateOf(err), Detail: wordsOf(err)}
	case live.Doing == flow.StepWait:
		view.State = "waiting"
	case live.Doing == flow.StepEnd:
		view.State = "idle"
	}
	view.WorkflowURL = s.workflowURL(ctx, flow.Sender(wanted))
	view.HeldReason, view.HeldUntil = hold.Reason, utc(hold.Until)
	return out(view), nil
}

func (s *Server) ask(ctx context.Context, target flow.Target) (flow.Live, string, error) {
	asked, cancel := context.WithTimeout(ctx, liveTime)
	defer cancel()
	live, run, err := s.Workflows.Live(asked, target)
	if err != nil && !errors.Is(err, flow.ErrNotRunning) {
		slog.Debug("a workflow did not answer", "workflow", target.WorkflowID(), "error", err)
	}
	return live, run, err
}

func stateOf(err error) string {
	if errors.Is(err, flow.ErrNotRunning) {
		return "idle"
	}
	return unavailable
}

func wordsOf(err error) string {
	if errors.Is(err, flow.ErrNotRunning) {
		return "No workflow is running: there is nothing to do, or it has not begun yet."
	}
	return "Temporal or the worker does not answer. Nothing is lost: work goes on when they are back."
}

// workflowURL leads to the workflow in the Temporal UI, for those whom /temporal answers.
func (s *Server) workflowURL(ctx context.Context, target flow.Target) *string {
	if s.TemporalUI == "" || who(ctx).User.Role != account.Superadmin {
		return nil
	}
	link := temporalPath + "/namespaces/" + url.PathEscape(s.TemporalNamespace) + "/workflows/" + url.PathEscape(target.WorkflowID())
	return &link
}
