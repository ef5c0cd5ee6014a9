package server

import (
	"context"
	"net/http"

	"omnidesk/internal/account"
	"omnidesk/internal/audit"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Department is a part of a company. Its people see the connections that are given to it, besides those of nobody.
type Department struct {
	ID          string                 `json:"id"`
	Name        string                 `json:"name"`
	PersonIDs   []string               `json:"person_ids"`
	Connections []DepartmentConnection `json:"connections" doc:"those whose department it is"`
}

// DepartmentConnection is a connection by its name.
type DepartmentConnection struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// DepartmentList is a whole list, by name.
type DepartmentList struct {
	Items []Department `json:"items"`
}

// Created names what was made.
type Created struct {
	ID string `json:"id"`
}

// DepartmentInput names a department.
type DepartmentInput struct {
	Name string `json:"name" minLength:"1" maxLength:"100" doc:"no other department of the company has it"`
}

type departmentIn struct{ Body DepartmentInput }

type departmentNameIn struct {
	IDPath
	Body DepartmentInput
}

type membersIn struct {
	IDPath
	Body struct {
		PersonIDs []string `json:"person_ids" maxItems:"1000"`
	}
}

func (s *Server) departmentRoutes() {
	register(s, op("listDepartments", http.MethodGet, "/departments", "people", "The company's departments"), s.listDepartments)
	register(s, op("createDepartment", http.MethodPost, "/departments", "people", "Add a department", status(http.StatusCreated), body(authBody)), s.createDepartment)
	register(s, op("renameDepartment", http.MethodPatch, "/departments/{id}", "people", "Rename a department", status(http.StatusNoContent), body(authBody)), s.renameDepartment)
	register(s, op("setMembers", http.MethodPut, "/departments/{id}/members", "people", "Say who is in a department", status(http.StatusNoContent), body(64<<10),
		describe("Replaces all. It holds from their next request on.")), s.setMembers)
	register(s, op("deleteDepartment", http.MethodDelete, "/departments/{id}", "people", "Delete a department", status(http.StatusNoContent),
		describe("Refused while it is the department of a connection.")), s.deleteDepartment)
}

func (s *Server) listDepartments(ctx context.Context, _ *struct{}) (*Out[DepartmentList], error) {
	list := DepartmentList{Items: []Department{}}
	err := s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		departments, err := account.ListDepartments(ctx, tx, companyOf(ctx))
		for _, d := range departments {
			view := Department{ID: d.ID.String(), Name: d.Name, PersonIDs: idTexts(d.Members), Connections: []DepartmentConnection{}}
			for _, c := range d.Connections {
				view.Connections = append(view.Connections, DepartmentConnection{c.ID.String(), c.Name})
			}
			list.Items = append(list.Items, view)
		}
		return err
	})
	return out(list), err
}

func (s *Server) createDepartment(ctx context.Context, in *departmentIn) (*Out[Created], error) {
	var made id.ID
	err := s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) (err error) {
		made, err = account.CreateDepartment(ctx, tx, companyOf(ctx), in.Body.Name, s.now())
		audit.About(ctx, made)
		return err
	})
	return out(Created{made.String()}), err
}

func (s *Server) renameDepartment(ctx context.Context, in *departmentNameIn) (*struct{}, error) {
	department, err := in.read()
	if err != nil {
		return nil, err
	}
	return nil, s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		return account.RenameDepartment(ctx, tx, companyOf(ctx), department, in.Body.Name)
	})
}

func (s *Server) setMembers(ctx context.Context, in *membersIn) (*struct{}, error) {
	department, err := in.read()
	if err != nil {
		return nil, err
	}
	people := make([]id.ID, 0, len(in.Body.PersonIDs))
	for _, text := range in.Body.PersonIDs {
		person, err := idIn("person_ids", text)
		if err != nil {
			return nil, err
		}
		people = append(people, person)
	}
	return nil, s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		return account.SetMembers(ctx, tx, companyOf(ctx), department, people)
	})
}

func (s *Server) deleteDepartment(ctx context.Context, in *IDPath) (*struct{}, error) {
	department, err := in.read()
	if err != nil {
		return nil, err
	}
	return nil, s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		return account.DeleteDepartment(ctx, tx, companyOf(ctx), department, s.now())
	})
}
