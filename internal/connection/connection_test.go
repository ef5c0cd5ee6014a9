package connection_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/connection"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/secret"
)

func newStore(t *testing.T) *connection.Store {
	t.Helper()
	keyset, err := secret.NewKeyset()
	require.NoError(t, err)
	sealer, err := secret.Open(keyset)
	require.NoError(t, err)
	return connection.NewStore(sealer)
}

var draft = connection.Draft{Name: "Sales", AppID: "1", AppSecret: "the app secret", AccountID: "2", NumberID: "3001", Token: "the token"}

func TestCredentialsAreSealedAndBoundToTheirRow(t *testing.T) {
	db, store := pgtest.New(t), newStore(t)
	mine, theirs := pgtest.Company(t, db), pgtest.Company(t, db)
	create := func(company id.ID) (view connection.View) {
		require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) (err error) {
			view, err = store.Create(t.Context(), tx, company, draft)
			return err
		}))
		return view
	}
	first, second := create(mine), create(theirs)
	require.Len(t, first.Slug, 22)
	require.NotEqual(t, first.Slug, second.Slug)

	owner := pgtest.Owner(t, db)
	var plain int
	require.NoError(t, owner.QueryRow(t.Context(), `SELECT count(*) FROM omnidesk.connections c WHERE c::text LIKE '%the token%'
		OR position('the token'::bytea IN sealed_token) > 0 OR position('the app secret'::bytea IN sealed_app_secret) > 0`).Scan(&plain))
	require.Zero(t, plain)
	require.NoError(t, db.InCompany(t.Context(), mine, func(tx postgres.Tx) error {
		account, err := store.Account(t.Context(), tx, mine, first.ID)
		require.Equal(t, "the token", account.Token)
		require.Equal(t, "the app secret", account.AppSecret)
		_, foreign := store.Account(t.Context(), tx, mine, second.ID)
		require.ErrorIs(t, foreign, connection.ErrNotFound)
		return err
	}))
	_, err := owner.Exec(t.Context(), `UPDATE omnidesk.connections SET sealed_token = (SELECT sealed_token FROM omnidesk.connections WHERE id = $1) WHERE id = $2`, second.ID, first.ID)
	require.NoError(t, err)
	require.NoError(t, db.InCompany(t.Context(), mine, func(tx postgres.Tx) error {
		_, err := store.Account(t.Context(), tx, mine, first.ID)
		require.ErrorIs(t, err, secret.ErrSealed)
		return nil
	}))
}

func TestRoutesFollowTheConnection(t *testing.T) {
	db, store := pgtest.New(t), newStore(t)
	company := pgtest.Company(t, db)
	var view connection.View
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) (err error) {
		view, err = store.Create(t.Context(), tx, company, draft)
		if err != nil {
			return err
		}
		require.NoError(t, store.SetChecked(t.Context(), tx, company, view.ID, connection.Connected, "It works.", "+15550001000", time.Now()))
		require.ErrorIs(t, store.SetChecked(t.Context(), tx, company, id.New(), connection.Connected, "", "", time.Now()), connection.ErrNotFound)
		number := "3002"
		view, err = store.Update(t.Context(), tx, company, view.ID, connection.Change{NumberID: &number})
		return err
	}))
	require.Equal(t, connection.Unchecked, view.State, "the check spoke of another number")
	require.Empty(t, view.Number)
	require.NoError(t, db.InSystem(t.Context(), func(tx postgres.Tx) error {
		want := connection.Route{Company: company, Connection: view.ID, NumberID: "3002"}
		route, err := connection.RouteBySlug(t.Context(), tx, view.Slug)
		require.NoError(t, err)
		require.Equal(t, want, route)
		_, err = connection.RouteBySlug(t.Context(), tx, "unknown")
		require.ErrorIs(t, err, connection.ErrNotFound)
		routes, err := connection.RoutesByNumber(t.Context(), tx, "3002")
		require.Equal(t, []connection.Route{want}, routes)
		return err
	}))
}
