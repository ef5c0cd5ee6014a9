package demo_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/campaign"
	"omnidesk/internal/connection"
	"omnidesk/internal/contact"
	"omnidesk/internal/demo"
	"omnidesk/internal/filter"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/secret"
	"omnidesk/internal/send"
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
		size, err := contact.Count(ctx, tx, first.Company, contact.Query{}, contact.First)
		require.NoError(t, err)
		require.EqualValues(t, 200, size.Contacts)
		segments, err := contact.Segments(ctx, tx, first.Company)
		require.Len(t, segments, 4)
		for _, segment := range segments {
			parsed, err := filter.Parse(segment.Filter)
			require.NoError(t, err)
			size, err := contact.Count(ctx, tx, first.Company, contact.Query{Filter: parsed}, contact.First)
			require.NoError(t, err)
			require.Positive(t, size.Contacts, "nobody is in %q", segment.Name)
			require.Less(t, size.Contacts, int64(200), "everybody is in %q", segment.Name)
		}
		return err
	}))
	requireCampaigns(t, db, first.Company)
	requireKnownBefore(t, db, first.Company)
	requireSlowNumber(t, db, store, first.Company)
	require.NoError(t, send.RollUp(ctx, db))
	requireCampaigns(t, db, first.Company)
	tokens, err := account.NewTokens(account.NewTokenSecret())
	require.NoError(t, err)
	_, who, err := account.NewLogins(db, tokens, account.Lifetimes{}).Login(ctx, demo.Email, first.Password, netip.MustParseAddr("127.0.0.1"), "")
	require.NoError(t, err)
	require.Equal(t, "Acme Demo", who.Company.Name)
	require.True(t, who.Company.Demo)
}

// requireCampaigns holds the demo's campaigns and their traffic against the rows of the ledger.
func requireCampaigns(t *testing.T, db *postgres.DB, company id.ID) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, db.InCompany(ctx, company, func(tx postgres.Tx) error {
		campaigns, err := campaign.List(ctx, tx, company, contact.First, "", 10)
		require.NoError(t, err)
		var states []campaign.State
		replied := 0
		for _, c := range campaigns {
			states = append(states, c.State)
			if c.State != campaign.Finished {
				continue
			}
			counts, err := send.CountsOf(ctx, tx, company, c.ID)
			require.NoError(t, err)
			n := counts[c.ID]
			require.Equal(t, c.Recipients, n.Total())
			require.Zero(t, n.Open())
			require.Positive(t, n.Read)
			failures, err := send.FailuresOf(ctx, tx, company, c.ID)
			require.NoError(t, err)
			failed := 0
			for _, f := range failures {
				failed += f.Count
			}
			require.Equal(t, n.Failed, failed)
			answered, err := send.ListReplied(ctx, tx, company, c.ID, id.Nil, nil, 200)
			require.NoError(t, err)
			require.Len(t, answered, n.Replied)
			replied += n.Replied
			require.True(t, c.CreatedAt.Before(*c.StartedAt) && c.StartedAt.Before(*c.FinishedAt))
			messages, err := send.ListCampaign(ctx, tx, company, c.Connection, c.ID, id.Nil, []send.State{send.Read}, 200)
			require.NoError(t, err)
			require.Len(t, messages, n.Read)
			for _, m := range messages {
				require.NotNil(t, m.Content)
				require.True(t, m.SentAt.Before(*m.DeliveredAt) && m.DeliveredAt.Before(*m.ReadAt))
				require.WithinDuration(t, *c.StartedAt, *m.SentAt, 4*time.Hour)
			}
		}
		require.ElementsMatch(t, []campaign.State{campaign.Finished, campaign.Finished, campaign.Starting, campaign.Starting}, states)
		var want send.Traffic
		require.NoError(t, tx.QueryRow(ctx, `SELECT count(*) FILTER (WHERE state IN (2, 4, 5)), count(*) FILTER (WHERE state IN (4, 5)), count(*) FILTER (WHERE state = 5),
			count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 6) FROM messages WHERE direction = 0`).Scan(&want.Sent, &want.Delivered, &want.Read, &want.Failed, &want.Uncertain))
		buckets, err := send.TrafficOf(ctx, tx, company, time.Now().AddDate(0, 0, -30), time.Now(), "day", "America/Sao_Paulo")
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(buckets), 2)
		var got send.Traffic
		for _, b := range buckets {
			got.Sent, got.Delivered, got.Read = got.Sent+b.Sent, got.Delivered+b.Delivered, got.Read+b.Read
			got.Failed, got.Uncertain, got.Replies = got.Failed+b.Failed, got.Uncertain+b.Uncertain, got.Replies+b.Replies
		}
		require.Positive(t, replied)
		require.Equal(t, replied, got.Replies, "one message each")
		var unread int
		require.NoError(t, tx.QueryRow(ctx, `SELECT count(*) FROM conversations WHERE unread > 0`).Scan(&unread))
		require.Positive(t, unread)
		got.Replies = 0
		require.Equal(t, want, got)
		return nil
	}))
}

// requireKnownBefore: nobody gets a message before they are a contact.
func requireKnownBefore(t *testing.T, db *postgres.DB, company id.ID) {
	t.Helper()
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		var messages, early int
		require.NoError(t, tx.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE m.sent_at < c.created_at)
			FROM messages m JOIN contacts c ON c.company_id = m.company_id AND c.id = m.contact_id WHERE m.sent_at IS NOT NULL`).Scan(&messages, &early))
		require.Positive(t, messages)
		require.Zero(t, early)
		return nil
	}))
}

// requireSlowNumber: the campaign that runs at the first start goes through a number on which it takes a while.
func requireSlowNumber(t *testing.T, db *postgres.DB, store *connection.Store, company id.ID) {
	t.Helper()
	require.NoError(t, db.InCompany(t.Context(), company, func(tx postgres.Tx) error {
		connections, err := store.List(t.Context(), tx, company, nil)
		require.NoError(t, err)
		require.Len(t, connections, 2)
		campaigns, err := campaign.List(t.Context(), tx, company, contact.First, "", 10)
		require.NoError(t, err)
		running := slices.IndexFunc(campaigns, func(c campaign.Campaign) bool { return c.Name == "Order updates" })
		governor, err := send.GovernorOf(t.Context(), tx, company, campaigns[running].Connection, time.Now())
		require.NoError(t, err)
		require.Equal(t, 10, governor.Limits.PerMinute)
		customers, err := contact.Count(t.Context(), tx, company, contact.Query{Tag: &campaigns[running].Audience.TagIDs[0]}, contact.First)
		require.NoError(t, err)
		require.EqualValues(t, 120, customers.Contacts, "at 8 of 10 a minute these take 15 minutes")
		return nil
	}))
}
