package send_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

func TestPageSendsEveryMessageOnce(t *testing.T) {
	r := newRunning(t, 500)
	provider := newScript(accept)
	result := r.page(provider)
	require.Equal(t, 500, result.Sent)
	require.Len(t, provider.seen, 500)
	require.Equal(t, 500, provider.sends())
	require.Equal(t, send.Counts{Sent: 500}, r.counts())
	require.Equal(t, send.Counts{Sent: 500}, r.rows())
}

func TestClaimedAndUnrecordedStayWithinTwiceTheSlots(t *testing.T) {
	r := newRunning(t, 300)
	most := 0
	provider := newScript(accept)
	provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth%20 == 0 {
			provider.mu.Lock()
			most = max(most, r.rows().Sending)
			provider.mu.Unlock()
		}
		return accept(out, nth)
	}
	r.page(provider)
	require.Positive(t, most)
	require.LessOrEqual(t, most, 16)
}

func TestPauseStopsClaimsAtOnce(t *testing.T) {
	r := newRunning(t, 400)
	answered := make(chan int, 1) // sends when the pause had committed
	provider := newScript(nil)
	provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 50 {
			r.tx(func(tx postgres.Tx) error {
				if err := send.LockScope(context.Background(), tx, r.company, r.connection); err != nil {
					return err
				}
				return campaign.Pause(context.Background(), tx, r.company, r.campaign, time.Now())
			})
			answered <- provider.sends()
		}
		return accept(out, nth)
	}
	result := r.page(provider)
	// What was claimed when the pause committed goes out or is given back; nothing more is claimed.
	require.LessOrEqual(t, provider.sends(), <-answered+16)
	require.Equal(t, send.Counts{Sent: result.Sent, Queued: 400 - result.Sent}, r.rows())
	require.Equal(t, r.rows(), r.counts())
	r.tx(func(tx postgres.Tx) error {
		return campaign.Resume(context.Background(), tx, r.company, r.campaign, time.Now())
	})
	r.page(provider)
	require.Equal(t, send.Counts{Sent: 400}, r.rows())
	for message, times := range provider.seen {
		require.Equal(t, 1, times, message)
	}
}

func TestOutcomesBecomeStates(t *testing.T) {
	for name, c := range map[string]struct {
		outcome channel.Outcome
		want    send.Counts
	}{
		"accepted":            {channel.Outcome{Class: channel.Accepted, ProviderID: "wamid.1"}, send.Counts{Sent: 1}},
		"refused":             {channel.Outcome{Class: channel.Refused, Code: 131026, Detail: "not on WhatsApp"}, send.Counts{Failed: 1}},
		"unknown":             {channel.Outcome{Class: channel.Unknown, Detail: "no answer"}, send.Counts{Uncertain: 1}},
		"come later":          {channel.Outcome{Class: channel.NotAccepted, RetryAfter: time.Hour}, send.Counts{Queued: 1}},
		"nothing was written": {channel.Outcome{Class: channel.NotWritten, RetryAfter: time.Hour}, send.Counts{Queued: 1}},
		"number refused":      {channel.Outcome{Class: channel.Refused, Scope: channel.ScopeConnection, Code: 190}, send.Counts{Queued: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunning(t, 1)
			provider := newScript(func(channel.Outgoing, int) channel.Outcome { return c.outcome })
			r.page(provider)
			require.Equal(t, 1, provider.sends())
			require.Equal(t, c.want, r.rows())
			require.Equal(t, c.want, r.counts())
		})
	}
}

func TestUnknownOutcomesInARowHoldTheConnection(t *testing.T) {
	r := newRunning(t, 200)
	provider := newScript(func(channel.Outgoing, int) channel.Outcome { return channel.Outcome{Class: channel.Unknown} })
	result := r.page(provider)
	require.GreaterOrEqual(t, result.Uncertain, 5)
	require.LessOrEqual(t, result.Uncertain, 16)
	require.Equal(t, send.Counts{Uncertain: result.Uncertain, Queued: 200 - result.Uncertain}, r.rows())
	r.tx(func(tx postgres.Tx) error {
		o, err := send.OutlookOf(t.Context(), tx, r.company, r.connection, time.Now())
		require.True(t, o.Claimable)
		require.NotNil(t, o.HeldUntil)
		require.Contains(t, o.HeldReason, "one at a time")
		return err
	})
	// Held: a page claims nothing.
	before := provider.sends()
	r.page(provider)
	require.Equal(t, before, provider.sends())
}

func TestNewerPageFencesTheOlder(t *testing.T) {
	r := newRunning(t, 200)
	second := newScript(accept)
	first := newScript(nil)
	first.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 20 {
			r.page(second)
		}
		return accept(out, nth)
	}
	r.page(first)
	require.Equal(t, send.Counts{Sent: 200}, r.rows())
	for message := range second.seen {
		require.NotContains(t, first.seen, message)
	}
	require.Positive(t, second.sends())
}

func TestClaimWithoutOwnerBecomesUncertainAndItsOutcomeStillCounts(t *testing.T) {
	r := newRunning(t, 10)
	provider := newScript(nil)
	provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		// While this send is on the wire, its claim grows too old.
		r.tx(func(tx postgres.Tx) error {
			_, err := send.SweepOverdue(context.Background(), tx, r.company, r.connection, time.Now().Add(time.Hour), time.Now())
			return err
		})
		return accept(out, nth)
	}
	r.page(provider)
	require.Equal(t, send.Counts{Sent: 10}, r.rows())
	require.Equal(t, send.Counts{Sent: 10}, r.counts())
}

func TestOptedOutAndExpiredAreNotSent(t *testing.T) {
	r := newRunning(t, 10)
	owner := pgOwner(r)
	_, err := owner.Exec(t.Context(), `UPDATE contacts SET opted_out_at = now() WHERE name IN ('Person 1', 'Person 2')`)
	require.NoError(t, err)
	_, err = owner.Exec(t.Context(), `UPDATE messages SET expires_at = now() - interval '1 minute' WHERE sequence > 7`)
	require.NoError(t, err)
	provider := newScript(accept)
	r.page(provider)
	require.Equal(t, 5, provider.sends())
	require.Equal(t, send.Counts{Sent: 5, Expired: 3, Suppressed: 2}, r.rows())
	require.Equal(t, r.rows(), r.counts())
}

func TestWorkerThatStopsGivesBackWhatIsNotOnTheWire(t *testing.T) {
	r := newRunning(t, 200)
	ctx, stop := context.WithCancel(t.Context())
	provider := newScript(nil)
	provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 30 {
			stop()
		}
		return accept(out, nth)
	}
	result, err := send.RunPage(ctx, r.db, r.options(provider))
	require.NoError(t, err)
	require.Equal(t, send.Counts{Sent: result.Sent, Queued: 200 - result.Sent}, r.rows())
	require.Less(t, result.Sent, 60)
}

func TestSlowProviderDoesNotMakeAPageForgetItsSources(t *testing.T) {
	r := newRunning(t, 40)
	release := make(chan struct{})
	provider := newScript(nil)
	provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 16 { // every slot is taken and as much again is claimed: there is no room for a while
			time.AfterFunc(300*time.Millisecond, func() { close(release) })
		}
		if nth <= 16 {
			<-release
		}
		return accept(out, nth)
	}
	options := r.options(provider)
	options.Slots = 16
	_, err := send.RunPage(t.Context(), r.db, options)
	require.NoError(t, err)
	require.Equal(t, send.Counts{Sent: 40}, r.rows())
}

// A message's row tells its last try; those before are told by its story.
func TestEachTryIsToldInTheStory(t *testing.T) {
	r := newRunning(t, 1)
	provider := newScript(func(out channel.Outgoing, nth int) channel.Outcome {
		switch nth {
		case 1:
			return channel.Outcome{Class: channel.NotAccepted, Code: 131056, Detail: "Too many to this contact.", RetryAfter: time.Millisecond}
		case 2:
			return channel.Outcome{Class: channel.Unknown, Detail: "No answer."}
		}
		return accept(out, nth)
	})
	r.page(provider)
	require.Equal(t, send.Counts{Uncertain: 1}, r.rows())
	words := func() (told []string) {
		r.tx(func(tx postgres.Tx) error {
			chapters, err := send.StoryOf(t.Context(), tx, r.company, provider.order[0], nil, time.Now())
			for _, c := range chapters {
				if c.Kind == "tried" || c.Kind == "uncertain" || c.Kind == "delivered" {
					told = append(told, c.Kind+": "+c.Words)
				}
			}
			return err
		})
		return told
	}
	require.Equal(t, []string{"tried: A try came to nothing: Too many to this contact. (code 131056)", "uncertain: No answer."}, words())
	r.statuses(channel.Status{MessageID: provider.order[0], ProviderID: "wamid.1", Kind: channel.StatusDelivered, At: time.Now()})
	require.Equal(t, []string{"tried: A try came to nothing: Too many to this contact. (code 131056)", "tried: Its outcome was not known: No answer.", "delivered: It reached the contact's phone."}, words())
}
