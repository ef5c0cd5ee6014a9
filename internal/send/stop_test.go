package send_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/send"
)

// pausing runs a page as the worker does, and counts what it paused.
func (r *running) pausing(sender channel.Sender) (pauses int) {
	r.Helper()
	var paused atomic.Int32
	options := r.options(sender)
	options.Slots = 50
	options.Pause = func(ctx context.Context, tx postgres.Tx, stop send.Stop) ([]id.ID, error) {
		found, err := campaign.PauseFor(ctx, tx, r.company, r.connection, campaign.Halt(stop), time.Now())
		paused.Add(int32(len(found)))
		return found, err
	}
	_, err := send.RunPage(r.Context(), r.db, options)
	require.NoError(r, err)
	return int(paused.Load())
}

func (r *running) read(of id.ID) (c campaign.Campaign) {
	r.Helper()
	r.tx(func(tx postgres.Tx) (err error) {
		c, err = campaign.Get(r.Context(), tx, r.company, of)
		return err
	})
	return c
}

// beside adds a running campaign without messages on the same connection, with another template or the same one.
func (r *running) beside(template string) (other id.ID) {
	r.Helper()
	other = id.New()
	_, err := pgtest.Owner(r.T, r.db).Exec(r.Context(), `INSERT INTO campaigns (company_id, id, connection_id, name, state, content, audience, recipients, frozen_at)
		VALUES ($1, $2, $3, 'Other', 'running', jsonb_build_object('kind', 'template', 'template', jsonb_build_object('name', $4::text, 'language', 'en_US')), '{"all":true}', 0, now())`,
		r.company, other, r.connection, template)
	require.NoError(r, err)
	return other
}

// A hundred messages on the wire that meet one answer make one pause. None of them is lost.
func TestAnAnswerAboutMoreThanItsMessagePausesCampaignsOnce(t *testing.T) {
	for name, c := range map[string]struct {
		outcome   channel.Outcome
		same, all campaign.State // of another campaign with the same template, and of one with another
	}{
		"template refused": {channel.Outcome{Class: channel.Refused, Scope: channel.ScopeTemplate, Code: 132016, Detail: "Disabled."}, campaign.Paused, campaign.Running},
		"template paused":  {channel.Outcome{Class: channel.NotAccepted, Scope: channel.ScopeTemplate, Code: 132015, Detail: "Paused by Meta.", RetryAfter: 3 * time.Hour}, campaign.Paused, campaign.Running},
		"spam":             {channel.Outcome{Class: channel.NotAccepted, Scope: channel.ScopeCampaigns, Code: 131048, Detail: "Spam.", RetryAfter: 4 * time.Hour}, campaign.Paused, campaign.Paused},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunning(t, 300)
			same, all := r.beside("hello_world"), r.beside("other")
			var flying atomic.Int32
			together := make(chan struct{})
			provider := newScript(func(channel.Outgoing, int) channel.Outcome {
				if flying.Add(1) == 50 {
					close(together)
				}
				<-together
				return c.outcome
			})
			want := 1
			for _, other := range []campaign.State{c.same, c.all} {
				if other == campaign.Paused {
					want++
				}
			}
			require.Equal(t, want, r.pausing(provider))
			require.Equal(t, send.Counts{Queued: 300}, r.rows())
			require.Equal(t, r.rows(), r.counts())
			stopped := r.read(r.campaign)
			require.Equal(t, campaign.Paused, stopped.State)
			require.Equal(t, c.outcome.Detail, stopped.StateDetail)
			require.Equal(t, c.outcome.Code, *stopped.PausedCode)
			require.Equal(t, c.outcome.RetryAfter > 0, stopped.ResumesAt != nil)
			require.Equal(t, c.same, r.read(same).State)
			require.Equal(t, c.all, r.read(all).State)
			require.Len(t, r.notices(), want, "one notice for each")
			// Paused: a page sends nothing. Resumed by hand it goes on at once, whatever time the provider named.
			before := provider.sends()
			r.page(provider)
			require.Equal(t, before, provider.sends())
			r.tx(func(tx postgres.Tx) error { return campaign.Resume(t.Context(), tx, r.company, r.campaign, time.Now()) })
			require.Nil(t, r.read(r.campaign).PausedCode)
			_, err := pgtest.Owner(t, r.db).Exec(t.Context(), `UPDATE messages SET retry_at = retry_at - interval '2 seconds'`)
			require.NoError(t, err)
			r.page(newScript(accept))
			require.Equal(t, send.Counts{Sent: 300}, r.rows())
		})
	}
}

// Whoever resumes a campaign while its page still runs learns it again when nothing was mended.
func TestAResumedCampaignIsPausedAgainByTheSamePage(t *testing.T) {
	r := newRunning(t, 3)
	pauses := 0
	options := r.options(newScript(func(channel.Outgoing, int) channel.Outcome {
		return channel.Outcome{Class: channel.Refused, Scope: channel.ScopeTemplate, Code: 132016, Detail: "Disabled."}
	}))
	options.Slots = 1
	options.Linger = 3 * time.Second
	options.Pause = func(ctx context.Context, tx postgres.Tx, stop send.Stop) ([]id.ID, error) {
		pauses++
		found, err := campaign.PauseFor(ctx, tx, r.company, r.connection, campaign.Halt(stop), time.Now())
		if pauses == 1 {
			time.AfterFunc(20*time.Millisecond, func() {
				r.tx(func(tx postgres.Tx) error {
					return campaign.Resume(context.Background(), tx, r.company, r.campaign, time.Now())
				})
			})
		}
		return found, err
	}
	_, err := send.RunPage(t.Context(), r.db, options)
	require.NoError(t, err)
	require.Equal(t, 2, pauses)
	require.Equal(t, campaign.Paused, r.read(r.campaign).State)
}

// Refusals of single messages that look like the campaign's fault stop it after the first few.
func TestTheSameRefusalSeveralTimesInARowPausesItsCampaign(t *testing.T) {
	for name, c := range map[string]struct {
		good int // every nth is accepted
		want campaign.State
	}{"in a row": {0, campaign.Paused}, "now and then": {4, campaign.Running}} {
		t.Run(name, func(t *testing.T) {
			r := newRunning(t, 200)
			other := r.beside("hello_world")
			provider := newScript(func(out channel.Outgoing, nth int) channel.Outcome {
				if c.good > 0 && nth%c.good == 0 {
					return accept(out, nth)
				}
				return channel.Outcome{Class: channel.Refused, Suspect: true, Code: 132012, Detail: "A parameter has the wrong format."}
			})
			options := r.options(provider)
			options.Slots = 1
			options.Pause = func(ctx context.Context, tx postgres.Tx, stop send.Stop) ([]id.ID, error) {
				return campaign.PauseFor(ctx, tx, r.company, r.connection, campaign.Halt(stop), time.Now())
			}
			_, err := send.RunPage(t.Context(), r.db, options)
			require.NoError(t, err)
			require.Equal(t, c.want, r.read(r.campaign).State)
			require.Equal(t, campaign.Running, r.read(other).State)
			if c.want == campaign.Paused {
				require.Equal(t, "The last 5 messages were refused one after the other. A parameter has the wrong format.", r.read(r.campaign).StateDetail)
				require.GreaterOrEqual(t, r.rows().Failed, 5)
				require.LessOrEqual(t, r.rows().Failed, 7)
			}
		})
	}
}

// A number that is refused waits for people, not for a time.
// notices are those of a person who has switched nothing.
func (r *running) notices() (told []notice.Notice) {
	r.Helper()
	r.tx(func(tx postgres.Tx) (err error) {
		told, err = notice.List(r.Context(), tx, r.company, notice.Reader{User: id.New()}, id.Floor(time.Now().Add(time.Hour)), 100, time.Now())
		return err
	})
	return told
}

func TestARefusedConnectionIsHeldUntilSomebodyReleasesIt(t *testing.T) {
	r := newRunning(t, 40)
	r.pausing(newScript(func(channel.Outgoing, int) channel.Outcome {
		return channel.Outcome{Class: channel.Refused, Scope: channel.ScopeConnection, Code: 190, Detail: "The token is no longer valid."}
	}))
	require.Equal(t, send.Counts{Queued: 40}, r.rows())
	require.Equal(t, campaign.Running, r.read(r.campaign).State)
	held := func() (hold send.Hold, is bool) {
		r.tx(func(tx postgres.Tx) error {
			holds, err := send.HoldsOf(t.Context(), tx, r.company, time.Now().Add(time.Hour))
			hold, is = holds[r.connection]
			return err
		})
		return hold, is
	}
	hold, is := held()
	require.True(t, is, "an hour later")
	require.Nil(t, hold.Until)
	require.Contains(t, hold.Reason, "no longer valid")
	told := r.notices()
	require.Len(t, told, 1)
	require.Equal(t, notice.ConnectionLost, told[0].Kind)
	require.True(t, told[0].Lasts)
	require.Equal(t, hold.Reason, told[0].Detail)
	r.tx(func(tx postgres.Tx) error {
		o, err := send.OutlookOf(t.Context(), tx, r.company, r.connection, time.Now())
		require.True(t, o.Closed, "the sender ends instead of waiting for ever")
		require.NoError(t, err)
		return send.ReleaseHold(t.Context(), tx, r.company, r.connection)
	})
	_, is = held()
	require.False(t, is)
	_, err := pgtest.Owner(t, r.db).Exec(t.Context(), `UPDATE messages SET retry_at = retry_at - interval '2 seconds'`)
	require.NoError(t, err)
	r.page(newScript(accept))
	require.Equal(t, send.Counts{Sent: 40}, r.rows())
}

// A status may say it, too: of a message that was accepted and failed later. Said again, it changes nothing.
func TestAFailedStatusHoldsOrPausesOnce(t *testing.T) {
	r := newRunning(t, 10)
	provider := newScript(accept)
	r.page(provider)
	report := func(nth int, s channel.Status) send.Applied {
		s.MessageID, s.ProviderID, s.Kind = provider.order[nth], "wamid."+provider.order[nth].String(), channel.StatusFailed
		var applied send.Applied
		r.tx(func(tx postgres.Tx) (err error) {
			applied, err = send.ApplyStatuses(t.Context(), tx, r.company, r.connection, []channel.Status{s}, time.Now())
			return err
		})
		return applied
	}
	holds := func() (n int) {
		r.tx(func(tx postgres.Tx) error {
			found, err := send.HoldsOf(t.Context(), tx, r.company, time.Now())
			n = len(found)
			return err
		})
		return n
	}
	spam := channel.Status{At: time.Now(), Code: 131048, Detail: "Spam.", Scope: channel.ScopeCampaigns, RetryAfter: 4 * time.Hour}
	stops := report(0, spam).Stops
	require.Len(t, stops, 1)
	require.Equal(t, "Spam.", stops[0].Reason)
	require.WithinDuration(t, time.Now().Add(4*time.Hour), *stops[0].Until, time.Minute)
	require.Empty(t, report(0, spam).Stops, "the same status again")
	require.Empty(t, report(1, channel.Status{At: time.Now().Add(-time.Hour), Code: 131048, Scope: channel.ScopeCampaigns}).Stops, "an old one")
	require.Zero(t, holds())
	payment := channel.Status{At: time.Now(), Code: 131042, Detail: "Pay.", Scope: channel.ScopeConnection}
	require.Empty(t, report(2, payment).Stops)
	require.Equal(t, 1, holds())
	r.tx(func(tx postgres.Tx) error { return send.ReleaseHold(t.Context(), tx, r.company, r.connection) })
	report(2, payment)
	require.Zero(t, holds(), "the same status again")
	require.Equal(t, 3, r.rows().Failed)
	told := r.notices()
	require.Len(t, told, 1, "a report holds as an answer does")
	require.Equal(t, notice.ConnectionLost, told[0].Kind)
	require.False(t, told[0].Lasts, "it was released")
}
