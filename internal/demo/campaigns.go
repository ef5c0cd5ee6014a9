package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/contact"
	"omnidesk/internal/conversation"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
	"omnidesk/internal/wake"
)

// story is a campaign that the demo company ran a while ago.
type story struct {
	name    string
	daysAgo int
	hour    int           // of its start, in the company's zone
	gap     time.Duration // between messages
	tag     string        // of its audience; empty is everyone
	content campaign.Content
}

var (
	offer   = campaign.Content{Kind: campaign.KindTemplate, Template: &channel.Template{Name: "promo_offer", Language: "en_US", Parameters: []string{"{{first_name|there}}", "15 %", "{{coupon|SPRING15}}"}}}
	opening = campaign.Content{Kind: campaign.KindTemplate, Template: &channel.Template{Name: "store_opening", Language: "pt_BR", Parameters: []string{"{{first_name|cliente}}", "{{city}}"}}}
	order   = campaign.Content{Kind: campaign.KindTemplate, Template: &channel.Template{Name: "order_update", Language: "en_US", Parameters: []string{"{{first_name|there}}", "{{likes|order}}"}}}

	stories = []story{
		{"Spring collection", 9, 9, 55 * time.Second, "", offer},
		{"Store opening", 3, 10, 80 * time.Second, "newsletter", opening},
	}
)

// numbers are the demo's connections.
type numbers struct{ usual, slow id.ID }

// addCampaigns writes two campaigns of the past days with what became of each message, starts one now and
// schedules one for tomorrow at nine. What is written goes through the same methods as what is sent.
func addCampaigns(ctx context.Context, tx postgres.Tx, company id.ID, connections numbers, zone *time.Location, contacts []contact.Contact, now time.Time) error {
	tags := map[string]id.ID{}
	for _, c := range contacts {
		for _, tag := range c.Tags {
			tags[tag.Name] = tag.ID
		}
	}
	for _, s := range stories {
		if err := s.write(ctx, tx, company, connections.usual, zone, tags, now); err != nil {
			return fmt.Errorf("telling the story of %q: %w", s.name, err)
		}
	}
	today := time.Date(now.In(zone).Year(), now.In(zone).Month(), now.In(zone).Day(), 9, 0, 0, 0, zone)
	tomorrow := today.AddDate(0, 0, 1)
	for _, fields := range []campaign.Fields{
		{Name: "Order updates", Connection: connections.slow, Content: order, Audience: campaign.Audience{TagIDs: []id.ID{tags["customers"]}}},
		{Name: "VIP preview", Connection: connections.usual, Content: offer, Audience: campaign.Audience{TagIDs: []id.ID{tags["vip"]}}, StartsAt: &tomorrow},
	} {
		made, err := campaign.Create(ctx, tx, company, fields)
		if err != nil {
			return err
		}
		if err := campaign.Start(ctx, tx, company, made.ID, now); err != nil {
			return err
		}
		if err := wake.Append(ctx, tx, company, flow.Campaign(made.ID), false); err != nil {
			return err
		}
	}
	return nil
}

// write takes a campaign from its draft to its end, all at instants of its time.
func (s story) write(ctx context.Context, tx postgres.Tx, company, connection id.ID, zone *time.Location, tags map[string]id.ID, now time.Time) error {
	day := now.In(zone).AddDate(0, 0, -s.daysAgo)
	began := time.Date(day.Year(), day.Month(), day.Day(), s.hour, 0, 0, 0, zone).UTC()
	fields := campaign.Fields{Name: s.name, Connection: connection, Content: s.content, Audience: campaign.Audience{All: s.tag == ""}}
	if s.tag != "" {
		fields.Audience.TagIDs = []id.ID{tags[s.tag]}
	}
	made, err := campaign.Create(ctx, tx, company, fields)
	if err != nil {
		return err
	}
	if err := campaign.Backdate(ctx, tx, company, made.ID, began.Add(-40*time.Minute)); err != nil {
		return err
	}
	if err := campaign.Start(ctx, tx, company, made.ID, began); err != nil {
		return err
	}
	if err := campaign.Freeze(ctx, tx, company, made.ID, began); err != nil {
		return err
	}
	_, slices, err := campaign.TakeUnfed(ctx, tx, company, made.ID, people, began)
	if err != nil {
		return err
	}
	for _, part := range slices {
		if _, err := send.QueueRecipients(ctx, tx, company, connection, made.ID, part.ZoneSet, part.After, part.Through, nil); err != nil {
			return err
		}
	}
	ended, err := s.tell(ctx, tx, company, connection, made.ID, began)
	if err != nil {
		return err
	}
	return campaign.Finish(ctx, tx, company, made.ID, ended, func() (bool, error) {
		counts, err := send.CountsOf(ctx, tx, company, made.ID)
		return counts[made.ID].Open() > 0, err
	})
}

// tell decides what became of each message and when the last one was sent.
func (s story) tell(ctx context.Context, tx postgres.Tx, company, connection, made id.ID, began time.Time) (ended time.Time, err error) {
	messages, err := send.ListCampaign(ctx, tx, company, connection, made, id.Nil, nil, people)
	if err != nil {
		return ended, err
	}
	random := rand.New(rand.NewPCG(uint64(s.daysAgo), uint64(len(messages)))) // the same demo at each first start
	pasts := make([]send.Past, 0, len(messages))
	renderer := s.content.Renderer()
	var answers []answer
	for i, m := range messages {
		at := began.Add(time.Duration(i)*s.gap + time.Duration(random.IntN(20_000))*time.Millisecond)
		who, err := contact.Get(ctx, tx, company, m.ContactID)
		if err != nil {
			return ended, err
		}
		attributes, err := json.Marshal(who.Attributes)
		if err != nil {
			return ended, fmt.Errorf("writing attributes: %w", err)
		}
		content, err := json.Marshal(renderer.Render(campaign.Person{Name: who.Name, Phone: who.Phone, Attributes: attributes}))
		if err != nil {
			return ended, fmt.Errorf("writing a text: %w", err)
		}
		events := fate(random, i, m.ID, at)
		pasts = append(pasts, send.Past{Message: m.ID, Content: string(content), Events: events})
		ended = at
		if read := events[len(events)-1]; read.State == send.Read && random.IntN(6) == 0 {
			answers = append(answers, answer{who.Phone, read.At.Add(time.Duration(1+random.IntN(200)) * time.Minute)})
		}
	}
	if err := send.WritePast(ctx, tx, company, connection, made, pasts); err != nil {
		return ended, err
	}
	return ended.Add(time.Second), hear(ctx, tx, company, connection, answers)
}

// fate is what happened to one message: 19 of 20 arrive, two of three of these are read, some fail, one stays uncertain.
func fate(random *rand.Rand, nth int, message id.ID, at time.Time) []send.Event {
	after := func(least, most time.Duration) time.Time {
		at = at.Add(least + time.Duration(random.Int64N(int64(most-least))))
		return at
	}
	event := func(state send.State, at time.Time) send.Event {
		return send.Event{Message: message, State: state, At: at, ProviderID: "wamid.DEMO" + message.String()}
	}
	sent := event(send.Sent, at)
	switch draw := random.IntN(100); {
	case nth == 61:
		return []send.Event{{Message: message, State: send.Uncertain, At: at.Add(30 * time.Second),
			Detail: "The provider took the request and gave no answer. A status will settle it, or decide by hand."}}
	case draw < 3:
		failed := event(send.Failed, after(time.Second, 4*time.Second))
		failed.Code, failed.Detail = 131026, "Message undeliverable"
		return []send.Event{failed}
	case draw < 5:
		return []send.Event{sent}
	case draw < 35:
		return []send.Event{sent, event(send.Delivered, after(time.Second, 20*time.Minute))}
	default:
		return []send.Event{sent, event(send.Delivered, after(time.Second, time.Minute)), event(send.Read, after(time.Minute, 7*time.Hour))}
	}
}

// answer is that somebody wrote back.
type answer struct {
	phone string
	at    time.Time
}

// unseen is how many of a story's conversations nobody has looked into yet.
const unseen = 2

var said = []string{"Thank you!", "Is it open on Sundays?", "Until when does it last?", "Nice, I will come by.", "Do you deliver to my street, too?", "👍", "Can I pay by instalments?", "Please keep one for me."}

// hear lets people answer: counted at the instants of their time, and in the inbox as if they had just written, so that
// they can be answered.
func hear(ctx context.Context, tx postgres.Tx, company, connection id.ID, answers []answer) error {
	people, now := make([]contact.Person, len(answers)), time.Now()
	for i, a := range answers {
		people[i].From = channel.Address{Kind: "phone", Value: a.phone}
	}
	known, err := contact.Meet(ctx, tx, company, people)
	if err != nil {
		return err
	}
	items, wrote := make([]conversation.Received, len(answers)), make([]contact.Wrote, len(answers))
	for i := range answers {
		items[i] = conversation.Received{Contact: known[i].Contact, Identity: known[i].Identity, Inbound: channel.Inbound{
			ProviderID: "wamid.DEMO.IN." + id.New().String(), From: people[i].From, Said: channel.Said{Kind: channel.SaidText, Text: said[i%len(said)]}}}
		wrote[i] = contact.Wrote{Contact: known[i].Contact, At: now}
	}
	news, err := conversation.Receive(ctx, tx, company, connection, items, now)
	if err != nil {
		return err
	}
	for i, one := range news.Messages {
		if err := send.NoteReplies(ctx, tx, company, connection, []send.Reply{{ID: one.ID, Contact: one.Contact, At: answers[i].at}}, answers[i].at); err != nil {
			return err
		}
	}
	for _, seen := range news.Conversations[min(unseen, len(news.Conversations)):] {
		if err := conversation.MarkRead(ctx, tx, company, seen); err != nil {
			return err
		}
	}
	return contact.OpenWindows(ctx, tx, company, connection, wrote)
}
