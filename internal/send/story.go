package send

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/wait"
)

// ErrNotFound says that the ledger has no such message.
var ErrNotFound = errors.New("there is no such message")

// Chapter is one thing that happened to a message, in words. One with an end lasted; one that Lasts goes on still.
type Chapter struct {
	Kind  string // queued, waited, handed, tried, decided, or a state's name
	At    time.Time
	Until *time.Time
	Lasts bool
	Words string
}

// shortest wait that is worth a word.
const shortestWait = 2 * time.Second

// StoryOf tells what happened to a message until now, in order, to whom Get shows it.
func StoryOf(ctx context.Context, tx postgres.Tx, company, message id.ID, departments []id.ID, now time.Time) ([]Chapter, error) {
	q := New(tx)
	facts, err := q.StoryFacts(ctx, company, message, departments)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading a message: %w", err)
	}
	subjects := []id.ID{facts.ConnectionID}
	if facts.CampaignID != nil {
		subjects = append(subjects, *facts.CampaignID)
	}
	waits, err := q.StoryWaits(ctx, company, subjects, facts.leftQueue(now), id.Time(message))
	if err != nil {
		return nil, fmt.Errorf("reading what a message waited for: %w", err)
	}
	absences, err := q.StoryAbsences(ctx, StoryAbsencesParams{CompanyID: company, ConnectionID: facts.ConnectionID, Queued: State(facts.State) == Queued,
		Since: id.Time(message), Until: facts.leftQueue(now)})
	if err != nil {
		return nil, fmt.Errorf("reading what was away: %w", err)
	}
	waits = withAbsences(waits, absences)
	tries, err := q.StoryTries(ctx, company, message)
	if err != nil {
		return nil, fmt.Errorf("reading a message's tries: %w", err)
	}
	decisions, err := q.StoryDecisions(ctx, message, company, facts.CampaignID)
	if err != nil {
		return nil, fmt.Errorf("reading what was decided about a message: %w", err)
	}
	return facts.tell(waits, tries, decisions, now), nil
}

// withAbsences adds what was away to the other waits. Within another wait an absence has held nothing up.
func withAbsences(waits []StoryWaitsRow, absences []StoryAbsencesRow) []StoryWaitsRow {
	all := slices.Clone(waits)
	for _, a := range absences {
		within := slices.ContainsFunc(waits, func(w StoryWaitsRow) bool {
			ended := w.EndedAt
			if ended == nil {
				ended = w.UntilAt
			}
			return w.BeganAt.Before(a.BeganAt) && (ended == nil || (a.EndedAt != nil && ended.After(*a.EndedAt)))
		})
		if within {
			continue
		}
		words := wait.Part(a.Part).Past()
		if a.EndedAt == nil {
			words = wait.Part(a.Part).Words()
		}
		all = append(all, StoryWaitsRow{Reason: words, BeganAt: a.BeganAt, EndedAt: a.EndedAt})
	}
	slices.SortStableFunc(all, func(a, b StoryWaitsRow) int { return a.BeganAt.Compare(b.BeganAt) })
	return all
}

// leftQueue is when a message's time in the queue ended: now when it has not.
func (f StoryFactsRow) leftQueue(now time.Time) time.Time {
	switch state := State(f.State); {
	case state == Queued:
		return now
	case f.ClaimedAt != nil && state != Canceled:
		return *f.ClaimedAt
	case f.EndedAt != nil:
		return *f.EndedAt
	}
	return now
}

func (f StoryFactsRow) tell(waits []StoryWaitsRow, tries []StoryTriesRow, decisions []StoryDecisionsRow, now time.Time) []Chapter {
	story := append([]Chapter{{Kind: "queued", At: id.Time(f.ID), Words: f.beginning(decisions)}}, f.waited(waits, now)...)
	story = append(story, f.tried(tries)...)
	story = append(story, f.decided(decisions)...)
	if f.ClaimedAt != nil && f.Attempts > 0 {
		handed := fmt.Sprintf("Handed over to be sent through “%s”.", f.ConnectionName)
		if f.Attempts > 1 {
			handed = fmt.Sprintf("Handed over to be sent through “%s”: try %d. The provider took none of the tries before.", f.ConnectionName, f.Attempts)
		}
		story = append(story, Chapter{Kind: "handed", At: *f.ClaimedAt, Words: handed})
	}
	for _, step := range []struct {
		state State
		at    *time.Time
		words string
	}{{Sent, f.SentAt, "The provider accepted it."}, {Delivered, f.DeliveredAt, "It reached the contact's phone."}, {Read, f.ReadAt, "The contact read it."}} {
		if step.at != nil {
			story = append(story, Chapter{Kind: step.state.String(), At: *step.at, Words: step.words})
		}
	}
	if f.EndedAt != nil {
		story = append(story, Chapter{Kind: State(f.State).String(), At: *f.EndedAt, Words: f.ending()})
	}
	if State(f.State) == Queued && f.RetryAt != nil && f.ClaimedAt != nil {
		story = append(story, Chapter{Kind: "waited", At: *f.ClaimedAt, Until: f.RetryAt, Lasts: true, Words: "Waits for another try. " + deref(f.ErrorDetail)})
	}
	slices.SortStableFunc(story[1:], func(a, b Chapter) int { return a.At.Compare(b.At) })
	return story
}

// beginning says who queued it.
func (f StoryFactsRow) beginning(decisions []StoryDecisionsRow) string {
	by := func(action string) (name string, known bool) {
		for _, d := range decisions {
			if d.Action == action {
				name, known = d.ByName, true
			}
		}
		if known && name == "" {
			name = "the platform"
		}
		return name, known
	}
	if f.CampaignID != nil {
		started := ""
		if name, known := by("startCampaign"); known {
			started = ", which " + name + " started"
		}
		return fmt.Sprintf("Queued by the campaign “%s”%s, with version %d of its text.", f.CampaignName, started, f.TextVersion)
	}
	if name, known := by("message.sent_again"); known && f.Supersedes != nil {
		return "Queued by " + name + " in place of a message whose outcome nobody knows."
	}
	if name, known := by("sendTest"); known {
		return "Queued by " + name + " as a test."
	}
	return "Queued outside a campaign."
}

// tried tells what came of the tries before the last one, and of the last one if it is not what the row tells by itself.
func (f StoryFactsRow) tried(tries []StoryTriesRow) (told []Chapter) {
	for _, t := range tries {
		last := f.AttemptID != nil && *f.AttemptID == t.AttemptID
		if last && f.State == t.State { // its end, or its wait for the next try
			continue
		}
		words := "A try came to nothing: "
		if State(t.State) == Uncertain {
			words = "Its outcome was not known: "
		}
		words += t.ErrorDetail
		if t.ErrorCode != 0 {
			words += fmt.Sprintf(" (code %d)", t.ErrorCode)
		}
		told = append(told, Chapter{Kind: "tried", At: t.At, Words: words})
	}
	return told
}

// decided tells what people decided about it. How it was queued is told at its beginning.
func (f StoryFactsRow) decided(decisions []StoryDecisionsRow) (told []Chapter) {
	made := f.Supersedes == nil // the first "send again" about one that was sent again has made it
	words := map[string]string{"message.marked_sent": "%s marked it as sent.", "message.marked_failed": "%s marked it as failed.",
		"message.sent_again": "%s decided to send it again."}
	for _, d := range decisions {
		if !made && d.Action == "message.sent_again" {
			made = true
			continue
		}
		if text, known := words[d.Action]; known && d.AboutIt {
			name := d.ByName
			if name == "" {
				name = "The platform"
			}
			told = append(told, Chapter{Kind: "decided", At: d.At, Words: fmt.Sprintf(text, name)})
		}
	}
	return told
}

// ending says how it ended, and when the provider gave a code, which.
func (f StoryFactsRow) ending() string {
	words := map[State]string{Failed: "It failed.", Uncertain: "Its outcome is not known.", Canceled: "Canceled before it was sent.",
		Expired: "It expired before it could be sent.", Suppressed: "It was held back."}[State(f.State)]
	if detail := deref(f.ErrorDetail); detail != "" {
		words = detail
	}
	if code := deref(f.ErrorCode); code != 0 {
		words += fmt.Sprintf(" (code %d)", code)
	}
	return words
}

// waited tells each wait within the message's time in the queue, and the rest as its turn that had not come.
func (f StoryFactsRow) waited(waits []StoryWaitsRow, now time.Time) (told []Chapter) {
	from, until := id.Time(f.ID), f.leftQueue(now)
	open := State(f.State) == Queued
	rest, reached := time.Duration(0), from
	for _, w := range waits {
		begin, end := later(w.BeganAt, from), until
		lasts := open
		for _, limit := range []*time.Time{w.EndedAt, w.UntilAt} {
			if limit != nil && limit.Before(end) {
				end, lasts = *limit, false
			}
		}
		rest += max(begin.Sub(reached), 0)
		reached = later(reached, end)
		switch length := end.Sub(begin); {
		case lasts:
			told = append(told, Chapter{Kind: "waited", At: begin, Until: w.UntilAt, Lasts: true, Words: "Waits: " + w.Reason})
		case length >= shortestWait:
			told = append(told, Chapter{Kind: "waited", At: begin, Until: &end, Words: fmt.Sprintf("Waited %s: %s", span(length), w.Reason)})
		}
	}
	rest += max(until.Sub(reached), 0)
	switch {
	case open && f.RetryAt == nil && len(told) == 0:
		told = append(told, Chapter{Kind: "waited", At: from, Lasts: true, Words: "Waits for its turn."})
	case !open && rest >= shortestWait:
		told = append(told, Chapter{Kind: "waited", At: from, Until: &until, Words: fmt.Sprintf("Waited %s for its turn.", span(rest))})
	}
	return told
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// span writes a length as people say it: "40 s", "12 min", "3 h 5 min", "2 d 4 h".
func span(d time.Duration) string {
	units := []struct {
		of   time.Duration
		word string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for i, unit := range units {
		if d < unit.of && unit.of > time.Second {
			continue
		}
		text := fmt.Sprintf("%d %s", d/unit.of, unit.word)
		if i < 2 {
			if more := (d % unit.of) / units[i+1].of; more > 0 {
				text += fmt.Sprintf(" %d %s", more, units[i+1].word)
			}
		}
		return strings.TrimSpace(text)
	}
	return ""
}
