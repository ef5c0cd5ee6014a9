package account

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
)

// Bounds of departments.
const (
	mostDepartments    = 200 // of one company: they are listed whole
	longestDepartment  = 100 // characters of a name
	mostNamedInRefusal = 3
)

// Department is a part of a company: its people work with the connections that are given to it.
type Department struct {
	ID          id.ID
	Name        string
	Members     []id.ID
	Connections []DepartmentConnection
}

// DepartmentConnection is a connection whose department it is.
type DepartmentConnection struct {
	ID   id.ID
	Name string
}

// DepartmentInUseError refuses a delete.
type DepartmentInUseError struct{ Connections []DepartmentConnection }

func (e *DepartmentInUseError) Error() string {
	names := make([]string, 0, mostNamedInRefusal+1)
	for i, c := range e.Connections {
		if i == mostNamedInRefusal {
			names = append(names, fmt.Sprintf("and %d more", len(e.Connections)-i))
			break
		}
		names = append(names, "“"+c.Name+"”")
	}
	what := "connection"
	if len(e.Connections) > 1 {
		what = "connections"
	}
	return fmt.Sprintf("it is the department of %d %s: %s. Give them another department or none, on the connection's page; then delete it", len(e.Connections), what, strings.Join(names, ", "))
}

// ListDepartments returns all departments of a company by name.
func ListDepartments(ctx context.Context, tx postgres.Tx, company id.ID) ([]Department, error) {
	q := New(tx)
	rows, err := q.listDepartments(ctx, company)
	if err != nil {
		return nil, fmt.Errorf("listing departments: %w", err)
	}
	connections, err := q.departmentConnections(ctx, company, nil)
	if err != nil {
		return nil, fmt.Errorf("listing connections of departments: %w", err)
	}
	list := make([]Department, len(rows))
	for i, r := range rows {
		list[i] = Department{ID: r.ID, Name: r.Name, Members: r.Members}
		for _, c := range connections {
			if *c.DepartmentID == r.ID {
				list[i].Connections = append(list[i].Connections, DepartmentConnection{c.ID, c.Name})
			}
		}
	}
	return list, nil
}

// CreateDepartment adds an empty department. Error: *SettingsError.
func CreateDepartment(ctx context.Context, tx postgres.Tx, company id.ID, name string, now time.Time) (id.ID, error) {
	name, err := departmentName(name)
	if err != nil {
		return id.Nil, err
	}
	q := New(tx)
	there, err := q.countDepartments(ctx, company)
	if err != nil {
		return id.Nil, fmt.Errorf("counting departments: %w", err)
	}
	if there >= mostDepartments {
		return id.Nil, unfitName(fmt.Sprintf("There are %d departments, and no more fit; delete one first.", there))
	}
	department := id.New()
	if err := q.insertDepartment(ctx, company, department, name, now); err != nil {
		return id.Nil, nameTaken("adding a department", err)
	}
	return department, nil
}

// RenameDepartment gives a department another name. Errors: ErrNotFound, *SettingsError.
func RenameDepartment(ctx context.Context, tx postgres.Tx, company, department id.ID, name string) error {
	name, err := departmentName(name)
	if err != nil {
		return err
	}
	n, err := New(tx).renameDepartment(ctx, name, company, department)
	if err != nil {
		return nameTaken("renaming a department", err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

// SetMembers replaces who is in a department. Errors: ErrNotFound; *SettingsError when one of the people is not of the
// company.
func SetMembers(ctx context.Context, tx postgres.Tx, company, department id.ID, people []id.ID) error {
	q := New(tx)
	if _, err := q.lockDepartment(ctx, company, department); err != nil {
		return notFound("locking a department", err)
	}
	if err := q.emptyDepartment(ctx, company, department); err != nil {
		return fmt.Errorf("emptying a department: %w", err)
	}
	slices.SortFunc(people, func(a, b id.ID) int { return slices.Compare(a[:], b[:]) })
	people = slices.Compact(people)
	n, err := q.addMembers(ctx, department, company, people)
	if err != nil {
		return fmt.Errorf("filling a department: %w", err)
	}
	if int(n) != len(people) {
		return &SettingsError{[]pace.Problem{{Field: "person_ids", Message: "Somebody in this list is not in the company any more; load the page again."}}}
	}
	return nil
}

// DeleteDepartment deletes a department that no connection has. Errors: ErrNotFound, *DepartmentInUseError. Whoever gives
// a connection a department locks it, too.
func DeleteDepartment(ctx context.Context, tx postgres.Tx, company, department id.ID, now time.Time) error {
	q := New(tx)
	if _, err := q.lockDepartment(ctx, company, department); err != nil {
		return notFound("locking a department", err)
	}
	rows, err := q.departmentConnections(ctx, company, &department)
	if err != nil {
		return fmt.Errorf("listing connections of a department: %w", err)
	}
	if len(rows) > 0 {
		refused := &DepartmentInUseError{}
		for _, r := range rows {
			refused.Connections = append(refused.Connections, DepartmentConnection{r.ID, r.Name})
		}
		return refused
	}
	if err := q.emptyDepartment(ctx, company, department); err != nil {
		return fmt.Errorf("emptying a department: %w", err)
	}
	if err := q.buryDepartment(ctx, &now, company, department); err != nil {
		return fmt.Errorf("deleting a department: %w", err)
	}
	return nil
}

func departmentName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", unfitName("Give it a name.")
	case len([]rune(name)) > longestDepartment:
		return "", unfitName(fmt.Sprintf("At most %d characters.", longestDepartment))
	}
	return name, nil
}

func nameTaken(doing string, err error) error {
	if postgres.IsUnique(err, "departments_name") {
		return unfitName("There is a department of this name already; choose another.")
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func unfitName(message string) error {
	return &SettingsError{[]pace.Problem{{Field: "name", Message: message}}}
}
