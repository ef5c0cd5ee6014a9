package demo_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/connection"
	"omnidesk/internal/contact"
	"omnidesk/internal/demo"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/secret"
)

func TestTheDemoIsMadeOnceAndFoundAgain(t *testing.T) {
	ctx, db := context.Background(), pgtest.New(t)
	keyset, err := secret.NewKeyset()
	require.NoError(t, err)
	sealer, err := secret.Open(keyset)
	require.NoError(t, err)
	store := connection.NewStore(sealer)

	first, err := demo.Ensure(ctx, db, store)
	require.NoError(t, err)
	require.True(t, first.Created)
	require.NotEmpty(t, first.AppSecret)
	require.NotEmpty(t, first.WebhookPath)

	again, err := demo.Ensure(ctx, db, store)
	require.NoError(t, err)
	require.False(t, again.Created)
	require.Empty(t, again.Password)
	want := first
	want.Created, want.Password = false, ""
	require.Equal(t, want, again, "the sandbox can be told on each start")

	require.NoError(t, db.InCompany(ctx, first.Company, func(tx postgres.Tx) error {
		size, err := contact.Count(ctx, tx, first.Company, contact.Query{})
		require.EqualValues(t, 60, size.Contacts)
		return err
	}))
	tokens, err := account.NewTokens(account.NewTokenSecret())
	require.NoError(t, err)
	_, who, err := account.NewLogins(db, tokens).Login(ctx, demo.Email, first.Password, netip.MustParseAddr("127.0.0.1"), "")
	require.NoError(t, err)
	require.Equal(t, "Acme Demo", who.Company.Name)
	require.True(t, who.Company.Demo)
}
