package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"omnidesk/internal/account"
	"omnidesk/internal/apiclient"
	"omnidesk/internal/campaign"
	"omnidesk/internal/connection"
	"omnidesk/internal/contact"
	"omnidesk/internal/conversation"
	"omnidesk/internal/filter"
	"omnidesk/internal/notice"
	"omnidesk/internal/pace"
	"omnidesk/internal/platform"
	"omnidesk/internal/send"
)

// problemPath begins the type of problems that a program may want to tell apart.
const problemPath = "/problems/"

const notFoundDetail = "It does not exist, or it belongs to another company."

func init() {
	huma.DefaultArrayNullable = false
	huma.NewError = newProblem
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		p := newProblem(status, message, errs...)
		p.(*huma.ErrorModel).Instance = instance(ctx.Context())
		return p
	}
}

// newProblem makes RFC 9457 problems. It repeats a value only when it is short and can't be a secret: errors
// end in logs of clients.
func newProblem(status int, message string, errs ...error) huma.StatusError {
	p := &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: message}
	for _, err := range errs {
		var detailer huma.ErrorDetailer
		switch {
		case err == nil:
		case errors.As(err, &detailer):
			d := *detailer.ErrorDetail()
			if rest, missing := strings.CutPrefix(d.Message, "expected required property "); missing {
				name, _, _ := strings.Cut(rest, " ") // named by its own place rather than its parent's
				d.Location, d.Message, d.Value = d.Location+"."+name, "is required", nil
			}
			d.Value = harmless(d.Location, d.Value)
			p.Errors = append(p.Errors, &d)
		case status < 500:
			p.Errors = append(p.Errors, &huma.ErrorDetail{Message: err.Error()})
		}
	}
	return p
}

func harmless(location string, value any) any {
	for _, word := range []string{"password", "secret", "token"} {
		if strings.Contains(location, word) {
			return nil
		}
	}
	switch v := value.(type) {
	case bool, float64, int, int64:
		return v
	case string:
		if len(v) <= 100 && location != "body" {
			return v
		}
	}
	return nil
}

func problemOf(status int, kind, detail string) *huma.ErrorModel {
	p := &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail}
	if kind != "" {
		p.Type = problemPath + kind
	}
	return p
}

// unfit is a 422 that names one field of the body.
func unfit(field, message string) error {
	return newProblem(http.StatusUnprocessableEntity, "The request has an unfit field.",
		&huma.ErrorDetail{Location: "body." + field, Message: message})
}

// unfitQuery is a 422 that names one field of the query.
func unfitQuery(field, message string) error {
	return newProblem(http.StatusUnprocessableEntity, "The request has an unfit field.",
		&huma.ErrorDetail{Location: "query." + field, Message: message})
}

func notFound() error { return problemOf(http.StatusNotFound, "", notFoundDetail) }

// problem turns an error of a noun into what the caller may know of it.
func (s *Server) problem(ctx context.Context, operation string, err error) error {
	p := translate(err)
	if p == nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			p = problemOf(499, "", "The request was given up.") // nobody reads this; the log line tells it from a failure
		} else {
			slog.Error("a request failed", "operation", operation, "error", err, "request", requestID(ctx))
			p = problemOf(http.StatusInternalServerError, "", "Something went wrong on our side. Nothing was changed by this request unless it says so; try again.")
		}
	}
	var withHeaders huma.HeadersError
	if errors.As(err, &withHeaders) {
		p.Instance = instance(ctx)
		return huma.ErrorWithHeaders(p, withHeaders.GetHeaders())
	}
	p.Instance = instance(ctx)
	var wait account.BackoffError
	if errors.As(err, &wait) {
		seconds := strconv.Itoa(int(math.Ceil(wait.Wait.Seconds())))
		return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {seconds}})
	}
	return p
}

// translate knows the errors of the nouns; nil for any other.
func translate(err error) *huma.ErrorModel {
	var model *huma.ErrorModel
	var invalid contact.InvalidError
	var password account.PasswordError
	var backoff account.BackoffError
	var state *campaign.StateError
	var problems *campaign.ProblemsError
	var inUse *connection.InUseError
	var wrongAudience *campaign.FilterError
	var settings *account.SettingsError
	var link account.LinkError
	var departmentUsed *account.DepartmentInUseError
	var importState *contact.ImportStateError
	var file contact.FileError
	var tooLarge *http.MaxBytesError
	var wrongFilter *filter.Error
	var unfitClient apiclient.InvalidError
	var segmentUsed *contact.SegmentInUseError
	switch {
	case errors.As(err, &model):
		copied := *model
		return &copied
	case errors.Is(err, contact.ErrNotFound), errors.Is(err, contact.ErrNoSegment), errors.Is(err, contact.ErrNoImport), errors.Is(err, connection.ErrNotFound), errors.Is(err, campaign.ErrNotFound), errors.Is(err, conversation.ErrNotFound), errors.Is(err, account.ErrNotFound), errors.Is(err, send.ErrNotFound), errors.Is(err, notice.ErrNotFound):
		return problemOf(http.StatusNotFound, "", notFoundDetail)
	case errors.Is(err, apiclient.ErrNotFound):
		return problemOf(http.StatusNotFound, "", notFoundDetail)
	case errors.Is(err, apiclient.ErrStale):
		return problemOf(http.StatusConflict, "stale", sentence(err))
	case errors.Is(err, apiclient.ErrRevoked):
		return problemOf(http.StatusConflict, "wrong-state", sentence(err))
	case errors.Is(err, apiclient.ErrName):
		return unfit("name", apiclient.ErrName.Error()).(*huma.ErrorModel)
	case errors.Is(err, apiclient.ErrConnection):
		return unfit("connection_ids", apiclient.ErrConnection.Error()).(*huma.ErrorModel)
	case errors.As(err, &unfitClient):
		return unfit(unfitClient.Field, unfitClient.Reason).(*huma.ErrorModel)
	case errors.Is(err, contact.ErrSame):
		return unfit("contact_id", contact.ErrSame.Error()).(*huma.ErrorModel)
	case errors.Is(err, contact.ErrMerged), errors.Is(err, contact.ErrLaterMerge), errors.Is(err, contact.ErrUndone):
		return problemOf(http.StatusConflict, "stale", sentence(err))
	case errors.Is(err, conversation.ErrNoLabel), errors.Is(err, contact.ErrNoSuchMerge):
		return problemOf(http.StatusNotFound, "", notFoundDetail)
	case errors.Is(err, conversation.ErrStale):
		return problemOf(http.StatusConflict, "stale", sentence(err))
	case errors.Is(err, conversation.ErrAssignee):
		return unfit("person_id", conversation.ErrAssignee.Error()).(*huma.ErrorModel)
	case errors.Is(err, conversation.ErrDepartment):
		return unfit("department_id", conversation.ErrDepartment.Error()).(*huma.ErrorModel)
	case errors.Is(err, conversation.ErrLabel):
		return unfit("label_ids", conversation.ErrLabel.Error()).(*huma.ErrorModel)
	case errors.Is(err, conversation.ErrPast):
		return unfit("until", conversation.ErrPast.Error()).(*huma.ErrorModel)
	case errors.Is(err, conversation.ErrLabelTaken), errors.Is(err, conversation.ErrLabelName), errors.Is(err, conversation.ErrLabelsFull):
		return unfit("name", err.Error()).(*huma.ErrorModel)
	case errors.Is(err, contact.ErrNoAddress):
		return unfit("contact_id", contact.ErrNoAddress.Error()).(*huma.ErrorModel)
	case errors.Is(err, account.ErrNoDemo):
		return problemOf(http.StatusConflict, "no-demo", "Only a demo company can be removed; this is none.")
	case errors.Is(err, account.ErrWrongLogin):
		return problemOf(http.StatusUnauthorized, "", "E-mail or password is wrong.")
	case errors.As(err, &link):
		return linkProblem(link)
	case errors.Is(err, account.ErrLastSuperadmin):
		return problemOf(http.StatusConflict, "last-superadmin", sentence(account.ErrLastSuperadmin))
	case errors.Is(err, platform.ErrDrained), errors.Is(err, platform.ErrNotDrained):
		return problemOf(http.StatusConflict, "drained", sentence(err)+" Somebody else was quicker.")
	case errors.Is(err, account.ErrLastAdmin):
		return problemOf(http.StatusConflict, "last-admin", sentence(account.ErrLastAdmin))
	case errors.As(err, &backoff):
		return problemOf(http.StatusTooManyRequests, "slow-down",
			"Too many attempts have failed. Try again in "+backoff.Wait.Round(time.Second).String()+".")
	case errors.As(err, &password):
		return unfit("new_password", password.Reason).(*huma.ErrorModel)
	case errors.As(err, &invalid):
		return unfit(invalid.Field, invalid.Reason).(*huma.ErrorModel)
	case errors.Is(err, contact.ErrPhoneTaken):
		return unfit("phone", contact.ErrPhoneTaken.Error()).(*huma.ErrorModel)
	case errors.Is(err, contact.ErrSegmentName):
		return unfit("name", contact.ErrSegmentName.Error()).(*huma.ErrorModel)
	case errors.As(err, &wrongAudience): // it wraps a filter's error
		return unfit("audience.filter", sentence(wrongAudience.Reason)).(*huma.ErrorModel)
	case errors.As(err, &wrongFilter):
		return filterProblem("body.filter", wrongFilter)
	case errors.Is(err, contact.ErrSegmentStale), errors.Is(err, contact.ErrStale):
		return problemOf(http.StatusConflict, "stale", sentence(err))
	case errors.As(err, &segmentUsed):
		return problemOf(http.StatusConflict, "in-use", sentence(segmentUsed))
	case errors.As(err, &departmentUsed):
		return problemOf(http.StatusConflict, "in-use", sentence(departmentUsed))
	case errors.Is(err, connection.ErrDepartment):
		return unfit("department_id", sentence(connection.ErrDepartment)).(*huma.ErrorModel)
	case errors.Is(err, connection.ErrNumberTaken):
		return unfit("number_id", connection.ErrNumberTaken.Error()).(*huma.ErrorModel)
	case errors.Is(err, campaign.ErrConnection):
		return unfit("connection_id", campaign.ErrConnection.Error()).(*huma.ErrorModel)
	case errors.Is(err, campaign.ErrTag):
		return unfit("audience.tag_ids", campaign.ErrTag.Error()).(*huma.ErrorModel)
	case errors.Is(err, campaign.ErrSegment):
		return unfit("audience.segment_id", sentence(campaign.ErrSegment)).(*huma.ErrorModel)
	case errors.Is(err, campaign.ErrContact):
		return unfit("contact_id", campaign.ErrContact.Error()).(*huma.ErrorModel)
	case errors.Is(err, campaign.ErrImport):
		return unfit("audience.import_id", campaign.ErrImport.Error()).(*huma.ErrorModel)
	case errors.Is(err, campaign.ErrFailedOf):
		return unfit("audience.failed_of", campaign.ErrFailedOf.Error()).(*huma.ErrorModel)
	case errors.Is(err, campaign.ErrStale), errors.Is(err, contact.ErrImportStale):
		return problemOf(http.StatusConflict, "stale", sentence(err))
	case errors.As(err, &importState):
		return problemOf(http.StatusConflict, "wrong-state", sentence(importState))
	case errors.As(err, &file):
		return newProblem(http.StatusUnprocessableEntity, "This file can't be imported.",
			&huma.ErrorDetail{Location: "body", Message: file.Reason}).(*huma.ErrorModel)
	case errors.As(err, &state):
		return problemOf(http.StatusConflict, "wrong-state", sentence(state))
	case errors.As(err, &settings):
		return settingsProblem(settings)
	case errors.Is(err, account.ErrEmailTaken):
		return unfit("email", "Another person signs in with this address; choose another.").(*huma.ErrorModel)
	case errors.As(err, &inUse):
		return problemOf(http.StatusConflict, "in-use", sentence(inUse))
	case errors.As(err, &problems):
		return startProblem(problems)
	case errors.As(err, &tooLarge):
		return problemOf(http.StatusRequestEntityTooLarge, "", "The request body is too large.")
	}
	return nil
}

// linkProblem says what is wrong with a link of a mail, so that a page can say what to do.
func linkProblem(link account.LinkError) *huma.ErrorModel {
	switch link.Why {
	case account.LinkUsed:
		return problemOf(http.StatusGone, "link-used", "This link has been used already; each works once.")
	case account.LinkExpired:
		return problemOf(http.StatusGone, "link-expired", "This link has expired; have a new one sent.")
	case account.LinkRevoked:
		return problemOf(http.StatusGone, "link-revoked", "This link was taken back.")
	case account.LinkOther:
		return unfit("token", "This link is for something or somebody else.").(*huma.ErrorModel)
	}
	return unfit("token", "This is none of our links, or a part of it is missing: open it from the mail, or copy it whole.").(*huma.ErrorModel)
}

// startProblem lists all that keeps a campaign from starting, each by the field to mend.
func startProblem(problems *campaign.ProblemsError) *huma.ErrorModel {
	p := problemOf(http.StatusUnprocessableEntity, "cannot-start", sentence(problems))
	for _, one := range problems.Problems {
		p.Errors = append(p.Errors, &huma.ErrorDetail{Location: "body." + one.Field, Message: one.Message})
	}
	return p
}

func settingsProblem(settings *account.SettingsError) *huma.ErrorModel {
	return unfitFields(settings.Problems)
}

// unfitFields is a 422 that names each field of the body and says what to do.
func unfitFields(problems []pace.Problem) *huma.ErrorModel {
	p := problemOf(http.StatusUnprocessableEntity, "", "The request has an unfit field.")
	for _, one := range problems {
		p.Errors = append(p.Errors, &huma.ErrorDetail{Location: "body." + one.Field, Message: one.Message})
	}
	return p
}

// sentence writes an error as a person reads it.
func sentence(err error) string {
	text := err.Error()
	if text == "" {
		return text
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// writeProblem answers a plain route.
func (s *Server) writeProblem(c *gin.Context, err error) {
	var model *huma.ErrorModel
	if !errors.As(err, &model) {
		model = problemOf(http.StatusInternalServerError, "", "Something went wrong on our side.")
	}
	model.Instance = instance(c.Request.Context())
	writeProblem(c.Writer, model)
	c.Abort()
}

func writeProblem(w http.ResponseWriter, p *huma.ErrorModel) {
	raw, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(raw) // a client that has gone away needs no answer
}
