package server

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// Failure is what happened to some of a campaign's messages, by the provider's code.
type Failure struct {
	Code    int    `json:"code" doc:"the provider's; 0: it gave none"`
	Count   int    `json:"count"`
	Meaning string `json:"meaning"`
	Remedy  string `json:"remedy"`
	Again   bool   `json:"again" doc:"the same message may arrive at another try"`
}

// FailureList holds the most frequent first.
type FailureList struct {
	Items []Failure `json:"items"`
}

// CourseBucket counts what happened within a span of time.
type CourseBucket struct {
	At        time.Time `json:"at" doc:"its beginning"`
	Sent      int       `json:"sent" doc:"accepted by the provider; a message that failed after it was accepted takes its 1 back, so a bucket may be negative"`
	Delivered int       `json:"delivered"`
	Read      int       `json:"read"`
	Failed    int       `json:"failed"`
}

// Course is what happened to a campaign's messages over time, in buckets without a gap.
type Course struct {
	Seconds int            `json:"seconds" doc:"length of a bucket"`
	Buckets []CourseBucket `json:"buckets"`
}

// Chapter is one thing that happened to a message.
type Chapter struct {
	Kind  string     `json:"kind" enum:"queued,waited,handed,tried,decided,sending,sent,delivered,read,failed,uncertain,canceled,expired,suppressed"`
	At    time.Time  `json:"at"`
	Until *time.Time `json:"until,omitempty" doc:"its end, when it lasted or will last until a known instant"`
	Lasts bool       `json:"lasts" doc:"it goes on still"`
	Words string     `json:"words"`
}

// Story is what happened to a message until now, in order.
type Story struct {
	Chapters []Chapter `json:"chapters"`
}

type exportIn struct {
	IDPath
	MessageFilter
	SheetQuery
}

func (s *Server) resultRoutes() {
	register(s, op("campaignFailures", http.MethodGet, "/campaigns/{id}/failures", "campaigns", "Its failed messages by the provider's code, in words"), s.campaignFailures)
	register(s, op("campaignCourse", http.MethodGet, "/campaigns/{id}/course", "campaigns", "What happened to its messages over time"), s.campaignCourse)
	register(s, op("exportCampaign", http.MethodGet, "/campaigns/{id}/export", "campaigns", "Its messages as a file, CSV or XLSX", asSheet,
		describe("Instants are on the company's clock. In CSV, a cell that a spreadsheet could take for a formula begins with an apostrophe; so does every phone number. XLSX has text cells and needs none.")),
		s.exportCampaign)
	register(s, op("messageStory", http.MethodGet, "/messages/{id}/story", "messages", "What happened to a message, in plain words"), s.messageStory)
}

func (s *Server) campaignFailures(ctx context.Context, in *IDPath) (*Out[FailureList], error) {
	company, list := companyOf(ctx), FailureList{Items: []Failure{}}
	err := s.inCampaign(ctx, in, func(tx postgres.Tx, c campaign.Campaign) error {
		found, err := send.FailuresOf(ctx, tx, company, c.ID)
		if err != nil || len(found) == 0 {
			return err
		}
		explain, err := s.explainer(ctx, tx, company, c.Connection)
		if err != nil {
			return err
		}
		for _, f := range found {
			e := explain(f.Code)
			list.Items = append(list.Items, Failure{f.Code, f.Count, e.Meaning, e.Remedy, e.Again})
		}
		return nil
	})
	return out(list), err
}

// explainer returns what puts codes of a connection's provider into words.
func (s *Server) explainer(ctx context.Context, tx postgres.Tx, company, of id.ID) (func(int) channel.Explanation, error) {
	found, err := s.connections.Get(ctx, tx, company, of)
	if err != nil {
		return nil, err
	}
	if known, ok := s.Adapters[found.Channel].(channel.Explainer); ok {
		return known.Explain, nil
	}
	return func(code int) channel.Explanation {
		return channel.Explanation{Meaning: "The provider refused it with code " + strconv.Itoa(code) + "."}
	}, nil
}

func (s *Server) campaignCourse(ctx context.Context, in *IDPath) (*Out[Course], error) {
	view := Course{Buckets: []CourseBucket{}}
	err := s.inCampaign(ctx, in, func(tx postgres.Tx, c campaign.Campaign) error {
		course, err := send.CourseOf(ctx, tx, companyOf(ctx), c.ID)
		view.Seconds = int(course.Length.Seconds())
		for _, b := range course.Buckets {
			view.Buckets = append(view.Buckets, CourseBucket{b.At, b.Sent, b.Delivered, b.Read, b.Failed})
		}
		return err
	})
	return out(view), err
}

// inCampaign runs do with a campaign of the caller's company.
func (s *Server) inCampaign(ctx context.Context, in *IDPath, do func(postgres.Tx, campaign.Campaign) error) error {
	wanted, err := in.read()
	if err != nil {
		return err
	}
	company := companyOf(ctx)
	return s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		found, err := campaign.Get(ctx, tx, company, wanted)
		if err != nil {
			return err
		}
		return do(tx, found)
	})
}

func (s *Server) messageStory(ctx context.Context, in *IDPath) (*Out[Story], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company, view := companyOf(ctx), Story{Chapters: []Chapter{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		chapters, err := send.StoryOf(ctx, tx, company, wanted, departmentsOf(ctx), s.now())
		for _, c := range chapters {
			view.Chapters = append(view.Chapters, Chapter{c.Kind, c.At.UTC(), utc(c.Until), c.Lasts, c.Words})
		}
		return err
	})
	return out(view), err
}

// exportPage is how many messages one transaction reads: none stays open while a slow reader takes its time.
const exportPage = 2_000

func (s *Server) exportCampaign(ctx context.Context, in *exportIn) (*huma.StreamResponse, error) {
	pick, err := in.picked()
	if err != nil {
		return nil, err
	}
	var of campaign.Campaign
	if err := s.inCampaign(ctx, &in.IDPath, func(_ postgres.Tx, c campaign.Campaign) error { of = c; return nil }); err != nil {
		return nil, err
	}
	company := who(ctx).Company
	zone, err := time.LoadLocation(company.Zone)
	if err != nil {
		return nil, err
	}
	return s.stream(in.Format, of.Name, func(ctx context.Context, row func(...string) error) error {
		local := func(what string) string { return what + " (" + company.Zone + ")" }
		if err := row("phone", "name", "state", local("queued"), local("handed over"), local("sent"), local("delivered"), local("read"), local("ended"),
			"tries", "provider's code", "reason", "text", "provider's id", "message id", "contact id"); err != nil {
			return err
		}
		for after, more := id.Nil, true; more; {
			var rows []send.ListCampaignRow
			err := s.DB.InCompany(ctx, company.ID, func(tx postgres.Tx) (err error) {
				rows, err = pick.list(ctx, tx, company.ID, of, after, exportPage)
				return err
			})
			if err != nil {
				return err
			}
			for _, r := range rows {
				if err := row(exportRow(messageView(r), zone)...); err != nil {
					return err
				}
				after = r.ID
			}
			more = len(rows) == exportPage
		}
		return nil
	})
}

func exportRow(m Message, zone *time.Location) []string {
	phone, code, reason, provider := "", "", "", ""
	if m.Phone != nil {
		phone = *m.Phone
	}
	if m.ErrorCode != nil {
		code = strconv.Itoa(*m.ErrorCode)
	}
	if m.ErrorDetail != nil {
		reason = *m.ErrorDetail
	}
	if m.ProviderID != nil {
		provider = *m.ProviderID
	}
	return []string{phone, m.ContactName, m.State, at(m.QueuedAt, zone), at(m.ClaimedAt, zone), at(m.SentAt, zone), at(m.DeliveredAt, zone), at(m.ReadAt, zone),
		at(m.EndedAt, zone), strconv.Itoa(m.Attempts), code, reason, m.Text, provider, m.ID, m.ContactID}
}
