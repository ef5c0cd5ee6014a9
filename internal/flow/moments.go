package flow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
)

// teller makes moments of a history's events, heard in their order.
type teller struct {
	moments        []Moment
	byEvent        map[int64]int    // first event of an open moment → its place
	activities     map[string]int64 // activity id → the event that scheduled it
	previous, next string
}

func (t *teller) add(m Moment) {
	if t.byEvent == nil {
		t.byEvent, t.activities = map[int64]int{}, map[string]int64{}
	}
	t.byEvent[m.Event] = len(t.moments)
	t.moments = append(t.moments, m)
}

// close ends the moment that an event opened.
func (t *teller) close(opened int64, at time.Time, outcome, detail string) {
	if i, ok := t.byEvent[opened]; ok {
		m := &t.moments[i]
		m.Until, m.Outcome, m.Detail = &at, outcome, detail
	}
}

func (t *teller) summaryOf(activity string) string {
	if i, ok := t.byEvent[t.activities[activity]]; ok {
		return t.moments[i].Words
	}
	return ""
}

func (t *teller) hear(event *historypb.HistoryEvent) {
	m := Moment{Event: event.GetEventId(), At: event.GetEventTime().AsTime(), Outcome: "done"}
	switch event.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		t.previous = event.GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId()
		m.Kind, m.Words = MomentStarted, "The workflow began."
		if t.previous != "" {
			m.Words = "Goes on from the run before, whose history had grown long."
		}
		t.add(m)
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
		t.woken(m)
	case enums.EVENT_TYPE_MARKER_RECORDED:
		t.look(m, event)
	case enums.EVENT_TYPE_TIMER_STARTED:
		ends := m.At.Add(event.GetTimerStartedEventAttributes().GetStartToFireTimeout().AsDuration())
		m.Kind, m.Words, m.Until, m.Outcome = MomentTimer, summary(event), &ends, "open"
		t.add(m)
	case enums.EVENT_TYPE_TIMER_FIRED:
		t.close(event.GetTimerFiredEventAttributes().GetStartedEventId(), m.At, "fired", "")
	case enums.EVENT_TYPE_TIMER_CANCELED:
		t.close(event.GetTimerCanceledEventAttributes().GetStartedEventId(), m.At, "woken", "")
	case enums.EVENT_TYPE_WORKFLOW_TASK_FAILED:
		m.Kind, m.Words, m.Detail = MomentTrouble, "A worker could not go on with the workflow; it is tried again.", troubleWords(event.GetWorkflowTaskFailedEventAttributes().GetFailure())
		t.add(m)
	case enums.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
		m.Kind, m.Words = MomentTrouble, "A worker stopped answering; another one went on."
		t.add(m)
	default:
		if !t.hearActivity(m, event) {
			t.hearEnd(m, event)
		}
	}
}

func (t *teller) hearActivity(m Moment, event *historypb.HistoryEvent) bool {
	switch event.GetEventType() {
	case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		scheduled := event.GetActivityTaskScheduledEventAttributes()
		m.Kind, m.Name, m.Words, m.Outcome = MomentActivity, scheduled.GetActivityType().GetName(), summary(event), "open"
		t.add(m)
		t.activities[scheduled.GetActivityId()] = m.Event
	case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		started := event.GetActivityTaskStartedEventAttributes()
		if i, ok := t.byEvent[started.GetScheduledEventId()]; ok {
			t.moments[i].Attempt = int(started.GetAttempt())
		}
	case enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		completed := event.GetActivityTaskCompletedEventAttributes()
		t.close(completed.GetScheduledEventId(), m.At, "done", countsIn(completed.GetResult()))
	case enums.EVENT_TYPE_ACTIVITY_TASK_FAILED:
		failed := event.GetActivityTaskFailedEventAttributes()
		t.close(failed.GetScheduledEventId(), m.At, "failed", troubleWords(failed.GetFailure()))
	case enums.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
		late := event.GetActivityTaskTimedOutEventAttributes()
		t.close(late.GetScheduledEventId(), m.At, "timed out", troubleWords(late.GetFailure()))
	case enums.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
		t.close(event.GetActivityTaskCanceledEventAttributes().GetScheduledEventId(), m.At, "canceled", "")
	default:
		return false
	}
	return true
}

func (t *teller) hearEnd(m Moment, event *historypb.HistoryEvent) {
	words := map[enums.EventType]string{
		enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:        "The workflow ended: nothing was left to do.",
		enums.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:           "The workflow failed.",
		enums.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:        "The workflow ran out of time.",
		enums.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:         "The workflow was canceled.",
		enums.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:       "The workflow was ended from outside.",
		enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: "Goes on in a new run, because this history had grown long.",
	}[event.GetEventType()]
	if words == "" {
		return
	}
	m.Kind, m.Words = MomentEnded, words
	switch event.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		t.next = event.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		m.Outcome, m.Detail = "failed", troubleWords(event.GetWorkflowExecutionFailedEventAttributes().GetFailure())
	default: // the words say it all
	}
	t.add(m)
}

// woken counts wakes in a row as one moment.
func (t *teller) woken(m Moment) {
	if n := len(t.moments); n > 0 && t.moments[n-1].Kind == MomentWoken {
		t.moments[n-1].Count++
		t.moments[n-1].Until = &m.At
		return
	}
	m.Kind, m.Words, m.Count = MomentWoken, "Woken to look again.", 1
	t.add(m)
}

// look tells what a look found. Other markers are the SDK's own.
func (t *teller) look(m Moment, event *historypb.HistoryEvent) {
	marker := event.GetMarkerRecordedEventAttributes()
	if marker.GetMarkerName() != "LocalActivity" {
		return
	}
	m.Kind = MomentLook
	if marker.GetFailure() != nil {
		m.Words, m.Outcome, m.Detail = "A look at the rows failed.", "failed", troubleWords(marker.GetFailure())
		t.add(m)
		return
	}
	var found Look
	if converter.GetDefaultDataConverter().FromPayloads(marker.GetDetails()["result"], &found) != nil || found.Reason == "" {
		return
	}
	m.Words, m.Name = found.Reason, found.State
	if !found.Until.IsZero() {
		m.Until = &found.Until
	}
	t.add(m)
}

// page returns up to limit moments before an event, newest first, and the event to go on from.
func (t *teller) page(before int64, limit int) ([]Moment, int64) {
	end := len(t.moments)
	if before > 0 {
		end, _ = slices.BinarySearchFunc(t.moments, before, func(m Moment, event int64) int { return int(m.Event - event) })
	}
	start := max(end-limit, 0)
	moments := slices.Clone(t.moments[start:end])
	slices.Reverse(moments)
	if start == 0 {
		return moments, 0
	}
	return moments, t.moments[start].Event
}

// countsIn writes the counts of a result of ours, such as "120 sent, 3 failed". Only whole numbers and the names that
// our own types give them are read: a text could be anybody's.
func countsIn(payloads *commonpb.Payloads) string {
	if len(payloads.GetPayloads()) != 1 {
		return ""
	}
	fields := json.NewDecoder(bytes.NewReader(payloads.GetPayloads()[0].GetData()))
	if token, err := fields.Token(); err != nil || token != json.Delim('{') {
		return ""
	}
	var words []string
	for fields.More() {
		name, err := fields.Token()
		var value json.RawMessage
		if err != nil || fields.Decode(&value) != nil {
			return ""
		}
		var n int64
		if json.Unmarshal(value, &n) == nil && n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, strings.ToLower(fmt.Sprint(name))))
		}
	}
	return strings.Join(words, ", ")
}

// troubleWords says what kind of trouble a failure is. Its message stays out: it may name machines.
func troubleWords(failure *failurepb.Failure) string {
	switch {
	case failure == nil:
		return ""
	case failure.GetTimeoutFailureInfo() != nil:
		switch failure.GetTimeoutFailureInfo().GetTimeoutType() {
		case enums.TIMEOUT_TYPE_HEARTBEAT:
			return "The worker that did it stopped answering."
		case enums.TIMEOUT_TYPE_SCHEDULE_TO_START:
			return "No worker took it in time."
		default:
			return "It took longer than it may."
		}
	case failure.GetCanceledFailureInfo() != nil:
		return "It was stopped."
	case failure.GetApplicationFailureInfo().GetType() == "NotFound":
		return "What it is about has been deleted."
	case failure.GetCause() != nil:
		return troubleWords(failure.GetCause())
	}
	return "It met an error. The worker's log has the details."
}
