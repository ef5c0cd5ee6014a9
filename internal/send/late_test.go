package send

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
)

func TestClaimWhoseWindowHasClosedIsGivenBack(t *testing.T) {
	now := time.Now()
	p := newPage(nil, Options{
		Render: func(Claim) (channel.Content, error) { return channel.Content{Text: "Hello"}, nil },
		Sender: refusing{},
	})
	given := p.sendOne(context.Background(), Claim{ID: id.New(), Attempt: id.New(), At: now, until: now})
	require.Equal(t, Queued, given.event.State)
	require.Nil(t, given.event.RetryAt)
	for _, until := range []time.Time{{}, now.Add(time.Hour)} {
		require.Equal(t, Failed, p.sendOne(context.Background(), Claim{ID: id.New(), At: time.Now(), until: until}).event.State)
	}
}

type refusing struct{}

func (refusing) Send(context.Context, channel.Outgoing) channel.Outcome {
	return channel.Outcome{Class: channel.Refused}
}
