package send

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
)

func TestAStoryInPlainWords(t *testing.T) {
	start := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	at := func(minutes float64) *time.Time {
		instant := start.Add(time.Duration(minutes * float64(time.Minute)))
		return &instant
	}
	campaign := id.New()
	facts := func(state State, change func(*StoryFactsRow)) StoryFactsRow {
		f := StoryFactsRow{ID: id.Floor(start), CampaignID: &campaign, CampaignName: "Offer", ConnectionName: "Sales", TextVersion: 2, State: int16(state)}
		if change != nil {
			change(&f)
		}
		return f
	}
	pause := func(from float64, to *time.Time) StoryWaitsRow {
		return StoryWaitsRow{Reason: "Paused by an admin.", BeganAt: *at(from), EndedAt: to}
	}
	detail, code := "Not on WhatsApp.", int32(131026)
	queued := "queued: Queued by the campaign “Offer”, with version 2 of its text."
	handed := "handed: Handed over to be sent through “Sales”."
	for name, c := range map[string]struct {
		facts StoryFactsRow
		waits []StoryWaitsRow
		now   float64
		want  []string
	}{
		"at once and read": {facts(Read, func(f *StoryFactsRow) {
			f.ClaimedAt, f.SentAt, f.DeliveredAt, f.ReadAt, f.Attempts = at(0.01), at(0.02), at(0.03), at(5), 1
		}), nil, 9,
			[]string{queued, handed, "sent: The provider accepted it.", "delivered: It reached the contact's phone.", "read: The contact read it."}},
		"paused and held at once": {facts(Failed, func(f *StoryFactsRow) {
			f.ClaimedAt, f.EndedAt, f.Attempts, f.ErrorDetail, f.ErrorCode = at(90), at(90.1), 3, &detail, &code
		}), []StoryWaitsRow{pause(-10, at(60)), {Reason: "The provider asked to slow down.", BeganAt: *at(30), UntilAt: at(80)}}, 200,
			[]string{queued, "waited: Waited 1 h: Paused by an admin.", "waited: Waited 10 min for its turn.", "waited: Waited 50 min: The provider asked to slow down.",
				"handed: Handed over to be sent through “Sales”: try 3. The provider took none of the tries before.", "failed: Not on WhatsApp. (code 131026)"}},
		"in the queue, paused":  {facts(Queued, nil), []StoryWaitsRow{pause(5, nil)}, 30, []string{queued, "waited … : Waits: Paused by an admin."}},
		"in the queue, no wait": {facts(Queued, nil), nil, 30, []string{queued, "waited … : Waits for its turn."}},
		"tried and to be tried again": {facts(Queued, func(f *StoryFactsRow) { f.ClaimedAt, f.RetryAt, f.Attempts, f.ErrorDetail = at(1), at(2), 1, &detail }), nil, 1.5,
			[]string{queued, handed, "waited … : Waits for another try. Not on WhatsApp."}},
		"canceled after a claim was given back": {facts(Canceled, func(f *StoryFactsRow) { f.ClaimedAt, f.EndedAt = at(1), at(3) }), nil, 9,
			[]string{queued, "waited: Waited 3 min for its turn.", "canceled: Canceled before it was sent."}},
	} {
		t.Run(name, func(t *testing.T) {
			var told []string
			for i, chapter := range c.facts.tell(c.waits, nil, nil, *at(c.now)) {
				if i > 0 {
					require.False(t, chapter.At.Before(start), chapter.Words)
				}
				if chapter.Lasts {
					chapter.Kind += " … "
				}
				told = append(told, chapter.Kind+": "+chapter.Words)
			}
			require.Equal(t, c.want, told)
		})
	}
}

func TestAStoryTellsTriesAndWhoDecided(t *testing.T) {
	start := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	at := func(minutes float64) *time.Time {
		instant := start.Add(time.Duration(minutes * float64(time.Minute)))
		return &instant
	}
	campaign, first, second := id.New(), id.New(), id.New()
	facts := func(state State, change func(*StoryFactsRow)) StoryFactsRow {
		f := StoryFactsRow{ID: id.Floor(start), CampaignID: &campaign, CampaignName: "Offer", ConnectionName: "Sales", TextVersion: 2, State: int16(state)}
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		facts     StoryFactsRow
		now       float64
		tries     []StoryTriesRow
		decisions []StoryDecisionsRow
		want      []string
	}{
		"uncertain, then read": {facts: facts(Read, func(f *StoryFactsRow) {
			f.ClaimedAt, f.SentAt, f.DeliveredAt, f.ReadAt, f.Attempts, f.AttemptID = at(1), at(3), at(3), at(3), 2, &second
		}), now: 9, tries: []StoryTriesRow{{AttemptID: first, At: *at(0.5), State: int16(Queued), ErrorCode: 130429, ErrorDetail: "Slow down."}, {AttemptID: second, At: *at(1.5), State: int16(Uncertain), ErrorDetail: "No answer."}},
			decisions: []StoryDecisionsRow{{Action: "startCampaign", At: *at(-1), ByName: "Ana"}, {Action: "message.marked_sent", At: *at(2), ByName: "Bia", AboutIt: true}},
			want: []string{"queued: Queued by the campaign “Offer”, which Ana started, with version 2 of its text.", "waited: Waited 1 min for its turn.", "tried: A try came to nothing: Slow down. (code 130429)",
				"handed: Handed over to be sent through “Sales”: try 2. The provider took none of the tries before.", "tried: Its outcome was not known: No answer.",
				"decided: Bia marked it as sent.", "sent: The provider accepted it.", "delivered: It reached the contact's phone.", "read: The contact read it."}},
		"a test that waits": {facts: facts(Queued, func(f *StoryFactsRow) { f.CampaignID = nil }), now: 1,
			decisions: []StoryDecisionsRow{{Action: "sendTest", At: *at(0), ByName: "Ana", AboutIt: true}},
			want:      []string{"queued: Queued by Ana as a test.", "waited … : Waits for its turn."}},
		"sent again": {facts: facts(Queued, func(f *StoryFactsRow) { f.CampaignID, f.Supersedes = nil, &first }), now: 1,
			decisions: []StoryDecisionsRow{{Action: "message.sent_again", At: *at(0), AboutIt: true}},
			want:      []string{"queued: Queued by the platform in place of a message whose outcome nobody knows.", "waited … : Waits for its turn."}},
	} {
		t.Run(name, func(t *testing.T) {
			var told []string
			for _, chapter := range c.facts.tell(nil, c.tries, c.decisions, *at(c.now)) {
				if chapter.Lasts {
					chapter.Kind += " … "
				}
				told = append(told, chapter.Kind+": "+chapter.Words)
			}
			require.Equal(t, c.want, told)
		})
	}
}

func TestSpansInWords(t *testing.T) {
	for want, d := range map[string]time.Duration{"2 s": 2*time.Second + 900*time.Millisecond, "59 s": 59 * time.Second, "12 min": 12*time.Minute + 30*time.Second,
		"3 h 5 min": 3*time.Hour + 5*time.Minute, "3 h": 3 * time.Hour, "2 d 4 h": 52 * time.Hour} {
		require.Equal(t, want, span(d))
	}
}
