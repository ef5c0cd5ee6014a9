package server

import (
	"context"
	"log/slog"
	"net/http"

	"omnidesk/internal/account"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// Settings are what a company's admin sets.
type Settings struct {
	Name        string `json:"name" maxLength:"100"`
	Zone        string `json:"zone" maxLength:"64" doc:"IANA zone"`
	WindowFrom  string `json:"window_from" maxLength:"5" doc:"campaigns are sent from this time of day on, where the recipient is: 07:00"`
	WindowUntil string `json:"window_until" maxLength:"5" doc:"and before this one: 21:00; 24:00 is the end of the day"`
}

// Setup is how far a company's first steps have come.
type Setup struct {
	Steps     []SetupStep `json:"steps" doc:"in their order"`
	Dismissed bool        `json:"dismissed"`
}

// SetupStep is one of them.
type SetupStep struct {
	Name  string `json:"name" enum:"company,connect,import,test,campaign"`
	State string `json:"state" enum:"open,done,skipped"`
}

type settingsIn struct{ Body Settings }

type setupIn struct {
	Body struct {
		Skipped   []account.Step `json:"skipped" maxItems:"5" enum:"company,connect,import,test,campaign"`
		Dismissed bool           `json:"dismissed" doc:"nobody wants to see it any more"`
	}
}

func (s *Server) settingsRoutes() {
	register(s, op("getSettings", http.MethodGet, "/company", "companies", "The company's settings"), s.getSettings)
	register(s, op("putSettings", http.MethodPut, "/company", "companies", "Change the company's settings", body(4<<10),
		describe("A changed window or zone counts at once, for running campaigns too.")), s.putSettings)
	register(s, op("getSetup", http.MethodGet, "/company/setup", "companies", "How far its first steps have come"), s.getSetup)
	register(s, op("putSetup", http.MethodPut, "/company/setup", "companies", "Skip steps, or be through with them", body(4<<10)), s.putSetup)
}

func (s *Server) getSettings(ctx context.Context, _ *struct{}) (*Out[Settings], error) {
	var view Settings
	err := s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		settings, err := account.GetSettings(ctx, tx, companyOf(ctx))
		view = Settings(settings)
		return err
	})
	return out(view), err
}

func (s *Server) putSettings(ctx context.Context, in *settingsIn) (*Out[Settings], error) {
	err := s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		if err := account.PutSettings(ctx, tx, companyOf(ctx), account.Settings(in.Body)); err != nil {
			return err
		}
		return send.HoursChanged(ctx, tx, companyOf(ctx))
	})
	if err != nil {
		return nil, err
	}
	s.hint()
	slog.Info("a company's settings were changed", "company", companyOf(ctx), "user", who(ctx).User.ID, "request", requestID(ctx))
	return s.getSettings(ctx, nil)
}

func (s *Server) getSetup(ctx context.Context, _ *struct{}) (*Out[Setup], error) {
	view := Setup{}
	err := s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		setup, err := account.GetSetup(ctx, tx, companyOf(ctx))
		view = setupView(setup)
		return err
	})
	return out(view), err
}

func (s *Server) putSetup(ctx context.Context, in *setupIn) (*Out[Setup], error) {
	err := s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		return account.PutSetup(ctx, tx, companyOf(ctx), in.Body.Skipped, in.Body.Dismissed)
	})
	if err != nil {
		return nil, err
	}
	return s.getSetup(ctx, nil)
}

func setupView(setup account.Setup) Setup {
	skipped := map[account.Step]bool{}
	for _, step := range setup.Skipped {
		skipped[step] = true
	}
	view := Setup{Dismissed: setup.Dismissed}
	for _, step := range []account.Step{account.StepCompany, account.StepConnect, account.StepImport, account.StepTest, account.StepCampaign} {
		state := "open"
		switch {
		case setup.Done[step]:
			state = "done"
		case skipped[step]:
			state = "skipped"
		}
		view.Steps = append(view.Steps, SetupStep{Name: string(step), State: state})
	}
	return view
}
