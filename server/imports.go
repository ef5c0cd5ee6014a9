package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/realtime"
)

// Bounds of one import. Its time is not bounded as a whole: each part of the file has to come within readPause.
const (
	mostImport = 1 << 30
	readPause  = 30 * time.Second
)

// BadRow is a row that was left out.
type BadRow struct {
	Line   int    `json:"line"`
	Column string `json:"column" doc:"title of the column, empty when the whole row is unfit"`
	Reason string `json:"reason"`
}

// ImportResult tells what an import did. read is the sum of all others but the list.
type ImportResult struct {
	Read       int      `json:"read"`
	Added      int      `json:"added"`
	Updated    int      `json:"updated"`
	Unchanged  int      `json:"unchanged"`
	Duplicates int      `json:"duplicates" doc:"rows whose phone came before in the same file; the last one counts"`
	Rejected   int      `json:"rejected"`
	BadRows    []BadRow `json:"bad_rows" doc:"the first 1,000"`
	BadRowsCut bool     `json:"bad_rows_cut"`
}

type importIn struct {
	Tag    string `query:"tag" maxLength:"200" doc:"added to every contact of the file"`
	Region string `query:"region" maxLength:"2" doc:"of numbers without a country code, such as BR"`
	file   io.Reader
}

// Resolve takes the body as a stream: it is never read as a whole.
func (in *importIn) Resolve(ctx huma.Context) []error {
	c := humagin.Unwrap(ctx)
	kind, _, _ := strings.Cut(c.ContentType(), ";")
	if kind != "text/csv" && kind != "application/csv" && kind != "text/plain" && kind != "text/tab-separated-values" {
		return []error{problemOf(http.StatusUnsupportedMediaType, "", "Send the file itself with Content-Type text/csv.")}
	}
	if in.Region = strings.ToUpper(in.Region); in.Region != "" && !contact.ValidRegion(in.Region) {
		return []error{&huma.ErrorDetail{Location: "query.region", Message: "is not a region such as BR", Value: in.Region}}
	}
	limited := http.MaxBytesReader(c.Writer, c.Request.Body, mostImport)
	in.file = &patient{limited, http.NewResponseController(c.Writer)}
	return nil
}

// patient gives a slow upload time as long as it goes on, instead of the server's bound for a whole request.
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
	operation := op("importContacts", http.MethodPost, "/contacts/import", "contacts", "Add and update contacts from a CSV file",
		describe("Columns: phone (required), name, first_name, zone, tags (a;b); every other column becomes an attribute. The delimiter (comma, semicolon, tab) "+
			"and the encoding (UTF-8, UTF-16, Windows-1252) are found out. Good rows are kept, each bad row is reported. Contacts are matched by phone."))
	operation.RequestBody = &huma.RequestBody{Required: true, Description: "the file, streamed, up to 1 GiB",
		Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	operation.SkipValidateBody = true
	register(s, operation, s.importContacts)
}

func (s *Server) importContacts(ctx context.Context, in *importIn) (*Out[ImportResult], error) {
	select {
	case s.imports <- struct{}{}:
		defer func() { <-s.imports }()
	default:
		return nil, huma.ErrorWithHeaders(problemOf(http.StatusTooManyRequests, "slow-down", "Other imports are running. Try again in a minute."),
			http.Header{"Retry-After": {"60"}})
	}
	company := companyOf(ctx)
	report, err := contact.Import(ctx, s.DB, company, in.file, contact.ImportOptions{Tag: in.Tag, Region: in.Region})
	if report.Added+report.Updated > 0 {
		s.changed(company, realtime.Contacts, id.Nil) // also when the file broke off: its good rows are kept
	}
	var file contact.FileError
	if errors.As(err, &file) {
		return nil, newProblem(http.StatusUnprocessableEntity, "The file can't be imported: "+file.Reason,
			&huma.ErrorDetail{Location: "body", Message: file.Reason})
	}
	if err != nil {
		return nil, err
	}
	result := ImportResult{Read: report.Read, Added: report.Added, Updated: report.Updated, Unchanged: report.Unchanged,
		Duplicates: report.Duplicates, Rejected: report.Rejected, BadRows: make([]BadRow, len(report.BadRows)),
		BadRowsCut: report.Rejected > len(report.BadRows)}
	for i, bad := range report.BadRows {
		result.BadRows[i] = BadRow(bad)
	}
	return out(result), nil
}
