package server

import (
	"context"
	"log/slog"
	"net/http"

	"omnidesk/internal/account"
	"omnidesk/internal/audit"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// CompanyList is a whole list.
type CompanyList struct {
	Items []Company `json:"items"`
}

type enterIn struct {
	agent
	Body struct {
		CompanyID *string `json:"company_id" format:"uuid" doc:"null leaves the company"`
	}
}

func (s *Server) companyRoutes() {
	register(s, op("listCompanies", http.MethodGet, "/companies", "companies", "All companies, for superadmins"), s.listCompanies)
	register(s, op("createCompany", http.MethodPost, "/companies", "companies", "Make a company and its first admin", status(http.StatusCreated), body(authBody),
		describe("For superadmins. The admin's one-time password is in this answer alone.")), s.createCompany)
	s.settingsRoutes()
	register(s, op("enterCompany", http.MethodPost, "/auth/company", "auth", "Enter a company, or leave it", body(authBody),
		describe("For superadmins. The session is replaced, so what was open in the old company ends.")), s.enterCompany)
}

func (s *Server) listCompanies(ctx context.Context, _ *struct{}) (*Out[CompanyList], error) {
	list := CompanyList{Items: []Company{}}
	err := s.DB.InSystem(ctx, func(tx postgres.Tx) error {
		companies, err := account.ListCompanies(ctx, tx)
		for _, company := range companies {
			list.Items = append(list.Items, companyView(company))
		}
		return err
	})
	return out(list), err
}

// NewTenant is a company that has just been made.
type NewTenant struct {
	Company  Company `json:"company"`
	Email    string  `json:"email" doc:"with which its first admin signs in"`
	Password string  `json:"password" doc:"to be used once; it is shown only now"`
}

type createCompanyIn struct {
	Body struct {
		Name  string `json:"name" minLength:"1" maxLength:"100"`
		Zone  string `json:"zone" minLength:"1" maxLength:"64" doc:"IANA zone"`
		Email string `json:"email" minLength:"3" maxLength:"254" doc:"of its first admin"`
	}
}

func (s *Server) createCompany(ctx context.Context, in *createCompanyIn) (*Out[NewTenant], error) {
	company, oneTime, err := account.CreateTenant(ctx, s.DB, in.Body.Name, in.Body.Zone, in.Body.Email)
	if err != nil {
		return nil, err
	}
	slog.Info("a company was made", "company", company.ID, "user", who(ctx).User.ID, "request", requestID(ctx))
	email, _ := account.CleanEmail(in.Body.Email) // fit, or there would be no company
	return out(NewTenant{Company: companyView(company), Email: email, Password: oneTime}), nil
}

func (s *Server) enterCompany(ctx context.Context, in *enterIn) (*sessionOut, error) {
	var company *id.ID
	if in.Body.CompanyID != nil {
		parsed, err := idIn("company_id", *in.Body.CompanyID)
		if err != nil {
			return nil, err
		}
		company = &parsed
		audit.In(ctx, parsed) // its admins shall see who looks in
	}
	caller := who(ctx)
	token, principal, err := s.logins.EnterCompany(ctx, caller, company, in.name)
	if err != nil {
		return nil, err
	}
	s.sockets.closeSession(caller.Session)
	slog.Info("a superadmin switched company", "user", caller.User.ID, "company", company, "session", principal.Session, "request", requestID(ctx))
	return &sessionOut{SetCookie: s.cookie(token, s.logins.CookieLife()), Body: s.meOf(principal)}, nil
}
