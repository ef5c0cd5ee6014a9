package server

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"omnidesk/internal/account"
	"omnidesk/internal/audit"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// watch makes a call that may change something stand in the audit log, once its change is committed.
func (s *Server) watch(c *gin.Context, ctx huma.Context) {
	operation := ctx.Operation()
	if !notes(operation) {
		return
	}
	r := table[operation.OperationID]
	caller := who(c.Request.Context())
	call := &audit.Call{Company: audit.Platform, User: caller.User.ID, Action: audit.Action(operation.OperationID), Kind: kindOf(operation.Path),
		Address: s.clientIP(c.Request), Request: requestUUID(c.Request.Context()), At: s.now(), Always: r.noted, Often: r.often}
	if caller.Company != nil && (r.company || caller.User.Role != account.Superadmin) {
		call.Company = caller.Company.ID // what people of a company do to their own account is there as well
	}
	c.Request = c.Request.WithContext(audit.Watch(c.Request.Context(), call))
	if subject, err := id.Parse(ctx.Param("id")); err == nil {
		audit.About(c.Request.Context(), subject)
	}
}

// notes tells whether the calls of an operation stand in the audit log.
func notes(o *huma.Operation) bool {
	r := table[o.OperationID]
	return r.least > anyone && !r.unnoted && (o.Method != http.MethodGet || r.noted)
}

// kindOf is what a path is about: its first segment.
func kindOf(path string) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(path, apiPath+"/"), "/")
	return kind
}

func requestUUID(ctx context.Context) id.ID {
	request, _ := id.Parse(requestID(ctx)) // the zero id outside requests
	return request
}

// entries are the calls of strangers that stand in the audit log, because it is known after them who they are.
var entries = []string{"login", "signUp", "resetPassword", "acceptInvitation"}

// noteEntry notes one of entries. It never keeps anybody out: who is in, is in.
func (s *Server) noteEntry(ctx context.Context, action audit.Action, company, user id.ID, address netip.Addr) {
	call := audit.Call{Company: company, User: user, Action: action, Kind: "auth", Address: address, Request: requestUUID(ctx), At: s.now()}
	if err := audit.Record(ctx, s.DB, call); err != nil {
		slog.Error("a sign-in is missing in the audit log", "user", user, "error", err, "request", requestID(ctx))
	}
}

// homeOf is the company that a session acts in; the platform for none.
func homeOf(p account.Principal) id.ID {
	if p.Company == nil {
		return audit.Platform
	}
	return p.Company.ID
}

// AuditLine is one call that changed something, or read a whole list.
type AuditLine struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	By        string    `json:"by" doc:"the person's name; empty for one of the platform"`
	UserID    string    `json:"user_id"`
	Action    string    `json:"action" doc:"the operation, as the API's document names it, or what it decided"`
	Words     string    `json:"words" doc:"the operation in words"`
	Kind      string    `json:"kind" doc:"what it is about: campaigns, contacts …"`
	SubjectID string    `json:"subject_id,omitempty" doc:"the first of its subjects"`
	Subjects  int       `json:"subjects"`
	Address   string    `json:"address" doc:"from where"`
	RequestID string    `json:"request_id,omitempty" doc:"names the same call in the server's log"`
}

// AuditPage is part of the log, the newest first.
type AuditPage struct {
	Items      []AuditLine `json:"items"`
	NextCursor string      `json:"next_cursor" doc:"empty on the last page"`
	Actions    []Choice    `json:"actions,omitempty" doc:"what can be chosen by; with the first page only"`
}

// Choice is a value that can be chosen, in words.
type Choice struct {
	Value string `json:"value"`
	Words string `json:"words"`
}

// AuditQuery chooses lines. It is exported because huma reads only exported embedded structs.
type AuditQuery struct {
	UserID string    `query:"user_id" format:"uuid" doc:"what one person did"`
	Action string    `query:"action" maxLength:"64"`
	Since  time.Time `query:"since" doc:"nothing older"`
}

type auditIn struct {
	PageQuery
	AuditQuery
}

type auditSheetIn struct {
	AuditQuery
	SheetQuery
}

func (s *Server) auditRoutes() {
	s.actions = sync.OnceValue(s.notedActions)
	register(s, op("listAudit", http.MethodGet, "/audit", "companies", "Who changed what, newest first"), s.listAudit)
	register(s, op("exportAudit", http.MethodGet, "/audit/export", "companies", "The audit log as a file", asSheet), s.exportAudit)
}

func (q AuditQuery) filter(before id.ID) (audit.Filter, error) {
	f := audit.Filter{Action: audit.Action(q.Action), Since: q.Since, Before: before}
	if q.UserID == "" {
		return f, nil
	}
	user, err := id.Parse(q.UserID)
	f.User = user
	return f, err
}

func (s *Server) listAudit(ctx context.Context, in *auditIn) (*Out[AuditPage], error) {
	before, err := in.after(contact.First)
	if err != nil {
		return nil, err
	}
	filter, err := in.filter(before)
	if err != nil {
		return nil, err
	}
	page := AuditPage{Items: []AuditLine{}}
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		lines, err := audit.List(ctx, tx, companyOf(ctx), filter, in.Limit+1)
		for i, line := range lines {
			if i == in.Limit {
				page.NextCursor = cursorOf(lines[i-1].ID)
				break
			}
			page.Items = append(page.Items, s.auditView(line))
		}
		return err
	})
	if in.Cursor == "" {
		page.Actions = s.auditChoices()
	}
	return out(page), err
}

func (s *Server) auditView(l audit.Line) AuditLine {
	view := AuditLine{ID: l.ID.String(), At: l.At.UTC(), By: l.By, UserID: l.User.String(), Action: string(l.Action), Words: s.wordsOf(string(l.Action)),
		Kind: l.Kind, Subjects: l.Subjects, Address: l.Address}
	if l.Subject != id.Nil {
		view.SubjectID = l.Subject.String()
	}
	if l.Request != nil {
		view.RequestID = l.Request.String()
	}
	return view
}

// decisionWords say what is no operation by itself.
var decisionWords = map[string]string{
	string(audit.MessageMarkedSent):   "Mark uncertain messages as sent",
	string(audit.MessageMarkedFailed): "Mark uncertain messages as failed",
	string(audit.MessageSentAgain):    "Send uncertain messages again",
	string(audit.RestoreReleased):     "Release the hold after a restore, everything goes on",
	string(audit.RestoreDoubted):      "Release the hold after a restore, open messages wait for a person",
}

// notedActions are what can stand in the log, each with its words: those of the API's document.
func (s *Server) notedActions() map[string]string {
	words := maps.Clone(decisionWords)
	for _, o := range operations(s.api.OpenAPI()) {
		if notes(o) || slices.Contains(entries, o.OperationID) {
			words[o.OperationID] = o.Summary
		}
	}
	return words
}

func (s *Server) wordsOf(action string) string {
	if words, found := s.actions()[action]; found {
		return words
	}
	return action // of an operation that is no more
}

func (s *Server) auditChoices() []Choice {
	var choices []Choice
	for action, words := range s.actions() {
		choices = append(choices, Choice{action, words})
	}
	slices.SortFunc(choices, func(a, b Choice) int { return strings.Compare(a.Words, b.Words) })
	return choices
}

func (s *Server) exportAudit(ctx context.Context, in *auditSheetIn) (*huma.StreamResponse, error) {
	filter, err := in.filter(contact.First)
	if err != nil {
		return nil, err
	}
	caller := who(ctx)
	zone, err := time.LoadLocation(caller.Company.Zone)
	if err != nil {
		zone = time.UTC
	}
	return s.stream(in.Format, "Audit log", func(ctx context.Context, row func(...string) error) error {
		if err := row("When", "Who", "What", "About", "From", "Request"); err != nil {
			return err
		}
		for {
			var lines []audit.Line
			err := s.DB.InCompany(ctx, caller.Company.ID, func(tx postgres.Tx) (err error) {
				lines, err = audit.List(ctx, tx, caller.Company.ID, filter, 1000)
				return err
			})
			if err != nil || len(lines) == 0 {
				return err
			}
			for _, line := range lines {
				v := s.auditView(line)
				if err := row(at(&line.At, zone), v.By, v.Words, strings.TrimSpace(v.Kind+" "+v.SubjectID), v.Address, v.RequestID); err != nil {
					return err
				}
			}
			filter.Before = lines[len(lines)-1].ID
		}
	})
}
