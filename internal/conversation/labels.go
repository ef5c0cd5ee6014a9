package conversation

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// Label says what conversations are about. A company has its own list.
type Label struct {
	ID     id.ID
	Name   string
	Colour string // one of Colours
}

const (
	mostLabels   = 100
	longestLabel = 40 // characters
)

// Errors about labels.
var (
	ErrNoLabel    = errors.New("no such label")
	ErrLabelTaken = errors.New("there is a label of this name already; choose another")
	ErrLabelName  = fmt.Errorf("give it a name of at most %d characters", longestLabel)
	ErrLabelsFull = fmt.Errorf("there are %d labels, and no more fit; delete one first", mostLabels)
)

// Choices are what an inbox can choose from.
type Choices struct {
	People      []Colleague
	Departments []Department
	Labels      []Label
}

// Colleague is somebody whom a conversation may be given to.
type Colleague struct {
	ID          id.ID
	Name        string
	Everything  bool    // an admin, who sees all
	Departments []id.ID // of anybody else
}

// Department is one that a conversation may be moved to.
type Department struct {
	ID   id.ID
	Name string
}

// Choose returns all people, departments and labels of a company.
func Choose(ctx context.Context, tx postgres.Tx, company id.ID) (c Choices, err error) {
	q := New(tx)
	people, err := q.choosePeople(ctx, company)
	if err != nil {
		return c, fmt.Errorf("listing people: %w", err)
	}
	for _, p := range people {
		c.People = append(c.People, Colleague(p))
	}
	departments, err := q.chooseDepartments(ctx, company)
	if err != nil {
		return c, fmt.Errorf("listing departments: %w", err)
	}
	for _, d := range departments {
		c.Departments = append(c.Departments, Department(d))
	}
	labels, err := q.listLabels(ctx, company)
	if err != nil {
		return c, fmt.Errorf("listing labels: %w", err)
	}
	for _, l := range labels {
		c.Labels = append(c.Labels, Label(l))
	}
	return c, nil
}

// AddLabel adds a label. Errors: ErrLabelName, ErrLabelTaken, ErrLabelsFull.
func AddLabel(ctx context.Context, tx postgres.Tx, company id.ID, name, colour string) (Label, error) {
	name, err := labelName(name)
	if err != nil {
		return Label{}, err
	}
	there, err := New(tx).countLabels(ctx, company)
	if err != nil {
		return Label{}, fmt.Errorf("counting labels: %w", err)
	}
	if there >= mostLabels {
		return Label{}, ErrLabelsFull
	}
	label := Label{id.New(), name, colour}
	return label, labelTaken(New(tx).insertLabel(ctx, company, label.ID, name, colour))
}

// ChangeLabel gives a label another name and colour. Errors: ErrNoLabel, ErrLabelName, ErrLabelTaken.
func ChangeLabel(ctx context.Context, tx postgres.Tx, company id.ID, label Label) (Label, error) {
	name, err := labelName(label.Name)
	if err != nil {
		return Label{}, err
	}
	label.Name = name
	n, err := New(tx).updateLabel(ctx, name, label.Colour, company, label.ID)
	if err == nil && n == 0 {
		return Label{}, ErrNoLabel
	}
	return label, labelTaken(err)
}

// DeleteLabel takes a label off every conversation and deletes it. Errors: ErrNoLabel.
func DeleteLabel(ctx context.Context, tx postgres.Tx, company, label id.ID) error {
	n, err := New(tx).deleteLabel(ctx, company, label)
	if err == nil && n == 0 {
		return ErrNoLabel
	}
	return labelTaken(err)
}

func labelName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len([]rune(name)) > longestLabel {
		return "", ErrLabelName
	}
	return name, nil
}

func labelTaken(err error) error {
	if postgres.IsUnique(err, "labels_name") {
		return ErrLabelTaken
	}
	if err != nil {
		return fmt.Errorf("changing labels: %w", err)
	}
	return nil
}
