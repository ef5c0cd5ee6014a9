package contact_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

func TestANumberTellsItsZones(t *testing.T) {
	for phone, want := range map[string]string{
		"+5511990000100": "America/Sao_Paulo",
		"+5592990000100": "America/Manaus",
		"+12125551234":   "America/New_York",
		"+447700900123":  "Europe/London",                 // also Guernsey and Man, which keep its time
		"+351910000000":  "Atlantic/Azores,Europe/Lisbon", // either may be where the owner is
		"+18005551234":   "",                              // from Guam to Samoa
		"+5215512345678": "America/Cancun,America/New_York,America/Tijuana",
		"+80012345678":   "", // international freephone: no place
		"+99":            "",
		"no number":      "",
	} {
		require.Equal(t, want, contact.PhoneZones(phone), phone)
	}
}

func TestPhonesFromBeforeThereWereZonesAreFilledOnce(t *testing.T) {
	db := pgtest.New(t)
	company, other := pgtest.Company(t, db), pgtest.Company(t, db)
	owner := pgtest.Owner(t, db)
	for of, phones := range map[id.ID]int{company: 2500, other: 1} {
		_, err := owner.Exec(t.Context(), `WITH p AS MATERIALIZED (SELECT gen_random_uuid() AS id, g FROM generate_series(1, $2::int) g),
			c AS (INSERT INTO contacts (company_id, id, name) SELECT $1, id, 'Ana' FROM p)
			INSERT INTO identities (company_id, id, contact_id, kind, value) SELECT $1, gen_random_uuid(), id, 'phone', '+55929' || lpad(g::text, 8, '0') FROM p`, of, phones)
		require.NoError(t, err)
	}
	var rounds []int
	for filled := -1; filled != 0; {
		require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) (err error) {
			filled, err = contact.FillZones(t.Context(), tx, company)
			rounds = append(rounds, filled)
			return err
		}))
	}
	require.Equal(t, []int{2000, 500, 0}, rounds)
	var manaus, untouched int
	require.NoError(t, owner.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE zones = 'America/Manaus'), count(*) FILTER (WHERE zones IS NULL) FROM identities`).Scan(&manaus, &untouched))
	require.Equal(t, 2500, manaus)
	require.Equal(t, 1, untouched, "another company's")
}
