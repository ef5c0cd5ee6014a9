package channeltest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/sandbox/world"
)

// runKinds sends every kind of content, and what can't be sent.
func runKinds(t *testing.T, pair Pair) {
	b := newBench(t, pair, long)
	t.Run("NoWindowNoFreeText", func(t *testing.T) {
		for name, content := range pair.Kinds {
			if content.Template == nil && content.File == nil {
				outcome := b.sender.Send(t.Context(), channel.Outgoing{ID: id.New(), To: pair.To, Content: content})
				require.Equal(t, channel.Refused, outcome.Class, name)
			}
		}
	})
	b.openWindow(t)
	for name, content := range pair.Kinds {
		t.Run("Outbound/"+name, func(t *testing.T) {
			require.Empty(t, b.adapter.(channel.Judge).Unfit(content))
			b.accepts(t, b.handedOver(t, content))
		})
		t.Run("Reply/"+name, func(t *testing.T) {
			if content.Reaction == nil {
				content.About = "wamid.of-an-earlier-message"
				b.accepts(t, b.handedOver(t, content))
			}
		})
	}
	for field, content := range pair.Unfit {
		t.Run("Unfit/"+field, func(t *testing.T) {
			problems := b.adapter.(channel.Judge).Unfit(content)
			require.NotEmpty(t, problems)
			require.Equal(t, field, problems[0].Field)
			outcome := b.sender.Send(t.Context(), channel.Outgoing{ID: id.New(), To: pair.To, Content: b.handedOver(t, content)})
			require.Equal(t, channel.Refused, outcome.Class, "the provider refuses it, too")
		})
	}
	for code, want := range pair.Classes {
		t.Run("Class/"+strconv.Itoa(code), func(t *testing.T) {
			b.fault(t, world.Fault{Code: code})
			outcome := b.sender.Send(t.Context(), pair.message())
			b.fault(t)
			require.Equal(t, want.Class, outcome.Class)
			require.Equal(t, want.Scope, outcome.Scope)
			require.Equal(t, code, outcome.Code)
			require.NotEmpty(t, outcome.Detail)
		})
	}
	t.Run("Files", func(t *testing.T) { runFiles(t, b) })
}

// openWindow lets the contact write.
func (b *bench) openWindow(t *testing.T) {
	t.Helper()
	b.ask(t, http.MethodPut, "/sandbox/numbers/"+b.pair.Account.NumberID, map[string]string{})
	b.ask(t, http.MethodPost, "/sandbox/phones/"+strings.TrimPrefix(b.pair.To.Value, "+")+"/reply", map[string]string{"number_id": b.pair.Account.NumberID, "text": "Hello"})
}

func (b *bench) ask(t *testing.T, method, path string, body any) {
	t.Helper()
	encoded, err := json.Marshal(body)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, b.url+path, bytes.NewReader(encoded))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Less(t, response.StatusCode, 300, string(answer))
}

// handedOver gives a content's file to the provider.
func (b *bench) handedOver(t *testing.T, content channel.Content) channel.Content {
	t.Helper()
	if content.File == nil {
		return content
	}
	file := *content.File
	body := strings.Repeat("x", int(file.Size))
	var err error
	file.ProviderID, err = b.adapter.(channel.Courier).Upload(t.Context(), b.pair.Account, channel.Upload{Name: file.Name, Type: file.Type, Size: file.Size, Content: strings.NewReader(body)})
	require.NoError(t, err)
	content.File = &file
	return content
}

func (b *bench) accepts(t *testing.T, content channel.Content) {
	t.Helper()
	message := channel.Outgoing{ID: id.New(), To: b.pair.To, Content: content}
	outcome := b.sender.Send(t.Context(), message)
	require.Equal(t, channel.Accepted, outcome.Class, outcome.Detail)
	require.Len(t, b.ledger(t)[message.ID.String()], 1)
}

// runFiles hands files over and fetches them again.
func runFiles(t *testing.T, b *bench) {
	courier := b.adapter.(channel.Courier)
	const content = "the bytes of a file"
	sum := sha256.Sum256([]byte(content))
	upload := func(t *testing.T) string {
		t.Helper()
		providerID, err := courier.Upload(t.Context(), b.pair.Account, channel.Upload{Name: "naïve \"name\".pdf", Type: "application/pdf", Size: int64(len(content)), Content: strings.NewReader(content)})
		require.NoError(t, err)
		return providerID
	}
	fails := func(t *testing.T, providerID string) *channel.MediaError {
		t.Helper()
		body, _, err := courier.Fetch(t.Context(), b.pair.Account, providerID)
		if body != nil {
			body.Close()
		}
		var failure *channel.MediaError
		require.ErrorAs(t, err, &failure)
		require.NotEmpty(t, failure.Detail)
		return failure
	}
	t.Run("RoundTrip", func(t *testing.T) {
		body, about, err := courier.Fetch(t.Context(), b.pair.Account, upload(t))
		require.NoError(t, err)
		defer body.Close()
		got, err := io.ReadAll(body)
		require.NoError(t, err)
		require.Equal(t, content, string(got))
		require.Equal(t, channel.Fetched{Type: "application/pdf", SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}, about)
	})
	t.Run("Gone", func(t *testing.T) {
		failure := fails(t, "1234567890")
		require.True(t, failure.Gone)
		require.True(t, failure.Final)
	})
	t.Run("NoIDOfTheProvider", func(t *testing.T) { require.True(t, fails(t, "../me").Final) })
	t.Run("AwayForAMoment", func(t *testing.T) {
		kept := upload(t)
		b.fault(t, world.Fault{HTTPStatus: http.StatusBadGateway})
		require.False(t, fails(t, kept).Final)
		b.fault(t, world.Fault{Drop: true})
		require.False(t, fails(t, kept).Final)
		b.fault(t)
		body, _, err := courier.Fetch(t.Context(), b.pair.Account, kept)
		require.NoError(t, err)
		body.Close()
	})
	t.Run("Refused", func(t *testing.T) {
		b.fault(t, world.Fault{Code: 131053})
		_, err := courier.Upload(t.Context(), b.pair.Account, channel.Upload{Type: "application/pdf", Size: 1, Content: strings.NewReader("x")})
		b.fault(t)
		var failure *channel.MediaError
		require.ErrorAs(t, err, &failure)
		require.True(t, failure.Final)
	})
}
