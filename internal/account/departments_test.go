package account_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

func TestDepartmentsAndTheirPeople(t *testing.T) {
	db := pgtest.New(t)
	mine, theirs := pgtest.Company(t, db), pgtest.Company(t, db)
	in := func(company id.ID, do func(postgres.Tx) error) error { return db.InCompany(t.Context(), company, do) }
	person := func(company id.ID, email string) (made id.ID) {
		require.NoError(t, db.InSystem(t.Context(), func(tx postgres.Tx) (err error) {
			made, err = account.CreateUser(t.Context(), tx, account.NewUser{Home: &company, Email: email, Name: "P", Role: account.Member, Hash: []byte("x")})
			return err
		}))
		return made
	}
	ana, bo, stranger := person(mine, "ana@example.com"), person(mine, "bo@example.com"), person(theirs, "eve@example.com")
	var sales id.ID
	create := func(company id.ID, name string) error {
		return in(company, func(tx postgres.Tx) (err error) {
			sales, err = account.CreateDepartment(t.Context(), tx, company, name, time.Now())
			return err
		})
	}
	list := func() (found []account.Department) {
		require.NoError(t, in(mine, func(tx postgres.Tx) (err error) {
			found, err = account.ListDepartments(t.Context(), tx, mine)
			return err
		}))
		return found
	}
	var unfit *account.SettingsError
	require.NoError(t, create(theirs, "sales"))
	require.ErrorAs(t, create(mine, " \t"), &unfit)
	require.ErrorAs(t, create(mine, strings.Repeat("é", 101)), &unfit)
	require.NoError(t, create(mine, " Sales "), "another company's name is no obstacle")
	wanted := sales
	require.ErrorAs(t, create(mine, "SALES"), &unfit)
	require.Equal(t, "name", unfit.Problems[0].Field)

	set := func(company, department id.ID, people ...id.ID) error {
		return in(company, func(tx postgres.Tx) error {
			return account.SetMembers(t.Context(), tx, company, department, people)
		})
	}
	require.NoError(t, set(mine, wanted, bo, ana, bo))
	require.ElementsMatch(t, []id.ID{ana, bo}, list()[0].Members)
	require.ErrorAs(t, set(mine, wanted, ana, stranger), &unfit)
	require.Equal(t, "person_ids", unfit.Problems[0].Field)
	require.Len(t, list()[0].Members, 2, "nothing is half done")
	require.ErrorIs(t, set(theirs, wanted, stranger), account.ErrNotFound)

	require.NoError(t, in(mine, func(tx postgres.Tx) error {
		_, err := account.ChangePerson(t.Context(), tx, mine, bo, account.PersonChange{Removed: true}, time.Now())
		return err
	}))
	require.Equal(t, []id.ID{ana}, list()[0].Members)

	rename := func(company id.ID, name string) error {
		return in(company, func(tx postgres.Tx) error {
			return account.RenameDepartment(t.Context(), tx, company, wanted, name)
		})
	}
	require.NoError(t, rename(mine, "SALES"), "its own name in other letters")
	require.ErrorIs(t, rename(theirs, "x"), account.ErrNotFound)
	remove := func(company id.ID) error {
		return in(company, func(tx postgres.Tx) error {
			return account.DeleteDepartment(t.Context(), tx, company, wanted, time.Now())
		})
	}
	require.ErrorIs(t, remove(theirs), account.ErrNotFound)
	require.NoError(t, remove(mine))
	require.Empty(t, list())
	require.ErrorIs(t, remove(mine), account.ErrNotFound)
	require.ErrorIs(t, rename(mine, "x"), account.ErrNotFound)
	require.NoError(t, create(mine, "Sales"), "the name is free again")
}
