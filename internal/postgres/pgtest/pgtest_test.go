package pgtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

func TestEachTestHasItsOwnDatabase(t *testing.T) {
	first, second := pgtest.New(t), pgtest.New(t)
	company := pgtest.Company(t, first)
	require.Equal(t, 1, companies(t, first))
	require.Equal(t, 0, companies(t, second))
	err := first.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		var zone string
		return tx.QueryRow(t.Context(), `SELECT zone FROM companies WHERE company_id = $1`, company).Scan(&zone)
	})
	require.NoError(t, err)
}

func companies(t *testing.T, db *postgres.DB) (count int) {
	t.Helper()
	require.NoError(t, pgtest.Owner(t, db).QueryRow(t.Context(), `SELECT count(*) FROM companies`).Scan(&count))
	return count
}
