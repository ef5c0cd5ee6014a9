package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"

	"omnidesk/internal/account"
	"omnidesk/internal/id"
	"omnidesk/internal/realtime"
)

const (
	revokedEvery = time.Second // a session that ended loses its sockets within two
	pingEvery    = 30 * time.Second
	writeTime    = 5 * time.Second
	perSession   = 20 // sockets that one session may hold: tabs
)

// Codes of a socket's end. The browser signs in again after the first and reconnects after the others.
const (
	codeSignedOut = websocket.StatusCode(4401)
	codeBehind    = websocket.StatusCode(4408)
)

type socket struct {
	session id.ID
	end     context.CancelCauseFunc
}

// sockets are the open websockets of this process, by session.
type sockets struct {
	mu   sync.Mutex
	open map[id.ID]map[*socket]struct{}
	shut bool
}

func newSockets() *sockets { return &sockets{open: map[id.ID]map[*socket]struct{}{}} }

func (s *sockets) add(one *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut || len(s.open[one.session]) >= perSession {
		return false
	}
	if s.open[one.session] == nil {
		s.open[one.session] = map[*socket]struct{}{}
	}
	s.open[one.session][one] = struct{}{}
	return true
}

func (s *sockets) remove(one *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open[one.session], one)
	if len(s.open[one.session]) == 0 {
		delete(s.open, one.session)
	}
}

func (s *sockets) sessions() []id.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	sessions := make([]id.ID, 0, len(s.open))
	for session := range s.open {
		sessions = append(sessions, session)
	}
	return sessions
}

func (s *sockets) closeSession(session id.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for one := range s.open[session] {
		one.end(account.ErrNoSession)
	}
}

func (s *sockets) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
	for _, of := range s.open {
		for one := range of {
			one.end(http.ErrServerClosed)
		}
	}
}

// endRevokedSockets asks once a second about all sessions with sockets, in one statement.
func (s *Server) endRevokedSockets(ctx context.Context) {
	ticker := time.NewTicker(revokedEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		sessions := s.sockets.sessions()
		if len(sessions) == 0 {
			continue
		}
		asked, cancel := context.WithTimeout(ctx, revokedEvery)
		live, err := s.logins.Live(asked, sessions)
		cancel()
		if err != nil {
			continue // the database is away: nothing new is said meanwhile, and each reconnect is checked
		}
		for _, session := range sessions {
			if !live[session] {
				s.sockets.closeSession(session)
			}
		}
	}
}

func (s *Server) realtimeRoutes() {
	s.plain("realtime", apiPath+"/realtime", s.realtime, http.MethodGet)
}

// realtime tells one browser what changed in its company. Nothing is read from it.
func (s *Server) realtime(c *gin.Context) {
	if !s.origins[c.GetHeader("Origin")] {
		s.writeProblem(c, problemOf(http.StatusForbidden, "cross-origin", "Only pages of this server may listen."))
		return
	}
	caller := who(c.Request.Context())
	// The origin was compared whole above; the library would compare hosts only.
	conn, err := websocket.Accept(c.Writer, c.Request, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow() //nolint:errcheck // after a good close there is nothing left to close
	ctx, end := context.WithCancelCause(context.WithoutCancel(c.Request.Context()))
	defer end(nil)
	one := &socket{session: caller.Session, end: end}
	if !s.sockets.add(one) {
		_ = conn.Close(websocket.StatusTryAgainLater, "too many tabs, or the server is closing")
		return
	}
	defer s.sockets.remove(one)
	s.metrics.sockets.Inc()
	defer s.metrics.sockets.Dec()
	sub := s.hub.Subscribe(caller.Company.ID)
	defer sub.Close()
	ended, cancel := context.WithDeadlineCause(ctx, caller.Until, account.ErrNoSession)
	defer cancel()
	// Its context must outlive ctx: the library cuts the connection when it ends, and the closing code would be lost.
	gone := conn.CloseRead(context.WithoutCancel(ctx))
	defer context.AfterFunc(gone, cancel)()
	code, reason := tell(ended, conn, sub)
	switch cause := context.Cause(ended); {
	case errors.Is(cause, account.ErrNoSession):
		code, reason = codeSignedOut, "the session has ended"
	case errors.Is(cause, http.ErrServerClosed):
		code, reason = websocket.StatusGoingAway, "the server is closing"
	}
	if err := conn.Close(code, reason); err != nil {
		slog.Debug("a websocket ended", "error", err)
	}
}

// tell writes events until the socket ends, and returns why.
func tell(ctx context.Context, conn *websocket.Conn, sub *realtime.Subscription) (websocket.StatusCode, string) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return websocket.StatusNormalClosure, ""
		case <-ping.C:
			pinged, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
			err := conn.Ping(pinged)
			cancel()
			if err != nil {
				return websocket.StatusPolicyViolation, "no answer to a ping"
			}
		case event, open := <-sub.Events:
			if !open {
				return codeBehind, "too far behind; reconnect and read again"
			}
			writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
			err := conn.Write(writing, websocket.MessageText, eventJSON(event))
			cancel()
			if err != nil {
				return codeBehind, "too slow; reconnect and read again"
			}
		}
	}
}

func eventJSON(event realtime.Event) []byte {
	said := map[string]string{"type": string(event.Kind)}
	if event.ID != id.Nil {
		said["id"] = event.ID.String()
	}
	raw, err := json.Marshal(said)
	if err != nil {
		panic(err) // strings always marshal
	}
	return raw
}
