package server

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/send"
)

// Limits of a connection. What is absent is not limited.
type Limits struct {
	PerSecond  *int    `json:"per_second,omitempty" doc:"messages; campaigns leave the last fifth of each limit for answers and codes"`
	PerMinute  *int    `json:"per_minute,omitempty" doc:"within any 60 seconds"`
	PerHour    *int    `json:"per_hour,omitempty" doc:"within any 60 minutes"`
	PerDay     *int    `json:"per_day,omitempty" doc:"of the company's calendar day"`
	ContactGap *int    `json:"contact_gap_s,omitempty" doc:"seconds between two messages to one contact"`
	GapFrom    *int    `json:"gap_from_s,omitempty" doc:"seconds between two messages of campaigns are drawn from here"`
	GapUntil   *int    `json:"gap_until_s,omitempty" doc:"to here"`
	WarmUp     *WarmUp `json:"warm_up,omitempty"`
}

// WarmUp caps the first days of a new number.
type WarmUp struct {
	From string `json:"from" maxLength:"10" doc:"the first day, such as 2026-11-22"`
	Caps []int  `json:"caps" maxItems:"366" doc:"messages of the first day, of the second…"`
}

// Governor is what a connection may send, and how much of that is used.
type Governor struct {
	Limits   Limits     `json:"limits"`
	Defaults Limits     `json:"defaults" doc:"of its channel"`
	Used     []LimitUse `json:"used" doc:"of each limit that counts messages, and of the provider's tier, which counts contacts of all the numbers of a business"`
	Next     []NextSend `json:"next" doc:"when something may go next, if the limits alone decide"`
}

// LimitUse is how much of one limit is used.
type LimitUse struct {
	Limit string `json:"limit" enum:"per_second,per_minute,per_hour,per_day,warm_up,contacts_24h"`
	Most  int    `json:"most"`
	Used  int    `json:"used"`
}

// NextSend says when messages of a kind may go.
type NextSend struct {
	Of    string     `json:"of" enum:"campaigns,others"`
	At    *time.Time `json:"at,omitempty" doc:"absent: now"`
	Words string     `json:"words"`
}

type limitsIn struct {
	IDPath
	Body Limits
}

func (s *Server) limitRoutes() {
	register(s, op("getLimits", http.MethodGet, "/connections/{id}/limits", "connections", "What a connection may send"), s.getLimits)
	register(s, op("putLimits", http.MethodPut, "/connections/{id}/limits", "connections", "Replace a connection's limits", body(8<<10),
		describe("They count within two seconds, for what is being sent, too.")), s.putLimits)
}

func (s *Server) getLimits(ctx context.Context, in *IDPath) (*Out[Governor], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	var view Governor
	company := companyOf(ctx)
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		connection, err := s.connections.Get(ctx, tx, company, wanted)
		if err != nil {
			return err
		}
		now := s.now()
		governor, err := send.GovernorOf(ctx, tx, company, wanted, now)
		if err != nil {
			return err
		}
		view = governorView(governor, pace.Defaults(string(connection.Channel)), now)
		return nil
	})
	return out(view), err
}

func (s *Server) putLimits(ctx context.Context, in *limitsIn) (*Out[Governor], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	limits := in.Body.read()
	if problems := limits.Problems(); len(problems) > 0 {
		return nil, unfitFields(problems)
	}
	company := companyOf(ctx)
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		connection, err := s.connections.Get(ctx, tx, company, wanted) // a foreign id must make no scope
		if err != nil {
			return err
		}
		if connection.DeletedAt != nil {
			return notFound()
		}
		return send.SetLimits(ctx, tx, company, wanted, limits, s.now())
	})
	if err != nil {
		return nil, err
	}
	slog.Info("a connection's limits were changed", "connection", wanted, "user", who(ctx).User.ID, "request", requestID(ctx))
	s.hint()
	s.changed(company, realtime.Connection, wanted)
	return s.getLimits(ctx, &in.IDPath)
}

// read makes an explicit zero as wrong as a negative number: who wants no limit leaves it out.
func (l Limits) read() pace.Limits {
	number := func(n *int) int {
		switch {
		case n == nil:
			return 0
		case *n == 0:
			return -1
		}
		return *n
	}
	seconds := func(n *int) time.Duration {
		if n == nil {
			return 0
		}
		return time.Duration(min(max(*n, -1), 1_000_000)) * time.Second // beyond these it is refused anyway
	}
	limits := pace.Limits{PerSecond: number(l.PerSecond), PerMinute: number(l.PerMinute), PerHour: number(l.PerHour), PerDay: number(l.PerDay),
		ContactGap: seconds(l.ContactGap), GapFrom: seconds(l.GapFrom), GapUntil: seconds(l.GapUntil)}
	if l.WarmUp != nil {
		limits.WarmUp = &pace.WarmUp{From: l.WarmUp.From, Caps: l.WarmUp.Caps}
	}
	return limits
}

func limitsView(l pace.Limits) Limits {
	number := func(n int) *int {
		if n == 0 {
			return nil
		}
		return &n
	}
	seconds := func(d time.Duration) *int { return number(int(d / time.Second)) }
	view := Limits{PerSecond: number(l.PerSecond), PerMinute: number(l.PerMinute), PerHour: number(l.PerHour), PerDay: number(l.PerDay),
		ContactGap: seconds(l.ContactGap), GapFrom: seconds(l.GapFrom), GapUntil: seconds(l.GapUntil)}
	if l.WarmUp != nil {
		view.WarmUp = &WarmUp{From: l.WarmUp.From, Caps: l.WarmUp.Caps}
	}
	return view
}

func governorView(g send.Governor, defaults pace.Limits, now time.Time) Governor {
	view := Governor{Limits: limitsView(g.Limits), Defaults: limitsView(defaults), Used: []LimitUse{}}
	for _, use := range g.Limits.Uses(g.Used, g.Zone, now) {
		view.Used = append(view.Used, LimitUse{Limit: use.Field, Most: use.Limit, Used: use.Used})
	}
	for _, kind := range []struct {
		of   string
		lane pace.Lane
	}{{"campaigns", pace.Campaign}, {"others", pace.Queue}} {
		v := g.Limits.Reach(g.Used, kind.lane, g.Zone, now)
		next := NextSend{Of: kind.of, Words: v.Words(now)}
		if v.Room == 0 {
			at := v.At.UTC()
			next.At = &at
		}
		view.Next = append(view.Next, next)
	}
	return view
}
