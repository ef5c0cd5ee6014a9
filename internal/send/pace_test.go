package send_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// shut sets a sending window that opens twelve hours from now and lasts one.
func (r *running) shut() {
	r.Helper()
	zone, err := pace.Zone("America/Sao_Paulo")
	require.NoError(r, err)
	from := (time.Now().In(zone).Hour() + 12) % 24
	_, err = pgOwner(r).Exec(r.Context(), fmt.Sprintf(`UPDATE companies SET window_from = '%d:00', window_until = '%d:00'`, from, from+1))
	require.NoError(r, err)
}

func (r *running) awake() {
	r.Helper()
	_, err := pgOwner(r).Exec(r.Context(), `UPDATE companies SET window_from = '00:00', window_until = '24:00'`)
	require.NoError(r, err)
}

// clock moves the company to where it is a certain hour.
func (r *running) clock(hour int) {
	r.Helper()
	east := (hour - time.Now().UTC().Hour() + 24) % 24
	if east > 12 {
		east -= 24
	}
	_, err := pgOwner(r).Exec(r.Context(), `UPDATE companies SET zone = $1`, fmt.Sprintf("Etc/GMT%+d", -east))
	require.NoError(r, err)
}

func (r *running) outlook() (o send.Outlook) {
	r.Helper()
	r.tx(func(tx postgres.Tx) (err error) {
		o, err = send.OutlookOf(r.Context(), tx, r.company, r.connection, time.Now())
		return err
	})
	return o
}

func TestNothingIsClaimedOutsideTheWindow(t *testing.T) {
	r := newRunning(t, 30)
	r.shut()
	provider := newScript(accept)
	r.page(provider)
	require.Zero(t, provider.sends())
	o := r.outlook()
	require.False(t, o.Claimable)
	require.Regexp(t, `^waits until \d\d:00 in São Paulo: outside the sending window`, o.Wait.Words(time.Now()))
	require.Greater(t, time.Until(o.Wait.At), 11*time.Hour)
	r.awake()
	require.True(t, r.outlook().Claimable)
	r.page(provider)
	require.Equal(t, send.Counts{Sent: 30}, r.rows())
	require.False(t, r.outlook().Claimable)
}

func TestAutomationIsSilentInQuietHoursAndTheQueueOutsideTheWindow(t *testing.T) {
	r := newRunning(t, 4)
	run := func(sql string) {
		_, err := pgOwner(r).Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	run(`UPDATE campaigns SET state = 'paused'`)
	queued := r.queue(r.single(1, send.LaneReply, greeting), r.single(2, send.LaneAutomation, greeting), r.single(3, send.LaneQueue, greeting))
	r.clock(23)
	provider := newScript(accept)
	r.urgent(provider)
	r.page(provider)
	require.ElementsMatch(t, []id.ID{queued[0], queued[2]}, provider.order, "the company's window is the whole day")
	o := r.outlook()
	require.False(t, o.Claimable)
	require.Regexp(t, "^waits until 07:00 in .*: quiet hours 21:00–07:00$", o.Wait.Words(time.Now()))

	queued = append(queued, r.queue(r.single(4, send.LaneQueue, greeting))...)
	run(`UPDATE companies SET window_from = '10:00', window_until = '12:00'`)
	r.page(provider)
	require.Len(t, provider.order, 2)
	r.clock(11)
	r.page(provider)
	require.ElementsMatch(t, []id.ID{queued[1], queued[3]}, provider.order[2:])
	require.Empty(t, r.outlook().Wait)
}

func TestChangedHoursWakeWhatWaits(t *testing.T) {
	r := newRunning(t, 1)
	r.tx(func(tx postgres.Tx) error { return send.HoursChanged(t.Context(), tx, r.company) })
	var wakes []string
	rows, err := pgOwner(r).Query(t.Context(), `SELECT workflow || subject_id FROM wakes ORDER BY 1`)
	require.NoError(t, err)
	for rows.Next() {
		var w string
		require.NoError(t, rows.Scan(&w))
		wakes = append(wakes, w)
	}
	require.Equal(t, []string{"campaign" + r.campaign.String(), "sender" + r.connection.String()}, wakes)
}

func TestWindowEditedWhileAPageRunsStopsIt(t *testing.T) {
	r := newRunning(t, 400)
	provider := newScript(nil)
	provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
		if nth == 40 {
			r.shut()
		}
		if nth > 40 {
			<-time.After(100 * time.Millisecond) // 80 sends a second at most: the page looks at its sources every two
		}
		return accept(out, nth)
	}
	r.page(provider)
	require.Less(t, provider.sends(), 400)
	require.Equal(t, send.Counts{Sent: provider.sends(), Queued: 400 - provider.sends()}, r.rows())
}
