package channeltest

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
)

// runWire proves what outcomes say about the wire, against bare TCP.
func runWire(t *testing.T, pair Pair) {
	accept := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(pair.Answer), pair.Answer)
	answer := func(conn net.Conn) bool {
		_, err := conn.Write(accept)
		return err == nil
	}

	t.Run("ConnectionRefused", func(t *testing.T) {
		p := newProvider(t, pair, func(net.Conn, int) bool { return false })
		sender := open(t, pair, p.url(), long)
		p.close()
		outcome := sender.Send(t.Context(), pair.message())
		require.Equal(t, channel.NotWritten, outcome.Class)
		require.NotEmpty(t, outcome.Detail)
	})
	t.Run("CanceledBeforeItBegan", func(t *testing.T) {
		p := newProvider(t, pair, func(conn net.Conn, _ int) bool { return answer(conn) })
		sender := open(t, pair, p.url(), long)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		message := pair.message()
		require.Equal(t, channel.NotWritten, sender.Send(ctx, message).Class)
		require.Zero(t, p.seen(message.ID))
	})
	t.Run("ResetInTheMiddleOfTheAnswer", func(t *testing.T) {
		p := newProvider(t, pair, func(conn net.Conn, _ int) bool {
			conn.Write(accept[:len(accept)-5]) //nolint:errcheck // the test cuts it here
			return false
		})
		message := pair.message()
		require.Equal(t, channel.Unknown, open(t, pair, p.url(), long).Send(t.Context(), message).Class)
		require.Equal(t, 1, p.seen(message.ID))
	})
	t.Run("ConnectionIsReused", func(t *testing.T) {
		latest := make(chan int, 3)
		p := newProvider(t, pair, func(conn net.Conn, n int) bool {
			latest <- n
			return answer(conn)
		})
		sender := open(t, pair, p.url(), long)
		for n := 1; n <= 3; n++ {
			require.Equal(t, channel.Accepted, sender.Send(t.Context(), pair.message()).Class)
			require.Equal(t, n, <-latest)
		}
	})
	t.Run("NeverRepeatsOnAKeptConnection", func(t *testing.T) {
		// The server takes the second request of a kept connection and closes it without an answer: a client
		// may take that for a connection that was idle too long, and repeat the request.
		p := newProvider(t, pair, func(conn net.Conn, n int) bool { return n == 1 && answer(conn) })
		sender := open(t, pair, p.url(), long)
		first, second, third := pair.message(), pair.message(), pair.message()
		require.Equal(t, channel.Accepted, sender.Send(t.Context(), first).Class)
		require.Equal(t, channel.Unknown, sender.Send(t.Context(), second).Class)
		require.Equal(t, 1, p.seen(second.ID))
		require.Equal(t, channel.Accepted, sender.Send(t.Context(), third).Class)
	})
	t.Run("IdleConnectionsThatClose", func(t *testing.T) {
		// The server closes each connection right after its answer, so that the next send races the close.
		p := newProvider(t, pair, func(conn net.Conn, _ int) bool { answer(conn); return false })
		sender := open(t, pair, p.url(), long)
		for range 300 {
			message := pair.message()
			outcome := sender.Send(t.Context(), message)
			switch outcome.Class {
			case channel.Accepted:
				require.Equal(t, 1, p.seen(message.ID))
			case channel.NotWritten:
				require.Zero(t, p.seen(message.ID))
			default:
				require.Equal(t, channel.Unknown, outcome.Class)
				require.LessOrEqual(t, p.seen(message.ID), 1)
			}
		}
	})
}
