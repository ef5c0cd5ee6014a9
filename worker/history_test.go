package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"omnidesk/internal/flow"
	"omnidesk/internal/postgres/pgtest"
)

var update = flag.Bool("update", false, "write the histories that workflows/replay_test.go replays")

const histories = "../workflows/testdata/histories"

// history reads one run; an empty run is the latest.
func (k *shop) history(target flow.Target, run string) *historypb.History {
	k.Helper()
	h := &historypb.History{}
	for events := k.temporal.GetWorkflowHistory(context.Background(), target.WorkflowID(), run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		require.NoError(k, err)
		h.Events = append(h.Events, event)
	}
	require.NotEmpty(k, h.Events)
	return h
}

// examine checks one run: few events, and nothing in it that names, numbers or quotes a person. It keeps the
// history under the given name for replays.
func (k *shop) examine(target flow.Target, run, name string, most int) *historypb.History {
	k.Helper()
	h := k.history(target, run)
	require.LessOrEqual(k, len(h.Events), most, "events of %s", name)
	k.requireClean(target, h.Events[0].GetWorkflowExecutionStartedEventAttributes().GetOriginalExecutionRunId())
	for _, other := range k.runs(target) {
		k.requireClean(target, other)
	}
	require.Contains(k, strings.Join(texts(h), "\n"), target.Subject.String()) // what is read is really the content
	if *update {
		keepHistory(k.T, h, name)
	}
	return h
}

var (
	uuids  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	sticky = regexp.MustCompile(`"name": ?"[^"]*:[0-9a-f-]{36}"`)
	stacks = regexp.MustCompile(`"stackTrace": ?"(?:[^"\\]|\\.)*"`)
)

// requireClean looks for canaries in a run's history and in what a list shows of it: memo, search attributes,
// summaries, details.
func (k *shop) requireClean(target flow.Target, run string) {
	k.Helper()
	described, err := k.temporal.DescribeWorkflowExecution(context.Background(), target.WorkflowID(), run)
	require.NoError(k, err)
	for _, text := range append(texts(k.history(target, run)), texts(described)...) {
		// Ids hold any digits by chance.
		text = uuids.ReplaceAllString(text, "")
		for _, canary := range canaries {
			require.NotContains(k, text, canary, target.WorkflowID())
		}
	}
}

// requireApart reads every run of every company that the namespace knows: what people wrote or are called is in none, and
// each names rows of its own company alone.
func (s *stage) requireApart(t *testing.T) {
	t.Helper()
	owners := s.owners(t)
	companies := map[string]int{}
	for page := []byte(nil); ; {
		answer, err := s.temporal.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: s.Namespace, NextPageToken: page})
		require.NoError(t, err)
		for _, e := range answer.GetExecutions() {
			company := strings.Trim(string(e.GetSearchAttributes().GetIndexedFields()["CompanyId"].GetData()), `"`)
			require.Regexp(t, uuids, company, e.GetExecution().GetWorkflowId())
			companies[company]++
			s.requireOwn(t, company, owners, e.GetExecution())
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			break
		}
	}
	require.Greater(t, len(companies), 10, "each story has a company of its own")
}

func (s *stage) requireOwn(t *testing.T, company string, owners map[string]string, run *commonpb.WorkflowExecution) {
	t.Helper()
	described, err := s.temporal.DescribeWorkflowExecution(t.Context(), run.GetWorkflowId(), run.GetRunId())
	require.NoError(t, err)
	found := texts(described)
	events := s.temporal.GetWorkflowHistory(t.Context(), run.GetWorkflowId(), run.GetRunId(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		found = append(found, texts(event)...)
	}
	for _, text := range found {
		for _, named := range uuids.FindAllString(text, -1) {
			if owner := owners[named]; owner != "" {
				require.Equal(t, company, owner, "%s names a row of another company", run.GetWorkflowId())
			}
		}
		text = uuids.ReplaceAllString(text, "")
		for _, canary := range canaries {
			require.NotContains(t, text, canary, run.GetWorkflowId())
		}
	}
}

// owners tells of which company a row is.
func (s *stage) owners(t *testing.T) map[string]string {
	t.Helper()
	rows, err := pgtest.Owner(t, s.db).Query(t.Context(), `SELECT id::text, company_id::text FROM (
		SELECT company_id AS id, company_id FROM companies UNION ALL SELECT id, company_id FROM connections UNION ALL SELECT id, company_id FROM campaigns
		UNION ALL SELECT id, company_id FROM contacts UNION ALL SELECT id, company_id FROM identities UNION ALL SELECT id, company_id FROM messages
		UNION ALL SELECT id, company_id FROM imports UNION ALL SELECT id, company_id FROM conversations UNION ALL SELECT id, company_id FROM users WHERE company_id IS NOT NULL) r`)
	require.NoError(t, err)
	owners := map[string]string{}
	var row, company string
	_, err = pgx.ForEachRow(rows, []any{&row, &company}, func() error { owners[row] = company; return nil })
	require.NoError(t, err)
	return owners
}

// texts returns every string and every byte field of a message, however deep: payloads come decoded.
func texts(m proto.Message) (found []string) {
	var walk func(protoreflect.Message)
	value := func(field protoreflect.FieldDescriptor, v protoreflect.Value) {
		switch field.Kind() {
		case protoreflect.MessageKind:
			walk(v.Message())
		case protoreflect.StringKind:
			found = append(found, v.String())
		case protoreflect.BytesKind:
			found = append(found, string(v.Bytes()))
		default: // numbers, instants and enums
		}
	}
	walk = func(m protoreflect.Message) {
		m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			switch {
			case field.IsMap():
				v.Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
					found = append(found, key.String())
					value(field.MapValue(), v)
					return true
				})
			case field.IsList():
				for i := range v.List().Len() {
					value(field, v.List().Get(i))
				}
			default:
				value(field, v)
			}
			return true
		})
	}
	walk(m.ProtoReflect())
	return found
}

// keepHistory writes a history without what belongs to this machine: host and process of the sticky queue,
// stack traces.
func keepHistory(t *testing.T, h *historypb.History, name string) {
	t.Helper()
	raw, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(h)
	require.NoError(t, err)
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, raw, "", " "))
	text := sticky.ReplaceAll(pretty.Bytes(), []byte(`"name": "sticky"`))
	text = append(stacks.ReplaceAll(text, []byte(`"stackTrace": ""`)), '\n')
	host, err := os.Hostname()
	require.NoError(t, err)
	for _, trace := range []string{host, os.TempDir(), "/internal/", ".go:"} {
		require.NotContains(t, string(text), trace, "a trace of this machine")
	}
	require.NoError(t, os.MkdirAll(histories, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(histories, name+".json"), text, 0o644)) //nolint:gosec // it is committed
}

// runs lists the runs of a workflow that visibility knows.
func (k *shop) runs(target flow.Target) (found []string) {
	k.Helper()
	answer, err := k.temporal.ListWorkflow(context.Background(), &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: k.Namespace, Query: "WorkflowId = '" + target.WorkflowID() + "'"})
	require.NoError(k, err)
	for _, e := range answer.GetExecutions() {
		found = append(found, e.GetExecution().GetRunId())
	}
	return found
}

func count(h *historypb.History, kind enums.EventType) (n int) {
	for _, event := range h.Events {
		if event.GetEventType() == kind {
			n++
		}
	}
	return n
}
