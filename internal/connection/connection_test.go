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
		view, err = store.Update(t.Context(), tx, company, view.ID, connection.Change{NumberID: &number}, time.Now())
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

// TestAReplacedAppSecretIsBelievedForADay checks that webhooks which are on their way keep counting.
func TestAReplacedAppSecretIsBelievedForADay(t *testing.T) {
	db, store := pgtest.New(t), newStore(t)
	company := pgtest.Company(t, db)
	now, next := time.Now(), "the next secret"
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		view, err := store.Create(t.Context(), tx, company, draft)
		require.NoError(t, err)
		for range 2 { // the same secret again replaces nothing
			_, err = store.Update(t.Context(), tx, company, view.ID, connection.Change{AppSecret: &next}, now)
			require.NoError(t, err)
		}
		secrets, err := store.Secrets(t.Context(), tx, company, view.ID, now.Add(23*time.Hour))
		require.NoError(t, err)
		require.Equal(t, []string{next, draft.AppSecret}, secrets)
		secrets, err = store.Secrets(t.Context(), tx, company, view.ID, now.Add(25*time.Hour))
		require.Equal(t, []string{next}, secrets)
		return err
	}))
}

func TestADeletedConnectionKeepsItsNameAndNothingElse(t *testing.T) {
	db, store := pgtest.New(t), newStore(t)
	company := pgtest.Company(t, db)
	var view connection.View
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) (err error) {
		view, err = store.Create(t.Context(), tx, company, draft)
		require.NoError(t, err)
		require.NoError(t, store.Delete(t.Context(), tx, company, view.ID, time.Now()))
		require.ErrorIs(t, store.Delete(t.Context(), tx, company, view.ID, time.Now()), connection.ErrNotFound)
		gone, err := store.Get(t.Context(), tx, company, view.ID)
		require.NoError(t, err)
		require.Equal(t, draft.Name, gone.Name)
		require.NotNil(t, gone.DeletedAt)
		require.Empty(t, gone.VerifyToken)
		list, err := store.List(t.Context(), tx, company, nil)
		require.NoError(t, err)
		require.Empty(t, list)
		_, err = store.Account(t.Context(), tx, company, view.ID)
		require.ErrorIs(t, err, connection.ErrNotFound)
		_, err = store.Secrets(t.Context(), tx, company, view.ID, time.Now())
		require.ErrorIs(t, err, connection.ErrNotFound)
		_, err = store.Create(t.Context(), tx, company, draft)
		return err // its number is free
	}))
	require.NoError(t, db.InSystem(t.Context(), func(tx postgres.Tx) error {
		_, err := connection.RouteBySlug(t.Context(), tx, view.Slug)
		require.ErrorIs(t, err, connection.ErrNotFound)
		return nil
	}))
	var sealed int
	require.NoError(t, pgtest.Owner(t, db).QueryRow(t.Context(), `SELECT octet_length(sealed_app_secret) + octet_length(sealed_token) + octet_length(sealed_verify_token)
		FROM omnidesk.connections WHERE id = $1`, view.ID).Scan(&sealed))
	require.Zero(t, sealed)
}

// TestOpenWorkRefusesADelete counts what is open in each state; what has ended is no obstacle.
func TestOpenWorkRefusesADelete(t *testing.T) {
	db, store := pgtest.New(t), newStore(t)
	company := pgtest.Company(t, db)
	var view connection.View
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) (err error) {
		view, err = store.Create(t.Context(), tx, company, draft)
		return err
	}))
	owner := pgtest.Owner(t, db)
	run := func(sql string, args ...any) {
		t.Helper()
		_, err := owner.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	running, finished := id.New(), id.New()
	for campaign, state := range map[id.ID]string{running: "paused", finished: "finished", id.New(): "draft"} {
		run(`INSERT INTO omnidesk.campaigns (company_id, id, connection_id, name, state, content, audience) VALUES ($1, $2, $3, 'Spring', $4, '{}', '{}')`, company, campaign, view.ID, state)
	}
	message := func(campaign *id.ID, state int) {
		run(`INSERT INTO omnidesk.messages (company_id, id, connection_id, contact_id, identity_id, campaign_id, lane, state) VALUES ($1, $2, $3, $2, $2, $4, $5, $6)`,
			company, id.New(), view.ID, campaign, map[bool]int{true: 2, false: 5}[campaign == nil], state)
	}
	for _, state := range []int{0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9} {
		message(&finished, state)
	}
	message(nil, 6)
	message(nil, 2)
	remove := func() (err error) {
		require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
			err = store.Delete(t.Context(), tx, company, view.ID, time.Now())
			return nil
		}))
		return err
	}
	var inUse *connection.InUseError
	require.ErrorAs(t, remove(), &inUse)
	require.Equal(t, connection.Usage{Queued: 2, Sending: 1, Uncertain: 2, Campaigns: []connection.User{{ID: running, Name: "Spring", State: "paused"}}}, inUse.Usage)
	require.ErrorContains(t, inUse, "1 campaign, 2 queued messages, 1 message being sent and 2 uncertain messages")
	run(`UPDATE omnidesk.messages SET state = 3 WHERE state IN (0, 1, 6)`)
	require.ErrorAs(t, remove(), &inUse)
	require.ErrorContains(t, inUse, "in use: 1 campaign.")
	run(`UPDATE omnidesk.campaigns SET state = 'canceled' WHERE id = $1`, running)
	require.NoError(t, remove())
}
