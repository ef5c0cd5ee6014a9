package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

// broken are what must never be: a message with other than one contact, or one that was merged, or not its identity's; a
// conversation that does not exist, is doubled, or names another newest message.
const broken = `
	SELECT 'a message has ' || count(x.*) || ' contacts' FROM messages m LEFT JOIN contact_messages x ON x.company_id = m.company_id AND x.message_id = m.id
		WHERE m.company_id = $1 GROUP BY m.id HAVING count(x.*) <> 1
	UNION ALL SELECT 'a message is another contact''s' FROM messages m JOIN contact_messages x ON x.company_id = m.company_id AND x.message_id = m.id
		JOIN identities i ON i.company_id = m.company_id AND i.id = m.identity_id WHERE m.company_id = $1 AND (x.contact_id <> m.contact_id OR i.contact_id <> m.contact_id)
	UNION ALL SELECT 'a message of a merged contact' FROM messages m JOIN contacts c ON c.company_id = m.company_id AND c.id = m.contact_id
		WHERE m.company_id = $1 AND c.merged_into IS NOT NULL
	UNION ALL SELECT 'no conversation, or a wrong newest message' FROM (SELECT company_id, connection_id, contact_id, max(id::text)::uuid AS last FROM messages WHERE company_id = $1 GROUP BY 1, 2, 3) m
		LEFT JOIN conversations v USING (company_id, connection_id, contact_id) WHERE v.last_id IS DISTINCT FROM m.last
	UNION ALL SELECT 'an empty conversation' FROM conversations v WHERE v.company_id = $1 AND NOT EXISTS (SELECT FROM messages m
		WHERE m.company_id = v.company_id AND m.connection_id = v.connection_id AND m.contact_id = v.contact_id)
	UNION ALL SELECT 'the count of contacts is ' || n.n FROM (SELECT sum(contacts) AS n FROM contact_counts WHERE company_id = $1 AND tag_id = '00000000-0000-0000-0000-000000000000') n
		WHERE n.n <> (SELECT count(*) FROM contacts WHERE company_id = $1 AND merged_into IS NULL)`

func TestMergesAndUndosLoseNothing(t *testing.T) {
	x := newSite(t)
	owner := pgtest.Owner(t, x.db)
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		company := id.New()
		_, err := owner.Exec(ctx, `INSERT INTO companies (company_id, name, zone) VALUES ($1, 'Test', 'America/Sao_Paulo')`, company)
		require.NoError(rt, err)
		in := func(do func(tx postgres.Tx) error) { require.NoError(rt, x.db.InCompany(ctx, company, do)) }
		var connections [2]id.ID
		var people [4]id.ID
		in(func(tx postgres.Tx) error {
			for n := range connections {
				view, err := x.connections.Create(ctx, tx, company, connection.Draft{Name: "N", AppID: "1", AccountID: "2", NumberID: fmt.Sprint(id.Time(id.New()).UnixNano(), n), AppSecret: "s", Token: "t", VerifyToken: "v"})
				if err != nil {
					return err
				}
				connections[n] = view.ID
			}
			return nil
		})
		address := func(n int) channel.Address {
			return channel.Address{Kind: "phone", Value: fmt.Sprintf("+55119900000%02d", n)}
		}
		var merges []id.ID
		said, undone := map[int]int{}, map[id.ID]bool{}
		write := func(n, on int) {
			said[n]++
			in(func(tx postgres.Tx) error {
				_, err := receive(ctx, tx, connection.Route{Company: company, Connection: connections[on]},
					[]channel.Inbound{{ProviderID: id.New().String(), From: address(n), Name: fmt.Sprint("P", n), Said: channel.Said{Kind: channel.SaidText, Text: "Hi"}}}, time.Now())
				return err
			})
		}
		for n := range people {
			write(n, n%2)
			in(func(tx postgres.Tx) error {
				known, err := contact.Meet(ctx, tx, company, []contact.Person{{From: address(n)}})
				people[n] = known[0].Contact
				return err
			})
		}
		tryTo := func(do func(tx postgres.Tx) error) {
			err := x.db.InCompany(ctx, company, do)
			for _, known := range []error{nil, contact.ErrMerged, contact.ErrSame, contact.ErrLaterMerge, contact.ErrUndone} {
				if errors.Is(err, known) {
					return
				}
			}
			require.NoError(rt, err)
		}
		undo := func(n int) {
			tryTo(func(tx postgres.Tx) error {
				_, err := unmerge(ctx, tx, company, merges[n], time.Now())
				undone[merges[n]] = undone[merges[n]] || err == nil
				return err
			})
		}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			switch rapid.IntRange(0, 2).Draw(rt, "what") {
			case 0:
				write(rapid.IntRange(0, 3).Draw(rt, "who"), rapid.IntRange(0, 1).Draw(rt, "where"))
			case 1:
				a, b := rapid.IntRange(0, 3).Draw(rt, "winner"), rapid.IntRange(0, 3).Draw(rt, "loser")
				tryTo(func(tx postgres.Tx) error {
					m, _, err := merge(ctx, tx, company, people[a], people[b], nil, time.Now())
					if err == nil {
						merges = append(merges, m.ID)
					}
					return err
				})
			case 2:
				if len(merges) > 0 {
					undo(rapid.IntRange(0, len(merges)-1).Draw(rt, "undo"))
				}
			}
			rows, err := owner.Query(ctx, broken, company)
			require.NoError(rt, err)
			for rows.Next() {
				var what string
				require.NoError(rt, rows.Scan(&what))
				rt.Errorf("%s", what)
			}
			require.NoError(rt, rows.Err())
		}
		for n := len(merges) - 1; n >= 0; n-- {
			if !undone[merges[n]] {
				undo(n)
			}
			require.True(rt, undone[merges[n]], "the newest can always be undone")
		}
		for n, who := range people {
			var messages int
			var name string
			require.NoError(rt, owner.QueryRow(ctx, `SELECT count(*), (SELECT name FROM contacts WHERE id = $1) FROM messages WHERE contact_id = $1`, who).Scan(&messages, &name))
			require.Equal(rt, []any{said[n], fmt.Sprint("P", n)}, []any{messages, name}, "everybody has what they had")
		}
	})
}

// Somebody who hid their number is known by an id, until they write with both.
func TestAHiddenNumberThatShowsIsOnePerson(t *testing.T) {
	i := newInbox(t)
	post := func(contacts, message string) {
		t.Helper()
		body := `{"object":"whatsapp_business_account","entry":[{"id":"2001","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"3001"},"contacts":[` + contacts + `],"messages":[` + message + `]}}]}]}`
		require.Equal(t, http.StatusOK, i.site.anonymous(t).do(http.MethodPost, i.site.path(i.connection), body, sign(appSecret, body)).status)
	}
	i.hear("5511990000100", wrote("wamid.1", "From my phone"))
	post(`{"user_id":"BR.77","profile":{"name":"Rui"}}`, `{"from_user_id":"BR.77",`+wrote("wamid.2", "Without my number")+`}`)
	require.Len(t, i.list("").Items, 2)
	hidden := i.list("").Items[0]
	require.Equal(t, "BR.77", hidden.Address)
	require.Nil(t, as[Contact](t, i.do(http.MethodGet, "/api/v1/contacts/"+hidden.ContactID, nil), http.StatusOK).Phone)

	post(`{"wa_id":"5511990000100","user_id":"BR.77","profile":{"name":"Rui"}}`, `{"from":"5511990000100","from_user_id":"BR.77",`+wrote("wamid.3", "It is me")+`}`)
	list := i.list("").Items
	require.Len(t, list, 1)
	require.Equal(t, []string{"From my phone", "Without my number", "It is me"}, i.texts(list[0].ID))
	about := func(contact string) ContactIdentities {
		return as[ContactIdentities](t, i.do(http.MethodGet, "/api/v1/contacts/"+contact+"/identities", nil), http.StatusOK)
	}
	one := about(list[0].ContactID)
	require.ElementsMatch(t, []ContactIdentity{{"phone", "+5511990000100"}, {"bsuid", "BR.77"}}, one.Identities)
	require.Equal(t, list[0].ContactID, about(hidden.ContactID).MergedInto)
	require.Len(t, as[ContactList](t, i.do(http.MethodGet, "/api/v1/contacts", nil), http.StatusOK).Items, 1)
	require.EqualValues(t, 1, as[Count](t, i.do(http.MethodGet, "/api/v1/contacts/count", nil), http.StatusOK).Count)

	require.Equal(t, http.StatusNoContent, i.do(http.MethodPost, "/api/v1/merges/"+one.Merges[0].ID+"/undo", nil).status)
	require.Len(t, i.list("").Items, 2)
	i.do(http.MethodPost, "/api/v1/merges/"+one.Merges[0].ID+"/undo", nil).problem(t, http.StatusConflict)
}

func TestAnAdminMergesTwoContacts(t *testing.T) {
	i := newInbox(t)
	i.hear("5511990000100", wrote("wamid.1", "Hello"))
	i.hear("5511990000200", wrote("wamid.2", "stop"))
	list := i.list("").Items
	loser, winner := list[0], list[1]
	path := "/api/v1/contacts/" + winner.ContactID
	require.Equal(t, http.StatusOK, i.do(http.MethodPatch, "/api/v1/contacts/"+loser.ContactID, map[string]any{"tags": []string{"vip"}, "attributes": map[string]string{"city": "Recife"}}).status)
	i.do(http.MethodPost, path+"/merge", map[string]string{"contact_id": winner.ContactID}).problem(t, http.StatusUnprocessableEntity)
	i.do(http.MethodPost, path+"/merge", map[string]string{"contact_id": id.New().String()}).problem(t, http.StatusUnprocessableEntity)
	made := as[Merge](t, i.do(http.MethodPost, path+"/merge", map[string]string{"contact_id": loser.ContactID}), http.StatusCreated)
	i.do(http.MethodPost, path+"/merge", map[string]string{"contact_id": loser.ContactID}).problem(t, http.StatusConflict)
	one := as[Contact](t, i.do(http.MethodGet, path, nil), http.StatusOK)
	require.Equal(t, []any{"Recife", "vip", true}, []any{one.Attributes["city"], one.Tags[0].Name, one.OptedOutAt != nil}, "the strictest consent counts")
	require.Equal(t, 2, i.list("").Unread+i.list("").Items[0].Unread-1)
	i.do(http.MethodGet, "/api/v1/conversations/"+loser.ID, nil).problem(t, http.StatusNotFound)

	i.hear("5511990000200", wrote("wamid.3", "One more"))
	require.Len(t, i.list("").Items, 1, "what comes from either number is in one conversation")
	require.Equal(t, http.StatusNoContent, i.do(http.MethodPost, "/api/v1/merges/"+made.ID+"/undo", nil).status)
	back := as[Contact](t, i.do(http.MethodGet, path, nil), http.StatusOK)
	require.Equal(t, []any{0, 0, true}, []any{len(back.Attributes), len(back.Tags), back.OptedOutAt == nil})
	require.Equal(t, []string{"stop", "One more"}, i.texts(loser.ID), "what was said over an address follows it")
	require.Equal(t, []string{"Hello"}, i.texts(winner.ID))
}
