package flow_test

import (
	"context"
	"errors"
	"net"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"omnidesk/internal/flow"
	"omnidesk/internal/id"
)

func TestWorkflowIDIsNounAndUUID(t *testing.T) {
	subject, err := id.Parse("0197f2c4-7d5e-7a4b-9c3d-2f1e0d9c8b7a")
	require.NoError(t, err)
	require.Equal(t, "campaign/0197f2c4-7d5e-7a4b-9c3d-2f1e0d9c8b7a", flow.Campaign(subject).WorkflowID())
	require.Equal(t, "sender/0197f2c4-7d5e-7a4b-9c3d-2f1e0d9c8b7a", flow.Sender(subject).WorkflowID())
	require.Equal(t, "import/0197f2c4-7d5e-7a4b-9c3d-2f1e0d9c8b7a", flow.Import(subject).WorkflowID())
}

// What crosses into Temporal stays in histories for days. Only ids, counts, instants and words of ours may.
func TestContractHasNoRoomForPeople(t *testing.T) {
	words := []string{"Look.State", "Look.Reason", "Live.State", "Live.Reason"} // of a row's state, and why it waits
	fits := []reflect.Type{reflect.TypeFor[id.ID](), reflect.TypeFor[int](), reflect.TypeFor[bool](), reflect.TypeFor[time.Time](), reflect.TypeFor[flow.Step]()}
	for _, contract := range []any{flow.Ref{}, flow.Look{}, flow.FeedResult{}, flow.PageResult{}, flow.Live{}} {
		kind := reflect.TypeOf(contract)
		for i := range kind.NumField() {
			f := kind.Field(i)
			if name := kind.Name() + "." + f.Name; !slices.Contains(words, name) {
				require.Contains(t, fits, f.Type, name)
			}
		}
	}
}

// The API must be able to tell "it has ended" from "nobody answers".
func TestTemporalThatIsAwayIsAnErrorOfItsOwn(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := taken.Addr().String()
	require.NoError(t, taken.Close())
	temporal, err := client.NewLazyClient(client.Options{HostPort: address})
	require.NoError(t, err)
	defer temporal.Close()
	c := flow.NewClient(temporal)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, _, err = c.Live(ctx, flow.Campaign(id.New()))
	require.Error(t, err)
	require.False(t, errors.Is(err, flow.ErrNotRunning))
	require.Error(t, c.Healthy(ctx))
	require.Error(t, c.WorkerSeen(ctx))
	began := time.Now()
	require.Error(t, c.Wake(context.Background(), id.New(), flow.Sender(id.New()))) // bounded by itself
	require.Less(t, time.Since(began), 15*time.Second)
}
