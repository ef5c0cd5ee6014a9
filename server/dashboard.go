package server

import (
	"context"
	"net/http"
	"slices"
	"time"

	"omnidesk/internal/campaign"
	"omnidesk/internal/connection"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/platform"
	"omnidesk/internal/postgres"
	"omnidesk/internal/restore"
	"omnidesk/internal/send"
	"omnidesk/internal/template"
	"omnidesk/internal/wait"
	"omnidesk/internal/webhook"
)

// Traffic counts what became known in a span of time.
type Traffic struct {
	Sent      int `json:"sent" doc:"accepted by the provider and not failed since"`
	Delivered int `json:"delivered"`
	Read      int `json:"read"`
	Failed    int `json:"failed"`
	Uncertain int `json:"uncertain"`
	Replies   int `json:"replies" doc:"messages that contacts wrote; by campaign: recipients who wrote on the same connection within 72 hours after their message was sent, each once"`
}

// TrafficBucket is the traffic until the next bucket.
type TrafficBucket struct {
	At time.Time `json:"at"`
	Traffic
}

// DashboardTraffic is a span of time in the company's zone.
type DashboardTraffic struct {
	From    time.Time       `json:"from"`
	To      time.Time       `json:"to" doc:"the first instant after it"`
	Zone    string          `json:"zone"`
	Unit    string          `json:"unit" enum:"hour,day,week" doc:"of the buckets"`
	Total   Traffic         `json:"total"`
	Before  Traffic         `json:"before" doc:"as long a time before, until the same hour if the span is not over"`
	Buckets []TrafficBucket `json:"buckets"`
}

// TrafficShare is what one campaign or connection contributed.
type TrafficShare struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Traffic
}

// TrafficShares are the busiest, at most 20.
type TrafficShares struct {
	Items []TrafficShare `json:"items"`
}

// Concern is something that waits for a person.
type Concern struct {
	Kind   string     `json:"kind" enum:"restore,drained,temporal,workers,uncertain,paused,failing,unchecked,held,template,parked,warned,silent"`
	ID     string     `json:"id" doc:"of the campaign (uncertain, paused) or connection; empty for uncertain messages outside campaigns and for what concerns everything (restore, drained, temporal, workers)"`
	Name   string     `json:"name" doc:"of the campaign or the connection; empty where the id is"`
	Count  int        `json:"count,omitempty" doc:"of uncertain messages, of parked events, or of templates that the provider has rejected, paused or disabled"`
	Detail string     `json:"detail,omitempty"`
	Since  *time.Time `json:"since,omitempty" doc:"of a silent connection: when it was last heard from"`
	Until  *time.Time `json:"until,omitempty" doc:"when a held connection or a paused campaign goes on by itself; absent: when a person lets it"`
}

// Concerns are what waits for a person, the gravest first.
type Concerns struct {
	Items []Concern `json:"items"`
}

// SpanQuery chooses a span of days in the company's zone. Exported because huma reads only exported embedded structs.
type SpanQuery struct {
	Range string `query:"range" enum:"today,7d,30d,custom" default:"today"`
	From  string `query:"from" format:"date" doc:"first day, with range custom"`
	To    string `query:"to" format:"date" doc:"last day, with range custom"`
}

const (
	mostShares   = 20
	mostConcerns = 50
	longestSpan  = 400 // days
)

func (s *Server) dashboardRoutes() {
	register(s, op("dashboardTraffic", http.MethodGet, "/dashboard/traffic", "dashboard", "Sends, deliveries, reads, failures and replies over time"), s.dashboardTraffic)
	register(s, op("dashboardCampaigns", http.MethodGet, "/dashboard/campaigns", "dashboard", "The busiest campaigns of a span"), s.shares(send.TrafficByCampaign))
	register(s, op("dashboardConnections", http.MethodGet, "/dashboard/connections", "dashboard", "The busiest connections of a span"), s.shares(send.TrafficByConnection))
	register(s, op("dashboardConcerns", http.MethodGet, "/dashboard/concerns", "dashboard", "What waits for a person"), s.dashboardConcerns)
}

// span is a time that begins and ends with days of a zone.
type span struct {
	from, to, before time.Time // before: where the span of comparison begins
	now              time.Time
	zone             *time.Location
	unit             string
}

// read finds the days. Both ends are midnights of the zone, whatever its clock does between.
func (q SpanQuery) read(now time.Time, zone string) (span, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		location = time.UTC
	}
	now = now.In(location)
	first := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, location)
	days := map[string]int{"today": 1, "7d": 7, "30d": 30}[q.Range]
	first = first.AddDate(0, 0, 1-max(days, 1))
	if q.Range == "custom" {
		if first, days, err = q.days(location); err != nil {
			return span{}, err
		}
	}
	unit := "day"
	switch {
	case days <= 2:
		unit = "hour"
	case days > 92:
		unit = "week"
	}
	return span{from: first, to: first.AddDate(0, 0, days), before: first.AddDate(0, 0, -days), now: now, zone: location, unit: unit}, nil
}

func (q SpanQuery) days(zone *time.Location) (first time.Time, days int, err error) {
	first, err = time.ParseInLocation(time.DateOnly, q.From, zone)
	if err != nil {
		return first, 0, unfitQuery("from", "want the first day of the span, such as 2026-11-01")
	}
	last, err := time.ParseInLocation(time.DateOnly, q.To, zone)
	if err != nil {
		return first, 0, unfitQuery("to", "want the last day of the span, such as 2026-11-30")
	}
	// Counted by dates: a day may have 23 hours.
	days = int(time.Date(last.Year(), last.Month(), last.Day(), 0, 0, 0, 0, time.UTC).Sub(time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, time.UTC)).Hours())/24 + 1
	switch {
	case days < 1:
		return first, 0, unfitQuery("to", "lies before from: choose a later last day")
	case days > longestSpan:
		return first, 0, unfitQuery("to", "is too far from the first day: choose at most 400 days")
	}
	return first, days, nil
}

// beforeEnd is where the span of comparison ends: when this span is not over, at the same hour as now.
func (p span) beforeEnd() time.Time {
	if p.now.Before(p.to) && p.now.After(p.from) {
		return p.before.Add(p.now.Sub(p.from))
	}
	return p.from
}

// fill returns a bucket for every unit of the span, empty ones too.
func (p span) fill(found []send.Bucket) []TrafficBucket {
	buckets := make([]TrafficBucket, 0, len(found))
	for _, b := range found {
		buckets = append(buckets, TrafficBucket{b.At.UTC(), Traffic(b.Traffic)})
	}
	at := p.from
	if p.unit == "week" {
		at = monday(at)
	}
	for at.Before(p.to) {
		if !slices.ContainsFunc(buckets, func(b TrafficBucket) bool { return b.At.Equal(at) }) {
			buckets = append(buckets, TrafficBucket{At: at.UTC()})
		}
		switch p.unit {
		case "hour":
			at = at.Add(time.Hour)
		case "day":
			at = at.AddDate(0, 0, 1)
		default:
			at = at.AddDate(0, 0, 7)
		}
	}
	slices.SortFunc(buckets, func(a, b TrafficBucket) int { return a.At.Compare(b.At) })
	return buckets
}

func monday(day time.Time) time.Time { return day.AddDate(0, 0, -(int(day.Weekday())+6)%7) }

func sum(buckets []send.Bucket) (total Traffic) {
	for _, b := range buckets {
		total.Sent += b.Sent
		total.Delivered += b.Delivered
		total.Read += b.Read
		total.Failed += b.Failed
		total.Uncertain += b.Uncertain
		total.Replies += b.Replies
	}
	return total
}

func (s *Server) dashboardTraffic(ctx context.Context, in *SpanQuery) (*Out[DashboardTraffic], error) {
	company := who(ctx).Company
	p, err := in.read(s.now(), company.Zone)
	if err != nil {
		return nil, err
	}
	var now, before []send.Bucket
	err = s.DB.InCompany(ctx, company.ID, func(tx postgres.Tx) (err error) {
		if now, err = send.TrafficOf(ctx, tx, company.ID, p.from, p.to, p.unit, p.zone.String()); err != nil {
			return err
		}
		before, err = send.TrafficOf(ctx, tx, company.ID, p.before, p.beforeEnd(), "day", p.zone.String())
		return err
	})
	return out(DashboardTraffic{From: p.from.UTC(), To: p.to.UTC(), Zone: p.zone.String(), Unit: p.unit, Total: sum(now), Before: sum(before), Buckets: p.fill(now)}), err
}

// shares answers with the parts of a span's traffic as read finds them.
func (s *Server) shares(read func(context.Context, postgres.Tx, id.ID, time.Time, time.Time, int) ([]send.Share, error)) func(context.Context, *SpanQuery) (*Out[TrafficShares], error) {
	return func(ctx context.Context, in *SpanQuery) (*Out[TrafficShares], error) {
		company, list := who(ctx).Company, TrafficShares{Items: []TrafficShare{}}
		p, err := in.read(s.now(), company.Zone)
		if err != nil {
			return nil, err
		}
		err = s.DB.InCompany(ctx, company.ID, func(tx postgres.Tx) error {
			found, err := read(ctx, tx, company.ID, p.from, p.to, mostShares)
			for _, share := range found {
				list.Items = append(list.Items, TrafficShare{share.ID.String(), share.Name, Traffic(share.Traffic)})
			}
			return err
		})
		return out(list), err
	}
}

func (s *Server) dashboardConcerns(ctx context.Context, _ *struct{}) (*Out[Concerns], error) {
	company, list := companyOf(ctx), Concerns{Items: []Concern{}}
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		everything, err := generalConcerns(ctx, tx, company)
		if err != nil {
			return err
		}
		connections, err := s.connectionConcerns(ctx, tx, company)
		if err != nil {
			return err
		}
		uncertain, err := send.UncertainBy(ctx, tx, company, mostCounted, mostConcerns)
		if err != nil {
			return err
		}
		unfit, err := template.RefusedBy(ctx, tx, company)
		if err != nil {
			return err
		}
		paused, err := campaign.List(ctx, tx, company, contact.First, campaign.Paused, mostConcerns)
		if err != nil {
			return err
		}
		list.Items = append(append(list.Items, everything...), connections...)
		for _, u := range uncertain {
			concern := Concern{Kind: "uncertain", Name: u.Name, Count: u.Count}
			if u.Campaign != id.Nil {
				concern.ID = u.Campaign.String()
			}
			list.Items = append(list.Items, concern)
		}
		for _, c := range paused {
			list.Items = append(list.Items, Concern{Kind: "paused", ID: c.ID.String(), Name: c.Name, Detail: c.StateDetail, Until: utc(c.ResumesAt)})
		}
		parked, err := webhook.CountParked(ctx, tx, company, mostCounted, s.now())
		if err != nil {
			return err
		}
		if parked > 0 {
			list.Items = append(list.Items, Concern{Kind: "parked", Count: parked})
		}
		for _, t := range unfit {
			list.Items = append(list.Items, Concern{Kind: "template", ID: t.Connection.String(), Name: t.Name, Count: t.Count})
		}
		return nil
	})
	return out(list), err
}

// generalConcerns are what keeps everything of a company from being sent.
func generalConcerns(ctx context.Context, tx postgres.Tx, company id.ID) (concerns []Concern, err error) {
	hold, err := restore.HoldOf(ctx, tx, company)
	if err != nil {
		return nil, err
	}
	if hold != nil {
		concerns = append(concerns, Concern{Kind: "restore", Detail: hold.Reason})
	}
	drained, err := platform.DrainOf(ctx, tx)
	if err != nil {
		return nil, err
	}
	if drained != nil {
		concerns = append(concerns, Concern{Kind: "drained", Detail: wait.Drained.Words()})
	}
	waits, err := absences(ctx, tx)
	for _, w := range waits {
		concerns = append(concerns, Concern{Kind: w.Kind, Detail: w.Words})
	}
	return concerns, err
}

// connectionConcerns lists connections that can't send, are warned about or are not heard from.
func (s *Server) connectionConcerns(ctx context.Context, tx postgres.Tx, company id.ID) ([]Concern, error) {
	views, err := s.connections.List(ctx, tx, company, nil)
	if err != nil {
		return nil, err
	}
	holds, err := send.HoldsOf(ctx, tx, company, s.now())
	var concerns []Concern
	for _, v := range views {
		concern := Concern{ID: v.ID.String(), Name: v.Name}
		hold, held := holds[v.ID]
		switch {
		case v.DisabledAt != nil:
			continue
		case v.State == connection.Failing:
			concern.Kind, concern.Detail = "failing", v.StateDetail
		case held:
			concern.Kind, concern.Detail, concern.Until = "held", hold.Reason, utc(hold.Until)
		case v.State == connection.Unchecked:
			concern.Kind = "unchecked"
		}
		if concern.Kind != "" {
			concerns = append(concerns, concern)
		}
		if v.Alert != "" {
			concerns = append(concerns, Concern{Kind: "warned", ID: v.ID.String(), Name: v.Name, Detail: v.Alert})
		}
		if v.SilentSince != nil {
			concerns = append(concerns, Concern{Kind: "silent", ID: v.ID.String(), Name: v.Name, Since: utc(v.SilentSince)})
		}
	}
	return concerns, err
}
