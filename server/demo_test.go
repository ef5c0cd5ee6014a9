package server

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/demo"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

// rowsOf counts the rows of a company in every table but the relay's.
func (x *site) rowsOf(t *testing.T, company id.ID) (rows int) {
	t.Helper()
	owner := pgtest.Owner(t, x.db)
	require.NoError(t, owner.QueryRow(t.Context(), `SELECT sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM omnidesk.%I WHERE company_id = %L', c.relname, $1::text), false, true, '')))[1]::text::int)
		FROM pg_class c WHERE c.relnamespace = 'omnidesk'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'wakes'
		AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'company_id' AND NOT a.attisdropped)`, company.String()).Scan(&rows))
	return rows
}

func TestTheDemoIsRemovedForGoodAndNothingElseIs(t *testing.T) {
	for _, role := range []account.Role{account.Admin, account.Superadmin} {
		t.Run(string(role), func(t *testing.T) {
			x := newSite(t)
			made, err := demo.Ensure(t.Context(), x.db, x.connections)
			require.NoError(t, err)
			others := x.rowsOf(t, x.mine)
			require.Greater(t, x.rowsOf(t, made.Company), 800)
			var c *caller
			if role == account.Superadmin {
				x.addUser(t, nil, "root@example.com", account.Superadmin, false)
				c = x.signIn(t, "root@example.com")
				as[Me](t, c.do(http.MethodPost, "/api/v1/auth/company", map[string]any{"company_id": made.Company.String()}), http.StatusOK)
			} else {
				x.addUser(t, &made.Company, "second@example.com", account.Admin, false)
				c = x.signIn(t, "second@example.com")
			}
			me := as[Me](t, c.do(http.MethodDelete, "/api/v1/demo", nil), http.StatusOK)
			require.Zero(t, x.rowsOf(t, made.Company))
			require.Equal(t, others, x.rowsOf(t, x.mine))
			require.Equal(t, me, as[Me](t, c.do(http.MethodGet, "/api/v1/auth/me", nil), http.StatusOK))
			if role == account.Superadmin {
				require.Nil(t, me.Company)
			} else {
				require.False(t, me.Company.Demo)
				require.Equal(t, "America/Sao_Paulo", me.Company.Zone)
				require.Empty(t, as[CampaignList](t, c.do(http.MethodGet, "/api/v1/campaigns", nil), http.StatusOK).Items)
				c.do(http.MethodDelete, "/api/v1/demo", nil).problem(t, http.StatusConflict)
			}
			again, err := demo.Ensure(t.Context(), x.db, x.connections)
			require.NoError(t, err)
			require.Equal(t, demo.Demo{}, again, "a later start does not bring it back")
		})
	}
}

func TestACompanyThatIsNoDemoCannotBeRemoved(t *testing.T) {
	x := newSite(t)
	rows := x.rowsOf(t, x.mine)
	x.signIn(t, "ana@example.com").do(http.MethodDelete, "/api/v1/demo", nil).problem(t, http.StatusConflict)
	require.Error(t, x.db.InSystem(t.Context(), func(tx postgres.Tx) error {
		_, err := tx.Exec(t.Context(), `SELECT delete_demo_rows($1, 10)`, x.mine)
		return err
	}))
	require.Error(t, x.db.InSystem(t.Context(), func(tx postgres.Tx) error {
		_, err := tx.Exec(t.Context(), `SELECT drop_demo_company($1, NULL, NULL)`, x.mine)
		return err
	}))
	require.GreaterOrEqual(t, x.rowsOf(t, x.mine), rows)
}
