package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/template"
)

// syncTime is how long reading all templates of an account may take.
const syncTime = 30 * time.Second

// SyncedTemplate is one language of a template as the last sync found it.
type SyncedTemplate struct {
	ConnectionID   string           `json:"connection_id"`
	Name           string           `json:"name"`
	Language       string           `json:"language"`
	Category       string           `json:"category" doc:"the provider's word, such as MARKETING"`
	Status         string           `json:"status" doc:"the provider's word, such as APPROVED"`
	Quality        string           `json:"quality" doc:"GREEN, YELLOW, RED or UNKNOWN"`
	RejectedReason string           `json:"rejected_reason"`
	Unfit          string           `json:"unfit" doc:"why a campaign can't send it and what to do; empty when it can"`
	Parameters     int              `json:"parameters" doc:"placeholders of the body"`
	HeaderFormat   string           `json:"header_format"`
	Header         string           `json:"header"`
	Body           string           `json:"body"`
	Footer         string           `json:"footer"`
	Buttons        []TemplateButton `json:"buttons"`
	SyncedAt       time.Time        `json:"synced_at"`
}

// TemplateButton is what a recipient can tap.
type TemplateButton struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// TemplateSync says how current the templates of a connection are.
type TemplateSync struct {
	ConnectionID string     `json:"connection_id"`
	SyncedAt     *time.Time `json:"synced_at,omitempty" doc:"absent: never"`
	Problem      string     `json:"problem" doc:"why the last try failed; empty when it did not"`
}

// TemplateList is one page, with how current each connection is.
type TemplateList struct {
	Items      []SyncedTemplate `json:"items"`
	NextCursor string           `json:"next_cursor" doc:"empty on the last page"`
	Syncs      []TemplateSync   `json:"syncs"`
}

type templatesIn struct {
	ConnectionID string `query:"connection_id" format:"uuid"`
	Cursor       string `query:"cursor" maxLength:"2048" doc:"next_cursor of the page before"`
	Limit        int    `query:"limit" default:"200" minimum:"1" maximum:"500"`
}

func (s *Server) templateRoutes() {
	register(s, op("listTemplates", http.MethodGet, "/templates", "templates", "Templates as last synced, by connection, name and language"), s.listTemplates)
	register(s, op("syncTemplates", http.MethodPost, "/connections/{id}/templates/sync", "templates", "Read the templates from the provider",
		describe("Answers with the problem when the provider refuses; the templates known stay.")), s.syncTemplatesNow)
}

func (s *Server) listTemplates(ctx context.Context, in *templatesIn) (*Out[TemplateList], error) {
	after, err := templateCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	wanted := id.Nil
	if in.ConnectionID != "" {
		if wanted, err = id.Parse(in.ConnectionID); err != nil {
			return nil, queryUnfit("connection_id", "want a UUID")
		}
	}
	company, list := companyOf(ctx), TemplateList{Items: []SyncedTemplate{}, Syncs: []TemplateSync{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		found, err := template.List(ctx, tx, company, wanted, departmentsOf(ctx), after, in.Limit+1)
		if err != nil {
			return err
		}
		if len(found) > in.Limit {
			found = found[:in.Limit]
			last := found[in.Limit-1]
			list.NextCursor = templateCursorOf(template.Key{Connection: last.Connection, Name: last.Name, Language: last.Language})
		}
		for _, one := range found {
			list.Items = append(list.Items, templateView(one))
		}
		syncs, err := template.Syncs(ctx, tx, company, departmentsOf(ctx))
		for _, one := range syncs {
			list.Syncs = append(list.Syncs, TemplateSync{one.Connection.String(), utc(one.SyncedAt), one.Problem})
		}
		return err
	})
	return out(list), err
}

func (s *Server) syncTemplatesNow(ctx context.Context, in *IDPath) (*Out[TemplateSync], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var account channel.Account
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		account, err = s.connections.Account(ctx, tx, company, wanted)
		return err
	})
	if err != nil {
		return nil, err
	}
	sync, err := s.syncTemplates(ctx, account)
	if err != nil {
		return nil, err
	}
	s.changed(company, realtime.Connection, wanted)
	return out(sync), nil
}

// syncTemplates asks the provider, outside any transaction, and keeps what it said.
func (s *Server) syncTemplates(ctx context.Context, account channel.Account) (TemplateSync, error) {
	sync := TemplateSync{ConnectionID: account.Connection.String()}
	lister, able := s.Adapters[account.Kind].(channel.TemplateLister)
	if !able {
		sync.Problem = "This channel has no templates."
		return sync, nil
	}
	asking, cancel := context.WithTimeout(ctx, syncTime)
	defer cancel()
	found, refused := lister.ListTemplates(asking, account)
	now := s.now()
	err := s.DB.InCompany(ctx, account.Company, func(tx postgres.Tx) error {
		if refused != nil {
			sync.Problem = refused.Error()
			return template.NoteFailure(ctx, tx, account.Company, account.Connection, sync.Problem)
		}
		sync.SyncedAt = utc(&now)
		return template.Replace(ctx, tx, account.Company, account.Connection, found, now)
	})
	return sync, err
}

func templateView(t template.Template) SyncedTemplate {
	view := SyncedTemplate{ConnectionID: t.Connection.String(), Name: t.Name, Language: t.Language, Category: t.Category, Status: t.Status,
		Quality: t.Quality, RejectedReason: t.RejectedReason, Unfit: t.Unfit, Parameters: t.Parameters, HeaderFormat: t.Parts.HeaderFormat,
		Header: t.Parts.Header, Body: t.Parts.Body, Footer: t.Parts.Footer, Buttons: []TemplateButton{}, SyncedAt: t.SyncedAt.UTC()}
	for _, button := range t.Parts.Buttons {
		view.Buttons = append(view.Buttons, TemplateButton{button.Kind, button.Text})
	}
	return view
}

func templateCursorOf(last template.Key) string {
	raw, err := json.Marshal(last)
	if err != nil {
		panic(err) // ids and strings always marshal
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func templateCursor(cursor string) (after template.Key, err error) {
	if cursor == "" {
		return after, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(raw, &after) != nil {
		return after, queryUnfit("cursor", "is not a next_cursor of this list")
	}
	return after, nil
}

// queryUnfit is a 422 that names one field of the query.
func queryUnfit(field, message string) error {
	return newProblem(http.StatusUnprocessableEntity, "The request has an unfit field.", &huma.ErrorDetail{Location: "query." + field, Message: message})
}
