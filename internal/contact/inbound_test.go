package contact_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/contact"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

func phone(value string) channel.Address { return channel.Address{Kind: "phone", Value: value} }

func TestWhoWritesAtTheSameTimeIsOneContact(t *testing.T) {
	db := pgtest.New(t)
	company := pgtest.Company(t, db)
	const writers, people = 8, 20
	met := make([][]contact.Known, writers)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			var who []contact.Person
			for p := range people {
				who = append(who, contact.Person{From: phone(fmt.Sprintf("+55119900001%02d", (p*7+w*3)%people)), Name: "N"})
			}
			if err := db.InCompany(t.Context(), company, func(tx postgres.Tx) (err error) {
				met[w], err = contact.Meet(t.Context(), tx, company, who)
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	byPhone := map[int]contact.Known{}
	for w := range writers {
		for p := range people {
			which := (p*7 + w*3) % people
			if first, seen := byPhone[which]; seen {
				require.Equal(t, first, met[w][p])
			}
			byPhone[which] = met[w][p]
		}
	}
	var contacts, identities int
	require.NoError(t, pgtest.Owner(t, db).QueryRow(t.Context(), `SELECT (SELECT count(*) FROM contacts), (SELECT count(*) FROM identities)`).Scan(&contacts, &identities))
	require.Equal(t, []int{people, people}, []int{contacts, identities}, "nobody is left without an address")
}

func TestAPersonIsKnownByAnyOfTheirAddresses(t *testing.T) {
	db := pgtest.New(t)
	company := pgtest.Company(t, db)
	meet := func(people ...contact.Person) (met []contact.Known) {
		t.Helper()
		require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) (err error) {
			met, err = contact.Meet(t.Context(), tx, company, people)
			return err
		}))
		return met
	}
	user := channel.Address{Kind: "bsuid", Value: "BR.1"}
	first := meet(contact.Person{From: phone("+5511990000100"), Also: []channel.Address{user}}, contact.Person{From: phone("+5511990000100"), Name: "Ana"})
	require.Equal(t, first[0], first[1])
	hidden := meet(contact.Person{From: user, Name: "Another"})
	require.Equal(t, first[0].Contact, hidden[0].Contact, "the number is hidden now")
	require.NotEqual(t, first[0].Identity, hidden[0].Identity)
	var name string
	require.NoError(t, pgtest.Owner(t, db).QueryRow(t.Context(), `SELECT name FROM contacts`).Scan(&name))
	require.Equal(t, "Another", name, "the first name heard by one without a name")
	for dialled, other := range map[string]string{
		"+5521987654321": "+552187654321", "+525512345678": "+5215512345678", "+5491123456789": "+541123456789",
	} {
		require.Equal(t, meet(contact.Person{From: phone(other)}), meet(contact.Person{From: phone(dialled)}), dialled)
	}
	require.NotEqual(t, meet(contact.Person{From: phone("+552133334444")}), meet(contact.Person{From: phone("+5521933334444")}), "a landline has no ninth digit")
	require.NotEqual(t, meet(contact.Person{From: phone("+14155550123")}), meet(contact.Person{From: phone("+4155550123")}))
}

func TestOnlyAWholeMessageIsAWish(t *testing.T) {
	for text, want := range map[string]contact.Wish{
		"STOP": contact.Stop, " Parar!! ": contact.Stop, "*sair*": contact.Stop, "baja.": contact.Stop, "Berhenti": contact.Stop, "stop  ALL": contact.Stop,
		"start": contact.Resume, "Voltar": contact.Resume,
		"please stop by": contact.NoWish, "não parar": contact.NoWish, "": contact.NoWish, "stop?!x": contact.NoWish, "yes": contact.NoWish,
	} {
		require.Equal(t, want, contact.WishOf(text), text)
	}
}
