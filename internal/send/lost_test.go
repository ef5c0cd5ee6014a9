package send_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// between stands between the application and Postgres and spoils the first claim it sees.
type between struct {
	net.Listener
	to    string
	claim []byte // the name under which the claim is prepared
	late  bool   // the claim reaches Postgres only after the run has given it back; else its answer is lost
	spent atomic.Bool
	held  chan func() // brings the late claim to Postgres and waits until it is done
}

func newBetween(t *testing.T, databaseURL, statement string, late bool) (b *between, throughURL string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address, err := url.Parse(databaseURL)
	require.NoError(t, err)
	digest := sha256.Sum256([]byte(statement))
	b = &between{Listener: l, to: address.Host, claim: []byte("stmtcache_" + hex.EncodeToString(digest[:24])), late: late, held: make(chan func(), 1)}
	t.Cleanup(func() { _ = l.Close() })
	go b.accept()
	address.Host = l.Addr().String()
	return b, address.String()
}

func (b *between) accept() {
	for {
		client, err := b.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", b.to)
		if err != nil {
			_ = client.Close()
			continue
		}
		var mute atomic.Bool
		go b.upward(client, server, &mute)
		go downward(client, server, &mute)
	}
}

// cancelRequest begins the message by which a client asks to cancel another connection's statement: length and code.
var cancelRequest = []byte{0, 0, 0, 16, 4, 210, 22, 46}

func (b *between) upward(client, server net.Conn, mute *atomic.Bool) {
	chunk := make([]byte, 256<<10)
	for {
		n, err := client.Read(chunk)
		if bytes.HasPrefix(chunk[:n], cancelRequest) && b.spent.Load() { // the lost claim goes on all the same
			break
		}
		if bytes.Contains(chunk[:n], b.claim) && !bytes.Contains(chunk[:n], []byte("-- name:")) && b.spent.CompareAndSwap(false, true) {
			mute.Store(true)
			if b.late {
				request := bytes.Clone(chunk[:n])
				b.held <- func() {
					_, _ = server.Write(request)
					_ = server.(*net.TCPConn).CloseWrite()
					_, _ = io.Copy(io.Discard, server) // Postgres ends the session when it has done the claim
					_ = server.Close()
				}
				_, _ = io.Copy(io.Discard, client)
				return
			}
		}
		if n > 0 {
			if _, err := server.Write(chunk[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_ = client.Close()
	if !b.late || !mute.Load() {
		_ = server.Close()
	}
}

func downward(client, server net.Conn, mute *atomic.Bool) {
	chunk := make([]byte, 256<<10)
	for {
		n, err := server.Read(chunk)
		if n > 0 && !mute.Load() {
			if _, err := client.Write(chunk[:n]); err != nil {
				return
			}
		}
		if err != nil || mute.Load() {
			return
		}
	}
}

// A claim whose answer is lost may have committed, or may commit later, when the run has long given it back. Either way
// every message goes out once and none is left as claimed.
func TestClaimWhoseAnswerIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		file         string
		urgent, late bool
		limits       pace.Limits
	}{
		"page, committed":               {"claim.sql", false, false, pace.Limits{}},
		"page, late":                    {"claim.sql", false, true, pace.Limits{}},
		"urgent, committed":             {"claim_single.sql", true, false, pace.Limits{}},
		"urgent, late":                  {"claim_single.sql", true, true, pace.Limits{}},
		"page with limits, committed":   {"claim.sql", false, false, pace.Limits{PerHour: 1000}},
		"page with limits, late":        {"claim.sql", false, true, pace.Limits{PerHour: 1000}},
		"urgent with limits, committed": {"claim_single.sql", true, false, pace.Limits{PerHour: 1000}},
		"urgent with limits, late":      {"claim_single.sql", true, true, pace.Limits{PerHour: 1000}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunning(t, 20)
			for nth := range 5 {
				r.queue(r.single(nth+1, send.LaneReply, greeting))
			}
			text, err := os.ReadFile(c.file)
			require.NoError(t, err)
			statement := string(text)
			if !c.limits.None() {
				r.limit(c.limits)
				statement = send.Paced(statement)
			}
			spoiler, through := newBetween(t, r.db.URL(), statement, c.late)
			db, err := postgres.Open(t.Context(), through, postgres.Options{MaxConns: 6})
			require.NoError(t, err)
			t.Cleanup(db.Close)
			want := 20
			if c.urgent {
				want = 5
			}
			provider := newScript(accept)
			var once sync.Once
			provider.answer = func(out channel.Outgoing, nth int) channel.Outcome {
				once.Do(func() {
					if c.late { // the run has given the claim back and claimed anew: now the old one arrives
						(<-spoiler.held)()
					}
				})
				return accept(out, nth)
			}
			options := r.options(provider)
			options.Urgent, options.Linger = c.urgent, 500*time.Millisecond
			_, err = send.RunPage(context.WithoutCancel(t.Context()), db, options)
			require.NoError(t, err)
			require.True(t, spoiler.spent.Load(), "no claim was lost")
			require.Equal(t, want, provider.sends())
			for message, times := range provider.seen {
				require.Equal(t, 1, times, message)
			}
			require.Zero(t, r.rows().Sending)
			require.Equal(t, want, r.rows().Sent)
		})
	}
}
