package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"omnidesk/internal/contact"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/sheet"
	"omnidesk/internal/wake"
)

const (
	mostImport   = 200 << 20 // bytes of a file
	readPause    = 30 * time.Second
	refusedAtOne = 2000
)

// ImportColumn is one column of the file and the field it fills.
type ImportColumn struct {
	Title     string   `json:"title"`
	Samples   []string `json:"samples" doc:"its first cells, until the import has ended"`
	Field     string   `json:"field" enum:"skip,phone,name,zone,tags,attribute"`
	Attribute string   `json:"attribute,omitempty" doc:"the name of the attribute"`
}

// ImportTarget says which field a column fills.
type ImportTarget struct {
	Field     string `json:"field" enum:"skip,phone,name,zone,tags,attribute"`
	Attribute string `json:"attribute,omitempty" maxLength:"40"`
}

// ImportOptions are what is decided beside the columns.
type ImportOptions struct {
	NoHeader     bool     `json:"no_header" required:"false" doc:"the first line is a contact"`
	Region       string   `json:"region" required:"false" maxLength:"2" doc:"of numbers without a country code, such as BR"`
	Tags         []string `json:"tags" required:"false" maxItems:"50" doc:"added to every contact of the file; new ones are made"`
	KeepExisting bool     `json:"keep_existing" required:"false" doc:"leave contacts alone that are known already"`
}

// ImportPreview is what a run would do, counted over the whole file.
type ImportPreview struct {
	Rows       int           `json:"rows"`
	New        int           `json:"new"`
	Known      int           `json:"known"`
	Duplicates int           `json:"duplicates" doc:"rows whose number came before in the file; the first counts"`
	Refused    int           `json:"refused"`
	Zones      []ImportShare `json:"zones" doc:"of the contacts, by the file or the number; an empty name is the company's zone"`
	Reasons    []ImportShare `json:"reasons" doc:"why rows are refused"`
	Bad        []ImportBad   `json:"bad" doc:"the first refused rows"`
}

// ImportShare is a word and how many rows it stands for.
type ImportShare struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
}

// ImportBad is one refused row.
type ImportBad struct {
	Line   int    `json:"line"`
	Column string `json:"column" doc:"its title, empty when the whole row is unfit"`
	Reason string `json:"reason"`
}

// ImportCounts is what a run has done.
type ImportCounts struct {
	Read       int `json:"read"`
	Added      int `json:"added"`
	Updated    int `json:"updated"`
	Unchanged  int `json:"unchanged"`
	Duplicates int `json:"duplicates"`
	Refused    int `json:"refused"`
}

// ImportUndo is what an undo has done or would do with contacts.
type ImportUndo struct {
	Deleted  int `json:"deleted"`
	Restored int `json:"restored"`
	Used     int `json:"used" doc:"new ones that stay: they got or wrote a message, or are in a campaign that has not ended"`
	Edited   int `json:"edited" doc:"that stay: edited or opted out since"`
	Gone     int `json:"gone" doc:"deleted meanwhile"`
}

// ImportProgress is how far a run or an undo is.
type ImportProgress struct {
	Done     int        `json:"done"`
	Total    int        `json:"total"`
	FinishAt *time.Time `json:"finish_at,omitempty" doc:"at the rate so far"`
}

// Import is a file of contacts on its way in, or what has become of it.
type Import struct {
	ID          string          `json:"id"`
	State       string          `json:"state" enum:"uploading,uploaded,ready,running,finished,stopped,undoing,undone" doc:"uploaded: is being read; ready: waits to be started"`
	StateDetail string          `json:"state_detail"`
	FileName    string          `json:"file_name"`
	Bytes       int64           `json:"bytes"`
	Columns     []ImportColumn  `json:"columns"`
	Options     ImportOptions   `json:"options"`
	Preview     *ImportPreview  `json:"preview,omitempty" doc:"absent while the file is being read"`
	Counts      ImportCounts    `json:"counts"`
	Undo        *ImportUndo     `json:"undo,omitempty"`
	Progress    *ImportProgress `json:"progress,omitempty" doc:"while it runs or is undone"`
	Version     int             `json:"version" doc:"of columns and options"`
	CreatedAt   time.Time       `json:"created_at"`
	StartedAt   *time.Time      `json:"started_at,omitempty"`
	FinishedAt  *time.Time      `json:"finished_at,omitempty"`
	UndoneAt    *time.Time      `json:"undone_at,omitempty"`
	ForgottenAt *time.Time      `json:"forgotten_at,omitempty" doc:"since when it is not known any more what it did with which contact: it can't be undone"`
}

// ImportList is one page.
type ImportList struct {
	Items      []Import `json:"items"`
	NextCursor string   `json:"next_cursor" doc:"empty on the last page"`
}

// ImportMapping chooses columns and options.
type ImportMapping struct {
	Version int            `json:"version" doc:"the one that was seen"`
	Mapping []ImportTarget `json:"mapping" maxItems:"200" doc:"one per column"`
	Options ImportOptions  `json:"options"`
}

// ImportStart names the version whose preview was seen.
type ImportStart struct {
	Version int `json:"version"`
}

type uploadIn struct {
	FileName string `query:"file_name" maxLength:"300" doc:"shown in the list"`
	file     io.Reader
}

type remapIn struct {
	IDPath
	Body ImportMapping
}

type startImportIn struct {
	IDPath
	Body ImportStart
}

// Resolve takes the body before huma reads it: a file is a stream.
func (in *uploadIn) Resolve(ctx huma.Context) []error {
	c := humagin.Unwrap(ctx)
	kind, _, _ := strings.Cut(c.ContentType(), ";")
	if strings.HasSuffix(kind, "json") || strings.HasPrefix(kind, "multipart/") || kind == "application/x-www-form-urlencoded" {
		return []error{problemOf(http.StatusUnsupportedMediaType, "", "Send the file itself with Content-Type text/csv.")}
	}
	if c.Request.ContentLength > mostImport {
		return []error{tooLargeImport()}
	}
	limited := http.MaxBytesReader(c.Writer, c.Request.Body, mostImport)
	in.file = &patient{limited, http.NewResponseController(c.Writer)}
	return nil
}

func tooLargeImport() error {
	return problemOf(http.StatusRequestEntityTooLarge, "", "The file is larger than 200 MB. Split it into several files.")
}

// patient gives each read of a body its own time, so that a large file may take long and a stalled one may not.
type patient struct {
	reader  io.Reader
	control *http.ResponseController
}

func (p *patient) Read(buffer []byte) (int, error) {
	// Not every writer has deadlines (a test's has none); then the server's own stay.
	_ = p.control.SetReadDeadline(time.Now().Add(readPause))
	_ = p.control.SetWriteDeadline(time.Now().Add(2 * readPause))
	return p.reader.Read(buffer)
}

func (s *Server) importRoutes() {
	upload := op("uploadImport", http.MethodPost, "/imports", "imports", "Upload a file of contacts", status(http.StatusCreated),
		describe("Comma, semicolon or tab between cells; UTF-8, UTF-16 or Windows-1252: both are found out. Nothing is changed by an upload: the file is read, "+
			"its columns are guessed, and the import waits for its start."))
	upload.RequestBody = &huma.RequestBody{Required: true, Description: "the file, streamed, up to 200 MB",
		Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	upload.SkipValidateBody = true
	register(s, upload, s.uploadImport)
	register(s, op("listImports", http.MethodGet, "/imports", "imports", "Imports, newest first"), s.listImports)
	register(s, op("getImport", http.MethodGet, "/imports/{id}", "imports", "One import"), s.getImport)
	register(s, op("mapImport", http.MethodPut, "/imports/{id}/mapping", "imports", "Choose what each column holds; the file is read anew", body(64<<10)), s.mapImport)
	register(s, op("startImport", http.MethodPost, "/imports/{id}/start", "imports", "Let it run"), s.startImport)
	register(s, op("stopImport", http.MethodPost, "/imports/{id}/stop", "imports", "Stop a running import; what is done stays"), s.stopImport)
	register(s, op("undoForecast", http.MethodGet, "/imports/{id}/undo", "imports", "What an undo would do now"), s.undoForecast)
	register(s, op("undoImport", http.MethodPost, "/imports/{id}/undo", "imports", "Take it back"), s.undoImport)
	register(s, op("discardImport", http.MethodDelete, "/imports/{id}", "imports", "Discard one that has not started", status(http.StatusNoContent)), s.discardImport)
	refused := op("refusedRows", http.MethodGet, "/imports/{id}/refused", "imports", "The rows that could not be used, as CSV",
		describe("Each with its line, the reason and its cells, to be mended and imported again; the first 20,000."))
	refused.Responses = map[string]*huma.Response{"200": {Description: "the rows",
		Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	register(s, refused, s.refusedRows)
}

func (s *Server) uploadImport(ctx context.Context, in *uploadIn) (*Out[Import], error) {
	select {
	case s.imports <- struct{}{}:
		defer func() { <-s.imports }()
	default:
		return nil, huma.ErrorWithHeaders(problemOf(http.StatusTooManyRequests, "slow-down", "Other files are being uploaded. Try again in a minute."),
			http.Header{"Retry-After": {"60"}})
	}
	company, by := companyOf(ctx), who(ctx).User.ID
	made, err := contact.Upload(ctx, s.DB, company, &by, in.FileName, in.file)
	if err != nil {
		return nil, err
	}
	return s.importAfter(ctx, company, made, func(postgres.Tx) error { return nil })
}

func (s *Server) listImports(ctx context.Context, in *PageQuery) (*Out[ImportList], error) {
	before, err := in.after(contact.First)
	if err != nil {
		return nil, err
	}
	list, now := ImportList{Items: []Import{}}, s.now()
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		imports, more, err := contact.ListImports(ctx, tx, companyOf(ctx), before, in.Limit)
		for _, i := range imports {
			list.Items = append(list.Items, importView(i, now))
		}
		if more {
			list.NextCursor = cursorOf(imports[len(imports)-1].ID)
		}
		return err
	})
	return out(list), err
}

func (s *Server) getImport(ctx context.Context, in *IDPath) (*Out[Import], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	var i contact.Import
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) (err error) {
		i, err = contact.GetImport(ctx, tx, companyOf(ctx), wanted)
		return err
	})
	return out(importView(i, s.now())), err
}

func (s *Server) mapImport(ctx context.Context, in *remapIn) (*Out[Import], error) {
	mapping := make([]contact.Target, len(in.Body.Mapping))
	for i, target := range in.Body.Mapping {
		mapping[i] = contact.Target(target)
		if target.Field != contact.FieldAttribute {
			mapping[i].Attribute = ""
		}
	}
	return s.importCommand(ctx, in.IDPath, func(tx postgres.Tx, company, wanted id.ID) error {
		return contact.Remap(ctx, tx, company, wanted, in.Body.Version, mapping, contact.ImportOptions(in.Body.Options))
	})
}

func (s *Server) startImport(ctx context.Context, in *startImportIn) (*Out[Import], error) {
	return s.importCommand(ctx, in.IDPath, func(tx postgres.Tx, company, wanted id.ID) error {
		return contact.StartImport(ctx, tx, company, wanted, in.Body.Version, s.now())
	})
}

func (s *Server) stopImport(ctx context.Context, in *IDPath) (*Out[Import], error) {
	return s.importCommand(ctx, *in, func(tx postgres.Tx, company, wanted id.ID) error {
		return contact.StopImport(ctx, tx, company, wanted, s.now())
	})
}

func (s *Server) undoImport(ctx context.Context, in *IDPath) (*Out[Import], error) {
	return s.importCommand(ctx, *in, func(tx postgres.Tx, company, wanted id.ID) error {
		return contact.StartUndo(ctx, tx, company, wanted, s.now())
	})
}

func (s *Server) importCommand(ctx context.Context, in IDPath, do func(tx postgres.Tx, company, wanted id.ID) error) (*Out[Import], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	return s.importAfter(ctx, company, wanted, func(tx postgres.Tx) error { return do(tx, company, wanted) })
}

// importAfter changes an import, wakes its workflow with the same commit, and answers how it is then.
func (s *Server) importAfter(ctx context.Context, company, wanted id.ID, do func(postgres.Tx) error) (*Out[Import], error) {
	var i contact.Import
	err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		if err := do(tx); err != nil {
			return err
		}
		if err := wake.Append(ctx, tx, company, flow.Import(wanted), false); err != nil {
			return err
		}
		i, err = contact.GetImport(ctx, tx, company, wanted)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.hint()
	s.changed(company, realtime.Import, wanted)
	return out(importView(i, s.now())), nil
}

func (s *Server) undoForecast(ctx context.Context, in *IDPath) (*Out[ImportUndo], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	var counts contact.UndoCounts
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) (err error) {
		counts, err = contact.ForecastUndo(ctx, tx, companyOf(ctx), wanted)
		return err
	})
	return out(ImportUndo(counts)), err
}

func (s *Server) discardImport(ctx context.Context, in *IDPath) (*struct{}, error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		if err := contact.DiscardImport(ctx, tx, company, wanted); err != nil {
			return err
		}
		return wake.Append(ctx, tx, company, flow.Import(wanted), false) // its workflow ends
	})
	if err != nil {
		return nil, err
	}
	s.hint()
	s.changed(company, realtime.Import, wanted)
	return nil, nil
}

// refusedRows streams page by page: a slow reader holds no transaction open.
func (s *Server) refusedRows(ctx context.Context, in *IDPath) (*huma.StreamResponse, error) {
	found, err := s.getImport(ctx, in)
	if err != nil {
		return nil, err
	}
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	return &huma.StreamResponse{Body: func(answer huma.Context) {
		answer.SetHeader("Content-Type", sheet.CSV.MediaType())
		answer.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="refused-%s.csv"`, wanted))
		if err := s.writeRefused(ctx, answer.BodyWriter(), company, wanted, found.Body.Columns); err != nil {
			slog.Error("a list of refused rows broke off", "import", wanted, "error", err)
			panic(http.ErrAbortHandler) // a cut list must not look whole
		}
	}}, nil
}

func (s *Server) writeRefused(ctx context.Context, to io.Writer, company, wanted id.ID, columns []ImportColumn) error {
	table, err := sheet.New(sheet.CSV, to)
	if err != nil {
		return err
	}
	head := []string{"line", "reason"}
	for _, column := range columns {
		head = append(head, column.Title)
	}
	if err := table.Row(head...); err != nil {
		return err
	}
	for after := 0; ; {
		var rows []contact.Refused
		err := s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
			rows, err = contact.RefusedRows(ctx, tx, company, wanted, after, refusedAtOne)
			return err
		})
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.Row
			if err := table.Row(append([]string{strconv.Itoa(row.Row), row.Reason}, row.Cells...)...); err != nil {
				return err
			}
		}
		if len(rows) < refusedAtOne {
			return table.Close()
		}
	}
}

func importView(i contact.Import, now time.Time) Import {
	view := Import{ID: i.ID.String(), State: string(i.State), StateDetail: i.Detail, FileName: i.FileName, Bytes: i.Bytes, Columns: []ImportColumn{},
		Options: ImportOptions(i.Options), Counts: ImportCounts{i.Counts.Read, i.Counts.Added, i.Counts.Updated, i.Counts.Unchanged, i.Counts.Duplicates, i.Counts.Refused},
		Undo: (*ImportUndo)(i.Counts.Undo), Preview: previewView(i.Preview), Version: i.Version, CreatedAt: i.CreatedAt,
		StartedAt: utc(i.StartedAt), FinishedAt: utc(i.FinishedAt), UndoneAt: utc(i.UndoneAt), ForgottenAt: utc(i.ForgottenAt), Progress: progressView(i, now)}
	if view.Options.Tags == nil {
		view.Options.Tags = []string{}
	}
	for at, column := range i.Columns {
		c := ImportColumn{Title: column.Title, Samples: column.Samples, Field: i.Mapping[at].Field, Attribute: i.Mapping[at].Attribute}
		if c.Samples == nil {
			c.Samples = []string{}
		}
		view.Columns = append(view.Columns, c)
	}
	return view
}

func previewView(p *contact.Preview) *ImportPreview {
	if p == nil {
		return nil
	}
	view := &ImportPreview{Rows: p.Rows, New: p.New, Known: p.Known, Duplicates: p.Duplicates, Refused: p.Refused,
		Zones: []ImportShare{}, Reasons: []ImportShare{}, Bad: []ImportBad{}}
	for _, zone := range p.Zones {
		view.Zones = append(view.Zones, ImportShare(zone))
	}
	for _, reason := range p.Reasons {
		view.Reasons = append(view.Reasons, ImportShare(reason))
	}
	for _, bad := range p.Bad {
		view.Bad = append(view.Bad, ImportBad{bad.Row, bad.Title, bad.Reason})
	}
	return view
}

// progressView tells when it will be done at the rate so far.
func progressView(i contact.Import, now time.Time) *ImportProgress {
	done, total, moving := i.Progress()
	if !moving {
		return nil
	}
	view := &ImportProgress{Done: done, Total: total}
	began := i.StartedAt
	if i.State == contact.ImportUndoing {
		began = i.UndoAt
	}
	if done > 0 && began != nil {
		rest := time.Duration(float64(now.Sub(*began)) / float64(done) * float64(max(0, total-done)))
		at := now.Add(rest).UTC()
		view.FinishAt = &at
	}
	return view
}
