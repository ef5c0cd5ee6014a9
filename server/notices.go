package server

import (
	"context"
	"net/http"
	"time"

	"omnidesk/internal/contact"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
)

// mostUnread is how far the bell counts.
const mostUnread = 100

// Notice is something that happened and that a person wants to hear of.
type Notice struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind" enum:"campaign_finished,campaign_paused,connection_lost,connection_warned,connection_silent,template_stopped,messages_uncertain"`
	About     string    `json:"about" enum:"campaign,connection,company"`
	SubjectID string    `json:"subject_id"`
	Name      string    `json:"name" doc:"of the subject"`
	At        time.Time `json:"at" doc:"the first time within the hour"`
	Count     int       `json:"count" doc:"of templates, of messages, else how often within the hour"`
	Read      bool      `json:"read"`
	Lasts     bool      `json:"lasts" doc:"of a pause or a loss: it is still so"`
	Detail    string    `json:"detail" doc:"why, while it lasts"`
}

// NoticePage is a page of notices, the newest first.
type NoticePage struct {
	Items      []Notice `json:"items"`
	NextCursor string   `json:"next_cursor" doc:"empty on the last page"`
}

// Unread is what the bell shows.
type Unread struct {
	Count int `json:"count" doc:"at most 100 are counted"`
}

// NoticeSwitch is how a person hears of one kind.
type NoticeSwitch struct {
	Kind string `json:"kind" enum:"campaign_finished,campaign_paused,connection_lost,connection_warned,connection_silent,template_stopped,messages_uncertain"`
	Bell bool   `json:"bell"`
	Mail bool   `json:"mail"`
}

// NoticeSwitches are all of a person's, or the ones to be changed.
type NoticeSwitches struct {
	Items []NoticeSwitch `json:"items" maxItems:"20"`
}

type readAllIn struct {
	Body struct {
		Through string `json:"through" format:"uuid" doc:"the newest notice that was seen; younger ones stay unread"`
	}
}

type switchesIn struct{ Body NoticeSwitches }

func (s *Server) noticeRoutes() {
	register(s, op("listNotices", http.MethodGet, "/notices", "notices", "What happened, newest first"), s.listNotices)
	register(s, op("countNotices", http.MethodGet, "/notices/unread", "notices", "How many notices are unread"), s.countNotices)
	register(s, op("readNotice", http.MethodPost, "/notices/{id}/read", "notices", "Mark a notice as read", status(http.StatusNoContent)), s.readNotice)
	register(s, op("readNotices", http.MethodPost, "/notices/read", "notices", "Mark all notices as read", status(http.StatusNoContent), body(authBody)), s.readNotices)
	register(s, op("noticeSwitches", http.MethodGet, "/notices/switches", "notices", "What the caller hears of, and how"), s.noticeSwitches)
	register(s, op("putNoticeSwitches", http.MethodPut, "/notices/switches", "notices", "Choose what to hear of", body(authBody),
		describe("Users hear of connections that they see, admins of everything. Kinds that are not named stay as they are.")), s.putNoticeSwitches)
}

// readerOf is the caller as somebody who hears of things: a user of what happens to connections that they see.
func readerOf(ctx context.Context) notice.Reader {
	return notice.Reader{User: who(ctx).User.ID, Departments: departmentsOf(ctx)}
}

func (s *Server) listNotices(ctx context.Context, in *PageQuery) (*Out[NoticePage], error) {
	before, err := in.after(contact.First)
	if err != nil {
		return nil, err
	}
	page := NoticePage{Items: []Notice{}}
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		notices, err := notice.List(ctx, tx, companyOf(ctx), readerOf(ctx), before, in.Limit+1, s.now())
		if len(notices) > in.Limit {
			notices = notices[:in.Limit]
			page.NextCursor = cursorOf(notices[in.Limit-1].ID)
		}
		for _, n := range notices {
			page.Items = append(page.Items, Notice{ID: n.ID.String(), Kind: string(n.Kind), About: n.About.Kind, SubjectID: n.About.ID.String(), Name: n.Name,
				At: n.At.UTC(), Count: n.Count, Read: n.Read, Lasts: n.Lasts, Detail: n.Detail})
		}
		return err
	})
	return out(page), err
}

func (s *Server) countNotices(ctx context.Context, _ *struct{}) (*Out[Unread], error) {
	var unread Unread
	err := s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) (err error) {
		unread.Count, err = notice.Unread(ctx, tx, companyOf(ctx), readerOf(ctx), mostUnread, s.now())
		return err
	})
	return out(unread), err
}

func (s *Server) readNotice(ctx context.Context, in *IDPath) (*struct{}, error) {
	one, err := in.read()
	if err != nil {
		return nil, err
	}
	return nil, s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		return notice.Read(ctx, tx, companyOf(ctx), readerOf(ctx), one)
	})
}

func (s *Server) readNotices(ctx context.Context, in *readAllIn) (*struct{}, error) {
	through, err := idIn("through", in.Body.Through)
	if err != nil {
		return nil, err
	}
	return nil, s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		return notice.ReadAll(ctx, tx, companyOf(ctx), who(ctx).User.ID, through)
	})
}

func (s *Server) noticeSwitches(ctx context.Context, _ *struct{}) (*Out[NoticeSwitches], error) {
	list := NoticeSwitches{Items: []NoticeSwitch{}}
	err := s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		switches, err := notice.Switches(ctx, tx, companyOf(ctx), readerOf(ctx))
		for _, one := range switches {
			list.Items = append(list.Items, NoticeSwitch{string(one.Kind), one.Bell, one.Mail})
		}
		return err
	})
	return out(list), err
}

func (s *Server) putNoticeSwitches(ctx context.Context, in *switchesIn) (*Out[NoticeSwitches], error) {
	var switches []notice.Switch
	for _, one := range in.Body.Items {
		switches = append(switches, notice.Switch{Kind: notice.Kind(one.Kind), Bell: one.Bell, Mail: one.Mail})
	}
	err := s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		return notice.PutSwitches(ctx, tx, companyOf(ctx), who(ctx).User.ID, switches, s.now())
	})
	if err != nil {
		return nil, err
	}
	return s.noticeSwitches(ctx, nil)
}
