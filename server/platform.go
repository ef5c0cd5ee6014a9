package server

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"omnidesk/internal/account"
	"omnidesk/internal/id"
	"omnidesk/internal/platform"
	"omnidesk/internal/postgres"
)

// Platform is the whole installation as superadmins see it.
type Platform struct {
	Version   string            `json:"version" doc:"of the process that answers"`
	Schema    int64             `json:"schema" doc:"number of the database's newest migration"`
	Drained   *PlatformDrain    `json:"drained,omitempty" doc:"absent: claims go on"`
	Flights   []PlatformFlight  `json:"flights" doc:"what is on the wire or not recorded yet; safe to stop when drained and empty"`
	Processes []PlatformProcess `json:"processes" doc:"seen within two minutes"`
}

// PlatformDrain tells since when nothing is claimed anywhere.
type PlatformDrain struct {
	At time.Time `json:"at"`
	By string    `json:"by"`
}

// PlatformFlight is what one connection has in flight.
type PlatformFlight struct {
	CompanyID    string    `json:"company_id"`
	ConnectionID string    `json:"connection_id"`
	Connection   string    `json:"connection"`
	Messages     int       `json:"messages"`
	Oldest       time.Time `json:"oldest_at" doc:"the oldest claim"`
}

// PlatformProcess is a process that serves or works.
type PlatformProcess struct {
	Kind    string    `json:"kind" enum:"serve,work"`
	Host    string    `json:"host"`
	Version string    `json:"version"`
	Started time.Time `json:"started_at"`
	Seen    time.Time `json:"seen_at"`
}

// PlatformFigures tell how each of some companies is used.
type PlatformFigures struct {
	Items []CompanyFigures `json:"items"`
}

// CompanyFigures tell how one company is used.
type CompanyFigures struct {
	Company
	People      int        `json:"people"`
	Connections int        `json:"connections"`
	Sent        int64      `json:"sent" doc:"messages of the last 30 days"`
	LastSeen    *time.Time `json:"last_seen_at,omitempty" doc:"when somebody last used it"`
}

// Superadmin runs the platform.
type Superadmin struct {
	ID       string     `json:"id"`
	You      bool       `json:"you"`
	Name     string     `json:"name"`
	Email    string     `json:"email"`
	New      bool       `json:"new" doc:"has not chosen a password yet"`
	Since    time.Time  `json:"since"`
	LastSeen *time.Time `json:"last_seen_at,omitempty"`
}

// SuperadminList is a whole list.
type SuperadminList struct {
	Items []Superadmin `json:"items"`
}

// NewSuperadmin has just been made.
type NewSuperadmin struct {
	Email    string `json:"email"`
	Password string `json:"password" doc:"to be used once; it is shown only now"`
}

type addSuperadminIn struct {
	Body struct {
		Name  string `json:"name" minLength:"1" maxLength:"100"`
		Email string `json:"email" minLength:"3" maxLength:"254"`
	}
}

type figuresIn struct {
	Offset int `query:"offset" minimum:"0" maximum:"1000" default:"0" doc:"companies to pass over, in the order of their names"`
}

// figuresAtOnce is how many companies are counted in one answer: each takes a transaction.
const figuresAtOnce = 50

func (s *Server) platformRoutes() {
	register(s, op("showPlatform", http.MethodGet, "/platform", "platform", "The whole installation"), s.showPlatform)
	register(s, op("platformFigures", http.MethodGet, "/platform/companies", "platform", "How companies are used, 50 at a time"), s.platformFigures)
	register(s, op("drainPlatform", http.MethodPost, "/platform/drain", "platform", "Drain: let nothing be claimed anywhere", status(http.StatusNoContent),
		describe("Once answered no worker claims anything, in any company, until it is resumed. What is on the wire comes to its end. It survives restarts.")), s.drainPlatform)
	register(s, op("resumePlatform", http.MethodPost, "/platform/resume", "platform", "Resume after a drain", status(http.StatusNoContent)), s.resumePlatform)
	register(s, op("listSuperadmins", http.MethodGet, "/platform/superadmins", "platform", "Who runs the platform"), s.listSuperadmins)
	register(s, op("addSuperadmin", http.MethodPost, "/platform/superadmins", "platform", "Add a superadmin", status(http.StatusCreated), body(authBody),
		describe("The one-time password is in this answer alone.")), s.addSuperadmin)
	register(s, op("removeSuperadmin", http.MethodDelete, "/platform/superadmins/{id}", "platform", "Remove a superadmin", status(http.StatusNoContent),
		describe("Their sessions end at once. The last one stays.")), s.removeSuperadmin)
}

func (s *Server) showPlatform(ctx context.Context, _ *struct{}) (*Out[Platform], error) {
	view := Platform{Version: s.Version, Flights: []PlatformFlight{}, Processes: []PlatformProcess{}}
	err := s.DB.InSystem(ctx, func(tx postgres.Tx) (err error) {
		if view.Schema, err = platform.Schema(ctx, tx); err != nil {
			return err
		}
		drained, err := platform.DrainOf(ctx, tx)
		if err != nil {
			return err
		}
		if drained != nil {
			view.Drained = &PlatformDrain{drained.At.UTC(), drained.By}
		}
		processes, err := platform.Processes(ctx, tx)
		for _, p := range processes {
			view.Processes = append(view.Processes, PlatformProcess{p.Kind, p.Host, p.Version, p.StartedAt.UTC(), p.SeenAt.UTC()})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	flights, err := platform.Flights(ctx, s.DB, s.now())
	for _, f := range flights {
		view.Flights = append(view.Flights, PlatformFlight{f.Company.String(), f.Connection.String(), f.Name, f.Messages, f.Oldest.UTC()})
	}
	return out(view), err
}

func (s *Server) platformFigures(ctx context.Context, in *figuresIn) (*Out[PlatformFigures], error) {
	var companies []account.Company
	err := s.DB.InSystem(ctx, func(tx postgres.Tx) (err error) {
		companies, err = account.ListCompanies(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	companies = companies[min(in.Offset, len(companies)):]
	view := PlatformFigures{Items: []CompanyFigures{}}
	for _, c := range companies[:min(figuresAtOnce, len(companies))] {
		err := s.DB.InCompany(ctx, c.ID, func(tx postgres.Tx) error {
			f, err := platform.FiguresOf(ctx, tx, c.ID, s.now())
			view.Items = append(view.Items, CompanyFigures{companyView(c), f.People, f.Connections, f.Sent, utc(f.LastSeen)})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out(view), nil
}

func (s *Server) drainPlatform(ctx context.Context, _ *struct{}) (*struct{}, error) {
	err := s.DB.InSystem(ctx, func(tx postgres.Tx) error { return platform.Drain(ctx, tx, who(ctx).User.ID) })
	if err != nil {
		return nil, err
	}
	slog.Warn("the installation is drained: nothing is claimed until it is resumed", "user", who(ctx).User.ID, "request", requestID(ctx))
	return nil, nil
}

func (s *Server) resumePlatform(ctx context.Context, _ *struct{}) (*struct{}, error) {
	err := s.DB.InSystem(ctx, func(tx postgres.Tx) error { return platform.Resume(ctx, tx, who(ctx).User.ID) })
	if err != nil {
		return nil, err
	}
	s.hint()
	slog.Warn("the installation goes on after a drain", "user", who(ctx).User.ID, "request", requestID(ctx))
	return nil, nil
}

func (s *Server) listSuperadmins(ctx context.Context, _ *struct{}) (*Out[SuperadminList], error) {
	list := SuperadminList{Items: []Superadmin{}}
	err := s.DB.InSystem(ctx, func(tx postgres.Tx) error {
		supers, err := account.ListSuperadmins(ctx, tx)
		for _, one := range supers {
			list.Items = append(list.Items, Superadmin{one.ID.String(), one.ID == who(ctx).User.ID, one.Name, one.Email, one.New, one.Since.UTC(), utc(one.LastSeen)})
		}
		return err
	})
	return out(list), err
}

func (s *Server) addSuperadmin(ctx context.Context, in *addSuperadminIn) (*Out[NewSuperadmin], error) {
	made, oneTime, err := account.AddSuperadmin(ctx, s.DB, in.Body.Name, in.Body.Email)
	if err != nil {
		return nil, err
	}
	slog.Warn("a superadmin was added", "superadmin", made, "user", who(ctx).User.ID, "request", requestID(ctx))
	email, _ := account.CleanEmail(in.Body.Email) // fit, or nobody would have been made
	return out(NewSuperadmin{email, oneTime}), nil
}

func (s *Server) removeSuperadmin(ctx context.Context, in *IDPath) (*struct{}, error) {
	user, err := in.read()
	if err != nil {
		return nil, err
	}
	var ended []id.ID
	err = s.DB.InSystem(ctx, func(tx postgres.Tx) error {
		ended, err = account.RemoveSuperadmin(ctx, tx, user, s.now())
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, session := range ended {
		s.sockets.closeSession(session)
	}
	slog.Warn("a superadmin was removed", "superadmin", user, "user", who(ctx).User.ID, "request", requestID(ctx))
	return nil, nil
}
