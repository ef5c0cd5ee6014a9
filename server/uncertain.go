package server

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"omnidesk/internal/audit"
	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/send"
)

// mostCounted bounds a count; above it a page says "more than".
const mostCounted = 10_000

// UncertainMessage is one whose outcome nobody knows.
type UncertainMessage struct {
	MessageDetail
	CampaignName string `json:"campaign_name" doc:"empty outside campaigns"`
}

// UncertainList is one page.
type UncertainList struct {
	Items      []UncertainMessage `json:"items"`
	NextCursor string             `json:"next_cursor" doc:"empty on the last page"`
}

// UncertainCount tells how many there are.
type UncertainCount struct {
	Count int  `json:"count"`
	More  bool `json:"more" doc:"there are more than count"`
}

// Settling is a decision about some uncertain messages.
type Settling struct {
	Verdict    string   `json:"verdict" enum:"sent,failed,again" doc:"sent: the contact has it · failed: the contact does not have it · again: send a new message; the contact may get it twice"`
	MessageIDs []string `json:"message_ids" minItems:"1" maxItems:"1000"`
}

// SettlingResult tells what became of it. A message that was not uncertain any more is left alone.
type SettlingResult struct {
	Settled int      `json:"settled"`
	Left    int      `json:"left" doc:"were not uncertain any more"`
	Again   []string `json:"again" doc:"ids of the new messages"`
	Gone    []string `json:"gone" doc:"not sent again: the contact or its address does not exist any more"`
}

// ofCampaign reads the campaign of a query; id.Nil when it names none.
func ofCampaign(text string) (id.ID, error) {
	if text == "" {
		return id.Nil, nil
	}
	of, err := id.Parse(text)
	if err != nil {
		return id.Nil, unfitQuery("campaign_id", "is not an id")
	}
	return of, nil
}

type uncertainIn struct {
	PageQuery
	CampaignID string `query:"campaign_id" doc:"only this campaign's"`
}

type uncertainCountIn struct {
	CampaignID string `query:"campaign_id" doc:"only this campaign's"`
}

type settlingIn struct{ Body Settling }

func (s *Server) uncertainRoutes() {
	register(s, op("listUncertain", http.MethodGet, "/uncertain", "messages", "Messages whose outcome nobody knows, the newest first",
		describe("A provider's status settles them by itself. One that was sent again by hand is not listed any more.")), s.listUncertain)
	register(s, op("countUncertain", http.MethodGet, "/uncertain/count", "messages", "How many there are"), s.countUncertain)
	register(s, op("settleUncertain", http.MethodPost, "/uncertain/settle", "messages", "Decide about some by hand", body(64<<10),
		describe("The decision is kept with the name of who took it. Sending again makes a new message; the old one stays uncertain and is marked superseded.")), s.settleUncertain)
}

func (s *Server) listUncertain(ctx context.Context, in *uncertainIn) (*Out[UncertainList], error) {
	of, err := ofCampaign(in.CampaignID)
	if err != nil {
		return nil, err
	}
	before, err := in.after(contact.First)
	if err != nil {
		return nil, err
	}
	company, list := companyOf(ctx), UncertainList{Items: []UncertainMessage{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		rows, err := send.ListUncertain(ctx, tx, company, of, before, in.Limit+1)
		if err != nil {
			return err
		}
		if len(rows) > in.Limit {
			rows = rows[:in.Limit]
			list.NextCursor = cursorOf(rows[len(rows)-1].ID)
		}
		for _, row := range rows {
			list.Items = append(list.Items, UncertainMessage{messageDetail(row.Detail()), row.CampaignName})
		}
		return nil
	})
	return out(list), err
}

func (s *Server) countUncertain(ctx context.Context, in *uncertainCountIn) (*Out[UncertainCount], error) {
	of, err := ofCampaign(in.CampaignID)
	if err != nil {
		return nil, err
	}
	var view UncertainCount
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		n, err := send.CountUncertain(ctx, tx, companyOf(ctx), of, mostCounted+1)
		view = UncertainCount{min(n, mostCounted), n > mostCounted}
		return err
	})
	return out(view), err
}

func (s *Server) settleUncertain(ctx context.Context, in *settlingIn) (*Out[SettlingResult], error) {
	var messages []id.ID
	for _, text := range in.Body.MessageIDs {
		message, err := idIn("message_ids", text)
		if err != nil {
			return nil, err
		}
		messages = append(messages, message)
	}
	company, verdict, now := companyOf(ctx), send.Verdict(in.Body.Verdict), s.now()
	var done send.Settled
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		done, err = send.Settle(ctx, tx, company, verdict, messages, now, rendering(ctx, tx, company))
		if err != nil || len(done.Messages) == 0 {
			return err
		}
		return audit.Note(ctx, tx, company, who(ctx).User.ID, decisions[verdict], now, append(done.Messages, done.Again...)...)
	})
	if err != nil {
		return nil, err
	}
	s.hint()
	for _, of := range done.Campaigns {
		s.changed(company, realtime.Campaign, of)
	}
	return out(SettlingResult{Settled: len(done.Messages), Left: len(messages) - len(done.Messages) - len(done.Gone), Again: idTexts(done.Again), Gone: idTexts(done.Gone)}), nil
}

var decisions = map[send.Verdict]audit.Action{send.MarkSent: audit.MessageMarkedSent, send.MarkFailed: audit.MessageMarkedFailed, send.SendAgain: audit.MessageSentAgain}

// rendering makes the texts of campaigns' messages anew, for those that the ledger has none of.
func rendering(ctx context.Context, tx postgres.Tx, company id.ID) func(send.Claim) (channel.Content, error) {
	known := map[id.ID]*campaign.Renderer{}
	return func(c send.Claim) (channel.Content, error) {
		if known[c.Campaign] == nil {
			of, err := campaign.Get(ctx, tx, company, c.Campaign)
			if err != nil {
				return channel.Content{}, err
			}
			known[c.Campaign] = of.Content.Renderer()
		}
		return known[c.Campaign].Render(campaign.Person{Name: c.Name, Phone: c.To.Value, Zone: c.Zone, Attributes: c.Attributes}), nil
	}
}

func idTexts(ids []id.ID) []string {
	texts := make([]string, len(ids))
	for i, one := range ids {
		texts[i] = one.String()
	}
	return texts
}

// Decision is what a person decided by hand about a message.
type Decision struct {
	Action string    `json:"action" enum:"message.marked_sent,message.marked_failed,message.sent_again"`
	By     string    `json:"by" doc:"the person's name; empty for one of the platform"`
	At     time.Time `json:"at"`
}

func decisionsAbout(ctx context.Context, tx postgres.Tx, company, message id.ID) ([]Decision, error) {
	found, err := audit.Of(ctx, tx, company, message)
	views := make([]Decision, 0, len(found))
	for _, d := range found {
		if !slices.Contains(slices.Collect(maps.Values(decisions)), d.Action) {
			continue // its test, for one, is no decision
		}
		views = append(views, Decision{string(d.Action), d.By, d.At.UTC()})
	}
	return views, err
}
