package meta

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"omnidesk/internal/channel"
)

const (
	templateFields = "id,name,language,category,status,quality_score,rejected_reason,components"
	mostPages      = 100 // of 100 templates; Meta allows an account 6,000 templates; a cursor that goes in circles must end
)

var _ channel.TemplateLister = (*Adapter)(nil)

// sentence is an error that a person reads as it is.
type sentence string

func (s sentence) Error() string { return string(s) }

// ListTemplates reads all templates of the account, page by page. ctx bounds them all, the adapter's timeout each.
func (a *Adapter) ListTemplates(ctx context.Context, account channel.Account) ([]channel.ProviderTemplate, error) {
	if account.AccountID == "" || strings.Trim(account.AccountID, "0123456789") != "" {
		return nil, sentence("The WhatsApp Business Account id must be digits only: copy it from the app's WhatsApp page at Meta.")
	}
	var found []channel.ProviderTemplate
	query := url.Values{"fields": {templateFields}, "limit": {"100"}}
	for range mostPages {
		page, err := a.templatePage(ctx, account, query.Encode())
		if err != nil {
			return nil, err
		}
		for _, one := range page.Data {
			found = append(found, one.plain())
		}
		if page.Paging.Next == "" || page.Paging.Cursors.After == "" {
			return found, nil
		}
		query.Set("after", page.Paging.Cursors.After)
	}
	return found, nil
}

type templateList struct {
	Data   []listedTemplate `json:"data"`
	Paging struct {
		Next    string `json:"next"`
		Cursors struct {
			After string `json:"after"`
		} `json:"cursors"`
	} `json:"paging"`
}

type listedTemplate struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Language string `json:"language"`
	Category string `json:"category"`
	Status   string `json:"status"`
	Quality  struct {
		Score string `json:"score"`
	} `json:"quality_score"`
	RejectedReason string          `json:"rejected_reason"`
	Components     json.RawMessage `json:"components"`
}

func (t listedTemplate) plain() channel.ProviderTemplate {
	plain := channel.ProviderTemplate{ProviderID: t.ID, Name: t.Name, Language: t.Language, Category: t.Category, Status: t.Status,
		Quality: t.Quality.Score, RejectedReason: t.RejectedReason, Components: t.Components}
	if len(plain.Components) == 0 {
		plain.Components = json.RawMessage("[]")
	}
	if plain.RejectedReason == "NONE" {
		plain.RejectedReason = ""
	}
	return plain
}

func (a *Adapter) templatePage(ctx context.Context, account channel.Account, query string) (page templateList, err error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	request := a.newRequest(http.MethodGet, account, "/"+account.AccountID+"/message_templates", query)
	if problem := a.call(request.WithContext(ctx), &page); problem != "" {
		return page, sentence(problem)
	}
	return page, nil
}
